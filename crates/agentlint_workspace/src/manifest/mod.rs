//! Reads Cargo.toml files ourselves: to find the workspace, and in place of `cargo metadata` where that fails.

mod dependencies;
mod features;
mod locate;
mod resolve;
mod targets;
mod workspace;

use std::path::{Path, PathBuf};

use agentlint_syntax::LineIndex;
use toml::{Table, Value};

use crate::read::{MAX_MANIFEST_BYTES, read_text};
pub(crate) use resolve::{Fallback, read_project};
pub(crate) use targets::target_candidates;
pub(crate) use workspace::{Workspace, find_manifest, find_workspace};

/// A manifest that parses as TOML.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    pub(crate) path: PathBuf,
    pub(crate) table: Table,
}

/// A manifest that cannot be used: one line for people.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}{}: {cause}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub(crate) struct ManifestError {
    pub(crate) path: PathBuf,
    pub(crate) line: Option<u32>,
    pub(crate) cause: String,
}

impl Manifest {
    pub(crate) fn read(path: &Path) -> Result<Manifest, ManifestError> {
        let error = |line, cause: String| ManifestError { path: path.to_path_buf(), line, cause };
        let text = read_text(path, MAX_MANIFEST_BYTES).map_err(|cause| error(None, cause.to_string()))?;
        let table = text.parse::<Table>().map_err(|cause| {
            let line = cause.span().map(|span| LineIndex::new(&text).line(span.start as u32));
            error(line, cause.message().lines().collect::<Vec<_>>().join(", "))
        })?;
        Ok(Manifest { path: path.to_path_buf(), table })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    pub(crate) fn workspace(&self) -> Option<&Table> {
        self.table.get("workspace").and_then(Value::as_table)
    }

    pub(crate) fn package(&self) -> Option<&Table> {
        self.table.get("package").or_else(|| self.table.get("project")).and_then(Value::as_table)
    }

    pub(crate) fn package_name(&self) -> Option<&str> {
        self.package()?.get("name").and_then(Value::as_str)
    }

    /// A key of `[package]`, or of `[workspace.package]` where it says `key.workspace = true`.
    fn inherited<'a>(&'a self, key: &str, root: Option<&'a Table>) -> Option<&'a str> {
        let value = self.package()?.get(key)?;
        if value.get("workspace").and_then(Value::as_bool) == Some(true) {
            return root?.get("package")?.get(key)?.as_str();
        }
        value.as_str()
    }

    pub(crate) fn version(&self, root: Option<&Table>) -> String {
        self.inherited("version", root).unwrap_or("0.0.0").to_owned()
    }

    pub(crate) fn edition(&self, root: Option<&Table>) -> u16 {
        self.inherited("edition", root).and_then(|edition| edition.parse().ok()).unwrap_or(2015)
    }
}

/// The strings of an array at `key`; anything else counts as none.
fn strings<'a>(table: &'a Table, key: &str) -> impl Iterator<Item = &'a str> {
    table.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
