//! What a run hands to the renderers, and the lines and columns that they print.

use std::sync::Arc;
use std::time::Duration;

use agentlint_diagnostics::{Diagnostic, FileId, Level, LintMeta, Location};
use agentlint_effects::Coverage;
use agentlint_linter::Suppressed;

use crate::Checked;

/// Everything that a format may show.
pub struct Report<'a> {
    /// At `warn` or `deny`; sorted by path, place and lint.
    pub diagnostics: Vec<Diagnostic>,
    /// In the same order.
    pub suppressed: Vec<Suppressed>,
    pub sources: Box<dyn SourceLookup>,
    /// Of everything that could have been reported, sorted by id.
    pub metas: &'a [&'static LintMeta],
    /// What the run did not see, and why.
    pub notes: Vec<String>,
    pub statistics: Statistics,
    pub coverage: Seen,
    /// Whether there was something to read and none of it could be.
    pub nothing_read: bool,
    /// The lowest level that fails the run, where the configuration says one.
    pub fail_on: Option<Level>,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Statistics {
    pub files: usize,
    pub lines: usize,
    pub elapsed: Duration,
    /// What of it reading took, the types and calls of all bodies, and the effects.
    pub phases: [(&'static str, Duration); 3],
}

/// How much of the program the run could see.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub targets: usize,
    /// Packages whose sources are not on this machine, `name version`, sorted.
    pub without_sources: Vec<String>,
    /// Of the calls in async contexts.
    pub calls: Coverage,
    /// Dockerfiles and compose files that do not parse.
    pub not_understood: Vec<String>,
}

/// The files of a run.
pub trait SourceLookup {
    /// Relative to the current folder where it lies inside, `/` between its parts.
    fn path(&self, file: FileId) -> Arc<str>;
    fn text(&self, file: FileId) -> Option<Arc<str>>;
    /// Both 1-based, the column in UTF-8 bytes.
    fn line_column(&self, file: FileId, offset: u32) -> (u32, u32);
}

/// A location for people and other programs: 1-based, the end exclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) path: Arc<str>,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) end_line: u32,
    pub(crate) end_column: u32,
}

/// What a column counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Columns {
    Characters,
    Utf16,
}

impl<'a> Report<'a> {
    /// Brings the findings into the order that every format keeps.
    pub fn new(checked: Checked, metas: &'a [&'static LintMeta]) -> Report<'a> {
        let Checked { mut diagnostics, mut suppressed, sources, notes, statistics, coverage, nothing_read, fail_on } = checked;
        let order = |diagnostic: &Diagnostic| {
            let place = diagnostic.primary.location;
            (sources.path(place.file), place.start, place.end, diagnostic.lint, diagnostic.message.clone())
        };
        diagnostics.sort_by_cached_key(order);
        suppressed.sort_by_cached_key(|suppressed| order(&suppressed.diagnostic));
        Report { diagnostics, suppressed, sources, metas, notes, statistics, coverage, nothing_read, fail_on }
    }

    pub(crate) fn count(&self, level: Level) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.level == level).count()
    }

    pub(crate) fn meta(&self, id: &str) -> Option<&'static LintMeta> {
        self.metas.iter().find(|meta| meta.id == id).copied()
    }

    pub(crate) fn place(&self, location: Location, columns: Columns) -> Place {
        let text = self.sources.text(location.file);
        let point = |offset: u32| {
            let (line, column) = self.sources.line_column(location.file, offset);
            let start = (offset + 1).saturating_sub(column) as usize;
            let before = text.as_deref().and_then(|text| text.get(start..offset as usize));
            let column = match (before, columns) {
                (None, _) => column,
                (Some(before), Columns::Characters) => before.chars().count() as u32 + 1,
                (Some(before), Columns::Utf16) => before.encode_utf16().count() as u32 + 1,
            };
            (line.max(1), column.max(1))
        };
        let (line, column) = point(location.start);
        let (end_line, end_column) = point(location.end.max(location.start));
        Place { path: self.sources.path(location.file), line, column, end_line, end_column }
    }

    /// The line that the location starts on, without its newline.
    pub(crate) fn line_text(&self, location: Location) -> Option<String> {
        let text = self.sources.text(location.file)?;
        let (_, column) = self.sources.line_column(location.file, location.start);
        let start = (location.start + 1).saturating_sub(column) as usize;
        let line = text.get(start..)?.split('\n').next()?;
        Some(line.trim_end_matches('\r').to_owned())
    }
}
