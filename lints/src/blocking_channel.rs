//! `blocking_channel`: a blocking channel operation in async code.

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta};
use agentlint_effects::Effect;
use agentlint_linter::{Lint, LintContext};

use crate::blocking;

static META: LintMeta = LintMeta {
    id: "blocking_channel",
    summary: "a blocking channel operation in async code",
    group: Group::Blocking,
    level: Level::Warn,
    page: include_str!("../blocking_channel.md"),
};

pub(crate) struct BlockingChannel;

impl Lint for BlockingChannel {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        blocking::report(cx, &META, Effect::Channel, report);
    }
}
