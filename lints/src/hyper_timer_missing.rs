//! `hyper_timer_missing`: a connection whose timeouts have no timer.

use agentlint_diagnostics::{Confidence, Diagnostic, Group, Level, LintMeta};
use agentlint_effects::{BodyView, Part};
use agentlint_linter::{Lint, LintContext};
use agentlint_semantic::infer::CallSite;

use crate::service::{at_call, calls, has, program_around};

static META: LintMeta = LintMeta {
    id: "hyper_timer_missing",
    summary: "a connection whose timeouts have no timer",
    group: Group::Pedantic,
    level: Level::Allow,
    page: include_str!("../hyper_timer_missing.md"),
};

pub(crate) struct HyperTimerMissing;

impl Lint for HyperTimerMissing {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        let timed = |view: BodyView<'_>| calls(cx, Part::ConnectionTimer).any(|(other, _)| other.owner == view.owner);
        for (view, call) in calls(cx, Part::HeadTimeout).filter(|(view, _)| !timed(*view)) {
            let message = "this panics when a connection is served: the timeout has no timer";
            report.push(diagnostic(cx, view, call, message));
        }
        for (view, call) in calls(cx, Part::ConnectionBuilder) {
            let crates = program_around(cx, view.owner.krate);
            // A builder that another function may finish is not judged.
            if has(cx, &crates, Part::ConnectionTimer) || has(cx, &crates, Part::HeadTimeout) {
                continue;
            }
            let message = "without a timer hyper has no timeouts: a client that sends half a request holds its connection for ever";
            report.push(diagnostic(cx, view, call, message));
        }
    }
}

fn diagnostic(cx: &LintContext<'_>, view: BodyView<'_>, call: &CallSite, message: &str) -> Diagnostic {
    let mut diagnostic = at_call(cx, &META, view, call, message.to_owned());
    diagnostic.confidence = Confidence::Likely;
    diagnostic.help = Some("add `.timer(hyper_util::rt::TokioTimer::new())` to the builder".to_owned());
    diagnostic
}
