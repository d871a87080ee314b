//! Asks `cargo metadata`, in a repository that may be hostile, without running anything that the repository names.
//!
//! Cargo runs `rustc` to learn about the platform, and a repository can choose what runs there: `build.rustc`, both wrappers,
//! `[env]` (with which `LD_PRELOAD` reaches the compiler) and `rustflags` in its `.cargo/config.toml`, `rust-toolchain.toml`
//! for rustup's proxies, and programs that lie on a relative `PATH`. So cargo is started in the root folder of the disk, where
//! neither cargo nor rustup sees the repository's files; of its configuration we read ourselves what is only data (where
//! sources lie, and `--cfg`). The variables that would override are set as well: whatever one fence lets through, the other stops.

mod cache;
mod command;
pub(crate) mod configuration;

use std::path::{Path, PathBuf};
use std::time::Duration;

use cargo_metadata::MetadataCommand;

use self::command::{Cargo, Run};
use self::configuration::Configuration;
use crate::environment::Environment;
use crate::project::Project;
use crate::target_cfg::BUILT_FOR;

const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Why there is no answer; the manifests are read instead.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MetadataError {
    #[error("no cargo was found on PATH")]
    NoCargo,
    #[error("the repository is the root of the disk, where cargo would follow its configuration")]
    NoNeutralFolder,
    #[error("`cargo metadata` took longer than {} s", TIME_LIMIT.as_secs())]
    TimedOut,
    #[error("`cargo metadata` failed: {0}")]
    Failed(String),
    #[error("the answer of `cargo metadata` was not understood: {0}")]
    NotUnderstood(String),
    #[error("cannot run cargo: {0}")]
    Io(#[from] std::io::Error),
}

/// The workspace whose root manifest is `root_manifest`, from the cache where nothing has changed.
pub(crate) fn project(
    root_manifest: &Path,
    members: &[PathBuf],
    configuration: &Configuration,
    environment: &Environment,
) -> Result<Project, MetadataError> {
    let cache = cache::Cache::new(root_manifest, members, configuration, environment);
    if let Some(project) = cache.as_ref().and_then(cache::Cache::load) {
        return Ok(project);
    }
    let project = ask(root_manifest, configuration, environment)?;
    if let Some(cache) = cache {
        cache.store(&project);
    }
    Ok(project)
}

fn ask(root_manifest: &Path, configuration: &Configuration, environment: &Environment) -> Result<Project, MetadataError> {
    let folder = root_manifest.parent().unwrap_or(root_manifest);
    let boundary = crate::paths::boundary(folder);
    let scratch = tempfile::tempdir()?;
    let cargo = Cargo::find(environment, &boundary, scratch.path())?;
    let triple = cargo.host_triple().unwrap_or_else(|| BUILT_FOR.to_owned());
    let output = run_metadata(&cargo, root_manifest, &triple, configuration, scratch.path())?;
    let metadata = MetadataCommand::parse(output).map_err(|error| MetadataError::NotUnderstood(error.to_string()))?;
    Ok(Project::from_metadata(metadata, triple, configuration.cfg.clone()))
}

fn run_metadata(
    cargo: &Cargo,
    root_manifest: &Path,
    triple: &str,
    configuration: &Configuration,
    scratch: &Path,
) -> Result<String, MetadataError> {
    let mut arguments = vec!["metadata".into(), "--format-version=1".into(), "--offline".into(), "--color=never".into()];
    arguments.extend(["--filter-platform".into(), triple.into()]);
    arguments.extend(["--manifest-path".into(), root_manifest.as_os_str().to_owned()]);
    if let Some(file) = configuration.write_sources(scratch)? {
        arguments.extend(["--config".into(), file.into_os_string()]);
    }
    let lock = root_manifest.with_file_name("Cargo.lock");
    let mut locked = arguments.clone();
    locked.push("--locked".into());
    let first_failure = match lock.is_file().then(|| cargo.run(&locked, Run::Plain)).transpose()? {
        Some(Ok(output)) => return Ok(output),
        Some(Err(message)) => Some(message),
        None => None,
    };
    // Without a lock file, or with one that is out of date, cargo would write it into the user's tree. A copy elsewhere is
    // written instead, by an option that stable cargo only has when told that it is unstable.
    let copy = scratch.join("Cargo.lock");
    if lock.is_file() {
        std::fs::copy(&lock, &copy)?;
    }
    let value = toml::Value::String(copy.to_string_lossy().into_owned());
    arguments.extend(["-Zlockfile-path".into(), "--config".into(), format!("resolver.lockfile-path={value}").into()]);
    cargo.run(&arguments, Run::Unstable)?.map_err(|message| MetadataError::Failed(first_failure.unwrap_or(message)))
}
