//! Messages as cargo prints them, for editors: rust-analyzer's `check.overrideCommand`, and whatever else reads
//! `cargo check --message-format=json`.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;

use agentlint_diagnostics::{Diagnostic, Level, Location};
use serde::Serialize;
use serde_json::json;

use crate::Report;
use crate::report::Columns;

pub(super) fn render(report: &Report<'_>, root: &Path, out: &mut dyn Write) -> io::Result<()> {
    for diagnostic in &report.diagnostics {
        let path = report.sources.path(diagnostic.primary.location.file);
        let source = root.join(&*path);
        // Readers ask for a package and a target, and take their places from the message.
        let message = json!({
            "reason": "compiler-message",
            "package_id": format!("path+file://{}#agentlint", root.display()),
            "manifest_path": root.join("Cargo.toml"),
            "target": {
                "kind": ["lib"], "crate_types": ["lib"], "name": "agentlint", "src_path": source, "edition": "2024",
                "doc": false, "doctest": false, "test": false,
            },
            "message": message(report, diagnostic),
        });
        writeln!(out, "{message}")?;
    }
    writeln!(out, "{}", json!({ "reason": "build-finished", "success": report.count(Level::Deny) == 0 }))
}

#[derive(Serialize)]
struct Message<'a> {
    message: Cow<'a, str>,
    code: Option<Code>,
    level: &'static str,
    spans: Vec<Span>,
    children: Vec<Message<'a>>,
    rendered: Option<String>,
}

#[derive(Serialize)]
struct Code {
    code: String,
    explanation: Option<&'static str>,
}

#[derive(Serialize)]
struct Span {
    file_name: String,
    byte_start: u32,
    byte_end: u32,
    line_start: u32,
    line_end: u32,
    column_start: u32,
    column_end: u32,
    is_primary: bool,
    text: Vec<SpanLine>,
    label: Option<String>,
    suggested_replacement: Option<String>,
    suggestion_applicability: Option<String>,
    expansion: Option<String>,
}

#[derive(Serialize)]
struct SpanLine {
    text: String,
    highlight_start: u32,
    highlight_end: u32,
}

fn message<'a>(report: &Report<'_>, diagnostic: &'a Diagnostic) -> Message<'a> {
    let level = match diagnostic.level {
        Level::Deny => "error",
        Level::Warn | Level::Allow => "warning",
    };
    let primary = span(report, diagnostic.primary.location, &diagnostic.primary.text, true);
    let labels = diagnostic.labels.iter().map(|label| span(report, label.location, &label.text, false));
    let hops = diagnostic.chain.iter().map(|hop| child("note", hop.text.as_str(), vec![span(report, hop.location, "", true)]));
    let notes = diagnostic.notes.iter().map(|note| child("note", note.as_str(), Vec::new()));
    let reached = super::human::reached_from(diagnostic);
    let reached = reached.into_iter().map(|entries| child("note", format!("reached from {entries}"), Vec::new()));
    let help = diagnostic.help.iter().map(|help| child("help", help.as_str(), Vec::new()));
    Message {
        message: Cow::Borrowed(&diagnostic.message),
        code: Some(Code {
            code: format!("agentlint::{}", diagnostic.lint),
            explanation: report.meta(diagnostic.lint).map(|meta| meta.page),
        }),
        level,
        rendered: Some(rendered(report, diagnostic, level)),
        spans: std::iter::once(primary).chain(labels).collect(),
        children: hops.chain(notes).chain(reached).chain(help).collect(),
    }
}

fn child<'a>(level: &'static str, message: impl Into<Cow<'a, str>>, spans: Vec<Span>) -> Message<'a> {
    Message { message: message.into(), code: None, level, spans, children: Vec::new(), rendered: None }
}

fn span(report: &Report<'_>, location: Location, label: &str, is_primary: bool) -> Span {
    let place = report.place(location, Columns::Characters);
    let text = report.line_text(location).unwrap_or_default();
    let line_end = text.chars().count() as u32 + 1;
    let highlight_end = if place.end_line == place.line { place.end_column } else { line_end };
    Span {
        file_name: place.path.to_string(),
        byte_start: location.start,
        byte_end: location.end,
        line_start: place.line,
        line_end: place.end_line,
        column_start: place.column,
        column_end: place.end_column,
        is_primary,
        text: vec![SpanLine { text, highlight_start: place.column, highlight_end }],
        label: Some(label.to_owned()).filter(|label| !label.is_empty()),
        suggested_replacement: None,
        suggestion_applicability: None,
        expansion: None,
    }
}

fn rendered(report: &Report<'_>, diagnostic: &Diagnostic, level: &str) -> String {
    let at = |location| {
        let place = report.place(location, Columns::Characters);
        format!("{}:{}:{}", place.path, place.line, place.column)
    };
    let mut text = format!("{level}: {}\n  --> {}\n", diagnostic.message, at(diagnostic.primary.location));
    for (step, location) in super::human::trail(diagnostic) {
        text.push_str(&format!("   -> {} {step}\n", at(location)));
    }
    let remarks = diagnostic.notes.iter().map(|note| ("note", note)).chain(diagnostic.help.iter().map(|help| ("help", help)));
    for (word, remark) in remarks {
        text.push_str(&format!("   = {word}: {remark}\n"));
    }
    text
}
