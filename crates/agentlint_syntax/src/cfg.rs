//! `cfg` predicates that are only known as text.

use proc_macro2::TokenStream;

use crate::ast::{Attribute, CfgExpr};
use crate::lower::{self, Lowering};
use crate::places::{Places, SourcePlaces};
use crate::{Bodies, limits};

/// Reads a predicate: what stands between the parentheses of `cfg(…)`. `None` when it is no sequence of tokens.
pub fn parse_cfg(text: &str) -> Option<CfgExpr> {
    lex(text).map(lower::cfg_predicate)
}

/// Reads what stands between the parentheses of `cfg_attr(…)`: its predicate, and the attributes that it adds. `offset` is
/// where `text` stands in its file.
///
/// Like [`crate::parse`] it invalidates the spans that the thread holds.
pub fn parse_cfg_attr(text: &str, offset: u32) -> Option<(CfgExpr, Vec<Attribute>)> {
    proc_macro2::extra::invalidate_current_thread_spans();
    let tokens = lex(text)?;
    let mut lowering = Lowering::new(Places::Source(SourcePlaces::new(text, offset)), Bodies::Full);
    let read = lower::cfg_attr(&mut lowering, tokens);
    proc_macro2::extra::invalidate_current_thread_spans();
    Some(read)
}

fn lex(text: &str) -> Option<TokenStream> {
    let tokens = text.parse::<TokenStream>().ok()?;
    limits::check(&tokens).ok()?;
    Some(tokens)
}
