//! From `proc_macro2`'s spans, which count characters of what was lexed, to byte ranges of the file.

use proc_macro2::LineColumn;
use serde::{Deserialize, Serialize};

use crate::{LineIndex, Span};

/// Where the tokens that are being lowered come from.
pub(crate) enum Places<'text> {
    Source(SourcePlaces<'text>),
    Expansion(Origin<'text>),
}

/// Where the tokens of an expansion come from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    pub written: Written<'a>,
    /// The place of tokens that the macro itself put there.
    pub call_span: Span,
}

/// Where the tokens of a macro's call stand in its file.
#[derive(Clone, Copy, Debug)]
pub enum Written<'a> {
    /// One after the other, from this byte on.
    From(u32),
    /// In the text of a call that another expansion put together: its tokens one by one, in order.
    At(&'a [TokenPlace]),
}

/// A token of a call that an expansion made: where it stands in the call's text, in characters, and where it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenPlace {
    pub start: u32,
    pub end: u32,
    pub span: Span,
}

impl Origin<'_> {
    fn span(&self, span: proc_macro2::Span) -> Span {
        let range = span.byte_range();
        if range.is_empty() {
            return self.call_span;
        }
        match self.written {
            Written::From(offset) => Span { start: range.start as u32 + offset, end: range.end as u32 + offset },
            Written::At(places) => {
                let first = places.binary_search_by_key(&(range.start as u32), |place| place.start).ok();
                let last = places.binary_search_by_key(&(range.end as u32), |place| place.end).ok();
                match (first.and_then(|at| places.get(at)), last.and_then(|at| places.get(at))) {
                    (Some(first), Some(last)) if first.span.start <= last.span.end => first.span.to(last.span),
                    (Some(one), _) | (None, Some(one)) => one.span,
                    (None, None) => self.call_span,
                }
            }
        }
    }
}

/// `Span::byte_range` counts characters and remembers each answer in a tree, which costs as much as parsing. Lines and columns
/// are cheap to ask for, so bytes are computed from them.
pub(crate) struct SourcePlaces<'text> {
    /// What was lexed: the file without its byte order mark and shebang, or a piece of it.
    lexed: &'text str,
    /// Where that starts in the file.
    base: u32,
    /// Of what was lexed.
    lines: LineIndex,
}

impl<'text> SourcePlaces<'text> {
    pub(crate) fn new(lexed: &'text str, base: u32) -> SourcePlaces<'text> {
        SourcePlaces { lexed, base, lines: LineIndex::new(lexed) }
    }

    /// Columns count characters.
    fn byte(&self, place: LineColumn) -> u32 {
        // Tokens that were generated stand on line 0.
        let line = self.lines.line_start(place.line.max(1) as u32).unwrap_or_default();
        let rest = self.lexed.get(line as usize..).unwrap_or_default();
        let within = match rest.as_bytes().get(..place.column) {
            Some(before) if before.is_ascii() => place.column,
            _ => rest.char_indices().nth(place.column).map_or(rest.len(), |(at, _)| at),
        };
        self.base + line + within as u32
    }

    /// The identifier at a byte of the file, as it is written.
    fn word(&self, start: u32) -> Option<&str> {
        let rest = self.lexed.get((start - self.base) as usize..)?;
        let length = |text: &str| text.bytes().position(|byte| !is_part_of_word(byte)).unwrap_or(text.len());
        let raw = if rest.starts_with("r#") { 2 } else { 0 };
        rest.get(..raw + length(rest.get(raw..)?))
    }
}

/// Some characters that are not ASCII are none of a word: an identifier is compared with what this gives.
fn is_part_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

impl Places<'_> {
    pub(crate) fn span(&self, span: proc_macro2::Span) -> Span {
        match self {
            Places::Source(source) => Span { start: source.byte(span.start()), end: source.byte(span.end()) },
            Places::Expansion(origin) => origin.span(span),
        }
    }

    pub(crate) fn start(&self, span: proc_macro2::Span) -> u32 {
        match self {
            Places::Source(source) => source.byte(span.start()),
            Places::Expansion(_) => self.span(span).start,
        }
    }

    pub(crate) fn end(&self, span: proc_macro2::Span) -> u32 {
        match self {
            Places::Source(source) => source.byte(span.end()),
            Places::Expansion(_) => self.span(span).end,
        }
    }

    /// An identifier as it is written, and its place; `None` where another text stands there.
    pub(crate) fn ident(&self, ident: &proc_macro2::Ident) -> Option<(&str, Span)> {
        let Places::Source(source) = self else { return None };
        // Half as dear as asking for both ends.
        let start = source.byte(ident.span().start());
        let text = source.word(start).filter(|text| ident == text)?;
        Some((text, Span { start, end: start + text.len() as u32 }))
    }

    /// The place of an error. `syn` and `proc_macro2` say "call site" where input ends too early.
    pub(crate) fn error(&self, span: proc_macro2::Span) -> Span {
        match self {
            Places::Source(source) if span.byte_range() == (0..0) => {
                let end = source.base + source.lexed.len() as u32;
                Span { start: end, end }
            }
            _ => self.span(span),
        }
    }

    /// The text at a place of the file; `None` in an expansion.
    pub(crate) fn slice(&self, span: Span) -> Option<&str> {
        match self {
            Places::Source(source) => source.lexed.get((span.start - source.base) as usize..(span.end - source.base) as usize),
            Places::Expansion(_) => None,
        }
    }

    /// The source of a token or a delimited group; `None` where it was put together by an expansion.
    pub(crate) fn text(&self, span: proc_macro2::Span) -> Option<String> {
        match self {
            Places::Source(_) => self.slice(self.span(span)).map(str::to_owned),
            Places::Expansion(Origin { written: Written::From(_), .. }) => span.source_text(),
            Places::Expansion(_) => None,
        }
    }
}
