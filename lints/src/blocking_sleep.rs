//! `blocking_sleep`: a thread sleep or park in async code.

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta};
use agentlint_effects::Effect;
use agentlint_linter::{Lint, LintContext};

use crate::blocking;

static META: LintMeta = LintMeta {
    id: "blocking_sleep",
    summary: "a thread sleep or park in async code",
    group: Group::Blocking,
    level: Level::Warn,
    page: include_str!("../blocking_sleep.md"),
};

pub(crate) struct BlockingSleep;

impl Lint for BlockingSleep {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        blocking::report(cx, &META, Effect::Sleep, report);
    }
}
