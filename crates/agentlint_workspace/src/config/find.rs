//! Finds the configuration that applies.

use std::path::Path;

use super::read::{parse, parse_manifest};
use super::{Config, ConfigError};
use crate::paths::repository_root;
use crate::read::{MAX_MANIFEST_BYTES, read_text};

const FILE_NAME: &str = "agentlint.toml";

/// The file that the user named; else `agentlint.toml` in `folder` or above it, as far as the repository goes; else the table in
/// the `Cargo.toml` of `folder`. `lints` are all names that may stand in `[lints]`.
pub(crate) fn find(named: Option<&Path>, folder: &Path, lints: &[String]) -> Result<Config, ConfigError> {
    if let Some(named) = named {
        return read_file(named, lints);
    }
    let last = repository_root(folder).unwrap_or(folder);
    let folders = folder.ancestors().take_while(|above| above.starts_with(last));
    if let Some(file) = folders.map(|above| above.join(FILE_NAME)).find(|file| file.is_file()) {
        return read_file(&file, lints);
    }
    let manifest = folder.join("Cargo.toml");
    match read_text(&manifest, MAX_MANIFEST_BYTES) {
        Ok(text) => parse_manifest(&text, &manifest, lints),
        Err(_) => Ok(Config::default()),
    }
}

fn read_file(file: &Path, lints: &[String]) -> Result<Config, ConfigError> {
    let text = read_text(file, MAX_MANIFEST_BYTES).map_err(|error| ConfigError {
        file: file.to_path_buf(),
        place: None,
        message: format!("cannot read the configuration: {error}"),
        help: None,
    })?;
    parse(&text, file, lints)
}
