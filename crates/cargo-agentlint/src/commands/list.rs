//! `cargo agentlint list`: every lint on a line.

use std::io::Write;

use agentlint_diagnostics::{Group, LintMeta};
use agentlint_linter::Registry;
use serde::Serialize;

use crate::arguments::{ListArguments, ListFormat};
use crate::output::Failure;
use crate::render::{self, Paint};
use crate::{Environment, Exit};

pub(crate) fn list(
    arguments: &ListArguments,
    environment: &Environment,
    registry: &Registry,
    stdout: &mut dyn Write,
) -> Result<Exit, Failure> {
    match arguments.format {
        ListFormat::Human => {
            let paint = Paint::new(render::is_colored(arguments.color, environment, true));
            write_table(registry.metas(), paint, stdout)?;
        }
        ListFormat::Json => {
            let rows: Vec<_> = sorted(registry.metas()).into_iter().map(Row::of).collect();
            serde_json::to_writer_pretty(&mut *stdout, &rows).map_err(std::io::Error::from)?;
            writeln!(stdout)?;
        }
    }
    Ok(Exit::Clean)
}

#[derive(Serialize)]
struct Row {
    id: &'static str,
    level: &'static str,
    group: &'static str,
    summary: &'static str,
}

impl Row {
    fn of(meta: &LintMeta) -> Row {
        Row { id: meta.id, level: meta.level.name(), group: meta.group.name(), summary: meta.summary }
    }
}

/// The groups in their own order, each sorted by id.
fn sorted(metas: &[&'static LintMeta]) -> Vec<&'static LintMeta> {
    Group::ALL.into_iter().flat_map(|group| metas.iter().filter(move |meta| meta.group == group)).copied().collect()
}

/// The lints that are given, aligned.
pub(super) fn write_table(metas: &[&'static LintMeta], paint: Paint, out: &mut dyn Write) -> std::io::Result<()> {
    let rows: Vec<_> = sorted(metas).into_iter().map(|meta| (meta, Row::of(meta))).collect();
    let id_width = rows.iter().map(|(_, row)| row.id.len()).max().unwrap_or(0);
    let group_width = rows.iter().map(|(_, row)| row.group.len()).max().unwrap_or(0);
    for (meta, row) in rows {
        let id = paint.bold(&format!("{:id_width$}", row.id));
        let level = paint.level(meta.level, &format!("{:5}", row.level));
        writeln!(out, "{id}  {level}  {:group_width$}  {}", row.group, row.summary)?;
    }
    Ok(())
}
