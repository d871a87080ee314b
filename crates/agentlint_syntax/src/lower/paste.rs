//! `paste!`, which puts identifiers together: `[<get_ $name>]`, `[<$name:camel Builder>]`.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use syn::Lit;

use super::{BodyLowering, Lowering, MACRO_DEPTH, unraw};
use crate::Bodies;
use crate::ast::{ExprId, ExprKind, ItemId};
use crate::skip::empty_bodies;

impl Lowering<'_> {
    /// Lowers the items that `call` gives; false where it gives something else.
    pub(crate) fn pasted_items(&mut self, call: &syn::Macro, into: &mut Vec<ItemId>) -> bool {
        if self.macro_depth >= MACRO_DEPTH || !puts_together(call) {
            return false;
        }
        let tokens = pasted(call.tokens.clone());
        let tokens = match self.bodies {
            // What is put together does not stand in the text.
            Bodies::Full | Bodies::WithoutTests | Bodies::InText => tokens,
            Bodies::Skip => empty_bodies(tokens, self.bodies),
        };
        let Ok(file) = syn::parse2::<syn::File>(tokens) else { return false };
        self.macro_depth += 1;
        into.extend(self.items(&file.items));
        self.macro_depth -= 1;
        true
    }
}

impl BodyLowering<'_, '_> {
    /// The expression or the block that `call` gives; `None` where it gives something else.
    pub(crate) fn pasted_expr(&mut self, call: &syn::Macro) -> Option<ExprId> {
        if !puts_together(call) {
            return None;
        }
        let tokens = pasted(call.tokens.clone());
        if let Ok(expr) = syn::parse2::<syn::Expr>(tokens.clone()) {
            return Some(self.expr(&expr));
        }
        let statements = syn::parse::Parser::parse2(syn::Block::parse_within, tokens).ok()?;
        let block = self.statements(&statements);
        let span = self.file.delimiters(call.delimiter.span());
        Some(self.add(ExprKind::Block(Box::new(block)), span))
    }
}

/// Whether it has anything to put together: a macro of the program's own may have the name too.
fn puts_together(call: &syn::Macro) -> bool {
    fn any(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|tree| match tree {
            TokenTree::Group(group) => put_together(&group).is_some() || any(group.stream()),
            _ => false,
        })
    }
    any(call.tokens.clone())
}

fn pasted(tokens: TokenStream) -> TokenStream {
    let mut out: Vec<TokenTree> = Vec::new();
    for tree in tokens {
        let TokenTree::Group(group) = &tree else {
            out.push(tree);
            continue;
        };
        let is_attribute = matches!(out.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == '#');
        let tree = match group.delimiter() {
            Delimiter::Bracket if is_attribute && is_documentation(group) => {
                // Also documentation is put together, which nobody asks for.
                out.pop();
                continue;
            }
            // One inside another does so itself.
            _ if is_paste(&out) => Some(tree.clone()),
            _ => put_together(group),
        };
        out.push(tree.unwrap_or_else(|| {
            let mut around = Group::new(group.delimiter(), pasted(group.stream()));
            around.set_span(group.span());
            TokenTree::Group(around)
        }));
    }
    out.into_iter().collect()
}

/// Whether what comes next is given to a `paste!`.
fn is_paste(before: &[TokenTree]) -> bool {
    matches!(before, [.., TokenTree::Ident(name), TokenTree::Punct(bang)] if name == "paste" && bang.as_char() == '!')
}

fn is_documentation(attribute: &Group) -> bool {
    matches!(attribute.stream().into_iter().next(), Some(TokenTree::Ident(ident)) if ident == "doc")
}

/// `[<…>]` as what it stands for; `None` of any other group.
fn put_together(group: &Group) -> Option<TokenTree> {
    if group.delimiter() != Delimiter::Bracket {
        return None;
    }
    let trees: Vec<TokenTree> = flat(group.stream());
    let [TokenTree::Punct(open), segments @ .., TokenTree::Punct(close)] = trees.as_slice() else { return None };
    if open.as_char() != '<' || close.as_char() != '>' {
        return None;
    }
    let mut text = String::new();
    let mut place = None;
    let mut segments = segments.iter().peekable();
    while let Some(segment) = segments.next() {
        let mut part = match segment {
            TokenTree::Ident(ident) => {
                place = place.or(Some(ident.span()));
                unraw(ident).to_string()
            }
            TokenTree::Literal(literal) => match Lit::new(literal.clone()) {
                Lit::Str(text) => text.value().replace('-', "_"),
                Lit::Int(number) => number.to_string(),
                Lit::Bool(value) => value.value.to_string(),
                Lit::Char(char) => char.value().to_string(),
                _ => return None,
            },
            _ => return None,
        };
        while segments.next_if(|tree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ':')).is_some() {
            let Some(TokenTree::Ident(modifier)) = segments.next() else { return None };
            part = modified(&part, &modifier.to_string())?;
        }
        text.push_str(&part);
    }
    ident(&text, place.unwrap_or_else(|| group.span())).map(TokenTree::Ident)
}

/// The trees, with those that a macro's variable was replaced by in their places.
fn flat(tokens: TokenStream) -> Vec<TokenTree> {
    let inner = |tree: TokenTree| match tree {
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => flat(group.stream()),
        tree => vec![tree],
    };
    tokens.into_iter().flat_map(inner).collect()
}

/// As `paste` does it: <https://docs.rs/paste/1.0.15/paste/#case-conversion>.
fn modified(part: &str, modifier: &str) -> Option<String> {
    let mut changed = String::new();
    let mut previous = '_';
    match modifier {
        "lower" => return Some(part.to_lowercase()),
        "upper" => return Some(part.to_uppercase()),
        "snake" => {
            for char in part.chars() {
                if char.is_uppercase() && previous != '_' {
                    changed.push('_');
                }
                changed.extend(char.to_lowercase());
                previous = char;
            }
        }
        "camel" => {
            for char in part.chars() {
                match (char, previous) {
                    ('_', _) => {}
                    (_, '_') => changed.extend(char.to_uppercase()),
                    _ if previous.is_uppercase() => changed.extend(char.to_lowercase()),
                    _ => changed.push(char),
                }
                previous = char;
            }
        }
        _ => return None,
    }
    Some(changed)
}

/// `None` where `text` is no identifier.
fn ident(text: &str, place: Span) -> Option<Ident> {
    let mut trees = text.parse::<TokenStream>().ok()?.into_iter();
    match (trees.next(), trees.next()) {
        (Some(TokenTree::Ident(mut ident)), None) => {
            ident.set_span(place);
            Some(ident)
        }
        _ => None,
    }
}
