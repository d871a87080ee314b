//! A name for a finding that stays the same while the lines around it move.

use std::collections::HashMap;

use agentlint_diagnostics::Diagnostic;

use crate::Report;

/// In the order of the report's findings, and of its suppressed ones.
pub(super) struct Fingerprints {
    pub(super) diagnostics: Vec<String>,
    pub(super) suppressed: Vec<String>,
}

impl Fingerprints {
    /// Made of the lint, the file, the primary line's text, and which of several equal ones it is. Suppressed findings are
    /// counted with the others, so that a suppression renames nothing.
    pub(super) fn of(report: &Report<'_>) -> Fingerprints {
        let found = report.diagnostics.iter().enumerate().map(|(at, diagnostic)| (diagnostic, at, false));
        let suppressed = report.suppressed.iter().enumerate().map(|(at, one)| (&one.diagnostic, at, true));
        let mut all: Vec<_> = found.chain(suppressed).collect();
        all.sort_by_key(|(diagnostic, ..)| (diagnostic.primary.location, diagnostic.lint));
        let mut fingerprints = Fingerprints {
            diagnostics: vec![String::new(); report.diagnostics.len()],
            suppressed: vec![String::new(); report.suppressed.len()],
        };
        let mut seen: HashMap<u64, u32> = HashMap::new();
        for (diagnostic, at, is_suppressed) in all {
            let hash = hash(report, diagnostic);
            let occurrence = seen.entry(hash).and_modify(|count| *count += 1).or_insert(1);
            let list = if is_suppressed { &mut fingerprints.suppressed } else { &mut fingerprints.diagnostics };
            list[at] = format!("{hash:016x}:{occurrence}");
        }
        fingerprints
    }
}

fn hash(report: &Report<'_>, diagnostic: &Diagnostic) -> u64 {
    let location = diagnostic.primary.location;
    let line = report.line_text(location).unwrap_or_default();
    let path = report.sources.path(location.file);
    [diagnostic.lint, "\0", &path, "\0", line.trim()].iter().fold(FNV_OFFSET, |hash, part| fnv1a(hash, part))
}

// FNV-1a, 64 bit (Fowler, Noll, Vo): the same on every machine and in every release, which std's hashers do not promise.
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

fn fnv1a(hash: u64, text: &str) -> u64 {
    text.bytes().fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME))
}
