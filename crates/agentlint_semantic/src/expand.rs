//! Macros called where items stand: which rules are meant, and what they expand to.
//!
//! Scopes are textual, as for `macro_rules!` itself; then come the macros of the crate by name, and those that `use` and
//! `#[macro_use]` bring from other crates.

use std::cell::OnceCell;
use std::hash::BuildHasher;
use std::rc::Rc;
use std::sync::Arc;

use agentlint_diagnostics::FileId;
use agentlint_syntax::{
    Bodies, Budget, Macro, MacroInput, Name,
    ast::{self, ItemId, ItemKind, MacroCall, SourceFile},
    name,
};
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::collect::Outside;
use crate::definitions::Collected;
use crate::input::{CrateGraph, CrateId, ExpansionKey};

/// Calls nested deeper than this are not expanded.
pub(crate) const DEEPEST: u32 = 48;
/// The most items that the macros of one crate may make.
pub(crate) const MOST_ITEMS: usize = 200_000;
/// What the calls among the items of a member may cost together, and each of another crate's, some of which may be kept. The most
/// seen is 400,000, in the crate `redis`.
pub(crate) const MOST_WORK: usize = 10_000_000;
/// Numbers of files that only exist as expansions start here.
pub(crate) const FIRST_EXPANSION: u32 = 0x8000_0000;

/// A `macro_rules!` of some crate.
#[derive(Clone, Debug)]
pub(crate) struct MacroDef {
    pub(crate) krate: CrateId,
    pub(crate) facts: Arc<SourceFile>,
    pub(crate) item: ItemId,
}

impl MacroDef {
    pub(crate) fn is(&self, other: &MacroDef) -> bool {
        Arc::ptr_eq(&self.facts, &other.facts) && self.item == other.item
    }

    pub(crate) fn rules(&self) -> Option<&ast::MacroRules> {
        match &self.facts.items.get(self.item)?.kind {
            ItemKind::MacroRules(rules) => Some(rules),
            _ => None,
        }
    }
}

/// The hash of a macro's rules, and the rules once they were needed; `None` for such as are not understood.
#[derive(Clone)]
struct Rules {
    hash: u64,
    parsed: Rc<OnceCell<Option<Macro>>>,
}

/// Finds a macro of another crate, by the name that the asking crate has for it.
pub(crate) type ExternMacro<'a> = &'a dyn Fn(CrateId, Name, Name) -> Option<MacroDef>;

/// The macros that can be called at the present point of the walk through a crate.
pub(crate) struct MacroScope<'a> {
    krate: CrateId,
    /// Of crates that are not members few bodies are wanted.
    bodies: Bodies,
    /// A member's, whose expansions are never kept.
    budget: Option<Budget>,
    textual: Vec<(Name, MacroDef)>,
    /// Every macro of the crate, wherever it stands, with its file.
    by_name: FxHashMap<Name, (FileId, MacroDef)>,
    /// Crates declared with `#[macro_use]`.
    used_crates: Vec<Name>,
    outside: &'a Outside<'a>,
    parsed: FxHashMap<(CrateId, usize, ItemId), Rules>,
    /// Of expansions, by their files.
    keys: FxHashMap<FileId, ExpansionKey>,
    pub(crate) depth: u32,
    next_file: u32,
    items: usize,
}

impl<'a> MacroScope<'a> {
    pub(crate) fn new<'f>(
        krate: CrateId,
        is_member: bool,
        files: impl Iterator<Item = (&'f FileId, &'f Arc<SourceFile>)>,
        outside: &'a Outside<'a>,
    ) -> Self {
        let mut scope = MacroScope {
            krate,
            bodies: if is_member { Bodies::Full } else { Bodies::InText },
            budget: is_member.then(|| Budget::new(MOST_WORK)),
            textual: Vec::new(),
            by_name: FxHashMap::default(),
            used_crates: Vec::new(),
            outside,
            parsed: FxHashMap::default(),
            keys: FxHashMap::default(),
            depth: 0,
            next_file: FIRST_EXPANSION,
            items: 0,
        };
        let mut files: Vec<_> = files.collect();
        files.sort_by_key(|(id, _)| **id);
        for (id, facts) in files {
            scope.add_all(*id, facts);
        }
        scope
    }

    /// Makes the macros of a file known by name.
    pub(crate) fn add_all(&mut self, file: FileId, facts: &Arc<SourceFile>) {
        for (item, data) in facts.items.iter_enumerated() {
            if let ItemKind::MacroRules(rules) = &data.kind {
                let def = (file, MacroDef { krate: self.krate, facts: Arc::clone(facts), item });
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

    /// Every macro of the crate: its file and item there.
    pub(crate) fn known(self) -> FxHashMap<Name, (u32, ItemId)> {
        self.by_name.into_iter().map(|(known, (file, def))| (known, (file.0, def.item))).collect()
    }

    /// What names an expansion in other runs.
    pub(crate) fn key_of(&self, expansion: FileId) -> Option<ExpansionKey> {
        self.keys.get(&expansion).copied()
    }

    /// The macro that a path means in a module with these imports.
    fn find(&self, path: &ast::Path, defs: &Collected, module: u32) -> Option<MacroDef> {
        let segments = &path.segments;
        let last = segments.last()?.name;
        if segments.len() == 1 {
            if let Some((_, def)) = self.textual.iter().rev().find(|(declared, _)| *declared == last) {
                return Some(def.clone());
            }
            if let Some(import) = defs.modules.get(&module).and_then(|data| data.import_named(last)) {
                return self.by_path(&import.path);
            }
            if let Some((_, def)) = self.by_name.get(&last) {
                return Some(def.clone());
            }
            return self.used_crates.iter().find_map(|krate| (self.outside.extern_macro)(self.krate, *krate, last));
        }
        let names: Vec<Name> = segments.iter().map(|s| s.name).collect();
        self.by_path(&names)
    }

    fn by_path(&self, path: &[Name]) -> Option<MacroDef> {
        let (first, last) = (*path.first()?, *path.last()?);
        let own = || self.by_name.get(&last).map(|(_, def)| def.clone());
        if is_own(first) || path.len() == 1 {
            return own();
        }
        (self.outside.extern_macro)(self.krate, first, last).or_else(own)
    }

    /// What the macro call of an item expands to, with the number of its file.
    pub(crate) fn expand(&mut self, site: &CallSite<'_>, defs: &Collected) -> Option<(FileId, Arc<SourceFile>)> {
        if self.depth >= DEEPEST || self.items >= MOST_ITEMS {
            return None;
        }
        let def = self.find(&site.call.path, defs, site.module)?;
        let rules = self.rules(&def)?;
        let key = self.key(site, &def, rules.hash);
        let kept = key.and_then(|key| self.outside.loader.kept_expansion(self.krate, key));
        let ahead = || self.outside.ahead.get(site.within, site.item, &def, self.budget.as_ref());
        let facts = match kept.or_else(ahead) {
            Some(facts) => facts,
            None => {
                let own = Budget::new(MOST_WORK);
                let parsed = rules.parsed.get_or_init(|| Macro::new(def.rules()?).ok());
                let dollar_crate = self.outside.markers.of(def.krate);
                let budget = self.budget.as_ref().unwrap_or(&own);
                let input = MacroInput { text: &site.call.text, origin: site.call.origin(site.span), dollar_crate, budget };
                let facts = Arc::new(parsed.as_ref()?.expand_items(input, self.bodies).ok()?);
                if let Some(key) = key {
                    self.outside.loader.keep_expansion(self.krate, key, &facts);
                }
                facts
            }
        };
        self.items += facts.items.len();
        let id = FileId(self.next_file);
        self.next_file += 1;
        self.add_all(id, &facts);
        self.keys.extend(key.map(|key| (id, key)));
        Some((id, facts))
    }

    fn rules(&mut self, def: &MacroDef) -> Option<Rules> {
        let key = (def.krate, Arc::as_ptr(&def.facts) as usize, def.item);
        if let Some(known) = self.parsed.get(&key) {
            return Some(known.clone());
        }
        let rules = Rules { hash: FxBuildHasher.hash_one(def.rules()?.text.as_str()), parsed: Rc::default() };
        self.parsed.insert(key, rules.clone());
        Some(rules)
    }

    /// The sources of the crate fix the call; the rules may come from a crate of another version.
    fn key(&self, site: &CallSite<'_>, def: &MacroDef, rules: u64) -> Option<ExpansionKey> {
        let marker = self.outside.markers.lasting(def.krate)?;
        let file = match self.keys.get(&site.file) {
            Some(ExpansionKey(outer)) => (*outer, u32::MAX),
            None => (0, self.outside.loader.lasting_number(self.krate, site.file)?),
        };
        Some(ExpansionKey(FxBuildHasher.hash_one((file, site.item.raw(), rules, marker))))
    }
}

/// Whether a path that begins so leads into the crate that it is written in.
pub(crate) fn is_own(segment: Name) -> bool {
    ["crate", "self", "super", "$crate"].iter().any(|own| segment == name(own))
}

/// An item that is a macro call.
pub(crate) struct CallSite<'a> {
    pub(crate) call: &'a MacroCall,
    pub(crate) within: &'a Arc<SourceFile>,
    pub(crate) file: FileId,
    pub(crate) item: ItemId,
    /// The whole item.
    pub(crate) span: agentlint_syntax::Span,
    pub(crate) module: u32,
}

/// The names that stand for `$crate`, one for each crate of the program.
#[derive(Debug)]
pub(crate) struct Markers {
    names: Vec<(Name, bool)>,
    crates: FxHashMap<Name, CrateId>,
}

const MARKER: &str = "__agentlint_crate_";

impl Markers {
    /// A package of the registry is named alike in every program, so that what was expanded with its name can be kept.
    pub(crate) fn new(graph: &CrateGraph) -> Markers {
        let mut markers = Markers { names: Vec::new(), crates: FxHashMap::default() };
        for (id, node) in graph.crates.iter_enumerated() {
            let version = node.version.as_deref().unwrap_or_default().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
            let lasting = name(&format!("{MARKER}{}_v{version}", node.name));
            let is_lasting = !node.is_member && !markers.crates.contains_key(&lasting);
            let marker = if is_lasting { lasting } else { name(&format!("{MARKER}{}", id.raw())) };
            markers.names.push((marker, is_lasting));
            markers.crates.insert(marker, id);
        }
        markers
    }

    pub(crate) fn of(&self, krate: CrateId) -> &str {
        self.names.get(usize::from(krate)).map_or(MARKER, |(marker, _)| marker.as_str())
    }

    pub(crate) fn lasting(&self, krate: CrateId) -> Option<&str> {
        self.names.get(usize::from(krate)).filter(|(_, is_lasting)| *is_lasting).map(|(marker, _)| marker.as_str())
    }

    /// The crate behind such a name.
    pub(crate) fn krate(&self, segment: Name) -> Option<CrateId> {
        self.crates.get(&segment).copied()
    }
}
