//! The tokens that a macro expanded to, lowered like a file's.

use proc_macro2::TokenStream;
use syn::parse::Parser;

use crate::ast::{Body, ExprKind, SourceFile, TypeRef};
use crate::lower::Lowering;
use crate::places::Places;
use crate::skip::empty_bodies;
use crate::{Bodies, Span, limits};

/// An expression, statements or a pattern, and the items that are declared in them.
#[derive(Clone, Debug)]
pub struct Expanded {
    /// Its `root` is empty: the items are listed by the blocks that declare them.
    pub file: SourceFile,
    /// A pattern is its only parameter, beside a root that is missing; statements are a block.
    pub body: Body,
}

/// Lowers expanded items.
///
/// In this and the functions below tokens without a place of their own (`Span::call_site`) get `call_span`, and the others their
/// byte range plus `offset`. An error says why the tokens do not parse.
pub fn parse_expanded_items(tokens: TokenStream, offset: u32, call_span: Span, bodies: Bodies) -> Result<SourceFile, String> {
    let tokens = match bodies {
        Bodies::Full => tokens,
        Bodies::Skip => empty_bodies(tokens),
    };
    let file: syn::File = read(tokens, syn::parse2)?;
    let mut lowering = Lowering::new(Places::Expansion { offset, call_span }, bodies);
    lowering.file_attributes(&file.attrs);
    lowering.file.root = lowering.items(&file.items);
    Ok(lowering.file)
}

pub fn parse_expanded_expr(tokens: TokenStream, offset: u32, call_span: Span) -> Result<Expanded, String> {
    let expr: syn::Expr = read(tokens, syn::parse2)?;
    let mut lowering = lowering(offset, call_span);
    let body = lowering.build(|body| body.expr(&expr));
    Ok(Expanded { file: lowering.file, body })
}

pub fn parse_expanded_statements(tokens: TokenStream, offset: u32, call_span: Span) -> Result<Expanded, String> {
    let statements = read(tokens, |tokens| syn::Block::parse_within.parse2(tokens))?;
    let mut lowering = lowering(offset, call_span);
    let body = lowering.build(|body| {
        let block = body.statements(&statements);
        body.add(ExprKind::Block(Box::new(block)), call_span)
    });
    Ok(Expanded { file: lowering.file, body })
}

pub fn parse_expanded_type(tokens: TokenStream, offset: u32, call_span: Span) -> Result<TypeRef, String> {
    let ty: syn::Type = read(tokens, syn::parse2)?;
    Ok(lowering(offset, call_span).ty(&ty))
}

pub fn parse_expanded_pat(tokens: TokenStream, offset: u32, call_span: Span) -> Result<Expanded, String> {
    let pat = read(tokens, |tokens| syn::Pat::parse_multi_with_leading_vert.parse2(tokens))?;
    let mut lowering = lowering(offset, call_span);
    let body = lowering.build(|body| {
        let pat = body.pat(&pat);
        body.parameters.push(pat);
        body.add(ExprKind::Missing, call_span)
    });
    Ok(Expanded { file: lowering.file, body })
}

fn read<T>(tokens: TokenStream, parse: impl FnOnce(TokenStream) -> syn::Result<T>) -> Result<T, String> {
    limits::check(&tokens).map_err(|()| limits::MESSAGE.to_owned())?;
    parse(tokens).map_err(|error| error.to_string())
}

fn lowering(offset: u32, call_span: Span) -> Lowering<'static> {
    Lowering::new(Places::Expansion { offset, call_span }, Bodies::Full)
}
