//! Where a value comes from, what is chained to it, and where it goes: within a body, and back to a function's callers.

use agentlint_effects::{BodyView, Part};
use agentlint_linter::LintContext;
use agentlint_semantic::infer::{CallSite, Callee};
use agentlint_semantic::types::{Ty, TyKind};
use agentlint_syntax::ast::{ExprId, ExprKind, Literal, PatId, PatKind};

/// Longer ways are not followed.
const LONGEST: usize = 64;
/// A value that goes through more functions is not followed.
const DEEPEST: u32 = 5;

/// The expression that makes a value: behind references, `?`, `.await`, and the bindings that a `let` gives it to.
pub(crate) fn origin(view: BodyView<'_>, mut expr: ExprId) -> ExprId {
    for _ in 0..LONGEST {
        expr = match view.kind(expr) {
            ExprKind::Reference { operand, .. } | ExprKind::Try(operand) | ExprKind::Await { operand, .. } => *operand,
            ExprKind::Block(block) => match block.tail {
                Some(tail) => tail,
                None => return expr,
            },
            ExprKind::Path(_) => match view.local(expr).and_then(|pat| view.initialiser(pat)) {
                Some(init) => init,
                None => return expr,
            },
            _ => return expr,
        };
    }
    expr
}

/// The calls that a value is chained of, from the last back to the first: `c`, `b` and `a` of `a().b().c()`.
pub(crate) fn chain<'a>(view: BodyView<'a>, expr: ExprId) -> Vec<&'a CallSite> {
    let mut calls = Vec::new();
    let mut at = origin(view, expr);
    while calls.len() < LONGEST {
        let Some(call) = view.call(at) else { break };
        calls.push(call);
        match view.kind(at) {
            ExprKind::MethodCall { receiver, .. } => at = origin(view, *receiver),
            _ => break,
        }
    }
    calls
}

/// What becomes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// It is answered, or given to code of others, as it is.
    Kept,
    /// It goes where nobody follows it.
    Lost,
    /// What is looked for is done to it.
    Met,
}

/// Follows a value from where it is made to where it is answered; `meets` says of each call that it goes through, as the receiver or
/// as an argument, whether that is what is looked for.
pub(crate) fn fate(
    cx: &LintContext<'_>,
    view: BodyView<'_>,
    expr: ExprId,
    meets: &dyn Fn(BodyView<'_>, &CallSite) -> bool,
) -> Way {
    follow(cx, view, expr, meets, 0)
}

fn follow(
    cx: &LintContext<'_>,
    view: BodyView<'_>,
    mut expr: ExprId,
    meets: &dyn Fn(BodyView<'_>, &CallSite) -> bool,
    depth: u32,
) -> Way {
    for _ in 0..LONGEST {
        if let Some(pat) = view.bound_to(expr) {
            let uses = view.uses(pat).iter();
            return uses.map(|used| follow(cx, view, *used, meets, depth + 1)).max().unwrap_or(Way::Lost);
        }
        if depth > DEEPEST {
            return Way::Lost;
        }
        let Some(parent) = view.parent(expr) else { return given_back(cx, view, meets, depth) };
        match view.kind(parent) {
            ExprKind::MethodCall { .. } | ExprKind::Call { .. } => {
                let Some(call) = view.call(parent) else { return Way::Lost };
                if meets(view, call) {
                    return Way::Met;
                }
                match call.callee {
                    Callee::Constructor(def) if !cx.program.is_std(def.krate) => return Way::Lost,
                    Callee::Constructor(_) => {}
                    Callee::Function { .. } if BodyView::target(call).is_some_and(|def| cx.program.node(def.krate).is_member) => {
                        return Way::Lost;
                    }
                    Callee::Function { .. } => {}
                    Callee::Value(_) | Callee::Unresolved(_) => return Way::Lost,
                }
            }
            // The closure answers.
            ExprKind::Closure { .. } => return Way::Kept,
            ExprKind::Block(block) if block.tail != Some(expr) => return Way::Lost,
            ExprKind::Field { .. } | ExprKind::Struct { .. } | ExprKind::Index { .. } | ExprKind::Assign { .. } => {
                return Way::Lost;
            }
            ExprKind::Return(_) => return given_back(cx, view, meets, depth),
            _ => {}
        }
        expr = parent;
    }
    Way::Lost
}

/// What the callers of a function do with what it gives.
fn given_back(cx: &LintContext<'_>, view: BodyView<'_>, meets: &dyn Fn(BodyView<'_>, &CallSite) -> bool, depth: u32) -> Way {
    let mut way = Way::Kept;
    for region in cx.effects.callers(cx.program, view.owner) {
        let Some(caller) = cx.effects.view(cx.program, region.owner) else { continue };
        let calls = caller.calls().iter().filter(|call| BodyView::target(call) == Some(view.owner));
        for call in calls.filter(|call| caller.region_of(call.expr) == region) {
            way = way.max(follow(cx, caller, call.expr, meets, depth + 1));
        }
    }
    way
}

/// The type behind references.
pub(crate) fn peeled(mut ty: Ty) -> Ty {
    while let TyKind::Ref(inner, _) = *ty.kind() {
        ty = inner;
    }
    ty
}

/// Whether the type is one of that part, or holds one.
pub(crate) fn holds(cx: &LintContext<'_>, ty: Ty, part: Part) -> bool {
    holds_in(cx, ty, part, 0)
}

fn holds_in(cx: &LintContext<'_>, ty: Ty, part: Part, depth: u32) -> bool {
    if depth > 12 {
        return false;
    }
    match *ty.kind() {
        TyKind::Adt(def, list) => {
            cx.effects.catalog.part(def) == Some(part) || list.iter().any(|ty| holds_in(cx, *ty, part, depth + 1))
        }
        TyKind::Tuple(list) => list.iter().any(|ty| holds_in(cx, *ty, part, depth + 1)),
        TyKind::Ref(inner, _) | TyKind::Slice(inner) | TyKind::Array(inner, _) => holds_in(cx, inner, part, depth + 1),
        _ => false,
    }
}

/// Whether a binding is a parameter of the function, or a part of one.
pub(crate) fn is_parameter(view: BodyView<'_>, pat: PatId) -> bool {
    let mut open = view.body.parameters.clone();
    while let Some(at) = open.pop() {
        if at == pat {
            return true;
        }
        match &view.body.pats[at].kind {
            PatKind::TupleStruct { elements, .. } | PatKind::Tuple { elements, .. } => open.extend(elements),
            PatKind::Struct { fields, .. } => open.extend(fields.iter().map(|field| field.pat)),
            PatKind::Slice(elements) | PatKind::Or(elements) => open.extend(elements),
            PatKind::Reference { pat, .. } => open.push(*pat),
            PatKind::Bind { subpattern, .. } => open.extend(subpattern),
            _ => {}
        }
    }
    false
}

/// The text of a string literal, behind references and constants of the program.
pub(crate) fn text_of<'a>(cx: &'a LintContext<'_>, view: BodyView<'a>, expr: ExprId) -> Option<&'a str> {
    match view.kind(expr) {
        ExprKind::Literal(Literal::Str(text)) => Some(text),
        ExprKind::Reference { operand, .. } => text_of(cx, view, *operand),
        // `HeaderName::from_static("..")`
        ExprKind::Call { arguments, .. } => match arguments.as_slice() {
            [only] => text_of(cx, view, *only),
            _ => None,
        },
        ExprKind::Path(_) => {
            let constant = view.named(expr).filter(|def| cx.program.node(def.krate).is_member)?;
            let inside = cx.effects.view(cx.program, constant)?;
            // A constant of a constant is seldom; a cycle of them is no program.
            match inside.kind(inside.body.root) {
                ExprKind::Path(_) => None,
                _ => text_of(cx, inside, inside.body.root),
            }
        }
        _ => None,
    }
}
