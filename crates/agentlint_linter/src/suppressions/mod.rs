//! Suppressions: the comments and attributes of a file that allow a lint somewhere, and what is wrong with them.

mod parse;
mod plain;
mod scope;
mod trivia;

use agentlint_diagnostics::{Diagnostic, FileId, Group, Level, Location};
use agentlint_syntax::{Span, ast};

use self::parse::{Allow, Directive};
pub use self::plain::PlainText;
use self::scope::{Nodes, Scope};
use crate::run_lints::{SUPPRESSION_WITHOUT_REASON, UNUSED_SUPPRESSION};
use crate::{Levels, Registry, Selection};

/// One file, as far as suppressions need it.
#[derive(Clone, Copy)]
pub struct SourceText<'a> {
    pub file: FileId,
    pub text: &'a str,
    pub facts: &'a ast::SourceFile,
    /// Whether the whole file stands under a `cfg` or is otherwise seen only in part: then nothing in it is called unused.
    pub is_conditional: bool,
}

/// The suppressions of one file.
#[derive(Clone, Debug)]
pub struct FileSuppressions {
    pub(crate) file: FileId,
    pub(crate) list: Vec<Suppression>,
    /// Those that are not understood, name an unknown lint or give no reason.
    pub(crate) faults: Vec<Diagnostic>,
}

/// One that counts: it has a reason and at least one known name.
#[derive(Clone, Debug)]
pub(crate) struct Suppression {
    pub(crate) names: Vec<Selection>,
    pub(crate) reason: String,
    pub(crate) scope: Scope,
    place: Span,
    is_conditional: bool,
}

impl FileSuppressions {
    /// Whether the file has any, so that its text is worth fetching.
    pub fn are_in(facts: &ast::SourceFile) -> bool {
        facts.comments.iter().any(|comment| parse::comment(&comment.text).is_some())
            || attributes(facts).any(|(_, attribute)| !parse::attribute(attribute).is_empty())
    }

    pub fn collect(registry: &Registry, source: SourceText<'_>) -> FileSuppressions {
        let mut found = FileSuppressions { file: source.file, list: Vec::new(), faults: Vec::new() };
        if !FileSuppressions::are_in(source.facts) {
            return found;
        }
        let nodes = Nodes::new(source.facts);
        for comment in &source.facts.comments {
            match parse::comment(&comment.text) {
                Some(Directive::Allow(allow)) => {
                    let scope = nodes.scope_of_comment(source, comment.span);
                    let is_conditional = is_conditional(source, &nodes, &scope, comment.span);
                    found.add(registry, allow, scope, comment.span, is_conditional);
                }
                Some(Directive::NotUnderstood) => {
                    found.fault(comment.span, "this comment suppresses nothing: it is not understood", EXPECTED)
                }
                None => {}
            }
        }
        for (item, attribute) in attributes(source.facts) {
            for allow in parse::attribute(attribute) {
                let scope = item.map_or_else(Scope::file, |item| Scope::of(item.span));
                let is_conditional = is_conditional(source, &nodes, &scope, attribute.span);
                found.add(registry, allow, scope, attribute.span, is_conditional);
            }
        }
        found
    }

    fn add(&mut self, registry: &Registry, allow: Allow, scope: Scope, place: Span, is_conditional: bool) {
        let mut names = Vec::new();
        for name in &allow.names {
            match registry.find(name) {
                Ok(selection) => names.push(selection),
                Err(unknown) => {
                    let help = match unknown.suggestion {
                        Some(suggestion) => format!("write `{suggestion}`"),
                        None => "see `cargo agentlint list` for the names".to_owned(),
                    };
                    self.fault(place, &format!("unknown lint or group `{}` in a suppression", unknown.name), &help);
                }
            }
        }
        let Some(reason) = allow.reason else {
            self.faults.push(self.without_reason(place, allow.is_attribute));
            return;
        };
        if names.is_empty() {
            if allow.names.is_empty() {
                self.fault(place, "this suppression names no lint", EXPECTED);
            }
            return;
        }
        self.list.push(Suppression { names, reason, scope, place, is_conditional });
    }

    fn fault(&mut self, place: Span, message: &str, help: &str) {
        let mut fault = Diagnostic::new(UNUSED_SUPPRESSION.id, UNUSED_SUPPRESSION.level, message, location(self.file, place));
        fault.help = Some(help.to_owned());
        self.faults.push(fault);
    }

    fn without_reason(&self, place: Span, is_attribute: bool) -> Diagnostic {
        let meta = &SUPPRESSION_WITHOUT_REASON;
        let message = "a suppression without a reason does not count";
        let mut fault = Diagnostic::new(meta.id, meta.level, message, location(self.file, place));
        fault.help = Some(match is_attribute {
            true => "add `reason = \"…\"` to the attribute's `allow`".to_owned(),
            false => "add ` -- ` and the reason".to_owned(),
        });
        fault
    }
}

/// Whether what it covers is seen only in part.
fn is_conditional(source: SourceText<'_>, nodes: &Nodes, scope: &Scope, place: Span) -> bool {
    let at = [place.start, scope.last()];
    source.is_conditional || source.facts.cfg.is_some() || at.into_iter().any(|at| nodes.are_conditional_at(at))
}

const EXPECTED: &str = "write `agentlint: allow(lint) -- reason`";

impl Suppression {
    /// The finding that `name` suppressed nothing; none where that may be the run's own doing.
    pub(crate) fn unused(&self, file: FileId, name: Selection, registry: &Registry, levels: &Levels) -> Option<Diagnostic> {
        let mut lints = registry.metas().iter().filter(|meta| name.contains(meta));
        if self.is_conditional || lints.any(|meta| meta.group == Group::Run || levels.level(meta) == Level::Allow) {
            return None;
        }
        let message = match name {
            Selection::Lint(meta) => format!("nothing to suppress here: `{}` reports nothing", meta.id),
            Selection::Group(group) => {
                format!("nothing to suppress here: no lint of the group `{}` reports anything", group.name())
            }
            Selection::All => "nothing to suppress here: no lint reports anything".to_owned(),
        };
        let meta = &UNUSED_SUPPRESSION;
        let mut unused = Diagnostic::new(meta.id, meta.level, message, location(file, self.place));
        unused.help = Some("remove it".to_owned());
        Some(unused)
    }
}

fn location(file: FileId, span: Span) -> Location {
    Location { file, start: span.start, end: span.end }
}

/// The attributes of a file with the items that they stand on; inner attributes of the file have none.
fn attributes(facts: &ast::SourceFile) -> impl Iterator<Item = (Option<&ast::Item>, &ast::Attribute)> {
    let of_items = facts.items.iter().flat_map(|item| item.attributes.iter().map(move |attribute| (Some(item), attribute)));
    facts.attributes.iter().map(|attribute| (None, attribute)).chain(of_items)
}
