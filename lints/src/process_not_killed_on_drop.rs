//! `process_not_killed_on_drop`: a child process that outlives the future that waits for it.

use agentlint_diagnostics::{Confidence, Diagnostic, Group, Level, LintMeta};
use agentlint_effects::{BodyView, Entry, Part};
use agentlint_linter::{Lint, LintContext};
use agentlint_semantic::infer::{CallSite, Callee};
use agentlint_syntax::ast::{ExprId, ExprKind, MacroArguments, PatId};

use crate::service::{at_call, below, calls, chain, mentions, origin};

static META: LintMeta = LintMeta {
    id: "process_not_killed_on_drop",
    summary: "a child process that outlives the future that waits for it",
    group: Group::Limits,
    level: Level::Warn,
    page: include_str!("../process_not_killed_on_drop.md"),
};

pub(crate) struct ProcessNotKilledOnDrop;

impl Lint for ProcessNotKilledOnDrop {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        for (view, call) in calls(cx, Part::RunProcess) {
            let Some(why) = may_be_dropped(cx, view, call.expr) else { continue };
            if !lives_on(cx, view, call) {
                continue;
            }
            let message = format!("the child process lives on {why}: its future is dropped, and nothing kills it");
            let mut diagnostic = at_call(cx, &META, view, call, message);
            if why == OF_CLIENT {
                // Most are done before anybody goes away.
                diagnostic.confidence = Confidence::Possible;
            }
            diagnostic.help = Some("add `.kill_on_drop(true)` to the command".to_owned());
            report.push(diagnostic);
        }
    }
}

const OF_CLIENT: &str = "when the client of this request goes away";

/// Why the future of a call may be dropped before it is done.
fn may_be_dropped(cx: &LintContext<'_>, view: BodyView<'_>, run: ExprId) -> Option<&'static str> {
    if is_limited(cx, view, run) {
        return Some("when the time is up");
    }
    if is_raced(view, run) {
        return Some("when another branch of `select!` wins");
    }
    let entries = cx.effects.entries(cx.program, view.region_of(run));
    let is_awaited = view.is_awaited(run) && entries.iter().any(|entry| matches!(entry, Entry::Route { .. }));
    is_awaited.then_some(OF_CLIENT)
}

/// `timeout(limit, run)`, also by way of a binding.
fn is_limited(cx: &LintContext<'_>, view: BodyView<'_>, run: ExprId) -> bool {
    let named = view.bound_to(run).into_iter().flat_map(|pat| view.uses(pat)).copied();
    std::iter::once(run).chain(named).any(|at| {
        let mut at = at;
        for parent in view.around(at) {
            match view.kind(parent) {
                ExprKind::Reference { .. } | ExprKind::Async { .. } | ExprKind::Block(_) | ExprKind::Await { .. } | ExprKind::Try(_) => {}
                ExprKind::Call { arguments, .. } if arguments.contains(&at) => {
                    return view.call(parent).is_some_and(|call| cx.effects.part_of(&call.callee) == Some(Part::Timeout));
                }
                _ => return false,
            }
            at = parent;
        }
        false
    })
}

fn is_raced(view: BodyView<'_>, run: ExprId) -> bool {
    let named = view.bound_to(run).into_iter().flat_map(|pat| view.uses(pat)).copied();
    std::iter::once(run).chain(named).any(|at| {
        let outer = view.around(at).find(|parent| !matches!(view.kind(*parent), ExprKind::Reference { .. }));
        let Some(ExprKind::Macro(call)) = outer.map(|outer| view.kind(outer)) else { return false };
        let MacroArguments::Select { branches, .. } = &call.arguments else { return false };
        branches.iter().any(|branch| view.inside(branch.future).contains(&at))
    })
}

/// Whether the whole of the command is seen, and nothing asks for the child to be killed.
fn lives_on(cx: &LintContext<'_>, view: BodyView<'_>, run: &CallSite) -> bool {
    run.receiver.is_some_and(|command| is_made_to_live_on(cx, view, command, 0))
}

fn is_made_to_live_on(cx: &LintContext<'_>, view: BodyView<'_>, command: ExprId, depth: u32) -> bool {
    if depth > 4 {
        return false;
    }
    let chained = chain(view, command);
    let is_told = |call: &CallSite| cx.effects.part_of(&call.callee) == Some(Part::KillOnDrop);
    if chained.iter().any(|call| is_told(call)) {
        return false;
    }
    // `let mut command = Command::new(..); command.kill_on_drop(true);`
    let bound = bindings(view, command).into_iter().flat_map(|pat| view.uses(pat)).copied();
    let mut told_later = bound.flat_map(|used| view.around(used).take(8)).filter_map(|around| view.call(around));
    if told_later.any(is_told) {
        return false;
    }
    let Some(first) = chained.last() else {
        // `let mut command = if windows { .. } else { .. };`
        let branches = branches(view, origin(view, command));
        return !branches.is_empty() && branches.into_iter().all(|made| is_made_to_live_on(cx, view, made, depth + 1));
    };
    // Where a function of the program makes it, that may.
    match (first.receiver, first.callee) {
        (None, Callee::Function { def, .. }) if cx.program.node(def.krate).is_member => {
            cx.effects.view(cx.program, def).is_some() && !mentions(cx, &below(cx, [def]), &[Part::KillOnDrop])
        }
        (None, Callee::Function { .. }) => true,
        _ => false,
    }
}

/// The values that an `if` or a `match` may give.
fn branches(view: BodyView<'_>, made: ExprId) -> Vec<ExprId> {
    match view.kind(made) {
        ExprKind::If { then, otherwise: Some(otherwise), .. } => vec![*then, *otherwise],
        ExprKind::Match { arms, .. } => arms.iter().map(|arm| arm.body).collect(),
        _ => Vec::new(),
    }
}

/// The bindings that a command goes through.
fn bindings(view: BodyView<'_>, command: ExprId) -> Vec<PatId> {
    let mut found = Vec::new();
    let mut at = command;
    for _ in 0..32 {
        found.extend(view.local(at));
        at = match view.kind(at) {
            ExprKind::Reference { operand, .. } | ExprKind::Try(operand) => *operand,
            ExprKind::MethodCall { receiver, .. } => *receiver,
            ExprKind::Path(_) => match view.local(at).and_then(|pat| view.initialiser(pat)) {
                Some(init) => init,
                None => break,
            },
            _ => break,
        };
    }
    found
}
