//! `inspect`: what the model knows of calls, contexts and effects.

use std::io::Write;
use std::sync::Arc;

use agentlint_diagnostics::FileId;
use agentlint_effects::{Catalog, Effects, RegionKind};
use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, DefKind};
use agentlint_semantic::infer::{CallKind, CallSite, Callee};
use agentlint_semantic::types::Ty;
use agentlint_syntax::Span;
use agentlint_workspace::Opened;
use serde::Serialize;

use super::analysis;
use crate::engine::InspectRequest;
use crate::{InspectFormat, Inspected};

pub(super) fn run(opened: &Opened, catalog: &Arc<Catalog>, request: &InspectRequest, out: &mut dyn Write) -> anyhow::Result<()> {
    // The model is built on the threads that parse; only what it says is written here.
    let lines = opened.loader.pool().install(|| {
        let program = Program::new(opened.graph.clone(), &opened.loader);
        let (effects, _) = analysis::effects(&program, catalog, opened, &mut Vec::new());
        analysis::keep(&program);
        let inspector = Inspector { opened, program: &program, effects: &effects, format: request.format };
        match request.what {
            Inspected::Calls => inspector.calls(),
            Inspected::Contexts => inspector.contexts(),
            Inspected::Effects => inspector.effects(),
            Inspected::Files => inspector.files(),
        }
    })?;
    for line in lines {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

struct Inspector<'a, 'l> {
    opened: &'a Opened,
    program: &'a Program<'l>,
    effects: &'a Effects,
    format: InspectFormat,
}

#[derive(Serialize)]
struct CallRow<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    #[serde(rename = "crate")]
    krate: Option<String>,
    owner: String,
    #[serde(rename = "trait")]
    trait_name: Option<String>,
    /// The function's own, where it is known: it may be called by another.
    name: &'a str,
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct ContextRow<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    function: String,
    kind: &'a str,
    is_async_context: bool,
}

#[derive(Serialize)]
struct EffectRow<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    function: String,
    effects: Vec<&'a str>,
}

#[derive(Serialize)]
struct FileRow<'a> {
    file: &'a str,
    is_member: bool,
}

impl Inspector<'_, '_> {
    fn place(&self, owner: DefId, span: Span) -> Option<(FileId, String, u32, u32)> {
        let file = self.program.real_file(owner.krate, self.program.def(owner).file);
        let sources = self.opened.loader.sources();
        let at = sources.facts(file)?.lines.line_column(span.start);
        Some((file, sources.display_path(file)?.to_string(), at.line, at.column))
    }

    fn line(&self, row: &impl Serialize, human: String) -> anyhow::Result<String> {
        Ok(match self.format {
            InspectFormat::Jsonl => serde_json::to_string(row)?,
            InspectFormat::Human => human,
        })
    }

    /// In the order of their paths: dependencies are read by several threads.
    fn files(&self) -> anyhow::Result<Vec<String>> {
        let sources = self.opened.loader.sources();
        let ids = (0..sources.len()).filter_map(|index| u32::try_from(index).ok()).map(FileId);
        let mut rows: Vec<_> = ids.filter_map(|id| Some((sources.display_path(id)?, sources.is_member(id)))).collect();
        rows.sort();
        rows.iter()
            .map(|(path, is_member)| {
                let human = if *is_member { path.to_string() } else { format!("{path} (dependency)") };
                self.line(&FileRow { file: path, is_member: *is_member }, human)
            })
            .collect()
    }

    fn calls(&self) -> anyhow::Result<Vec<String>> {
        let mut lines = Vec::new();
        for owner in self.effects.owners() {
            let Some(inferred) = self.effects.inferred(owner) else { continue };
            let mut calls: Vec<&CallSite> =
                inferred.calls.iter().filter(|call| matches!(call.kind, CallKind::Function | CallKind::Method)).collect();
            calls.sort_by_key(|call| call.name_span);
            for call in calls {
                let Some((file, path, line, column)) = self.place(owner, call.name_span) else { continue };
                // The calls of a macro's own text stand nowhere in this file.
                if !self.opened.is_reported(file) || !self.is_written(file, call) {
                    continue;
                }
                let Some(row) = self.call_row(call, &path, line, column) else { continue };
                let callee = match (&row.krate, row.reason) {
                    (Some(krate), _) if row.owner.is_empty() => format!("{krate}::{}", row.name),
                    (Some(krate), _) => format!("{krate}::{}::{}", row.owner, row.name),
                    (None, reason) => format!("{} (unresolved: {})", row.name, reason.unwrap_or("not known")),
                };
                let human = format!("{path}:{line}:{column}: {callee}");
                lines.push(self.line(&row, human)?);
            }
        }
        Ok(lines)
    }

    fn is_written(&self, file: FileId, call: &CallSite) -> bool {
        let Some(text) = self.opened.loader.sources().text(file) else { return true };
        let written = text.get(call.name_span.start as usize..call.name_span.end as usize);
        written.is_none_or(|written| written.trim_start_matches("r#") == call.name.as_str() || call.name.is_empty())
    }

    /// `None` for constructors, which are no calls.
    fn call_row<'a>(&self, call: &'a CallSite, path: &'a str, line: u32, column: u32) -> Option<CallRow<'a>> {
        let mut row = CallRow {
            file: path,
            line,
            column,
            krate: None,
            owner: String::new(),
            trait_name: None,
            name: call.name.as_str(),
            reason: None,
        };
        match call.callee {
            Callee::Function { def, implementation, args } => self.callee(&mut row, def, implementation, &args),
            Callee::Constructor(_) => return None,
            Callee::Value(_) => row.reason = Some("a value is called"),
            Callee::Unresolved(reason) => row.reason = Some(reason.text()),
        }
        Some(row)
    }

    fn callee(&self, row: &mut CallRow<'_>, def: DefId, implementation: Option<DefId>, list: &[Ty]) {
        let program = self.program;
        let target = implementation.unwrap_or(def);
        row.name = program.name(target).as_str();
        let derived = program.derived_for(def, list);
        let holder_crate = derived.map_or(target.krate, |adt| adt.krate);
        let krate = if program.is_std(holder_crate) { "std".to_owned() } else { program.node(holder_crate).known_as.to_string() };
        row.krate = Some(krate);
        if let Some(adt) = derived {
            row.owner = program.name(adt).to_string();
            row.trait_name = program.container(def).map(|holder| program.name(holder).to_string());
            return;
        }
        if let Some(holder) = program.container(target) {
            match program.kind(holder) {
                DefKind::Impl => {
                    row.owner = program.impl_self_ty(holder).head_name(program);
                    row.trait_name = program.impl_trait_ref(holder).map(|t| program.name(t.trait_def).to_string());
                }
                _ => row.owner = program.name(holder).to_string(),
            }
        }
    }

    fn contexts(&self) -> anyhow::Result<Vec<String>> {
        let mut lines = Vec::new();
        for owner in self.effects.owners() {
            for (region, kind, is_context, _) in self.effects.regions(owner) {
                let Some(span) = self.effects.region_span(self.program, region) else { continue };
                let Some((file, path, line, column)) = self.place(owner, span) else { continue };
                if !self.opened.is_reported(file) {
                    continue;
                }
                let kind = match kind {
                    RegionKind::Owner => "function",
                    RegionKind::Closure => "closure",
                    RegionKind::Async => "async",
                };
                let function = self.program.path_of(owner);
                let context = if is_context { "async context" } else { "not an async context" };
                let human = format!("{path}:{line}:{column}: {kind} in `{function}`: {context}");
                let row = ContextRow { file: &path, line, column, function, kind, is_async_context: is_context };
                lines.push(self.line(&row, human)?);
            }
        }
        Ok(lines)
    }

    /// Functions with effects.
    fn effects(&self) -> anyhow::Result<Vec<String>> {
        let mut lines = Vec::new();
        for owner in self.effects.owners() {
            let Some((_, _, _, effects)) = self.effects.regions(owner).into_iter().next() else { continue };
            let Some(place) = self.program.place(owner) else { continue };
            let Some((file, path, line, column)) = self.place(owner, place.span) else { continue };
            if effects.is_empty() || !self.opened.is_reported(file) {
                continue;
            }
            let effects: Vec<&str> = effects.into_iter().map(agentlint_effects::Effect::name).collect();
            let function = self.program.path_of(owner);
            let human = format!("{path}:{line}:{column}: `{function}`: {}", effects.join(", "));
            let row = EffectRow { file: &path, line, column, function, effects };
            lines.push(self.line(&row, human)?);
        }
        Ok(lines)
    }
}
