//! The catalog as it is written: tables of sinks, offloads, trusted insides and clients.

use agentlint_diagnostics::Confidence;
use serde::Deserialize;

use crate::Effect;

/// Entries of one or more catalog files.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    #[serde(default, rename = "sink")]
    pub sinks: Vec<Sink>,
    #[serde(default, rename = "offload")]
    pub offloads: Vec<Offload>,
    #[serde(default)]
    pub trusted: Vec<Trusted>,
    #[serde(default, rename = "client")]
    pub clients: Vec<Client>,
    #[serde(default, rename = "wrapper")]
    pub wrappers: Vec<Trusted>,
    #[serde(default)]
    pub uses_io: Vec<UsesIo>,
    #[serde(default, rename = "guard")]
    pub guards: Vec<Guard>,
}

/// What an entry is about: see `lints/catalog/README.md`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Subject {
    pub path: Option<String>,
    #[serde(default)]
    pub paths: Vec<String>,
    #[serde(default)]
    pub types: Vec<String>,
    #[serde(rename = "trait")]
    pub trait_path: Option<String>,
    #[serde(default)]
    pub methods: Vec<String>,
    pub version: Option<String>,
}

impl Subject {
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.path.iter().chain(&self.paths).map(String::as_str)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    Certain,
    Likely,
    Possible,
}

impl From<Certainty> for Confidence {
    fn from(certainty: Certainty) -> Confidence {
        match certainty {
            Certainty::Certain => Confidence::Certain,
            Certainty::Likely => Confidence::Likely,
            Certainty::Possible => Confidence::Possible,
        }
    }
}

fn certain() -> Certainty {
    Certainty::Certain
}

#[derive(Clone, Debug, Deserialize)]
pub struct Sink {
    #[serde(flatten)]
    pub subject: Subject,
    pub effect: Effect,
    #[serde(default = "certain")]
    pub confidence: Certainty,
    #[serde(default)]
    pub instead: String,
    #[serde(default)]
    pub does: String,
    #[serde(default)]
    pub panics: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Offload {
    #[serde(flatten)]
    pub subject: Subject,
    #[serde(default)]
    pub argument: usize,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Trusted {
    #[serde(flatten)]
    pub subject: Subject,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Client {
    #[serde(flatten)]
    pub subject: Subject,
    #[serde(default)]
    pub blocking: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub struct UsesIo {
    #[serde(flatten)]
    pub subject: Subject,
    #[serde(default)]
    pub arguments: Vec<usize>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Guard {
    #[serde(flatten)]
    pub subject: Subject,
    pub kind: GuardKind,
}

/// What holding a guard means to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardKind {
    /// Others wait for it.
    Lock,
    /// Others panic.
    Refcell,
}

/// A catalog file that cannot be read.
#[derive(Clone, Debug)]
pub struct CatalogError {
    pub file: String,
    pub message: String,
}

impl std::fmt::Display for CatalogError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.file, self.message)
    }
}

impl std::error::Error for CatalogError {}

impl Catalog {
    /// Reads the text of one file. The error names it.
    pub fn parse(file: &str, text: &str) -> Result<Catalog, CatalogError> {
        toml::from_str(text).map_err(|error| CatalogError { file: file.to_owned(), message: error.to_string() })
    }

    pub fn extend(&mut self, other: Catalog) {
        self.sinks.extend(other.sinks);
        self.offloads.extend(other.offloads);
        self.trusted.extend(other.trusted);
        self.clients.extend(other.clients);
        self.wrappers.extend(other.wrappers);
        self.uses_io.extend(other.uses_io);
        self.guards.extend(other.guards);
    }
}
