//! Lowers patterns of a body.

use syn::Pat as Syn;
use syn::punctuated::Punctuated;

use super::BodyLowering;
use crate::ast::{ExprId, FieldPat, PatId, PatKind, TypeRef};
use crate::{Name, Span, name};

impl BodyLowering<'_, '_> {
    pub(crate) fn pat(&mut self, pat: &Syn) -> PatId {
        match pat {
            Syn::Ident(pat) => self.bind(pat),
            Syn::Wild(pat) => {
                let span = self.span(pat.underscore_token.span);
                self.add_pat(PatKind::Wild, span)
            }
            Syn::Path(pat) => {
                let path = self.file.qualified_path(&pat.qself, &pat.path);
                let span = path.span;
                self.add_pat(PatKind::Path(path), span)
            }
            Syn::TupleStruct(pat) => {
                let path = self.file.qualified_path(&pat.qself, &pat.path);
                let (elements, rest) = self.elements(&pat.elems);
                let span = path.span.to(self.file.delimiters(&pat.paren_token.span));
                self.add_pat(PatKind::TupleStruct { path: Box::new(path), elements, rest }, span)
            }
            Syn::Struct(pat) => {
                let path = self.file.qualified_path(&pat.qself, &pat.path);
                let fields = pat.fields.iter().map(|field| self.field_pat(field)).collect();
                let span = path.span.to(self.file.delimiters(&pat.brace_token.span));
                self.add_pat(PatKind::Struct { path: Box::new(path), fields }, span)
            }
            Syn::Tuple(pat) => {
                let (elements, rest) = self.elements(&pat.elems);
                let span = self.file.delimiters(&pat.paren_token.span);
                self.add_pat(PatKind::Tuple { elements, rest }, span)
            }
            Syn::Slice(pat) => {
                let elements = pat.elems.iter().map(|element| self.pat(element)).collect();
                let span = self.file.delimiters(&pat.bracket_token.span);
                self.add_pat(PatKind::Slice(elements), span)
            }
            Syn::Reference(pat) => {
                let mutable = pat.mutability.is_some();
                let inner = self.pat(&pat.pat);
                let span = self.span(pat.and_token.span).to(self.pats[inner].span);
                self.add_pat(PatKind::Reference { mutable, pat: inner }, span)
            }
            Syn::Or(pat) => {
                let cases: Vec<PatId> = pat.cases.iter().map(|case| self.pat(case)).collect();
                let span = cases.iter().map(|case| self.pats[*case].span).reduce(Span::to).unwrap_or_default();
                self.add_pat(PatKind::Or(cases), span)
            }
            Syn::Paren(pat) => {
                let inner = self.pat(&pat.pat);
                self.pats[inner].span = self.file.delimiters(&pat.paren_token.span);
                inner
            }
            Syn::Type(pat) => self.pat(&pat.pat),
            Syn::Guard(pat) => self.pat(&pat.pat),
            Syn::Lit(pat) => {
                let value = self.literal(pat);
                let span = self.span_of(value);
                self.add_pat(PatKind::Literal(value), span)
            }
            Syn::Range(pat) => self.range_pat(pat),
            Syn::Rest(pat) => {
                let span = self.span(pat.dot2_token.spans[0]).to(self.span(pat.dot2_token.spans[1]));
                self.add_pat(PatKind::Rest, span)
            }
            Syn::Macro(pat) => {
                let call = self.file.opaque_macro_call(&pat.mac);
                let span = call.path.span.to(self.file.delimiters(pat.mac.delimiter.span()));
                self.add_pat(PatKind::Macro(Box::new(call)), span)
            }
            Syn::Const(pat) => {
                let span = self.span(pat.const_token.span).to(self.file.delimiters(&pat.block.brace_token.span));
                self.add_pat(PatKind::Opaque, span)
            }
            Syn::Verbatim(tokens) => {
                let span = self.tokens_span(tokens);
                self.add_pat(PatKind::Opaque, span)
            }
            _ => self.add_pat(PatKind::Opaque, Span::default()),
        }
    }

    /// A pattern, and the type behind its colon.
    pub(crate) fn typed_pat(&mut self, pat: &Syn) -> (PatId, Option<TypeRef>) {
        match pat {
            Syn::Type(typed) => {
                let ty = self.file.ty(&typed.ty);
                (self.pat(&typed.pat), Some(ty))
            }
            pat => (self.pat(pat), None),
        }
    }

    pub(crate) fn member(&self, member: &syn::Member) -> (Name, Span) {
        match member {
            syn::Member::Named(ident) => self.file.ident(ident),
            syn::Member::Unnamed(index) => (name(&index.index.to_string()), self.span(index.span)),
        }
    }

    fn bind(&mut self, pat: &syn::PatIdent) -> PatId {
        let (name, own) = self.file.ident(&pat.ident);
        let subpattern = pat.subpat.as_ref().map(|(_, inner)| self.pat(inner));
        let keywords = [pat.by_ref.map(|word| word.span), pat.mutability.map(|word| word.span)];
        let keywords = keywords.map(|word| word.map(|word| self.span(word)));
        let around = keywords.into_iter().flatten().chain(subpattern.map(|inner| self.pats[inner].span));
        // What a macro wrote around a name that it was given stands where its call stands: the name does not.
        let span = around.filter(|part| !part.covers(own)).fold(own, Span::to);
        let (by_ref, mutable) = (pat.by_ref.is_some(), pat.mutability.is_some());
        self.add_pat(PatKind::Bind { name, by_ref, mutable, subpattern }, span)
    }

    fn elements(&mut self, elements: &Punctuated<Syn, syn::Token![,]>) -> (Vec<PatId>, Option<u32>) {
        let mut lowered = Vec::with_capacity(elements.len());
        let mut rest = None;
        for element in elements {
            match element {
                Syn::Rest(_) => rest = Some(lowered.len() as u32),
                element => lowered.push(self.pat(element)),
            }
        }
        (lowered, rest)
    }

    fn field_pat(&mut self, field: &syn::FieldPat) -> FieldPat {
        let (name, name_span) = self.member(&field.member);
        FieldPat { name, name_span, pat: self.pat(&field.pat), cfg: self.file.cfg(&field.attrs) }
    }

    fn range_pat(&mut self, pat: &syn::PatRange) -> PatId {
        let mut span = self.limits(&pat.limits);
        let mut bound = |expr: &Option<Box<syn::Expr>>| -> Option<ExprId> {
            let id = self.expr(expr.as_deref()?);
            span = span.to(self.span_of(id));
            Some(id)
        };
        let (start, end) = (bound(&pat.start), bound(&pat.end));
        self.add_pat(PatKind::Range { start, end }, span)
    }
}
