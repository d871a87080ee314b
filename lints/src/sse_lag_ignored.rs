//! `sse_lag_ignored`: a stream that loses events when its reader is slow, and does not say so.

use agentlint_diagnostics::{Confidence, Diagnostic, Group, Level, LintMeta};
use agentlint_effects::{BodyView, Part};
use agentlint_linter::{Lint, LintContext};
use agentlint_semantic::def::DefId;
use agentlint_semantic::infer::CallSite;
use agentlint_syntax::ast::{ExprId, ExprKind, MacroArguments, PatId, PatKind, StatementKind};
use rustc_hash::FxHashSet;

use crate::service::{above, at_call, below, calls, event_responses, has, holds, program_around};

static META: LintMeta = LintMeta {
    id: "sse_lag_ignored",
    summary: "a stream that loses events when its reader is slow, and does not say so",
    group: Group::Streaming,
    level: Level::Warn,
    page: include_str!("../sse_lag_ignored.md"),
};

pub(crate) struct SseLagIgnored;

impl Lint for SseLagIgnored {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        let streaming = below(cx, streaming(cx));
        for (view, call) in calls(cx, Part::BroadcastReceive).filter(|(view, _)| streaming.contains(&view.owner)) {
            let lost = match error_of(view, call.expr) {
                Some(Ignored::Ends) if !resumes(cx, view) => "ends the stream as if all had been sent",
                Some(Ignored::Skips) => "leaves events out",
                _ => continue,
            };
            report.push(diagnostic(cx, view, call, lost));
        }
        for (view, call) in calls(cx, Part::StreamFilter).filter(|(view, _)| streaming.contains(&view.owner)) {
            let is_broadcast = call.receiver.is_some_and(|stream| holds(cx, view.ty(stream), Part::BroadcastStream));
            if is_broadcast && call.arguments.first().is_some_and(|closure| drops_errors(view, *closure)) {
                let ends = matches!(call.name.as_str(), "map_while" | "take_while");
                match ends {
                    true if resumes(cx, view) => {}
                    true => report.push(diagnostic(cx, view, call, "ends the stream as if all had been sent")),
                    false => report.push(diagnostic(cx, view, call, "leaves events out")),
                }
            }
        }
    }
}

/// Whether the program gives its events ids: where a client resumes from the last that it saw, an end is no loss.
fn resumes(cx: &LintContext<'_>, view: BodyView<'_>) -> bool {
    has(cx, &program_around(cx, view.owner.krate), Part::SseId)
}

/// The functions that answer with events, and what calls these to answer.
fn streaming(cx: &LintContext<'_>) -> FxHashSet<DefId> {
    event_responses(cx).iter().flat_map(|response| above(cx, response.view.owner)).collect()
}

fn diagnostic(cx: &LintContext<'_>, view: BodyView<'_>, call: &CallSite, lost: &str) -> Diagnostic {
    let message = format!("a reader that lags behind the channel {lost}: nothing is done about `Lagged`");
    let mut diagnostic = at_call(cx, &META, view, call, message);
    diagnostic.confidence = Confidence::Likely;
    let help = "match on `RecvError::Lagged`: send an event that says so, or end the stream and let the client resume from its last id";
    diagnostic.help = Some(help.to_owned());
    diagnostic
}

/// What becomes of the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ignored {
    Ends,
    Skips,
}

/// What the code does with the error of `recv().await`; `None` where it looks at it, or where it is not known.
fn error_of(view: BodyView<'_>, call: ExprId) -> Option<Ignored> {
    let awaited = view.parent(call).filter(|parent| matches!(view.kind(*parent), ExprKind::Await { .. }));
    let Some(awaited) = awaited else { return in_select(view, call) };
    let parent = view.parent(awaited)?;
    match view.kind(parent) {
        // `while let Ok(event) = receiver.recv().await`
        ExprKind::Let { pat, .. } if is_ok(view, *pat) => {
            let outer = view.parent(parent)?;
            match view.kind(outer) {
                ExprKind::While { .. } => Some(Ignored::Ends),
                ExprKind::If { otherwise: None, .. } => Some(Ignored::Skips),
                ExprKind::If { otherwise: Some(otherwise), .. } => Some(passed_by(view, *otherwise)),
                _ => None,
            }
        }
        ExprKind::Match { arms, .. } => {
            if let Some(arm) = arms.iter().find(|arm| is_any_error(view, arm.pat)) {
                return Some(passed_by(view, arm.body));
            }
            // `Err(RecvError::Lagged(_)) => continue`
            let arm = arms.iter().find(|arm| is_lag(view, arm.pat))?;
            does_nothing(view, arm.body).then_some(Ignored::Skips)
        }
        // `recv().await.ok()?`
        ExprKind::MethodCall { receiver, name, .. } if *receiver == awaited && *name == "ok" => Some(Ignored::Ends),
        _ => None,
    }
}

/// `Ok(event) = receiver.recv() => ..` in `select!`: an error turns the branch off.
fn in_select(view: BodyView<'_>, call: ExprId) -> Option<Ignored> {
    let parent = view.parent(call)?;
    let ExprKind::Macro(called) = view.kind(parent) else { return None };
    let MacroArguments::Select { branches, .. } = &called.arguments else { return None };
    let branch = branches.iter().find(|branch| branch.future == call)?;
    is_ok(view, branch.pat).then_some(Ignored::Skips)
}

/// Whether what stands in the error's place leaves the loop.
fn passed_by(view: BodyView<'_>, body: ExprId) -> Ignored {
    let leaves = |expr: &ExprId| matches!(view.kind(*expr), ExprKind::Break { .. } | ExprKind::Return(_));
    match view.inside(body).iter().any(leaves) {
        true => Ignored::Ends,
        false => Ignored::Skips,
    }
}

fn is_ok(view: BodyView<'_>, pat: PatId) -> bool {
    is_variant(view, pat, "Ok").is_some()
}

/// The only element of a pattern `Ok(..)` or `Err(..)`.
fn is_variant(view: BodyView<'_>, pat: PatId, variant: &str) -> Option<PatId> {
    let PatKind::TupleStruct { path, elements, .. } = &view.body.pats[pat].kind else { return None };
    let named = path.segments.last().is_some_and(|last| last.name == variant);
    elements.first().copied().filter(|_| named)
}

/// `Err(_)`, or `_` behind `Ok(..)`.
fn is_any_error(view: BodyView<'_>, pat: PatId) -> bool {
    match is_variant(view, pat, "Err") {
        Some(error) => is_unseen(view, error),
        None => matches!(view.body.pats[pat].kind, PatKind::Wild),
    }
}

/// `Err(RecvError::Lagged(_))`
fn is_lag(view: BodyView<'_>, pat: PatId) -> bool {
    let error = is_variant(view, pat, "Err");
    error.and_then(|error| is_variant(view, error, "Lagged")).is_some_and(|missed| is_unseen(view, missed))
}

fn does_nothing(view: BodyView<'_>, body: ExprId) -> bool {
    match view.kind(body) {
        ExprKind::Continue { .. } => true,
        ExprKind::Tuple(elements) => elements.is_empty(),
        ExprKind::Block(block) => match (block.statements.as_slice(), block.tail) {
            ([], None) => true,
            ([], Some(tail)) => does_nothing(view, tail),
            ([only], None) => matches!(&only.kind, StatementKind::Expr { expr, .. } if does_nothing(view, *expr)),
            _ => false,
        },
        _ => false,
    }
}

fn is_unseen(view: BodyView<'_>, error: PatId) -> bool {
    match &view.body.pats[error].kind {
        PatKind::Wild => true,
        PatKind::Bind { .. } => view.uses(error).is_empty(),
        _ => false,
    }
}

/// Whether a closure, or `Result::ok`, passes errors by without looking at them.
fn drops_errors(view: BodyView<'_>, closure: ExprId) -> bool {
    let ExprKind::Closure { parameters, .. } = view.kind(closure) else {
        return view.named(closure).is_some();
    };
    let Some((parameter, _)) = parameters.first() else { return false };
    let uses = view.uses(*parameter);
    if uses.is_empty() {
        // `|Ok(event)| ..` is no Rust; a parameter that nobody looks at says nothing.
        return false;
    }
    let drops = |used: &ExprId| {
        let Some(parent) = view.parent(*used) else { return false };
        match view.kind(parent) {
            ExprKind::MethodCall { receiver, name, .. } => receiver == used && matches!(name.as_str(), "ok" | "is_ok"),
            ExprKind::Match { arms, .. } => arms.iter().any(|arm| is_any_error(view, arm.pat)),
            ExprKind::Let { pat, .. } => is_ok(view, *pat),
            // `ready(event.ok())`, `event.as_ref().ok()`
            _ => false,
        }
    };
    uses.iter().all(drops)
}
