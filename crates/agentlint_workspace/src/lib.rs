//! All that touches the disk: cargo metadata, discovery, configuration, the crate graph and the files behind it.
//!
//! [`open`] turns a [`Request`] into what analysis needs. Nothing here executes what a repository names, writes into the user's
//! tree or touches the network; what cannot be read is told of, and the rest goes on.

mod atomic_write;
mod cargo;
mod config;
mod deploy;
mod discovery;
mod environment;
mod error;
mod exclude;
mod graph;
mod load;
mod loose;
mod manifest;
mod open;
mod paths;
mod project;
mod read;
mod select;
mod sources;
mod target_cfg;

#[cfg(test)]
mod tests;

pub use atomic_write::atomic_write;
pub use config::{CatalogEntry, CatalogKind, Config, ConfigError, LevelEntry, Place, parse as parse_config};
pub use environment::Environment;
pub use error::WorkspaceError;
pub use load::{DiskLoader, SummaryFiles};
pub use open::{OnFirstReading, Opened, Request, RunReport, open};
pub use sources::Sources;
