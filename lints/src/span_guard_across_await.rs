//! `span_guard_across_await`: a tracing span that stays entered while its task waits.

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta};
use agentlint_effects::GuardKind;
use agentlint_linter::{Lint, LintContext};

use crate::held_guard;

static META: LintMeta = LintMeta {
    id: "span_guard_across_await",
    summary: "a tracing span that stays entered while its task waits",
    group: Group::Await,
    level: Level::Warn,
    page: include_str!("../span_guard_across_await.md"),
};

pub(crate) struct SpanGuardAcrossAwait;

impl Lint for SpanGuardAcrossAwait {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        held_guard::report(cx, &META, GuardKind::Span, report);
    }
}
