//! Iterators do their work when they are used up: what becomes of one where it is made.

use agentlint_semantic::Program;
use agentlint_semantic::infer::Callee;
use agentlint_semantic::types::TyKind;
use agentlint_syntax::ast::{ExprId, ExprKind};

use crate::body::BodyFacts;

/// What a body does with an iterator that it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// It goes into a struct, a closure, or code of others.
    GivenAway,
    /// The function gives it to its caller, who most often uses it up.
    GivenBack,
    /// Items are taken out of it.
    UsedUp,
}

/// Longer ways of an iterator are not followed.
const DEEPEST: u32 = 12;

pub(crate) fn fate(program: &Program<'_>, facts: &BodyFacts, iterator: ExprId) -> Fate {
    follow(program, facts, iterator, 0)
}

fn follow(program: &Program<'_>, facts: &BodyFacts, iterator: ExprId, depth: u32) -> Fate {
    let Some(body) = program.body(facts.inferred.owner).filter(|_| depth < DEEPEST) else { return Fate::GivenAway };
    let goes_on = |next: ExprId| follow(program, facts, next, depth + 1);
    if let Some(uses) = facts.uses_of(iterator) {
        // A closure or block that takes it along uses it up at another time.
        let here = |place: &&ExprId| facts.regions.region_of[**place] == facts.regions.region_of[iterator];
        return uses.iter().filter(here).map(|place| goes_on(*place)).max().unwrap_or(Fate::GivenAway);
    }
    let Some(parent) = facts.parent(iterator) else { return Fate::GivenBack };
    match &body.exprs[parent].kind {
        ExprKind::For { iterable, .. } if *iterable == iterator => Fate::UsedUp,
        ExprKind::Reference { .. } | ExprKind::If { .. } | ExprKind::Match { .. } | ExprKind::Closure { .. } => goes_on(parent),
        ExprKind::Return(_) => Fate::GivenBack,
        ExprKind::Block(block) if block.tail == Some(iterator) => goes_on(parent),
        ExprKind::MethodCall { .. } | ExprKind::Call { .. } => {
            let callee = facts.call(parent).map(|call| call.callee);
            let is_of_std = matches!(callee, Some(Callee::Function { def, .. }) if program.is_std(def.krate));
            let (own, given) = (facts.inferred.types[iterator], facts.inferred.types[parent]);
            match *given.kind() {
                // An adaptor holds the iterator: what it gives has a fate of its own.
                TyKind::Adt(_, list) if list.contains(&own) => goes_on(parent),
                // `iterator.count()`, `list.extend(iterator)`; what code of others does with it is not known.
                _ if is_of_std && !given.is_unknown() => Fate::UsedUp,
                _ => Fate::GivenAway,
            }
        }
        _ => Fate::GivenAway,
    }
}
