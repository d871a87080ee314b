//! `sigterm_ignored`: a server that waits for Ctrl-C alone.

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta};
use agentlint_effects::{BodyView, Part};
use agentlint_linter::{Lint, LintContext};
use agentlint_semantic::def::DefId;
use agentlint_semantic::infer::CallSite;
use agentlint_semantic::input::CrateId;
use agentlint_syntax::ast::{ExprId, ExprKind};
use rustc_hash::FxHashSet;

use crate::service::{above, at_call, binaries_that_run, calls};

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
        let servers = SERVING.into_iter().flat_map(|part| calls(cx, part).map(|(view, _)| view.owner));
        let servers: FxHashSet<DefId> = servers.collect();
        for (view, call) in calls(cx, Part::CtrlC) {
            let programs = binaries_that_run(cx, view.owner);
            if !programs.iter().any(|crates| crates.is_disjoint(&knows)) || !servers.iter().any(|server| stops(cx, view, call, *server)) {
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

/// Whether the signal is waited for while the function serves: one leads to the other, or a function leads to both on one way.
fn stops(cx: &LintContext<'_>, view: BodyView<'_>, signal: &CallSite, server: DefId) -> bool {
    let (of_signal, of_server) = (above(cx, view.owner), above(cx, server));
    of_signal.intersection(&of_server).filter_map(|both| cx.effects.view(cx.program, *both)).any(|both| {
        let leads_to = |functions: &FxHashSet<DefId>, own: &dyn Fn(&CallSite) -> bool| -> Vec<ExprId> {
            let leads = |call: &&CallSite| BodyView::target(call).is_some_and(|target| functions.contains(&target)) || own(call);
            both.calls().iter().filter(leads).map(|call| call.expr).collect()
        };
        let signals = leads_to(&of_signal, &|call| both.owner == view.owner && call.expr == signal.expr);
        let serves = leads_to(&of_server, &|call| {
            both.owner == server && cx.effects.part_of(&call.callee).is_some_and(|part| SERVING.contains(&part))
        });
        // One call that leads to both says nothing: what it calls does.
        let together = |signal: ExprId, serve: ExprId| signal != serve && !are_exclusive(both, signal, serve);
        signals.iter().any(|signal| serves.iter().any(|serve| together(*signal, *serve)))
    })
}

/// Whether only one of two expressions runs: they stand in branches of their own, or the first one's branch leaves the function.
fn are_exclusive(view: BodyView<'_>, left: ExprId, right: ExprId) -> bool {
    let ways = [left, right].map(|expr| std::iter::once(expr).chain(view.around(expr)).collect::<Vec<ExprId>>());
    let Some(common) = ways[0].iter().find(|expr| ways[1].contains(expr)).copied() else { return false };
    let branch = |way: &[ExprId]| way.iter().take_while(|expr| **expr != common).last().copied();
    let (Some(left), Some(right)) = (branch(&ways[0]), branch(&ways[1])) else { return false };
    match view.kind(common) {
        ExprKind::If { condition, .. } => left != *condition && right != *condition,
        ExprKind::Match { scrutinee, .. } => left != *scrutinee && right != *scrutinee,
        ExprKind::Block(_) => leaves(view, left.min(right)),
        _ => false,
    }
}

/// Whether a branch ends the function.
fn leaves(view: BodyView<'_>, branch: ExprId) -> bool {
    let is_branch = matches!(view.kind(branch), ExprKind::If { .. } | ExprKind::Match { .. });
    is_branch && view.inside(branch).into_iter().any(|expr| matches!(view.kind(expr), ExprKind::Return(_)))
}
