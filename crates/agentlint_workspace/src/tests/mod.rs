//! Trees of files on the disk, opened as a run would open them.

mod caching;
mod configuration;
mod fallback;
mod hostile;
mod module_tree;
mod scopes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use agentlint_semantic::input::Loader;

use crate::{Environment, Opened, Request, WorkspaceError, open};

/// A folder that is gone after the test, with a cache and a cargo home of its own.
pub(super) struct Tree {
    folder: tempfile::TempDir,
    cache: tempfile::TempDir,
}

impl Tree {
    /// `files` are paths and texts.
    pub(super) fn new(files: &[(&str, &str)]) -> Tree {
        let tree = Tree { folder: tempfile::tempdir().unwrap(), cache: tempfile::tempdir().unwrap() };
        files.iter().for_each(|(path, text)| tree.write(path, text));
        tree
    }

    pub(super) fn write(&self, path: &str, contents: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, contents).unwrap();
    }

    pub(super) fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    pub(super) fn cache(&self) -> &Path {
        self.cache.path()
    }

    pub(super) fn request(&self, paths: &[&str]) -> Request {
        let environment = Environment {
            cache: Some(self.cache.path().join("cache")),
            cargo_home: Some(self.cache.path().join("cargo-home")),
            ..Environment::of_process()
        };
        Request { paths: paths.iter().map(PathBuf::from).collect(), environment, ..Request::new(self.root()) }
    }

    pub(super) fn open(&self, paths: &[&str]) -> Opened {
        self.try_open(paths).unwrap()
    }

    pub(super) fn try_open(&self, paths: &[&str]) -> Result<Opened, WorkspaceError> {
        open(self.request(paths))
    }

    /// Every file and folder with its contents.
    pub(super) fn listing(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let walk = walk(self.folder.path());
        walk.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap_or_default())).collect()
    }
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        found.push(entry.path());
        if entry.file_type().unwrap().is_dir() {
            found.extend(walk(&entry.path()));
        }
    }
    found
}

/// The crates of a run, one line each: name, kind, member or not, and the names that it knows others by.
pub(super) fn crates(opened: &Opened) -> Vec<String> {
    let nodes = opened.graph.crates.iter();
    nodes
        .map(|node| {
            let known: Vec<&str> = node.dependencies.iter().map(|(name, _)| name.as_str()).collect();
            let member = if node.is_member { "" } else { "-" };
            format!("{member}{} {:?} [{}]", node.name, node.kind, known.join(" "))
        })
        .collect()
}

/// The files of the crate with this name and all others of it, as they are shown, sorted.
pub(super) fn files(opened: &Opened, name: &str) -> Vec<String> {
    let ids = opened.graph.crates.iter_enumerated().filter(|(_, node)| node.name == name).map(|(id, _)| id);
    let files = ids.filter_map(|id| opened.loader.load(id)).flat_map(|files| files.facts.keys().copied().collect::<Vec<_>>());
    let mut files: Vec<String> = files.map(|file| opened.loader.sources().display_path(file).unwrap().to_string()).collect();
    files.sort();
    files.dedup();
    files
}

/// The files whose findings are asked for, as they are shown, sorted.
pub(super) fn reported(opened: &Opened) -> Option<Vec<String>> {
    let only = opened.report_only.as_ref()?;
    let mut files: Vec<String> =
        only.iter().map(|file| opened.loader.sources().display_path(*file).unwrap().to_string()).collect();
    files.sort();
    Some(files)
}

/// The findings of the run itself: lint, place and text.
pub(super) fn problems(opened: &Opened) -> Vec<String> {
    let shown = opened.diagnostics.iter().map(|diagnostic| {
        let file = opened.loader.sources().display_path(diagnostic.primary.location.file).unwrap();
        format!("{file}: {}: {}", diagnostic.lint, diagnostic.message)
    });
    shown.collect()
}
