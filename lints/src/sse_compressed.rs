//! `sse_compressed`: a compression that takes streams of events too.

use agentlint_diagnostics::{Confidence, Diagnostic, Group, Level, LintMeta};
use agentlint_effects::{BodyView, Part};
use agentlint_linter::{Lint, LintContext};
use agentlint_semantic::def::DefId;
use agentlint_syntax::ast::{ExprId, ExprKind, Literal};

use crate::service::{EventResponse, at_call, calls, event_responses, holds, origin, program_around};

static META: LintMeta = LintMeta {
    id: "sse_compressed",
    summary: "a compression that takes streams of events too",
    group: Group::Streaming,
    level: Level::Deny,
    page: include_str!("../sse_compressed.md"),
};

pub(crate) struct SseCompressed;

impl Lint for SseCompressed {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        let mut layers = calls(cx, Part::CompressWhen).peekable();
        if layers.peek().is_none() {
            return;
        }
        let responses = event_responses(cx);
        for (view, call) in layers {
            let Some(predicate) = call.arguments.first() else { continue };
            if spares_streams(cx, view, *predicate, 0) || !responses.iter().any(|response| is_over(cx, view, call.expr, response)) {
                continue;
            }
            let message = "this predicate lets streams of events be compressed: the compressor polls a stream that has ended, and some streams panic at that and cut the answer off";
            let mut diagnostic = at_call(cx, &META, view, call, message.to_owned());
            diagnostic.confidence = Confidence::Likely;
            let help = "add `.and(NotForContentType::SSE)` to the predicate, or keep the default one, which leaves event streams alone";
            diagnostic.help = Some(help.to_owned());
            report.push(diagnostic);
        }
    }
}

/// Whether the predicate leaves event streams alone, or may.
fn spares_streams(cx: &LintContext<'_>, view: BodyView<'_>, predicate: ExprId, depth: u32) -> bool {
    let made = origin(view, predicate);
    let ty = view.ty(predicate);
    if depth > 3 || ty.is_unknown() || holds(cx, ty, Part::StreamSparingPredicate) {
        return true;
    }
    view.inside(made).into_iter().any(|expr| match view.kind(expr) {
        ExprKind::Literal(Literal::Str(text)) => text.contains("event-stream"),
        ExprKind::Path(path) => {
            let of_constant = path.segments.last().is_some_and(|last| last.name == "SSE");
            of_constant || names_stream(cx, view.named(expr))
        }
        _ => view.call(expr).is_some_and(|call| names_stream(cx, BodyView::target(call))),
    })
}

/// Whether a function or constant of the program speaks of event streams.
fn names_stream(cx: &LintContext<'_>, def: Option<DefId>) -> bool {
    let view = def.and_then(|def| cx.effects.view(cx.program, def));
    view.is_some_and(|view| {
        view.body.exprs.iter().any(|data| match &data.kind {
            ExprKind::Literal(Literal::Str(text)) => text.contains("event-stream"),
            ExprKind::Path(path) => path.segments.last().is_some_and(|last| last.name == "SSE"),
            _ => false,
        })
    })
}

/// Whether the layer stands over the response, as far as its routes are known.
pub(crate) fn is_over(cx: &LintContext<'_>, view: BodyView<'_>, layer: ExprId, response: &EventResponse<'_>) -> bool {
    let layers = cx.effects.layers_over(cx.program, response.view.region_of(response.expr));
    let is_here = |(owner, outer): &(DefId, ExprId)| {
        *owner == view.owner && (view.inside(*outer).contains(&layer) || view.inside(origin(view, *outer)).contains(&layer))
    };
    let is_made = |(owner, outer): &(DefId, ExprId)| {
        let Some(other) = cx.effects.view(cx.program, *owner) else { return false };
        other.inside(*outer).into_iter().any(|expr| other.call(expr).and_then(BodyView::target) == Some(view.owner))
    };
    if !layers.is_routed {
        // Where it goes is not known: any route of the same program may be its own.
        return program_around(cx, view.owner.krate).contains(&response.view.owner.krate);
    }
    layers.all.iter().any(|outer| is_here(outer) || is_made(outer))
}
