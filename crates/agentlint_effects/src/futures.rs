//! Futures of dependencies: the code that one runs, and whether it is run.

use agentlint_semantic::Program;
use agentlint_semantic::def::DefId;
use agentlint_semantic::types::{Ty, TyKind};
use agentlint_syntax::ast::{ExprId, ExprKind};

use crate::body::BodyFacts;
use crate::region::RegionKind;

/// Longer ways from where a future is made to where it is run are not followed.
const DEEPEST: u32 = 16;

/// Whether a future is awaited, or given to something that may run it.
pub(crate) fn is_driven(program: &Program<'_>, facts: &BodyFacts, future: ExprId) -> bool {
    let owner = facts.inferred.owner;
    // What a function of a dependency gives back is for its caller to run, and whoever calls it for a future runs that.
    let is_given_back = !program.node(owner.krate).is_member && !program.function(owner).is_none_or(|function| function.is_async);
    is_run(program, facts, future, is_given_back, 0)
}

fn is_run(program: &Program<'_>, facts: &BodyFacts, future: ExprId, is_given_back: bool, depth: u32) -> bool {
    if facts.regions.awaited.contains(&future) {
        return true;
    }
    if depth > DEEPEST {
        return false;
    }
    let goes_on = |at: ExprId| is_run(program, facts, at, is_given_back, depth + 1);
    if let Some(uses) = facts.uses_of(future) {
        return uses.iter().any(|used| goes_on(*used));
    }
    let Some(body) = program.body(facts.inferred.owner) else { return false };
    let Some(parent) = facts.parent(future) else { return is_given_back };
    match &body.exprs[parent].kind {
        ExprKind::Call { .. } | ExprKind::MethodCall { .. } | ExprKind::Macro(_) | ExprKind::Closure { .. } => true,
        ExprKind::Reference { .. } | ExprKind::If { .. } | ExprKind::Match { .. } => goes_on(parent),
        ExprKind::Tuple(_) | ExprKind::Array(_) => goes_on(parent),
        ExprKind::Block(block) if block.tail == Some(future) => goes_on(parent),
        ExprKind::Return(_) => is_given_back,
        _ => false,
    }
}

/// Whether what a function gives may be a future: an `impl Trait`, a `dyn` in a box, or what an associated type is.
pub(crate) fn may_give_future(program: &Program<'_>, function: DefId) -> bool {
    let output = program.signature(function).output;
    match *output.kind() {
        TyKind::Opaque(..) | TyKind::Projection(..) => true,
        TyKind::Adt(def, list) if Some(def) == program.known().pin || Some(def) == program.known().boxed => {
            list.first().is_some_and(|inner| matches!(inner.kind(), TyKind::Dyn(_) | TyKind::Adt(..)))
        }
        _ => false,
    }
}

/// The region that the future of a function runs: all of an async function, the `async` block that another one gives back.
pub(crate) fn future_region(program: &Program<'_>, facts: &BodyFacts) -> Option<u32> {
    let owner = facts.inferred.owner;
    if program.function(owner)?.is_async {
        return Some(0);
    }
    let body = program.body(owner)?;
    let mut at = body.root;
    for _ in 0..DEEPEST {
        at = match &body.exprs[at].kind {
            ExprKind::Async { .. } => {
                let region = *facts.regions.by_expr.get(&at)?;
                return (facts.regions.regions[region as usize].kind == RegionKind::Async).then_some(region);
            }
            ExprKind::Block(block) => block.tail?,
            // `Box::pin(async { .. })`, `async { .. }.boxed()`.
            ExprKind::Call { arguments, .. } => *arguments.first()?,
            ExprKind::MethodCall { receiver, .. } => *receiver,
            ExprKind::Cast { operand, .. } => *operand,
            ExprKind::Path(_) => facts.initialiser(facts.inferred.local(at)?)?,
            _ => return None,
        };
    }
    None
}

/// Whether values of the type are futures, as far as it says so itself.
pub(crate) fn is_future(program: &Program<'_>, ty: Ty) -> bool {
    let known = program.known();
    match *ty.kind() {
        TyKind::Async(..) => true,
        TyKind::Opaque(def, 0, _) => program.function(def).is_some_and(|function| function.is_async),
        TyKind::Adt(def, list) if Some(def) == known.pin || Some(def) == known.boxed => {
            list.first().is_some_and(|inner| is_future(program, *inner))
        }
        TyKind::Dyn(bounds) => bounds.traits.iter().any(|bound| Some(bound.trait_def) == known.future),
        _ => false,
    }
}
