//! `body_limit_disabled`: a request body that may be as long as its sender likes.

use agentlint_diagnostics::{Confidence, Diagnostic, Group, Level, LintMeta};
use agentlint_effects::{BodyView, Part};
use agentlint_linter::{Lint, LintContext};
use agentlint_semantic::types::{Ty, TyKind};
use agentlint_syntax::ast::{ExprId, ExprKind, PatKind, StatementKind};

use crate::service::{at_call, calls, has, origin, program_around};

static META: LintMeta = LintMeta {
    id: "body_limit_disabled",
    summary: "a request body that may be as long as its sender likes",
    group: Group::Limits,
    level: Level::Warn,
    page: include_str!("../body_limit_disabled.md"),
};

const READS_ALL: &str = "this reads a body of any length into memory: one request can fill it";

pub(crate) struct BodyLimitDisabled;

impl Lint for BodyLimitDisabled {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        for (view, call) in calls(cx, Part::BodyLimitOff) {
            if has(cx, &program_around(cx, view.owner.krate), Part::BodyLimit) {
                continue;
            }
            let message = "bodies have no limit any more: one request can fill the memory";
            let mut diagnostic = at_call(cx, &META, view, call, message.to_owned());
            diagnostic.confidence = Confidence::Likely;
            let help = "set the limit that the routes need with `DefaultBodyLimit::max(..)`, or add `tower_http::limit::RequestBodyLimitLayer`";
            diagnostic.help = Some(help.to_owned());
            report.push(diagnostic);
        }
        for (view, call) in calls(cx, Part::CollectBody) {
            if !call.receiver.is_some_and(|request| is_bare_request(cx, view.ty(request))) {
                continue;
            }
            let mut diagnostic = at_call(cx, &META, view, call, READS_ALL.to_owned());
            diagnostic.help = Some("put `http_body_util::Limited::new(body, 2 * 1024 * 1024)` around the body".to_owned());
            report.push(diagnostic);
        }
        for (view, call) in calls(cx, Part::ReadBody) {
            let [body, limit] = call.arguments.as_slice() else { continue };
            if !is_greatest(cx, view, *limit) || is_of_response(cx, view, *body) {
                continue;
            }
            let mut diagnostic = at_call(cx, &META, view, call, READS_ALL.to_owned());
            diagnostic.help = Some("give it the greatest length that makes sense here, such as `2 * 1024 * 1024`".to_owned());
            report.push(diagnostic);
        }
    }
}

/// `Request<Incoming>`: what came in, with no limit around its body.
fn is_bare_request(cx: &LintContext<'_>, ty: Ty) -> bool {
    match *ty.kind() {
        TyKind::Ref(inner, _) => is_bare_request(cx, inner),
        TyKind::Adt(def, list) if cx.effects.catalog.part(def) == Some(Part::Request) => {
            let body = list.first().map(|body| body.kind());
            matches!(body, Some(TyKind::Adt(def, _)) if cx.effects.catalog.part(*def) == Some(Part::IncomingBody))
        }
        _ => false,
    }
}

/// `usize::MAX`, and what is as good as that.
fn is_greatest(cx: &LintContext<'_>, view: BodyView<'_>, limit: ExprId) -> bool {
    match view.kind(origin(view, limit)) {
        ExprKind::Path(path) => {
            let of_std = view.named(limit).is_none_or(|def| cx.program.is_std(def.krate));
            of_std && path.segments.last().is_some_and(|last| matches!(last.name.as_str(), "MAX" | "max_value"))
        }
        _ => false,
    }
}

/// Whether the body is that of an answer: what the program makes itself.
fn is_of_response(cx: &LintContext<'_>, view: BodyView<'_>, body: ExprId) -> bool {
    let is_response = |ty: Ty| matches!(*ty.kind(), TyKind::Adt(def, _) if cx.effects.catalog.part(def) == Some(Part::Response));
    let made = origin(view, body);
    if let ExprKind::MethodCall { receiver, .. } = view.kind(made) {
        return is_response(view.ty(*receiver));
    }
    // `let (parts, body) = response.into_parts();`
    let Some(pat) = view.local(made) else { return false };
    view.body.exprs.iter().any(|data| {
        let ExprKind::Block(block) = &data.kind else { return false };
        block.statements.iter().any(|statement| match &statement.kind {
            StatementKind::Let { pat: whole, init: Some(init), .. } => {
                let PatKind::Tuple { elements, .. } = &view.body.pats[*whole].kind else { return false };
                let ExprKind::MethodCall { receiver, .. } = view.kind(*init) else { return false };
                elements.contains(&pat) && is_response(view.ty(*receiver))
            }
            _ => false,
        })
    })
}
