//! Which part of a file a suppression covers.

use agentlint_syntax::Span;
use agentlint_syntax::ast::{Body, ExprId, ExprKind, MacroArguments, PatId, SourceFile, StatementKind};

use super::SourceText;
use super::trivia::{Cursor, Trivia};

/// A part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    whole: Span,
    /// Parts of `whole` that are not meant: the statements inside the one that a comment ends.
    holes: Vec<Span>,
    /// The line that a comment ends, covered in any case.
    line: Span,
}

impl Scope {
    pub(super) fn file() -> Scope {
        Scope::of(Span::new(0, u32::MAX))
    }

    pub(super) fn of(span: Span) -> Scope {
        Scope { whole: span, holes: Vec::new(), line: Span::default() }
    }

    /// A part that a comment at the end of `line` stands for.
    pub(super) fn beside(span: Span, line: Span) -> Scope {
        Scope { whole: span, holes: Vec::new(), line }
    }

    pub(crate) fn covers(&self, offset: u32) -> bool {
        let in_whole = self.whole.contains(offset) && !self.holes.iter().any(|hole| hole.contains(offset));
        in_whole || self.line.contains(offset)
    }

    /// Inside the item or statement, where the comment or attribute itself may stand ahead of it.
    pub(super) fn last(&self) -> u32 {
        self.whole.end.saturating_sub(1)
    }

    /// Whether the comment stands at the end of that place's line.
    pub(crate) fn is_beside(&self, offset: u32) -> bool {
        self.line.contains(offset)
    }

    /// For choosing the narrowest of several.
    pub(crate) fn width(&self) -> u32 {
        self.whole.to(self.line).end - self.whole.start
    }
}

/// The places of a file that a comment can stand above or beside.
pub(super) struct Nodes {
    items: Vec<Span>,
    /// Statements, values of blocks, arms of `match` and `select!`.
    statements: Vec<Span>,
    expressions: Vec<Span>,
    conditional: Vec<Span>,
}

impl Nodes {
    pub(super) fn new(facts: &SourceFile) -> Nodes {
        let mut nodes = Nodes { items: Vec::new(), statements: Vec::new(), expressions: Vec::new(), conditional: Vec::new() };
        for item in facts.items.iter() {
            nodes.items.push(item.span);
            if item.cfg.is_some() {
                nodes.conditional.push(item.span);
            }
        }
        for body in facts.bodies.iter() {
            nodes.collect_body(body);
        }
        nodes
    }

    fn collect_body(&mut self, body: &Body) {
        let span_of = |expr: ExprId| body.exprs[expr].span;
        let span_of_pat = |pat: PatId| body.pats[pat].span;
        // The block that stands for a macro's statements begins where its first statement does, and is none of these places.
        let mut of_macros = Vec::new();
        for expr in &body.exprs {
            match &expr.kind {
                ExprKind::Block(block) => {
                    for statement in &block.statements {
                        self.statements.push(statement.span);
                        if statement.cfg.is_some() {
                            self.conditional.push(statement.span);
                        }
                        if let StatementKind::Let { otherwise: Some(otherwise), .. } = &statement.kind {
                            self.expressions.push(span_of(*otherwise));
                        }
                    }
                    self.statements.extend(block.tail.map(span_of));
                }
                ExprKind::Match { arms, .. } => {
                    for arm in arms {
                        let span = span_of_pat(arm.pat).to(span_of(arm.body));
                        self.statements.push(span);
                        if arm.cfg.is_some() {
                            self.conditional.push(span);
                        }
                    }
                }
                ExprKind::Macro(call) => match &call.arguments {
                    MacroArguments::Select { branches, .. } => {
                        let spans = branches.iter().map(|branch| span_of_pat(branch.pat).to(span_of(branch.handler)));
                        self.statements.extend(spans);
                    }
                    MacroArguments::Block(block) => of_macros.push(*block),
                    _ => {}
                },
                _ => {}
            }
        }
        let expressions = body.exprs.iter_enumerated().filter(|(id, _)| !of_macros.contains(id));
        self.expressions.extend(expressions.map(|(_, expr)| expr.span));
    }

    pub(super) fn are_conditional_at(&self, offset: u32) -> bool {
        self.conditional.iter().any(|span| span.contains(offset))
    }

    pub(super) fn scope_of_comment(&self, source: SourceText<'_>, comment: Span) -> Scope {
        let before = source.text.get(..comment.start as usize).unwrap_or("");
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let before = &before[line_start..];
        match before.trim_end().len() {
            0 if is_for_the_file(source.text, comment) => Scope::file(),
            0 => self.below(source.text, comment),
            code => self.beside((line_start + code - 1) as u32, Span::new(line_start as u32, comment.end)),
        }
    }

    /// A comment on a line of its own: what follows it, doc comments and attributes between them skipped.
    fn below(&self, text: &str, comment: Span) -> Scope {
        let mut cursor = Cursor::new(text, comment.end);
        cursor.skip(|trivia| matches!(trivia, Trivia::Space { .. } | Trivia::Comment | Trivia::OuterDoc));
        let with_attributes = cursor.offset();
        cursor.skip(|_| true);
        let start = cursor.offset();
        let starts_here = |span: &&Span| span.start == with_attributes || span.start == start;
        let widest = |spans: &[Span]| spans.iter().filter(starts_here).max_by_key(|span| span.end).copied();
        let found = widest(&self.items).or_else(|| widest(&self.statements)).or_else(|| widest(&self.expressions));
        Scope::of(comment.to(found.unwrap_or(Span::new(start, line_end(text, start)))))
    }

    /// A comment after code: its line, and the statement that the code belongs to, less the statements inside it.
    fn beside(&self, code: u32, line: Span) -> Scope {
        let all = || self.items.iter().chain(&self.statements).copied();
        // A span may leave out the semicolon or comma that stands before the comment.
        let around = all().filter(|span| span.start <= code && code <= span.end);
        let Some(whole) = around.min_by_key(|span| span.end - span.start) else {
            return Scope { whole: line, holes: Vec::new(), line };
        };
        let holes = all().filter(|span| whole.covers(*span) && *span != whole).collect();
        Scope { whole, holes, line }
    }
}

/// Ahead of all code, with an empty line or the file's own attributes and documentation below it.
fn is_for_the_file(text: &str, comment: Span) -> bool {
    let mut cursor = Cursor::new(text, 0);
    cursor.skip(|trivia| !matches!(trivia, Trivia::OuterDoc | Trivia::OuterAttribute));
    if cursor.offset() <= comment.start {
        return false;
    }
    let mut cursor = Cursor::new(text, comment.end);
    loop {
        match cursor.next() {
            Some(Trivia::Space { newlines }) if newlines >= 2 => return true,
            Some(Trivia::InnerDoc | Trivia::InnerAttribute) => return true,
            Some(Trivia::Space { .. } | Trivia::Comment) => {}
            Some(Trivia::OuterDoc | Trivia::OuterAttribute) => return false,
            None => return cursor.offset() as usize >= text.len(),
        }
    }
}

fn line_end(text: &str, offset: u32) -> u32 {
    let rest = text.get(offset as usize..).unwrap_or("");
    offset + rest.find('\n').unwrap_or(rest.len()) as u32
}
