//! Tokens that an expansion put together, as text that can be lexed again without forgetting where its parts were written.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

use crate::TokenPlace;
use crate::places::Places;

/// The tokens as text, and where those of them that have a place stand.
pub(crate) fn printed(tokens: &TokenStream, places: &Places<'_>) -> (String, Vec<TokenPlace>) {
    let mut printer = Printer { places, text: String::new(), characters: 0, found: Vec::new() };
    printer.stream(tokens.clone());
    (printer.text, printer.found)
}

struct Printer<'a, 'text> {
    places: &'a Places<'text>,
    text: String,
    characters: u32,
    found: Vec<TokenPlace>,
}

impl Printer<'_, '_> {
    fn stream(&mut self, tokens: TokenStream) {
        for tree in tokens {
            match tree {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Brace => ("{", "}"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::None => ("", ""),
                    };
                    self.token(open, group.span_open(), true);
                    self.stream(group.stream());
                    self.token(close, group.span_close(), true);
                }
                TokenTree::Punct(punct) => {
                    let is_alone = punct.spacing() == Spacing::Alone;
                    self.token(punct.as_char().encode_utf8(&mut [0; 4]), punct.span(), is_alone);
                }
                TokenTree::Ident(ident) => self.token(&ident.to_string(), ident.span(), true),
                TokenTree::Literal(literal) => self.token(&literal.to_string(), literal.span(), true),
            }
        }
    }

    fn token(&mut self, token: &str, span: proc_macro2::Span, is_alone: bool) {
        if token.is_empty() {
            return;
        }
        let start = self.characters;
        self.text.push_str(token);
        self.characters += token.chars().count() as u32;
        // Tokens of the macro itself have an empty range.
        if !span.byte_range().is_empty() {
            self.found.push(TokenPlace { start, end: self.characters, span: self.places.span(span) });
        }
        if is_alone {
            self.text.push(' ');
            self.characters += 1;
        }
    }
}
