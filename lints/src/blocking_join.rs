//! `blocking_join`: a blocking wait for threads in async code.

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta};
use agentlint_effects::Effect;
use agentlint_linter::{Lint, LintContext};

use crate::blocking;

static META: LintMeta = LintMeta {
    id: "blocking_join",
    summary: "a blocking wait for threads in async code",
    group: Group::Blocking,
    level: Level::Warn,
    page: include_str!("../blocking_join.md"),
};

pub(crate) struct BlockingJoin;

impl Lint for BlockingJoin {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        blocking::report(cx, &META, Effect::Join, report);
    }
}
