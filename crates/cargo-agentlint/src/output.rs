//! Where the output goes: standard output, or a file that is replaced in one step.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use agentlint_workspace::atomic_write;
use anyhow::Context;

/// Why a command ended early.
pub(crate) enum Failure {
    /// Whoever read the output has gone; not an error.
    BrokenPipe,
    Other(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Failure {
        let broken = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
        match broken.map(io::Error::kind).any(|kind| kind == io::ErrorKind::BrokenPipe) {
            true => Failure::BrokenPipe,
            false => Failure::Other(error),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::from(anyhow::Error::from(error).context("failed to write the output"))
    }
}

/// Calls `write` with standard output, or with the new contents of `file`. The file appears whole or not at all.
pub(crate) fn write_to(
    file: Option<&Path>,
    stdout: &mut dyn Write,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let Some(file) = file else { return write(stdout) };
    let failed = || format!("failed to write {}", file.display());
    // A pipe or a device cannot be replaced.
    if fs::metadata(file).is_ok_and(|metadata| !metadata.is_file()) {
        let mut out = fs::OpenOptions::new().write(true).open(file).with_context(failed)?;
        return write(&mut out);
    }
    let mut contents = Vec::new();
    write(&mut contents)?;
    Ok(atomic_write(file, &contents).with_context(failed)?)
}
