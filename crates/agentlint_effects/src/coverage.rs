//! How much of what runs while tasks are polled was understood.

use std::collections::BTreeMap;

use agentlint_semantic::Program;
use agentlint_semantic::def::DefId;
use agentlint_semantic::infer::{CallKind, Callee};
use agentlint_syntax::ast::ExprKind;
use rustc_hash::FxHashMap;

use crate::Effects;

/// Counts of the calls that are written in async contexts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    pub calls: usize,
    pub resolved: usize,
    /// Why the others are not, the most frequent first.
    pub reasons: Vec<(String, usize)>,
    /// Calls of macros of which nothing is known but their arguments, by the macro's name.
    pub macros: Vec<(String, usize)>,
    /// Attribute macros of other crates of which nothing is known, by name, with the number of items that they stand on.
    pub attributes: Vec<(String, usize)>,
}

impl Effects {
    /// How much was understood.
    pub fn coverage(&self, program: &Program<'_>) -> Coverage {
        let mut coverage = Coverage::default();
        let mut reasons = BTreeMap::new();
        let mut macros = BTreeMap::new();
        let mut contexts: FxHashMap<DefId, Vec<u32>> = FxHashMap::default();
        for region in self.contexts() {
            contexts.entry(region.owner).or_default().push(region.index);
        }
        for (owner, here) in &contexts {
            let (Some(facts), Some(body)) = (self.facts(*owner), program.body(*owner)) else { continue };
            for region in here {
                for at in &facts.regions.regions[*region as usize].calls {
                    let call = &facts.inferred.calls[*at as usize];
                    if !matches!(call.kind, CallKind::Function | CallKind::Method) {
                        continue;
                    }
                    coverage.calls += 1;
                    match call.callee {
                        Callee::Unresolved(reason) => *reasons.entry(reason.text().to_owned()).or_default() += 1,
                        _ => coverage.resolved += 1,
                    }
                }
            }
            for (expr, data) in body.exprs.iter_enumerated() {
                if let ExprKind::Macro(call) = &data.kind
                    && here.contains(&facts.regions.region_of[expr])
                    && !program.is_understood_macro(&call.path)
                {
                    let name = call.path.segments.last().map(|last| last.name.to_string()).unwrap_or_default();
                    *macros.entry(name).or_default() += 1;
                }
            }
        }
        let mut attributes = BTreeMap::new();
        for name in program.members().flat_map(|krate| program.unknown_attributes(krate)) {
            *attributes.entry(name).or_default() += 1;
        }
        coverage.reasons = by_count(reasons);
        coverage.macros = by_count(macros);
        coverage.attributes = by_count(attributes);
        coverage
    }
}

fn by_count(counts: BTreeMap<String, usize>) -> Vec<(String, usize)> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}
