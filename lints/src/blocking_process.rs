//! `blocking_process`: a blocking wait for a process in async code.

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta};
use agentlint_effects::Effect;
use agentlint_linter::{Lint, LintContext};

use crate::blocking;

static META: LintMeta = LintMeta {
    id: "blocking_process",
    summary: "a blocking wait for a process in async code",
    group: Group::Blocking,
    level: Level::Warn,
    page: include_str!("../blocking_process.md"),
};

pub(crate) struct BlockingProcess;

impl Lint for BlockingProcess {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        blocking::report(cx, &META, Effect::Process, report);
    }
}
