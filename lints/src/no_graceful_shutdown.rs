//! `no_graceful_shutdown`: a server that drops every stream when it is told to stop.

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta};
use agentlint_effects::Part;
use agentlint_linter::{Lint, LintContext};
use agentlint_semantic::input::CrateId;
use rustc_hash::FxHashSet;

use crate::service::{at_call, binaries_that_run, calls};

static META: LintMeta = LintMeta {
    id: "no_graceful_shutdown",
    summary: "a server that drops every stream when it is told to stop",
    group: Group::Shutdown,
    level: Level::Warn,
    page: include_str!("../no_graceful_shutdown.md"),
};

pub(crate) struct NoGracefulShutdown;

impl Lint for NoGracefulShutdown {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        let drains: FxHashSet<CrateId> =
            calls(cx, Part::Graceful).map(|(view, _)| view.owner.krate).collect();
        for part in [Part::ServeWithoutTimeouts, Part::Serve, Part::ServeConnection] {
            for (view, call) in calls(cx, part) {
                let programs = binaries_that_run(cx, view.owner);
                // One that drains anywhere knows how to.
                if !programs.iter().any(|crates| crates.is_disjoint(&drains)) {
                    continue;
                }
                let message = "this server stops in the middle of every answer: nothing tells it to let them come to their end";
                let mut diagnostic = at_call(cx, &META, view, call, message.to_owned());
                diagnostic.help = Some(help(part).to_owned());
                report.push(diagnostic);
            }
        }
    }
}

fn help(part: Part) -> &'static str {
    match part {
        Part::ServeWithoutTimeouts => {
            "add `.with_graceful_shutdown(signal)`, with a signal that waits for SIGTERM and Ctrl-C, and a limit around it"
        }
        Part::ServeConnection => "watch each connection with `hyper_util::server::graceful::GracefulShutdown`, and wait for its `shutdown()`",
        _ => "serve with the variant that takes a shutdown signal, and wait for SIGTERM and Ctrl-C in it",
    }
}
