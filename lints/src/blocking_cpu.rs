//! `blocking_cpu`: a long computation in async code.

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta};
use agentlint_effects::Effect;
use agentlint_linter::{Lint, LintContext};

use crate::blocking;

static META: LintMeta = LintMeta {
    id: "blocking_cpu",
    summary: "a long computation in async code",
    group: Group::Blocking,
    level: Level::Warn,
    page: include_str!("../blocking_cpu.md"),
};

pub(crate) struct BlockingCpu;

impl Lint for BlockingCpu {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        blocking::report(cx, &META, Effect::Cpu, report);
    }
}
