//! `cargo agentlint [PATHS]`: a run, its report and its exit status.

use std::io::Write;
use std::path::{Component, Path};

use agentlint_diagnostics::Level;
use anyhow::{anyhow, bail};

use crate::arguments::{CheckArguments, FailOn, Order, Sureness, TargetArguments};
use crate::engine::{CheckRequest, Engine};
use crate::output::{Failure, write_to};
use crate::render::{self, Screen};
use crate::{Environment, Exit, Format, Report, Statistics};

pub(crate) fn check(
    arguments: &CheckArguments,
    environment: &Environment,
    engine: &dyn Engine,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> Result<Exit, Failure> {
    for (name, _) in &arguments.levels {
        engine.registry().find(name).map_err(anyhow::Error::from)?;
    }
    refuse_missing_paths(&arguments.target, environment)?;
    let checked = engine.check(&request(arguments, environment))?;
    let mut report = Report::new(checked, engine.registry().metas());
    if arguments.sort == Order::Reach {
        report.diagnostics.sort_by_key(|diagnostic| std::cmp::Reverse(diagnostic.reached_from.len()));
    }
    let screen = Screen {
        color: render::is_colored(arguments.color, environment, arguments.output.is_none()),
        unicode: environment.unicode,
        width: environment.width,
        summary: !arguments.quiet,
        verbose: arguments.verbose,
    };
    write_to(arguments.output.as_deref(), stdout, |out| {
        render::render(arguments.format, &report, &screen, environment, out).map_err(Failure::from)
    })?;
    // What is printed for people ends up behind the findings, also where both streams go to one place.
    stdout.flush()?;
    if !arguments.quiet {
        write_remarks(arguments, &report, stderr);
    }
    Ok(exit(arguments, &report))
}

/// A missing path is more often a mistyped subcommand or option than a file that has gone.
pub(super) fn refuse_missing_paths(target: &TargetArguments, environment: &Environment) -> anyhow::Result<()> {
    for path in &target.paths {
        if environment.current_folder.join(path).symlink_metadata().is_ok() {
            continue;
        }
        let commands = ["explain", "list", "inspect", "why"]
            .into_iter()
            .filter(|_| path.components().eq([Component::Normal(path.as_os_str())]));
        let close = commands.map(|name| (strsim::jaro_winkler(name, &path.to_string_lossy()), name));
        match close.filter(|(likeness, _)| *likeness > 0.85).max_by(|left, right| left.0.total_cmp(&right.0)) {
            Some((_, name)) => bail!("no such file, folder or subcommand: `{}`, did you mean `{name}`?", path.display()),
            None => return Err(anyhow!("no such file or folder: `{}`", path.display())),
        }
    }
    Ok(())
}

fn request(arguments: &CheckArguments, environment: &Environment) -> CheckRequest {
    CheckRequest {
        levels: arguments.levels.clone(),
        confidence: arguments.confidence.map(Sureness::confidence),
        startup: arguments.startup,
        progress: environment.stderr_is_terminal && !arguments.quiet,
        ..CheckRequest::of(&arguments.target, environment)
    }
}

fn write_remarks(arguments: &CheckArguments, report: &Report<'_>, stderr: &mut dyn Write) {
    // Nothing is lost where stderr cannot be written: documents hold the notes too.
    for note in &report.notes {
        let _ = writeln!(stderr, "note: {}", render::plain(note));
    }
    if arguments.verbose {
        let statistics = report.statistics;
        let seconds = statistics.elapsed.as_secs_f64();
        let _ = writeln!(
            stderr,
            "read {} {}, {} lines in {seconds:.2} s{}",
            statistics.files,
            if statistics.files == 1 { "file" } else { "files" },
            statistics.lines,
            phases(&statistics)
        );
        for line in render::coverage_lines(report) {
            let _ = writeln!(stderr, "{line}");
        }
    }
    if arguments.format != Format::Human && arguments.format != Format::Concise {
        let output = arguments.output.as_deref().map_or(String::new(), |file: &Path| format!(", written to {}", file.display()));
        let _ = writeln!(stderr, "{}{output}", render::summary(report));
    }
}

/// `: reading 12 ms, types 30 ms, effects 4 ms`; `cargo xtask bench` reads it too.
fn phases(statistics: &Statistics) -> String {
    let known = statistics.phases.iter().filter(|(name, _)| !name.is_empty());
    let shown: Vec<String> = known.map(|(name, took)| format!("{name} {:.1} ms", took.as_secs_f64() * 1e3)).collect();
    if shown.is_empty() { String::new() } else { format!(": {}", shown.join(", ")) }
}

fn exit(arguments: &CheckArguments, report: &Report<'_>) -> Exit {
    let fail_on = arguments.fail_on.map(FailOn::level).or(report.fail_on).unwrap_or(Level::Warn);
    let worst = report.diagnostics.iter().map(|diagnostic| diagnostic.level).max().unwrap_or(Level::Allow);
    match () {
        () if report.nothing_read => Exit::Failed,
        () if worst >= fail_on && !arguments.exit_zero => Exit::Findings,
        () => Exit::Clean,
    }
}
