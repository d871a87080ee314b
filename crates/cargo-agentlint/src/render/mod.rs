//! The formats: each turns a report into text, in a file of its own.

mod cargo_json;
mod concise;
mod coverage;
mod fingerprint;
mod github;
mod human;
mod json;
mod sarif;
mod text;

use std::io::{self, Write};

pub(crate) use coverage::lines as coverage_lines;
pub(crate) use text::{Paint, plain, summary};

use crate::{ColorChoice, Environment, Format, Report};

/// How output for people looks.
pub(crate) struct Screen {
    pub(crate) color: bool,
    pub(crate) unicode: bool,
    pub(crate) width: Option<usize>,
    /// Whether a last line counts what was found.
    pub(crate) summary: bool,
    /// Whether suppressed findings are shown too.
    pub(crate) verbose: bool,
}

pub(crate) fn render(
    format: Format,
    report: &Report<'_>,
    screen: &Screen,
    environment: &Environment,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Human => human::render(report, screen, out),
        Format::Concise => concise::render(report, screen, out),
        Format::Json => json::render(report, out),
        Format::Sarif => sarif::render(report, &environment.current_folder, out),
        Format::Github => github::render(report, out),
        Format::CargoJson => cargo_json::render(report, &environment.current_folder, out),
    }
}

/// Whether to print colors; `--color` outweighs the environment, and a file gets none unless they are asked for.
pub(crate) fn is_colored(choice: ColorChoice, environment: &Environment, to_stdout: bool) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if environment.no_color || !to_stdout => false,
        ColorChoice::Auto => environment.force_color || environment.stdout_is_terminal,
    }
}
