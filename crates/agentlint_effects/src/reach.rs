//! Who reaches a piece of code: from where it stands back over the calls to where work comes in.

use std::sync::OnceLock;

use agentlint_diagnostics::FileId;
use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, DefKind};
use agentlint_semantic::infer::Callee;
use agentlint_syntax::Span;
use agentlint_syntax::ast::ExprId;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::Effects;
use crate::body::BodyFacts;
use crate::entries::{Entries, Entry};
use crate::region::RegionId;

/// Who calls whom among the members, and where work comes in. Made when something first asks.
#[derive(Default)]
pub(crate) struct Reach(OnceLock<Graph>);

struct Graph {
    entries: Entries,
    /// The regions that call a function, or name it.
    callers: FxHashMap<DefId, Vec<RegionId>>,
    /// The bodies of each file, by where their items start.
    owners: FxHashMap<FileId, Vec<(Span, DefId)>>,
}

impl Effects {
    /// Where the work comes in that reaches the code at a place, sorted.
    pub fn reached_from(&self, program: &Program<'_>, file: FileId, at: u32) -> Vec<Entry> {
        let graph = self.reach.0.get_or_init(|| Graph::new(self, program));
        let around = graph.owners.get(&file).into_iter().flatten().filter(|(span, _)| span.start <= at && at < span.end);
        // Functions may stand in functions.
        let Some((_, owner)) = around.min_by_key(|(span, _)| span.end - span.start) else { return Vec::new() };
        let Some(region) = self.facts(*owner).and_then(|facts| region_at(program, facts, at)) else { return Vec::new() };
        graph.entries_of(self, region, |_| true)
    }

    /// Finds out who calls whom, for whoever asks later.
    pub fn find_callers(&self, program: &Program<'_>) {
        self.reach.0.get_or_init(|| Graph::new(self, program));
    }

    /// The regions that call a function, or name it.
    pub(crate) fn callers_of(&self, program: &Program<'_>, function: DefId) -> Vec<RegionId> {
        let graph = self.reach.0.get_or_init(|| Graph::new(self, program));
        graph.callers.get(&function).cloned().unwrap_or_default()
    }

    /// Where the work comes in that runs a region each time: not what only runs once, for all.
    pub(crate) fn reached_each_time(&self, program: &Program<'_>, region: RegionId) -> Vec<Entry> {
        let graph = self.reach.0.get_or_init(|| Graph::new(self, program));
        graph.entries_of(self, region, |region| !self.runs_once(program, region))
    }
}

impl Effects {
    /// Where the handlers that run a region go into a router: the calls that name them.
    pub(crate) fn routed(&self, program: &Program<'_>, region: RegionId) -> Vec<(DefId, ExprId)> {
        let graph = self.reach.0.get_or_init(|| Graph::new(self, program));
        let above = graph.regions_above(self, region, |_| true).into_iter();
        let mut routed: Vec<_> =
            above.flat_map(|region| graph.entries.routed.get(&region).into_iter().flatten().copied()).collect();
        routed.sort_unstable();
        routed.dedup();
        routed
    }
}

impl Graph {
    fn new(effects: &Effects, program: &Program<'_>) -> Graph {
        let entries = Entries::new(program, &effects.catalog, effects.bodies());
        let mut callers: FxHashMap<DefId, Vec<RegionId>> = FxHashMap::default();
        let mut owners: FxHashMap<FileId, Vec<(Span, DefId)>> = FxHashMap::default();
        for owner in effects.owners() {
            let Some(facts) = effects.facts(owner) else { continue };
            if let Some(item) = program.item(owner) {
                let file = program.real_file(owner.krate, program.def(owner).file);
                owners.entry(file).or_default().push((item.span, owner));
            }
            let region = |expr| RegionId { owner, index: facts.regions.region_of[expr] };
            for call in &facts.inferred.calls {
                let Callee::Function { def, implementation, .. } = call.callee else { continue };
                for target in targets(program, def, implementation) {
                    callers.entry(target).or_default().push(region(call.expr));
                }
            }
            // One that is named to a router is called by who sends a request.
            let named = facts.inferred.paths.iter().filter(|(expr, ..)| entries.handlers.binary_search(&(owner, *expr)).is_err());
            for (expr, def, _) in named.filter(|(_, def, _)| program.kind(*def) == DefKind::Function) {
                callers.entry(*def).or_default().push(region(*expr));
            }
        }
        Graph { entries, callers, owners }
    }

    fn entries_of(&self, effects: &Effects, from: RegionId, is_passed: impl Fn(RegionId) -> bool) -> Vec<Entry> {
        let regions = self.regions_above(effects, from, is_passed).into_iter();
        let mut found: Vec<Entry> =
            regions.flat_map(|region| self.entries.by_region.get(&region).into_iter().flatten().cloned()).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The region and those that lead to it, as far as where work comes in.
    fn regions_above(&self, effects: &Effects, from: RegionId, is_passed: impl Fn(RegionId) -> bool) -> Vec<RegionId> {
        let mut above = Vec::new();
        let mut seen = FxHashSet::default();
        let mut open = vec![from];
        while let Some(region) = open.pop() {
            if !seen.insert(region) || !is_passed(region) {
                continue;
            }
            above.push(region);
            let is_handler = self.entries.by_region.get(&region).is_some_and(|all| all.iter().any(is_route));
            let Some(facts) = effects.facts(region.owner) else { continue };
            match facts.regions.regions.get(region.index as usize).and_then(|region| region.parent) {
                // Where the router is made nobody waits for the handler.
                Some(parent) if !is_handler => open.push(RegionId { owner: region.owner, index: parent }),
                Some(_) => {}
                None => open.extend(self.callers.get(&region.owner).into_iter().flatten()),
            }
        }
        above
    }
}

fn is_route(entry: &Entry) -> bool {
    matches!(entry, Entry::Route { .. })
}

/// The function itself; of a trait whose impl is not told, those of all impls of the program too.
pub(crate) fn targets(program: &Program<'_>, def: DefId, implementation: Option<DefId>) -> Vec<DefId> {
    let mut targets = vec![implementation.unwrap_or(def)];
    if let Some(holder) =
        program.container(def).filter(|holder| implementation.is_none() && program.kind(*holder) == DefKind::Trait)
        && program.node(holder.krate).is_member
    {
        let impls = program.member_impls(holder).into_iter();
        targets.extend(impls.filter_map(|i| program.member(i, program.name(def), |kind| kind == DefKind::Function)));
    }
    targets
}

/// The innermost region around a place.
fn region_at(program: &Program<'_>, facts: &BodyFacts, at: u32) -> Option<RegionId> {
    let owner = facts.inferred.owner;
    let body = program.body(owner)?;
    let regions = facts.regions.regions.iter().enumerate().skip(1);
    let around = regions.filter(|(_, region)| {
        let span = body.exprs[region.expr].span;
        span.start <= at && at < span.end
    });
    // Those inside come later.
    Some(RegionId { owner, index: around.map(|(index, _)| index as u32).max().unwrap_or(0) })
}
