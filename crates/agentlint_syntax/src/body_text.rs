//! One body, read from the text that it was left in.

use proc_macro2::TokenStream;

use crate::Bodies;
use crate::ast::{Body, Item, ItemKind, SourceFile};
use crate::lower::Lowering;
use crate::parse::scan;
use crate::places::{Places, SourcePlaces};

/// Reads the body of a function, a constant or a static of a file that was parsed with [`Bodies::InText`]. `None` where `text` is
/// not, or no longer, the text that the item stands in.
///
/// Needs a stack of [`crate::STACK_SIZE`]. Every `proc_macro2::Span` that the thread holds is invalid afterwards.
pub fn parse_body(text: &str, item: &Item) -> Option<Body> {
    let base = item.span.start as usize;
    let text = text.get(..item.span.end as usize)?;
    let written = text.get(base..)?;
    let mut scanned = SourceFile::default();
    let plain = scan(text, base, Bodies::Full, &mut scanned)?.from(written, base);
    proc_macro2::extra::invalidate_current_thread_spans();
    let body = read(&plain, written, base as u32, item);
    proc_macro2::extra::invalidate_current_thread_spans();
    body
}

fn read(plain: &str, written: &str, base: u32, item: &Item) -> Option<Body> {
    let tokens: TokenStream = plain.parse().ok()?;
    let mut lowering = Lowering::new(Places::Source(SourcePlaces::new(written, base)), Bodies::Full);
    let id = match &item.kind {
        // Those of impls and traits too: they may have a `self`, or be `default`.
        ItemKind::Function(_) | ItemKind::Const(_) => {
            let items = lowering.impl_items(&[syn::parse2(tokens).ok()?]);
            *items.first()?
        }
        ItemKind::Static(_) => *lowering.items(&[syn::parse2(tokens).ok()?]).first()?,
        _ => return None,
    };
    let read = lowering.file.items.get(id).filter(|read| read.name == item.name)?;
    let body = match &read.kind {
        ItemKind::Function(function) => function.body?,
        ItemKind::Const(constant) => constant.body?,
        ItemKind::Static(item) => item.body?,
        _ => return None,
    };
    Some(lowering.read.swap_remove(body))
}
