//! std's unstable syntax rewritten, on tokens, to what syn parses; only signatures come here, so that there is little of it.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

use super::cfg;
use super::raw_item::{after_visibility, is_punct};

/// Words in front of an item that say nothing about names and types.
const DROPPED_MODIFIERS: [&str; 4] = ["const", "default", "final", "safe"];

/// One item's tokens, without its attributes.
pub(super) fn item(tokens: TokenStream) -> TokenStream {
    let mut trees: Vec<TokenTree> = signature(tokens).into_iter().collect();
    let start = after_visibility(&trees, 0);
    let modifiers = trees[start..].iter().take_while(|tree| match tree {
        TokenTree::Ident(word) => {
            let word = word.to_string();
            DROPPED_MODIFIERS.contains(&word.as_str()) || matches!(word.as_str(), "unsafe" | "async" | "auto" | "extern")
        }
        TokenTree::Literal(_) => true,
        _ => false,
    });
    let end = start + modifiers.count();
    // `const NAME: T` is an item of its own; there `const` is followed by neither a modifier nor a keyword.
    let keyword = match trees.get(end) {
        Some(TokenTree::Ident(word)) => ["fn", "trait", "impl", "type", "static"].iter().any(|keyword| word == keyword),
        _ => false,
    };
    let dropped =
        |tree: &TokenTree| matches!(tree, TokenTree::Ident(word) if DROPPED_MODIFIERS.iter().any(|modifier| word == modifier));
    let is_default = |tree: &TokenTree| matches!(tree, TokenTree::Ident(word) if word == "default" || word == "final");
    for index in (start..end).rev() {
        if (keyword && dropped(&trees[index])) || is_default(&trees[index]) {
            trees.remove(index);
        }
    }
    // A restricted visibility says `pub(in path)` with paths that the index does not keep.
    if start == 2 {
        let restricted: TokenStream = quote::quote!((crate));
        trees.splice(1..2, restricted);
    }
    trees.into_iter().collect()
}

/// Drops `[const]`, `~const`, `const` in front of a bound, and undelimited groups, at any depth.
fn signature(tokens: TokenStream) -> TokenStream {
    let mut flat = Vec::new();
    flatten(tokens, &mut flat);
    let mut output: Vec<TokenTree> = Vec::with_capacity(flat.len());
    let mut position = 0;
    while position < flat.len() {
        let tree = &flat[position];
        position += 1;
        match tree {
            TokenTree::Group(group) if is_const_marker(group) => {}
            TokenTree::Ident(word) if word == "cfg_select" && is_punct(flat.get(position), '!') => {
                if let Some(TokenTree::Group(arms)) = flat.get(position + 1) {
                    output.extend(cfg::select(arms.stream()).into_iter().flatten());
                }
                position += 2;
            }
            TokenTree::Group(group) => output.push(Group::new(group.delimiter(), signature(group.stream())).into()),
            TokenTree::Punct(punct) if punct.as_char() == '~' && is_const(flat.get(position)) => position += 1,
            TokenTree::Ident(_) if is_const(Some(tree)) && in_front_of_bound(&output, flat.get(position)) => {}
            tree => output.push(tree.clone()),
        }
    }
    output.into_iter().collect()
}

fn flatten(tokens: TokenStream, output: &mut Vec<TokenTree>) {
    for tree in tokens {
        match tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => flatten(group.stream(), output),
            tree => output.push(tree),
        }
    }
}

fn is_const_marker(group: &Group) -> bool {
    let mut content = group.stream().into_iter();
    group.delimiter() == Delimiter::Bracket && is_const(content.next().as_ref()) && content.next().is_none()
}

fn is_const(tree: Option<&TokenTree>) -> bool {
    matches!(tree, Some(TokenTree::Ident(word)) if *word == Ident::new("const", Span::call_site()))
}

fn in_front_of_bound(before: &[TokenTree], next: Option<&TokenTree>) -> bool {
    let starts_bound = match next {
        Some(TokenTree::Ident(word)) => word != "fn" && word != "unsafe" && word != "extern",
        Some(TokenTree::Punct(punct)) => matches!(punct.as_char(), ':' | '!' | '?'),
        _ => false,
    };
    let last = before.last();
    let arrow = before.len() > 1 && (is_punct(before.get(before.len() - 2), '-') || is_punct(before.get(before.len() - 2), '='));
    let opens = match last {
        Some(TokenTree::Ident(word)) => word == "impl" || word == "dyn",
        Some(TokenTree::Punct(punct)) => match punct.as_char() {
            ':' | '+' => true,
            '>' => !arrow,
            _ => false,
        },
        _ => false,
    };
    starts_bound && opens
}
