//! Keeps the answer of `cargo metadata` in the user's cache, for as long as nothing that it depends on has changed.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::configuration::Configuration;
use crate::atomic_write::atomic_write;
use crate::environment::Environment;
use crate::project::Project;
use crate::read::{MAX_MANIFEST_BYTES, read_text};

const FORM: &str = concat!("agentlint ", env!("CARGO_PKG_VERSION"), " form 1");
const MAX_CACHE_BYTES: u64 = 256 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Cache<'a> {
    file: PathBuf,
    root_manifest: &'a Path,
    members: &'a [PathBuf],
    configuration: &'a Configuration,
}

#[derive(Serialize, Deserialize)]
struct Kept<P> {
    fingerprint: String,
    project: P,
}

impl<'a> Cache<'a> {
    /// `None` where the user has no cache folder. `members` are the manifests that the root manifest's globs name now.
    pub(super) fn new(
        root_manifest: &'a Path,
        members: &'a [PathBuf],
        configuration: &'a Configuration,
        environment: &Environment,
    ) -> Option<Cache<'a>> {
        let mut hasher = Fingerprint::new();
        hasher.add(root_manifest);
        hasher.add(&environment.cargo_home);
        hasher.add(&environment.rustup_toolchain);
        let file = environment.cache.as_ref()?.join("metadata").join(format!("{}.json", hasher.finish()));
        Some(Cache { file, root_manifest, members, configuration })
    }

    /// A damaged or outdated file counts as none.
    pub(super) fn load(&self) -> Option<Project> {
        let text = read_text(&self.file, MAX_CACHE_BYTES).ok()?;
        let kept: Kept<Project> = serde_json::from_str(&text).ok()?;
        (kept.fingerprint == self.fingerprint(&kept.project)).then_some(kept.project)
    }

    /// A cache that cannot be written costs time, not the run.
    pub(super) fn store(&self, project: &Project) {
        let kept = Kept { fingerprint: self.fingerprint(project), project };
        let Some(folder) = self.file.parent() else { return };
        if std::fs::create_dir_all(folder).is_ok()
            && let Ok(bytes) = serde_json::to_vec(&kept)
        {
            let _ = atomic_write(&self.file, &bytes);
        }
    }

    /// Of everything that the answer depends on: all local manifests, the files that targets are discovered from, the lock file
    /// and cargo's configuration.
    fn fingerprint(&self, project: &Project) -> String {
        let mut hash = Fingerprint::new();
        hash.add(&self.configuration.texts);
        hash.add(&self.configuration.cfg);
        let locals = project.local_manifests().chain(self.members.iter().map(PathBuf::as_path));
        let manifests: BTreeSet<&Path> = locals.chain([self.root_manifest]).collect();
        for manifest in manifests {
            hash.add(manifest);
            hash.add(read_text(manifest, MAX_MANIFEST_BYTES).ok());
            if let Some(folder) = manifest.parent() {
                crate::manifest::target_candidates(folder).for_each(|file| hash.add(file));
            }
        }
        hash.add(read_text(&self.root_manifest.with_file_name("Cargo.lock"), MAX_MANIFEST_BYTES).ok());
        hash.finish()
    }
}

/// Two hashes side by side: 128 bits, which do not collide by chance.
struct Fingerprint(DefaultHasher, DefaultHasher);

impl Fingerprint {
    fn new() -> Fingerprint {
        let (mut first, mut second) = (DefaultHasher::new(), DefaultHasher::new());
        FORM.hash(&mut first);
        (FORM, "second").hash(&mut second);
        Fingerprint(first, second)
    }

    fn add(&mut self, value: impl Hash) {
        value.hash(&mut self.0);
        value.hash(&mut self.1);
    }

    fn finish(&self) -> String {
        format!("{:016x}{:016x}", self.0.finish(), self.1.finish())
    }
}
