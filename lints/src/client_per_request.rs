//! `client_per_request`: a long-lived client that is made anew for every request.

use agentlint_diagnostics::{Confidence, Diagnostic, Group, Level, LintMeta};
use agentlint_linter::{Lint, LintContext};

use crate::blocking::location;

static META: LintMeta = LintMeta {
    id: "client_per_request",
    summary: "a client that is made anew for every request",
    group: Group::Lifespan,
    level: Level::Warn,
    page: include_str!("../client_per_request.md"),
};

pub(crate) struct ClientPerRequest;

impl Lint for ClientPerRequest {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        for client in cx.effects.request_clients(cx.program) {
            let message =
                format!("`{}` makes a client for every request: no connection is ever used a second time", client.callee);
            let mut diagnostic = Diagnostic::new(META.id, META.level, message, location(client.place));
            // Whether the program keeps it for the next request in a way of its own is not seen.
            diagnostic.confidence = Confidence::Likely;
            diagnostic.help = Some("make it once at start-up and give it to the handlers with their state".to_owned());
            report.push(diagnostic);
        }
    }
}
