//! Walks a module tree from its root: first in parallel to parse, then in order to number and to connect.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use agentlint_diagnostics::{Diagnostic, FileId, Level, Location};
use agentlint_semantic::input::CrateFiles;
use agentlint_syntax::Bodies;
use agentlint_syntax::ast::{ItemId, SourceFile};
use rayon::Scope;
use rustc_hash::{FxHashMap, FxHashSet};

use super::CrateSource;
use super::modules::{DeclaredModule, ModuleFolder, declared_modules};
use crate::paths;
use crate::sources::{FileProblem, Origin, ParsedFile, Reading, Slot, Sources};

/// Parses the files of all `crates` on the current pool; nothing is numbered yet.
pub(crate) fn prefetch<'a>(sources: &'a Sources, crates: impl IntoIterator<Item = &'a CrateSource>) {
    let tasks: Vec<Prefetch<'a>> =
        crates.into_iter().map(|source| Prefetch { sources, source, seen: Mutex::default() }).collect();
    rayon::scope(|scope| {
        for task in tasks.iter().filter(|task| !task.source.root.as_os_str().is_empty()) {
            scope.spawn(|scope| task.file(scope, &task.source.root, &ModuleFolder::of_root(&task.source.root)));
        }
    });
}

struct Prefetch<'a> {
    sources: &'a Sources,
    source: &'a CrateSource,
    seen: Mutex<FxHashSet<PathBuf>>,
}

impl Prefetch<'_> {
    fn file<'s>(&'s self, scope: &Scope<'s>, path: &Path, folder: &ModuleFolder) {
        let (slot, file) = self.sources.parse(path, self.source.reading());
        if !self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(slot.real.clone()) {
            return;
        }
        for module in declared_modules(&file.facts, folder, &self.source.cfg) {
            let Some((path, folder)) = module.found else { continue };
            scope.spawn(move |scope| self.file(scope, &path, &folder));
        }
    }
}

/// The physical files that a crate reaches, without numbering them.
pub(crate) fn reached_files(sources: &Sources, source: &CrateSource) -> FxHashSet<PathBuf> {
    let mut reached = FxHashSet::default();
    if source.root.as_os_str().is_empty() {
        return reached;
    }
    let mut open = vec![(source.root.clone(), ModuleFolder::of_root(&source.root))];
    while let Some((path, folder)) = open.pop() {
        let (slot, file) = sources.parse(&path, source.reading());
        if reached.insert(slot.real.clone()) {
            let declared = declared_modules(&file.facts, &folder, &source.cfg);
            open.extend(declared.into_iter().filter_map(|module| module.found));
        }
    }
    reached
}

/// The files of a crate; `None` where its root is not there. What is wrong with a member's files goes into `problems`.
pub(crate) fn walk(sources: &Sources, source: &CrateSource, problems: &mut Problems) -> Option<CrateFiles> {
    if !source.root.is_file() {
        return None;
    }
    let mut walk = Walk { sources, source, problems, facts: FxHashMap::default(), modules: FxHashMap::default() };
    let root = walk.tree();
    Some(CrateFiles { root, facts: walk.facts, modules: walk.modules })
}

/// What was wrong with files, each thing once.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    pub(crate) found: Vec<Diagnostic>,
    missing: FxHashSet<(FileId, ItemId)>,
}

struct Walk<'a> {
    sources: &'a Sources,
    source: &'a CrateSource,
    problems: &'a mut Problems,
    facts: FxHashMap<FileId, Arc<SourceFile>>,
    modules: FxHashMap<(FileId, ItemId), FileId>,
}

/// A file whose modules are being visited.
struct Frame {
    id: FileId,
    rest: std::vec::IntoIter<DeclaredModule>,
}

/// A file that the walk has come to.
struct Entered {
    id: FileId,
    declared: Vec<DeclaredModule>,
    is_new: bool,
}

impl Walk<'_> {
    /// Depth first, in the order of the text. The stack is our own: a chain of modules can be as long as there are files.
    fn tree(&mut self) -> FileId {
        let root = self.enter(&self.source.root, &ModuleFolder::of_root(&self.source.root));
        let mut stack = vec![Frame { id: root.id, rest: root.declared.into_iter() }];
        while let Some(frame) = stack.last_mut() {
            let parent = frame.id;
            let Some(module) = frame.rest.next() else {
                stack.pop();
                continue;
            };
            let Some((path, folder)) = module.found else {
                self.missing(parent, module.item, &module.tried);
                continue;
            };
            let entered = self.enter(&path, &folder);
            // A file that stands behind several modules does so only where it has none of its own: else it could be its own
            // ancestor, or a few files make millions of modules.
            if entered.is_new || entered.declared.iter().all(|module| module.found.is_none()) {
                self.modules.insert((parent, module.item), entered.id);
            }
            if entered.is_new {
                stack.push(Frame { id: entered.id, rest: entered.declared.into_iter() });
            }
        }
        root.id
    }

    fn enter(&mut self, path: &Path, folder: &ModuleFolder) -> Entered {
        let (slot, file) = self.sources.parse(path, self.source.reading());
        let id = self.register(&slot, &file, path, folder);
        let is_new = self.facts.insert(id, Arc::clone(&file.facts)).is_none();
        Entered { id, declared: declared_modules(&file.facts, folder, &self.source.cfg), is_new }
    }

    fn register(&mut self, slot: &Slot, file: &Arc<ParsedFile>, path: &Path, folder: &ModuleFolder) -> FileId {
        let origin = Origin { is_member: self.source.is_member, folder: folder.clone(), declared_in: None };
        let (id, new) = self.sources.register(slot, file, path, origin);
        if new && self.source.is_member {
            self.report_file(id, file);
        }
        id
    }

    fn report_file(&mut self, id: FileId, file: &ParsedFile) {
        let shown = self.sources.display_path(id).unwrap_or_default();
        let mut report = |lint, message: String, start, end| {
            self.problems.found.push(Diagnostic::new(lint, Level::Warn, message, Location { file: id, start, end }));
        };
        match &file.problem {
            Some(FileProblem::Unreadable(why)) => report("unreadable_file", format!("cannot read `{shown}`: {why}"), 0, 0),
            Some(FileProblem::Internal) => report("internal_error", format!("parsing `{shown}` panicked"), 0, 0),
            None => {}
        }
        for error in &file.facts.errors {
            report("syntax_error", error.message.clone(), error.span.start, error.span.end);
        }
    }

    fn missing(&mut self, file: FileId, item: ItemId, tried: &[PathBuf]) {
        // Several targets may contain the declaring file.
        if !self.source.is_member || !self.problems.missing.insert((file, item)) {
            return;
        }
        let Some(item) = self.facts.get(&file).and_then(|facts| facts.items.get(item)) else { return };
        let location = Location { file, start: item.name_span.start, end: item.name_span.end };
        let message = format!("the file of module `{}` is missing", item.name);
        let mut diagnostic = Diagnostic::new("unreadable_file", Level::Warn, message, location);
        let tried: Vec<String> = tried.iter().map(|path| format!("`{}`", paths::display(path, self.sources.cwd()))).collect();
        diagnostic.notes.push(format!("looked for {}", tried.join(" and ")));
        self.problems.found.push(diagnostic);
    }
}

impl CrateSource {
    pub(super) fn reading(&self) -> Reading<'_> {
        let bodies = match self.is_member {
            true => self.own_bodies,
            false => Bodies::InText,
        };
        Reading { bodies, is_member: self.is_member, boundary: self.boundary.as_deref() }
    }
}
