//! Where closures run: in place, while something is polled, elsewhere, or nobody knows.

use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, DefKind};
use agentlint_semantic::infer::{CallSite, Callee};
use agentlint_semantic::types::{Predicate, Ty, TyKind};
use agentlint_syntax::ast::{Body, ExprId, ExprKind, PatId, PatKind};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::body::{Bodies, BodyFacts};
use crate::context::is_future_like;
use crate::futures::is_future;
use crate::lazy::{Fate, fate};
use crate::region::RegionKind;
use crate::resolve::ResolvedCatalog;

/// Where a closure or a function that is passed on runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Runs {
    /// Where it is passed.
    InPlace,
    /// While a task is polled, wherever it is passed.
    Polled,
    /// On another thread.
    Elsewhere,
    Never,
    /// In an iterator that is given away: where that is used up, which is most often near.
    Later,
    /// It is stored, returned, or given to code that is not known.
    Unknown,
}

/// Decides where closures run; remembers what it found of parameters.
pub(crate) struct Closures<'a, 'l> {
    pub(crate) program: &'a Program<'l>,
    pub(crate) catalog: &'a ResolvedCatalog,
    pub(crate) bodies: &'a Bodies,
    parameters: FxHashMap<(DefId, usize), Runs>,
    /// It answers for one parameter of a dependency's function: depth ends it, not who asked before.
    is_foreign: bool,
}

/// Longer ways from function to function are taken for unknown.
const DEEPEST: u32 = 24;

impl<'a, 'l> Closures<'a, 'l> {
    pub(crate) fn new(program: &'a Program<'l>, catalog: &'a ResolvedCatalog, bodies: &'a Bodies) -> Self {
        Closures { program, catalog, bodies, parameters: FxHashMap::default(), is_foreign: false }
    }

    /// What `find` says of each body, in the order of crates and sources. Bodies are taken together in the same way whatever the
    /// number of threads: what is remembered of recursive functions depends on who asked first.
    pub(crate) fn for_each<'b, T: Send>(
        program: &'a Program<'l>,
        catalog: &'a ResolvedCatalog,
        bodies: &'b Bodies,
        find: impl Fn(&mut Closures<'_, '_>, &'b BodyFacts) -> T + Sync,
    ) -> Vec<T> {
        const TOGETHER: usize = 64;
        let mut all: Vec<&BodyFacts> = bodies.members().collect();
        all.sort_unstable_by_key(|facts| facts.inferred.owner);
        let found: Vec<Vec<T>> = all
            .par_chunks(TOGETHER)
            // Else the last piece, an eighth of all, would be one thread's.
            .with_max_len(1)
            .map(|facts| {
                let mut closures = Closures::new(program, catalog, bodies);
                facts.iter().map(|facts| find(&mut closures, facts)).collect()
            })
            .collect();
        found.into_iter().flatten().collect()
    }

    /// Where the closure of that region runs.
    pub(crate) fn closure(&mut self, facts: &BodyFacts, closure: ExprId) -> Runs {
        self.value(facts, closure, 0)
    }

    /// Where the value of an expression, something that can be called, runs.
    fn value(&mut self, facts: &BodyFacts, expr: ExprId, depth: u32) -> Runs {
        if depth > DEEPEST {
            return Runs::Unknown;
        }
        if let Some(pat) = facts.bound_to(expr) {
            return self.binding(facts, pat, depth + 1);
        }
        let Some(body) = self.program.body(facts.inferred.owner) else { return Runs::Unknown };
        let Some(parent) = facts.parent(expr) else { return Runs::Unknown };
        match &body.exprs[parent].kind {
            ExprKind::Reference { .. } | ExprKind::Cast { .. } => self.value(facts, parent, depth + 1),
            ExprKind::Block(block) if block.tail == Some(expr) => self.value(facts, parent, depth + 1),
            ExprKind::Call { callee, .. } if *callee == expr => self.called_in(facts, parent, depth),
            ExprKind::Call { arguments, .. } | ExprKind::MethodCall { arguments, .. } => {
                let Some(at) = arguments.iter().position(|a| *a == expr) else {
                    return self.receiver(facts, body, parent, depth);
                };
                let Some(call) = facts.call(parent) else { return Runs::Unknown };
                match self.argument(call, at, depth + 1) {
                    Runs::Unknown if self.makes_futures(call, facts.inferred.types[expr]) => Runs::Polled,
                    // `map` and the like keep it in the iterator that they give.
                    Runs::InPlace if holds(facts, parent, expr) && fate(self.program, facts, parent) == Fate::GivenAway => {
                        Runs::Later
                    }
                    runs => runs,
                }
            }
            _ => Runs::Unknown,
        }
    }

    /// Whether a closure that is given to another crate gives a future each time, as a handler, a middleware or a retried operation
    /// does: who runs its futures calls it between them.
    fn makes_futures(&self, call: &CallSite, closure: Ty) -> bool {
        let Callee::Function { def, .. } = call.callee else { return false };
        let TyKind::Closure(_, signature) = *closure.kind() else { return false };
        let is_foreign = !self.program.node(def.krate).is_member && !self.program.is_std(def.krate);
        is_foreign && signature.last().is_some_and(|output| is_future(self.program, *output))
    }

    /// `f.clone()` and the like: the same value again.
    fn receiver(&mut self, facts: &BodyFacts, body: &Body, call: ExprId, depth: u32) -> Runs {
        match &body.exprs[call].kind {
            ExprKind::MethodCall { name, .. } if name.as_str() == "clone" => self.value(facts, call, depth + 1),
            _ => Runs::Unknown,
        }
    }

    /// A call of the value itself: it runs in the region that holds the call.
    fn called_in(&mut self, facts: &BodyFacts, call: ExprId, depth: u32) -> Runs {
        let mut region = facts.regions.region_of[call];
        loop {
            let data = &facts.regions.regions[region as usize];
            match data.kind {
                RegionKind::Owner => return Runs::InPlace,
                RegionKind::Async => return Runs::Polled,
                RegionKind::Closure => match self.value(facts, data.expr, depth + 1) {
                    Runs::InPlace => region = data.parent.unwrap_or(0),
                    other => return other,
                },
            }
        }
    }

    fn binding(&mut self, facts: &BodyFacts, pat: PatId, depth: u32) -> Runs {
        let uses = facts.uses(pat);
        uses.iter().fold(Runs::Never, |found, used| together(found, self.value(facts, *used, depth + 1)))
    }

    /// Where the argument at that place (without `self`) of a call runs.
    pub(crate) fn argument(&mut self, call: &CallSite, at: usize, depth: u32) -> Runs {
        let Callee::Function { def, implementation, .. } = call.callee else { return Runs::Unknown };
        let target = implementation.unwrap_or(def);
        if self.catalog.offloads(def, at) || self.catalog.offloads(target, at) {
            return Runs::Elsewhere;
        }
        if self.program.node(target.krate).is_member {
            return if self.bodies.member(target).is_some() {
                self.parameter(target, at, depth + 1)
            } else {
                self.by_signature(def, at)
            };
        }
        let by_signature = self.by_signature(def, at);
        if matches!(by_signature, Runs::Polled)
            || !self.bodies.has(self.program, target)
            || self.catalog.trusts(self.program, target)
        {
            return by_signature;
        }
        match self.foreign_parameter(target, at, depth) {
            Runs::Unknown => by_signature,
            runs => runs,
        }
    }

    /// Where a parameter of a dependency's function runs: the same whoever asks first.
    fn foreign_parameter(&mut self, function: DefId, at: usize, depth: u32) -> Runs {
        if self.is_foreign {
            return self.parameter(function, at, depth + 1);
        }
        self.bodies.parameter(function, at, || {
            let mut alone = Closures::new(self.program, self.catalog, self.bodies);
            alone.is_foreign = true;
            alone.parameter(function, at, 0)
        })
    }

    /// Where a parameter of an analysed function runs.
    fn parameter(&mut self, function: DefId, at: usize, depth: u32) -> Runs {
        if let Some(known) = self.parameters.get(&(function, at)) {
            return *known;
        }
        // Recursive functions: until it is known otherwise, it is never called.
        self.parameters.insert((function, at), Runs::Never);
        let bodies = self.bodies;
        let runs = match (bodies.get(self.program, function), self.program.body(function)) {
            (Some(facts), Some(body)) => match body.parameters.get(at) {
                Some(pat) if matches!(body.pats[*pat].kind, PatKind::Bind { .. }) => self.binding(facts, *pat, depth),
                _ => Runs::Unknown,
            },
            _ => Runs::Unknown,
        };
        self.parameters.insert((function, at), runs);
        runs
    }

    /// A function whose body is not analysed: one that wants something callable calls it, unless it may send it away.
    fn by_signature(&self, def: DefId, at: usize) -> Runs {
        let program = self.program;
        let signature = program.signature(def);
        let Some(parameter) = signature.parameters.get(at + usize::from(signature.has_self)) else { return Runs::Unknown };
        let known = program.known();
        let fn_traits = [known.function, known.fn_mut, known.fn_once, known.async_fn, known.async_fn_mut, known.async_fn_once];
        let mut is_callable = matches!(parameter.kind(), TyKind::FnPtr(_));
        let mut is_sent = false;
        for predicate in program.predicates(def) {
            let Predicate::Trait(trait_ref) = predicate else { continue };
            if trait_ref.self_ty() != *parameter {
                continue;
            }
            is_callable |= fn_traits.contains(&Some(trait_ref.trait_def));
            is_sent |= Some(trait_ref.trait_def) == known.send;
        }
        if !is_callable {
            return Runs::Unknown;
        }
        let holder = program.container(def);
        let of_future = holder.is_some_and(|h| program.kind(h) == DefKind::Trait && is_future_like(program, h, 0));
        match (of_future, is_sent && !program.is_std(def.krate)) {
            (true, _) => Runs::Polled,
            (false, true) => Runs::Unknown,
            (false, false) => Runs::InPlace,
        }
    }
}

/// Whether what a call gives has the closure in it.
fn holds(facts: &BodyFacts, call: ExprId, closure: ExprId) -> bool {
    let types = &facts.inferred.types;
    let (TyKind::Adt(_, list), TyKind::Closure(own, _)) = (types[call].kind(), types[closure].kind()) else { return false };
    list.iter().any(|held| matches!(held.kind(), TyKind::Closure(held, _) if held == own))
}

/// Where a value runs that is used in two ways. One that runs here outweighs those that do not, but not a thread of its own: a
/// function that has both knows when to choose which, as with `spawn_blocking` where there is a runtime and a plain call where not.
fn together(a: Runs, b: Runs) -> Runs {
    let rank = |runs: Runs| match runs {
        Runs::Never => 0,
        Runs::Elsewhere => 1,
        Runs::Unknown => 2,
        Runs::Later => 3,
        Runs::Polled => 4,
        Runs::InPlace => 5,
    };
    let (weaker, stronger) = if rank(a) <= rank(b) { (a, b) } else { (b, a) };
    match (weaker, stronger) {
        (Runs::Elsewhere, Runs::InPlace | Runs::Polled) => Runs::Unknown,
        _ => stronger,
    }
}
