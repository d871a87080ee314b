//! The nodes that effects flow through: every region of every body, and again for the types that a generic body is called with
//! where these decide what it calls. `grow.rs` makes them.

use agentlint_semantic::Program;
use agentlint_semantic::def::DefId;
use agentlint_semantic::types::{Args, Ty, TyKind, args};
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use crate::Effect;
use crate::events::{Event, Followed, Part, RegionEvents, Target, With};
use crate::kept::{KeptEffect, KeptSummary};
use crate::propagate::Witness;
use crate::region::RegionId;
use crate::resolve::ResolvedCatalog;

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
    /// Of a dependency's function, where another run found out what it does.
    pub(crate) kept: Vec<KeptEffect>,
}

impl Node {
    pub(crate) fn witness(&self, effect: Effect) -> Option<Witness> {
        self.witnesses.iter().find(|(of, _)| *of == effect).map(|(_, witness)| *witness)
    }
}

/// All nodes: the general ones of the members, in the order of bodies and regions, then those of dependencies' functions and of
/// chosen types.
#[derive(Default)]
pub(crate) struct Nodes {
    pub(crate) all: Vec<Node>,
    /// The first node of a body in general, by owner.
    pub(crate) general: FxHashMap<DefId, u32>,
    /// The first node of a body for chosen types.
    pub(crate) instances: FxHashMap<Instance, u32>,
    /// By the first node of a dependency's function: the node of what its future runs.
    pub(crate) futures: FxHashMap<u32, u32>,
    /// The functions whose types decide what they do.
    pub(crate) sensitive: FxHashSet<DefId>,
    /// The dependencies' functions, in general or for chosen types, of which nothing is kept; with the first node where the body
    /// could be read.
    pub(crate) new: Vec<(DefId, Option<Args>, Option<u32>)>,
    /// Not everything that is led to has a node.
    pub(crate) is_cut: bool,
}

/// A function with the types that it is called with.
pub(crate) type Instance = (DefId, Args);

impl Nodes {
    pub(crate) fn add(&mut self, regions: Vec<RegionEvents>) -> u32 {
        let first = self.all.len() as u32;
        self.all.extend(regions.into_iter().map(|RegionEvents { region, events, is_context }| Node {
            region,
            first,
            events,
            reached: Vec::new(),
            is_context,
            witnesses: SmallVec::new(),
            kept: Vec::new(),
        }));
        first
    }

    /// The nodes of a dependency's function of which it is kept what it does.
    pub(crate) fn add_kept(&mut self, def: DefId, summary: &KeptSummary) -> u32 {
        let region = |index| RegionEvents { region: RegionId { owner: def, index }, events: Vec::new(), is_context: false };
        let first = self.add(vec![region(0), region(1)]);
        self.futures.insert(first, first + 1);
        for (at, kept) in [(first, &summary.own), (first + 1, &summary.future)] {
            self.all[at as usize].kept.clone_from(kept);
        }
        first
    }

    /// The general node of a region.
    pub(crate) fn of(&self, region: RegionId) -> Option<u32> {
        Some(self.general.get(&region.owner)? + region.index)
    }

    /// The function with its types, where these decide what it calls and are known.
    pub(crate) fn instance(&self, program: &Program<'_>, catalog: &ResolvedCatalog, followed: &Followed) -> Option<Instance> {
        if !self.sensitive.contains(&followed.def) {
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

    /// The nodes that an event leads to.
    pub(crate) fn reached(
        &self,
        program: &Program<'_>,
        catalog: &ResolvedCatalog,
        node: &Node,
        event: &Event,
    ) -> SmallVec<[u32; 1]> {
        match &event.target {
            Target::Sink(_) => SmallVec::new(),
            Target::Inline(index) => SmallVec::from_elem(node.first + index, 1),
            Target::Functions(functions) => functions
                .iter()
                .filter_map(|followed| {
                    let chosen = self.instance(program, catalog, followed).and_then(|instance| self.instances.get(&instance));
                    let first = chosen.or_else(|| self.general.get(&followed.def)).copied()?;
                    match followed.part {
                        Part::Own => Some(first),
                        Part::Future => self.futures.get(&first).copied(),
                        Part::Closure(region) => Some(first + region),
                    }
                })
                .collect(),
        }
    }
}

pub(crate) fn followed(event: &Event) -> &[Followed] {
    match &event.target {
        Target::Functions(functions) => functions,
        Target::Sink(_) | Target::Inline(_) => &[],
    }
}

/// A dependency's function with those of its types that may decide what it does: others stand for themselves. The program's own
/// are not among them, so that what is found holds for every program.
fn foreign_instance(program: &Program<'_>, catalog: &ResolvedCatalog, followed: &Followed) -> Option<Instance> {
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
