//! `nested_block_on`: a runtime entered or built inside async code.

use agentlint_diagnostics::{Confidence, Diagnostic, Group, Label, Level, LintMeta};
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
        for call in cx.effects.calls_without_threads(cx.program) {
            let message = format!("`{}` panics here: it needs a runtime with several threads", call.callee);
            let mut diagnostic = Diagnostic::new(META.id, META.level, message, blocking::location(call.place));
            let text = "this one's runtime has one thread".to_owned();
            diagnostic.labels.push(Label { location: blocking::location(call.runtime), text });
            diagnostic.confidence = Confidence::Likely;
            diagnostic.help =
                Some("use `tokio::task::spawn_blocking(..).await`, or a runtime of the flavor `multi_thread`".to_owned());
            report.push(diagnostic);
        }
    }
}
