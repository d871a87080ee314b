//! `client_without_timeout`: a client that waits for ever.

use agentlint_diagnostics::{Confidence, Diagnostic, Group, Level, LintMeta};
use agentlint_linter::{Lint, LintContext};

use crate::blocking::location;

static META: LintMeta = LintMeta {
    id: "client_without_timeout",
    summary: "a client that waits for ever",
    group: Group::Lifespan,
    level: Level::Warn,
    page: include_str!("../client_without_timeout.md"),
};

pub(crate) struct ClientWithoutTimeout;

impl Lint for ClientWithoutTimeout {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        for client in cx.effects.unlimited_clients(cx.program) {
            let message = format!("`{}` makes a client that waits for ever: nothing sets a timeout", client.callee);
            let mut diagnostic = Diagnostic::new(META.id, META.level, message, location(client.place));
            // A limit around the whole request, such as `tokio::time::timeout`, is not seen.
            diagnostic.confidence = Confidence::Likely;
            diagnostic.help = (!client.advice.is_empty()).then_some(client.advice);
            report.push(diagnostic);
        }
    }
}
