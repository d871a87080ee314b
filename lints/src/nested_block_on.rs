//! `nested_block_on`: a runtime entered or built inside async code.

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta};
use agentlint_effects::Effect;
use agentlint_linter::{Lint, LintContext};

use crate::blocking;

static META: LintMeta = LintMeta {
    id: "nested_block_on",
    summary: "a runtime entered or built inside async code",
    group: Group::Blocking,
    level: Level::Deny,
    page: include_str!("../nested_block_on.md"),
};

pub(crate) struct NestedBlockOn;

impl Lint for NestedBlockOn {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        blocking::report(cx, &META, Effect::BlockOn, report);
    }
}
