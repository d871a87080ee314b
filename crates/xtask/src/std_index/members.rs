//! What is left of the items inside an `impl` or a trait: signatures that a user of the crate can name.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

use super::attributes::{Angles, resolve_inside};
use super::normalize;
use super::raw_item::{RawItem, RawKind, after_visibility, is_punct, with_body};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Trait,
    TraitImpl,
    InherentImpl,
}

impl Owner {
    pub(super) fn of(container: &RawItem) -> Owner {
        match container.kind {
            RawKind::Trait => Owner::Trait,
            _ if names_a_trait(&container.tokens) => Owner::TraitImpl,
            _ => Owner::InherentImpl,
        }
    }

    /// The member as it is written into the index.
    pub(super) fn member(self, member: &RawItem) -> Option<TokenStream> {
        let public = after_visibility(&member.tokens, 0) == 1;
        let tokens = match (&member.kind, self) {
            (_, Owner::InherentImpl) if !public => return None,
            // The trait has the signatures.
            (RawKind::Function, Owner::TraitImpl) => return None,
            (RawKind::Function, _) => with_body(&member.tokens, TokenStream::new()),
            (RawKind::Constant(Some(value)), _) => constant(&member.tokens, *value),
            _ => member.tokens.iter().cloned().collect(),
        };
        let attributes = member.attributes.kept();
        let tokens = normalize::item(resolve_inside(tokens));
        Some(quote!(#attributes #tokens))
    }
}

/// A constant with the shortest value that parses.
pub(super) fn constant(tokens: &[TokenTree], value: usize) -> TokenStream {
    let declaration = &tokens[..value];
    quote!(#(#declaration)* = 0;)
}

/// Attributes inside the head of an `impl` or trait, whose body was handled member by member.
pub(super) fn resolve_head(tokens: TokenStream) -> TokenStream {
    let mut trees: Vec<TokenTree> = tokens.into_iter().collect();
    let body = trees.pop();
    let head = resolve_inside(trees.into_iter().collect());
    quote!(#head #body)
}

/// Whether an `impl`'s head has a `for` that is not the one of `for<'a>`.
fn names_a_trait(tokens: &[TokenTree]) -> bool {
    let mut angles = Angles::default();
    tokens.iter().enumerate().any(|(index, tree)| {
        angles.see(tree);
        angles.outside() && matches!(tree, TokenTree::Ident(word) if word == "for") && !is_punct(tokens.get(index + 1), '<')
    })
}
