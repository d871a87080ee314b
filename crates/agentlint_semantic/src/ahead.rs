//! What the macros of a member expand to, so that many threads may find it before one walks through the crate.
//!
//! Which macro a call means depends on what stands before it. Here the one of that name is taken, where the crate has only one:
//! nearly always it is the one that is meant, and where it is not, nobody asks for what was found.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use agentlint_syntax::ast::{Item, ItemId, ItemKind, MacroCall, SourceFile};
use agentlint_syntax::{Bodies, Budget, Macro, MacroInput, Name};
use rustc_hash::FxHashMap;

use crate::expand::{DEEPEST, MOST_ITEMS, MOST_WORK, MacroDef, is_own};
use crate::input::CrateId;
use crate::program::Program;

/// What was expanded ahead, by the address of the facts that hold the call, and the call.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    found: RwLock<FxHashMap<(usize, ItemId), Expansion>>,
    items: AtomicUsize,
    work: AtomicUsize,
}

#[derive(Debug)]
struct Expansion {
    /// Its address is no other's while it is held.
    within: Arc<SourceFile>,
    of: MacroDef,
    facts: Arc<SourceFile>,
    cost: usize,
}

/// Calls of a member's own macros among its items, and these macros.
pub struct LikelyCalls {
    krate: CrateId,
    macros: FxHashMap<Name, Option<MacroDef>>,
    calls: Vec<LikelyCall>,
}

/// A call of a macro among items, and the macro that it seems to mean.
pub struct LikelyCall {
    within: Arc<SourceFile>,
    item: ItemId,
    def: MacroDef,
}

impl LikelyCalls {
    /// Those of one macro side by side.
    pub fn calls(&self) -> &[LikelyCall] {
        &self.calls
    }
}

impl Program<'_> {
    /// The calls that stand in the member's files. Does not load it.
    pub fn likely_calls(&self, krate: CrateId) -> LikelyCalls {
        let mut likely = LikelyCalls { krate, macros: FxHashMap::default(), calls: Vec::new() };
        let Some(files) = self.loader().load(krate) else { return likely };
        for facts in files.facts.values() {
            for (item, declared) in facts.items.iter_enumerated().filter(|(_, item)| matches!(item.kind, ItemKind::MacroRules(_)))
            {
                let def = MacroDef { krate, facts: Arc::clone(facts), item };
                likely.macros.entry(declared.name).and_modify(|known| *known = None).or_insert(Some(def));
            }
        }
        let mut files: Vec<_> = files.facts.iter().collect();
        files.sort_by_key(|(file, _)| **file);
        likely.calls = files.into_iter().flat_map(|(_, facts)| self.calls_within(facts, &likely)).collect();
        likely.calls.sort_by_key(|call| (Arc::as_ptr(&call.def.facts) as usize, call.def.item));
        likely
    }

    fn calls_within(&self, facts: &Arc<SourceFile>, likely: &LikelyCalls) -> Vec<LikelyCall> {
        let cfg = &self.node(likely.krate).cfg;
        let items = facts.items.iter_enumerated().filter(|(_, item)| item.cfg.as_ref().is_none_or(|written| cfg.holds(written)));
        let calls = items.filter_map(|(item, _)| {
            let (_, MacroCall { path, .. }) = call(facts, item)?;
            let (first, last) = (path.segments.first()?.name, path.segments.last()?.name);
            if path.segments.len() > 1 && !is_own(first) && self.markers.krate(first) != Some(likely.krate) {
                return None;
            }
            let def = likely.macros.get(&last)?.clone()?;
            Some(LikelyCall { within: Arc::clone(facts), item, def })
        });
        calls.collect()
    }

    /// Expands some of the calls, and those in what they expand to, for whoever walks through their crate.
    pub fn expand_ahead(&self, likely: &LikelyCalls, calls: &[LikelyCall]) {
        let mut parsed: FxHashMap<(usize, ItemId), Option<Macro>> = FxHashMap::default();
        let mut level: Vec<LikelyCall> = Vec::new();
        for depth in 0..DEEPEST {
            let mut next = Vec::new();
            for call in if depth == 0 { calls } else { &level } {
                if self.ahead.items.load(Ordering::Relaxed) > MOST_ITEMS || self.ahead.work.load(Ordering::Relaxed) > MOST_WORK {
                    return;
                }
                let rules = parsed.entry((Arc::as_ptr(&call.def.facts) as usize, call.def.item));
                let rules = rules.or_insert_with(|| Macro::new(call.def.rules()?).ok());
                let budget = Budget::new(MOST_WORK);
                let expanded = rules.as_ref().and_then(|rules| self.expanded(likely.krate, call, rules, &budget));
                let cost = MOST_WORK - budget.left();
                self.ahead.work.fetch_add(cost, Ordering::Relaxed);
                let Some(facts) = expanded.map(Arc::new) else { continue };
                self.ahead.items.fetch_add(facts.items.len(), Ordering::Relaxed);
                next.extend(self.calls_within(&facts, likely));
                self.ahead.keep(call, facts, cost);
            }
            if next.is_empty() {
                break;
            }
            level = next;
        }
    }

    fn expanded(&self, krate: CrateId, likely: &LikelyCall, rules: &Macro, budget: &Budget) -> Option<SourceFile> {
        let (item, call) = call(&likely.within, likely.item)?;
        let dollar_crate = self.markers.of(krate);
        let input = MacroInput { text: &call.text, origin: call.origin(item.span), dollar_crate, budget };
        rules.expand_items(input, Bodies::Full).ok()
    }
}

impl Ahead {
    fn keep(&self, call: &LikelyCall, facts: Arc<SourceFile>, cost: usize) {
        let LikelyCall { within, item, def } = call;
        let expansion = Expansion { within: Arc::clone(within), of: def.clone(), facts, cost };
        let mut found = self.found.write().unwrap_or_else(PoisonError::into_inner);
        found.insert((Arc::as_ptr(within) as usize, *item), expansion);
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.found.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// What a call expands to, if it was expanded with this macro, for what that costs; `None` where the budget is too small.
    pub(crate) fn get(
        &self,
        within: &Arc<SourceFile>,
        item: ItemId,
        def: &MacroDef,
        budget: Option<&Budget>,
    ) -> Option<Arc<SourceFile>> {
        let found = self.found.read().unwrap_or_else(PoisonError::into_inner);
        let known = found.get(&(Arc::as_ptr(within) as usize, item))?;
        let is_it = Arc::ptr_eq(&known.within, within) && known.of.is(def);
        (is_it && budget.is_none_or(|budget| budget.pay(known.cost))).then(|| Arc::clone(&known.facts))
    }
}

fn call(facts: &SourceFile, item: ItemId) -> Option<(&Item, &MacroCall)> {
    let item = facts.items.get(item)?;
    match &item.kind {
        ItemKind::MacroCall(call) => Some((item, call)),
        _ => None,
    }
}
