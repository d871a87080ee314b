//! Macros called where items stand: which rules are meant, and what they expand to.
//!
//! Scopes are textual, as for `macro_rules!` itself; then come the macros of the crate by name, and those that `use` and
//! `#[macro_use]` bring from other crates.

use std::rc::Rc;
use std::sync::Arc;

use agentlint_diagnostics::FileId;
use agentlint_syntax::{
    Macro, MacroInput, Name,
    ast::{self, ItemId, ItemKind, MacroCall, SourceFile},
    name,
};
use rustc_hash::FxHashMap;

use crate::collect::CrateDefs;
use crate::input::CrateId;

/// Calls nested deeper than this are not expanded.
pub(crate) const DEEPEST: u32 = 48;
/// The most items that the macros of one crate may make.
pub(crate) const MOST_ITEMS: usize = 200_000;
/// Numbers of files that only exist as expansions start here.
const FIRST_EXPANSION: u32 = 0x8000_0000;

/// A `macro_rules!` of some crate.
#[derive(Clone, Debug)]
pub(crate) struct MacroDef {
    pub(crate) krate: CrateId,
    pub(crate) facts: Arc<SourceFile>,
    pub(crate) item: ItemId,
}

impl MacroDef {
    pub(crate) fn rules(&self) -> Option<&ast::MacroRules> {
        match &self.facts.items.get(self.item)?.kind {
            ItemKind::MacroRules(rules) => Some(rules),
            _ => None,
        }
    }
}

/// Finds a macro of another crate, by the name that the asking crate has for it.
pub(crate) type ExternMacro<'a> = &'a dyn Fn(CrateId, Name, Name) -> Option<MacroDef>;

/// The macros that can be called at the present point of the walk through a crate.
pub(crate) struct MacroScope<'a> {
    krate: CrateId,
    textual: Vec<(Name, MacroDef)>,
    /// Every macro of the crate, wherever it stands.
    by_name: FxHashMap<Name, MacroDef>,
    /// Crates declared with `#[macro_use]`.
    used_crates: Vec<Name>,
    extern_macro: ExternMacro<'a>,
    parsed: FxHashMap<(CrateId, usize, ItemId), Option<Rc<Macro>>>,
    pub(crate) depth: u32,
    next_file: u32,
    items: usize,
}

impl<'a> MacroScope<'a> {
    pub(crate) fn new<'f>(
        krate: CrateId,
        files: impl Iterator<Item = (&'f FileId, &'f Arc<SourceFile>)>,
        extern_macro: ExternMacro<'a>,
    ) -> Self {
        let mut scope = MacroScope {
            krate,
            textual: Vec::new(),
            by_name: FxHashMap::default(),
            used_crates: Vec::new(),
            extern_macro,
            parsed: FxHashMap::default(),
            depth: 0,
            next_file: FIRST_EXPANSION,
            items: 0,
        };
        let mut files: Vec<_> = files.collect();
        files.sort_by_key(|(id, _)| **id);
        for (_, facts) in files {
            scope.add_all(facts);
        }
        scope
    }

    /// Makes the macros of a file known by name.
    pub(crate) fn add_all(&mut self, facts: &Arc<SourceFile>) {
        for (item, data) in facts.items.iter_enumerated() {
            if let ItemKind::MacroRules(rules) = &data.kind {
                let def = MacroDef { krate: self.krate, facts: Arc::clone(facts), item };
                if rules.exported {
                    self.by_name.insert(data.name, def);
                } else {
                    self.by_name.entry(data.name).or_insert(def);
                }
            }
        }
    }

    pub(crate) fn declare(&mut self, declared: Name, facts: &Arc<SourceFile>, item: ItemId) {
        self.textual.push((declared, MacroDef { krate: self.krate, facts: Arc::clone(facts), item }));
    }

    pub(crate) fn use_crate(&mut self, krate: Name) {
        self.used_crates.push(krate);
    }

    pub(crate) fn mark(&self) -> usize {
        self.textual.len()
    }

    /// Forgets what was declared in a module that has no `#[macro_use]`.
    pub(crate) fn leave(&mut self, mark: usize) {
        self.textual.truncate(mark);
    }

    pub(crate) fn known(&self) -> FxHashMap<Name, MacroDef> {
        self.by_name.clone()
    }

    /// The macro that a path means in a module with these imports.
    fn find(&self, path: &ast::Path, defs: &CrateDefs, module: u32) -> Option<MacroDef> {
        let segments = &path.segments;
        let last = segments.last()?.name;
        if segments.len() == 1 {
            if let Some((_, def)) = self.textual.iter().rev().find(|(declared, _)| *declared == last) {
                return Some(def.clone());
            }
            if let Some(data) = defs.modules.get(&module)
                && let Some(position) = data.named_imports.get(&last).and_then(|p| p.first())
            {
                let import = &data.imports[*position as usize].import;
                return self.by_path(&import.path);
            }
            if let Some(def) = self.by_name.get(&last) {
                return Some(def.clone());
            }
            return self.used_crates.iter().find_map(|krate| (self.extern_macro)(self.krate, *krate, last));
        }
        let names: Vec<Name> = segments.iter().map(|s| s.name).collect();
        self.by_path(&names)
    }

    fn by_path(&self, path: &[Name]) -> Option<MacroDef> {
        let (first, last) = (*path.first()?, *path.last()?);
        let is_own = ["crate", "self", "super", "$crate"].iter().any(|own| first == name(own));
        if is_own || path.len() == 1 {
            return self.by_name.get(&last).cloned();
        }
        (self.extern_macro)(self.krate, first, last).or_else(|| self.by_name.get(&last).cloned())
    }

    /// What a call expands to, with the number of its file.
    pub(crate) fn expand(
        &mut self,
        call: &MacroCall,
        defs: &CrateDefs,
        module: u32,
        call_span: agentlint_syntax::Span,
    ) -> Option<(FileId, Arc<SourceFile>)> {
        if self.depth >= DEEPEST || self.items >= MOST_ITEMS {
            return None;
        }
        let def = self.find(&call.path, defs, module)?;
        let key = (def.krate, Arc::as_ptr(&def.facts) as usize, def.item);
        let parsed = self.parsed.entry(key).or_insert_with(|| Macro::new(def.rules()?).ok().map(Rc::new));
        let rules = Rc::clone(parsed.as_ref()?);
        let dollar_crate = crate_marker(def.krate);
        let input = MacroInput { text: &call.text, offset: call.tokens.start, call_span, dollar_crate: &dollar_crate };
        let facts = rules.expand_items(input).ok()?;
        self.items += facts.items.len();
        let facts = Arc::new(facts);
        self.add_all(&facts);
        let id = FileId(self.next_file);
        self.next_file += 1;
        Some((id, facts))
    }
}

const MARKER: &str = "__agentlint_crate_";

/// The name that stands for `$crate` of a crate.
pub(crate) fn crate_marker(krate: CrateId) -> String {
    format!("{MARKER}{}", krate.raw())
}

/// The crate behind such a name.
pub(crate) fn marked_crate(segment: Name) -> Option<CrateId> {
    segment.strip_prefix(MARKER)?.parse::<u32>().ok().map(CrateId::from_raw)
}
