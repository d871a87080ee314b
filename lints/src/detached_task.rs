//! `detached_task`: work of a request that nobody waits for.

use agentlint_diagnostics::{Confidence, Diagnostic, Group, Level, LintMeta};
use agentlint_effects::{BodyView, Entry, Part};
use agentlint_linter::{Lint, LintContext};
use agentlint_semantic::infer::CallSite;
use agentlint_syntax::ast::{ExprId, ExprKind, PatKind, StatementKind};

use crate::service::{at_call, calls, holds};

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
            if !is_let_go(view, call.expr) || produces_answer(cx, view, call) {
                continue;
            }
            let entries = cx.effects.entries(cx.program, view.region_of(call.expr));
            if !entries.iter().any(|entry| !matches!(entry, Entry::Task(_))) {
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

/// Whether the task sends into a channel that this function made: then it feeds the answer, and ends with it.
fn produces_answer(cx: &LintContext<'_>, view: BodyView<'_>, spawn: &CallSite) -> bool {
    let inside = spawn.arguments.iter().flat_map(|task| view.inside(*task));
    inside.into_iter().any(|expr| {
        let Some(pat) = view.local(expr).filter(|_| holds(cx, view.ty(expr), Part::ChannelSender)) else { return false };
        !view.body.parameters.contains(&pat)
    })
}
