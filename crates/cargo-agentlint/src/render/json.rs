//! The project's own document; `README.md` beside this crate's manifest describes it.

use std::io::{self, Write};

use agentlint_diagnostics::{Diagnostic, Level, Location};
use serde::Serialize;

use super::coverage::CoverageDocument;
use super::fingerprint::Fingerprints;
use crate::Report;
use crate::report::Columns;

pub(super) fn render(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let fingerprints = Fingerprints::of(report);
    let findings = report.diagnostics.iter().zip(fingerprints.diagnostics);
    let suppressed = report.suppressed.iter().zip(fingerprints.suppressed);
    let document = Document {
        version: 1,
        tool: Tool { name: "agentlint", version: env!("CARGO_PKG_VERSION") },
        findings: findings.map(|(diagnostic, name)| finding(report, diagnostic, name)).collect(),
        suppressed: suppressed
            .map(|(one, name)| SuppressedFinding { reason: &one.reason, finding: finding(report, &one.diagnostic, name) })
            .collect(),
        summary: Summary {
            files: report.statistics.files,
            lines: report.statistics.lines,
            deny: report.count(Level::Deny),
            warn: report.count(Level::Warn),
            suppressed: report.suppressed.len(),
        },
        coverage: CoverageDocument::of(report),
        notes: &report.notes,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    tool: Tool,
    findings: Vec<Finding<'a>>,
    suppressed: Vec<SuppressedFinding<'a>>,
    summary: Summary,
    coverage: CoverageDocument<'a>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Finding<'a> {
    lint: &'static str,
    group: Option<&'static str>,
    level: &'static str,
    confidence: &'static str,
    message: &'a str,
    #[serde(flatten)]
    place: JsonPlace,
    /// What the underlined part is, where that says more than the message.
    label: Option<&'a str>,
    labels: Vec<Step<'a>>,
    chain: Vec<Step<'a>>,
    help: Option<&'a str>,
    notes: &'a [String],
    reached_from: &'a [String],
    fingerprint: String,
}

#[derive(Serialize)]
struct SuppressedFinding<'a> {
    reason: &'a str,
    #[serde(flatten)]
    finding: Finding<'a>,
}

#[derive(Serialize)]
struct Step<'a> {
    message: &'a str,
    #[serde(flatten)]
    place: JsonPlace,
}

#[derive(Serialize)]
struct JsonPlace {
    file: String,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    start_byte: u32,
    end_byte: u32,
}

#[derive(Serialize)]
struct Summary {
    files: usize,
    lines: usize,
    deny: usize,
    warn: usize,
    suppressed: usize,
}

fn finding<'a>(report: &Report<'_>, diagnostic: &'a Diagnostic, fingerprint: String) -> Finding<'a> {
    let step = |text: &'a str, location| Step { message: text, place: place(report, location) };
    Finding {
        lint: diagnostic.lint,
        group: report.meta(diagnostic.lint).map(|meta| meta.group.name()),
        level: diagnostic.level.name(),
        confidence: diagnostic.confidence.name(),
        message: &diagnostic.message,
        place: place(report, diagnostic.primary.location),
        label: Some(diagnostic.primary.text.as_str()).filter(|text| !text.is_empty()),
        labels: diagnostic.labels.iter().map(|label| step(&label.text, label.location)).collect(),
        chain: diagnostic.chain.iter().map(|hop| step(&hop.text, hop.location)).collect(),
        help: diagnostic.help.as_deref(),
        notes: &diagnostic.notes,
        reached_from: &diagnostic.reached_from,
        fingerprint,
    }
}

fn place(report: &Report<'_>, location: Location) -> JsonPlace {
    let place = report.place(location, Columns::Characters);
    JsonPlace {
        file: place.path.to_string(),
        line: place.line,
        column: place.column,
        end_line: place.end_line,
        end_column: place.end_column,
        start_byte: location.start,
        end_byte: location.end,
    }
}
