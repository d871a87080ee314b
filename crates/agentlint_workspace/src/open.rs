//! From a request to what analysis needs: the graph, its loader, the configuration, and what was not read.

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agentlint_deploy::Project;
use agentlint_diagnostics::{Diagnostic, FileId, Level, Location};
use agentlint_semantic::input::{CrateGraph, CrateId, Loader};
use index_vec::IndexVec;
use rayon::ThreadPool;
use rustc_hash::FxHashSet;

use crate::config::{self, Config};
use crate::deploy::{Deploy, find_deploy, read_deploy};
use crate::discovery::{ProjectScope, Scope, discover};
use crate::environment::Environment;
use crate::error::WorkspaceError;
use crate::exclude::Excludes;
use crate::graph::{Built, Chosen, build};
use crate::load::{DiskLoader, FactsFolder, Reading, thread_pool};
use crate::loose::loose_crates;
use crate::paths::normalize;
use crate::project::Origin;
use crate::select::{Loaded, load_projects, place_files};
use crate::sources::Sources;

/// What the user asks for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Packages, `Cargo.toml`s, folders, `.rs` files, Dockerfiles and the like, relative to `cwd`; none means the workspace here.
    pub paths: Vec<PathBuf>,
    /// An absolute path; findings are shown from here.
    pub cwd: PathBuf,
    /// Tests, examples, benches and build scripts too, and `cfg(test)` holds.
    pub all_targets: bool,
    /// Patterns as in `.gitignore`, relative to `cwd`.
    pub exclude: Vec<String>,
    /// In place of the configuration that would be found.
    pub config: Option<PathBuf>,
    /// The lints and groups that a configuration may name; empty allows any name.
    pub lint_names: Vec<String>,
    /// How many files are parsed at once; one per core where not given.
    pub threads: Option<usize>,
    pub environment: Environment,
    /// Is told of each dependency whose sources are read because nothing was kept of them, by name and version.
    pub on_first_reading: Option<OnFirstReading>,
    /// Work that waits for nothing here, and is done while manifests are read and most threads wait.
    pub meanwhile: Option<fn()>,
}

/// Called from several threads.
#[derive(Clone)]
pub struct OnFirstReading(pub Arc<dyn Fn(&str) + Send + Sync>);

impl std::fmt::Debug for OnFirstReading {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("OnFirstReading")
    }
}

impl Request {
    /// The workspace at `cwd`, with the process's environment.
    pub fn new(cwd: impl Into<PathBuf>) -> Request {
        Request {
            paths: Vec::new(),
            cwd: cwd.into(),
            all_targets: false,
            exclude: Vec::new(),
            config: None,
            lint_names: Vec::new(),
            threads: None,
            environment: Environment::of_process(),
            on_first_reading: None,
            meanwhile: None,
        }
    }
}

/// A program that is ready to be analysed: its own files are parsed.
#[derive(Debug)]
pub struct Opened {
    pub graph: CrateGraph,
    pub loader: DiskLoader,
    /// The crates whose bodies are analysed, in the order of their ids.
    pub members: Vec<CrateId>,
    pub config: Config,
    /// What was not read and why, one line each.
    pub notes: Vec<String>,
    /// The files whose findings were asked for; `None` means all of the members'.
    pub report_only: Option<FxHashSet<FileId>>,
    /// `unreadable_file`, `syntax_error` and `internal_error` of the files asked for.
    pub diagnostics: Vec<Diagnostic>,
    /// What the files beside the Rust code start.
    pub deploy: Project,
    /// These files, and the scripts that they start.
    deploy_files: Vec<FileId>,
}

/// What a run saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunReport {
    /// Targets of members, and loose files that are crates.
    pub targets: usize,
    /// Distinct files of members.
    pub files: usize,
    /// Lines of those files.
    pub lines: usize,
    /// Dependencies whose sources are not on this machine, `name version`, sorted.
    pub without_sources: Vec<String>,
    pub notes: Vec<String>,
}

impl Opened {
    /// Whether findings in the file were asked for. Files that only a macro declares come to light during analysis, and go with the
    /// file that declares them.
    pub fn is_reported(&self, file: FileId) -> bool {
        let sources = self.loader.sources();
        match &self.report_only {
            None => sources.is_member(file),
            Some(only) => only.contains(&file) || sources.declared_in(file).is_some_and(|declaring| self.is_reported(declaring)),
        }
    }

    /// Counts what was read. Cheap.
    pub fn report(&self) -> RunReport {
        let mut files = FxHashSet::default();
        for id in &self.members {
            files.extend(self.loader.load(*id).iter().flat_map(|crate_files| crate_files.facts.keys().copied()));
        }
        let sources = self.loader.sources();
        let lines: usize = files.iter().filter_map(|file| sources.facts(*file)).map(|facts| facts.lines.len()).sum();
        let absent = self.graph.crates.iter_enumerated().filter(|(id, _)| !self.loader.has_sources(*id));
        let mut without_sources: Vec<String> = absent
            .map(|(_, node)| format!("{} {}", node.name, node.version.as_deref().unwrap_or_default()).trim_end().to_owned())
            .collect();
        without_sources.sort();
        without_sources.dedup();
        let lines_beside: usize =
            self.deploy_files.iter().filter_map(|file| sources.facts(*file)).map(|facts| facts.lines.len()).sum();
        let (targets, files, lines) = (self.members.len(), files.len() + self.deploy_files.len(), lines + lines_beside);
        let notes = self.notes.iter().cloned().chain(self.loader.note()).collect();
        RunReport { targets, files, lines, without_sources, notes }
    }
}

/// Finds, reads and parses what was asked for. What cannot be read becomes a note or a diagnostic.
pub fn open(request: Request) -> Result<Opened, WorkspaceError> {
    // All of it on the threads that will analyse: each further one would have memory of its own, which others do not use again.
    let pool = thread_pool("agentlint", request.threads)?;
    if let Some(meanwhile) = request.meanwhile {
        // A panic comes again where the work is needed, and is told there.
        pool.spawn(move || _ = catch_unwind(meanwhile));
    }
    Arc::clone(&pool).install(|| open_on(pool, request))
}

fn open_on(pool: Arc<ThreadPool>, request: Request) -> Result<Opened, WorkspaceError> {
    let request = Request { cwd: normalize(&request.cwd), ..request };
    let mut excludes = Excludes::default();
    excludes.add(&request.cwd, &request.exclude)?;
    let mut scope = discover(&request.paths, &request.cwd, &excludes)?;
    let named = request.config.as_ref().map(|config| normalize(&request.cwd.join(config)));
    let config = config::find(named.as_deref(), &configured_folder(&scope, &request.cwd), &request.lint_names)?;
    if let Some(folder) = config.file.as_deref().and_then(Path::parent) {
        excludes.add(folder, &config.exclude)?;
    }
    scope.loose.retain(|file| !excludes.matches(file));

    let mut notes = std::mem::take(&mut scope.notes);
    let projects: Vec<ProjectScope> = std::mem::take(&mut scope.projects).into_values().collect();
    let mut loaded = load_projects(projects, &request, &mut notes)?;
    let sources = Arc::new(Sources::new(request.cwd.clone()));
    place_files(&mut loaded, &sources, &mut scope.loose);
    let loose = loose_crates(&scope.loose, &sources);

    let chosen: Vec<Chosen<'_>> =
        loaded.iter().map(|loaded| Chosen { project: &loaded.project, all_targets: loaded.all_targets }).collect();
    let graph = || build(&chosen, &loose, request.all_targets);
    let (built, found) = rayon::join(graph, || find_deploy(&loaded, &scope.deploy));
    let Built { graph, sources: crates, owners } = built;
    let Deploy { project: deploy, files: deploy_files, broken } = read_deploy(found, &sources, &excludes);
    if graph.crates.is_empty() && deploy_files.is_empty() {
        return Err(WorkspaceError::NothingToRead { notes: notes.join("; ") });
    }
    let facts = request.environment.cache.as_deref().map(FactsFolder::open);
    let (loader, mut diagnostics) =
        DiskLoader::open(Reading { sources, crates, on_first_reading: request.on_first_reading }, &graph, pool, facts);
    let members: Vec<CrateId> = graph.crates.iter_enumerated().filter(|(_, node)| node.is_member).map(|(id, _)| id).collect();
    let mut report_only = report_only(&loaded, &owners, &members, &loader, &excludes);
    if let Some(only) = &mut report_only {
        only.extend(&deploy_files);
        diagnostics.retain(|diagnostic| only.contains(&diagnostic.primary.location.file));
    }
    diagnostics.extend(broken.into_iter().map(|file| {
        let message = "the analysis of what this file and those beside it start panicked";
        Diagnostic::new("internal_error", Level::Warn, message, Location { file, start: 0, end: 0 })
    }));
    Ok(Opened { graph, loader, members, config, notes, report_only, diagnostics, deploy, deploy_files })
}

/// Where the search for a configuration starts: the first workspace, or the first loose file's folder.
fn configured_folder(scope: &Scope, cwd: &Path) -> PathBuf {
    let workspace = scope.projects.keys().next();
    let first =
        workspace.or_else(|| scope.loose.iter().next()).or_else(|| scope.deploy.iter().next()).and_then(|path| path.parent());
    first.unwrap_or(cwd).to_path_buf()
}

/// The files of what was selected, without those that are excluded.
fn report_only(
    loaded: &[Loaded],
    owners: &IndexVec<CrateId, Option<(usize, usize)>>,
    members: &[CrateId],
    loader: &DiskLoader,
    excludes: &Excludes,
) -> Option<FxHashSet<FileId>> {
    let mut wanted = FxHashSet::default();
    let mut unwanted = false;
    let sources = loader.sources();
    for id in members {
        let Some(files) = loader.load(*id) else { continue };
        for file in files.facts.keys() {
            let Some(path) = sources.path(*file) else { continue };
            let selected = match owners[*id] {
                Some((project, package)) => {
                    let package = &loaded[project].project.packages[package];
                    let selection = &loaded[project].selection;
                    let whole = selection.all || selection.manifests.contains(&package.manifest);
                    (whole && package.origin == Origin::Member) || loaded[project].contains(&path)
                }
                None => true,
            };
            if selected && !excludes.matches(&path) {
                wanted.insert(*file);
            } else {
                unwanted = true;
            }
        }
    }
    unwanted.then_some(wanted)
}
