//! The facts of remote crates, kept in the user's cache: for one version and one set of `cfg`s nothing in them ever changes.
//!
//! A file holds one crate: where its files and modules are, their facts, and what its item macros expand to. It is named by
//! everything that this depends on, so that it is never out of date, and it is written whole or not at all.

use std::hash::BuildHasher;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use agentlint_diagnostics::FileId;
use agentlint_semantic::input::{CrateFiles, ExpansionKey};
use agentlint_syntax::ast::{Item, ItemId, SourceFile};
use agentlint_syntax::packed::{Bytes, FORM, Pack, Packer};
use agentlint_syntax::{Lazy, Name};
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::CrateSource;
use super::modules::ModuleFolder;
use crate::atomic_write::atomic_write;
use crate::sources::Sources;

/// One remote crate: what was kept of it, and what this run adds.
#[derive(Debug)]
pub(crate) struct KeptCrate {
    file: PathBuf,
    before: Option<Before>,
    state: Mutex<State>,
}

/// What another run kept.
#[derive(Debug)]
struct Before {
    pack: Pack,
    index: Index,
    /// By number, once something asked.
    facts: Vec<OnceLock<Option<Arc<SourceFile>>>>,
    /// What the run calls file number 0; the others follow.
    first: OnceLock<FileId>,
}

/// What this run adds.
#[derive(Debug, Default)]
struct State {
    /// The crate was read from its sources: what was kept before counts for nothing.
    anew: Option<Tree>,
    /// Their numbers come after those of the files that were kept.
    files: Vec<(KeptFile, Arc<SourceFile>)>,
    numbers: FxHashMap<FileId, u32>,
    submodules: FxHashMap<String, u32>,
    expansions: FxHashMap<u64, Arc<SourceFile>>,
    is_new: bool,
}

/// Where things are. Files are named by their numbers.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Index {
    tree: Tree,
    count: u32,
    files: Lazy<Vec<KeptFile>>,
    /// The files of modules that macros declare.
    submodules: Lazy<FxHashMap<String, u32>>,
}

/// The files that the module tree reaches; those that only a macro declares come after them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Tree {
    /// Of one reading: what refers to its files by number holds for no other.
    reading: u64,
    files: u32,
    root: u32,
    modules: Lazy<Vec<(u32, u32, u32)>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct KeptFile {
    path: PathBuf,
    folder: ModuleFolder,
}

/// The number goes up where the form of [`Index`] changes.
const INDEX: &str = "index 2";

/// Where the facts of this program version lie in the user's cache.
#[derive(Debug)]
pub(crate) struct FactsFolder(PathBuf);

impl FactsFolder {
    /// The first run of a version removes what older ones left, but for the newest: two versions may be used in turns.
    pub(crate) fn open(cache: &Path) -> FactsFolder {
        let all = cache.join("facts");
        let own = all.join(FORM);
        if !own.exists() && std::fs::create_dir_all(&own).is_ok() {
            let entries = std::fs::read_dir(&all).into_iter().flatten().flatten();
            let others = entries.filter(|entry| entry.path() != own);
            let mut others: Vec<_> =
                others.filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()))).collect();
            others.sort();
            others.pop();
            for (_, path) in others {
                // What cannot be removed takes space, nothing else.
                let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
            }
        }
        FactsFolder(own)
    }
}

impl FactsFolder {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl KeptCrate {
    /// `None` where there is no cache folder, or no root file.
    pub(crate) fn new(folder: Option<&FactsFolder>, source: &CrateSource) -> Option<KeptCrate> {
        // For people who look into the folder.
        let file = folder?.0.join(format!("{}-{:016x}", source.package(), source.identity()?));
        let before = read(&file).and_then(Before::new);
        Some(KeptCrate { file, before, state: Mutex::default() })
    }

    /// The number of the reading that was kept, and what the run calls its files: the first, and how many there are.
    pub(crate) fn kept_files(self: &Arc<Self>, sources: &Sources) -> Option<(u64, FileId, u32)> {
        let before = self.before.as_ref()?;
        let first = *before.first.get_or_init(|| sources.add_kept(self, before.index.count));
        Some((before.index.tree.reading, first, before.index.count))
    }

    /// The crate's files as they were kept.
    pub(crate) fn files(self: &Arc<Self>, sources: &Sources) -> Option<CrateFiles> {
        let tree = &self.before.as_ref()?.index.tree;
        let (_, first, count) = self.kept_files(sources)?;
        let id = |number: u32| (number < count).then_some(FileId(first.0 + number));
        let facts: Option<FxHashMap<_, _>> = (0..tree.files).map(|number| Some((id(number)?, self.facts(number)?))).collect();
        let modules = tree.modules.iter().filter_map(|(file, item, to)| Some(((id(*file)?, ItemId::from_raw(*item)), id(*to)?)));
        Some(CrateFiles { root: id(tree.root)?, facts: facts?, modules: modules.collect() })
    }

    /// The facts of a file that was kept.
    pub(crate) fn facts(&self, number: u32) -> Option<Arc<SourceFile>> {
        let before = self.before.as_ref()?;
        let unpack = || before.pack.get(&number.to_string()).map(Arc::new);
        before.facts.get(number as usize)?.get_or_init(unpack).clone()
    }

    pub(crate) fn path(&self, number: u32) -> Option<&Path> {
        Some(&self.before.as_ref()?.index.files.get(number as usize)?.path)
    }

    pub(crate) fn folder(&self, number: u32) -> Option<&ModuleFolder> {
        Some(&self.before.as_ref()?.index.files.get(number as usize)?.folder)
    }

    /// Takes down what was read from the sources.
    pub(crate) fn record(&self, files: &CrateFiles, sources: &Sources) {
        let mut state = self.state();
        *state = State { is_new: true, anew: Some(Tree::default()), ..State::default() };
        let mut ids: Vec<FileId> = files.facts.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            if let Some(facts) = files.facts.get(&id) {
                self.add(&mut state, id, facts, sources);
            }
        }
        let number = |id: &FileId| state.numbers.get(id).copied();
        let modules = files.modules.iter().filter_map(|((file, item), to)| Some((number(file)?, item.raw(), number(to)?)));
        let mut modules: Vec<_> = modules.collect();
        modules.sort_unstable();
        let reading = FxBuildHasher.hash_one((SystemTime::now(), std::process::id(), &self.file));
        let root = number(&files.root).unwrap_or_default();
        state.anew = Some(Tree { reading, files: state.files.len() as u32, root, modules: modules.into() });
    }

    /// Which reading the numbers of this crate's files are of.
    pub(crate) fn reading(&self) -> Option<u64> {
        let state = self.state();
        state.anew.as_ref().or(self.kept(&state).map(|before| &before.index.tree)).map(|tree| tree.reading)
    }

    pub(crate) fn number(&self, file: FileId) -> Option<u32> {
        let state = self.state();
        state.numbers.get(&file).copied().or_else(|| self.kept(&state)?.number(file))
    }

    /// The kept file behind a module that a macro declares.
    pub(crate) fn submodule(&self, at: &Submodule<'_>) -> Option<(FileId, Arc<SourceFile>)> {
        let file = self.number(at.file)?;
        // The numbers of a crate that was read anew are others.
        let before = self.kept(&self.state())?;
        let number = *before.index.submodules.get(&at.key(file))?;
        Some((FileId(before.first.get()?.0 + number), self.facts(number)?))
    }

    pub(crate) fn record_submodule(&self, at: &Submodule<'_>, id: FileId, facts: &Arc<SourceFile>, sources: &Sources) {
        let Some(key) = self.number(at.file).map(|file| at.key(file)) else { return };
        let mut state = self.state();
        self.add(&mut state, id, facts, sources);
        if let Some(number) = state.numbers.get(&id).copied() {
            state.submodules.insert(key, number);
        }
    }

    pub(crate) fn expansion(&self, key: ExpansionKey) -> Option<Arc<SourceFile>> {
        self.before.as_ref()?.pack.get(&expansion_name(key.0)).map(Arc::new)
    }

    pub(crate) fn record_expansion(&self, key: ExpansionKey, facts: &Arc<SourceFile>) {
        let mut state = self.state();
        state.is_new = true;
        state.expansions.insert(key.0, Arc::clone(facts));
    }

    /// Writes the file where there is something new. One that cannot be written costs time in the next run, nothing else.
    pub(crate) fn store(&self) {
        let state = self.state();
        if state.is_new
            && let Some(bytes) = self.pack(&state)
            && let Some(folder) = self.file.parent()
            && std::fs::create_dir_all(folder).is_ok()
        {
            let _ = atomic_write(&self.file, &bytes);
        }
    }

    fn pack(&self, state: &State) -> Option<Vec<u8>> {
        let before = self.kept(state);
        let added = state.files.iter().map(|(file, _)| file);
        let files: Vec<KeptFile> = before.iter().flat_map(|before| before.index.files.iter()).chain(added).cloned().collect();
        let submodules = before.iter().flat_map(|before| before.index.submodules.iter()).chain(&state.submodules);
        let submodules: FxHashMap<String, u32> = submodules.map(|(key, number)| (key.clone(), *number)).collect();
        let tree = state.anew.clone().or_else(|| Some(before?.index.tree.clone()))?;
        let mut packer = Packer::default();
        let count = files.len() as u32;
        packer.add(INDEX, &Index { tree, count, files: files.into(), submodules: submodules.into() })?;
        let kept = before.map_or(0, |before| before.index.count);
        for number in 0..kept {
            packer.add(&number.to_string(), &*self.facts(number)?)?;
        }
        for (number, (_, facts)) in (kept..).zip(&state.files) {
            packer.add(&number.to_string(), &**facts)?;
        }
        let mut expansions: Vec<_> = state.expansions.iter().collect();
        expansions.sort_unstable_by_key(|(key, _)| **key);
        let mut names = FxHashSet::default();
        for (key, facts) in expansions {
            let name = expansion_name(*key);
            packer.add(&name, &**facts)?;
            names.insert(name);
        }
        // What other runs found, with other versions of the crates that the macros come from.
        let pack = self.before.as_ref().map(|before| &before.pack);
        let mut others: Vec<&str> = pack.iter().flat_map(|pack| pack.names()).filter(|name| name.starts_with('x')).collect();
        others.sort_unstable();
        for name in others.into_iter().filter(|name| !names.contains(*name)) {
            packer.add(name, &pack?.get::<SourceFile>(name)?)?;
        }
        let pack = packer.finish()?;
        let mut bytes = Vec::with_capacity(CHECKSUM + pack.len());
        bytes.extend(crc32fast::hash(&pack).to_le_bytes());
        bytes.extend(pack);
        Some(bytes)
    }

    fn kept(&self, state: &State) -> Option<&Before> {
        self.before.as_ref().filter(|_| state.anew.is_none())
    }

    fn add(&self, state: &mut State, id: FileId, facts: &Arc<SourceFile>, sources: &Sources) {
        let (Some(path), Some(folder)) = (sources.path(id), sources.folder(id)) else { return };
        let kept = self.kept(state);
        if state.numbers.contains_key(&id) || kept.is_some_and(|before| before.number(id).is_some()) {
            return;
        }
        let number = kept.map_or(0, |before| before.index.count) + state.files.len() as u32;
        state.numbers.insert(id, number);
        state.files.push((KeptFile { path: path.to_path_buf(), folder }, Arc::clone(facts)));
        state.is_new = true;
    }

    /// A panic elsewhere leaves the state short of something at worst.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Before {
    fn new(pack: Pack) -> Option<Before> {
        let index: Index = pack.get(INDEX)?;
        // Every file is a value of the pack.
        let count = index.count as usize;
        (count <= pack.names().count()).then(|| Before {
            pack,
            index,
            facts: (0..count).map(|_| OnceLock::new()).collect(),
            first: OnceLock::new(),
        })
    }

    fn number(&self, file: FileId) -> Option<u32> {
        let number = file.0.checked_sub(self.first.get()?.0)?;
        (number < self.index.count).then_some(number)
    }
}

/// A checksum stands before the pack.
const CHECKSUM: usize = 4;

/// `None` where there is no such file, and where it is damaged.
fn read(file: &Path) -> Option<Pack> {
    let all = std::fs::read(file).ok()?;
    let (checksum, pack) = all.split_first_chunk::<CHECKSUM>()?;
    if crc32fast::hash(pack) != u32::from_le_bytes(*checksum) {
        return None;
    }
    Pack::open(Bytes::Owned { all, start: CHECKSUM })
}

fn expansion_name(key: u64) -> String {
    format!("x{key:016x}")
}

/// A `mod name;` that a macro made.
pub(crate) struct Submodule<'a> {
    /// The file with the macro's call.
    pub(crate) file: FileId,
    pub(crate) inline: &'a [Name],
    pub(crate) item: &'a Item,
}

impl Submodule<'_> {
    /// Two of one name, under different `cfg`s, stand at different places.
    fn key(&self, file: u32) -> String {
        let inline: Vec<&str> = self.inline.iter().map(Name::as_str).collect();
        format!("{file} {} {} {}", inline.join("::"), self.item.name, self.item.name_span.start)
    }
}
