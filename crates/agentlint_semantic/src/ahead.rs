//! What the macros of a member expand to, so that many threads may find it before one walks through the crate.
//!
//! Which macro a call means depends on what stands before it. Here the one of that name is taken, where the crate has only one:
//! nearly always it is the one that is meant, and where it is not, nobody asks for what was found.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use agentlint_diagnostics::FileId;
use agentlint_syntax::ast::{Item, ItemId, ItemKind, MacroCall, SourceFile};
use agentlint_syntax::{Bodies, Macro, MacroInput, Name};
use rustc_hash::FxHashMap;

use crate::expand::{MOST_ITEMS, MacroDef};
use crate::input::CrateId;
use crate::program::Program;

/// What was expanded ahead.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    found: RwLock<FxHashMap<(CrateId, FileId, ItemId), Expansion>>,
    items: AtomicUsize,
}

#[derive(Debug)]
struct Expansion {
    of: MacroDef,
    facts: Arc<SourceFile>,
}

/// A call of a macro among the items of a member, and the macro that it seems to mean.
pub struct LikelyCall {
    krate: CrateId,
    file: FileId,
    facts: Arc<SourceFile>,
    item: ItemId,
    def: MacroDef,
}

impl Program<'_> {
    /// The calls of a member's own macros, those of one macro side by side. Does not load the member.
    pub fn likely_calls(&self, krate: CrateId) -> Vec<LikelyCall> {
        let Some(files) = self.loader().load(krate) else { return Vec::new() };
        let mut macros: FxHashMap<Name, Option<MacroDef>> = FxHashMap::default();
        for facts in files.facts.values() {
            for (item, declared) in facts.items.iter_enumerated().filter(|(_, item)| matches!(item.kind, ItemKind::MacroRules(_)))
            {
                let def = MacroDef { krate, facts: Arc::clone(facts), item };
                macros.entry(declared.name).and_modify(|known| *known = None).or_insert(Some(def));
            }
        }
        let mut calls = Vec::new();
        let cfg = &self.node(krate).cfg;
        for (file, facts) in &files.facts {
            let items = facts.items.iter_enumerated();
            for (item, _) in items.filter(|(_, item)| item.cfg.as_ref().is_none_or(|written| cfg.holds(written))) {
                if let Some((_, MacroCall { path, .. })) = call(facts, item)
                    && let [only] = path.segments.as_slice()
                    && let Some(Some(def)) = macros.get(&only.name)
                {
                    calls.push(LikelyCall { krate, file: *file, facts: Arc::clone(facts), item, def: def.clone() });
                }
            }
        }
        calls.sort_by_key(|call| (Arc::as_ptr(&call.def.facts) as usize, call.def.item, call.file, call.item));
        calls
    }

    /// Expands the calls for whoever walks through their crate.
    pub fn expand_ahead(&self, calls: &[LikelyCall]) {
        let mut known: Option<(&MacroDef, Option<Macro>)> = None;
        for call in calls {
            if self.ahead.items.load(Ordering::Relaxed) > MOST_ITEMS {
                return;
            }
            let parsed = match known.take().filter(|(def, _)| def.is(&call.def)) {
                Some(same) => same,
                None => (&call.def, call.def.rules().and_then(|rules| Macro::new(rules).ok())),
            };
            if let Some(facts) = parsed.1.as_ref().and_then(|rules| self.expanded(call, rules)) {
                self.ahead.items.fetch_add(facts.items.len(), Ordering::Relaxed);
                let mut found = self.ahead.found.write().unwrap_or_else(PoisonError::into_inner);
                found.insert((call.krate, call.file, call.item), Expansion { of: call.def.clone(), facts: Arc::new(facts) });
            }
            known = Some(parsed);
        }
    }

    fn expanded(&self, likely: &LikelyCall, rules: &Macro) -> Option<SourceFile> {
        let (item, call) = call(&likely.facts, likely.item)?;
        let dollar_crate = self.markers.of(likely.krate);
        let input = MacroInput { text: &call.text, origin: call.origin(item.span), dollar_crate };
        rules.expand_items(input, Bodies::Full).ok()
    }
}

impl Ahead {
    /// What a call expands to, if it was expanded with this macro.
    pub(crate) fn get(&self, krate: CrateId, file: FileId, item: ItemId, def: &MacroDef) -> Option<Arc<SourceFile>> {
        let found = self.found.read().unwrap_or_else(PoisonError::into_inner);
        found.get(&(krate, file, item)).filter(|known| known.of.is(def)).map(|known| Arc::clone(&known.facts))
    }
}

fn call(facts: &SourceFile, item: ItemId) -> Option<(&Item, &MacroCall)> {
    let item = facts.items.get(item)?;
    match &item.kind {
        ItemKind::MacroCall(call) => Some((item, call)),
        _ => None,
    }
}
