//! The command line in-process, over an engine that answers with a report made by hand.

mod formats;
mod sample;
mod usage;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

use sample::Sample;

use crate::{Environment, Exit, run};

/// What a run printed, and how it ended.
struct Ran {
    exit: Exit,
    stdout: String,
    stderr: String,
}

fn environment() -> Environment {
    Environment { current_folder: PathBuf::from("/project"), unicode: true, width: Some(100), ..Environment::default() }
}

/// `arguments` as after `cargo agentlint`, separated by spaces.
fn agentlint(arguments: &str) -> Ran {
    agentlint_in(&environment(), &Sample::full(), arguments)
}

fn agentlint_in(environment: &Environment, sample: &Sample, arguments: &str) -> Ran {
    let arguments = ["cargo-agentlint", "agentlint"].into_iter().chain(arguments.split_whitespace());
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let exit = run(arguments.map(OsString::from), environment, sample, &mut stdout, &mut stderr);
    Ran { exit, stdout: String::from_utf8(stdout).unwrap(), stderr: String::from_utf8(stderr).unwrap() }
}

/// Breaks after a number of bytes, as a pipe does when its reader has gone.
struct Breaking(usize);

impl Write for Breaking {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let written = buffer.len().min(self.0);
        self.0 -= written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
