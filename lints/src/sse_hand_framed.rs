//! `sse_hand_framed`: a frame of events put together of text that may hold a line end.

use agentlint_diagnostics::{Confidence, Diagnostic, Group, Label, Level, LintMeta};
use agentlint_effects::{BodyView, Part};
use agentlint_linter::{Lint, LintContext};
use agentlint_semantic::def::DefId;
use agentlint_semantic::infer::Callee;
use agentlint_semantic::types::{Ty, TyKind};
use agentlint_syntax::ast::{Body, ExprId, ExprKind, Literal, MacroArgument, MacroArguments, PatId, Shown};
use agentlint_syntax::{FormatSubject, Placeholder, placeholders};

use crate::blocking::location;
use crate::service::{has, origin, peeled, program_around};

static META: LintMeta = LintMeta {
    id: "sse_hand_framed",
    summary: "a frame of events put together of text that may hold a line end",
    group: Group::Streaming,
    level: Level::Deny,
    page: include_str!("../sse_hand_framed.md"),
};

/// The macros that put a frame together.
const FORMATTING: [&str; 4] = ["format", "write", "writeln", "format_args"];
/// Text that comes through more functions is taken to be any.
const DEEPEST: u32 = 4;

pub(crate) struct SseHandFramed;

impl Lint for SseHandFramed {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        for view in cx.effects.views(cx.program) {
            for (expr, data) in view.body.exprs.iter_enumerated() {
                let ExprKind::Macro(call) = &data.kind else { continue };
                let MacroArguments::Exprs(arguments) = &call.arguments else { continue };
                if !call.path.segments.last().is_some_and(|last| FORMATTING.contains(&last.name.as_str())) {
                    continue;
                }
                let texts = data_arguments(view.body, arguments).into_iter();
                let raw = texts.map(|text| (text, line_ends(cx, view, text, 0))).max_by_key(|(_, ends)| *ends);
                let Some((text, ends)) = raw.filter(|(_, ends)| *ends > LineEnds::None) else { continue };
                report.push(diagnostic(cx, view, expr, text, ends));
            }
        }
    }
}

fn diagnostic(cx: &LintContext<'_>, view: BodyView<'_>, expr: ExprId, text: ExprId, ends: LineEnds) -> Diagnostic {
    let message = "a line end inside this text breaks the frame: what follows it is lost, or taken for another field";
    let mut diagnostic = Diagnostic::new(META.id, META.level, message, location(view.place(cx.program, expr)));
    // Text that comes from elsewhere may be JSON, where the program makes any.
    if ends == LineEnds::Unknown && has(cx, &program_around(cx, view.owner.krate), Part::ToJson) {
        diagnostic.level = Level::Warn;
        diagnostic.confidence = Confidence::Likely;
    }
    diagnostic.labels.push(Label { location: location(view.place(cx.program, text)), text: "this may hold one".to_owned() });
    let help = "write frames with `axum::response::sse::Event::data`, which splits lines, or send JSON, which escapes them";
    diagnostic.help = Some(help.to_owned());
    diagnostic
}

/// The arguments that a format string shows as they are on a line that begins with `data:`.
fn data_arguments(body: &Body, arguments: &[MacroArgument]) -> Vec<ExprId> {
    let literal = arguments.iter().enumerate().find_map(|(at, argument)| match &body.exprs[argument.value].kind {
        ExprKind::Literal(Literal::Str(text)) if argument.name.is_none() => Some((at, text)),
        _ => None,
    });
    let Some((at, text)) = literal.filter(|(_, text)| is_frame(text)) else { return Vec::new() };
    let mut next = at + 1;
    let mut found = Vec::new();
    for Placeholder { at: opens, subject, shown } in placeholders(text) {
        let argument = match subject {
            FormatSubject::Next => {
                next += 1;
                arguments.get(next - 1)
            }
            FormatSubject::Position(position) => arguments.get(at + 1 + position),
            FormatSubject::Name(wanted) => arguments.iter().find(|argument| argument.name.is_some_and(|name| name == wanted)),
        };
        let line = text[..opens].rsplit('\n').next().unwrap_or_default();
        if shown == Some(Shown::Display) && line.trim_start().starts_with("data:") {
            found.extend(argument.map(|argument| argument.value));
        }
    }
    found
}

/// `data: ..` that ends with an empty line.
fn is_frame(text: &str) -> bool {
    (text.starts_with("data:") || text.contains("\ndata:")) && (text.ends_with("\n\n") || text.ends_with("\r\n\r\n"))
}

/// Whether text may hold a line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum LineEnds {
    None,
    Unknown,
}

fn line_ends(cx: &LintContext<'_>, view: BodyView<'_>, text: ExprId, depth: u32) -> LineEnds {
    if !is_text(cx, view.ty(text)) {
        return LineEnds::None;
    }
    let made = through_text(cx, view, origin(view, text));
    match view.kind(made) {
        // A constant's author sees it.
        ExprKind::Literal(_) => LineEnds::None,
        ExprKind::Path(_) => match view.local(made) {
            Some(pat) => of_binding(cx, view, pat, depth),
            None => LineEnds::None,
        },
        ExprKind::Macro(call) => of_macro(cx, view, &call.arguments, depth),
        ExprKind::Call { .. } | ExprKind::MethodCall { .. } => of_call(cx, view, made, depth),
        ExprKind::If { then, otherwise, .. } => {
            let both = std::iter::once(*then).chain(*otherwise);
            both.map(|branch| line_ends(cx, view, branch, depth)).max().unwrap_or(LineEnds::Unknown)
        }
        ExprKind::Match { arms, .. } => {
            arms.iter().map(|arm| line_ends(cx, view, arm.body, depth)).max().unwrap_or(LineEnds::Unknown)
        }
        ExprKind::Field { .. } => LineEnds::Unknown,
        _ => LineEnds::None,
    }
}

/// Text that is shown as it is, not what a type of its own writes.
fn is_text(cx: &LintContext<'_>, ty: Ty) -> bool {
    let known = cx.program.known();
    match *ty.kind() {
        TyKind::Str => true,
        TyKind::Ref(inner, _) => is_text(cx, inner),
        TyKind::Adt(def, _) if known.string == Some(def) => true,
        TyKind::Adt(def, list) if [known.boxed, known.arc, known.rc].contains(&Some(def)) => {
            list.first().is_some_and(|inner| is_text(cx, *inner))
        }
        TyKind::Adt(def, list) => {
            cx.program.name(def) == "Cow" && cx.program.is_std(def.krate) && list.iter().any(|inner| is_text(cx, *inner))
        }
        _ => false,
    }
}

/// Behind methods that give text as it was, or what is left of it.
fn through_text(cx: &LintContext<'_>, view: BodyView<'_>, mut expr: ExprId) -> ExprId {
    const SAME: [&str; 16] = [
        "as_ref", "as_str", "borrow", "clone", "deref", "expect", "into", "into_owned", "to_owned", "to_string", "to_lowercase",
        "to_uppercase", "unwrap", "unwrap_or_default", "unwrap_or_else", "map_err",
    ];
    for _ in 0..32 {
        let ExprKind::MethodCall { receiver, name, .. } = view.kind(expr) else { break };
        let is_of_std = view.call(expr).and_then(BodyView::target).is_some_and(|def| cx.program.is_std(def.krate));
        if !is_of_std || !SAME.contains(&name.as_str()) || !(is_text(cx, view.ty(*receiver)) || *name != "to_string") {
            break;
        }
        expr = origin(view, *receiver);
    }
    expr
}

fn of_macro(cx: &LintContext<'_>, view: BodyView<'_>, arguments: &MacroArguments, depth: u32) -> LineEnds {
    let MacroArguments::Exprs(arguments) = arguments else { return LineEnds::None };
    let shown = arguments.iter().filter(|argument| argument.shown == Some(Shown::Display));
    shown.map(|argument| line_ends(cx, view, argument.value, depth)).max().unwrap_or(LineEnds::None)
}

fn of_call(cx: &LintContext<'_>, view: BodyView<'_>, expr: ExprId, depth: u32) -> LineEnds {
    let Some(call) = view.call(expr) else { return LineEnds::Unknown };
    if cx.effects.part_of(&call.callee) == Some(Part::ToJson) {
        return LineEnds::None;
    }
    // `value.to_string()`
    if call.receiver.is_some_and(|receiver| !is_text(cx, peeled(view.ty(receiver)))) && call.name == "to_string" {
        return LineEnds::None;
    }
    let Callee::Function { .. } = call.callee else { return LineEnds::Unknown };
    let Some(target) = BodyView::target(call) else { return LineEnds::Unknown };
    if cx.program.node(target.krate).is_member {
        return of_function(cx, target, depth);
    }
    // What cuts text up at its line ends, or takes them out.
    match call.name.as_str() {
        "replace" | "escape_default" | "escape_debug" | "encode" | "encode_string" | "as_str" => LineEnds::None,
        _ => LineEnds::Unknown,
    }
}

/// What a function of the program gives.
fn of_function(cx: &LintContext<'_>, function: DefId, depth: u32) -> LineEnds {
    match cx.effects.view(cx.program, function) {
        Some(view) if depth < DEEPEST => {
            let given = origin(view, view.body.root);
            match is_text(cx, view.ty(given)) {
                true => line_ends(cx, view, given, depth + 1),
                false => LineEnds::Unknown,
            }
        }
        _ => LineEnds::Unknown,
    }
}

/// What a binding without an initialiser holds: a parameter, or a part of something.
fn of_binding(cx: &LintContext<'_>, view: BodyView<'_>, pat: PatId, depth: u32) -> LineEnds {
    let Some(at) = view.body.parameters.iter().position(|parameter| *parameter == pat) else {
        return of_pattern(cx, view, pat);
    };
    let mut found = None;
    for region in cx.effects.callers(cx.program, view.owner) {
        let Some(caller) = cx.effects.view(cx.program, region.owner).filter(|_| depth < DEEPEST) else { continue };
        for call in caller.calls().iter().filter(|call| BodyView::target(call) == Some(view.owner)) {
            let Some(argument) = call.arguments.get(at) else { continue };
            found = found.max(Some(line_ends(cx, caller, *argument, depth + 1)));
        }
    }
    // Whoever calls it from outside may give it anything.
    found.unwrap_or(LineEnds::Unknown)
}

/// An item of `text.lines()` has none; other parts of something may.
fn of_pattern(cx: &LintContext<'_>, view: BodyView<'_>, pat: PatId) -> LineEnds {
    let cuts = |expr: ExprId| {
        let call = view.call(origin(view, expr)).filter(|call| BodyView::target(call).is_some_and(|def| cx.program.is_std(def.krate)));
        call.is_some_and(|call| matches!(call.name.as_str(), "lines" | "split" | "split_terminator" | "split_whitespace"))
    };
    let of_loop = view.body.exprs.iter().find_map(|data| match &data.kind {
        ExprKind::For { pat: item, iterable, .. } if *item == pat => Some(*iterable),
        _ => None,
    });
    match of_loop {
        Some(iterable) if cuts(iterable) => LineEnds::None,
        _ => LineEnds::Unknown,
    }
}
