//! Suppressions in files that are no Rust, whose comments begin with `#`.

use agentlint_diagnostics::FileId;
use agentlint_syntax::Span;

use super::parse::{self, Directive};
use super::scope::Scope;
use super::{EXPECTED, FileSuppressions};
use crate::Registry;

/// A file whose comments and statements somebody else has found.
#[derive(Clone, Copy, Debug)]
pub struct PlainText<'a> {
    pub file: FileId,
    pub text: &'a str,
    /// With their `#`.
    pub comments: &'a [Span],
    /// What a comment may stand above: an instruction, an entry of a mapping, a command. They may lie in one another.
    pub statements: &'a [Span],
}

impl FileSuppressions {
    pub fn collect_plain(registry: &Registry, source: PlainText<'_>) -> FileSuppressions {
        let mut found = FileSuppressions { file: source.file, list: Vec::new(), faults: Vec::new() };
        for comment in source.comments {
            match parse::comment(comment.of(source.text).trim_start_matches('#').trim()) {
                Some(Directive::Allow(allow)) => found.add(registry, allow, source.scope_of(*comment), *comment, false),
                Some(Directive::NotUnderstood) => {
                    found.fault(*comment, "this comment suppresses nothing: it is not understood", EXPECTED)
                }
                None => {}
            }
        }
        found
    }
}

impl PlainText<'_> {
    fn scope_of(&self, comment: Span) -> Scope {
        let before = self.text.get(..comment.start as usize).unwrap_or("");
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let code = before[line_start..].trim_end().len();
        let narrowest = |at: u32| {
            let around = self.statements.iter().filter(|span| span.start <= at && at <= span.end);
            around.min_by_key(|span| span.end - span.start).copied()
        };
        if code > 0 {
            let line = Span::new(line_start as u32, comment.end);
            return Scope::beside(narrowest((line_start + code - 1) as u32).unwrap_or(line), line);
        }
        if self.is_for_the_file(comment) {
            return Scope::file();
        }
        let below = self.next_statement(comment.end);
        // Among the lines of an instruction that goes on.
        let around = narrowest(comment.start).filter(|around| below.is_none_or(|below| !around.covers(below)));
        match around.or(below) {
            Some(statement) => Scope::of(comment.to(statement)),
            None => Scope::of(comment),
        }
    }

    /// The widest that begins next, if nothing but comments and space lies before it.
    fn next_statement(&self, from: u32) -> Option<Span> {
        let mut at = from as usize;
        for line in self.text.get(at..)?.split_inclusive('\n') {
            let content = line.trim();
            if !content.is_empty() && !content.starts_with('#') {
                at += line.len() - line.trim_start().len();
                let line_end = at + content.len();
                let here = self.statements.iter().filter(|span| (at..line_end).contains(&(span.start as usize)));
                // `- name: value` begins at the dash, its entry behind it.
                let first = here.clone().map(|span| span.start).min()?;
                return here.filter(|span| span.start == first).max_by_key(|span| span.end).copied();
            }
            at += line.len();
        }
        None
    }

    /// Ahead of everything, with an empty line below it or below the comments that follow it.
    fn is_for_the_file(&self, comment: Span) -> bool {
        let is_trivia = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
        let above = self.text.get(..comment.start as usize).unwrap_or("");
        if !above.lines().all(is_trivia) {
            return false;
        }
        let below = self.text.get(comment.end as usize..).unwrap_or("").lines().skip(1);
        let mut below = below.skip_while(|line| line.trim_start().starts_with('#'));
        below.next().is_none_or(|line| line.trim().is_empty())
    }
}
