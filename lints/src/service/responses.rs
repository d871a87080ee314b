//! The responses of a program that are streams of events: those of a framework's own type, and those whose content type says so.

use agentlint_effects::{BodyView, Part};
use agentlint_linter::LintContext;
use agentlint_semantic::def::Place;
use agentlint_syntax::ast::{ExprId, ExprKind, Literal};

use super::{calls, text_of};

/// Where a program makes a response of events.
#[derive(Clone, Copy)]
pub(crate) struct EventResponse<'a> {
    pub(crate) view: BodyView<'a>,
    /// The call that makes it, or the literal `text/event-stream`.
    pub(crate) expr: ExprId,
}

impl EventResponse<'_> {
    pub(crate) fn place(&self, cx: &LintContext<'_>) -> Place {
        match self.view.call(self.expr) {
            Some(call) => self.view.place_of_call(cx.program, call),
            None => self.view.place(cx.program, self.expr),
        }
    }
}

/// Tests are left out; in the order of the sources.
pub(crate) fn event_responses<'a>(cx: &'a LintContext<'_>) -> Vec<EventResponse<'a>> {
    let framed = calls(cx, Part::Sse).map(|(view, call)| EventResponse { view, expr: call.expr });
    let mut all: Vec<EventResponse<'a>> = framed.collect();
    for view in cx.effects.views(cx.program) {
        for (expr, data) in view.body.exprs.iter_enumerated() {
            let ExprKind::Literal(Literal::Str(text)) = &data.kind else { continue };
            if text.starts_with("text/event-stream") && is_answered(cx, view, expr) {
                all.push(EventResponse { view, expr });
            }
        }
    }
    all.sort_by_key(|response| (response.view.owner, response.expr));
    all
}

/// Whether the literal becomes the content type of a response: beside the field's name, on a builder of responses or in what a
/// handler answers.
fn is_answered(cx: &LintContext<'_>, view: BodyView<'_>, literal: ExprId) -> bool {
    let mut at = literal;
    for parent in view.around(literal).take(6) {
        match view.kind(parent) {
            ExprKind::MethodCall { arguments, .. } if arguments.contains(&at) => {
                let is_builder =
                    view.call(parent).is_some_and(|call| cx.effects.part_of(&call.callee) == Some(Part::ResponseHeader));
                return match arguments.as_slice() {
                    // `content_type(..)`
                    [_] => is_builder,
                    [name, _] if is_builder => is_content_type(cx, view, *name),
                    // `headers.insert(CONTENT_TYPE, ..)`
                    [name, _] => is_content_type(cx, view, *name) && answers(cx, view, literal),
                    _ => false,
                };
            }
            ExprKind::Tuple(elements) if elements.len() == 2 && elements[1] == at => {
                return is_content_type(cx, view, elements[0]) && answers(cx, view, literal);
            }
            // `HeaderValue::from_static(..)`, `..parse().unwrap()`
            ExprKind::Call { .. } | ExprKind::MethodCall { .. } | ExprKind::Reference { .. } | ExprKind::Try(_) => at = parent,
            _ => return false,
        }
    }
    false
}

fn is_content_type(cx: &LintContext<'_>, view: BodyView<'_>, name: ExprId) -> bool {
    if text_of(cx, view, name).is_some_and(|text| text.eq_ignore_ascii_case("content-type")) {
        return true;
    }
    view.named(name).is_some_and(|def| cx.program.name(def) == "CONTENT_TYPE")
}

/// Whether the code runs to answer a request.
fn answers(cx: &LintContext<'_>, view: BodyView<'_>, expr: ExprId) -> bool {
    let entries = cx.effects.entries(cx.program, view.region_of(expr));
    entries.iter().any(|entry| matches!(entry, agentlint_effects::Entry::Route { .. }))
}
