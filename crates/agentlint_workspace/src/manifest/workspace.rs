//! Which workspace a package belongs to, and which packages a workspace has.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use globset::GlobBuilder;
use toml::{Table, Value};

use super::{Manifest, ManifestError, strings};
use crate::paths::normalize;

/// A root manifest and the manifests that its globs name.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: Manifest,
    /// Absolute paths, sorted; the root's own among them where it is a package. They need not parse.
    pub(crate) members: Vec<PathBuf>,
}

/// The nearest `Cargo.toml` at or above `folder`.
pub(crate) fn find_manifest(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().map(|above| above.join("Cargo.toml")).find(|manifest| manifest.is_file())
}

/// The workspace that `manifest` belongs to: its own where no other claims it.
pub(crate) fn find_workspace(manifest: &Path) -> Result<Workspace, ManifestError> {
    let own = Manifest::read(manifest);
    if let Ok(own) = &own {
        if own.workspace().is_some() {
            return Ok(Workspace::of(own.clone()));
        }
        if let Some(pointer) = own.package().and_then(|package| package.get("workspace")).and_then(Value::as_str) {
            return Manifest::read(&normalize(&own.folder().join(pointer).join("Cargo.toml"))).map(Workspace::of);
        }
    }
    let folder = manifest.parent().unwrap_or(manifest);
    for above in folder.ancestors().skip(1) {
        let candidate = above.join("Cargo.toml");
        // A broken manifest further up cannot claim anything.
        let Ok(root) = Manifest::read(&candidate) else { continue };
        let Some(workspace) = root.workspace() else { continue };
        if is_excluded(workspace, above, folder) {
            break;
        }
        return Ok(Workspace::of(root));
    }
    own.map(Workspace::of)
}

impl Workspace {
    /// A package by itself, whatever lies above it.
    pub(crate) fn alone(manifest: &Path) -> Result<Workspace, ManifestError> {
        Manifest::read(manifest).map(Workspace::of)
    }

    fn of(root: Manifest) -> Workspace {
        let mut found: BTreeMap<PathBuf, ()> = BTreeMap::new();
        if root.package().is_some() {
            found.insert(root.path.clone(), ());
        }
        if let Some(workspace) = root.workspace() {
            for pattern in strings(workspace, "members") {
                for folder in expand(root.folder(), pattern) {
                    let manifest = folder.join("Cargo.toml");
                    if manifest.is_file() && !is_excluded(workspace, root.folder(), &folder) {
                        found.insert(manifest, ());
                    }
                }
            }
        }
        Workspace { members: found.into_keys().collect(), root }
    }

    /// Whether a path dependency in `folder` is a member without being listed.
    pub(super) fn claims(&self, folder: &Path) -> bool {
        let root = self.root.folder();
        self.root.workspace().is_some_and(|workspace| folder.starts_with(root) && !is_excluded(workspace, root, folder))
    }
}

/// An explicit member stays one although it lies in an excluded folder.
fn is_excluded(workspace: &Table, root: &Path, folder: &Path) -> bool {
    let excluded = strings(workspace, "exclude").any(|excluded| folder.starts_with(normalize(&root.join(excluded))));
    excluded && !strings(workspace, "members").any(|member| folder == normalize(&root.join(member)))
}

/// The folders that a member pattern names; only its parts with wildcards are searched.
fn expand(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut folders = vec![root.to_path_buf()];
    for component in Path::new(pattern).components() {
        let Component::Normal(part) = component else {
            folders.iter_mut().for_each(|folder| *folder = normalize(&folder.join(component)));
            continue;
        };
        let part = part.to_string_lossy();
        folders = match part.as_ref() {
            "**" => folders.into_iter().flat_map(|folder| below(&folder)).collect(),
            plain if !plain.contains(['*', '?', '[']) => folders.into_iter().map(|folder| folder.join(plain)).collect(),
            wild => folders.iter().flat_map(|folder| matching(folder, wild)).collect(),
        };
    }
    folders
}

fn matching(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let Ok(glob) = GlobBuilder::new(pattern).literal_separator(true).build() else { return Vec::new() };
    let matcher = glob.compile_matcher();
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| matcher.is_match(entry.file_name())).map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// `folder` and every folder in it, without following links and without what is never a member.
fn below(folder: &Path) -> Vec<PathBuf> {
    let walk = ignore::WalkBuilder::new(folder)
        .standard_filters(false)
        .hidden(true)
        .filter_entry(|entry| entry.file_name() != "target")
        .build();
    walk.flatten().filter(|entry| entry.file_type().is_some_and(|kind| kind.is_dir())).map(|entry| entry.into_path()).collect()
}
