//! The last step of a run: levels, suppressions and order.

use std::collections::BTreeMap;

use agentlint_diagnostics::{Confidence, Diagnostic, FileId, Level};

use crate::{FileSuppressions, Levels, Registry};

/// What a run reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// With their levels, none at `allow`; sorted by file, place and lint.
    pub diagnostics: Vec<Diagnostic>,
    /// In the same order.
    pub suppressed: Vec<Suppressed>,
}

/// A finding that a comment or an attribute answers for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppressed {
    pub diagnostic: Diagnostic,
    pub reason: String,
}

/// Applies levels and suppressions to what the lints and the reader of files reported, adds what the suppressions themselves
/// deserve, drops what is less sure than `confidence`, and sorts.
pub fn finish(
    registry: &Registry,
    levels: &Levels,
    confidence: Confidence,
    suppressions: &[FileSuppressions],
    diagnostics: Vec<Diagnostic>,
) -> Outcome {
    let mut pass = Pass {
        registry,
        levels,
        by_file: suppressions.iter().map(|file| (file.file, (file, vec![Used::default(); file.list.len()]))).collect(),
        outcome: Outcome::default(),
    };
    for diagnostic in diagnostics {
        pass.place(diagnostic);
    }
    for diagnostic in suppressions.iter().flat_map(|file| &file.faults).cloned().chain(pass.unused()).collect::<Vec<_>>() {
        pass.place(diagnostic);
    }
    let mut outcome = pass.outcome;
    outcome.diagnostics.retain(|diagnostic| diagnostic.confidence >= confidence);
    outcome.suppressed.retain(|suppressed| suppressed.diagnostic.confidence >= confidence);
    outcome.diagnostics.sort_by(|left, right| order(left).cmp(&order(right)));
    outcome.diagnostics.dedup();
    outcome.suppressed.sort_by(|left, right| order(&left.diagnostic).cmp(&order(&right.diagnostic)));
    outcome
}

fn order(diagnostic: &Diagnostic) -> (FileId, u32, u32, &str, &str) {
    let place = diagnostic.primary.location;
    (place.file, place.start, place.end, diagnostic.lint, &diagnostic.message)
}

/// Which names of one suppression have suppressed something.
type Used = u64;

struct Pass<'a> {
    registry: &'a Registry,
    levels: &'a Levels,
    by_file: BTreeMap<FileId, (&'a FileSuppressions, Vec<Used>)>,
    outcome: Outcome,
}

impl Pass<'_> {
    fn place(&mut self, mut diagnostic: Diagnostic) {
        if let Some(meta) = self.registry.meta(diagnostic.lint)
            && self.levels.is_set(meta)
        {
            diagnostic.level = self.levels.level(meta);
        }
        if diagnostic.level == Level::Allow {
            return;
        }
        match self.reason(&diagnostic) {
            Some(reason) => self.outcome.suppressed.push(Suppressed { diagnostic, reason }),
            None => self.outcome.diagnostics.push(diagnostic),
        }
    }

    /// The reason of the narrowest suppression that covers the finding.
    fn reason(&mut self, diagnostic: &Diagnostic) -> Option<String> {
        let meta = self.registry.meta(diagnostic.lint)?;
        let place = diagnostic.primary.location;
        let (file, used) = self.by_file.get_mut(&place.file)?;
        let covering = file.list.iter().enumerate().filter(|(_, suppression)| suppression.scope.covers(place.start));
        let (at, name, suppression) = covering
            .filter_map(|(at, suppression)| {
                let name = suppression.names.iter().position(|name| name.contains(meta))?;
                Some((at, name, suppression))
            })
            // Of several in one statement, the one at the end of the finding's own line.
            .min_by_key(|(_, _, suppression)| (!suppression.scope.is_beside(place.start), suppression.scope.width()))?;
        used[at] |= 1 << name.min(63);
        Some(suppression.reason.clone())
    }

    fn unused(&self) -> Vec<Diagnostic> {
        let mut unused = Vec::new();
        for (file, used) in self.by_file.values() {
            for (suppression, used) in file.list.iter().zip(used) {
                let names = suppression.names.iter().enumerate();
                let idle = names.filter(|(at, _)| used & (1 << at.min(&63)) == 0).map(|(_, name)| name);
                unused.extend(idle.filter_map(|name| suppression.unused(file.file, *name, self.registry, self.levels)));
            }
        }
        unused
    }
}
