//! `process_exit_in_handler`: a request that ends the process.

use agentlint_diagnostics::{Confidence, Diagnostic, Group, Level, LintMeta};
use agentlint_effects::Part;
use agentlint_linter::{Lint, LintContext};

use crate::service::{at_call, calls, is_asked_for};

static META: LintMeta = LintMeta {
    id: "process_exit_in_handler",
    summary: "a request that ends the process",
    group: Group::Pedantic,
    level: Level::Allow,
    page: include_str!("../process_exit_in_handler.md"),
};

pub(crate) struct ProcessExitInHandler;

impl Lint for ProcessExitInHandler {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        for (view, call) in calls(cx, Part::Exit) {
            if !is_asked_for(cx, view, call.expr) {
                continue;
            }
            let message = "a request can end the process here: every other stream stops in the middle, and nothing is closed";
            let mut diagnostic = at_call(cx, &META, view, call, message.to_owned());
            diagnostic.confidence = Confidence::Likely;
            diagnostic.help = Some("return an error, or cancel the token that the server's shutdown waits for".to_owned());
            report.push(diagnostic);
        }
    }
}
