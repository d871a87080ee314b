//! GitHub workflow commands: annotations on a pull request's lines. GitHub shows ten of each kind for a step.

use std::io::{self, Write};

use agentlint_diagnostics::{Diagnostic, Level};

use crate::Report;
use crate::report::Columns;

pub(super) fn render(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    for diagnostic in &report.diagnostics {
        let command = match diagnostic.level {
            Level::Deny => "error",
            Level::Warn => "warning",
            Level::Allow => "notice",
        };
        let place = report.place(diagnostic.primary.location, Columns::Characters);
        let path = property(&place.path);
        write!(out, "::{command} file={path},line={},endLine={},col={}", place.line, place.end_line, place.column)?;
        // The end column counts only where the place is on one line.
        if place.line == place.end_line {
            write!(out, ",endColumn={}", place.end_column)?;
        }
        writeln!(out, ",title={}::{}", property(&format!("agentlint: {}", diagnostic.lint)), data(&message(report, diagnostic)))?;
    }
    Ok(())
}

fn message(report: &Report<'_>, diagnostic: &Diagnostic) -> String {
    let mut lines = vec![diagnostic.message.clone()];
    for (text, location) in super::human::trail(diagnostic) {
        let place = report.place(location, Columns::Characters);
        lines.push(format!("→ {}:{}:{} {text}", place.path, place.line, place.column));
    }
    lines.extend(diagnostic.help.iter().map(|help| format!("help: {help}")));
    lines.extend(diagnostic.notes.iter().map(|note| format!("note: {note}")));
    lines.extend(super::human::reached_from(diagnostic).map(|entries| format!("reached from: {entries}")));
    lines.join("\n")
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(data("50%: a,\r\nb"), "50%25: a,%0D%0Ab");
        assert_eq!(property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
    }
}
