//! The tokens that a macro expanded to, lowered like a file's.

use proc_macro2::TokenStream;
use syn::parse::Parser;

use crate::ast::{Body, ExprKind, SourceFile, TypeRef};
use crate::lower::Lowering;
use crate::places::{Origin, Places};
use crate::skip::empty_bodies;
use crate::{Bodies, limits};

/// An expression, statements or a pattern, and the items that are declared in them.
#[derive(Clone, Debug)]
pub struct Expanded {
    /// Its `root` is empty: the items are listed by the blocks that declare them.
    pub file: SourceFile,
    /// A pattern is its only parameter, beside a root that is missing; statements are a block.
    pub body: Body,
    /// Its root is a block that was not written: the statements stand where the call stands.
    pub is_statements: bool,
}

/// Lowers expanded items.
///
/// In this and the functions below tokens without a place of their own (`Span::call_site`) get that of the call. An error says why
/// the tokens do not parse.
pub(crate) fn parse_expanded_items(tokens: TokenStream, origin: Origin<'_>, bodies: Bodies) -> Result<SourceFile, String> {
    let tokens = match bodies {
        // An expansion has no text to leave them in.
        Bodies::Full | Bodies::WithoutTests | Bodies::InText => tokens,
        Bodies::Skip => empty_bodies(tokens, bodies),
    };
    let file: syn::File = read(tokens, syn::parse2)?;
    let mut lowering = Lowering::new(Places::Expansion(origin), bodies);
    lowering.file_attributes(&file.attrs);
    lowering.file.root = lowering.items(&file.items);
    Ok(lowering.finish())
}

pub(crate) fn parse_expanded_expr(tokens: TokenStream, origin: Origin<'_>) -> Result<Expanded, String> {
    let expr: syn::Expr = read(tokens, syn::parse2)?;
    let mut lowering = lowering(origin);
    let body = lowering.build(|body| body.expr(&expr));
    Ok(Expanded { file: lowering.finish(), body, is_statements: false })
}

pub(crate) fn parse_expanded_statements(tokens: TokenStream, origin: Origin<'_>) -> Result<Expanded, String> {
    let statements = read(tokens, |tokens| syn::Block::parse_within.parse2(tokens))?;
    let mut lowering = lowering(origin);
    let body = lowering.build(|body| {
        let block = body.statements(&statements);
        body.add(ExprKind::Block(Box::new(block)), origin.call_span)
    });
    Ok(Expanded { file: lowering.finish(), body, is_statements: true })
}

pub(crate) fn parse_expanded_type(tokens: TokenStream, origin: Origin<'_>) -> Result<TypeRef, String> {
    let ty: syn::Type = read(tokens, syn::parse2)?;
    Ok(lowering(origin).ty(&ty))
}

pub(crate) fn parse_expanded_pat(tokens: TokenStream, origin: Origin<'_>) -> Result<Expanded, String> {
    let pat = read(tokens, |tokens| syn::Pat::parse_multi_with_leading_vert.parse2(tokens))?;
    let mut lowering = lowering(origin);
    let body = lowering.build(|body| {
        let pat = body.pat(&pat);
        body.parameters.push(pat);
        body.add(ExprKind::Missing, origin.call_span)
    });
    Ok(Expanded { file: lowering.finish(), body, is_statements: false })
}

fn read<T>(tokens: TokenStream, parse: impl FnOnce(TokenStream) -> syn::Result<T>) -> Result<T, String> {
    limits::check(&tokens).map_err(|()| limits::MESSAGE.to_owned())?;
    parse(tokens).map_err(|error| error.to_string())
}

fn lowering(origin: Origin<'_>) -> Lowering<'_> {
    Lowering::new(Places::Expansion(origin), Bodies::Full)
}
