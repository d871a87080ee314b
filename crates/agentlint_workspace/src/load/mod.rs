//! Reads crates: the root file and every file that its module tree reaches.

mod identities;
mod kept;
mod kept_definitions;
mod kept_summaries;
pub(crate) mod modules;
mod readers;
mod walk;

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use agentlint_diagnostics::{Diagnostic, FileId};
use agentlint_semantic::input::{CfgOptions, CrateFiles, CrateGraph, CrateId, ExpansionKey, Kept, KeptDefinitions, Loader};
use agentlint_syntax::packed::Pack;
use agentlint_syntax::{Bodies, Name, STACK_SIZE, ast, name};
use index_vec::IndexVec;
use rayon::ThreadPool;
use rayon::prelude::*;
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::error::WorkspaceError;
use crate::open::OnFirstReading;
use crate::sources::{Origin, Sources};
use identities::identities;
use kept::Submodule;
pub(crate) use kept::{FactsFolder, KeptCrate};
use kept_definitions::DefinitionFiles;
pub use kept_summaries::SummaryFiles;
use readers::Readers;
use walk::{Problems, walk};
pub(crate) use walk::{prefetch, reached_files};

/// Where a crate of the graph comes from; same index as its node.
#[derive(Clone, Debug)]
pub(crate) struct CrateSource {
    /// Empty where the sources are not on this machine.
    pub(crate) root: PathBuf,
    pub(crate) cfg: CfgOptions,
    /// Its bodies are read, its text is kept, and what is wrong with its files is reported.
    pub(crate) is_member: bool,
    /// See [`crate::sources::Reading`].
    pub(crate) boundary: Option<PathBuf>,
    /// Which of the bodies of a member are read.
    pub(crate) own_bodies: Bodies,
    /// See [`CrateSource::identity`]; once it was asked for.
    identity: OnceLock<Option<u64>>,
}

impl CrateSource {
    pub(crate) fn new(root: PathBuf, cfg: CfgOptions, is_member: bool, boundary: Option<PathBuf>) -> CrateSource {
        CrateSource { root, cfg, is_member, boundary, own_bodies: Bodies::Full, identity: OnceLock::new() }
    }

    /// The package's name and version as its folder in the registry has them; of others the folder's name.
    fn package(&self) -> Cow<'_, str> {
        self.root.ancestors().nth(2).and_then(Path::file_name).unwrap_or_default().to_string_lossy()
    }

    /// A number for the sources and their `cfg`s; `None` where the root file is not there.
    fn identity(&self) -> Option<u64> {
        *self.identity.get_or_init(|| self.identity_anew())
    }

    fn identity_anew(&self) -> Option<u64> {
        let metadata = std::fs::metadata(&self.root).ok().filter(|metadata| metadata.is_file())?;
        Some(FxBuildHasher.hash_one((&self.root, metadata.len(), metadata.modified().ok(), cfg_number(&self.cfg))))
    }
}

fn cfg_number(cfg: &CfgOptions) -> u64 {
    let flags = cfg.flags.iter().map(|flag| FxBuildHasher.hash_one(flag.as_str()));
    let values = cfg.key_values.iter().map(|(key, value)| FxBuildHasher.hash_one((key.as_str(), value.as_str())));
    // They come in no order.
    flags.chain(values).fold(0, u64::wrapping_add)
}

/// The loader of real runs. Members are read when it is made, dependencies when they are asked for.
#[derive(Debug)]
pub struct DiskLoader {
    shared: Arc<Shared>,
    crates: IndexVec<CrateId, OnceLock<Option<Arc<CrateFiles>>>>,
    /// Of the files of dependencies whose bodies were asked for.
    texts: RwLock<FxHashMap<FileId, Option<Arc<str>>>>,
    readers: Readers,
    pool: Arc<ThreadPool>,
}

#[derive(Debug)]
struct Shared {
    sources: Arc<Sources>,
    crates: IndexVec<CrateId, CrateSource>,
    /// Of remote crates, once they were asked for.
    kept: IndexVec<CrateId, OnceLock<Option<Arc<KeptCrate>>>>,
    facts: Option<FactsFolder>,
    /// Of remote crates, numbers for the crate with all that it depends on.
    identities: IndexVec<CrateId, Option<u64>>,
    definitions: DefinitionFiles,
    on_first_reading: Option<OnFirstReading>,
}

/// What is to be read.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) sources: Arc<Sources>,
    pub(crate) crates: IndexVec<CrateId, CrateSource>,
    pub(crate) on_first_reading: Option<OnFirstReading>,
}

impl DiskLoader {
    /// Reads the members' files in parallel, from a thread of `pool`; what was wrong with them comes back beside the loader.
    pub(crate) fn open(
        reading: Reading,
        graph: &CrateGraph,
        pool: Arc<ThreadPool>,
        facts: Option<FactsFolder>,
    ) -> (DiskLoader, Vec<Diagnostic>) {
        let Reading { sources, mut crates, on_first_reading } = reading;
        let readers = Readers::new(pool.current_num_threads());
        // Several members may contain a file, which is read once: where one of them has tests, all are read with tests.
        let test = name("test");
        if !crates.iter().any(|source| source.is_member && source.cfg.flags.contains(&test)) {
            crates.iter_mut().for_each(|source| source.own_bodies = Bodies::WithoutTests);
        }
        let members = || crates.iter_enumerated().filter(|(_, source)| source.is_member);
        let slots: IndexVec<CrateId, OnceLock<_>> = crates.iter().map(|_| OnceLock::new()).collect();
        let kept = crates.iter().map(|_| OnceLock::new()).collect();
        let mut problems = Problems::default();
        // Looks at each root file, which one thread would do while the others wait.
        crates.raw.par_iter().for_each(|source| _ = source.identity());
        prefetch(&sources, members().map(|(_, source)| source));
        // One after the other, so that files are numbered alike in every run.
        for (id, source) in members() {
            let files = walk(&sources, source, &mut problems).map(Arc::new);
            slots[id].get_or_init(|| files);
        }
        let identities = if facts.is_some() { identities(graph, &crates) } else { IndexVec::new() };
        let definitions = DefinitionFiles::new(facts.as_ref().map(FactsFolder::path), &crates, &identities);
        let shared = Arc::new(Shared { sources, crates, kept, facts, identities, definitions, on_first_reading });
        (DiskLoader { shared, crates: slots, texts: RwLock::default(), readers, pool }, problems.found)
    }

    pub fn sources(&self) -> &Arc<Sources> {
        &self.shared.sources
    }

    /// The threads that analyse. Their stacks are deep enough for any file that the parser accepts. They are not the ones that
    /// parse dependencies: where an analysis comes to a crate that was not read yet, it sleeps, and all of those work for it.
    pub fn pool(&self) -> &Arc<ThreadPool> {
        &self.pool
    }

    /// Whether the crate's root file is there, without reading it.
    pub fn has_sources(&self, id: CrateId) -> bool {
        self.shared.crates.get(id).is_some_and(|source| source.identity().is_some())
    }

    /// What kept it from reading what is there.
    pub(crate) fn note(&self) -> Option<String> {
        let why = "the system gave no more threads, so that dependencies that are not in the cache were not read";
        self.readers.are_missing().then(|| why.to_owned())
    }

    /// Writes what this run learned about remote crates into the user's cache.
    pub fn keep(&self) {
        let learned: Vec<&Arc<KeptCrate>> = self.shared.kept.iter().filter_map(|kept| kept.get()?.as_ref()).collect();
        self.pool.install(|| learned.par_iter().for_each(|kept| kept.store()));
    }

    /// Where what is found of dependencies is kept, for runs that have the same `knowledge` of what blocks.
    pub fn summary_files(&self, knowledge: u64) -> SummaryFiles {
        let Shared { facts, crates, identities, .. } = &*self.shared;
        SummaryFiles::new(facts.as_ref().map(FactsFolder::path), crates, identities, knowledge)
    }

    fn read(&self, id: CrateId) -> Option<Arc<CrateFiles>> {
        if self.readers.are_here() {
            return self.shared.read(id);
        }
        if let Some(files) = self.shared.read_kept(id) {
            return Some(files);
        }
        self.shared.tell_of(id);
        let shared = Arc::clone(&self.shared);
        self.readers.run(move || {
            prefetch(&shared.sources, shared.crates.get(id));
            shared.read(id)
        })
    }
}

impl Shared {
    fn tell_of(&self, id: CrateId) {
        let source = self.crates.get(id).filter(|source| !source.is_member && source.root.is_file());
        if let (Some(OnFirstReading(tell)), Some(source)) = (&self.on_first_reading, source) {
            tell(&source.package());
        }
    }

    /// On this thread alone.
    fn read(&self, id: CrateId) -> Option<Arc<CrateFiles>> {
        if let Some(files) = self.read_kept(id) {
            return Some(files);
        }
        let files = walk(&self.sources, self.crates.get(id)?, &mut Problems::default()).map(Arc::new)?;
        if let Some(kept) = self.kept(id) {
            kept.record(&files, &self.sources);
        }
        Some(files)
    }

    fn read_kept(&self, id: CrateId) -> Option<Arc<CrateFiles>> {
        self.kept(id)?.files(&self.sources).map(Arc::new)
    }

    /// `None` for members, whose files change.
    fn kept(&self, id: CrateId) -> Option<&Arc<KeptCrate>> {
        let source = self.crates.get(id).filter(|source| !source.is_member)?;
        self.kept[id].get_or_init(|| KeptCrate::new(self.facts.as_ref(), source).map(Arc::new)).as_ref()
    }
}

impl Loader for DiskLoader {
    fn load(&self, id: CrateId) -> Option<Arc<CrateFiles>> {
        self.crates.get(id)?.get_or_init(|| self.read(id)).clone()
    }

    fn submodule(&self, id: CrateId, file: FileId, inline: &[Name], item: &ast::Item) -> Option<(FileId, Arc<ast::SourceFile>)> {
        let source = self.shared.crates.get(id)?;
        let sources = Arc::clone(&self.shared.sources);
        let at = Submodule { file, inline, item };
        let kept = self.shared.kept(id);
        if let Some(found) = kept.and_then(|kept| kept.submodule(&at)) {
            return Some(found);
        }
        let (path, folder) = sources.folder(file)?.submodule(inline, item, &source.cfg)?;
        let origin = Origin { is_member: source.is_member, folder, declared_in: Some(file) };
        let shared = Arc::clone(&self.shared);
        let (file, facts) = self.readers.run(move || {
            let (slot, parsed) = sources.parse(&path, shared.crates.get(id)?.reading());
            let (file, _) = sources.register(&slot, &parsed, &path, origin);
            Some((file, Arc::clone(&parsed.facts)))
        })?;
        if let Some(kept) = kept {
            kept.record_submodule(&at, file, &facts, &self.shared.sources);
        }
        Some((file, facts))
    }

    fn text(&self, _: CrateId, file: FileId) -> Option<Arc<str>> {
        let known = || self.texts.read().unwrap_or_else(PoisonError::into_inner).get(&file).cloned();
        known().unwrap_or_else(|| {
            let text = self.shared.sources.text(file);
            self.texts.write().unwrap_or_else(PoisonError::into_inner).entry(file).or_insert(text).clone()
        })
    }

    fn lasting_number(&self, id: CrateId, file: FileId) -> Option<u32> {
        self.shared.kept(id)?.number(file)
    }

    fn kept_definitions(&self, id: CrateId) -> Option<KeptDefinitions> {
        let (reading, first_file, files) = self.shared.kept(id)?.kept_files(&self.shared.sources)?;
        let pack = self.shared.definitions.load(id, Kept::Definitions, reading)?;
        Some(KeptDefinitions { pack, first_file, files })
    }

    fn kept_file(&self, id: CrateId, number: u32) -> Option<Arc<ast::SourceFile>> {
        self.shared.kept(id)?.facts(number)
    }

    fn reading(&self, id: CrateId) -> Option<u64> {
        self.shared.kept(id)?.reading()
    }

    fn kept_names(&self, id: CrateId) -> Option<Pack> {
        self.shared.definitions.load(id, Kept::Names, self.reading(id)?)
    }

    fn keep(&self, id: CrateId, what: Kept, pack: Vec<u8>) {
        if let Some(reading) = self.reading(id) {
            self.shared.definitions.keep(id, what, reading, &pack);
        }
    }

    fn kept_std(&self, what: Kept, name: &str, cfg: &CfgOptions) -> Option<Pack> {
        self.shared.definitions.load_std(what, name, cfg)
    }

    fn keep_std(&self, what: Kept, name: &str, cfg: &CfgOptions, pack: Vec<u8>) {
        self.shared.definitions.keep_std(what, name, cfg, &pack);
    }

    fn kept_expansion(&self, id: CrateId, key: ExpansionKey) -> Option<Arc<ast::SourceFile>> {
        self.shared.kept(id)?.expansion(key)
    }

    fn keep_expansion(&self, id: CrateId, key: ExpansionKey, facts: &Arc<ast::SourceFile>) {
        if let Some(kept) = self.shared.kept(id) {
            kept.record_expansion(key, facts);
        }
    }
}

/// A pool whose threads can parse.
pub(crate) fn thread_pool(name: &'static str, threads: Option<usize>) -> Result<Arc<ThreadPool>, WorkspaceError> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.unwrap_or(0))
        .thread_name(move |index| format!("{name}-{index}"))
        .stack_size(STACK_SIZE)
        .build()
        .map(Arc::new)
        .map_err(|error| WorkspaceError::Threads { reason: error.to_string() })
}
