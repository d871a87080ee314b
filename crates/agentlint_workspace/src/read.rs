//! Reading a file of the user's tree without trusting it: devices, pipes and huge files are refused before they are opened.

use std::fs::{File, Metadata};
use std::io::Read;
use std::path::Path;

/// Sources larger than this are not read.
pub(crate) const MAX_SOURCE_BYTES: u64 = 16 * 1024 * 1024;
/// Lock files of large workspaces reach a few megabytes.
pub(crate) const MAX_MANIFEST_BYTES: u64 = 32 * 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("there is no such file")]
    Missing,
    #[error("it is not a regular file")]
    NotAFile,
    #[error("it has {bytes} bytes, and more than {limit} are not read")]
    TooLarge { bytes: u64, limit: u64 },
    #[error("it is not UTF-8 from byte {offset} on")]
    NotUtf8 { offset: usize },
    #[error("{0}")]
    Io(std::io::Error),
}

impl From<std::io::Error> for ReadError {
    fn from(error: std::io::Error) -> ReadError {
        match error.kind() {
            std::io::ErrorKind::NotFound => ReadError::Missing,
            _ => ReadError::Io(error),
        }
    }
}

/// The text of a regular file of at most `limit` bytes.
pub(crate) fn read_text(path: &Path, limit: u64) -> Result<String, ReadError> {
    // Opening a named pipe would wait for a writer, so the kind is asked for first.
    let metadata = std::fs::metadata(path)?;
    check(&metadata, limit)?;
    let mut bytes = Vec::with_capacity(metadata.len() as usize + 1);
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(ReadError::TooLarge { bytes: bytes.len() as u64, limit });
    }
    String::from_utf8(bytes).map_err(|error| ReadError::NotUtf8 { offset: error.utf8_error().valid_up_to() })
}

fn check(metadata: &Metadata, limit: u64) -> Result<(), ReadError> {
    if !metadata.is_file() {
        return Err(ReadError::NotAFile);
    }
    if metadata.len() > limit {
        return Err(ReadError::TooLarge { bytes: metadata.len(), limit });
    }
    Ok(())
}
