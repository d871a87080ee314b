//! `refcell_across_await`: a `RefCell` borrow held while its task waits.

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta};
use agentlint_effects::GuardKind;
use agentlint_linter::{Lint, LintContext};

use crate::held_guard;

static META: LintMeta = LintMeta {
    id: "refcell_across_await",
    summary: "a `RefCell` borrow held while its task waits",
    group: Group::Await,
    level: Level::Warn,
    page: include_str!("../refcell_across_await.md"),
};

pub(crate) struct RefcellAcrossAwait;

impl Lint for RefcellAcrossAwait {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        held_guard::report(cx, &META, GuardKind::Refcell, report);
    }
}
