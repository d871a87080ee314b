//! For people: the source line, the calls down to what blocks, and the help.

use std::io::{self, Write};

use agentlint_diagnostics::{Diagnostic, Level, Location};

use super::Screen;
use super::text::{Paint, one_line, plain, summary};
use crate::Report;
use crate::report::Columns;

mod snippet;

pub(super) fn render(report: &Report<'_>, screen: &Screen, out: &mut dyn Write) -> io::Result<()> {
    let page = Page::new(report, screen);
    for diagnostic in &report.diagnostics {
        snippet::write(&page, diagnostic, out)?;
        page.write_trail(diagnostic, out)?;
        if let Some(help) = &diagnostic.help {
            page.write_remark("help", help, out)?;
        }
        for note in &diagnostic.notes {
            page.write_remark("note", note, out)?;
        }
        if let Some(reached_from) = reached_from(diagnostic) {
            page.write_remark("reached from", &reached_from, out)?;
        }
        writeln!(out)?;
    }
    if screen.verbose {
        page.write_suppressed(out)?;
    }
    if screen.summary {
        page.write_summary(out)?;
    }
    Ok(())
}

/// The places that a finding names beside its snippet, in the order in which they are read.
pub(super) fn trail(diagnostic: &Diagnostic) -> impl Iterator<Item = (&str, Location)> {
    let file = diagnostic.primary.location.file;
    let elsewhere = diagnostic.labels.iter().filter(move |label| label.location.file != file);
    let labels = elsewhere.map(|label| (label.text.as_str(), label.location));
    labels.chain(diagnostic.chain.iter().map(|hop| (hop.text.as_str(), hop.location)))
}

/// Where the work comes in that reaches a finding: the first, and how many more there are.
pub(super) fn reached_from(diagnostic: &Diagnostic) -> Option<String> {
    let (first, others) = diagnostic.reached_from.split_first()?;
    Some(match others.len() {
        0 => first.clone(),
        more => format!("{first} and {more} more"),
    })
}

/// What all findings of a report share.
pub(super) struct Page<'a> {
    report: &'a Report<'a>,
    paint: Paint,
    color: bool,
    unicode: bool,
    width: usize,
}

impl<'a> Page<'a> {
    fn new(report: &'a Report<'a>, screen: &Screen) -> Page<'a> {
        // Lines longer than this are hard to read, whatever the window's size.
        let width = screen.width.unwrap_or(100).clamp(40, 120);
        Page { report, paint: Paint::new(screen.color), color: screen.color, unicode: screen.unicode, width }
    }

    fn write_trail(&self, diagnostic: &Diagnostic, out: &mut dyn Write) -> io::Result<()> {
        let steps: Vec<_> = trail(diagnostic).map(|(text, location)| (text, self.place(location), location)).collect();
        let widest = steps.iter().map(|(_, place, _)| textwrap::core::display_width(place)).max().unwrap_or(0);
        // Texts are aligned where that leaves them room.
        let pad = if widest <= self.width / 2 { widest } else { 0 };
        let arrow = if self.unicode { "→" } else { "->" };
        for (text, place, _) in &steps {
            let gap = " ".repeat(pad.saturating_sub(textwrap::core::display_width(place)));
            let first = format!("    {} {}{gap}  ", self.paint.dim(arrow), self.paint.cyan(place));
            let rest = " ".repeat(if pad > 0 { 4 + arrow.chars().count() + 1 + pad + 2 } else { 8 });
            self.write_wrapped(&first, &rest, &one_line(text), out)?;
        }
        // The sink's own line shows what is called with what; those between are only passed through.
        let Some((_, _, location)) = steps.last().filter(|_| !diagnostic.chain.is_empty()) else { return Ok(()) };
        let Some(line) = self.report.line_text(*location) else { return Ok(()) };
        let room = self.width.saturating_sub(8);
        let line = one_line(&line);
        let shown: String = line.chars().take(room).collect();
        let (bar, dots) = if self.unicode { ("│", "…") } else { ("|", "...") };
        let more = if shown.len() < line.len() { dots } else { "" };
        writeln!(out, "      {}", self.paint.dim(&format!("{bar} {shown}{more}")))
    }

    fn write_remark(&self, word: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
        let first = format!("  {}: ", self.paint.cyan(word));
        self.write_wrapped(&first, &" ".repeat(4 + word.len()), &plain(text), out)
    }

    fn write_wrapped(&self, first: &str, rest: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
        let options = textwrap::Options::new(self.width)
            .initial_indent(first)
            .subsequent_indent(rest)
            .word_separator(textwrap::WordSeparator::AsciiSpace)
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .break_words(false);
        writeln!(out, "{}", textwrap::fill(text, options))
    }

    fn write_suppressed(&self, out: &mut dyn Write) -> io::Result<()> {
        for suppressed in &self.report.suppressed {
            let diagnostic = &suppressed.diagnostic;
            let place = self.paint.cyan(&self.place(diagnostic.primary.location));
            let text = format!("{} -- {}", diagnostic.lint, one_line(&suppressed.reason));
            self.write_wrapped(&format!("suppressed {place}  "), "    ", &text, out)?;
        }
        if !self.report.suppressed.is_empty() {
            writeln!(out)?;
        }
        Ok(())
    }

    fn write_summary(&self, out: &mut dyn Write) -> io::Result<()> {
        let worst = self.report.diagnostics.iter().map(|diagnostic| diagnostic.level).max();
        let text = summary(self.report);
        match worst {
            Some(level @ (Level::Deny | Level::Warn)) => writeln!(out, "{}", self.paint.level(level, &text)),
            _ => writeln!(out, "{text}"),
        }
    }

    /// `src/main.rs:12:5`
    fn place(&self, location: Location) -> String {
        let place = self.report.place(location, Columns::Characters);
        format!("{}:{}:{}", one_line(&place.path), place.line, place.column)
    }
}
