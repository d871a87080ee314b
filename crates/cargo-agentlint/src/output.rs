//! Where the output goes: standard output, or a file that is replaced in one step.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::NamedTempFile;

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
    // A link's target is what is meant; a pipe or a device cannot be replaced.
    let target = fs::canonicalize(file).unwrap_or_else(|_| file.to_path_buf());
    if fs::metadata(&target).is_ok_and(|metadata| !metadata.is_file()) {
        let mut out = fs::OpenOptions::new().write(true).open(&target).with_context(failed)?;
        return write(&mut out);
    }
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or(PathBuf::from("."), Path::to_path_buf);
    let mut new = BufWriter::new(new_file(&folder).with_context(failed)?);
    write(&mut new)?;
    let new = new.into_inner().map_err(io::IntoInnerError::into_error).with_context(failed)?;
    new.persist(&target).with_context(failed)?;
    Ok(())
}

/// Next to the target, so that it can be renamed; with the permissions that a new file gets, not a temporary file's.
fn new_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".agentlint-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}
