//! `unbounded_drain`: a shutdown that an open stream holds up for ever.

use agentlint_diagnostics::{Confidence, Diagnostic, Group, Label, Level, LintMeta};
use agentlint_effects::{BodyView, Part};
use agentlint_linter::{Lint, LintContext};
use agentlint_semantic::infer::CallSite;
use agentlint_syntax::ast::{ExprId, ExprKind, MacroArguments, SelectBranch};

use crate::blocking::location;
use crate::service::{EventResponse, above, at_call, below, binaries_that_run, calls, event_responses, holds, mentions, origin, program_around};

static META: LintMeta = LintMeta {
    id: "unbounded_drain",
    summary: "a shutdown that an open stream holds up for ever",
    group: Group::Shutdown,
    level: Level::Warn,
    page: include_str!("../unbounded_drain.md"),
};

/// What limits how long a drain may take, or ends it.
const BOUNDS: [Part; 3] = [Part::Timeout, Part::Sleep, Part::Exit];

pub(crate) struct UnboundedDrain;

impl Lint for UnboundedDrain {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        let mut drains = calls(cx, Part::Graceful).peekable();
        if drains.peek().is_none() {
            return;
        }
        let responses = event_responses(cx);
        for (view, call) in drains {
            let programs = binaries_that_run(cx, view.owner);
            let is_of_program = |response: &&EventResponse<'_>| {
                programs.iter().any(|crates| crates.contains(&response.view.owner.krate))
            };
            let Some(open) = responses.iter().filter(is_of_program).find(|response| may_stay_open(cx, response)) else { continue };
            if is_bounded(cx, view, call) {
                continue;
            }
            let message = "this shutdown waits for every open stream, and has no limit: one client that stays keeps the process alive until it is killed";
            let mut diagnostic = at_call(cx, &META, view, call, message.to_owned());
            diagnostic.confidence = Confidence::Likely;
            diagnostic.labels.push(Label { location: location(open.place(cx)), text: "such a stream".to_owned() });
            let help = "put `tokio::time::timeout(..)` around it, and end the streams when the signal comes, as with `take_until(token.cancelled_owned())`";
            diagnostic.help = Some(help.to_owned());
            report.push(diagnostic);
        }
    }
}

/// Whether nothing that is seen ends the stream but its client.
fn may_stay_open(cx: &LintContext<'_>, response: &EventResponse<'_>) -> bool {
    let view = response.view;
    let stream = view.call(response.expr).and_then(|call| call.arguments.first());
    let is_finite = stream.is_some_and(|stream| holds(cx, view.ty(*stream), Part::FiniteStream));
    !is_finite && !mentions(cx, &below(cx, above(cx, view.owner)), &[Part::StreamEnd])
}

/// Whether what drains, or what calls it, has a limit around it, or the signal that it waits for leads to one.
fn is_bounded(cx: &LintContext<'_>, view: BodyView<'_>, call: &CallSite) -> bool {
    let above = above(cx, view.owner);
    let signals = call.arguments.iter().filter_map(|signal| view.call(origin(view, *signal)));
    if mentions(cx, &below(cx, signals.filter_map(BodyView::target)), &BOUNDS) || mentions(cx, &above, &[Part::Exit]) {
        return true;
    }
    if is_spawned(cx, view, call.expr) {
        // Who waits for the task may do so for a time.
        let crates = program_around(cx, view.owner.krate);
        let of_program = |other: BodyView<'_>| crates.contains(&other.owner.krate);
        let waits = |(other, limit): (BodyView<'_>, &CallSite)| {
            of_program(other) && limit.arguments.iter().any(|future| holds(cx, other.ty(*future), Part::TaskHandle))
        };
        return mentions(cx, &above, &BOUNDS) || calls(cx, Part::Timeout).any(waits);
    }
    above.iter().filter_map(|owner| cx.effects.view(cx.program, *owner)).any(|outer| {
        let drains = |expr: ExprId| {
            let target = outer.call(expr).and_then(BodyView::target);
            outer.owner == view.owner && expr == call.expr || target.is_some_and(|target| above.contains(&target))
        };
        limits(cx, outer, &drains)
    })
}

/// Whether the drain runs in a task of its own.
fn is_spawned(cx: &LintContext<'_>, view: BodyView<'_>, drain: ExprId) -> bool {
    let named = view.around(drain).take(6).chain([drain]).find_map(|expr| view.bound_to(expr));
    let uses = named.into_iter().flat_map(|pat| view.uses(pat)).copied();
    let mut around = std::iter::once(drain).chain(uses).flat_map(|expr| view.around(expr));
    around.any(|around| view.call(around).is_some_and(|call| cx.effects.part_of(&call.callee) == Some(Part::Spawn)))
}

/// Whether a body puts a limit around what drains: `timeout(.., drain)`, or a `select!` with a branch that waits for a time or ends.
fn limits(cx: &LintContext<'_>, view: BodyView<'_>, drains: &dyn Fn(ExprId) -> bool) -> bool {
    let runs = |expr: ExprId| view.inside(expr).into_iter().chain(named_inside(view, expr)).any(drains);
    view.body.exprs.iter_enumerated().any(|(expr, data)| match &data.kind {
        ExprKind::Call { arguments, .. } => {
            let is_timeout = view.call(expr).is_some_and(|call| cx.effects.part_of(&call.callee) == Some(Part::Timeout));
            is_timeout && arguments.iter().any(|argument| runs(*argument))
        }
        ExprKind::Macro(called) => match &called.arguments {
            MacroArguments::Select { branches, .. } => {
                branches.iter().any(|branch| runs(branch.future))
                    && branches.iter().any(|branch| !runs(branch.future) && waits_for_a_time(cx, view, branch))
            }
            _ => false,
        },
        _ => false,
    })
}

/// What the bindings that an expression uses are made of.
fn named_inside(view: BodyView<'_>, expr: ExprId) -> Vec<ExprId> {
    let used = view.inside(expr).into_iter().filter_map(|inside| view.initialiser(view.local(inside)?));
    used.flat_map(|init| view.inside(init)).collect()
}

fn waits_for_a_time(cx: &LintContext<'_>, view: BodyView<'_>, branch: &SelectBranch) -> bool {
    let both = view.inside(branch.future).into_iter().chain(named_inside(view, branch.future)).chain(view.inside(branch.handler));
    let called: Vec<&CallSite> = both.filter_map(|expr| view.call(expr)).collect();
    let is_limit = |call: &&CallSite| cx.effects.part_of(&call.callee).is_some_and(|part| BOUNDS.contains(&part));
    called.iter().any(is_limit) || mentions(cx, &below(cx, called.into_iter().filter_map(BodyView::target)), &BOUNDS)
}
