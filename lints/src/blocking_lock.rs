//! `blocking_lock`: a blocking wait for a condition, a barrier or an async lock in async code.

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta};
use agentlint_effects::Effect;
use agentlint_linter::{Lint, LintContext};

use crate::blocking;

static META: LintMeta = LintMeta {
    id: "blocking_lock",
    summary: "a blocking wait for a condition, a barrier or an async lock in async code",
    group: Group::Blocking,
    level: Level::Warn,
    page: include_str!("../blocking_lock.md"),
};

pub(crate) struct BlockingLock;

impl Lint for BlockingLock {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        blocking::report(cx, &META, Effect::Lock, report);
    }
}
