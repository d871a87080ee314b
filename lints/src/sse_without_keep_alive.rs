//! `sse_without_keep_alive`: a stream of events that is silent while nothing happens.

use agentlint_diagnostics::{Confidence, Diagnostic, Group, Level, LintMeta};
use agentlint_effects::Part;
use agentlint_linter::{Lint, LintContext};

use crate::service::{Way, above, at_call, below, calls, fate, holds, mentions};

static META: LintMeta = LintMeta {
    id: "sse_without_keep_alive",
    summary: "a stream of events that is silent while nothing happens",
    group: Group::Streaming,
    level: Level::Warn,
    page: include_str!("../sse_without_keep_alive.md"),
};

pub(crate) struct SseWithoutKeepAlive;

impl Lint for SseWithoutKeepAlive {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        for (view, call) in calls(cx, Part::Sse) {
            let is_finite = call.arguments.first().is_some_and(|stream| holds(cx, view.ty(*stream), Part::FiniteStream));
            let keeps_alive = |_: agentlint_effects::BodyView<'_>, call: &agentlint_semantic::infer::CallSite| {
                cx.effects.part_of(&call.callee) == Some(Part::SseKeepAlive)
            };
            if is_finite || fate(cx, view, call.expr, &keeps_alive) != Way::Kept {
                continue;
            }
            // The stream's own heartbeat.
            if mentions(cx, &below(cx, above(cx, view.owner)), &[Part::Interval, Part::SseComment]) {
                continue;
            }
            let message = "this stream of events is silent while nothing happens: a proxy cuts it, and nobody sees that its client has gone";
            let mut diagnostic = at_call(cx, &META, view, call, message.to_owned());
            diagnostic.confidence = Confidence::Likely;
            diagnostic.help = Some("add `.keep_alive(KeepAlive::default())`, which sends a comment every 15 s".to_owned());
            report.push(diagnostic);
        }
    }
}
