//! `blocking_stdin`: a blocking read of the terminal in async code.

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta};
use agentlint_effects::Effect;
use agentlint_linter::{Lint, LintContext};

use crate::blocking;

static META: LintMeta = LintMeta {
    id: "blocking_stdin",
    summary: "a blocking read of the terminal in async code",
    group: Group::Blocking,
    level: Level::Warn,
    page: include_str!("../blocking_stdin.md"),
};

pub(crate) struct BlockingStdin;

impl Lint for BlockingStdin {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        blocking::report(cx, &META, Effect::Stdin, report);
    }
}
