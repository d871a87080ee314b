//! A body for the lints to look into: its expressions with their types, where values come from and where they go.

use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, Place};
use agentlint_semantic::infer::{CallSite, Callee};
use agentlint_semantic::types::{Args, Ty};
use agentlint_syntax::Span;
use agentlint_syntax::ast::{Body, ExprId, ExprKind, PatId};

use crate::Effects;
use crate::body::BodyFacts;
use crate::entries::Entry;
use crate::region::{Region, RegionId, each_child};

/// One analysed body of a member.
#[derive(Clone, Copy)]
pub struct BodyView<'a> {
    pub owner: DefId,
    pub body: &'a Body,
    facts: &'a BodyFacts,
}

impl Effects {
    /// The body of a member's function, constant or static; `None` where it has none.
    pub fn view<'a>(&'a self, program: &'a Program<'_>, owner: DefId) -> Option<BodyView<'a>> {
        Some(BodyView { owner, body: program.body(owner)?, facts: self.facts(owner)? })
    }

    /// All bodies of the members but those of tests, in the order of the sources.
    pub fn views<'a>(&'a self, program: &'a Program<'_>) -> impl Iterator<Item = BodyView<'a>> {
        let owners = self.owners().into_iter().filter(|owner| !program.def(*owner).is_test);
        owners.filter_map(|owner| self.view(program, owner))
    }

    /// Where the work comes in that runs a region each time: not what only runs once, for all.
    pub fn entries(&self, program: &Program<'_>, region: RegionId) -> Vec<Entry> {
        self.reached_each_time(program, region)
    }

    /// The regions that call a function, or name it other than to a router.
    pub fn callers(&self, program: &Program<'_>, function: DefId) -> Vec<RegionId> {
        self.callers_of(program, function)
    }
}

impl<'a> BodyView<'a> {
    pub fn calls(&self) -> &'a [CallSite] {
        &self.facts.inferred.calls
    }

    /// The call that an expression is.
    pub fn call(&self, expr: ExprId) -> Option<&'a CallSite> {
        self.facts.call(expr)
    }

    pub fn kind(&self, expr: ExprId) -> &'a ExprKind {
        &self.body.exprs[expr].kind
    }

    pub fn ty(&self, expr: ExprId) -> Ty {
        self.facts.inferred.types[expr]
    }

    pub fn pat_ty(&self, pat: PatId) -> Ty {
        self.facts.inferred.pat_types[pat]
    }

    pub fn parent(&self, expr: ExprId) -> Option<ExprId> {
        self.facts.parent(expr)
    }

    /// The binding that a path expression reads.
    pub fn local(&self, expr: ExprId) -> Option<PatId> {
        self.facts.inferred.local(expr)
    }

    /// What a `let` gives a binding.
    pub fn initialiser(&self, pat: PatId) -> Option<ExprId> {
        self.facts.initialiser(pat)
    }

    /// The binding that a `let` gives the value of an initialiser to.
    pub fn bound_to(&self, init: ExprId) -> Option<PatId> {
        self.facts.bound_to(init)
    }

    /// Where a binding is used, in the order of the text.
    pub fn uses(&self, pat: PatId) -> &'a [ExprId] {
        self.facts.uses(pat)
    }

    /// The definitions that path expressions name.
    pub fn paths(&self) -> &'a [(ExprId, DefId, Args)] {
        &self.facts.inferred.paths
    }

    /// The definition that a path expression names.
    pub fn named(&self, expr: ExprId) -> Option<DefId> {
        let at = self.facts.inferred.paths.binary_search_by_key(&expr, |(expr, ..)| *expr).ok()?;
        Some(self.facts.inferred.paths[at].1)
    }

    pub fn region_of(&self, expr: ExprId) -> RegionId {
        RegionId { owner: self.owner, index: self.facts.regions.region_of[expr] }
    }

    pub fn region(&self, region: RegionId) -> Option<&'a Region> {
        self.facts.regions.regions.get(region.index as usize)
    }

    /// Whether the expression is the operand of an `.await`, or a branch of `select!` or `join!`.
    pub fn is_awaited(&self, expr: ExprId) -> bool {
        self.facts.regions.awaited.contains(&expr)
    }

    /// Calls `visit` with each expression directly inside, in the order of evaluation.
    pub fn each_child(&self, expr: ExprId, visit: &mut dyn FnMut(ExprId)) {
        each_child(self.body, expr, visit);
    }

    /// The expression and all inside it, closures and blocks too.
    pub fn inside(&self, expr: ExprId) -> Vec<ExprId> {
        let mut all = vec![expr];
        let mut next = 0;
        while let Some(at) = all.get(next).copied() {
            next += 1;
            each_child(self.body, at, &mut |child| all.push(child));
        }
        all
    }

    /// From the expression out to the body's root.
    pub fn around(&self, expr: ExprId) -> impl Iterator<Item = ExprId> {
        let view = *self;
        std::iter::successors(view.parent(expr), move |expr| view.parent(*expr))
    }

    pub fn place(&self, program: &Program<'_>, expr: ExprId) -> Place {
        self.place_of(program, self.body.exprs[expr].span)
    }

    pub fn place_of(&self, program: &Program<'_>, span: Span) -> Place {
        Place { file: program.real_file(self.owner.krate, program.def(self.owner).file), span }
    }

    /// A call from its callee's path, or its method's name, to the end: without what a method is called on.
    pub fn place_of_call(&self, program: &Program<'_>, call: &CallSite) -> Place {
        let start = match self.kind(call.expr) {
            ExprKind::Call { callee, .. } => self.body.exprs[*callee].span.start,
            _ => call.name_span.start,
        };
        self.place_of(program, Span::new(start, self.body.exprs[call.expr].span.end))
    }

    /// The function of the program that a call runs, or the one of the trait where that is all that is known.
    pub fn target(call: &CallSite) -> Option<DefId> {
        match call.callee {
            Callee::Function { def, implementation, .. } => Some(implementation.unwrap_or(def)),
            _ => None,
        }
    }
}
