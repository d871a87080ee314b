//! `blocking_fs`: a blocking file operation in async code.

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta};
use agentlint_effects::Effect;
use agentlint_linter::{Lint, LintContext};

use crate::blocking;

static META: LintMeta = LintMeta {
    id: "blocking_fs",
    summary: "a blocking file operation in async code",
    group: Group::Blocking,
    level: Level::Warn,
    page: include_str!("../blocking_fs.md"),
};

pub(crate) struct BlockingFs;

impl Lint for BlockingFs {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        blocking::report(cx, &META, Effect::Fs, report);
    }
}
