//! What the lints on guards share: a guard is made, and an await follows while it is alive.

use agentlint_diagnostics::{Diagnostic, Label, LintMeta};
use agentlint_effects::{GuardKind, HeldGuard, Role};
use agentlint_linter::LintContext;

use crate::blocking::location;

pub(crate) fn report(cx: &LintContext<'_>, meta: &LintMeta, kind: GuardKind, report: &mut Vec<Diagnostic>) {
    // The future of `main` has its thread for itself: a span that is entered there is nobody else's.
    let is_reported = |held: &HeldGuard| match (kind, held.role) {
        (GuardKind::Span, Role::Startup) => cx.roles.startup.admits(false),
        (GuardKind::Span, Role::Test) => cx.roles.test.admits(false),
        _ => true,
    };
    for held in cx.held_guards.iter().filter(|held| held.kind == kind && is_reported(held)) {
        let what = match &held.name {
            Some(name) => format!("`{name}`, a `{}`,", held.ty),
            None => format!("this `{}`", held.ty),
        };
        let why = match kind {
            GuardKind::Lock => "whoever waits for the lock blocks a worker thread",
            GuardKind::Refcell => "whoever borrows the value meanwhile panics",
            GuardKind::Span => "what other tasks do meanwhile is recorded in this span",
        };
        let message = format!("{what} is held across an await: {why}");
        let mut diagnostic = Diagnostic::new(meta.id, meta.level, message, location(held.made));
        diagnostic.labels.push(Label { location: location(held.awaited), text: "the task may be suspended here".to_owned() });
        diagnostic.help = Some(match (&held.name, kind) {
            (Some(name), GuardKind::Lock) => {
                format!("end it first with a block or `drop({name})`, or use `tokio::sync` if it must be held")
            }
            (None, GuardKind::Lock) => "copy what is needed into a variable first, so that the guard is gone at the end of that statement, or use `tokio::sync` if it must be held".to_owned(),
            (Some(name), GuardKind::Refcell) => format!("end the borrow first with a block or `drop({name})`"),
            (None, GuardKind::Refcell) => "copy what is needed into a variable first".to_owned(),
            (_, GuardKind::Span) => "give the span to the future, with `tracing::Instrument` (`future.instrument(span).await`) or `#[tracing::instrument]` on the function; `span.in_scope(|| ..)` is for code without an await".to_owned(),
        });
        report.push(diagnostic);
    }
}
