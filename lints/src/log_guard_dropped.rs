//! `log_guard_dropped`: a log writer that ends before the program does.

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta};
use agentlint_effects::{BodyView, Part};
use agentlint_linter::{Lint, LintContext};
use agentlint_semantic::infer::CallSite;
use agentlint_syntax::ast::{ExprKind, PatId, PatKind, StatementKind};

use crate::service::{at_call, calls, holds};

static META: LintMeta = LintMeta {
    id: "log_guard_dropped",
    summary: "a log writer that ends before the program does",
    group: Group::Pedantic,
    level: Level::Allow,
    page: include_str!("../log_guard_dropped.md"),
};

pub(crate) struct LogGuardDropped;

impl Lint for LogGuardDropped {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        for (view, call) in calls(cx, Part::LogWriter).filter(|(view, call)| is_dropped(cx, *view, call)) {
            let message = "the writer's guard is dropped here, and its thread ends: what is logged later is lost";
            let mut diagnostic = at_call(cx, &META, view, call, message.to_owned());
            diagnostic.help = Some("keep the guard in `main` until the program ends: `let (writer, _guard) = ..`".to_owned());
            report.push(diagnostic);
        }
    }
}

/// Whether the guard goes before the program does: at once, or with a function that is not `main`.
fn is_dropped(cx: &LintContext<'_>, view: BodyView<'_>, call: &CallSite) -> bool {
    let Some(parent) = view.parent(call.expr) else { return false };
    match view.kind(parent) {
        // `non_blocking(..).0`
        ExprKind::Field { name, .. } => *name == "0",
        ExprKind::Block(block) => block.statements.iter().any(|statement| match &statement.kind {
            StatementKind::Let { pat, init, .. } if *init == Some(call.expr) => is_lost(cx, view, *pat),
            StatementKind::Expr { expr, semicolon: true } => *expr == call.expr,
            _ => false,
        }),
        _ => false,
    }
}

fn is_lost(cx: &LintContext<'_>, view: BodyView<'_>, whole: PatId) -> bool {
    let PatKind::Tuple { elements, .. } = &view.body.pats[whole].kind else {
        return matches!(view.body.pats[whole].kind, PatKind::Wild);
    };
    match elements.as_slice() {
        [_, guard] => match &view.body.pats[*guard].kind {
            PatKind::Wild => true,
            PatKind::Bind { .. } => {
                let is_guard = holds(cx, view.pat_ty(*guard), Part::LogGuard);
                is_guard && view.uses(*guard).is_empty() && cx.program.name(view.owner) != "main"
            }
            _ => false,
        },
        // `let (writer, ..) = ..`
        [_] => true,
        _ => false,
    }
}
