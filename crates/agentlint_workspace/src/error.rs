//! Why a run cannot start: each names the file, the place and the way out.

use std::path::PathBuf;

use crate::config::ConfigError;

/// The run could not start. A part that could not be read is no error but a note or a finding.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    #[error("there is no Cargo.toml in `{}` or above it; name a package, a folder of Rust files or a .rs file", folder.display())]
    NoManifest { folder: PathBuf },
    #[error("`{}` does not exist", path.display())]
    NoSuchPath { path: PathBuf },
    #[error("`{}` is neither a folder, a Cargo.toml, a .rs file, a Dockerfile, a compose file nor a Procfile", path.display())]
    NotRust { path: PathBuf },
    #[error("there is no Rust file in `{}`; hidden folders, `target` and what .gitignore names are not searched", path.display())]
    NoRustFiles { path: PathBuf },
    #[error("the pattern `{pattern}` is not a valid glob: {reason}")]
    Glob { pattern: String, reason: String },
    #[error("{reason}; mend the manifest, or name the files to read")]
    Manifest { reason: String },
    #[error("nothing could be read: {notes}")]
    NothingToRead { notes: String },
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("cannot start the threads that parse: {reason}")]
    Threads { reason: String },
}
