//! The command line of agentlint: arguments, formats and exit codes.

mod arguments;
mod commands;
mod driver;
mod engine;
mod environment;
mod output;
mod progress;
mod render;
mod report;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

pub use arguments::{ColorChoice, Format, InspectFormat, Inspected};
pub use engine::{CheckRequest, Checked, Engine, InspectRequest, WhyRequest};
pub use environment::Environment;
pub use report::{Report, Seen, SourceLookup, Statistics};

use arguments::{Command, Parsed};
use output::Failure;

/// What the process says when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Clean = 0,
    /// Findings at the level that fails.
    Findings = 1,
    /// The tool could not do its work.
    Failed = 2,
}

// The model is millions of small allocations from all threads at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The whole program, on the process's own arguments, streams and environment.
pub fn main() -> ExitCode {
    let environment = Environment::of_process();
    // Locked streams would block a progress bar that another thread draws.
    let mut stdout = BufWriter::new(io::stdout());
    let exit = run(std::env::args_os(), &environment, &driver::Driver::new(), &mut stdout, &mut io::stderr());
    ExitCode::from(exit as u8)
}

/// The whole program, in-process: `arguments` begins with the program's name, as cargo passes them.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &Environment,
    engine: &dyn Engine,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> Exit {
    let outcome = match arguments::parse(arguments, environment) {
        Parsed::Command(command) => execute(&command, environment, engine, stdout, stderr),
        Parsed::Help(text) => write!(stdout, "{text}").map(|()| Exit::Clean).map_err(Failure::from),
        Parsed::Refused(text) => {
            let _ = write!(stderr, "{text}");
            Ok(Exit::Failed)
        }
    };
    match outcome.and_then(|exit| Ok(stdout.flush().map(|()| exit)?)) {
        Ok(exit) => exit,
        // Whoever read has seen enough.
        Err(Failure::BrokenPipe) => Exit::Clean,
        Err(Failure::Other(error)) => {
            let _ = writeln!(stderr, "error: {error:#}");
            Exit::Failed
        }
    }
}

fn execute(
    command: &Command,
    environment: &Environment,
    engine: &dyn Engine,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> Result<Exit, Failure> {
    match command {
        Command::Check(check) => commands::check(check, environment, engine, stdout, stderr),
        Command::Explain(explain) => commands::explain(explain, environment, engine.registry(), stdout),
        Command::List(list) => commands::list(list, environment, engine.registry(), stdout),
        Command::Inspect(inspect) => commands::inspect(inspect, environment, engine, stdout),
        Command::Why(why) => commands::why(why, environment, engine, stdout),
    }
}
