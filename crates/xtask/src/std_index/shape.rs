//! Items without what the index has no use for: private fields, discriminants, documentation inside macros.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::punctuated::Punctuated;

use super::raw_item::is_punct;
use super::tree::ItemKind;

pub(super) fn name_and_kind(item: &syn::Item) -> Option<(String, ItemKind)> {
    Some(match item {
        syn::Item::Struct(item) => (item.ident.to_string(), ItemKind::Type),
        syn::Item::Enum(item) => (item.ident.to_string(), ItemKind::Type),
        syn::Item::Union(item) => (item.ident.to_string(), ItemKind::Type),
        syn::Item::Type(item) => (item.ident.to_string(), ItemKind::Type),
        syn::Item::Trait(item) => (item.ident.to_string(), ItemKind::Type),
        syn::Item::TraitAlias(item) => (item.ident.to_string(), ItemKind::Type),
        syn::Item::Fn(item) => (item.sig.ident.to_string(), ItemKind::Value),
        syn::Item::Const(item) if item.ident != "_" => (item.ident.to_string(), ItemKind::Value),
        syn::Item::Static(item) => (item.ident.to_string(), ItemKind::Value),
        syn::Item::Impl(_) => (String::new(), ItemKind::Impl),
        // Its name is a crate, which nothing in this crate describes.
        syn::Item::ExternCrate(item) => {
            let name = item.rename.as_ref().map_or(&item.ident, |(_, name)| name);
            (name.to_string(), ItemKind::Type)
        }
        _ => return None,
    })
}

pub(super) fn drop_private_fields(item: &mut syn::Item) {
    match item {
        syn::Item::Struct(item) => match &mut item.fields {
            syn::Fields::Named(fields) => retain_public(&mut fields.named),
            syn::Fields::Unnamed(fields) => blank_private(&mut fields.unnamed),
            syn::Fields::Unit => {}
        },
        syn::Item::Union(item) => retain_public(&mut item.fields.named),
        _ => {}
    }
}

fn retain_public(fields: &mut Punctuated<syn::Field, syn::Token![,]>) {
    *fields = std::mem::take(fields).into_iter().filter(is_public).collect();
}

/// A private field keeps its place in front of a public one, since these are named by position.
fn blank_private(fields: &mut Punctuated<syn::Field, syn::Token![,]>) {
    let last_public = fields.iter().rposition(is_public);
    let kept = std::mem::take(fields).into_iter().enumerate().filter_map(|(index, mut field)| {
        if !is_public(&field) {
            last_public.filter(|last| index < *last)?;
            field.ty = syn::parse_quote!(());
            field.vis = syn::Visibility::Inherited;
        }
        Some(field)
    });
    *fields = kept.collect();
}

fn is_public(field: &syn::Field) -> bool {
    matches!(field.vis, syn::Visibility::Public(_))
}

/// An enum's variants without `= value`.
pub(super) fn without_discriminants(tokens: TokenStream) -> TokenStream {
    let mut trees: Vec<TokenTree> = tokens.into_iter().collect();
    let Some(TokenTree::Group(body)) = trees.pop() else { return trees.into_iter().collect() };
    let mut inside_value = false;
    let variants = body.stream().into_iter().filter(|tree| {
        if is_punct(Some(tree), ',') {
            inside_value = false;
        } else if is_punct(Some(tree), '=') {
            inside_value = true;
        }
        !inside_value
    });
    trees.push(Group::new(body.delimiter(), variants.collect()).into());
    trees.into_iter().collect()
}

/// A macro's rules as they are printed: `(…) => {…};` each.
pub(super) fn macro_rules(tokens: TokenStream) -> TokenStream {
    let groups = without_comments(tokens).into_iter().filter_map(|tree| match tree {
        TokenTree::Group(group) => Some(group.stream()),
        _ => None,
    });
    let groups: Vec<TokenStream> = groups.collect();
    let rules = groups.chunks_exact(2).map(|rule| {
        let (matcher, body) = (&rule[0], &rule[1]);
        quote::quote!((#matcher) => {#body};)
    });
    rules.collect()
}

/// A macro's rules without `#[doc = …]`, `#[stable(…)]` and other attributes that only the library's own build needs.
fn without_comments(tokens: TokenStream) -> TokenStream {
    const DROPPED: [&str; 8] = [
        "doc",
        "stable",
        "unstable",
        "rustc_const_unstable",
        "rustc_const_stable",
        "rustc_diagnostic_item",
        "allow_internal_unstable",
        "must_use",
    ];
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut output: Vec<TokenTree> = Vec::new();
    for tree in trees {
        let TokenTree::Group(group) = tree else {
            output.push(tree);
            continue;
        };
        let name = group.stream().into_iter().next();
        let dropped = matches!(&name, Some(TokenTree::Ident(name)) if DROPPED.iter().any(|dropped| name == dropped));
        // With a variable inside it is something that the macro matches or passes on.
        let is_literal = !group.stream().into_iter().any(|tree| is_punct(Some(&tree), '$'));
        if dropped && is_literal && group.delimiter() == Delimiter::Bracket && is_punct(output.last(), '#') {
            output.pop();
            continue;
        }
        output.push(Group::new(group.delimiter(), without_comments(group.stream())).into());
    }
    output.into_iter().collect()
}
