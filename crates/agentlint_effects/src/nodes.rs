//! The nodes that effects flow through: every region of every body, and again for the types that a generic body is called with
//! where these decide what it calls.

use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, DefKind};
use agentlint_semantic::infer::Callee;
use agentlint_semantic::types::{Args, Ty, TyKind, args};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use crate::Effect;
use crate::body::{Bodies, BodyFacts};
use crate::closures::Closures;
use crate::drops::Drops;
use crate::events::{Builder, Event, Followed, Part, RegionEvents, Target, With};
use crate::futures::future_region;
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
    /// Of dependencies' functions that give a future: the region that it runs.
    futures: FxHashMap<DefId, u32>,
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
        catalog: &mut ResolvedCatalog,
        bodies: &'a Bodies,
    ) -> (Nodes, Vec<Function<'a>>) {
        let drops = Drops::new(program);
        let mut nodes = Nodes::default();
        let mut functions = Vec::new();
        let mut open = Vec::new();
        {
            let catalog = &*catalog;
            let calls = RoleCalls::new(program, catalog, bodies);
            let found = Closures::for_each(program, catalog, bodies, |closures, facts| {
                let regions = Builder { program, catalog, bodies, drops: &drops, facts, with: None }.regions(closures);
                (regions, is_open(program, facts), calls.of_body(closures, facts))
            });
            for (regions, is_open, function) in found {
                functions.extend(function);
                nodes.add_general(regions, None, is_open, &mut open);
            }
        }
        nodes.follow(program, catalog, bodies, &drops, 0, &mut open);
        let sensitive = nodes.sensitive(open);
        nodes.instantiate(program, catalog, bodies, &drops, &sensitive);
        (nodes, functions)
    }

    fn add_general(&mut self, regions: Vec<RegionEvents>, future: Option<u32>, is_open: bool, open: &mut Vec<DefId>) {
        let Some(owner) = regions.first().map(|region| region.region.owner) else { return };
        open.extend(is_open.then_some(owner));
        let first = self.add(regions);
        self.general.insert(owner, first);
        self.futures.extend(future.map(|region| (owner, region)));
    }

    /// Makes the nodes of the dependencies' functions that the nodes from `from` on lead into, and of those that these lead into.
    fn follow(
        &mut self,
        program: &Program<'_>,
        catalog: &mut ResolvedCatalog,
        bodies: &Bodies,
        drops: &Drops,
        mut from: usize,
        open: &mut Vec<DefId>,
    ) {
        while from < self.all.len() && self.all.len() < MOST_NODES {
            let wanted = self.not_followed(program, from);
            from = self.all.len();
            if wanted.is_empty() {
                break;
            }
            // Inference loads crates; what the catalog says of these has to be known before their calls are looked at.
            wanted.par_iter().with_max_len(16).for_each(|def| _ = bodies.get(program, *def));
            catalog.look_again(program);
            let catalog = &*catalog;
            let found: Vec<_> = wanted
                .par_iter()
                .with_max_len(16)
                .filter_map(|def| {
                    let facts = bodies.get(program, *def)?;
                    let mut closures = Closures::new(program, catalog, bodies);
                    let mut regions = Builder { program, catalog, bodies, drops, facts, with: None }.regions(&mut closures);
                    regions.iter_mut().for_each(|region| region.is_context = false);
                    Some((regions, future_region(program, facts), is_open(program, facts)))
                })
                .collect();
            for (regions, future, is_open) in found {
                self.add_general(regions, future, is_open, open);
            }
        }
    }

    /// The dependencies' functions that the events of the nodes from `from` on lead into and that have no node, in the order of the
    /// sources.
    fn not_followed(&self, program: &Program<'_>, from: usize) -> Vec<DefId> {
        let mut seen = FxHashSet::default();
        let followed = self.all[from..].iter().flat_map(|node| &node.events).flat_map(followed).map(|followed| followed.def);
        followed
            .filter(|def| !program.node(def.krate).is_member && !self.general.contains_key(def) && seen.insert(*def))
            .collect()
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
        catalog: &mut ResolvedCatalog,
        bodies: &Bodies,
        drops: &Drops,
        sensitive: &FxHashSet<DefId>,
    ) {
        let mut linked = 0;
        while linked < self.all.len() {
            let wanted = self.wanted(program, catalog, linked, sensitive);
            let made: Vec<_> = {
                let catalog = &*catalog;
                let make = |(def, list): (DefId, Args)| {
                    let facts = bodies.get(program, def)?;
                    let builder = Builder { program, catalog, bodies, drops, facts, with: Some(list) };
                    let mut regions = builder.regions(&mut Closures::new(program, catalog, bodies));
                    regions.iter_mut().for_each(|region| region.is_context = false);
                    Some(((def, list), regions))
                };
                wanted.into_par_iter().filter_map(make).collect()
            };
            let (before, new) = (self.all.len(), self.all.len());
            for (instance, regions) in made {
                let first = self.add(regions);
                self.instances.insert(instance, first);
            }
            // What the types decide may lead into functions that nothing else does.
            self.follow(program, catalog, bodies, drops, new, &mut Vec::new());
            for at in linked..before {
                let node = &self.all[at];
                let reached =
                    node.events.iter().map(|event| self.reached(program, catalog, node, event, sensitive)).collect();
                self.all[at].reached = reached;
            }
            linked = before;
        }
    }

    /// The instances that the events of the nodes from `from` on ask for and that are not there, in the order of the sources.
    fn wanted(
        &mut self,
        program: &Program<'_>,
        catalog: &ResolvedCatalog,
        from: usize,
        sensitive: &FxHashSet<DefId>,
    ) -> Vec<(DefId, Args)> {
        let mut wanted = Vec::new();
        let mut seen = FxHashSet::default();
        if sensitive.is_empty() || self.all.len() > MOST_NODES {
            return wanted;
        }
        for followed in self.all[from..].iter().flat_map(|node| &node.events).flat_map(followed) {
            let Some(instance) = instance(program, catalog, followed, sensitive) else { continue };
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

    fn reached(
        &self,
        program: &Program<'_>,
        catalog: &ResolvedCatalog,
        node: &Node,
        event: &Event,
        sensitive: &FxHashSet<DefId>,
    ) -> SmallVec<[u32; 1]> {
        match &event.target {
            Target::Sink(_) => SmallVec::new(),
            Target::Inline(index) => SmallVec::from_elem(node.first + index, 1),
            Target::Functions(functions) => functions
                .iter()
                .filter_map(|followed| {
                    let chosen = instance(program, catalog, followed, sensitive).and_then(|instance| self.instances.get(&instance));
                    let first = chosen.or_else(|| self.general.get(&followed.def)).copied()?;
                    match followed.part {
                        Part::Own => Some(first),
                        Part::Future => Some(first + self.futures.get(&followed.def)?),
                    }
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
fn instance(
    program: &Program<'_>,
    catalog: &ResolvedCatalog,
    followed: &Followed,
    sensitive: &FxHashSet<DefId>,
) -> Option<(DefId, Args)> {
    if !sensitive.contains(&followed.def) {
        return None;
    }
    if !program.node(followed.def.krate).is_member {
        return foreign_instance(program, catalog, followed);
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

/// A dependency's function with those of its types that may decide what it does: others stand for themselves. The program's own
/// are not among them, so that what is found holds for every program.
fn foreign_instance(program: &Program<'_>, catalog: &ResolvedCatalog, followed: &Followed) -> Option<(DefId, Args)> {
    let list = match followed.with {
        With::Anything => return None,
        With::These(list) => list,
        With::OfTrait(def, list) => program.implementation_args(followed.def, def, list)?,
    };
    let general = program.identity_args(followed.def);
    let chosen = |(ty, parameter): (&Ty, &Ty)| if decides(program, catalog, *ty, 0) { *ty } else { *parameter };
    let chosen: Vec<Ty> = list.iter().zip(general.iter()).map(chosen).collect();
    (chosen.len() == general.len() && chosen != general[..]).then(|| (followed.def, args(&chosen)))
}

/// Whether a type may decide what a dependency's code does: it has I/O in it, or is one of a dependency.
fn decides(program: &Program<'_>, catalog: &ResolvedCatalog, ty: Ty, depth: u32) -> bool {
    if depth > 4 || ty.has_params() || ty.has_unknown() || ty.has_projections() {
        return false;
    }
    match *ty.kind() {
        TyKind::Adt(def, list) => {
            let node = program.node(def.krate);
            let is_own = catalog.is_io(ty) || (!node.is_member && !program.is_std(def.krate));
            let is_known = |part: &Ty| !matches!(part.kind(), TyKind::Adt(def, _) if program.node(def.krate).is_member);
            (is_own && list.iter().all(is_known)) || list.iter().any(|part| decides(program, catalog, *part, depth + 1))
        }
        TyKind::Ref(inner, _) => decides(program, catalog, inner, depth + 1),
        _ => false,
    }
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
