//! `cargo agentlint explain`: a lint's page, or a group's lints.

use std::io::Write;

use agentlint_diagnostics::LintMeta;
use agentlint_linter::{Registry, Selection};

use super::list::write_table;
use crate::arguments::ExplainArguments;
use crate::output::Failure;
use crate::render::{self, Paint};
use crate::{Environment, Exit};

pub(crate) fn explain(
    arguments: &ExplainArguments,
    environment: &Environment,
    registry: &Registry,
    stdout: &mut dyn Write,
) -> Result<Exit, Failure> {
    let paint = Paint::new(render::is_colored(arguments.color, environment, true));
    match registry.find(&arguments.lint).map_err(anyhow::Error::from)? {
        Selection::Lint(meta) => write_page(meta, paint, stdout)?,
        group => {
            let metas: Vec<_> = registry.metas().iter().filter(|meta| group.contains(meta)).copied().collect();
            write_table(&metas, paint, stdout)?;
        }
    }
    Ok(Exit::Clean)
}

/// The Markdown as it is, but that headings are bold and code is dimmed where there are colors.
fn write_page(meta: &LintMeta, paint: Paint, out: &mut dyn Write) -> std::io::Result<()> {
    let level = paint.level(meta.level, meta.level.name());
    writeln!(out, "{} ({level}, group {})\n", paint.bold(meta.id), meta.group.name())?;
    let mut in_code = false;
    for line in meta.page.trim_end().lines() {
        let is_fence = line.trim_start().starts_with("```");
        match () {
            () if is_fence => in_code = !in_code,
            () if in_code => writeln!(out, "    {}", paint.cyan(line))?,
            () if paint.is_colored() && line.starts_with('#') => {
                writeln!(out, "{}", paint.bold(line.trim_start_matches('#').trim_start()))?;
            }
            () => writeln!(out, "{line}")?,
        }
    }
    Ok(())
}
