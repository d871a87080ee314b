//! The engine of the real program: opens what is asked for, builds the model, runs the lints.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use agentlint_diagnostics::{Confidence, FileId, Group, Reported};
use agentlint_effects::{Catalog, CatalogError, Effects};
use agentlint_linter::{FileSuppressions, Levels, Outcome, PlainText, Registry, SourceText, finish};
use agentlint_semantic::Program;
use agentlint_semantic::input::{CrateFiles, Loader};
use agentlint_syntax::{LineIndex, Span};
use agentlint_workspace::{Opened, Request, Sources, open};

use crate::engine::{CheckRequest, Checked, Engine, InspectRequest, WhyRequest};
use crate::progress::Progress;
use crate::{Seen, SourceLookup, Statistics};

mod analysis;
mod conditional;
mod inspect;
mod user_catalog;
mod why;

static BUILTIN: LazyLock<Result<Arc<Catalog>, CatalogError>> = LazyLock::new(|| agentlint_lints::builtin_catalog().map(Arc::new));

pub(crate) struct Driver {
    registry: Registry,
}

impl Driver {
    pub(crate) fn new() -> Driver {
        Driver { registry: Registry::new(agentlint_lints::ALL) }
    }

    fn open(&self, request: &CheckRequest, progress: Option<&Progress>) -> anyhow::Result<Opened> {
        let lints = self.registry.metas().iter().map(|meta| meta.id);
        let names = lints.chain(Group::ALL.into_iter().map(Group::name)).chain(["all"]);
        Ok(open(Request {
            paths: request.paths.clone(),
            all_targets: request.all_targets,
            exclude: request.exclude.clone(),
            config: request.config.clone(),
            lint_names: names.map(str::to_owned).collect(),
            on_first_reading: progress.map(Progress::observer),
            meanwhile: Some(|| {
                agentlint_semantic::unpack_std();
                LazyLock::force(&BUILTIN);
            }),
            ..Request::new(&request.current_folder)
        })?)
    }

    fn levels(&self, request: &CheckRequest, opened: &Opened) -> anyhow::Result<Levels> {
        let mut levels = Levels::default();
        for entry in &opened.config.levels {
            levels.configure(&self.registry, &entry.name, entry.level)?;
        }
        for (name, level) in &request.levels {
            levels.command_line(&self.registry, name, *level)?;
        }
        Ok(levels)
    }

    fn suppressions(&self, opened: &Opened, files: &[Arc<CrateFiles>]) -> Vec<FileSuppressions> {
        let sources = opened.loader.sources();
        let conditional = conditional::files(files);
        let mut all: Vec<FileId> = files.iter().flat_map(|files| files.facts.keys().copied()).collect();
        all.sort();
        all.dedup();
        all.retain(|file| is_asked_for(opened, *file));
        let mut suppressions = Vec::new();
        for file in all {
            let Some(facts) = sources.facts(file).filter(|facts| FileSuppressions::are_in(facts)) else { continue };
            let Some(text) = sources.text(file) else { continue };
            let is_conditional = conditional.contains(&file);
            let source = SourceText { file, text: &text, facts: &facts, is_conditional };
            suppressions.push(FileSuppressions::collect(&self.registry, source));
        }
        suppressions.extend(opened.deploy.files.iter().map(|file| self.suppressions_beside(file)));
        suppressions
    }

    /// Those of a Dockerfile and the like.
    fn suppressions_beside(&self, file: &agentlint_deploy::File) -> FileSuppressions {
        let spans = |list: &[agentlint_deploy::Span]| list.iter().map(|span| Span::new(span.start, span.end)).collect::<Vec<_>>();
        let (comments, statements) = (spans(&file.comments), spans(&file.statements));
        let source = PlainText { file: FileId(file.number.0), text: &file.text, comments: &comments, statements: &statements };
        FileSuppressions::collect_plain(&self.registry, source)
    }
}

impl Engine for Driver {
    fn registry(&self) -> &Registry {
        &self.registry
    }

    fn check(&self, request: &CheckRequest) -> anyhow::Result<Checked> {
        let start = Instant::now();
        let progress = request.progress.then(Progress::new);
        let mut opened = self.open(request, progress.as_ref())?;
        let levels = self.levels(request, &opened)?;
        let files: Vec<_> = opened.members.iter().filter_map(|id| opened.loader.load(*id)).collect();
        let mut diagnostics = std::mem::take(&mut opened.diagnostics);
        let mut roles = opened.config.roles;
        if request.startup {
            roles.startup = Reported::All;
        }
        let reading = start.elapsed();
        let coverage = |program: &Program<'_>, effects: &Effects| effects.coverage(program);
        let (found, took, coverage) = analysis::lint(&self.registry, &levels, &catalog(&opened)?, roles, &opened, coverage);
        diagnostics.extend(found.into_iter().filter(|one| is_asked_for(&opened, one.primary.location.file)));
        let confidence = request.confidence.or(opened.config.confidence).unwrap_or(Confidence::Likely);
        let suppressions = self.suppressions(&opened, &files);
        let Outcome { diagnostics, suppressed } = finish(&self.registry, &levels, confidence, &suppressions, diagnostics);
        opened.loader.keep();
        let report = opened.report();
        let mut notes = report.notes;
        notes.extend(without_sources(&report.without_sources));
        let sources = Arc::clone(opened.loader.sources());
        let not_understood = opened.deploy.not_understood.iter().filter_map(|file| sources.display_path(FileId(file.0)));
        let not_understood = not_understood.map(|path| path.to_string()).collect();
        let fail_on = opened.config.fail_on;
        std::mem::forget(opened);
        Ok(Checked {
            diagnostics,
            suppressed,
            notes,
            statistics: Statistics {
                files: report.files,
                lines: report.lines,
                elapsed: start.elapsed(),
                phases: [("reading", reading), ("types", took.types), ("effects", took.effects)],
            },
            coverage: Seen { targets: report.targets, without_sources: report.without_sources, calls: coverage, not_understood },
            nothing_read: is_nothing_read(&files),
            fail_on,
            sources: Box::new(Files { sources, texts: RefCell::default() }),
        })
    }

    fn inspect(&self, request: &InspectRequest, out: &mut dyn Write) -> anyhow::Result<()> {
        let opened = self.open(&request.check, None)?;
        let inspected = inspect::run(&opened, &catalog(&opened)?, request, out);
        opened.loader.keep();
        inspected
    }

    fn why(&self, request: &WhyRequest, out: &mut dyn Write) -> anyhow::Result<()> {
        let mut opened = self.open(&request.check, None)?;
        let levels = self.levels(&request.check, &opened)?;
        let files: Vec<_> = opened.members.iter().filter_map(|id| opened.loader.load(*id)).collect();
        let sources = Arc::clone(opened.loader.sources());
        let shown = request.check.paths.first().map(|path| path.display().to_string()).unwrap_or_default();
        let Some(file) = why::file_of(&sources, &request.file) else {
            anyhow::bail!("`{shown}` belongs to no target that is linted: no `mod` leads to it, or `--all-targets` is wanted");
        };
        let text = sources.text(file).unwrap_or_default();
        let Some(range) = why::line_range(&text, request.line) else {
            anyhow::bail!("`{shown}` has {} lines, there is no line {}", text.lines().count(), request.line);
        };
        let mut diagnostics = std::mem::take(&mut opened.diagnostics);
        let roles = opened.config.roles;
        let explain = |program: &Program<'_>, effects: &Effects| effects.explain(program, file, &range);
        let (found, _, calls) = analysis::lint(&self.registry, &levels, &catalog(&opened)?, roles, &opened, explain);
        diagnostics.extend(found);
        let confidence = opened.config.confidence.unwrap_or(Confidence::Likely);
        let outcome = finish(&self.registry, &levels, confidence, &self.suppressions(&opened, &files), diagnostics);
        opened.loader.keep();
        let found = why::Found { sources: &sources, outcome: &outcome, roles, confidence };
        let others = found.others(&calls, file, &range);
        if calls.is_empty() && others.is_empty() {
            writeln!(out, "{shown}:{}: no call begins on this line, and nothing that is dropped", request.line)?;
        }
        for line in calls.iter().flat_map(|call| found.lines(call)).chain(others) {
            writeln!(out, "{line}")?;
        }
        Ok(())
    }
}

/// The built-in catalog and what the configuration adds to it.
fn catalog(opened: &Opened) -> anyhow::Result<Arc<Catalog>> {
    let builtin = BUILTIN.as_ref()?;
    if opened.config.catalog.is_empty() {
        return Ok(Arc::clone(builtin));
    }
    let mut catalog = Catalog::clone(builtin);
    catalog.extend(user_catalog::catalog(&opened.config.catalog)?);
    Ok(Arc::new(catalog))
}

fn is_asked_for(opened: &Opened, file: FileId) -> bool {
    opened.is_reported(file)
}

/// A file that is broken through and through has no items.
fn is_nothing_read(files: &[Arc<CrateFiles>]) -> bool {
    let mut facts = files.iter().flat_map(|files| files.facts.values()).peekable();
    facts.peek().is_some() && facts.all(|facts| facts.items.is_empty() && !facts.errors.is_empty())
}

/// One line, however many there are.
fn without_sources(packages: &[String]) -> Option<String> {
    const NAMED: usize = 3;
    let more = match packages.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = packages.get(..NAMED).unwrap_or(packages).join("`, `");
    (!packages.is_empty())
        .then(|| format!("the sources of `{named}`{more} are not on this machine; `cargo fetch` brings them, and more is seen"))
}

struct Files {
    sources: Arc<Sources>,
    /// A dependency's text is not kept in memory, and its lines may be asked for again and again.
    texts: RefCell<HashMap<FileId, Option<Arc<str>>>>,
}

impl SourceLookup for Files {
    fn path(&self, file: FileId) -> Arc<str> {
        self.sources.display_path(file).unwrap_or_else(|| Arc::from("?"))
    }

    fn text(&self, file: FileId) -> Option<Arc<str>> {
        self.texts.borrow_mut().entry(file).or_insert_with(|| self.sources.text(file)).clone()
    }

    fn line_column(&self, file: FileId, offset: u32) -> (u32, u32) {
        let place = match self.sources.facts(file) {
            Some(facts) if !facts.lines.is_empty() => facts.lines.line_column(offset),
            // A file without facts, such as one that is not UTF-8, is reported at its start.
            _ => LineIndex::new("").line_column(offset),
        };
        (place.line, place.column)
    }
}
