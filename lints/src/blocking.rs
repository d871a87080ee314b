//! What the lints of the blocking group share: one effect each, reported at the call in the async context.

use agentlint_diagnostics::{Diagnostic, Hop, Level, LintMeta, Location};
use agentlint_effects::{BlockingCall, Effect};
use agentlint_linter::LintContext;
use agentlint_semantic::def::Place;

pub(crate) fn report(cx: &LintContext<'_>, meta: &LintMeta, effect: Effect, report: &mut Vec<Diagnostic>) {
    let calls = cx.blocking_calls.iter().filter(|call| call.effect == effect);
    // A test that stalls stalls itself; one that panics is broken.
    let reported = calls.filter(|call| !call.is_test || call.sink.panics);
    report.extend(reported.map(|call| diagnostic(meta, call)));
}

fn diagnostic(meta: &LintMeta, call: &BlockingCall) -> Diagnostic {
    let message = format!("`{}` blocks the async runtime: it {}", call.callee, call.sink.does);
    let level = if call.sink.panics { Level::Deny } else { meta.level };
    let mut diagnostic = Diagnostic::new(meta.id, level, message, location(call.place));
    diagnostic.confidence = call.confidence;
    diagnostic.chain = call
        .chain
        .iter()
        .map(|step| Hop { text: format!("`{}` calls `{}`", step.caller, step.callee), location: location(step.place) })
        .collect();
    diagnostic.help = Some(help(call));
    diagnostic
}

fn help(call: &BlockingCall) -> String {
    let function = call.sink_name.rsplit("::").next().unwrap_or(&call.sink_name);
    let instead = call.sink.instead.replace("{name}", function);
    match call.chain.as_slice() {
        _ if instead.contains("spawn_blocking") => format!("use `{instead}`"),
        [] => format!("use `{instead}`, or move the work into one `tokio::task::spawn_blocking`"),
        [.., last] => {
            format!("use `{instead}` in `{}`, or call `{}` inside `tokio::task::spawn_blocking`", last.caller, call.callee)
        }
    }
}

pub(crate) fn location(place: Place) -> Location {
    Location { file: place.file, start: place.span.start, end: place.span.end }
}
