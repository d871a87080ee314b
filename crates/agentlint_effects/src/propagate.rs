//! The least fixpoint over the calls: which effects each node has, and its first step on the shortest chain to a sink.

use std::collections::BTreeMap;

use agentlint_diagnostics::Confidence;
use rustc_hash::FxHashMap;

use crate::Effect;
use crate::events::{Event, Target};
use crate::nodes::Nodes;
use crate::resolve::ResolvedCatalog;

/// The next step of the shortest chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Witness {
    /// The event, or of a node that another run found out about the kept effect.
    pub(crate) event: u32,
    /// The node that the event leads to; none at a sink.
    pub(crate) next: Option<u32>,
    pub(crate) confidence: Confidence,
    /// How many steps it is to the sink.
    pub(crate) depth: u32,
}

/// Where a chain ends: a call of a sink, or an effect that another run found.
#[derive(Clone, Copy)]
struct End {
    node: usize,
    event: u32,
    effect: Effect,
    confidence: Confidence,
    depth: u32,
}

/// The nodes at each distance from their sinks.
type Levels = BTreeMap<u32, Vec<usize>>;

impl Nodes {
    /// One effect after the other, level by level from the sinks upwards, so that the first witness found is the shortest; surer
    /// chains first. Of several that are as short, a body's first call counts: how nodes are numbered decides nothing, so that it
    /// does not matter what other runs have found.
    pub(crate) fn propagate(&mut self, catalog: &ResolvedCatalog) {
        let ends = self.ends(catalog);
        if ends.is_empty() {
            return;
        }
        let callers = self.callers();
        for effect in Effect::ALL {
            let of_effect: Vec<End> = ends.iter().filter(|end| end.effect == effect).copied().collect();
            // What surer tiers found is where weaker edges start.
            let mut reached = Levels::new();
            for tier in [Confidence::Certain, Confidence::Likely, Confidence::Possible] {
                let mut levels = std::mem::take(&mut reached);
                let mut first: FxHashMap<usize, End> = FxHashMap::default();
                for end in of_effect.iter().filter(|end| end.confidence >= tier && self.all[end.node].witness(effect).is_none()) {
                    let best = first.entry(end.node).or_insert(*end);
                    if (end.depth, end.event) < (best.depth, best.event) {
                        *best = *end;
                    }
                }
                for End { node, depth, .. } in first.values() {
                    levels.entry(*depth).or_default().push(*node);
                }
                while let Some((depth, level)) = levels.pop_first() {
                    let level = self.settle(effect, tier, depth, level, &first);
                    for (caller, at) in self.next(effect, tier, &level, &callers) {
                        let witness = Witness { event: at.0, next: Some(at.2), confidence: tier, depth: depth + 1 };
                        self.all[caller].witnesses.push((effect, witness));
                        levels.entry(depth + 1).or_default().push(caller);
                    }
                    reached.entry(depth).or_default().extend(level);
                }
            }
        }
    }

    /// Gives the ends of that level their witnesses, and leaves those out that something shorter has reached.
    fn settle(
        &mut self,
        effect: Effect,
        tier: Confidence,
        depth: u32,
        level: Vec<usize>,
        ends: &FxHashMap<usize, End>,
    ) -> Vec<usize> {
        let mut settled = Vec::with_capacity(level.len());
        for at in level {
            let node = &mut self.all[at];
            match (node.witness(effect), ends.get(&at)) {
                (None, Some(end)) => {
                    node.witnesses.push((effect, Witness { event: end.event, next: None, confidence: tier, depth }));
                    settled.push(at);
                }
                (Some(witness), _) if witness.depth == depth => settled.push(at),
                _ => {}
            }
        }
        settled.sort_unstable();
        settled.dedup();
        settled
    }

    /// The nodes without a witness that call into the level: each with its first event that does, the place among what that event
    /// leads to, and the node there.
    fn next(
        &self,
        effect: Effect,
        tier: Confidence,
        level: &[usize],
        callers: &[Vec<(u32, u32, u32)>],
    ) -> FxHashMap<usize, (u32, u32, u32)> {
        let mut next: FxHashMap<usize, (u32, u32, u32)> = FxHashMap::default();
        for at in level {
            for (caller, event, place) in &callers[*at] {
                let node = &self.all[*caller as usize];
                if node.events[*event as usize].confidence < tier || node.witness(effect).is_some() {
                    continue;
                }
                let found = (*event, *place, *at as u32);
                let best = next.entry(*caller as usize).or_insert(found);
                *best = found.min(*best);
            }
        }
        next
    }

    fn ends(&self, catalog: &ResolvedCatalog) -> Vec<End> {
        let mut ends = Vec::new();
        for (node, data) in self.all.iter().enumerate() {
            for (event, Event { target, confidence, .. }) in data.events.iter().enumerate() {
                if let Target::Sink(entry) = *target {
                    let effect = catalog.entries[entry].effect;
                    ends.push(End { node, event: event as u32, effect, confidence: *confidence, depth: 1 });
                }
            }
            for (event, kept) in data.kept.iter().enumerate() {
                let (effect, confidence, depth) = (kept.effect, kept.confidence, kept.depth);
                ends.push(End { node, event: event as u32, effect, confidence, depth });
            }
        }
        ends
    }

    /// For each node the nodes that lead to it, with the event and the place among what that leads to.
    fn callers(&self) -> Vec<Vec<(u32, u32, u32)>> {
        let mut callers = vec![Vec::new(); self.all.len()];
        for (at, node) in self.all.iter().enumerate() {
            for (event, reached) in node.reached.iter().enumerate() {
                for (place, reached) in reached.iter().enumerate() {
                    callers[*reached as usize].push((at as u32, event as u32, place as u32));
                }
            }
        }
        callers
    }
}
