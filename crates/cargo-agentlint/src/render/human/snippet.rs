//! A finding's message and source lines, drawn by miette. Nothing else of the project knows miette.

use std::fmt;
use std::io::{self, Write};

use agentlint_diagnostics::{Diagnostic, Level, Location};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, Severity, SourceCode, SourceSpan,
    SpanContents, ThemeCharacters, ThemeStyles,
};

use super::Page;
use crate::render::text::plain;

pub(super) fn write(page: &Page<'_>, diagnostic: &Diagnostic, out: &mut dyn Write) -> io::Result<()> {
    let excerpt = Excerpt::of(page, diagnostic);
    let place = excerpt.is_none().then(|| page.place(diagnostic.primary.location));
    let labels = excerpt.as_ref().map(|excerpt| excerpt.labels(diagnostic)).unwrap_or_default();
    let name = page.paint.level(diagnostic.level, diagnostic.lint);
    let shown = Shown { message: format!("{name}: {}", plain(&diagnostic.message)), level: diagnostic.level, excerpt, labels };
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(theme(page))
        .with_width(page.width)
        .with_links(false)
        .with_urls(false)
        .without_primary_span_start()
        .with_word_separator(textwrap::WordSeparator::AsciiSpace)
        .with_word_splitter(textwrap::WordSplitter::NoHyphenation)
        .with_break_words(false)
        .without_syntax_highlighting();
    handler.render_report(&mut text, &shown).map_err(io::Error::other)?;
    write!(out, "{text}")?;
    match place {
        Some(place) => writeln!(out, "    {} {}", page.paint.dim(if page.unicode { "→" } else { "->" }), page.paint.cyan(&place)),
        None => Ok(()),
    }
}

fn theme(page: &Page<'_>) -> GraphicalTheme {
    let characters = if page.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() };
    let styles = if page.color { ThemeStyles::ansi() } else { ThemeStyles::none() };
    GraphicalTheme { characters, styles }
}

/// Lines longer than this are generated, and would fill the screen.
const LONGEST_LINE: usize = 400;

/// A place over more lines than this is shown by its first.
const MOST_LINES: usize = 5;

/// The lines from the first label to the last, and where they lie in the file.
struct Excerpt {
    path: String,
    text: String,
    start: usize,
    /// Counted from 0.
    first_line: usize,
}

impl Excerpt {
    fn of(page: &Page<'_>, diagnostic: &Diagnostic) -> Option<Excerpt> {
        let primary = diagnostic.primary.location;
        let sources = &page.report.sources;
        let text = sources.text(primary.file)?;
        let here = shown_labels(diagnostic).map(|(_, location)| location);
        let (start, end) =
            here.fold((primary.start, primary.end), |(start, end), location| (start.min(location.start), end.max(location.end)));
        let (line, column) = sources.line_column(primary.file, start);
        let start = (start + 1).saturating_sub(column) as usize;
        let rest = text.get(end as usize..)?;
        let end = end as usize + rest.find('\n').unwrap_or(rest.len());
        let text = plain(text.get(start..end)?.trim_end_matches('\r')).into_owned();
        let is_drawable = !text.is_empty() && text.lines().all(|line| line.len() <= LONGEST_LINE);
        let path = sources.path(primary.file);
        is_drawable.then(|| Excerpt { path: plain(&path).into_owned(), text, start, first_line: line as usize - 1 })
    }

    fn labels(&self, diagnostic: &Diagnostic) -> Vec<LabeledSpan> {
        shown_labels(diagnostic)
            .enumerate()
            .map(|(at, (text, location))| {
                let start = (location.start as usize).saturating_sub(self.start);
                let end = (location.end as usize).saturating_sub(self.start).min(self.text.len());
                let covered = self.text.get(start..end).unwrap_or("");
                let length = match covered.find('\n') {
                    Some(newline) if covered.lines().count() > MOST_LINES => newline,
                    _ => covered.len(),
                };
                let text = Some(plain(text).into_owned()).filter(|text| !text.is_empty());
                match at {
                    0 => LabeledSpan::new_primary_with_span(text, (start, length)),
                    _ => LabeledSpan::new_with_span(text, (start, length)),
                }
            })
            .collect()
    }
}

/// The primary place first, then the labels of its file.
fn shown_labels(diagnostic: &Diagnostic) -> impl Iterator<Item = (&str, Location)> {
    let primary = (diagnostic.primary.text.as_str(), diagnostic.primary.location);
    let labels = diagnostic.labels.iter().filter(move |label| label.location.file == primary.1.file);
    std::iter::once(primary).chain(labels.map(|label| (label.text.as_str(), label.location)))
}

/// Labels with no more lines than this between them share a frame.
const NEAR: usize = 2;

impl SourceCode for Excerpt {
    /// Whole lines, under a name that holds the place: miette's own columns count bytes.
    fn read_span<'a>(&'a self, span: &SourceSpan, _: usize, _: usize) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (before, rest) = self.text.split_at_checked(span.offset()).ok_or(MietteError::OutOfBounds)?;
        let covered = rest.get(..span.len()).ok_or(MietteError::OutOfBounds)?;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let end = span.offset() + span.len();
        let end = self.text[end..].find('\n').map_or(self.text.len(), |newline| end + newline);
        let line = self.first_line + before.matches('\n').count();
        let column = before[start..].chars().count() + 1;
        Ok(Box::new(MietteSpanContents::new_named(
            format!("{}:{}:{column}", self.path, line + 1),
            &self.text.as_bytes()[start..end],
            SourceSpan::from((start, end - start)),
            line,
            0,
            covered.matches('\n').count() + 1 + NEAR,
        )))
    }
}

/// A finding as miette wants it.
struct Shown {
    message: String,
    level: Level,
    excerpt: Option<Excerpt>,
    labels: Vec<LabeledSpan>,
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl miette::Diagnostic for Shown {
    fn severity(&self) -> Option<Severity> {
        Some(match self.level {
            Level::Deny => Severity::Error,
            Level::Warn => Severity::Warning,
            Level::Allow => Severity::Advice,
        })
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt.as_ref().map(|excerpt| excerpt as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.excerpt.as_ref()?;
        Some(Box::new(self.labels.iter().cloned()))
    }
}
