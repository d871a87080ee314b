//! `why`: each call of a line with what it resolves to, when it runs, what it does, and what came of it.

use std::ops::Range;

use agentlint_diagnostics::{Confidence, Diagnostic, FileId, Location, RolePolicy};
use agentlint_effects::{BlockingCall, ExplainedCall, Resolution, Role, RunsIn, Silence};
use agentlint_linter::{Outcome, Suppressed};
use agentlint_semantic::def::Place;
use agentlint_syntax::Span;
use agentlint_workspace::Sources;

/// What the run found, and by which measure.
pub(super) struct Found<'a> {
    pub(super) sources: &'a Sources,
    pub(super) outcome: &'a Outcome,
    pub(super) roles: RolePolicy,
    pub(super) confidence: Confidence,
}

/// The bytes of a line, counted from 1; `None` behind the end.
pub(super) fn line_range(text: &str, line: u32) -> Option<Range<u32>> {
    let mut start = 0;
    for (number, content) in (1u32..).zip(text.split_inclusive('\n')) {
        let end = start + u32::try_from(content.len()).ok()?;
        if number == line {
            return Some(start..end);
        }
        start = end;
    }
    None
}

impl Found<'_> {
    pub(super) fn lines(&self, call: &ExplainedCall) -> Vec<String> {
        let mut lines = vec![format!("{}: `{}`", self.place(call.place), self.written(call.place))];
        let mut say = |text: String| lines.push(format!("  {text}"));
        say(self.resolution(&call.resolution));
        call.runs.iter().map(runs).for_each(&mut say);
        match call.role {
            Role::Task => {}
            Role::Startup => say("is start-up: it runs before the program serves, spawns or accepts".to_owned()),
            Role::Test => say("is in a test".to_owned()),
        }
        for block in &call.blocks {
            say(format!("blocks ({}, {}): it {}", block.effect.name(), block.confidence.name(), block.sink.does));
            for step in &block.chain {
                say(format!("  {}: `{}` calls `{}`", self.place(step.place), step.caller, step.callee));
            }
        }
        if call.blocks.is_empty() {
            say(silence(call).to_owned());
        }
        say(self.verdict(call));
        lines
    }

    /// What stands in a range of a file and speaks of none of its calls: guards, statics, clients.
    pub(super) fn others(&self, calls: &[ExplainedCall], file: FileId, range: &Range<u32>) -> Vec<String> {
        let is_other = |found: &Diagnostic| {
            let at = found.primary.location;
            at.file == file && range.contains(&at.start) && !calls.iter().any(|call| speaks_of(found, call))
        };
        let line = |found: &Diagnostic, verdict: String| {
            let Location { file, start, end } = found.primary.location;
            format!("{}: {}\n  {verdict}", self.place(Place { file, span: Span::new(start, end) }), found.message)
        };
        let reported = self.outcome.diagnostics.iter().filter(|found| is_other(found));
        let reported = reported.map(|found| line(found, format!("reported: {}[{}]", found.level.name(), found.lint)));
        let suppressed = self.outcome.suppressed.iter().filter(|found| is_other(&found.diagnostic));
        let suppressed = suppressed.map(|Suppressed { diagnostic, reason }| {
            line(diagnostic, format!("not reported: {} is suppressed here, \"{reason}\"", diagnostic.lint))
        });
        reported.chain(suppressed).collect()
    }

    fn resolution(&self, resolution: &Resolution) -> String {
        match resolution {
            Resolution::Function { name, declared: Some(place) } if self.sources.path(place.file).is_some() => {
                format!("calls `{name}`, declared at {}", self.place(*place))
            }
            Resolution::Function { name, .. } => format!("calls `{name}`"),
            Resolution::Constructor => "makes a value: nothing is called".to_owned(),
            Resolution::Value => "calls a value: a closure or a function that came here".to_owned(),
            Resolution::Drop { name } => format!("is dropped: `{name}` runs at the end of its scope"),
            Resolution::FirstUse { name } => format!("uses the static `{name}`: whoever is first makes its value"),
            Resolution::Unresolved(reason) => format!("is not resolved: {reason}"),
        }
    }

    fn verdict(&self, call: &ExplainedCall) -> String {
        let is_here = |found: &Diagnostic| speaks_of(found, call);
        if let Some(found) = self.outcome.diagnostics.iter().find(|found| is_here(found)) {
            return format!("reported: {}[{}]", found.level.name(), found.lint);
        }
        if let Some(found) = self.outcome.suppressed.iter().find(|found| is_here(&found.diagnostic)) {
            return format!("not reported: {} is suppressed here, \"{}\"", found.diagnostic.lint, found.reason);
        }
        format!("not reported: {}", self.reason(call))
    }

    fn reason(&self, call: &ExplainedCall) -> &'static str {
        let admits = |block: &BlockingCall| match call.role {
            Role::Task => true,
            Role::Startup => self.roles.startup.admits(block.sink.panics),
            Role::Test => self.roles.test.admits(block.sink.panics),
        };
        match () {
            () if call.blocks.is_empty() => "it does not block, as far as is known",
            () if !call.is_context => "no task is polled while it runs",
            () if !call.blocks.iter().any(admits) => {
                "the policy for its role leaves it out (`[roles]` in agentlint.toml, `--startup`)"
            }
            () if call.blocks.iter().all(|block| block.confidence < self.confidence) => {
                "it is less sure than what is asked for (`--confidence`)"
            }
            () if call.blocks.iter().all(|block| block.first_use.is_some()) => {
                "the static is used before: in start-up, or where it is reported"
            }
            () => "the lint is at `allow`, or the file is left out",
        }
    }

    fn place(&self, place: Place) -> String {
        let path = self.sources.display_path(place.file);
        let at = self.sources.facts(place.file).map(|facts| facts.lines.line_column(place.span.start));
        match (path, at) {
            (Some(path), Some(at)) => format!("{path}:{}:{}", at.line, at.column),
            (Some(path), None) => path.to_string(),
            _ => "?".to_owned(),
        }
    }

    fn written(&self, place: Place) -> String {
        let Place { file, span: Span { start, end } } = place;
        let text = self.sources.text(file);
        text.and_then(|text| text.get(start as usize..end as usize).map(str::to_owned)).unwrap_or_default()
    }
}

/// Whether a finding is about what a call does.
fn speaks_of(found: &Diagnostic, call: &ExplainedCall) -> bool {
    let (at, place) = (found.primary.location, call.place);
    let is_around = at.file == place.file && at.start <= place.span.start && place.span.start < at.end.max(at.start + 1);
    is_around && call.blocks.iter().any(|block| found.message.contains(&block.callee))
}

fn runs(around: &RunsIn) -> String {
    let given = |given_to: &Option<String>| match given_to {
        Some(function) => format!("the closure around it, given to `{function}`,"),
        None => "the closure around it".to_owned(),
    };
    match around {
        RunsIn::Owner(owner) => format!("runs when `{owner}` is called, which is not async"),
        RunsIn::Polled(owner) => format!("runs while a task is polled: `{owner}` is called by the runtime"),
        RunsIn::Async => "runs while a task is polled: it stands in async code".to_owned(),
        RunsIn::InPlace { given_to } => format!("{} is called at once", given(given_to)),
        RunsIn::ByCombinator { given_to } => format!("{} is called while a task is polled", given(given_to)),
        RunsIn::Elsewhere { given_to } => format!("{} runs on another thread, or never", given(given_to)),
        RunsIn::Unknown { given_to } => format!("{} is stored, or called by code that is not followed", given(given_to)),
    }
}

fn silence(call: &ExplainedCall) -> &'static str {
    match (call.silence, &call.resolution) {
        (Some(Silence::Awaited), _) => "does not block: it gives a future, which is awaited here",
        (Some(Silence::Trusted), _) => "does not block: the catalog trusts it (`[[trusted]]`)",
        (Some(Silence::Async), _) => "does not block here: it is async, and its body is looked at where it stands",
        (Some(Silence::Dependency), _) => "is no sink of the catalog, and nothing in the dependency's own code blocks",
        (Some(Silence::Unread), _) => "is no sink of the catalog, and its body is not there to be read",
        (None, Resolution::Constructor) => "does not block",
        (None, Resolution::Function { .. } | Resolution::Drop { .. } | Resolution::FirstUse { .. }) => {
            "does not block, as far as its body tells"
        }
        (None, Resolution::Value | Resolution::Unresolved(_)) => "what it does is not known",
    }
}

/// Whether a file is one of the run's, by its path.
pub(super) fn file_of(sources: &Sources, path: &std::path::Path) -> Option<FileId> {
    let canonical = path.canonicalize().ok();
    sources.find(path).or_else(|| sources.find(&canonical?))
}
