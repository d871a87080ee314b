//! The facts of remote crates, kept in the user's cache: for one version and one set of `cfg`s nothing in them ever changes.
//!
//! A file holds one crate: where its files and modules are, their facts, and what its item macros expand to. It is named by
//! everything that this depends on, so that it is never out of date, and it is written whole or not at all.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use agentlint_diagnostics::FileId;
use agentlint_semantic::input::{CrateFiles, ExpansionKey};
use agentlint_syntax::Name;
use agentlint_syntax::ast::{Item, ItemId, SourceFile};
use agentlint_syntax::packed::{Bytes, FORM, Pack, Packer};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::CrateSource;
use super::modules::ModuleFolder;
use crate::atomic_write::atomic_write;
use crate::sources::{Origin, Sources};

/// One remote crate: what was kept of it, and what this run adds.
#[derive(Debug)]
pub(crate) struct KeptCrate {
    file: PathBuf,
    pack: Option<Pack>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    index: Index,
    /// By number. `None` for files that this run has not come to yet.
    facts: Vec<Option<(FileId, Arc<SourceFile>)>>,
    numbers: FxHashMap<FileId, u32>,
    expansions: FxHashMap<u64, Arc<SourceFile>>,
    is_new: bool,
}

/// Where things are. Files are named by their numbers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Index {
    files: Vec<KeptFile>,
    /// How many of the files the module tree reaches; those that only a macro declares come after them.
    in_tree: u32,
    root: u32,
    modules: Vec<(u32, u32, u32)>,
    /// The files of modules that macros declare.
    submodules: FxHashMap<String, u32>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct KeptFile {
    path: PathBuf,
    folder: ModuleFolder,
}

const INDEX: &str = "index";

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
        let pack = read(&file);
        Some(KeptCrate { file, pack, state: Mutex::default() })
    }

    /// The crate's files as they were kept.
    pub(crate) fn files(&self, sources: &Sources) -> Option<CrateFiles> {
        let pack = self.pack.as_ref()?;
        let index: Index = pack.get(INDEX)?;
        let in_tree = index.in_tree as usize;
        let facts: Option<Vec<Arc<SourceFile>>> =
            (0..in_tree).map(|number| pack.get(&number.to_string()).map(Arc::new)).collect();
        let mut state = self.state();
        for (file, facts) in index.files.iter().zip(facts?) {
            let id = sources.add_kept(&file.path, &facts, file.origin(None));
            let number = state.facts.len() as u32;
            state.numbers.insert(id, number);
            state.facts.push(Some((id, facts)));
        }
        state.facts.resize(index.files.len(), None);
        let id = |number: u32| Some(state.facts.get(number as usize)?.as_ref()?.0);
        let modules = index.modules.iter().filter_map(|(file, item, to)| Some(((id(*file)?, ItemId::from_raw(*item)), id(*to)?)));
        let files = CrateFiles {
            root: id(index.root)?,
            facts: state.facts.iter().flatten().cloned().collect(),
            modules: modules.collect(),
        };
        state.index = index;
        Some(files)
    }

    /// Takes down what was read from the sources.
    pub(crate) fn record(&self, files: &CrateFiles, sources: &Sources) {
        let mut state = self.state();
        *state = State { is_new: true, ..State::default() };
        let mut ids: Vec<FileId> = files.facts.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            if let Some(facts) = files.facts.get(&id) {
                state.add(id, facts, sources);
            }
        }
        let number = |id: &FileId| state.numbers.get(id).copied();
        let modules = files.modules.iter().filter_map(|((file, item), to)| Some((number(file)?, item.raw(), number(to)?)));
        let mut modules: Vec<_> = modules.collect();
        modules.sort_unstable();
        let root = number(&files.root);
        state.index.modules = modules;
        state.index.root = root.unwrap_or_default();
        state.index.in_tree = state.index.files.len() as u32;
    }

    pub(crate) fn number(&self, file: FileId) -> Option<u32> {
        self.state().numbers.get(&file).copied()
    }

    /// The kept file behind a module that a macro declares.
    pub(crate) fn submodule(&self, at: &Submodule<'_>, sources: &Sources) -> Option<(FileId, Arc<SourceFile>)> {
        let mut state = self.state();
        let number = *state.index.submodules.get(&at.key(&state)?)?;
        if let Some(known) = state.facts.get(number as usize)? {
            return Some(known.clone());
        }
        let facts: Arc<SourceFile> = Arc::new(self.pack.as_ref()?.get(&number.to_string())?);
        let file = state.index.files.get(number as usize)?;
        let id = sources.add_kept(&file.path, &facts, file.origin(Some(at.file)));
        state.numbers.insert(id, number);
        state.facts[number as usize] = Some((id, Arc::clone(&facts)));
        Some((id, facts))
    }

    pub(crate) fn record_submodule(&self, at: &Submodule<'_>, id: FileId, facts: &Arc<SourceFile>, sources: &Sources) {
        let mut state = self.state();
        let Some(key) = at.key(&state) else { return };
        state.add(id, facts, sources);
        if let Some(number) = state.numbers.get(&id).copied() {
            state.index.submodules.insert(key, number);
        }
    }

    pub(crate) fn expansion(&self, key: ExpansionKey) -> Option<Arc<SourceFile>> {
        self.pack.as_ref()?.get(&expansion_name(key.0)).map(Arc::new)
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
        let mut packer = Packer::default();
        packer.add(INDEX, &state.index)?;
        for (number, file) in state.facts.iter().enumerate() {
            let name = number.to_string();
            match file {
                Some((_, facts)) => packer.add(&name, &**facts)?,
                None => packer.add(&name, &self.pack.as_ref()?.get::<SourceFile>(&name)?)?,
            }
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
        let mut before: Vec<&str> = self.pack.iter().flat_map(Pack::names).filter(|name| name.starts_with('x')).collect();
        before.sort_unstable();
        for name in before.into_iter().filter(|name| !names.contains(*name)) {
            packer.add(name, &self.pack.as_ref()?.get::<SourceFile>(name)?)?;
        }
        let pack = packer.finish()?;
        let mut bytes = Vec::with_capacity(CHECKSUM + pack.len());
        bytes.extend(crc32fast::hash(&pack).to_le_bytes());
        bytes.extend(pack);
        Some(bytes)
    }

    /// A panic elsewhere leaves the state short of something at worst.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

impl State {
    fn add(&mut self, id: FileId, facts: &Arc<SourceFile>, sources: &Sources) {
        let (Some(path), Some(folder)) = (sources.path(id), sources.folder(id)) else { return };
        if self.numbers.contains_key(&id) {
            return;
        }
        self.numbers.insert(id, self.index.files.len() as u32);
        self.index.files.push(KeptFile { path: path.to_path_buf(), folder });
        self.facts.push(Some((id, Arc::clone(facts))));
        self.is_new = true;
    }
}

impl KeptFile {
    fn origin(&self, declared_in: Option<FileId>) -> Origin {
        Origin { is_member: false, folder: self.folder.clone(), declared_in }
    }
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
    fn key(&self, state: &State) -> Option<String> {
        let file = state.numbers.get(&self.file)?;
        let inline: Vec<&str> = self.inline.iter().map(Name::as_str).collect();
        Some(format!("{file} {} {} {}", inline.join("::"), self.item.name, self.item.name_span.start))
    }
}
