//! What can be kept of a file that does not parse: the items that do, and the signatures of functions whose bodies do not.

use std::collections::HashSet;
use std::ops::Range;

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

use crate::places::Places;
use crate::skip::{is_constant, opens_items, with_contents};

/// How deep modules and impls are searched for what is broken in them: each level reads its tokens anew.
const DEPTH: u32 = 4;
/// The most errors that are told of one file.
const ERRORS: usize = 20;

/// What was kept.
pub(crate) struct Recovered {
    pub(crate) attributes: Vec<syn::Attribute>,
    pub(crate) items: Vec<syn::Item>,
    pub(crate) errors: Vec<syn::Error>,
    /// Where the bodies start that were emptied.
    pub(crate) broken_bodies: HashSet<u32>,
}

/// Parses the items of `tokens` one by one.
pub(crate) fn items(tokens: TokenStream, places: &Places<'_>) -> Recovered {
    let mut recovery = Recovery { places, errors: Vec::new(), broken_bodies: HashSet::new() };
    let (mut attributes, mut items) = (Vec::new(), Vec::new());
    for chunk in split(tokens) {
        if let Some(file) = recovery.keep::<syn::File>(chunk, 0).and_then(|kept| syn::parse2::<syn::File>(kept).ok()) {
            attributes.extend(file.attrs);
            items.extend(file.items);
        }
    }
    let Recovery { errors, broken_bodies, .. } = recovery;
    Recovered { attributes, items, errors, broken_bodies }
}

struct Recovery<'a, 'text> {
    places: &'a Places<'text>,
    errors: Vec<syn::Error>,
    broken_bodies: HashSet<u32>,
}

impl Recovery<'_, '_> {
    /// The item if it parses as a `T`, or as much of it as does.
    fn keep<T: syn::parse::Parse>(&mut self, chunk: Vec<TokenTree>, depth: u32) -> Option<TokenStream> {
        let chunk = without_const_impl(chunk);
        let tokens: TokenStream = chunk.iter().cloned().collect();
        let error = match syn::parse2::<T>(tokens.clone()) {
            Ok(_) => return Some(tokens),
            Err(error) => error,
        };
        match chunk.split_last() {
            Some((TokenTree::Group(group), header)) if group.delimiter() == Delimiter::Brace => {
                self.keep_header::<T>(header, group, depth, error)
            }
            // Semicolons too many are no item and no error.
            Some((TokenTree::Punct(punct), [])) if punct.as_char() == ';' => None,
            _ => {
                self.report(error);
                None
            }
        }
    }

    /// What comes before the braces of an item that does not parse because of `error`, with as much inside them as can be kept.
    fn keep_header<T: syn::parse::Parse>(
        &mut self,
        header: &[TokenTree],
        group: &Group,
        depth: u32,
        error: syn::Error,
    ) -> Option<TokenStream> {
        let with = |contents: TokenStream| -> TokenStream {
            header.iter().cloned().chain([TokenTree::Group(with_contents(group, contents))]).collect()
        };
        let opener = opener(header);
        if opener.is_none() || syn::parse2::<T>(with(TokenStream::new())).is_err() {
            self.report(error);
            return None;
        }
        match opener {
            Some(Opener::Items(word)) if depth < DEPTH => {
                let kept = with(self.members(&word, group, depth + 1));
                syn::parse2::<T>(kept.clone()).ok().map(|_| kept)
            }
            Some(Opener::Function) => {
                self.broken_bodies.insert(self.places.start(group.span()));
                self.report(error);
                Some(with(TokenStream::new()))
            }
            _ => {
                self.report(error);
                Some(with(TokenStream::new()))
            }
        }
    }

    fn members(&mut self, word: &Ident, group: &Group, depth: u32) -> TokenStream {
        let chunks = split(group.stream());
        let kept = chunks.into_iter().filter_map(|chunk| match word.to_string().as_str() {
            "impl" => self.keep::<syn::ImplItem>(chunk, depth),
            "trait" => self.keep::<syn::TraitItem>(chunk, depth),
            "extern" => self.keep::<syn::ForeignItem>(chunk, depth),
            _ => self.keep::<syn::File>(chunk, depth),
        });
        kept.collect()
    }

    fn report(&mut self, error: syn::Error) {
        if self.errors.len() < ERRORS {
            self.errors.push(error);
        }
    }
}

/// Takes the word out of `impl<…> const Trait for …`, as the standard library's sources have it.
fn without_const_impl(mut chunk: Vec<TokenTree>) -> Vec<TokenTree> {
    let is = |tree: &TokenTree, word: &str| matches!(tree, TokenTree::Ident(ident) if ident == word);
    let start = chunk.iter().position(|tree| is(tree, "impl")).unwrap_or(chunk.len());
    let at = (start + 1..chunk.len()).find(|at| {
        let before = &chunk[at - 1];
        // Not behind a `<` or a comma: that would be a parameter.
        is(&chunk[*at], "const") && (is(before, "impl") || matches!(before, TokenTree::Punct(punct) if punct.as_char() == '>'))
    });
    if let Some(at) = at {
        chunk.remove(at);
    }
    chunk
}

enum Opener {
    Function,
    Items(Ident),
}

/// What the words ahead of a brace group say of it.
fn opener(header: &[TokenTree]) -> Option<Opener> {
    let mut words = header.iter().enumerate().filter_map(|(at, tree)| match tree {
        TokenTree::Ident(ident) => Some((at, ident)),
        _ => None,
    });
    let mut found = None;
    words
        .find_map(|(at, word)| {
            if word == "fn" && matches!(header.get(at + 1), Some(TokenTree::Ident(_))) {
                return Some(Opener::Function);
            }
            if found.is_none() && opens_items(word) {
                found = Some(word.clone());
            }
            None
        })
        .or_else(|| found.map(Opener::Items))
}

/// Splits tokens where one item seems to end and the next to begin.
fn split(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut chunks = Vec::new();
    let mut chunk: Vec<TokenTree> = Vec::new();
    let mut trees = tokens.into_iter().peekable();
    while let Some(tree) = trees.next() {
        if let TokenTree::Ident(word) = &tree
            && begins_item(word)
            && chunk.last().is_some_and(ends_phrase)
        {
            chunks.push(std::mem::take(&mut chunk));
        }
        let ends = match &tree {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => {
                // Ahead of `,` or `>` it is an argument: `A<{ 1 }>`.
                let is_argument = matches!(trees.peek(), Some(TokenTree::Punct(punct)) if matches!(punct.as_char(), ',' | '>'));
                group.delimiter() == Delimiter::Brace && !is_argument && !ends_in_semicolon(&chunk)
            }
            _ => false,
        };
        chunk.push(tree);
        if ends {
            chunks.push(std::mem::take(&mut chunk));
        }
    }
    if !chunk.is_empty() {
        chunks.push(chunk);
    }
    chunks
}

fn begins_item(word: &Ident) -> bool {
    ["fn", "struct", "enum", "impl", "trait", "mod", "use", "static", "type", "pub"].iter().any(|begin| word == begin)
}

/// Whether nothing that an item begins with may follow `tree` inside one item.
fn ends_phrase(tree: &TokenTree) -> bool {
    match tree {
        TokenTree::Ident(word) => {
            let qualifiers = ["pub", "const", "async", "unsafe", "extern", "default", "safe", "for", "auto", "as", "dyn", "move"];
            !qualifiers.iter().any(|qualifier| word == qualifier)
        }
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    }
}

/// Whether an item that begins with `chunk` goes on behind a brace group.
fn ends_in_semicolon(chunk: &[TokenTree]) -> bool {
    let words: Vec<&Ident> = chunk
        .iter()
        .filter_map(|tree| match tree {
            TokenTree::Ident(word) => Some(word),
            _ => None,
        })
        .skip_while(|word| *word == "pub")
        .take(2)
        .collect();
    match words.as_slice() {
        [first, second] if is_constant(first, second) => true,
        [first, ..] => ["use", "static", "type"].iter().any(|word| first == word),
        [] => false,
    }
}

/// Cuts a text that cannot be lexed where an item seems to begin: at a line that starts with one in its first column, behind a
/// line that ends one.
pub(crate) fn cut(text: &str) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let (mut start, mut at) = (0, 0);
    let mut ended = false;
    for line in text.split_inclusive('\n') {
        let begins = line.starts_with(|character: char| character.is_ascii_alphabetic() || character == '#' || character == '/');
        if ended && begins {
            pieces.push(start..at);
            start = at;
        }
        at += line.len();
        if !line.trim().is_empty() {
            ended = line.trim_end().ends_with(['}', ';']);
        }
    }
    pieces.push(start..text.len());
    pieces
}
