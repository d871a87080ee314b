//! Functions that are async contexts without being async: they run while a task is polled.

use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, DefKind};
use agentlint_semantic::types::{Ty, TyKind};
use agentlint_syntax::name;

/// Whether a function's own code runs while a task is polled: it takes a `&mut Context`, or is a tower service's `call`.
pub(crate) fn is_polled(program: &Program<'_>, owner: DefId) -> bool {
    if program.kind(owner) != DefKind::Function {
        return false;
    }
    let signature = program.signature(owner);
    signature.parameters.iter().any(|ty| is_task_context(program, *ty)) || is_service_call(program, owner)
}

fn is_task_context(program: &Program<'_>, ty: Ty) -> bool {
    let TyKind::Ref(inner, true) = *ty.kind() else { return false };
    matches!(*inner.kind(), TyKind::Adt(def, _) if Some(def) == program.known().context)
}

/// `call` of an impl of a trait `Service` that has a `Future` type: tower's and hyper's.
fn is_service_call(program: &Program<'_>, owner: DefId) -> bool {
    if program.name(owner) != "call" {
        return false;
    }
    let Some(holder) = program.container(owner) else { return false };
    let Some(trait_ref) = program.impl_trait_ref(holder) else { return false };
    program.name(trait_ref.trait_def) == "Service"
        && program.member(trait_ref.trait_def, name("Future"), |k| k == DefKind::AssocType).is_some()
}

/// Whether a trait is a future, a stream, or an extension of one.
pub(crate) fn is_future_like(program: &Program<'_>, trait_def: DefId, depth: u32) -> bool {
    let is_stream = program.name(trait_def) == "Stream" && !program.is_std(trait_def.krate);
    Some(trait_def) == program.known().future
        || is_stream
        || (depth < 8 && program.supertraits(trait_def).iter().any(|s| is_future_like(program, s.trait_def, depth + 1)))
}
