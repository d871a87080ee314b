//! The command line's grammar.

use std::ffi::OsString;
use std::path::PathBuf;

use agentlint_diagnostics::{Confidence, Level};
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::Environment;

/// A command line, understood.
pub(crate) enum Parsed {
    Command(Command),
    /// `--help` or `--version`: the text to print.
    Help(String),
    /// Why it is refused.
    Refused(String),
}

#[derive(Clone, Debug)]
pub(crate) enum Command {
    Check(CheckArguments),
    Explain(ExplainArguments),
    List(ListArguments),
    Inspect(InspectArguments),
    Why(WhyArguments),
}

/// Finds what stalls an async Rust service: blocking calls reached from async code, through helpers, methods and other files.
#[derive(Debug, Parser)]
#[command(name = "cargo-agentlint", version, args_conflicts_with_subcommands = true, max_term_width = 100)]
#[command(after_help = "Exit status: 0 nothing found, 1 findings, 2 the tool could not do its work.")]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Subcommands>,
    #[command(flatten)]
    check: CheckArguments,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// Print a lint's page
    Explain(ExplainArguments),
    /// Print every lint with its level, group and summary
    List(ListArguments),
    /// Print what was understood of the program
    Inspect(InspectArguments),
    /// Print what is known of the calls on a line, and why they are findings or not
    Why(WhyArguments),
}

#[derive(Clone, Debug, Args)]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    pub(crate) target: TargetArguments,
    /// How findings are printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
    /// Write to a file instead of standard output; the file is replaced in one step
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Do not report a lint or group
    #[arg(short = 'A', long, value_name = "LINT", value_delimiter = ',')]
    allow: Vec<String>,
    /// Report a lint or group as a warning
    #[arg(short = 'W', long, value_name = "LINT", value_delimiter = ',')]
    warn: Vec<String>,
    /// Report a lint or group as an error
    #[arg(short = 'D', long, value_name = "LINT", value_delimiter = ',')]
    deny: Vec<String>,
    /// The three above in the order they were given; the last one that names a lint wins.
    #[arg(skip)]
    pub(crate) levels: Vec<(String, Level)>,
    /// How sure a finding must be [default: likely]
    #[arg(long, value_enum, value_name = "SURENESS")]
    pub(crate) confidence: Option<Sureness>,
    /// In which order findings come: by their places, or those first that the most routes and tasks reach
    #[arg(long, value_enum, default_value_t = Order::Place, value_name = "ORDER")]
    pub(crate) sort: Order,
    /// Report what blocks before the program serves, spawns or accepts too
    #[arg(long)]
    pub(crate) startup: bool,
    /// The lowest level that makes the run fail [default: warn]
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub(crate) fail_on: Option<FailOn>,
    /// Exit with 0 whatever is found
    #[arg(long)]
    pub(crate) exit_zero: bool,
    /// When to use colors
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    pub(crate) color: ColorChoice,
    /// Print findings only: no notes, no summary
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Print what the run took
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Order {
    Place,
    Reach,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct TargetArguments {
    /// Packages, workspaces, folders or files [default: the workspace here]
    pub(crate) paths: Vec<PathBuf>,
    /// Lint tests, examples and benches too
    #[arg(long)]
    pub(crate) all_targets: bool,
    /// Leave out files that match; may be given several times
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Read this file instead of the `agentlint.toml` that is found
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ExplainArguments {
    /// A lint or a group
    pub(crate) lint: String,
    /// When to use colors
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    pub(crate) color: ColorChoice,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ListArguments {
    #[arg(long, value_enum, default_value_t = ListFormat::Human)]
    pub(crate) format: ListFormat,
    /// When to use colors
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    pub(crate) color: ColorChoice,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct InspectArguments {
    #[arg(value_enum)]
    pub(crate) what: Inspected,
    #[command(flatten)]
    pub(crate) target: TargetArguments,
    #[arg(long, value_enum, default_value_t = InspectFormat::Human)]
    pub(crate) format: InspectFormat,
    /// Write to a file instead of standard output; the file is replaced in one step
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct WhyArguments {
    /// The line, as findings have it: `src/main.rs:12`
    #[arg(value_name = "FILE:LINE")]
    pub(crate) place: String,
    /// Look at tests, examples and benches too
    #[arg(long)]
    pub(crate) all_targets: bool,
    /// Read this file instead of the `agentlint.toml` that is found
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// With the source and the chain of calls
    Human,
    /// One line each: `path:line:column: level[lint] message`
    Concise,
    /// One documented document
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// GitHub workflow commands: annotations without code scanning
    Github,
    /// As cargo prints compiler messages, for editors
    CargoJson,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    Human,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InspectFormat {
    Human,
    /// One JSON object a line
    Jsonl,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Inspected {
    /// Every call and what it resolves to
    Calls,
    /// Every async context
    Contexts,
    /// Every function that blocks, and through what
    Effects,
    /// Every file that was read, dependencies' included
    Files,
}

/// How sure: `Confidence` as a value of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sureness {
    Possible,
    Likely,
    Certain,
}

impl Sureness {
    pub(crate) fn confidence(self) -> Confidence {
        match self {
            Sureness::Possible => Confidence::Possible,
            Sureness::Likely => Confidence::Likely,
            Sureness::Certain => Confidence::Certain,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    Warn,
    Deny,
}

impl FailOn {
    pub(crate) fn level(self) -> Level {
        match self {
            FailOn::Warn => Level::Warn,
            FailOn::Deny => Level::Deny,
        }
    }
}

/// `arguments` begins with the program's name. `cargo agentlint` passes its own name on as the first argument, which is dropped.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>, environment: &Environment) -> Parsed {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let through_cargo = arguments.get(1).is_some_and(|argument| argument == "agentlint");
    if through_cargo {
        arguments.remove(1);
    }
    let command = CommandLine::command().bin_name(if through_cargo { "cargo agentlint" } else { "cargo-agentlint" });
    match command.try_get_matches_from(arguments).and_then(|matches| understand(&matches)) {
        Ok(command) => Parsed::Command(command),
        Err(error) => {
            let for_stderr = error.use_stderr();
            let is_terminal = if for_stderr { environment.stderr_is_terminal } else { environment.stdout_is_terminal };
            let text = error.render();
            let color = (is_terminal && !environment.no_color) || environment.force_color;
            let text = if color { text.ansi().to_string() } else { text.to_string() };
            if for_stderr { Parsed::Refused(text) } else { Parsed::Help(text) }
        }
    }
}

fn understand(matches: &ArgMatches) -> Result<Command, clap::Error> {
    let mut line = CommandLine::from_arg_matches(matches)?;
    Ok(match line.command {
        Some(Subcommands::Explain(explain)) => Command::Explain(explain),
        Some(Subcommands::List(list)) => Command::List(list),
        Some(Subcommands::Inspect(inspect)) => Command::Inspect(inspect),
        Some(Subcommands::Why(why)) => Command::Why(why),
        None => {
            line.check.levels = levels(matches);
            Command::Check(line.check)
        }
    })
}

/// `-A`, `-W` and `-D` in the order in which they stand.
fn levels(matches: &ArgMatches) -> Vec<(String, Level)> {
    let options = [("allow", Level::Allow), ("warn", Level::Warn), ("deny", Level::Deny)];
    let mut levels = Vec::new();
    for (option, level) in options {
        let places = matches.indices_of(option).into_iter().flatten();
        let names = matches.get_many::<String>(option).into_iter().flatten();
        levels.extend(places.zip(names).map(|(place, name)| (place, name.clone(), level)));
    }
    levels.sort_by_key(|(place, ..)| *place);
    levels.into_iter().map(|(_, name, level)| (name, level)).collect()
}
