//! Finds the sources of packages that cargo has downloaded before, by the lock file where there is one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use semver::Version;
use toml::{Table, Value};

use super::dependencies::Spec;
use crate::read::{MAX_MANIFEST_BYTES, read_text};

/// A package of the lock file.
#[derive(Debug)]
pub(super) struct Locked {
    pub(super) name: String,
    pub(super) version: String,
    /// `name`, `name version` or `name version (source)`
    dependencies: Vec<String>,
    /// The commit, of a git dependency.
    commit: Option<String>,
}

/// Where packages may lie.
#[derive(Debug)]
pub(super) struct Sources {
    locked: Vec<Locked>,
    /// `~/.cargo/registry/src/*` and vendored folders.
    folders: Vec<PathBuf>,
    /// `~/.cargo/git/checkouts`
    checkouts: Option<PathBuf>,
    /// Versions by name, read from the folders' names.
    downloaded: HashMap<String, Vec<(Version, PathBuf)>>,
}

impl Sources {
    pub(super) fn read(root: &Path, cargo_home: Option<&Path>, vendored: &[PathBuf]) -> Sources {
        let registries = cargo_home.map(|home| home.join("registry/src"));
        let mut folders: Vec<PathBuf> = registries.iter().flat_map(|registries| sorted_entries(registries)).collect();
        folders.extend_from_slice(vendored);
        let mut downloaded: HashMap<String, Vec<(Version, PathBuf)>> = HashMap::new();
        for path in folders.iter().flat_map(|folder| sorted_entries(folder)) {
            let Some((name, version)) = path.file_name().and_then(|name| name.to_str()).and_then(split_version) else { continue };
            downloaded.entry(name.to_owned()).or_default().push((version, path.clone()));
        }
        Sources {
            locked: read_lock(&root.join("Cargo.lock")).unwrap_or_default(),
            folders,
            checkouts: cargo_home.map(|home| home.join("git/checkouts")),
            downloaded,
        }
    }

    pub(super) fn has_lock(&self) -> bool {
        !self.locked.is_empty()
    }

    /// The version that the lock file chose for a dependency of the package `owner`.
    pub(super) fn locked(&self, owner: (&str, &str), spec: &Spec) -> Option<&Locked> {
        let fits = |locked: &&Locked| {
            let version = Version::parse(&locked.version).ok();
            locked.name == spec.package
                && spec.requirement.as_ref().zip(version).is_none_or(|(requirement, version)| requirement.matches(&version))
        };
        let names = self.locked.iter().find(|locked| (locked.name.as_str(), locked.version.as_str()) == owner);
        let listed = names.into_iter().flat_map(|locked| &locked.dependencies).find_map(|line| {
            let mut words = line.split(' ');
            let (name, version) = (words.next()?, words.next());
            let named = |locked: &&Locked| locked.name == name && version.is_none_or(|version| version == locked.version);
            self.locked.iter().filter(fits).find(named)
        });
        // A manifest that has changed since is not in the lock file as it is now.
        listed.or_else(|| self.locked.iter().rfind(fits))
    }

    /// The folder of a locked package's sources.
    pub(super) fn folder_of(&self, locked: &Locked) -> Option<PathBuf> {
        if let Some(commit) = &locked.commit {
            return self.checkout(&locked.name, commit);
        }
        let versioned = format!("{}-{}", locked.name, locked.version);
        let found = self.folders.iter().map(|folder| folder.join(&versioned)).find(|folder| folder.join("Cargo.toml").is_file());
        found.or_else(|| self.vendored_without_version(locked))
    }

    /// `cargo vendor` leaves the version out of a folder's name where there is only one.
    fn vendored_without_version(&self, locked: &Locked) -> Option<PathBuf> {
        let folders = self.folders.iter().map(|folder| folder.join(&locked.name));
        let named = folders.filter(|folder| folder.join("Cargo.toml").is_file());
        named.into_iter().find(|folder| {
            super::Manifest::read(&folder.join("Cargo.toml")).is_ok_and(|manifest| manifest.version(None) == locked.version)
        })
    }

    /// The newest download that fits: what is left where no lock file speaks.
    pub(super) fn newest(&self, spec: &Spec) -> Option<(String, PathBuf)> {
        let fits = |version: &Version| spec.requirement.as_ref().is_none_or(|requirement| requirement.matches(version));
        let versions = self.downloaded.get(&spec.package)?.iter().filter(|(version, _)| fits(version));
        versions.max_by(|left, right| left.0.cmp(&right.0)).map(|(version, path)| (version.to_string(), path.clone()))
    }

    fn checkout(&self, name: &str, commit: &str) -> Option<PathBuf> {
        const DEEPEST: usize = 4;
        let short = commit.get(..7)?;
        let repositories = sorted_entries(self.checkouts.as_deref()?);
        let checkouts = repositories.into_iter().map(|repository| repository.join(short)).filter(|checkout| checkout.is_dir());
        checkouts.into_iter().find_map(|checkout| {
            let walk = ignore::WalkBuilder::new(checkout).standard_filters(false).max_depth(Some(DEEPEST)).build();
            let manifests = walk.flatten().filter(|entry| entry.file_name() == "Cargo.toml").map(|entry| entry.into_path());
            let named = |path: &PathBuf| super::Manifest::read(path).is_ok_and(|manifest| manifest.package_name() == Some(name));
            manifests.into_iter().find(named).and_then(|manifest| manifest.parent().map(Path::to_path_buf))
        })
    }
}

fn read_lock(path: &Path) -> Option<Vec<Locked>> {
    let table: Table = read_text(path, MAX_MANIFEST_BYTES).ok()?.parse().ok()?;
    let packages = table.get("package")?.as_array()?.iter().filter_map(Value::as_table);
    let text = |table: &Table, key: &str| table.get(key).and_then(Value::as_str).map(str::to_owned);
    let locked = packages.filter_map(|package| {
        let source = text(package, "source").unwrap_or_default();
        Some(Locked {
            name: text(package, "name")?,
            version: text(package, "version")?,
            dependencies: super::strings(package, "dependencies").map(str::to_owned).collect(),
            commit: source.strip_prefix("git+").and_then(|source| source.rsplit_once('#')).map(|(_, commit)| commit.to_owned()),
        })
    });
    Some(locked.collect())
}

/// `tokio-util-0.7.1` is `tokio-util` and `0.7.1`.
fn split_version(folder: &str) -> Option<(&str, Version)> {
    let dashes = folder.match_indices('-').filter(|(at, _)| folder[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
    dashes.into_iter().find_map(|(at, _)| Some((&folder[..at], Version::parse(&folder[at + 1..]).ok()?)))
}

fn sorted_entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_split_into_name_and_version() {
        assert_eq!(split_version("tokio-util-0.7.1"), Some(("tokio-util", Version::new(0, 7, 1))));
        assert_eq!(split_version("base-64-1.0.0").map(|(name, _)| name), Some("base-64"));
        assert_eq!(split_version("serde"), None);
    }
}
