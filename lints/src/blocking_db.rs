//! `blocking_db`: a blocking database call in async code.

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta};
use agentlint_effects::Effect;
use agentlint_linter::{Lint, LintContext};

use crate::blocking;

static META: LintMeta = LintMeta {
    id: "blocking_db",
    summary: "a blocking database call in async code",
    group: Group::Blocking,
    level: Level::Warn,
    page: include_str!("../blocking_db.md"),
};

pub(crate) struct BlockingDb;

impl Lint for BlockingDb {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        blocking::report(cx, &META, Effect::Db, report);
    }
}
