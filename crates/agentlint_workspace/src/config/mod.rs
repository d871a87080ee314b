//! The user's configuration: `agentlint.toml`, or a table of the root manifest.

mod find;
mod read;

use std::path::PathBuf;

use agentlint_diagnostics::{Confidence, Level, RolePolicy};

pub(crate) use find::find;
pub use read::parse;

/// What the configuration says. Without one, all is empty.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The file that it was read from.
    pub file: Option<PathBuf>,
    /// `[lints]`: lints and groups, in the order of the file.
    pub levels: Vec<LevelEntry>,
    /// Patterns relative to the file's folder.
    pub exclude: Vec<String>,
    /// The lowest level that fails the run.
    pub fail_on: Option<Level>,
    /// Findings that are less sure are hidden.
    pub confidence: Option<Confidence>,
    /// `[roles]`: what is reported in start-up code and in tests.
    pub roles: RolePolicy,
    /// Additions to the catalog, in the order of the file.
    pub catalog: Vec<CatalogEntry>,
}

/// `blocking_fs = "deny"`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelEntry {
    /// A lint's id or a group's name.
    pub name: String,
    pub level: Level,
    pub place: Place,
}

/// One `[[sink]]`, `[[offload]]`, `[[trusted]]` or `[[client]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogEntry {
    pub kind: CatalogKind,
    /// The public path: `my_crate::db::query`.
    pub path: String,
    /// Of a sink: `sleep`, `fs`, ….
    pub effect: Option<String>,
    pub confidence: Option<Confidence>,
    /// What to call instead.
    pub instead: Option<String>,
    /// Of a sink: whether it panics in async code.
    pub panics: Option<bool>,
    /// Of an offload: which argument runs elsewhere, from 0, the receiver not counted.
    pub argument: Option<u32>,
    /// That of its header.
    pub place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CatalogKind {
    Sink,
    Offload,
    Trusted,
    Client,
}

impl CatalogKind {
    pub const ALL: [CatalogKind; 4] = [CatalogKind::Sink, CatalogKind::Offload, CatalogKind::Trusted, CatalogKind::Client];

    /// The name of its table.
    pub fn name(self) -> &'static str {
        match self {
            CatalogKind::Sink => "sink",
            CatalogKind::Offload => "offload",
            CatalogKind::Trusted => "trusted",
            CatalogKind::Client => "client",
        }
    }
}

/// Both 1-based, the column in UTF-8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub line: u32,
    pub column: u32,
}

/// What is wrong with a configuration, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {message}{}", file.display(), place.map(|place| format!(":{}:{}", place.line, place.column)).unwrap_or_default(),
    help.as_ref().map(|help| format!("; {help}")).unwrap_or_default())]
pub struct ConfigError {
    pub file: PathBuf,
    pub place: Option<Place>,
    pub message: String,
    /// The way out: "did you mean `exclude`?"
    pub help: Option<String>,
}
