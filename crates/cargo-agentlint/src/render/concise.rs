//! One line for each finding, as compilers print them for editors.

use std::io::{self, Write};

use agentlint_diagnostics::Level;

use super::Screen;
use super::text::{Paint, one_line, plain, summary};
use crate::Report;
use crate::report::Columns;

pub(super) fn render(report: &Report<'_>, screen: &Screen, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint::new(screen.color);
    for diagnostic in &report.diagnostics {
        let place = report.place(diagnostic.primary.location, Columns::Characters);
        let path = plain(&place.path).replace('\n', "?");
        let code = format!("{}[{}]", diagnostic.level.name(), diagnostic.lint);
        let code = paint.level(diagnostic.level, &code);
        let message = one_line(&diagnostic.message);
        write!(out, "{path}:{}:{}: {code} {message}", place.line, place.column)?;
        match &diagnostic.help {
            Some(help) => writeln!(out, " {}", paint.dim(&format!("({})", one_line(help))))?,
            None => writeln!(out)?,
        }
    }
    if screen.summary {
        let worst = report.diagnostics.iter().map(|diagnostic| diagnostic.level).max();
        let text = summary(report);
        writeln!(out, "{}", worst.map_or(text.clone(), |level: Level| paint.level(level, &text)))?;
    }
    Ok(())
}
