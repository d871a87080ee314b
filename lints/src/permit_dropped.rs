//! `permit_dropped`: a permit that is given back before the work that it is for.

use agentlint_diagnostics::{Confidence, Diagnostic, Group, Level, LintMeta, Location};
use agentlint_effects::{BodyView, Part};
use agentlint_linter::{Lint, LintContext};
use agentlint_syntax::Span;
use agentlint_syntax::ast::{ExprId, ExprKind, PatId, PatKind, StatementKind};

use crate::blocking::location;
use crate::service::{calls, holds};

static META: LintMeta = LintMeta {
    id: "permit_dropped",
    summary: "a permit that is given back before the work that it is for",
    group: Group::Limits,
    level: Level::Deny,
    page: include_str!("../permit_dropped.md"),
};

pub(crate) struct PermitDropped;

impl Lint for PermitDropped {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        if !cx.effects.catalog.knows(Part::Permit) {
            return;
        }
        for view in cx.effects.views(cx.program) {
            for data in &view.body.exprs {
                let ExprKind::Block(block) = &data.kind else { continue };
                for statement in &block.statements {
                    match &statement.kind {
                        StatementKind::Let { pat, init: Some(init), .. } => of_let(cx, view, *pat, *init, report),
                        StatementKind::Expr { expr, semicolon: true } if is_acquired(cx, view, *expr) => {
                            report.push(at_once(cx, view, view.body.exprs[*expr].span));
                        }
                        _ => {}
                    }
                }
            }
        }
    }
}

/// Whether the value is a permit, or would be one if all went well.
fn is_acquired(cx: &LintContext<'_>, view: BodyView<'_>, expr: ExprId) -> bool {
    // `held = semaphore.acquire().await?` keeps it.
    !matches!(view.kind(expr), ExprKind::Assign { .. } | ExprKind::Return(_))
        && holds(cx, view.ty(expr), Part::Permit)
        && !waits_for_others(cx, view, expr)
}

/// `semaphore.acquire_many(all).await` gives the permits back at once because what counts is that all were there.
fn waits_for_others(cx: &LintContext<'_>, view: BodyView<'_>, expr: ExprId) -> bool {
    let whole = view.body.exprs[expr].span;
    calls(cx, Part::PermitsTogether)
        .any(|(other, call)| other.owner == view.owner && whole.covers(other.body.exprs[call.expr].span))
}

fn of_let(cx: &LintContext<'_>, view: BodyView<'_>, pat: PatId, init: ExprId, report: &mut Vec<Diagnostic>) {
    match &view.body.pats[pat].kind {
        PatKind::Wild if is_acquired(cx, view, init) && made_here(view, init) => {
            report.push(at_once(cx, view, view.body.exprs[init].span));
        }
        // It lives until the function answers, and the stream goes on.
        PatKind::Bind { .. } if view.uses(pat).is_empty() && holds(cx, view.ty(init), Part::Permit) => {
            let region = view.region_of(init);
            let streams = calls(cx, Part::Sse).any(|(other, call)| other.owner == view.owner && other.region_of(call.expr) == region);
            if streams {
                let message = "this permit is given back when the answer begins, and the stream that it is for goes on without it";
                let mut diagnostic = Diagnostic::new(META.id, Level::Warn, message, place(cx, view, view.body.exprs[init].span));
                diagnostic.confidence = Confidence::Likely;
                diagnostic.help = Some("take it with `acquire_owned()`, and move it into the stream".to_owned());
                report.push(diagnostic);
            }
        }
        _ => {}
    }
}

/// `let _ = permit;` of something that exists moves nothing, and drops nothing.
fn made_here(view: BodyView<'_>, init: ExprId) -> bool {
    !matches!(view.kind(init), ExprKind::Path(_) | ExprKind::Field { .. })
}

fn at_once(cx: &LintContext<'_>, view: BodyView<'_>, span: Span) -> Diagnostic {
    let message = "this permit is given back at once: it limits nothing";
    let mut diagnostic = Diagnostic::new(META.id, META.level, message, place(cx, view, span));
    diagnostic.help = Some("keep it in a binding with a name, such as `let _permit = ..`, for as long as the work takes".to_owned());
    diagnostic
}

fn place(cx: &LintContext<'_>, view: BodyView<'_>, span: Span) -> Location {
    location(view.place_of(cx.program, span))
}
