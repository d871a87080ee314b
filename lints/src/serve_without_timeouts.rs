//! `serve_without_timeouts`: a server that waits for its clients for ever.

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta};
use agentlint_effects::{BodyView, Part};
use agentlint_linter::{Lint, LintContext};
use agentlint_semantic::infer::CallSite;
use agentlint_syntax::ast::{ExprKind, Literal};

use crate::service::{at_call, binaries_that_run, calls, origin, text_of};

static META: LintMeta = LintMeta {
    id: "serve_without_timeouts",
    summary: "a server that waits for its clients for ever",
    group: Group::Pedantic,
    level: Level::Allow,
    page: include_str!("../serve_without_timeouts.md"),
};

pub(crate) struct ServeWithoutTimeouts;

impl Lint for ServeWithoutTimeouts {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        for (view, call) in calls(cx, Part::ServeWithoutTimeouts) {
            if is_local(cx, view, call) || binaries_that_run(cx, view.owner).is_empty() {
                continue;
            }
            let message = "this server has no timeouts: a client that sends half a request, or nothing, holds its connection for ever";
            let mut diagnostic = at_call(cx, &META, view, call, message.to_owned());
            let help = "accept connections yourself and serve them with `hyper::server::conn::http1::Builder`, `.timer(..)` and `.header_read_timeout(..)`, or let a proxy in front do it";
            diagnostic.help = Some(help.to_owned());
            report.push(diagnostic);
        }
    }
}

/// Whether the listener is bound to an address of this machine alone, as far as it is written out.
fn is_local(cx: &LintContext<'_>, view: BodyView<'_>, call: &CallSite) -> bool {
    let Some(listener) = call.arguments.first() else { return false };
    let made = origin(view, *listener);
    let Some(bind) = std::iter::successors(Some(made), |at| match view.kind(*at) {
        ExprKind::MethodCall { receiver, .. } => Some(origin(view, *receiver)),
        _ => None,
    })
    .last()
    .and_then(|first| view.call(first)) else {
        return false;
    };
    let written = bind.arguments.iter().flat_map(|address| view.inside(origin(view, *address)));
    let mut texts = written.filter_map(|expr| match view.kind(expr) {
        ExprKind::Literal(Literal::Str(text)) => Some(text.as_str()),
        ExprKind::Path(path) if path.segments.last().is_some_and(|last| last.name == "LOCALHOST") => Some("localhost"),
        _ => text_of(cx, view, expr),
    });
    texts.any(|text| ["127.", "localhost", "[::1]", "::1"].iter().any(|local| text.starts_with(local)))
}
