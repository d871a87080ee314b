//! Functions without their bodies, for callers that want signatures: a body then costs only its lexing.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};

use crate::Bodies;

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

/// Replaces the bodies of the functions that stand in `items`, also in impls, traits, modules and extern blocks, and the values
/// of constants and statics, by `_`, which no body is. Where bodies are to be left in the text, those stay that may declare items.
pub(crate) fn empty_bodies(items: TokenStream, bodies: Bodies) -> TokenStream {
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
                        let is_end = |tree: &TokenTree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ';');
                        let value = std::iter::from_fn(|| trees.next_if(|tree| !is_end(tree)));
                        let value: Vec<TokenTree> = value.collect();
                        let declares = |tree: &TokenTree| matches!(tree, TokenTree::Group(group) if may_declare(group));
                        match bodies == Bodies::InText && value.iter().any(declares) {
                            true => kept.extend(value),
                            false => kept.extend(left_out()),
                        }
                        continue;
                    }
                    _ => {}
                }
                TokenTree::Punct(punct)
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && angles == 0 => {
                TokenTree::Group(match std::mem::replace(&mut expected, Expected::Nothing) {
                    Expected::FunctionBody if bodies == Bodies::InText && may_declare(&group) => group,
                    Expected::FunctionBody => with_contents(&group, left_out()),
                    Expected::Items => with_contents(&group, empty_bodies(group.stream(), bodies)),
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

/// Leaves bodies in the text, as [`empty_bodies`] does, but only in the items of a file that stand under `#[cfg(test)]`.
pub(crate) fn empty_test_bodies(items: TokenStream) -> TokenStream {
    let mut kept = Vec::new();
    let mut trees = items.into_iter().peekable();
    while let Some(tree) = trees.next() {
        let is_test = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '#') && trees.peek().is_some_and(is_cfg_test);
        kept.push(tree);
        if !is_test {
            continue;
        }
        let mut is_over = false;
        let item = std::iter::from_fn(|| {
            let tree = if is_over { None } else { trees.next() }?;
            is_over = match &tree {
                TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                TokenTree::Punct(punct) => punct.as_char() == ';',
                _ => false,
            };
            Some(tree)
        });
        kept.extend(empty_bodies(item.collect(), Bodies::InText));
    }
    kept.into_iter().collect()
}

/// `[cfg(test)]`
fn is_cfg_test(tree: &TokenTree) -> bool {
    let is = |tree: Option<TokenTree>, word: &str| matches!(tree, Some(TokenTree::Ident(ident)) if ident == word);
    let TokenTree::Group(attribute) = tree else { return false };
    let mut inside = attribute.stream().into_iter();
    if !is(inside.next(), "cfg") {
        return false;
    }
    let (Some(TokenTree::Group(predicate)), None) = (inside.next(), inside.next()) else { return false };
    let mut inside = predicate.stream().into_iter();
    is(inside.next(), "test") && inside.next().is_none()
}

fn left_out() -> TokenStream {
    TokenTree::Ident(Ident::new("_", Span::call_site())).into()
}

/// Whether a function's body was left out.
pub(crate) fn is_left_out(block: &syn::Block) -> bool {
    matches!(block.stmts.as_slice(), [syn::Stmt::Expr(syn::Expr::Infer(_), None)])
}

/// Whether a body may declare items: its text has a word that begins one. A word of a comment or a string costs a body too many.
fn may_declare(body: &Group) -> bool {
    let Some(text) = body.span().source_text() else { return true };
    let mut before = "";
    words(&text).any(|(start, word)| {
        let next = text[start + word.len()..].trim_start();
        let is_pointer = text[..start].ends_with('*');
        let last = std::mem::replace(&mut before, word);
        match word {
            "use" | "impl" | "extern" | "macro_rules" => true,
            "fn" | "struct" | "enum" | "union" | "trait" | "type" | "mod" | "macro" => next.starts_with(is_word),
            "const" => !is_pointer && next.starts_with(is_word),
            "static" => last != "dyn" && !text[..start].ends_with('\'') && next.starts_with(is_word),
            _ => false,
        }
    })
}

/// The words of a text with where they start.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split(|c: char| !is_word(c))
        .filter(|word| !word.is_empty())
        .map(|word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
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

#[cfg(test)]
mod tests {
    use crate::ast::{ItemKind, SourceFile};
    use crate::{Bodies, ParseOptions, parse};

    const TEXT: &str = r#"
fn kept() { work(); }
const KEPT: u8 = 1 + 2;
#[cfg(test)]
#[allow(dead_code)]
mod tests {
    use super::*;
    static LEFT: u8 = { 3 };
    struct Fake;
    impl Fake { fn left(&self) { work(); } }
    #[test]
    fn left() { assert!(true); }
    fn declaring() { use std::fs; fs::read("a"); }
}
#[cfg(test)]
fn left_too() -> u8 { 4 }
#[cfg(not(test))]
fn kept_too() { work(); }
"#;

    fn names(file: &SourceFile) -> Vec<(&str, &str, bool)> {
        let of = |item: &crate::ast::Item| {
            let body = match &item.kind {
                ItemKind::Function(function) => function.body,
                ItemKind::Const(constant) => constant.body,
                ItemKind::Static(item) => item.body,
                _ => None,
            };
            body.is_some()
        };
        file.items.iter().map(|item| (item.name.as_str(), item.span.of(TEXT), of(item))).collect()
    }

    #[test]
    fn tests_are_left_out_and_all_else_is_as_it_was() {
        let full = parse(TEXT, &ParseOptions { bodies: Bodies::Full });
        let without = parse(TEXT, &ParseOptions { bodies: Bodies::WithoutTests });
        let (full, without) = (names(&full), names(&without));
        let left: Vec<_> = full.iter().filter(|item| !without.contains(item)).map(|(name, ..)| *name).collect();
        // Imports and impls have no name.
        assert_eq!(left, ["", "LEFT", "Fake", "left", "", "left", "", "declaring", "left_too"]);
        assert_eq!(
            without.iter().map(|(name, _, has_body)| (*name, *has_body)).collect::<Vec<_>>(),
            [("kept", true), ("KEPT", true), ("tests", false), ("left_too", false), ("kept_too", true)]
        );
    }

    #[test]
    fn bodies_of_a_test_module_in_one_line_are_left_in_the_text() {
        let text = "#[cfg(test)] mod tests { fn é() { work(); } } fn kept() { work(); }";
        let file = parse(text, &ParseOptions { bodies: Bodies::WithoutTests });
        let spans: Vec<&str> = file.items.iter().map(|item| item.name_span.of(text)).collect();
        assert_eq!(spans, ["é", "tests", "kept"], "what is inside comes first");
    }
}
