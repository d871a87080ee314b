//! Macros that declare items, and are understood natively: `lazy_static!`, `thread_local!`, `cfg_if!`, `bitflags!`, `pin_project!`,
//! `paste!`.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::Token;
use syn::parse::{ParseStream, Parser};

use super::attributes::{all, cfg_predicate};
use super::{Lowering, unraw};
use crate::Bodies;
use crate::ast::{CfgExpr, ItemId, ItemKind, Static, StaticOrigin};
use crate::skip::empty_bodies;

impl Lowering<'_> {
    /// Lowers what `call` declares; false when it is another macro, or has an unexpected shape.
    pub(crate) fn native_item_macro(&mut self, call: &syn::Macro, attributes: &[syn::Attribute], into: &mut Vec<ItemId>) -> bool {
        let first = into.len();
        let understood = match last_name(call).as_deref() {
            Some("lazy_static") => self.statics(call, StaticOrigin::LazyStatic, into),
            Some("thread_local") => self.statics(call, StaticOrigin::ThreadLocal, into),
            Some("pin_project") => self.pin_project_macro(call, into),
            Some("bitflags") => self.bitflags_macro(call, into),
            Some("cfg_if") => self.cfg_if_items(call, into),
            Some("paste") => self.pasted_items(call, into),
            _ => false,
        };
        if let Some(cfg) = self.cfg(attributes) {
            self.restrict(&into[first..], &cfg);
        }
        understood
    }

    /// Adds a `cfg` to items that are lowered already.
    pub(crate) fn restrict(&mut self, items: &[ItemId], cfg: &CfgExpr) {
        for id in items {
            if let Some(item) = self.file.items.get_mut(*id) {
                let own = item.cfg.take();
                item.cfg = all([Some(cfg.clone()), own].into_iter().flatten().collect());
            }
        }
    }

    fn statics(&mut self, call: &syn::Macro, origin: StaticOrigin, into: &mut Vec<ItemId>) -> bool {
        let parse = |input: ParseStream<'_>| parse_statics(input, origin);
        let Ok(declarations) = parse.parse2(call.tokens.clone()) else { return false };
        for declaration in &declarations {
            let end = self.places.end(declaration.end);
            let named = self.named(&declaration.ident, declaration.keyword, end);
            let id = self.add(named, &declaration.attributes, &declaration.visibility, |lowering, _| {
                let (ty, body) = (lowering.ty(&declaration.ty), lowering.value(&declaration.value));
                ItemKind::Static(Static { ty, mutable: false, origin, body })
            });
            into.push(id);
        }
        true
    }

    fn cfg_if_items(&mut self, call: &syn::Macro, into: &mut Vec<ItemId>) -> bool {
        let Some(branches) = cfg_if_branches(call) else { return false };
        let parsed = branches.iter().map(|(_, group)| {
            let tokens = match self.bodies {
                Bodies::Full | Bodies::WithoutTests => group.stream(),
                Bodies::InText | Bodies::Skip => empty_bodies(group.stream(), self.bodies),
            };
            syn::parse2::<syn::File>(tokens).ok()
        });
        let Some(parsed) = parsed.collect::<Option<Vec<_>>>() else { return false };
        for ((cfg, _), file) in branches.iter().zip(parsed) {
            let items = self.items(&file.items);
            self.restrict(&items, cfg);
            into.extend(items);
        }
        true
    }
}

pub(crate) fn last_name(call: &syn::Macro) -> Option<String> {
    call.path.segments.last().map(|segment| unraw(&segment.ident).to_string())
}

struct StaticDeclaration {
    attributes: Vec<syn::Attribute>,
    visibility: syn::Visibility,
    keyword: proc_macro2::Span,
    ident: syn::Ident,
    ty: syn::Type,
    value: syn::Expr,
    end: proc_macro2::Span,
}

fn parse_statics(input: ParseStream<'_>, origin: StaticOrigin) -> syn::Result<Vec<StaticDeclaration>> {
    let mut declarations = Vec::new();
    while !input.is_empty() {
        let attributes = input.call(syn::Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let keyword = input.parse::<Token![static]>()?.span;
        if origin == StaticOrigin::LazyStatic {
            input.parse::<Token![ref]>()?;
        }
        let ident: syn::Ident = input.parse()?;
        input.parse::<Token![:]>()?;
        let ty = input.parse()?;
        let mut end = input.parse::<Token![=]>()?.span;
        let value = input.parse()?;
        // `thread_local!` lets the last one go without.
        if let Some(semicolon) = input.parse::<Option<Token![;]>>()? {
            end = semicolon.span;
        } else if !input.is_empty() {
            return Err(input.error("expected `;`"));
        }
        declarations.push(StaticDeclaration { attributes, visibility, keyword, ident, ty, value, end });
    }
    Ok(declarations)
}

/// The branches of a `cfg_if!`, each with the condition under which it is the one that is taken.
pub(crate) fn cfg_if_branches(call: &syn::Macro) -> Option<Vec<(CfgExpr, Group)>> {
    if last_name(call)? != "cfg_if" {
        return None;
    }
    let mut branches = Vec::new();
    let mut refused = Vec::new();
    let mut trees = call.tokens.clone().into_iter().peekable();
    loop {
        let condition = match trees.next_if(|tree| is_word(tree, "if")) {
            Some(_) => Some(cfg_predicate(cfg_attribute(&mut trees)?)),
            None => None,
        };
        let Some(TokenTree::Group(group)) = trees.next() else { return None };
        let mut taken: Vec<CfgExpr> = refused.clone();
        taken.extend(condition.clone());
        branches.push((all(taken).unwrap_or(CfgExpr::Bool(true)), group));
        match (condition, trees.next()) {
            (_, None) => return Some(branches),
            (Some(condition), Some(tree)) if is_word(&tree, "else") => refused.push(CfgExpr::Not(Box::new(condition))),
            _ => return None,
        }
    }
}

/// Passes `#[cfg(…)]` and gives what stands in its parentheses.
fn cfg_attribute(trees: &mut impl Iterator<Item = TokenTree>) -> Option<TokenStream> {
    let (TokenTree::Punct(_), TokenTree::Group(group)) = (trees.next()?, trees.next()?) else { return None };
    let mut inner = group.stream().into_iter();
    match (inner.next()?, inner.next()?) {
        (word, TokenTree::Group(predicate)) if is_word(&word, "cfg") && group.delimiter() == Delimiter::Bracket => {
            Some(predicate.stream())
        }
        _ => None,
    }
}

fn is_word(tree: &TokenTree, word: &str) -> bool {
    matches!(tree, TokenTree::Ident(ident) if ident == word)
}
