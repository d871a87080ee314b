//! Loads the workspaces of a scope, and finds out which targets contain the single files that the user named.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashSet;

use crate::cargo::{self, configuration::Configuration};
use crate::discovery::{ProjectScope, Selection};
use crate::environment::Environment;
use crate::error::WorkspaceError;
use crate::graph::{Chosen, build};
use crate::load::{prefetch, reached_files};
use crate::manifest::{Fallback, Workspace, read_project};
use crate::open::Request;
use crate::paths::display;
use crate::project::{Origin, Project};
use crate::sources::Sources;

/// A workspace with its dependencies, and what of it was asked for.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) project: Project,
    pub(crate) selection: Selection,
    pub(crate) all_targets: bool,
    /// The selected files that its targets contain, links resolved.
    files: FxHashSet<PathBuf>,
}

impl Loaded {
    /// Whether the file was named by itself.
    pub(crate) fn contains(&self, file: &Path) -> bool {
        !self.files.is_empty() && file.canonicalize().is_ok_and(|real| self.files.contains(&real))
    }
}

/// Asks cargo for each workspace, and reads the manifests where it does not answer. `notes` says what was not read.
pub(crate) fn load_projects(
    scopes: Vec<ProjectScope>,
    request: &Request,
    notes: &mut Vec<String>,
) -> Result<Vec<Loaded>, WorkspaceError> {
    let mut loaded = Vec::new();
    for ProjectScope { workspace, mut selection } in scopes {
        let project = load_project(&workspace, request, notes);
        // A package may lie below a workspace that does not list it; cargo refuses it, but its code can be read.
        let listed: FxHashSet<&Path> = project.local_manifests().collect();
        let strangers: Vec<PathBuf> =
            selection.manifests.iter().filter(|path| !listed.contains(path.as_path())).cloned().collect();
        if !selection.all {
            for stranger in strangers {
                selection.manifests.remove(&stranger);
                let Ok(alone) = Workspace::alone(&stranger) else { continue };
                let project = load_project(&alone, request, notes);
                loaded.push(Loaded::new(project, Selection { all: true, ..Selection::default() }, request));
            }
        }
        if selection.all || !selection.manifests.is_empty() || !selection.files.is_empty() {
            loaded.push(Loaded::new(project, selection, request));
        }
    }
    if loaded.iter().all(|loaded| loaded.project.packages.is_empty() && loaded.selection.files.is_empty()) && !loaded.is_empty() {
        return Err(WorkspaceError::NothingToRead { notes: notes.join("; ") });
    }
    Ok(loaded)
}

impl Loaded {
    fn new(project: Project, selection: Selection, request: &Request) -> Loaded {
        Loaded { project, selection, all_targets: request.all_targets, files: FxHashSet::default() }
    }
}

fn load_project(workspace: &Workspace, request: &Request, notes: &mut Vec<String>) -> Project {
    let environment: &Environment = &request.environment;
    let configuration = Configuration::read(workspace.root.folder(), environment);
    match cargo::project(&workspace.root.path, &workspace.members, &configuration, environment) {
        Ok(project) => project,
        Err(error) => {
            let fallback = read_project(workspace, &configuration, environment);
            tell(&fallback, &error.to_string(), &request.cwd, notes);
            fallback.project
        }
    }
}

/// One line for each broken manifest, one for the dependencies.
fn tell(fallback: &Fallback, reason: &str, cwd: &Path, notes: &mut Vec<String>) {
    const MOST_NAMES: usize = 6;
    for error in &fallback.errors {
        let place = display(&error.path, cwd);
        let line = error.line.map(|line| format!(":{line}")).unwrap_or_default();
        notes.push(format!("{place}{line}: {}; this package was not read", error.cause));
    }
    let mut note = format!("{reason}; the manifests were read instead");
    if !fallback.has_lock {
        note.push_str(", and versions guessed for want of a lock file");
    }
    if !fallback.missing.is_empty() {
        let names: Vec<&str> = fallback.missing.iter().take(MOST_NAMES).map(String::as_str).collect();
        let more = fallback.missing.len().saturating_sub(MOST_NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        note.push_str(&format!("; not seen: {}{more}; `cargo fetch` would let the run see them", names.join(", ")));
    }
    notes.push(note);
}

/// Sorts the files that were named by themselves: those that a target reaches stay with their package, and bring in its tests
/// where only these reach them; the others become loose.
pub(crate) fn place_files(loaded: &mut Vec<Loaded>, sources: &Sources, loose: &mut BTreeSet<PathBuf>) {
    for loaded in &mut *loaded {
        let mut left: Vec<(PathBuf, PathBuf)> = std::mem::take(&mut loaded.selection.files)
            .into_iter()
            .map(|file| (file.canonicalize().unwrap_or_else(|_| file.clone()), file))
            .collect();
        for all_targets in [loaded.all_targets, true] {
            if left.is_empty() || (all_targets != loaded.all_targets && loaded.all_targets) {
                break;
            }
            let reached = reached_by_packages(&loaded.project, all_targets, &left, sources);
            let before = left.len();
            left.retain(|(real, _)| {
                let is_reached = reached.contains(real);
                if is_reached {
                    loaded.files.insert(real.clone());
                }
                !is_reached
            });
            loaded.all_targets |= all_targets && left.len() < before;
        }
        loose.extend(left.into_iter().map(|(_, file)| file));
    }
    // A workspace that turned out to contain none of the files has nothing to say.
    loaded.retain(|loaded| loaded.selection.all || !loaded.selection.manifests.is_empty() || !loaded.files.is_empty());
}

/// What the targets reach of those packages that have one of `files` in their folder.
fn reached_by_packages(
    project: &Project,
    all_targets: bool,
    files: &[(PathBuf, PathBuf)],
    sources: &Sources,
) -> FxHashSet<PathBuf> {
    let built = build(&[Chosen { project, all_targets }], &[], all_targets);
    let crates = built.sources.iter_enumerated().filter(|(id, _)| {
        built.owners[*id].is_some_and(|(_, package)| {
            let package = &project.packages[package];
            package.origin == Origin::Member && files.iter().any(|(_, file)| file.starts_with(package.folder()))
        })
    });
    let crates: Vec<_> = crates.map(|(_, source)| source).collect();
    prefetch(sources, crates.iter().copied());
    crates.into_iter().flat_map(|source| reached_files(sources, source)).collect()
}
