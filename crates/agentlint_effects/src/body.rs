//! One body as the effects see it: its types and calls, cut into regions, with what leads from an expression to the next.

use std::panic::{AssertUnwindSafe, catch_unwind};

use agentlint_semantic::Program;
use agentlint_semantic::def::DefId;
use agentlint_semantic::infer::{CallSite, Callee, Inferred};
use agentlint_syntax::ast::{ExprId, ExprKind, PatId, PatKind, StatementKind};
use elsa::sync::FrozenMap;
use index_vec::IndexVec;
use rustc_hash::FxHashMap;

use crate::closures::Runs;
use crate::conditional::conditional;
use crate::kept::Kept;
use crate::region::{Regions, each_child};

/// One analysed body, to be handed to [`crate::Effects::new`].
pub struct AnalysedBody(Box<BodyFacts>);

impl AnalysedBody {
    /// Infers the body of a function, constant or static; `None` where it has none.
    pub fn new(program: &Program<'_>, owner: DefId) -> Option<AnalysedBody> {
        Some(AnalysedBody(Box::new(BodyFacts::new(program, program.infer(owner)?)?)))
    }

    pub(crate) fn by_owner(self) -> (DefId, Box<BodyFacts>) {
        (self.0.inferred.owner, self.0)
    }
}

/// The analysed bodies by owner: all of the members, and those of dependencies' functions that something asks for.
pub(crate) struct Bodies {
    members: FxHashMap<DefId, Box<BodyFacts>>,
    others: FrozenMap<DefId, Box<Option<BodyFacts>>>,
    /// Where parameters of dependencies' functions run.
    parameters: FrozenMap<(DefId, usize), Box<Runs>>,
    pub(crate) kept: Kept,
}

impl Bodies {
    pub(crate) fn new(members: Vec<AnalysedBody>) -> Bodies {
        let members = members.into_iter().map(AnalysedBody::by_owner).collect();
        Bodies { members, others: FrozenMap::default(), parameters: FrozenMap::default(), kept: Kept::default() }
    }

    /// Where a parameter of a dependency's function runs, found out once.
    pub(crate) fn parameter(&self, function: DefId, at: usize, find: impl FnOnce() -> Runs) -> Runs {
        if let Some(kept) = self.kept.parameter(function, at) {
            return kept;
        }
        match self.parameters.get(&(function, at)) {
            Some(known) => *known,
            None => *self.parameters.insert((function, at), Box::new(find())),
        }
    }

    /// What was found out of parameters that was not kept.
    pub(crate) fn new_parameters(&self) -> Vec<((DefId, usize), Runs)> {
        let all = self.parameters.keys_cloned();
        all.into_iter().filter_map(|key| Some((key, *self.parameters.get(&key)?))).collect()
    }

    /// Those of the members, in no order.
    pub(crate) fn members(&self) -> impl Iterator<Item = &BodyFacts> {
        self.members.values().map(|facts| &**facts)
    }

    pub(crate) fn member(&self, owner: DefId) -> Option<&BodyFacts> {
        self.members.get(&owner).map(|facts| &**facts)
    }

    /// Whether there is a body to ask for.
    pub(crate) fn has(&self, program: &Program<'_>, function: DefId) -> bool {
        match program.node(function.krate).is_member {
            true => self.members.contains_key(&function),
            false => program.has_body(function),
        }
    }

    /// Reads and infers a dependency's body when it is first asked for. One whose analysis panics counts as none: nobody who sees
    /// the finding could do anything about it.
    pub(crate) fn get(&self, program: &Program<'_>, function: DefId) -> Option<&BodyFacts> {
        if program.node(function.krate).is_member {
            return self.member(function);
        }
        if let Some(known) = self.others.get(&function) {
            return known.as_ref();
        }
        let read = || BodyFacts::new(program, program.infer(function).filter(|_| self.has(program, function))?);
        let facts = catch_unwind(AssertUnwindSafe(read)).ok().flatten();
        // Two threads may come to the same one: they find the same.
        self.others.insert(function, Box::new(facts)).as_ref()
    }
}

/// What is known of one body.
pub(crate) struct BodyFacts {
    pub(crate) inferred: Inferred,
    pub(crate) regions: Regions,
    /// The root, and what nothing leads to, is its own.
    parents: IndexVec<ExprId, ExprId>,
    /// The binding that a `let` gives its initialiser to, by the initialiser.
    bound_by: FxHashMap<ExprId, PatId>,
    initialisers: FxHashMap<PatId, ExprId>,
    uses: FxHashMap<PatId, Vec<ExprId>>,
    /// The positions of the calls, by their expressions.
    calls: Vec<(ExprId, u32)>,
    /// Of a dependency's body: what may be passed by.
    conditional: IndexVec<ExprId, bool>,
}

impl BodyFacts {
    fn new(program: &Program<'_>, inferred: Inferred) -> Option<BodyFacts> {
        let body = program.body(inferred.owner)?;
        let regions = Regions::cut(program, &inferred)?;
        let mut parents: IndexVec<ExprId, ExprId> = body.exprs.indices().collect();
        let mut bound_by = FxHashMap::default();
        for (expr, data) in body.exprs.iter_enumerated() {
            each_child(body, expr, &mut |child| {
                parents[child] = expr;
            });
            let ExprKind::Block(block) = &data.kind else { continue };
            for statement in &block.statements {
                if let StatementKind::Let { pat, init: Some(init), .. } = &statement.kind
                    && matches!(body.pats[*pat].kind, PatKind::Bind { .. })
                {
                    bound_by.insert(*init, *pat);
                }
            }
        }
        let initialisers = bound_by.iter().map(|(init, pat)| (*pat, *init)).collect();
        let mut uses: FxHashMap<PatId, Vec<ExprId>> = FxHashMap::default();
        for (expr, pat) in &inferred.locals {
            uses.entry(*pat).or_default().push(*expr);
        }
        uses.values_mut().for_each(|list| list.sort());
        let mut calls: Vec<(ExprId, u32)> = inferred.calls.iter().enumerate().map(|(at, call)| (call.expr, at as u32)).collect();
        calls.sort_unstable();
        let mut facts =
            BodyFacts { inferred, regions, parents, bound_by, initialisers, uses, calls, conditional: IndexVec::new() };
        if !program.node(facts.inferred.owner.krate).is_member {
            facts.conditional = conditional(body, |closure| facts.is_given_to_std(program, closure));
        }
        Some(facts)
    }

    fn is_given_to_std(&self, program: &Program<'_>, closure: ExprId) -> bool {
        let callee = self.parent(closure).and_then(|parent| self.call(parent)).map(|call| call.callee);
        matches!(callee, Some(Callee::Function { def, .. }) if program.is_std(def.krate))
    }

    /// Whether a dependency's code may pass the expression by.
    pub(crate) fn is_conditional(&self, expr: ExprId) -> bool {
        self.conditional.get(expr).copied().unwrap_or(false)
    }

    pub(crate) fn parent(&self, expr: ExprId) -> Option<ExprId> {
        self.parents.get(expr).copied().filter(|parent| *parent != expr)
    }

    /// The binding that a `let` gives the value of an initialiser to.
    pub(crate) fn bound_to(&self, init: ExprId) -> Option<PatId> {
        self.bound_by.get(&init).copied()
    }

    /// What a `let` gives a binding.
    pub(crate) fn initialiser(&self, pat: PatId) -> Option<ExprId> {
        self.initialisers.get(&pat).copied()
    }

    /// Where a binding is used, in the order of the text.
    pub(crate) fn uses(&self, pat: PatId) -> &[ExprId] {
        self.uses.get(&pat).map_or(&[], Vec::as_slice)
    }

    /// Where the value of an initialiser is used, if a `let` gives it a name.
    pub(crate) fn uses_of(&self, init: ExprId) -> Option<&[ExprId]> {
        Some(self.uses(self.bound_to(init)?))
    }

    /// The call that an expression is.
    pub(crate) fn call(&self, expr: ExprId) -> Option<&CallSite> {
        // An expression with several, such as a macro's, counts with the last.
        let after = self.calls.partition_point(|(call, _)| *call <= expr);
        let (call, at) = self.calls.get(after.checked_sub(1)?)?;
        self.inferred.calls.get(*at as usize).filter(|_| *call == expr)
    }
}
