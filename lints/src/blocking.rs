//! What the lints of the blocking group share: one effect each, reported at the call in the async context.

use agentlint_diagnostics::{Diagnostic, Hop, Level, LintMeta, Location};
use agentlint_effects::{BlockingCall, Effect, How, Role};
use agentlint_linter::LintContext;
use agentlint_semantic::def::Place;

pub(crate) fn report(cx: &LintContext<'_>, meta: &LintMeta, effect: Effect, report: &mut Vec<Diagnostic>) {
    let calls = cx.blocking_calls.iter().filter(|call| call.effect == effect);
    let reported = calls.filter(|call| match call.role {
        Role::Task => true,
        Role::Startup => cx.roles.startup.admits(call.sink.panics),
        Role::Test => cx.roles.test.admits(call.sink.panics),
    });
    report.extend(reported.map(|call| diagnostic(meta, call)));
}

fn diagnostic(meta: &LintMeta, call: &BlockingCall) -> Diagnostic {
    let what = if call.how == How::FirstUse { "the first use of " } else { "" };
    let of = call.package.as_ref().map(|package| format!(" of {package}")).unwrap_or_default();
    let message = format!("{what}`{}`{of} blocks the async runtime: it {}", call.callee, call.sink.does);
    let level = if call.sink.panics { Level::Deny } else { meta.level };
    let mut diagnostic = Diagnostic::new(meta.id, level, message, location(call.place));
    diagnostic.confidence = call.confidence;
    diagnostic.chain = call
        .chain
        .iter()
        .map(|step| {
            let of = step.package.as_ref().map(|package| format!(" of {package}")).unwrap_or_default();
            Hop { text: format!("`{}`{of} calls `{}`", step.caller, step.callee), location: location(step.place) }
        })
        .collect();
    diagnostic.help = Some(help(call));
    diagnostic.notes.extend(call.held.as_ref().map(|held| {
        let what = held.name.as_ref().map_or_else(|| format!("a `{}`", held.ty), |name| format!("`{name}`, a `{}`,", held.ty));
        format!("{what} is held meanwhile: whoever waits for the lock blocks a thread too")
    }));
    diagnostic
}

/// What to call instead, and how to move the work where it may block; a sink that names neither has only the second.
fn help(call: &BlockingCall) -> String {
    const OFFLOAD: &str = "`tokio::task::spawn_blocking`";
    match call.how {
        // Nothing can be awaited in a `drop`, and not in a static's function.
        How::Drop => return format!("do this in an async method before the value is dropped, or drop it inside {OFFLOAD}"),
        How::FirstUse => return format!("use `{}` once in `main` before the program serves, or inside {OFFLOAD}", call.callee),
        How::Call => {}
    }
    // In a dependency's own code nobody can call something else instead.
    let way_out = way_out(call).filter(|_| call.chain.last().is_none_or(|last| last.package.is_none()));
    match (way_out, call.chain.last()) {
        // A configuration may name it as the way out, and once is enough.
        (Some(way_out), _) if way_out.contains("spawn_blocking") => way_out,
        (Some(way_out), None) => format!("{way_out}, or move the work into one {OFFLOAD}"),
        (Some(way_out), Some(last)) => format!("{way_out} in `{}`, or call `{}` inside {OFFLOAD}", last.caller, call.callee),
        (None, None) => format!("move the work into one {OFFLOAD}"),
        (None, Some(_)) => format!("call `{}` inside {OFFLOAD}", call.callee),
    }
}

/// A verb phrase: the catalog's code as such, or its advice in words.
fn way_out(call: &BlockingCall) -> Option<String> {
    let function = call.sink_name.rsplit("::").next().unwrap_or(&call.sink_name);
    match (call.sink.instead.as_str(), call.sink.advice.as_str()) {
        ("", "") => None,
        ("", advice) => Some(advice.to_owned()),
        (instead, _) => Some(format!("use `{}`", instead.replace("{name}", function))),
    }
}

pub(crate) fn location(place: Place) -> Location {
    Location { file: place.file, start: place.span.start, end: place.span.end }
}
