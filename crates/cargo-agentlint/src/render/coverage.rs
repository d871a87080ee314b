//! How much of the program was seen, for documents and for people.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::Report;
use crate::report::Seen;

/// Of each list of names so many are shown to people.
const NAMED: usize = 3;

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) struct CoverageDocument<'a> {
    targets: usize,
    calls_in_async_contexts: usize,
    resolved: usize,
    unresolved: BTreeMap<&'a str, usize>,
    macros_not_understood: BTreeMap<&'a str, usize>,
    attributes_not_understood: BTreeMap<&'a str, usize>,
    without_sources: &'a [String],
}

impl<'a> CoverageDocument<'a> {
    pub(super) fn of(report: &'a Report<'_>) -> CoverageDocument<'a> {
        let Seen { targets, without_sources, calls, .. } = &report.coverage;
        let counts = |list: &'a [(String, usize)]| list.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        CoverageDocument {
            targets: *targets,
            calls_in_async_contexts: calls.calls,
            resolved: calls.resolved,
            unresolved: counts(&calls.reasons),
            macros_not_understood: counts(&calls.macros),
            attributes_not_understood: counts(&calls.attributes),
            without_sources,
        }
    }
}

/// A line for each thing to tell.
pub(crate) fn lines(report: &Report<'_>) -> Vec<String> {
    let Seen { targets, without_sources, calls, not_understood } = &report.coverage;
    let share = if calls.calls == 0 { 100.0 } else { calls.resolved as f64 / calls.calls as f64 * 100.0 };
    let noun = if *targets == 1 { "target" } else { "targets" };
    let mut lines = vec![format!("{targets} {noun}; of {} calls in async contexts {share:.1} % were resolved", calls.calls)];
    let named = |what: &str, list: &[(String, usize)], quote: &str| {
        let shown: Vec<_> = list.iter().take(NAMED).map(|(name, count)| format!("{quote}{name}{quote} ({count})")).collect();
        let more = list.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!list.is_empty()).then(|| format!("{what}: {}{more}", shown.join(", ")))
    };
    lines.extend(named("unresolved", &calls.reasons, ""));
    lines.extend(named("macros not understood", &calls.macros, "`"));
    lines.extend(named("attributes not understood", &calls.attributes, "`"));
    if !without_sources.is_empty() {
        lines.push(format!("without sources: {}", without_sources.join(", ")));
    }
    if !not_understood.is_empty() {
        lines.push(format!("not understood, so nothing is said of them: {}", not_understood.join(", ")));
    }
    lines
}
