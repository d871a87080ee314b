//! SARIF 2.1.0, for code scanning.

mod model;
mod uri;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta};

use self::model::*;
use super::coverage::CoverageDocument;
use super::fingerprint::Fingerprints;
use crate::Report;
use crate::report::Columns;

// GitHub's limits: what goes over them is refused or dropped there, so it is left out here, and said.
const MOST_RESULTS: usize = 25_000;
const MOST_FLOW_LOCATIONS: usize = 10_000;
const MOST_RELATED: usize = 1_000;

const FINGERPRINT: &str = "agentlint/v1";

pub(super) fn render(report: &Report<'_>, root: &Path, out: &mut dyn Write) -> io::Result<()> {
    let writer = Writer { report, root };
    let (results, left_out) = writer.results();
    let mut notifications: Vec<_> =
        report.notes.iter().map(|note| Notification { level: "note", message: note.as_str().into() }).collect();
    if left_out > 0 {
        let text = format!("{left_out} findings are left out: code scanning takes {MOST_RESULTS} at most");
        notifications.push(Notification { level: "warning", message: Text { text } });
    }
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: tool(report.metas),
            // Code scanning closes every alert that a successful run does not repeat.
            invocations: [Invocation { execution_successful: !report.nothing_read, tool_execution_notifications: notifications }],
            original_uri_base_ids: BTreeMap::from([(uri::ROOT, uri::folder(root))]),
            column_kind: "utf16CodeUnits",
            properties: RunProperties { coverage: CoverageDocument::of(report) },
            results,
        }],
    };
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

fn tool(metas: &[&'static LintMeta]) -> Tool {
    Tool {
        driver: Driver {
            name: "agentlint",
            version: env!("CARGO_PKG_VERSION"),
            semantic_version: env!("CARGO_PKG_VERSION"),
            information_uri: env!("CARGO_PKG_REPOSITORY"),
            rules: metas.iter().map(|meta| rule(meta)).collect(),
        },
    }
}

fn rule(meta: &LintMeta) -> Rule {
    let mut tags = vec!["agentlint", meta.group.name()];
    if meta.group != Group::Run {
        tags.extend(["async", "reliability"]);
    }
    Rule {
        id: meta.id,
        name: pascal_case(meta.id),
        short_description: Text { text: sentence(meta.summary) },
        full_description: Text { text: lead(meta) },
        help: Help { text: meta.page, markdown: meta.page },
        default_configuration: Configuration { enabled: meta.level != Level::Allow, level: level(meta.level) },
        properties: RuleProperties {
            tags,
            severity: match meta.level {
                Level::Deny => "error",
                Level::Warn => "warning",
                Level::Allow => "recommendation",
            },
        },
    }
}

/// SARIF's viewers show a rule's name in Pascal case: `BlockingFs`.
fn pascal_case(id: &str) -> String {
    let capitalize = |word: &str| {
        let mut characters = word.chars();
        characters.next().map_or(String::new(), |first| first.to_uppercase().chain(characters).collect())
    };
    id.split('_').map(capitalize).collect()
}

/// Capital letter and full stop, as viewers expect of descriptions.
fn sentence(text: &str) -> String {
    let mut characters = text.trim().trim_end_matches('.').chars();
    characters.next().map_or(String::new(), |first| first.to_uppercase().chain(characters).chain(['.']).collect())
}

/// The page's first paragraph, its title left out.
fn lead(meta: &LintMeta) -> String {
    let paragraphs = meta.page.split("\n\n").map(str::trim);
    let first = paragraphs.filter(|paragraph| !paragraph.starts_with('#')).find(|paragraph| !paragraph.is_empty());
    sentence(&first.unwrap_or(meta.summary).split_whitespace().collect::<Vec<_>>().join(" "))
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Deny => "error",
        Level::Warn => "warning",
        Level::Allow => "note",
    }
}

struct Writer<'a> {
    report: &'a Report<'a>,
    root: &'a Path,
}

impl Writer<'_> {
    /// What to report, and how many findings that leaves out. The worst stay.
    fn results(&self) -> (Vec<SarifResult>, usize) {
        let report = self.report;
        let fingerprints = Fingerprints::of(report);
        let found = report.diagnostics.iter().zip(fingerprints.diagnostics).map(|(diagnostic, name)| (diagnostic, name, None));
        let suppressed = report.suppressed.iter().zip(fingerprints.suppressed);
        let suppressed = suppressed.map(|(one, name)| (&one.diagnostic, name, Some(one.reason.as_str())));
        let mut all: Vec<_> = found.chain(suppressed).collect();
        let left_out = all.len().saturating_sub(MOST_RESULTS);
        if left_out > 0 {
            all.sort_by_key(|(diagnostic, _, reason)| (reason.is_some(), std::cmp::Reverse(diagnostic.level)));
            all.truncate(MOST_RESULTS);
        }
        (all.into_iter().map(|(diagnostic, name, reason)| self.result(diagnostic, name, reason)).collect(), left_out)
    }

    fn result(&self, diagnostic: &Diagnostic, fingerprint: String, reason: Option<&str>) -> SarifResult {
        let related = diagnostic.labels.iter().map(|label| (label.location, label.text.as_str()));
        let hops = diagnostic.chain.iter().map(|hop| (hop.location, hop.text.as_str()));
        let related = related.chain(hops).take(MOST_RELATED).enumerate();
        SarifResult {
            rule_id: diagnostic.lint,
            rule_index: self.report.metas.binary_search_by(|meta| meta.id.cmp(diagnostic.lint)).ok(),
            level: level(diagnostic.level),
            message: Text { text: message(diagnostic) },
            locations: [self.location(diagnostic.primary.location, "")],
            related_locations: related
                .map(|(at, (location, text))| Location { id: Some(at + 1), ..self.location(location, text) })
                .collect(),
            code_flows: self.code_flow(diagnostic).into_iter().collect(),
            partial_fingerprints: BTreeMap::from([(FINGERPRINT, fingerprint)]),
            suppressions: reason
                .map(|reason| Suppression { kind: "inSource", justification: reason.to_owned() })
                .into_iter()
                .collect(),
            properties: ResultProperties {
                confidence: diagnostic.confidence.name(),
                reached_from: diagnostic.reached_from.iter().map(|entry| entry.replace('`', "")).collect(),
            },
        }
    }

    fn code_flow(&self, diagnostic: &Diagnostic) -> Option<CodeFlow> {
        if diagnostic.chain.is_empty() {
            return None;
        }
        let primary = (diagnostic.primary.location, diagnostic.message.as_str());
        let hops = diagnostic.chain.iter().map(|hop| (hop.location, hop.text.as_str()));
        let steps = std::iter::once(primary).chain(hops).take(MOST_FLOW_LOCATIONS);
        let locations = steps.map(|(location, text)| ThreadFlowLocation { location: self.location(location, text) });
        Some(CodeFlow { thread_flows: [ThreadFlow { locations: locations.collect() }] })
    }

    fn location(&self, location: agentlint_diagnostics::Location, text: &str) -> Location {
        let place = self.report.place(location, Columns::Utf16);
        // A context has to hold the whole place.
        let is_one_line = place.line == place.end_line;
        let line = self.report.line_text(location).filter(|line| is_one_line && line.len() <= 400);
        Location {
            id: None,
            physical_location: PhysicalLocation {
                artifact_location: uri::artifact(&place.path, self.root),
                region: Region {
                    start_line: place.line,
                    start_column: place.column,
                    end_line: place.end_line,
                    end_column: place.end_column,
                },
                context_region: line.map(|text| ContextRegion { start_line: place.line, snippet: Text { text } }),
            },
            message: Some(text).filter(|text| !text.is_empty()).map(|text| Text { text: sentence(text) }),
        }
    }
}

fn message(diagnostic: &Diagnostic) -> String {
    let help = diagnostic.help.iter();
    std::iter::once(&diagnostic.message)
        .chain(&diagnostic.notes)
        .chain(help)
        .map(|part| sentence(part))
        .collect::<Vec<_>>()
        .join(" ")
}
