//! Iterators that do their work when they are used up, and whether they are where they are made.

use agentlint_semantic::Program;
use agentlint_semantic::infer::Callee;
use agentlint_semantic::types::TyKind;
use agentlint_syntax::ast::{ExprId, ExprKind};

use crate::body::BodyFacts;

/// Longer ways of an iterator are not followed.
const DEEPEST: u32 = 24;

/// Whether the body that makes an iterator takes items out of it: not where it is given away, kept or given back.
pub(crate) fn is_used_up(program: &Program<'_>, facts: &BodyFacts, iterator: ExprId) -> bool {
    used(program, facts, iterator, 0)
}

fn used(program: &Program<'_>, facts: &BodyFacts, iterator: ExprId, depth: u32) -> bool {
    let Some(body) = program.body(facts.inferred.owner).filter(|_| depth < DEEPEST) else { return false };
    if let Some(uses) = facts.uses_of(iterator) {
        // A closure or block that takes it along uses it up at another time.
        let here = |place: &&ExprId| facts.regions.region_of[**place] == facts.regions.region_of[iterator];
        return uses.iter().filter(here).any(|place| used(program, facts, *place, depth + 1));
    }
    let Some(parent) = facts.parent(iterator) else { return false };
    match &body.exprs[parent].kind {
        ExprKind::For { iterable, .. } => *iterable == iterator,
        ExprKind::Reference { .. } => used(program, facts, parent, depth + 1),
        ExprKind::MethodCall { .. } | ExprKind::Call { .. } => {
            let is_receiver = matches!(body.exprs[parent].kind, ExprKind::MethodCall { receiver, .. } if receiver == iterator);
            let callee = facts.call(parent).map(|call| call.callee);
            // `list.extend(iterator)`; what code of others does with it is not known.
            let is_of_std = matches!(callee, Some(Callee::Function { def, .. }) if program.is_std(def.krate));
            // An adaptor holds the iterator: what it gives is used up or not in its turn.
            let own = facts.inferred.types[iterator];
            let holds = matches!(*facts.inferred.types[parent].kind(), TyKind::Adt(_, list) if list.contains(&own));
            match holds {
                true => used(program, facts, parent, depth + 1),
                false => is_receiver || is_of_std,
            }
        }
        _ => false,
    }
}
