//! Finds and reads what stands beside the Rust code and starts it: Dockerfiles, compose files, Procfiles, and their scripts.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agentlint_deploy::names::{FileKind, is_passed_by};
use agentlint_deploy::{FileNumber, Project, Text};
use agentlint_diagnostics::FileId;
use ignore::WalkBuilder;
use rustc_hash::FxHashSet;

use crate::exclude::Excludes;
use crate::paths::{lies_in, normalize, repository_root};
use crate::project::Origin;
use crate::read::read_text;
use crate::select::Loaded;
use crate::sources::Sources;

/// Files deeper than this below the project's root and below the folder of each package are not looked for.
const DEEPEST: usize = 3;
/// A project with more of them is no project that somebody deploys.
const MOST_FILES: usize = 1_000;
const MAX_BYTES: u64 = 512 * 1024;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Deploy {
    pub(crate) project: Project,
    /// The files that were looked for; scripts among them.
    pub(crate) files: Vec<FileId>,
    /// The analysis of these panicked.
    pub(crate) broken: Vec<FileId>,
}

/// Files by the root of the project that they belong to.
pub(crate) type DeployFiles = BTreeMap<PathBuf, BTreeSet<PathBuf>>;

/// The files of the selected packages and projects, and those that were `named` by themselves.
pub(crate) fn find_deploy(loaded: &[Loaded], named: &BTreeSet<PathBuf>) -> DeployFiles {
    let mut by_root = DeployFiles::new();
    for loaded in loaded {
        let found = below_project(loaded);
        by_root.entry(loaded.project.root.clone()).or_default().extend(found);
    }
    for file in named {
        let folder = file.parent().unwrap_or(file);
        let root = loaded.iter().map(|loaded| loaded.project.root.as_path()).find(|root| file.starts_with(root));
        let root = root.or_else(|| repository_root(folder)).unwrap_or(folder);
        by_root.entry(root.to_path_buf()).or_default().insert(file.clone());
    }
    by_root
}

pub(crate) fn read_deploy(found: DeployFiles, sources: &Sources, excludes: &Excludes) -> Deploy {
    let mut deploy = Deploy::default();
    for (root, files) in found {
        let reader = Reader { root: root.canonicalize().unwrap_or_else(|_| root.clone()), sources, excludes };
        let texts: Vec<Text> = files.iter().take(MOST_FILES).filter_map(|path| reader.read(path)).collect();
        if texts.is_empty() {
            continue;
        }
        let mut scripts = Vec::new();
        let mut find = |path: &str| {
            let text = reader.read(Path::new(path))?;
            scripts.push(FileId(text.file.0));
            Some(text)
        };
        // A fault of a parser costs these files, not the run.
        match catch_unwind(AssertUnwindSafe(|| Project::new(&texts, &shown(&root), &mut find))) {
            Ok(project) => deploy.add(project),
            Err(_) => deploy.broken.extend(texts.first().map(|text| FileId(text.file.0))),
        }
        deploy.files.extend(texts.iter().map(|text| FileId(text.file.0)).chain(scripts));
    }
    deploy.files.sort();
    deploy.files.dedup();
    deploy
}

impl Deploy {
    fn add(&mut self, project: Project) {
        let Project { files, images, services, processes, not_understood } = project;
        self.project.files.extend(files);
        self.project.images.extend(images);
        self.project.services.extend(services);
        self.project.processes.extend(processes);
        self.project.not_understood.extend(not_understood);
    }
}

/// Those that are not ignored, in folders that are neither somebody else's nor meant for tests.
fn below_project(loaded: &Loaded) -> BTreeSet<PathBuf> {
    let selection = &loaded.selection;
    let members = loaded.project.packages.iter().filter(|package| package.origin == Origin::Member);
    let wanted = members.filter(|package| selection.all || selection.manifests.contains(&package.manifest));
    let mut folders: FxHashSet<&Path> = wanted.map(|package| package.folder()).collect();
    if selection.all {
        folders.insert(&loaded.project.root);
    }
    folders.iter().flat_map(|folder| below(folder)).collect()
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let root = folder.to_path_buf();
    let walk = WalkBuilder::new(folder)
        .require_git(false)
        .hidden(false)
        .max_depth(Some(DEEPEST))
        .filter_entry(move |entry| {
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            let is_strange = |name: &str| is_passed_by(name) || entry.path().join("Cargo.toml").is_file();
            // A package is looked into where it is asked for.
            !is_folder || entry.path() == root || !entry.file_name().to_str().is_none_or(is_strange)
        })
        .build();
    let files = walk.flatten().filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    let files = files.filter(|entry| is_deploy_file(entry.path()));
    files.map(|entry| normalize(entry.path())).collect()
}

/// By its name.
pub(crate) fn is_deploy_file(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| FileKind::of_name(name).is_some())
}

struct Reader<'a> {
    root: PathBuf,
    sources: &'a Sources,
    excludes: &'a Excludes,
}

impl Reader<'_> {
    fn read(&self, path: &Path) -> Option<Text> {
        if self.excludes.matches(path) || !path.is_file() || !lies_in(path, &self.root) {
            return None;
        }
        let text = read_text(path, MAX_BYTES).ok()?;
        // Parsers differ in whether they count an editor's byte order mark.
        let text: Arc<str> = Arc::from(text.strip_prefix('\u{feff}').unwrap_or(&text));
        let file = self.sources.add_text(path, &text);
        Some(Text { file: FileNumber(file.0), path: shown(path), text })
    }
}

fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '\\' { text.replace('\\', "/") } else { text.into_owned() }
}
