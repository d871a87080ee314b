//! `unbounded_drain`: a shutdown that an open stream holds up for ever.

use agentlint_diagnostics::{Confidence, Diagnostic, Group, Label, Level, LintMeta};
use agentlint_effects::{BodyView, Part};
use agentlint_linter::{Lint, LintContext};
use agentlint_semantic::infer::CallSite;

use crate::blocking::location;
use crate::service::{EventResponse, above, at_call, below, binaries_that_run, calls, event_responses, holds, mentions, origin};

static META: LintMeta = LintMeta {
    id: "unbounded_drain",
    summary: "a shutdown that an open stream holds up for ever",
    group: Group::Shutdown,
    level: Level::Warn,
    page: include_str!("../unbounded_drain.md"),
};

/// What limits how long a drain may take, or ends it.
const BOUNDS: [Part; 3] = [Part::Timeout, Part::Sleep, Part::Exit];

pub(crate) struct UnboundedDrain;

impl Lint for UnboundedDrain {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        let mut drains = calls(cx, Part::Graceful).peekable();
        if drains.peek().is_none() {
            return;
        }
        let responses = event_responses(cx);
        for (view, call) in drains {
            let programs = binaries_that_run(cx, view.owner);
            let is_of_program = |response: &&EventResponse<'_>| {
                programs.iter().any(|crates| crates.contains(&response.view.owner.krate))
            };
            let Some(open) = responses.iter().filter(is_of_program).find(|response| may_stay_open(cx, response)) else { continue };
            if is_bounded(cx, view, call) {
                continue;
            }
            let message = "this shutdown waits for every open stream, and has no limit: one client that stays keeps the process alive until it is killed";
            let mut diagnostic = at_call(cx, &META, view, call, message.to_owned());
            diagnostic.confidence = Confidence::Likely;
            diagnostic.labels.push(Label { location: location(open.place(cx)), text: "such a stream".to_owned() });
            let help = "put `tokio::time::timeout(..)` around it, and end the streams when the signal comes, as with `take_until(token.cancelled_owned())`";
            diagnostic.help = Some(help.to_owned());
            report.push(diagnostic);
        }
    }
}

/// Whether nothing that is seen ends the stream but its client.
fn may_stay_open(cx: &LintContext<'_>, response: &EventResponse<'_>) -> bool {
    let view = response.view;
    let stream = view.call(response.expr).and_then(|call| call.arguments.first());
    let is_finite = stream.is_some_and(|stream| holds(cx, view.ty(*stream), Part::FiniteStream));
    !is_finite && !mentions(cx, &below(cx, [view.owner]), &[Part::StreamEnd])
}

/// Whether the function that drains, one that calls it, or the signal that it waits for, has a limit.
fn is_bounded(cx: &LintContext<'_>, view: BodyView<'_>, call: &CallSite) -> bool {
    if mentions(cx, &above(cx, view.owner), &BOUNDS) {
        return true;
    }
    let signals = call.arguments.iter().filter_map(|signal| view.call(origin(view, *signal)));
    mentions(cx, &below(cx, signals.filter_map(BodyView::target)), &BOUNDS)
}
