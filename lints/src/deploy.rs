//! What the lints of the group `deploy` share.

use agentlint_deploy::follow::Reached;
use agentlint_deploy::{FileNumber, Image, Project, Span};
use agentlint_diagnostics::{Diagnostic, FileId, Label, Location};

/// Something that is started, and where that is written.
pub(crate) struct Start<'a> {
    pub(crate) reached: &'a Reached,
    /// The file and the place that name what is started, for what is found in a script.
    pub(crate) named_in: FileNumber,
    pub(crate) named_at: Span,
    /// A service asks for this stage.
    pub(crate) is_asked_for: bool,
}

/// Everything that is started and meant for production: images, services that say themselves what they start, processes.
pub(crate) fn starts(project: &Project) -> impl Iterator<Item = Start<'_>> {
    let images = project.images.iter().map(|image| Start {
        reached: &image.reached,
        named_in: image.file,
        named_at: started_at(image),
        is_asked_for: image.is_asked_for,
    });
    let services = project.services.iter().filter(|service| !service.is_for_development).filter_map(|service| {
        let reached = service.reached.as_ref()?;
        Some(Start { reached, named_in: service.file, named_at: service.place, is_asked_for: false })
    });
    let processes = project.processes.iter().map(|process| Start {
        reached: &process.reached,
        named_in: process.file,
        named_at: process.span,
        is_asked_for: false,
    });
    images.chain(services).chain(processes)
}

/// The instruction that says what an image starts.
pub(crate) fn started_at(image: &Image) -> Span {
    image.entrypoint.as_ref().or(image.cmd.as_ref()).map_or(image.from, |invocation| invocation.span)
}

pub(crate) fn location(file: FileNumber, span: Span) -> Location {
    Location { file: FileId(file.0), start: span.start, end: span.end.max(span.start) }
}

/// A label at what starts a script, for findings inside the script.
pub(crate) fn started_here(start: &Start<'_>, found_in: FileNumber) -> Option<Label> {
    let location = location(start.named_in, start.named_at);
    (found_in != start.named_in).then(|| Label { location, text: "started here".to_owned() })
}

/// Several images and services may start one script: it is reported once.
pub(crate) fn push_once(report: &mut Vec<Diagnostic>, diagnostic: Diagnostic) {
    let is_same = |other: &Diagnostic| {
        other.lint == diagnostic.lint
            && other.primary.location == diagnostic.primary.location
            && other.message == diagnostic.message
    };
    if !report.iter().any(is_same) {
        report.push(diagnostic);
    }
}

/// A program of only letters that a person reads at once, in a message.
pub(crate) fn shortened(command: &str) -> String {
    const MOST: usize = 60;
    let line = command.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}
