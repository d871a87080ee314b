//! `syn`'s tree turned into facts.

mod attributes;
mod bitflags;
mod expression_attributes;
mod expressions;
mod format_string;
mod imports;
mod item_macros;
mod items;
mod literals;
mod macro_calls;
mod macro_shapes;
mod members;
mod paste;
mod paths;
mod patterns;
mod pin_projection;
mod printer;
mod statements;
mod type_spans;
mod types;

pub(crate) use attributes::{cfg_attr, cfg_predicate};
pub use format_string::{FormatSubject, Placeholder, placeholders};

use std::collections::HashSet;

use index_vec::IndexVec;
use proc_macro2::extra::DelimSpan;

use crate::ast::{Body, BodyId, DeclaringBody, Expr, ExprId, ExprKind, Pat, PatId, PatKind, SourceFile};
use crate::places::Places;
use crate::{Bodies, Name, Span, name};

/// Everything below this level of a type is `Unknown`, so that whoever walks a type or drops it needs little stack.
const TYPE_DEPTH: u32 = 128;
/// A macro call in the arguments of so many others is opaque: each level reads its tokens anew.
const MACRO_DEPTH: u32 = 32;

/// What is known while one file or one expansion is lowered.
pub(crate) struct Lowering<'text> {
    pub(crate) places: Places<'text>,
    pub(crate) file: SourceFile,
    pub(crate) bodies: Bodies,
    /// The bodies so far.
    pub(crate) read: IndexVec<BodyId, Body>,
    /// Where the bodies of functions start that do not parse and were emptied.
    pub(crate) broken_bodies: HashSet<u32>,
    type_depth: u32,
    macro_depth: u32,
}

impl<'text> Lowering<'text> {
    pub(crate) fn new(places: Places<'text>, bodies: Bodies) -> Lowering<'text> {
        let (file, read, broken_bodies) = (SourceFile::default(), IndexVec::new(), HashSet::new());
        Lowering { places, file, bodies, read, broken_bodies, type_depth: 0, macro_depth: 0 }
    }

    pub(crate) fn finish(self) -> SourceFile {
        SourceFile { bodies: self.read.into(), ..self.file }
    }

    /// An identifier without `r#`, and its place.
    fn ident(&self, ident: &proc_macro2::Ident) -> (Name, Span) {
        if let Some((text, span)) = self.places.ident(ident) {
            return (name(text.strip_prefix("r#").unwrap_or(text)), span);
        }
        let span = self.places.span(ident.span());
        (self.name_at(ident, span), span)
    }

    fn name(&self, ident: &proc_macro2::Ident) -> Name {
        self.ident(ident).0
    }

    fn name_at(&self, ident: &proc_macro2::Ident, span: Span) -> Name {
        match self.places.slice(span) {
            Some(text) if ident == text => name(text.strip_prefix("r#").unwrap_or(text)),
            // Generated for something that stands there.
            _ => unraw(ident),
        }
    }

    fn delimiters(&self, span: &DelimSpan) -> Span {
        self.places.span(span.join())
    }

    /// A body of its own, for a function, a constant or a static.
    fn body(&mut self, build: impl FnOnce(&mut BodyLowering<'_, 'text>) -> ExprId) -> BodyId {
        let body = self.build(build);
        let declaring = body.exprs.iter_enumerated().filter_map(|(expr, data)| match &data.kind {
            ExprKind::Block(block) if !block.items.is_empty() => Some((expr, data.span, block.items.clone())),
            _ => None,
        });
        let mut blocks: Vec<_> = declaring.collect();
        let id = self.read.push(body);
        if !blocks.is_empty() {
            blocks.sort_by_key(|(_, span, _)| (span.start, std::cmp::Reverse(span.end)));
            self.file.declaring.push(DeclaringBody { body: id, blocks });
        }
        id
    }

    pub(crate) fn build(&mut self, build: impl FnOnce(&mut BodyLowering<'_, 'text>) -> ExprId) -> Body {
        let mut body = BodyLowering { file: self, exprs: IndexVec::new(), pats: IndexVec::new(), parameters: Vec::new() };
        let root = build(&mut body);
        let BodyLowering { mut exprs, mut pats, parameters, .. } = body;
        // Bodies are most of what a program's facts take.
        exprs.shrink_to_fit();
        pats.shrink_to_fit();
        Body { exprs, pats, parameters, root }
    }
}

/// An identifier's name without `r#`.
fn unraw(ident: &proc_macro2::Ident) -> Name {
    let text = ident.to_string();
    name(text.strip_prefix("r#").unwrap_or(&text))
}

/// One body while it grows.
pub(crate) struct BodyLowering<'file, 'text> {
    file: &'file mut Lowering<'text>,
    exprs: IndexVec<ExprId, Expr>,
    pats: IndexVec<PatId, Pat>,
    pub(crate) parameters: Vec<PatId>,
}

impl BodyLowering<'_, '_> {
    pub(crate) fn add(&mut self, kind: ExprKind, span: Span) -> ExprId {
        self.exprs.push(Expr { kind, span })
    }

    fn add_pat(&mut self, kind: PatKind, span: Span) -> PatId {
        self.pats.push(Pat { kind, span })
    }

    fn span_of(&self, id: ExprId) -> Span {
        self.exprs[id].span
    }

    fn span(&self, span: proc_macro2::Span) -> Span {
        self.file.places.span(span)
    }
}
