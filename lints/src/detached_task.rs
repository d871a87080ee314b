//! `detached_task`: work of a request that nobody waits for.

use agentlint_diagnostics::{Confidence, Diagnostic, Group, Level, LintMeta};
use agentlint_effects::{BodyView, Part};
use agentlint_linter::{Lint, LintContext};
use agentlint_semantic::infer::CallSite;
use agentlint_semantic::types::{Ty, TyKind};
use agentlint_syntax::ast::{ExprId, ExprKind, MacroArguments, PatKind, StatementKind};

use crate::service::{above, at_call, below, calls, holds, is_asked_for, is_parameter, mentions};

static META: LintMeta = LintMeta {
    id: "detached_task",
    summary: "work of a request that nobody waits for",
    group: Group::Shutdown,
    level: Level::Warn,
    page: include_str!("../detached_task.md"),
};

pub(crate) struct DetachedTask;

impl Lint for DetachedTask {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        for (view, call) in calls(cx, Part::Spawn) {
            if !is_let_go(view, call.expr) || produces_answer(cx, view, call) || is_of_the_server(cx, view, call) {
                continue;
            }
            if !is_asked_for(cx, view, call.expr) {
                continue;
            }
            let message = "nobody waits for this task: a shutdown ends it in the middle, and nothing is told when it fails";
            let mut diagnostic = at_call(cx, &META, view, call, message.to_owned());
            diagnostic.confidence = Confidence::Likely;
            diagnostic.help = Some("spawn it on a `tokio_util::task::TaskTracker` of the application's state, and wait for that on shutdown".to_owned());
            report.push(diagnostic);
        }
    }
}

/// Whether the task's handle is dropped at once, or never looked at.
fn is_let_go(view: BodyView<'_>, spawn: ExprId) -> bool {
    let Some(parent) = view.parent(spawn) else { return false };
    let ExprKind::Block(block) = view.kind(parent) else { return false };
    block.statements.iter().any(|statement| match &statement.kind {
        StatementKind::Expr { expr, semicolon } => *expr == spawn && *semicolon,
        StatementKind::Let { pat, init, .. } if *init == Some(spawn) => match &view.body.pats[*pat].kind {
            PatKind::Wild => true,
            PatKind::Bind { .. } => view.uses(*pat).is_empty(),
            _ => false,
        },
        StatementKind::Let { .. } => false,
    })
}

/// Whether a shutdown has nothing to wait for: the task does not wait for anything itself, it looks for the shutdown or is one, or it goes on
/// for as long as the program does, as one that accepts connections.
fn is_of_the_server(cx: &LintContext<'_>, view: BodyView<'_>, spawn: &CallSite) -> bool {
    let Some(task) = spawn.arguments.first() else { return true };
    let inside = view.inside(*task);
    if let ExprKind::Async { .. } = view.kind(*task)
        && !inside.iter().any(|expr| may_wait(view, *expr))
    {
        return true;
    }
    let serving = [Part::Accept, Part::ServeWithoutTimeouts, Part::Serve, Part::ServeConnection];
    let ends = |call: &CallSite| matches!(cx.effects.part_of(&call.callee), Some(Part::StreamEnd | Part::Exit));
    let serves = |call: &CallSite| cx.effects.part_of(&call.callee).is_some_and(|part| serving.contains(&part));
    let own: Vec<&CallSite> = inside.iter().filter_map(|expr| view.call(*expr)).collect();
    own.iter().any(|call| ends(call) || serves(call))
        || inside.iter().any(|expr| is_signal(cx, view.ty(*expr)))
        || mentions(cx, &below(cx, own.iter().filter_map(|call| BodyView::target(call))), &serving)
        || inside.iter().any(|expr| is_endless(cx, view, *expr))
        // What accepts connections does so for as long as the program runs, and this is a part of it.
        || mentions(cx, &above(cx, view.owner), &[Part::Accept])
}

/// The receiver of a channel that carries nothing: it can only tell the task to stop.
fn is_signal(cx: &LintContext<'_>, ty: Ty) -> bool {
    match *ty.kind() {
        TyKind::Adt(def, list) if cx.effects.catalog.part(def) == Some(Part::ChannelReceiver) => {
            list.first().is_some_and(|item| matches!(item.kind(), TyKind::Tuple(parts) if parts.is_empty()))
        }
        TyKind::Ref(inner, _) => is_signal(cx, inner),
        _ => false,
    }
}

/// What is inside a macro such as `select!` may wait too.
fn may_wait(view: BodyView<'_>, expr: ExprId) -> bool {
    match view.kind(expr) {
        ExprKind::Await { .. } => true,
        ExprKind::Macro(call) => !matches!(call.arguments, MacroArguments::Exprs(_)),
        _ => false,
    }
}

/// A loop that looks, and waits for a time.
fn is_endless(cx: &LintContext<'_>, view: BodyView<'_>, expr: ExprId) -> bool {
    if !matches!(view.kind(expr), ExprKind::Loop { .. }) {
        return false;
    }
    let waits = |call: &CallSite| matches!(cx.effects.part_of(&call.callee), Some(Part::Sleep | Part::Interval));
    view.inside(expr).iter().filter_map(|inside| view.call(*inside)).any(waits)
}

/// Whether the task sends into a channel that this function made: then it feeds the answer, and ends with it.
fn produces_answer(cx: &LintContext<'_>, view: BodyView<'_>, spawn: &CallSite) -> bool {
    let inside = spawn.arguments.iter().flat_map(|task| view.inside(*task));
    inside.into_iter().any(|expr| {
        let Some(pat) = view.local(expr).filter(|_| holds(cx, view.ty(expr), Part::ChannelSender)) else { return false };
        !is_parameter(view, pat)
    })
}
