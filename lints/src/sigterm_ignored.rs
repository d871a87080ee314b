//! `sigterm_ignored`: a server that waits for Ctrl-C alone.

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta};
use agentlint_effects::Part;
use agentlint_linter::{Lint, LintContext};
use agentlint_semantic::input::CrateId;
use rustc_hash::FxHashSet;

use crate::service::{at_call, binaries_that_run, calls};

static META: LintMeta = LintMeta {
    id: "sigterm_ignored",
    summary: "a server that waits for Ctrl-C alone",
    group: Group::Shutdown,
    level: Level::Deny,
    page: include_str!("../sigterm_ignored.md"),
};

/// What makes a program a server.
const SERVING: [Part; 6] =
    [Part::ServeWithoutTimeouts, Part::Serve, Part::ServeWithSignals, Part::ServeConnection, Part::Accept, Part::Graceful];

pub(crate) struct SigtermIgnored;

impl Lint for SigtermIgnored {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        let crates_of = |part: Part| calls(cx, part).map(|(view, _)| view.owner.krate);
        let knows: FxHashSet<CrateId> = crates_of(Part::Terminate).collect();
        let serves: FxHashSet<CrateId> = SERVING.into_iter().flat_map(crates_of).collect();
        for (view, call) in calls(cx, Part::CtrlC) {
            let programs = binaries_that_run(cx, view.owner);
            if !programs.iter().any(|crates| crates.is_disjoint(&knows) && !crates.is_disjoint(&serves)) {
                continue;
            }
            let message = "this server stops in good order on Ctrl-C only: Docker, Kubernetes and systemd send SIGTERM, and nothing waits for it";
            let mut diagnostic = at_call(cx, &META, view, call, message.to_owned());
            let help = "wait for `signal(SignalKind::terminate())` of `tokio::signal::unix` too, whichever comes first, as with `tokio::select!`";
            diagnostic.help = Some(help.to_owned());
            report.push(diagnostic);
        }
    }
}
