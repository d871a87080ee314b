//! `timeout_on_spawn_blocking`: a limit that does not stop the work.

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta};
use agentlint_effects::Part;
use agentlint_linter::{Lint, LintContext};

use crate::service::{at_call, calls, origin};

static META: LintMeta = LintMeta {
    id: "timeout_on_spawn_blocking",
    summary: "a limit that does not stop the work",
    group: Group::Pedantic,
    level: Level::Allow,
    page: include_str!("../timeout_on_spawn_blocking.md"),
};

pub(crate) struct TimeoutOnSpawnBlocking;

impl Lint for TimeoutOnSpawnBlocking {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        for (view, call) in calls(cx, Part::Timeout) {
            let offloaded = call.arguments.get(1).and_then(|future| view.call(origin(view, *future)));
            if offloaded.is_none_or(|call| cx.effects.part_of(&call.callee) != Some(Part::SpawnBlocking)) {
                continue;
            }
            let message = "the closure runs on when the time is up: its thread stays taken, and there are 512 of them";
            let mut diagnostic = at_call(cx, &META, view, call, message.to_owned());
            let help = "give the work a limit of its own, such as a socket's timeout or a flag that it looks at, and a semaphore around it";
            diagnostic.help = Some(help.to_owned());
            report.push(diagnostic);
        }
    }
}
