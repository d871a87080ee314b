//! Published crates to lint: fetched once, unpacked below the target folder with their own lock files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::tool::{cargo, target};

/// Name and version.
pub(crate) const CRATES: [(&str, &str); 20] = [
    ("mini-redis", "0.4.1"),
    ("bore-cli", "0.6.0"),
    ("rathole", "0.5.0"),
    ("miniserve", "0.35.0"),
    ("teloxide", "0.17.0"),
    ("loco-rs", "1.2.0"),
    ("rig-core", "0.44.0"),
    ("trunk", "0.22.0-beta.1"),
    ("dufs", "0.47.0"),
    ("librqbit", "9.1.0"),
    ("object_store", "0.14.2"),
    // Servers that stream events, or that the lints of the service were tried on.
    ("atuin-server", "18.24.4"),
    ("claude-code-api", "0.1.3"),
    ("durable-streams-server", "0.3.0"),
    ("localgpt-server", "0.4.1"),
    ("plane", "0.5.5"),
    ("rusty-agent-server", "0.12.0"),
    ("rustypaste", "0.18.1"),
    ("shimmy", "2.6.5"),
    ("stakpak-server", "0.3.88"),
];

/// Those that are named; all where none is.
pub(crate) fn chosen(names: &[&str]) -> Result<Vec<(&'static str, &'static str)>> {
    if let Some(unknown) = names.iter().find(|name| !CRATES.iter().any(|(known, _)| known == *name)) {
        bail!("there is no crate `{unknown}` in the corpus");
    }
    Ok(CRATES.into_iter().filter(|(name, _)| names.is_empty() || names.contains(name)).collect())
}

/// The folder of a crate's source, with all its dependencies on this machine.
pub(crate) fn fetch(name: &str, version: &str) -> Result<PathBuf> {
    let folder = target()?.join("corpus").join(name);
    // Written last, so that an interrupted fetch is begun anew.
    let done = folder.join(".fetched");
    if fs::read_to_string(&done).is_ok_and(|fetched| fetched == version) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    copy(&unpacked(name, version)?, &folder)?;
    stand_alone(&folder)?;
    println!("fetching the dependencies of {name} {version}");
    let status = cargo()?.args(["fetch", "--quiet", "--locked"]).current_dir(&folder).status()?;
    ensure!(status.success(), "the dependencies of {name} {version} cannot be fetched");
    fs::write(done, version)?;
    Ok(folder)
}

/// Where cargo unpacked the crate.
fn unpacked(name: &str, version: &str) -> Result<PathBuf> {
    if let Some(folder) = in_registry(name, version)? {
        return Ok(folder);
    }
    // `cargo info` downloads what it prints about.
    let status = cargo()?
        .args(["info", "--quiet", &format!("{name}@{version}")])
        // In the workspace it would speak of the version that the workspace has.
        .current_dir(std::env::temp_dir())
        .stdout(std::process::Stdio::null())
        .status()?;
    ensure!(status.success(), "{name} {version} cannot be fetched");
    in_registry(name, version)?.with_context(|| format!("{name} {version} is not where cargo unpacks crates"))
}

fn in_registry(name: &str, version: &str) -> Result<Option<PathBuf>> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo"))).context("there is no home folder")?;
    let Ok(registries) = fs::read_dir(home.join("registry/src")) else { return Ok(None) };
    for registry in registries {
        let folder = registry?.path().join(format!("{name}-{version}"));
        if folder.join("Cargo.toml").is_file() {
            return Ok(Some(folder));
        }
    }
    Ok(None)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        // A crate's own toolchain would be downloaded by whoever runs cargo there.
        if name.to_string_lossy().starts_with("rust-toolchain") {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to.join(name))?;
        } else {
            fs::write(to.join(name), fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

/// The target folder lies in this project's workspace, which the crate must not be taken for a part of.
fn stand_alone(folder: &Path) -> Result<()> {
    let manifest = folder.join("Cargo.toml");
    let text = fs::read_to_string(&manifest)?;
    if !text.lines().any(|line| line.starts_with("[workspace")) {
        fs::write(manifest, format!("{text}\n[workspace]\n"))?;
    }
    Ok(())
}
