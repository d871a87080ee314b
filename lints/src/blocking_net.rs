//! `blocking_net`: a blocking network operation in async code.

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta};
use agentlint_effects::Effect;
use agentlint_linter::{Lint, LintContext};

use crate::blocking;

static META: LintMeta = LintMeta {
    id: "blocking_net",
    summary: "a blocking network operation in async code",
    group: Group::Blocking,
    level: Level::Warn,
    page: include_str!("../blocking_net.md"),
};

pub(crate) struct BlockingNet;

impl Lint for BlockingNet {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        blocking::report(cx, &META, Effect::Net, report);
    }
}
