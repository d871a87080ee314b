//! The nodes that effects flow through: every region of every body, and again for the types that a generic body is called with
//! where these decide what it calls.

use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, DefKind};
use agentlint_semantic::infer::Callee;
use agentlint_semantic::types::{Args, Ty};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use crate::Effect;
use crate::body::{Bodies, BodyFacts};
use crate::closures::Closures;
use crate::drops::Drops;
use crate::events::{Builder, Event, Followed, RegionEvents, Target, With};
use crate::region::RegionId;
use crate::resolve::ResolvedCatalog;
use crate::roles::{Function, RoleCalls};
use crate::summary::Witness;

/// A region with what happens in it.
pub(crate) struct Node {
    pub(crate) region: RegionId,
    /// The node of the body's own code; those of its other regions follow it.
    first: u32,
    pub(crate) events: Vec<Event>,
    /// For each event, the nodes that it leads to.
    pub(crate) reached: Vec<SmallVec<[u32; 1]>>,
    /// Whether its code runs while a task is polled. Never so for one of chosen types: the general one is reported.
    pub(crate) is_context: bool,
    /// By effect; most regions have none.
    pub(crate) witnesses: SmallVec<[(Effect, Witness); 1]>,
}

impl Node {
    pub(crate) fn witness(&self, effect: Effect) -> Option<Witness> {
        self.witnesses.iter().find(|(of, _)| *of == effect).map(|(_, witness)| *witness)
    }
}

/// All nodes: the general ones, in the order of bodies and regions, then those of chosen types.
#[derive(Default)]
pub(crate) struct Nodes {
    pub(crate) all: Vec<Node>,
    /// The node of a body's own code, by owner.
    general: FxHashMap<DefId, u32>,
    instances: FxHashMap<(DefId, Args), u32>,
    /// How many there are of each function.
    counts: FxHashMap<DefId, usize>,
}

/// A function with more sets of types than this is looked at in general from then on.
const MOST_INSTANCES: usize = 64;
/// More than this in the whole program are not made.
const MOST_NODES: usize = 1 << 20;

impl Nodes {
    /// The nodes of all bodies, and what tells the roles of functions.
    pub(crate) fn new<'a>(
        program: &'a Program<'_>,
        catalog: &'a ResolvedCatalog,
        bodies: &'a Bodies,
    ) -> (Nodes, Vec<Function<'a>>) {
        let calls = RoleCalls::new(program, catalog, bodies);
        let drops = Drops::new(program);
        let found = Closures::for_each(program, catalog, bodies, |closures, facts| {
            let regions = Builder { program, catalog, bodies, drops: &drops, facts, with: None }.regions(closures);
            let is_open = is_open(program, facts);
            (regions, is_open, calls.of_body(closures, facts))
        });
        let mut nodes = Nodes::default();
        let mut functions = Vec::with_capacity(found.len());
        let mut open = Vec::new();
        for (regions, is_open, function) in found {
            functions.extend(function);
            let Some(owner) = regions.first().map(|region| region.region.owner) else { continue };
            open.extend(is_open.then_some(owner));
            let first = nodes.add(regions);
            nodes.general.insert(owner, first);
        }
        let sensitive = nodes.sensitive(open);
        nodes.instantiate(program, &sensitive, |def, list| {
            let facts = bodies.get(&def)?;
            let builder = Builder { program, catalog, bodies, drops: &drops, facts, with: Some(list) };
            let mut regions = builder.regions(&mut Closures::new(program, catalog, bodies));
            regions.iter_mut().for_each(|region| region.is_context = false);
            Some(regions)
        });
        (nodes, functions)
    }

    fn add(&mut self, regions: Vec<RegionEvents>) -> u32 {
        let first = self.all.len() as u32;
        self.all.extend(regions.into_iter().map(|RegionEvents { region, events, is_context }| Node {
            region,
            first,
            events,
            reached: Vec::new(),
            is_context,
            witnesses: SmallVec::new(),
        }));
        first
    }

    /// The general node of a region.
    pub(crate) fn of(&self, region: RegionId) -> Option<u32> {
        Some(self.general.get(&region.owner)? + region.index)
    }

    /// The functions whose types decide what is called in them: those of `open`, and those that pass their parameters on to one.
    fn sensitive(&self, mut open: Vec<DefId>) -> FxHashSet<DefId> {
        let mut sensitive = FxHashSet::default();
        if open.is_empty() {
            return sensitive;
        }
        let mut passed_from: FxHashMap<DefId, Vec<DefId>> = FxHashMap::default();
        for node in &self.all {
            for followed in node.events.iter().flat_map(followed) {
                if let With::These(list) | With::OfTrait(_, list) = followed.with
                    && list.iter().any(|ty| ty.has_params())
                {
                    passed_from.entry(followed.def).or_default().push(node.region.owner);
                }
            }
        }
        while let Some(function) = open.pop() {
            if sensitive.insert(function) {
                open.extend(passed_from.get(&function).into_iter().flatten());
            }
        }
        sensitive
    }

    /// Makes the nodes of the types that sensitive functions are called with, and links all events to nodes.
    fn instantiate(
        &mut self,
        program: &Program<'_>,
        sensitive: &FxHashSet<DefId>,
        regions: impl Fn(DefId, Args) -> Option<Vec<RegionEvents>> + Sync,
    ) {
        let mut linked = 0;
        while linked < self.all.len() {
            let wanted = self.wanted(program, linked, sensitive).into_par_iter();
            let made: Vec<_> = wanted.filter_map(|(def, list)| Some(((def, list), regions(def, list)?))).collect();
            let before = self.all.len();
            for (instance, regions) in made {
                let first = self.add(regions);
                self.instances.insert(instance, first);
            }
            for at in linked..before {
                let node = &self.all[at];
                let reached = node.events.iter().map(|event| self.reached(program, node, event, sensitive)).collect();
                self.all[at].reached = reached;
            }
            linked = before;
        }
    }

    /// The instances that the events of the nodes from `from` on ask for and that are not there, in the order of the sources.
    fn wanted(&mut self, program: &Program<'_>, from: usize, sensitive: &FxHashSet<DefId>) -> Vec<(DefId, Args)> {
        let mut wanted = Vec::new();
        let mut seen = FxHashSet::default();
        if sensitive.is_empty() || self.all.len() > MOST_NODES {
            return wanted;
        }
        for followed in self.all[from..].iter().flat_map(|node| &node.events).flat_map(followed) {
            let Some(instance) = instance(program, followed, sensitive) else { continue };
            if self.instances.contains_key(&instance) || !seen.insert(instance) {
                continue;
            }
            let count = self.counts.entry(instance.0).or_default();
            if *count < MOST_INSTANCES {
                *count += 1;
                wanted.push(instance);
            }
        }
        wanted
    }

    fn reached(&self, program: &Program<'_>, node: &Node, event: &Event, sensitive: &FxHashSet<DefId>) -> SmallVec<[u32; 1]> {
        match &event.target {
            Target::Sink(_) => SmallVec::new(),
            Target::Inline(index) => SmallVec::from_elem(node.first + index, 1),
            Target::Functions(functions) => functions
                .iter()
                .filter_map(|followed| {
                    let chosen = instance(program, followed, sensitive).and_then(|instance| self.instances.get(&instance));
                    chosen.or_else(|| self.general.get(&followed.def)).copied()
                })
                .collect(),
        }
    }
}

fn followed(event: &Event) -> &[Followed] {
    match &event.target {
        Target::Functions(functions) => functions,
        Target::Sink(_) | Target::Inline(_) => &[],
    }
}

/// The function with its types, where these decide what it calls and are known.
fn instance(program: &Program<'_>, followed: &Followed, sensitive: &FxHashSet<DefId>) -> Option<(DefId, Args)> {
    if !sensitive.contains(&followed.def) {
        return None;
    }
    let is_known = |list: &Args| !list.iter().any(|ty: &Ty| ty.has_params() || ty.has_unknown());
    let list = match followed.with {
        With::Anything => return None,
        With::These(list) => list,
        With::OfTrait(def, list) if is_known(&list) => program.implementation_args(followed.def, def, list)?,
        With::OfTrait(..) => return None,
    };
    (!list.is_empty() && is_known(&list)).then_some((followed.def, list))
}

/// Whether types that stand for the body's parameters may decide what one of its calls runs.
fn is_open(program: &Program<'_>, facts: &BodyFacts) -> bool {
    facts.inferred.calls.iter().any(|call| {
        let Callee::Function { def, args, implementation } = call.callee else { return false };
        if !args.iter().any(|ty| ty.has_params()) {
            return false;
        }
        let of_trait = program.container(def).is_some_and(|holder| program.kind(holder) == DefKind::Trait);
        let target = implementation.unwrap_or(def);
        (of_trait && implementation.is_none()) || (program.is_std(target.krate) && !program.predicates(target).is_empty())
    })
}
