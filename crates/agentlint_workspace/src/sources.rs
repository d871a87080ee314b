//! The files of a run: where each lies, what it says, and its facts.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard};

use agentlint_diagnostics::FileId;
use agentlint_syntax::ast::SourceFile;
use agentlint_syntax::{Bodies, LineIndex, ParseOptions};
use rustc_hash::FxHashMap;

use crate::load::KeptCrate;
use crate::load::modules::ModuleFolder;
use crate::paths;
use crate::read::{MAX_SOURCE_BYTES, read_text};

/// Every file that the run has read. Each is parsed once, whichever crates contain it.
#[derive(Debug)]
pub struct Sources {
    cwd: PathBuf,
    /// By the path with its links resolved.
    slots: Mutex<FxHashMap<PathBuf, Arc<Slot>>>,
    /// By the path as it is reached: resolving links costs a call to the system for each of its parts.
    reached: Mutex<FxHashMap<PathBuf, Arc<Slot>>>,
    /// Folders of files with their links resolved, by the path as it is reached.
    folders: Mutex<FxHashMap<PathBuf, PathBuf>>,
    files: RwLock<Vec<Entry>>,
}

#[derive(Clone, Debug)]
enum Entry {
    Read(Arc<ReadFile>),
    /// The file of that number.
    Kept(Arc<KeptCrate>, u32),
}

#[derive(Debug)]
struct ReadFile {
    path: Arc<Path>,
    display: Arc<str>,
    file: Arc<ParsedFile>,
    origin: Origin,
}

/// How the run came to a file first.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) is_member: bool,
    /// Where its modules are looked for.
    pub(crate) folder: ModuleFolder,
    /// The file with the macro call that declared it, where a macro did.
    pub(crate) declared_in: Option<FileId>,
}

/// A physical file: its links resolved.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) real: PathBuf,
    file: OnceLock<Arc<ParsedFile>>,
    id: OnceLock<FileId>,
}

#[derive(Debug, Default)]
pub(crate) struct ParsedFile {
    pub(crate) facts: Arc<SourceFile>,
    /// Kept for the program's own files.
    text: Option<Arc<str>>,
    pub(crate) problem: Option<FileProblem>,
}

/// Why a file has no facts.
#[derive(Clone, Debug)]
pub(crate) enum FileProblem {
    Unreadable(String),
    /// Reading it as Rust panicked.
    Internal,
}

/// How a crate's files are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading<'a> {
    pub(crate) bodies: Bodies,
    /// It is the program's own: its text is kept.
    pub(crate) is_member: bool,
    /// Files whose links lead out of this folder are not read: their text would show up in findings.
    pub(crate) boundary: Option<&'a Path>,
}

impl Sources {
    pub(crate) fn new(cwd: PathBuf) -> Sources {
        Sources { cwd, slots: Mutex::default(), reached: Mutex::default(), folders: Mutex::default(), files: RwLock::default() }
    }

    /// The folder that the run was started in.
    pub fn cwd(&self) -> &Path {
        &self.cwd
    }

    /// How many files have been read so far, dependencies' included.
    pub fn len(&self) -> usize {
        self.files().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The absolute path, links not resolved.
    pub fn path(&self, id: FileId) -> Option<Arc<Path>> {
        match self.entry(id)? {
            Entry::Read(read) => Some(Arc::clone(&read.path)),
            Entry::Kept(krate, number) => krate.path(number).map(Arc::from),
        }
    }

    /// The path from the current folder, `/` between its parts; absolute where it lies far away.
    pub fn display_path(&self, id: FileId) -> Option<Arc<str>> {
        match self.entry(id)? {
            Entry::Read(read) => Some(Arc::clone(&read.display)),
            Entry::Kept(krate, number) => krate.path(number).map(|path| Arc::from(paths::display(path, &self.cwd))),
        }
    }

    /// A dependency's text is read again from the disk.
    pub fn text(&self, id: FileId) -> Option<Arc<str>> {
        if let Entry::Read(read) = self.entry(id)?
            && (read.file.text.is_some() || read.file.problem.is_some())
        {
            return read.file.text.clone();
        }
        read_text(&self.path(id)?, MAX_SOURCE_BYTES).ok().map(Arc::from)
    }

    /// What is known of the file; its line index is `facts.lines`.
    pub fn facts(&self, id: FileId) -> Option<Arc<SourceFile>> {
        match self.entry(id)? {
            Entry::Read(read) => Some(Arc::clone(&read.file.facts)),
            Entry::Kept(krate, number) => krate.facts(number),
        }
    }

    /// Whether the file belongs to a crate whose findings are reported.
    pub fn is_member(&self, id: FileId) -> bool {
        self.read(id).is_some_and(|read| read.origin.is_member)
    }

    /// The file that a macro of which declared this one; `None` for files that are declared in the open, and for kept ones.
    pub fn declared_in(&self, id: FileId) -> Option<FileId> {
        self.read(id)?.origin.declared_in
    }

    pub(crate) fn folder(&self, id: FileId) -> Option<ModuleFolder> {
        match self.entry(id)? {
            Entry::Read(read) => Some(read.origin.folder.clone()),
            Entry::Kept(krate, number) => krate.folder(number).cloned(),
        }
    }

    /// The file with this absolute path.
    pub fn find(&self, path: &Path) -> Option<FileId> {
        let real = path.canonicalize().ok()?;
        lock(&self.slots).get(&real)?.id.get().copied()
    }

    /// Reads and parses a file, or hands out what was made of it before.
    pub(crate) fn parse(&self, path: &Path, reading: Reading<'_>) -> (Arc<Slot>, Arc<ParsedFile>) {
        let slot = self.slot(path);
        let file = Arc::clone(slot.file.get_or_init(|| Arc::new(read_and_parse(&slot.real, reading))));
        (slot, file)
    }

    fn slot(&self, path: &Path) -> Arc<Slot> {
        if let Some(slot) = lock(&self.reached).get(path) {
            return Arc::clone(slot);
        }
        let real = self.real(path);
        let new = |real: &PathBuf| Arc::new(Slot { real: real.clone(), file: OnceLock::new(), id: OnceLock::new() });
        let slot = Arc::clone(lock(&self.slots).entry(real).or_insert_with_key(new));
        lock(&self.reached).insert(path.to_path_buf(), Arc::clone(&slot));
        slot
    }

    /// The path with its links resolved. Those of a folder are resolved once.
    fn real(&self, path: &Path) -> PathBuf {
        let resolve = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        // Elsewhere a file may go by its name in other letters too.
        let is_named_so = cfg!(target_os = "linux") && path.symlink_metadata().is_ok_and(|file| file.is_file());
        let (Some(folder), Some(name), true) = (path.parent(), path.file_name(), is_named_so) else { return resolve(path) };
        if let Some(real) = lock(&self.folders).get(folder) {
            return real.join(name);
        }
        let Ok(real) = folder.canonicalize() else { return resolve(path) };
        let file = real.join(name);
        lock(&self.folders).insert(folder.to_path_buf(), real);
        file
    }

    /// Gives the file its number; the first to come says under which path it is known. `true` where it was new.
    pub(crate) fn register(&self, slot: &Slot, file: &Arc<ParsedFile>, path: &Path, origin: Origin) -> (FileId, bool) {
        let mut new = false;
        let id = *slot.id.get_or_init(|| {
            new = true;
            self.push(path, file, origin)
        });
        (id, new)
    }

    /// Takes in the files of a dependency whose facts were kept by another run; the number of the first, which the others follow.
    pub(crate) fn add_kept(&self, krate: &Arc<KeptCrate>, count: u32) -> FileId {
        let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        let first = FileId(files.len() as u32);
        files.extend((0..count).map(|number| Entry::Kept(Arc::clone(krate), number)));
        first
    }

    /// Takes in a file that is no Rust.
    pub(crate) fn add_text(&self, path: &Path, text: &Arc<str>) -> FileId {
        let slot = self.slot(path);
        let facts = Arc::new(SourceFile { lines: LineIndex::new(text).into(), ..SourceFile::default() });
        let new = || Arc::new(ParsedFile { facts, text: Some(Arc::clone(text)), problem: None });
        let file = Arc::clone(slot.file.get_or_init(new));
        let origin = Origin { is_member: true, folder: ModuleFolder::of_root(path), declared_in: None };
        self.register(&slot, &file, path, origin).0
    }

    fn push(&self, path: &Path, file: &Arc<ParsedFile>, origin: Origin) -> FileId {
        let display = Arc::from(paths::display(path, &self.cwd));
        let entry = Entry::Read(Arc::new(ReadFile { path: Arc::from(path), display, file: Arc::clone(file), origin }));
        let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        files.push(entry);
        FileId(files.len() as u32 - 1)
    }

    fn read(&self, id: FileId) -> Option<Arc<ReadFile>> {
        match self.entry(id)? {
            Entry::Read(read) => Some(read),
            Entry::Kept(..) => None,
        }
    }

    fn entry(&self, id: FileId) -> Option<Entry> {
        self.files().get(id.0 as usize).cloned()
    }

    fn files(&self) -> RwLockReadGuard<'_, Vec<Entry>> {
        self.files.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A panic elsewhere does not make the maps wrong: each change is one insertion.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read_and_parse(real: &Path, reading: Reading<'_>) -> ParsedFile {
    let unreadable = |why: String| ParsedFile { problem: Some(FileProblem::Unreadable(why)), ..ParsedFile::default() };
    if let Some(boundary) = reading.boundary.filter(|boundary| !real.starts_with(boundary)) {
        return unreadable(format!("it lies outside of `{}`", boundary.display()));
    }
    let text = match read_text(real, MAX_SOURCE_BYTES) {
        Ok(text) => text,
        Err(error) => return unreadable(error.to_string()),
    };
    // A fault of the parser costs one file, not the run.
    match catch_unwind(AssertUnwindSafe(|| agentlint_syntax::parse(&text, &ParseOptions { bodies: reading.bodies }))) {
        Ok(mut facts) if !reading.is_member => {
            // Nobody looks for suppressions in a dependency.
            facts.comments = Vec::new();
            ParsedFile { facts: Arc::new(facts), text: None, problem: None }
        }
        Ok(facts) => ParsedFile { facts: Arc::new(facts), text: Some(Arc::from(text)), problem: None },
        Err(_) => ParsedFile { problem: Some(FileProblem::Internal), ..ParsedFile::default() },
    }
}
