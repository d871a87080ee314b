//! `stream_cut_by_timeout`: a limit on the whole of an answer that streams.

use agentlint_diagnostics::{Confidence, Diagnostic, Group, Label, Level, LintMeta};
use agentlint_effects::{BodyView, Part};
use agentlint_linter::{Lint, LintContext};
use agentlint_semantic::infer::CallSite;
use agentlint_syntax::ast::{ExprId, ExprKind, Literal};

use crate::blocking::location;
use crate::service::{at_call, calls, chain, event_responses, has, origin, program_around};
use crate::sse_compressed::is_over;

static META: LintMeta = LintMeta {
    id: "stream_cut_by_timeout",
    summary: "a limit on the whole of an answer that streams",
    group: Group::Streaming,
    level: Level::Warn,
    page: include_str!("../stream_cut_by_timeout.md"),
};

pub(crate) struct StreamCutByTimeout;

impl Lint for StreamCutByTimeout {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        layers(cx, report);
        requests(cx, report);
        clients(cx, report);
    }
}

/// Layers over routes that stream.
fn layers(cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
    let deadlines = calls(cx, Part::BodyDeadline).map(|found| (found, true));
    // Comments reset the limit on silence.
    let idle = calls(cx, Part::BodyIdleLimit).map(|found| (found, false));
    let all: Vec<_> = deadlines.chain(idle).collect();
    if all.is_empty() {
        return;
    }
    let responses = event_responses(cx);
    for ((view, call), is_deadline) in all {
        let crates = program_around(cx, view.owner.krate);
        let keeps_alive = has(cx, &crates, Part::SseKeepAlive) || has(cx, &crates, Part::SseComment);
        if !is_deadline && keeps_alive || !responses.iter().any(|response| is_over(cx, view, call.expr, response)) {
            continue;
        }
        let (message, help) = match is_deadline {
            true => ("this layer ends every body at its deadline, streams of events in the middle of an answer too", "leave the routes that stream out, and limit how long they may be silent instead"),
            false => ("this layer ends a body that is silent for so long, and these streams send nothing while they wait", "send comments more often than that: `.keep_alive(KeepAlive::new().interval(..))`"),
        };
        let mut diagnostic = at_call(cx, &META, view, call, message.to_owned());
        diagnostic.confidence = Confidence::Likely;
        diagnostic.help = Some(help.to_owned());
        report.push(diagnostic);
    }
}

const HELP: &str = "set `.connect_timeout(..)` and `.read_timeout(..)`, which count from one piece to the next";

/// `client.post(..).timeout(..).send().await?.bytes_stream()`
fn requests(cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
    for (view, call) in calls(cx, Part::StreamBody) {
        let Some(response) = call.receiver else { continue };
        let chained = chain(view, response).into_iter();
        let limits = |call: &&CallSite| cx.effects.part_of(&call.callee) == Some(Part::WholeRequestTimeout);
        for limit in chained.filter(limits).filter(|limit| !is_generous(view, limit)) {
            report.push(cut(cx, view, limit, (view, call)));
        }
    }
}

/// `ClientBuilder::timeout` where the program's only client reads bodies piece by piece.
fn clients(cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
    if calls(cx, Part::StreamBody).next().is_none() {
        return;
    }
    for (view, build) in calls(cx, Part::BuildClient) {
        let crates = program_around(cx, view.owner.krate);
        let of_program = |part: Part| calls(cx, part).filter(|(other, _)| crates.contains(&other.owner.krate));
        // With several clients it is not known which of them streams.
        if of_program(Part::BuildClient).count() > 1 {
            continue;
        }
        let limit = limit_of(cx, view, build).filter(|limit| !is_generous(view, limit));
        let (Some(limit), Some(reader)) = (limit, of_program(Part::StreamBody).next()) else { continue };
        report.push(cut(cx, view, limit, reader));
    }
}

/// An hour, or whatever is greatest: longer than any stream.
fn is_generous(view: BodyView<'_>, limit: &CallSite) -> bool {
    let Some(written) = limit.arguments.first().map(|limit| origin(view, *limit)) else { return false };
    // `Duration::MAX`, `Duration::from_secs(u64::MAX / 2)`
    let is_greatest = |expr: ExprId| match view.kind(expr) {
        ExprKind::Path(path) => path.segments.last().is_some_and(|last| last.name == "MAX"),
        _ => false,
    };
    if view.inside(written).into_iter().any(is_greatest) {
        return true;
    }
    let Some(made) = view.call(written) else { return false };
    let most = match made.name.as_str() {
        "from_hours" | "from_days" | "from_weeks" => 1,
        "from_mins" => 60,
        "from_secs" => 3600,
        "from_millis" => 3_600_000,
        _ => return false,
    };
    let number = made.arguments.first().map(|number| view.kind(origin(view, *number)));
    matches!(number, Some(ExprKind::Literal(Literal::Int { value: Some(value), .. })) if *value >= most)
}

/// Where the builder that a client is built of is given a limit.
fn limit_of<'a>(cx: &LintContext<'_>, view: BodyView<'a>, build: &'a CallSite) -> Option<&'a CallSite> {
    let chained = chain(view, build.receiver?);
    chained.into_iter().find(|call| cx.effects.part_of(&call.callee) == Some(Part::WholeTimeout))
}

fn cut(cx: &LintContext<'_>, view: BodyView<'_>, limit: &CallSite, reader: (BodyView<'_>, &CallSite)) -> Diagnostic {
    let message = "this timeout counts to the end of the body: it cuts a long stream in the middle".to_owned();
    let mut diagnostic = at_call(cx, &META, view, limit, message);
    diagnostic.confidence = Confidence::Likely;
    let (of_reader, call) = reader;
    let place = location(of_reader.place_of_call(cx.program, call));
    diagnostic.labels.push(Label { location: place, text: "the body is read piece by piece here".to_owned() });
    diagnostic.help = Some(HELP.to_owned());
    diagnostic
}
