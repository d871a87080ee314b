//! Guards that live across an await, and over a call that blocks.

use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, Place};
use agentlint_syntax::ast::{Body, ExprId, ExprKind, MacroArguments, PatKind};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::body::BodyFacts;
use crate::catalog::GuardKind;
use crate::guard_walk::{Held, Made, Over, Walk};
use crate::region::RegionKind;
use crate::{Effects, Role};

/// A guard that is alive while its task may be suspended.
#[derive(Clone, Debug)]
pub struct HeldGuard {
    pub owner: DefId,
    pub kind: GuardKind,
    /// The expression that makes the guard, or the parameter that it comes in as.
    pub made: Place,
    pub awaited: Place,
    /// The role of the code that makes it.
    pub role: Role,
    /// The guard's type.
    pub ty: String,
    /// The binding's name, where it has one.
    pub name: Option<String>,
}

/// A lock that is held while something blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldLock {
    /// The guard's type.
    pub ty: String,
    /// The binding's name, where it has one.
    pub name: Option<String>,
}

impl Effects {
    /// Every guard that is held across an await, in the order of the sources.
    pub fn held_guards(&self, program: &Program<'_>) -> Vec<HeldGuard> {
        let held = |owner: DefId| self.held_in(program, owner).unwrap_or_default();
        let mut found: Vec<HeldGuard> = self.owners().into_par_iter().with_max_len(64).flat_map_iter(held).collect();
        found.sort_by_key(|guard| (guard.made, guard.awaited));
        found
    }

    fn held_in(&self, program: &Program<'_>, owner: DefId) -> Option<Vec<HeldGuard>> {
        let (facts, body) = (self.facts(owner)?, program.body(owner)?);
        let held = self.held(program, facts, body, FxHashSet::default());
        let file = program.real_file(owner.krate, program.def(owner).file);
        let across_await = held.into_iter().filter_map(|held| {
            let Over::Await(span) = held.over else { return None };
            let (made, expr) = match held.made {
                Made::Expr(expr) => (body.exprs[expr].span, expr),
                Made::Parameter(pat) => (body.pats[pat].span, body.root),
            };
            let HeldLock { ty, name } = described(program, facts, body, &held);
            Some(HeldGuard {
                owner,
                kind: held.kind,
                made: Place { file, span: made },
                awaited: Place { file, span },
                role: self.role(program, owner, expr),
                ty,
                name,
            })
        });
        Some(across_await.collect())
    }

    /// The locks that are held over these calls of a body.
    pub(crate) fn locks_over(
        &self,
        program: &Program<'_>,
        owner: DefId,
        calls: FxHashSet<ExprId>,
    ) -> FxHashMap<ExprId, HeldLock> {
        let (Some(facts), Some(body)) = (self.facts(owner), program.body(owner)) else { return FxHashMap::default() };
        let held = self.held(program, facts, body, calls).into_iter().filter(|held| held.kind == GuardKind::Lock);
        let mut found = FxHashMap::default();
        for held in held {
            if let Over::Call(call) = held.over {
                found.entry(call).or_insert_with(|| described(program, facts, body, &held));
            }
        }
        found
    }

    fn held(&self, program: &Program<'_>, facts: &BodyFacts, body: &Body, calls: FxHashSet<ExprId>) -> Vec<Held> {
        let mut found = Vec::new();
        for region in facts.regions.regions.iter().filter(|region| region.kind == RegionKind::Async) {
            let root = match &body.exprs[region.expr].kind {
                ExprKind::Async { body, .. } => *body,
                ExprKind::Macro(call) => match &call.arguments {
                    MacroArguments::Block(block) => *block,
                    _ => continue,
                },
                _ => region.expr,
            };
            found.extend(Walk::new(program, &self.catalog, &facts.inferred, body, &calls).held(root));
        }
        found
    }
}

fn described(program: &Program<'_>, facts: &BodyFacts, body: &Body, held: &Held) -> HeldLock {
    let name = held.binding.and_then(|pat| match &body.pats[pat].kind {
        PatKind::Bind { name, .. } => Some(name.to_string()),
        _ => None,
    });
    let ty = match (held.binding, held.made) {
        (Some(pat), _) | (None, Made::Parameter(pat)) => facts.inferred.pat_types[pat],
        (None, Made::Expr(expr)) => facts.inferred.types[expr],
    };
    HeldLock { ty: ty.render(program), name }
}
