//! Makes the nodes: of the members' bodies, of the dependencies' functions that these lead into, and of the types that decide.

use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, DefKind};
use agentlint_semantic::infer::Callee;
use agentlint_semantic::input::CrateId;
use agentlint_semantic::types::Args;
use agentlint_syntax::ast::{ExprId, ExprKind};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::body::{Bodies, BodyFacts};
use crate::closures::Closures;
use crate::drops::Drops;
use crate::events::{Builder, RegionEvents, With};
use crate::futures::future_region;
use crate::kept::{FunctionKey, SummaryStore};
use crate::nodes::{Instance, Nodes, followed};
use crate::resolve::ResolvedCatalog;
use crate::roles::{Function, RoleCalls};
use crate::values::Values;

/// A function with more sets of types than this is looked at in general from then on.
const MOST_INSTANCES: usize = 64;
/// More than this in the whole program are not made.
const MOST_NODES: usize = 1 << 20;
/// So many functions are one thread's at a time: the last piece of more would be one thread's, and the others would wait.
const TOGETHER: usize = 16;

/// The nodes of all bodies, and what tells the roles of functions.
pub(crate) fn grow<'b>(
    program: &Program<'_>,
    catalog: &mut ResolvedCatalog,
    bodies: &'b Bodies,
    store: &dyn SummaryStore,
) -> (Nodes, Vec<Function<'b>>) {
    // The members' own bodies ask for what is kept of parameters.
    let loaded: Vec<CrateId> = program.graph.crates.indices().filter(|krate| program.is_loaded(*krate)).collect();
    let foreign = loaded.into_par_iter().filter(|krate| program.lasting_name(*krate).is_some());
    foreign.for_each(|krate| bodies.kept.load(krate, store));
    let drops = Drops::new(program, catalog);
    let values = Values::new(program, bodies);
    let mut growth = Growth {
        program,
        catalog,
        bodies,
        store,
        drops: &drops,
        values: &values,
        nodes: Nodes::default(),
        counts: FxHashMap::default(),
        passed_from: FxHashMap::default(),
        open: Vec::new(),
    };
    let functions = growth.members();
    growth.follow(0);
    growth.instantiate();
    (growth.nodes, functions)
}

struct Growth<'a, 'b, 'l> {
    program: &'a Program<'l>,
    catalog: &'a mut ResolvedCatalog,
    bodies: &'b Bodies,
    store: &'a dyn SummaryStore,
    drops: &'a Drops,
    values: &'a Values,
    nodes: Nodes,
    /// How many sets of types there are of each function.
    counts: FxHashMap<DefId, usize>,
    /// By function, those that pass parameters of their own on to it.
    passed_from: FxHashMap<DefId, Vec<DefId>>,
    /// Functions whose own calls depend on their types, not yet in [`Nodes::sensitive`].
    open: Vec<DefId>,
}

/// A body's regions, the one that its future runs, and whether its own calls depend on its types.
type Made = (Vec<RegionEvents>, Option<u32>, bool);

impl<'b> Growth<'_, 'b, '_> {
    fn members(&mut self) -> Vec<Function<'b>> {
        let Growth { program, bodies, drops, values, .. } = *self;
        let catalog = &*self.catalog;
        let calls = RoleCalls::new(program, catalog, bodies);
        let found = Closures::for_each(program, catalog, bodies, |closures, facts| {
            let regions = Builder { program, catalog, bodies, drops, values, facts, with: None }.regions(closures);
            (regions, is_open(program, facts), calls.of_body(closures, facts))
        });
        let mut functions = Vec::new();
        for (regions, is_open, function) in found {
            functions.extend(function);
            self.add_general((regions, None, is_open));
        }
        functions
    }

    fn add_general(&mut self, (regions, future, is_open): Made) -> Option<u32> {
        let owner = regions.first()?.region.owner;
        self.open.extend(is_open.then_some(owner));
        let first = self.add(regions, future);
        self.nodes.general.insert(owner, first);
        Some(first)
    }

    fn add(&mut self, regions: Vec<RegionEvents>, future: Option<u32>) -> u32 {
        let first = self.nodes.add(regions);
        self.nodes.futures.extend(future.map(|region| (first, first + region)));
        first
    }

    /// Makes the nodes of the dependencies' functions that the nodes from `from` on lead into, and of those that these lead into.
    fn follow(&mut self, mut from: usize) {
        loop {
            self.remember_passed(from);
            let wanted = self.not_followed(from);
            from = self.nodes.all.len();
            if wanted.is_empty() {
                break;
            }
            if from > MOST_NODES {
                self.nodes.is_cut = true;
                break;
            }
            let unknown = self.add_kept(wanted);
            // Inference loads crates; what the catalog says of these has to be known before their calls are looked at.
            let (program, bodies) = (self.program, self.bodies);
            unknown.par_iter().with_max_len(TOGETHER).for_each(|def| _ = bodies.get(program, *def));
            if !unknown.is_empty() {
                self.catalog.look_again(program);
            }
            let made: Vec<Option<Made>> =
                unknown.par_iter().with_max_len(TOGETHER).map(|def| self.of_dependency(*def, None)).collect();
            for (def, made) in unknown.into_iter().zip(made) {
                let first = made.and_then(|made| self.add_general(made));
                self.nodes.new.push((def, None, first));
            }
        }
        self.spread();
    }

    /// Adds those of which it is kept what they do, and gives the others.
    fn add_kept(&mut self, wanted: Vec<DefId>) -> Vec<DefId> {
        let (program, kept) = (self.program, &self.bodies.kept);
        let mut unknown = Vec::new();
        for def in wanted {
            kept.load(def.krate, self.store);
            let summary = FunctionKey::new(program, def, None).and_then(|key| kept.function(def, key));
            match summary {
                Some(summary) => {
                    self.open.extend(summary.is_sensitive.then_some(def));
                    let first = self.nodes.add_kept(def, summary);
                    self.nodes.general.insert(def, first);
                }
                None => unknown.push(def),
            }
        }
        unknown
    }

    fn of_dependency(&self, def: DefId, with: Option<Args>) -> Option<Made> {
        let Growth { program, bodies, drops, values, .. } = *self;
        let catalog = &*self.catalog;
        let facts = bodies.get(program, def)?;
        let mut closures = Closures::new(program, catalog, bodies);
        let mut regions = Builder { program, catalog, bodies, drops, values, facts, with }.regions(&mut closures);
        regions.iter_mut().for_each(|region| region.is_context = false);
        Some((regions, future_region(program, facts), is_open(program, facts)))
    }

    /// The dependencies' functions that the events of the nodes from `from` on lead into and that have no node, in the order of the
    /// sources.
    fn not_followed(&self, from: usize) -> Vec<DefId> {
        let mut seen = FxHashSet::default();
        let events = self.nodes.all[from..].iter().flat_map(|node| &node.events);
        let foreign =
            events.flat_map(followed).map(|followed| followed.def).filter(|def| !self.program.node(def.krate).is_member);
        foreign.filter(|def| !self.nodes.general.contains_key(def) && seen.insert(*def)).collect()
    }

    /// Takes down which bodies pass parameters of their own on, of the nodes from `from` on.
    fn remember_passed(&mut self, from: usize) {
        for node in &self.nodes.all[from..] {
            for followed in node.events.iter().flat_map(followed) {
                if let With::These(list) | With::OfTrait(_, list) = followed.with
                    && list.iter().any(|ty| ty.has_params())
                {
                    self.passed_from.entry(followed.def).or_default().push(node.region.owner);
                }
            }
        }
    }

    /// The types of a function decide what it does also where it passes its parameters on to such a function.
    fn spread(&mut self) {
        while let Some(function) = self.open.pop() {
            if self.nodes.sensitive.insert(function) {
                self.open.extend(self.passed_from.get(&function).into_iter().flatten());
            }
        }
    }

    /// Makes the nodes of the types that sensitive functions are called with, and links all events to nodes.
    fn instantiate(&mut self) {
        let program = self.program;
        let mut linked = 0;
        while linked < self.nodes.all.len() {
            let mut unknown = Vec::new();
            let before = self.nodes.all.len();
            for (def, list) in self.wanted(linked) {
                let is_foreign = !program.node(def.krate).is_member;
                let key = is_foreign.then(|| FunctionKey::new(program, def, Some(list))).flatten();
                match key.and_then(|key| self.bodies.kept.function(def, key)) {
                    Some(summary) => {
                        let first = self.nodes.add_kept(def, summary);
                        self.nodes.instances.insert((def, list), first);
                    }
                    None => unknown.push((def, list)),
                }
            }
            let make = |(def, list): &Instance| self.of_dependency(*def, Some(*list));
            let made: Vec<Option<Made>> = unknown.par_iter().map(make).collect();
            for ((def, list), made) in unknown.into_iter().zip(made) {
                let first = made.map(|(regions, future, _)| self.add(regions, future));
                self.nodes.instances.extend(first.map(|first| ((def, list), first)));
                if !program.node(def.krate).is_member {
                    self.nodes.new.push((def, Some(list), first));
                }
            }
            // What the types decide may lead into functions that nothing else does.
            self.follow(before);
            for at in linked..before {
                let node = &self.nodes.all[at];
                let reached = node.events.iter().map(|event| self.nodes.reached(program, self.catalog, node, event)).collect();
                self.nodes.all[at].reached = reached;
            }
            linked = before;
        }
    }

    /// The instances that the events of the nodes from `from` on ask for and that are not there, in the order of the sources.
    fn wanted(&mut self, from: usize) -> Vec<Instance> {
        let mut wanted = Vec::new();
        let mut seen = FxHashSet::default();
        if self.nodes.sensitive.is_empty() {
            return wanted;
        }
        for followed in self.nodes.all[from..].iter().flat_map(|node| &node.events).flat_map(followed) {
            let Some(instance) = self.nodes.instance(self.program, self.catalog, followed) else { continue };
            if self.nodes.instances.contains_key(&instance) || !seen.insert(instance) {
                continue;
            }
            let count = self.counts.entry(instance.0).or_default();
            if *count >= MOST_INSTANCES || self.nodes.all.len() > MOST_NODES {
                self.nodes.is_cut |= self.nodes.all.len() > MOST_NODES;
                continue;
            }
            *count += 1;
            wanted.push(instance);
        }
        wanted
    }
}

/// Whether types that stand for the body's parameters may decide what one of its calls runs.
fn is_open(program: &Program<'_>, facts: &BodyFacts) -> bool {
    facts.inferred.calls.iter().any(|call| {
        let (def, args, implementation) = match call.callee {
            Callee::Function { def, args, implementation } => (def, args, implementation),
            Callee::Value(ty) => return ty.has_params() && is_of_field(program, facts, call.expr),
            Callee::Constructor(_) | Callee::Unresolved(_) => return false,
        };
        if !args.iter().any(|ty| ty.has_params()) {
            return false;
        }
        let of_trait = program.container(def).is_some_and(|holder| program.kind(holder) == DefKind::Trait);
        let target = implementation.unwrap_or(def);
        (of_trait && implementation.is_none()) || (program.is_std(target.krate) && !program.predicates(target).is_empty())
    })
}

/// Whether it is a field's value that is called.
fn is_of_field(program: &Program<'_>, facts: &BodyFacts, call: ExprId) -> bool {
    let Some(body) = program.body(facts.inferred.owner) else { return false };
    let ExprKind::Call { callee, .. } = body.exprs[call].kind else { return false };
    matches!(body.exprs[callee].kind, ExprKind::Field { .. })
}
