//! Toy lints, and suppressions and levels put through them.

use agentlint_diagnostics::{Confidence, Diagnostic, FileId, Group, Level, LintMeta, Location};

use crate::*;

struct Toy(&'static LintMeta);

impl Lint for Toy {
    fn meta(&self) -> &'static LintMeta {
        self.0
    }

    fn check(&self, _: &LintContext<'_>, _: &mut Vec<Diagnostic>) {}
}

const fn toy(id: &'static str, group: Group, level: Level) -> LintMeta {
    LintMeta { id, summary: "a toy", group, level, page: "A toy." }
}

static TOYS: [Toy; 4] = [
    Toy(&toy("blocking_sleep", Group::Blocking, Level::Warn)),
    Toy(&toy("blocking_fs", Group::Blocking, Level::Warn)),
    Toy(&toy("lock_across_await", Group::Await, Level::Deny)),
    Toy(&toy("blocking_taste", Group::Await, Level::Allow)),
];

pub(crate) fn registry() -> Registry {
    Registry::new(&TOYS.each_ref().map(|toy| toy as &dyn Lint))
}
