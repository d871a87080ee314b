//! `blocking_http`: a blocking HTTP request in async code.

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta};
use agentlint_effects::Effect;
use agentlint_linter::{Lint, LintContext};

use crate::blocking;

static META: LintMeta = LintMeta {
    id: "blocking_http",
    summary: "a blocking HTTP request in async code",
    group: Group::Blocking,
    level: Level::Warn,
    page: include_str!("../blocking_http.md"),
};

pub(crate) struct BlockingHttp;

impl Lint for BlockingHttp {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        blocking::report(cx, &META, Effect::Http, report);
    }
}
