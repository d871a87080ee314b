//! Functions without their bodies, for callers that want signatures: a body then costs only its lexing.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, TokenStream, TokenTree};

/// What the next brace group of an item holds.
#[derive(Clone, Copy, PartialEq)]
enum Expected {
    Nothing,
    FunctionBody,
    /// `impl`, `trait`, `mod` and `extern` hold items.
    Items,
    /// A constant or a static ahead of its `=`.
    Value,
}

/// Empties the bodies of the functions that stand in `items`, also in impls, traits, modules and extern blocks, and drops the
/// values of constants and statics.
pub(crate) fn empty_bodies(items: TokenStream) -> TokenStream {
    let mut kept = Vec::new();
    let mut expected = Expected::Nothing;
    let mut trees = items.into_iter().peekable();
    // Inside `<…>` a `const` is a parameter and a brace group a constant.
    let mut angles = 0u32;
    let mut previous = ' ';
    while let Some(tree) = trees.next() {
        let tree = match tree {
            TokenTree::Ident(ident) => {
                match trees.peek() {
                    Some(TokenTree::Ident(next)) if ident == "fn" && next != "fn" => expected = Expected::FunctionBody,
                    Some(TokenTree::Ident(next)) if expected == Expected::Nothing && angles == 0 && is_value(&ident, next) => {
                        expected = Expected::Value;
                    }
                    _ if expected == Expected::Nothing && opens_items(&ident) => expected = Expected::Items,
                    _ => {}
                }
                TokenTree::Ident(ident)
            }
            TokenTree::Punct(punct) => {
                match punct.as_char() {
                    ';' => (expected, angles) = (Expected::Nothing, 0),
                    '<' => angles += 1,
                    '>' if !matches!(previous, '-' | '=') => angles = angles.saturating_sub(1),
                    '=' if expected == Expected::Value && angles == 0 && is_assignment(&punct, trees.peek()) => {
                        expected = Expected::Nothing;
                        kept.push(TokenTree::Punct(punct));
                        let semicolon = trees.find(|tree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ';'));
                        kept.push(TokenTree::Ident(Ident::new("_", proc_macro2::Span::call_site())));
                        kept.extend(semicolon);
                        continue;
                    }
                    _ => {}
                }
                TokenTree::Punct(punct)
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && angles == 0 => {
                TokenTree::Group(match std::mem::replace(&mut expected, Expected::Nothing) {
                    Expected::FunctionBody => with_contents(&group, TokenStream::new()),
                    Expected::Items => with_contents(&group, empty_bodies(group.stream())),
                    Expected::Nothing | Expected::Value => group,
                })
            }
            tree => tree,
        };
        previous = match &tree {
            TokenTree::Punct(punct) => punct.as_char(),
            _ => ' ',
        };
        kept.push(tree);
    }
    kept.into_iter().collect()
}

/// The same group around other tokens.
pub(crate) fn with_contents(group: &Group, contents: TokenStream) -> Group {
    let mut changed = Group::new(group.delimiter(), contents);
    changed.set_span(group.span());
    changed
}

pub(crate) fn opens_items(word: &Ident) -> bool {
    ["impl", "trait", "mod", "extern"].iter().any(|opener| word == opener)
}

/// `const NAME` or `static NAME`, but not `const fn`.
fn is_value(word: &Ident, next: &Ident) -> bool {
    word == "static" || is_constant(word, next)
}

/// `const NAME`, but neither `const fn` nor `const trait`.
pub(crate) fn is_constant(word: &Ident, next: &Ident) -> bool {
    let others = ["fn", "unsafe", "async", "extern", "trait", "impl", "auto"];
    word == "const" && !others.iter().any(|other| next == other)
}

fn is_assignment(punct: &Punct, next: Option<&TokenTree>) -> bool {
    punct.spacing() == Spacing::Alone || !matches!(next, Some(TokenTree::Punct(next)) if matches!(next.as_char(), '=' | '>'))
}
