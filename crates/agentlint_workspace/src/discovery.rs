//! What the user asked for: workspaces, packages, files of packages, and loose files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use agentlint_deploy::names::is_passed_by;
use ignore::WalkBuilder;

use crate::deploy::is_deploy_file;
use crate::error::WorkspaceError;
use crate::exclude::Excludes;
use crate::manifest::{Workspace, find_manifest, find_workspace};
use crate::paths::{display, normalize};

/// The whole request, sorted out.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    /// By root manifest.
    pub(crate) projects: BTreeMap<PathBuf, ProjectScope>,
    /// Files without any manifest above them.
    pub(crate) loose: BTreeSet<PathBuf>,
    /// Dockerfiles and the like that were named, or lie in a folder that was named and is no package.
    pub(crate) deploy: BTreeSet<PathBuf>,
    /// What was not read, one line each.
    pub(crate) notes: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct ProjectScope {
    pub(crate) workspace: Workspace,
    pub(crate) selection: Selection,
}

/// What of a workspace is reported.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    pub(crate) all: bool,
    /// Packages, by manifest.
    pub(crate) manifests: BTreeSet<PathBuf>,
    /// Single files; those that no target reaches are loose after all.
    pub(crate) files: BTreeSet<PathBuf>,
}

/// Sorts out `paths`, relative to `cwd`; none means the workspace here.
pub(crate) fn discover(paths: &[PathBuf], cwd: &Path, excludes: &Excludes) -> Result<Scope, WorkspaceError> {
    let mut discovery = Discovery { cwd, excludes, scope: Scope::default(), roots: BTreeMap::new() };
    if paths.is_empty() {
        let manifest = find_manifest(cwd).ok_or_else(|| WorkspaceError::NoManifest { folder: cwd.to_path_buf() })?;
        discovery.manifest(&manifest, true)?;
    }
    for path in paths {
        discovery.path(&normalize(&cwd.join(path)))?;
    }
    Ok(discovery.scope)
}

struct Discovery<'a> {
    cwd: &'a Path,
    excludes: &'a Excludes,
    scope: Scope,
    /// The root manifest for files below each folder that the user pointed at.
    roots: BTreeMap<PathBuf, Option<PathBuf>>,
}

impl Discovery<'_> {
    fn path(&mut self, path: &Path) -> Result<(), WorkspaceError> {
        if !path.exists() {
            return Err(WorkspaceError::NoSuchPath { path: path.to_path_buf() });
        }
        if path.is_dir() {
            let manifest = path.join("Cargo.toml");
            return if manifest.is_file() { self.manifest(&manifest, false) } else { self.folder(path) };
        }
        if path.file_name().is_some_and(|name| name == "Cargo.toml") {
            return self.manifest(path, false);
        }
        if is_deploy_file(path) {
            self.scope.deploy.insert(path.to_path_buf());
            return Ok(());
        }
        if path.extension().is_none_or(|extension| extension != "rs") {
            return Err(WorkspaceError::NotRust { path: path.to_path_buf() });
        }
        self.file(path, path.parent().unwrap_or(path));
        Ok(())
    }

    /// A workspace's own manifest selects all of it, another one its package.
    fn manifest(&mut self, manifest: &Path, everything: bool) -> Result<(), WorkspaceError> {
        let workspace = find_workspace(manifest).map_err(|error| WorkspaceError::Manifest { reason: error.to_string() })?;
        let everything = everything || (workspace.root.path == manifest && workspace.root.workspace().is_some());
        let root = self.add(workspace);
        if let Some(ProjectScope { selection, .. }) = self.scope.projects.get_mut(&root) {
            selection.all |= everything;
            selection.manifests.insert(manifest.to_path_buf());
        }
        Ok(())
    }

    /// Packages in the folder are taken whole, other files one by one.
    fn folder(&mut self, folder: &Path) -> Result<(), WorkspaceError> {
        let found = self.search(folder);
        if found.manifests.is_empty() && found.files.is_empty() && found.deploy.is_empty() {
            return Err(WorkspaceError::NoRustFiles { path: folder.to_path_buf() });
        }
        for manifest in &found.manifests {
            if let Err(error) = self.manifest(manifest, false) {
                self.scope.notes.push(format!("not read: {error}"));
            }
        }
        let packages: BTreeSet<&Path> = found.manifests.iter().filter_map(|manifest| manifest.parent()).collect();
        let is_of_package = |file: &Path| {
            let mut inside = file.ancestors().skip(1).take_while(|above| above.starts_with(folder));
            inside.any(|above| packages.contains(above))
        };
        for file in found.files.iter().filter(|file| !is_of_package(file)) {
            self.file(file, folder);
        }
        self.scope.deploy.extend(found.deploy.iter().filter(|file| !is_of_package(file)).cloned());
        Ok(())
    }

    /// `folder` is where the user pointed: no manifest below it contains the file.
    fn file(&mut self, file: &Path, folder: &Path) {
        let root = match self.roots.get(folder) {
            Some(root) => root.clone(),
            None => {
                let root = find_manifest(folder).and_then(|manifest| self.root_above(&manifest));
                self.roots.insert(folder.to_path_buf(), root.clone());
                root
            }
        };
        match root.and_then(|root| self.scope.projects.get_mut(&root)) {
            Some(project) => project.selection.files.insert(file.to_path_buf()),
            None => self.scope.loose.insert(file.to_path_buf()),
        };
    }

    /// The root manifest of the workspace of `manifest`. Files can be read without it where it is broken.
    fn root_above(&mut self, manifest: &Path) -> Option<PathBuf> {
        match find_workspace(manifest) {
            Ok(workspace) => Some(self.add(workspace)),
            Err(error) => {
                self.scope.notes.push(format!("not read: {error}; the files named are read one by one"));
                None
            }
        }
    }

    fn add(&mut self, workspace: Workspace) -> PathBuf {
        let root = workspace.root.path.clone();
        let project = self.scope.projects.entry(root.clone());
        project.or_insert_with(|| ProjectScope { workspace, selection: Selection::default() });
        root
    }

    fn search(&mut self, folder: &Path) -> Found {
        let mut found = Found::default();
        // Links are not followed: a loop has no end, and what they lead to is somebody else's.
        let walk = WalkBuilder::new(folder).require_git(false).filter_entry(|entry| entry.file_name() != "target").build();
        for entry in walk {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.scope.notes.push(format!("not read: {}", shown(&error, self.cwd)));
                    continue;
                }
            };
            let path = normalize(entry.path());
            if entry.file_type().is_none_or(|kind| kind.is_dir()) || self.excludes.matches(&path) {
                continue;
            }
            if entry.file_name() == "Cargo.toml" {
                found.manifests.insert(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.files.insert(path);
            } else if is_deploy_file(&path) && !path.strip_prefix(folder).is_ok_and(lies_in_passed_folder) {
                found.deploy.insert(path);
            }
        }
        found
    }
}

#[derive(Default)]
struct Found {
    manifests: BTreeSet<PathBuf>,
    files: BTreeSet<PathBuf>,
    deploy: BTreeSet<PathBuf>,
}

fn lies_in_passed_folder(below: &Path) -> bool {
    below.parent().is_some_and(|folders| folders.iter().any(|folder| folder.to_str().is_none_or(is_passed_by)))
}

fn shown(error: &ignore::Error, cwd: &Path) -> String {
    match error {
        ignore::Error::WithPath { path, err } => format!("{}: {err}", display(path, cwd)),
        ignore::Error::WithDepth { err, .. } => shown(err, cwd),
        other => other.to_string(),
    }
}
