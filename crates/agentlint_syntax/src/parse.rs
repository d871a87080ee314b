//! The way from a file's text to its facts.

use std::borrow::Cow;
use std::ops::Range;

use proc_macro2::TokenStream;

use crate::ast::{SourceFile, SyntaxError};
use crate::comments::comment;
use crate::limits::{self, Nesting};
use crate::lower::Lowering;
use crate::pieces::{self, Cuts};
use crate::places::{Places, SourcePlaces};
use crate::scanner::{Coarse, Scanner};
use crate::skip::{empty_bodies, empty_test_bodies};
use crate::test_modules::TestModules;
use crate::{LineIndex, Span, recover};

/// How a file is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParseOptions {
    pub bodies: Bodies,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bodies {
    #[default]
    Full,
    /// As `Full`, but for what stands in the open under `#[cfg(test)]`, for runs that no test is part of: modules are empty, and bodies
    /// are left in the text as with `InText`.
    WithoutTests,
    /// The bodies of functions and the values of constants and statics are left in the text unless they may declare items;
    /// [`crate::parse_body`] reads one when it is asked for.
    InText,
    /// Signatures only: every `body` is `None`, and what is declared inside bodies is not seen.
    Skip,
}

/// Reads one file. Broken input gives errors, and as much of the rest as can be read.
///
/// Needs a stack of [`crate::STACK_SIZE`]. Every `proc_macro2::Span` that the thread holds is invalid afterwards. Both hold for all
/// threads of the pool where it is called in one of rayon's: they help with large files.
pub fn parse(text: &str, options: &ParseOptions) -> SourceFile {
    let (base, lexed) = without_preamble(text);
    let mut file = SourceFile::default();
    if u32::try_from(text.len()).is_err() {
        file.errors.push(SyntaxError { message: "too large to be read".to_owned(), span: Span::default() });
    } else if let Some(left_out) = scan(text, base, options.bodies, &mut file) {
        let plain = left_out.from(lexed, base);
        let whole = Piece { text: lexed, plain: &plain, base };
        let read = pieces::read(whole, &left_out.cuts.found, options.bodies);
        file = SourceFile { comments: file.comments, ..read.unwrap_or_else(|| read_whole(whole, options.bodies)) };
    }
    file.lines = LineIndex::new(text).into();
    proc_macro2::extra::invalidate_current_thread_spans();
    file
}

/// A text that is lexed at once.
#[derive(Clone, Copy)]
pub(crate) struct Piece<'text, 'plain> {
    pub(crate) text: &'text str,
    /// The same, byte for byte, without documentation.
    pub(crate) plain: &'plain str,
    /// Where it starts in the file.
    pub(crate) base: usize,
}

/// Passes a byte order mark and a shebang line.
pub(crate) fn without_preamble(text: &str) -> (usize, &str) {
    let content = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is_shebang = content.strip_prefix("#!").is_some_and(|rest| {
        let mut scanner = Scanner::starting_at(rest, 0);
        let first = scanner.find(|token| !matches!(token, Coarse::Comment(_) | Coarse::Documentation(_)));
        // `#![…]` is an attribute.
        first != Some(Coarse::Open) || !rest[..scanner.offset() as usize].ends_with('[')
    });
    let content = match is_shebang {
        true => &content[content.find('\n').unwrap_or(content.len())..],
        false => content,
    };
    (text.len() - content.len(), content)
}

/// What of a text is not lexed, and where it may be cut.
pub(crate) struct LeftOut {
    /// The characters that make documentation of comments. As attributes that nobody asks for it costs up to half of all parsing.
    documentation: Vec<u32>,
    pub(crate) tests: Vec<Range<u32>>,
    pub(crate) cuts: Cuts,
}

/// Collects comments and finds what is to be left out; `None` when the text nests too deep to be parsed.
pub(crate) fn scan(text: &str, base: usize, bodies: Bodies, file: &mut SourceFile) -> Option<LeftOut> {
    let mut documentation = Vec::new();
    let mut tests = (bodies == Bodies::WithoutTests && text.contains(TESTS)).then(TestModules::default);
    let mut nesting = Nesting::new();
    let mut cuts = Cuts::new(base as u32);
    let mut scanner = Scanner::starting_at(text, base);
    while let Some(token) = scanner.next() {
        match token {
            Coarse::Comment(span) => {
                file.comments.push(comment(text, span));
                continue;
            }
            Coarse::Documentation(at) => {
                documentation.push(at);
                continue;
            }
            _ => {}
        }
        let end = scanner.offset();
        if nesting.feed(token).is_err() {
            file.errors
                .push(SyntaxError { message: limits::MESSAGE.to_owned(), span: Span { start: end.saturating_sub(1), end } });
            return None;
        }
        let depth = nesting.depth();
        if let Some(tests) = tests.as_mut().filter(|tests| depth == 0 || tests.is_reading()) {
            tests.feed(token, depth, end);
        }
        if depth <= 1 {
            cuts.feed(token, depth, end);
        }
    }
    let mut tests = tests.map(|tests| tests.contents).unwrap_or_default();
    // Columns count characters, so the line of a module's end has to stay as it is.
    tests.retain(|range| {
        let last = text[range.start as usize..range.end as usize].rsplit('\n').next();
        last.is_some_and(|last| last.trim().is_empty())
    });
    Some(LeftOut { documentation, tests, cuts })
}

impl LeftOut {
    /// The text without it, with everything else in its place.
    pub(crate) fn from<'text>(&self, text: &'text str, base: usize) -> Cow<'text, str> {
        if self.documentation.is_empty() && self.tests.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut bytes = text.as_bytes().to_vec();
        for at in &self.documentation {
            bytes[*at as usize - base] = b' ';
        }
        for range in &self.tests {
            // The lines stay: places are told by them.
            let contents = &mut bytes[range.start as usize - base..range.end as usize - base];
            contents.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        }
        String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
    }
}

/// The facts of a text that need not parse, but for its comments and lines.
pub(crate) fn read_whole(whole: Piece<'_, '_>, bodies: Bodies) -> SourceFile {
    let mut lowering = Lowering::new(Places::Source(SourcePlaces::new(whole.text, whole.base as u32)), bodies);
    if let Err(error) = read_piece(&mut lowering, whole, bodies) {
        let before = lowering.file.errors.len();
        for range in recover::cut(whole.text) {
            let base = whole.base + range.start;
            let piece = Piece { text: &whole.text[range.clone()], plain: &whole.plain[range], base };
            lowering.places = Places::Source(SourcePlaces::new(piece.text, base as u32));
            if let Err(error) = read_piece(&mut lowering, piece, bodies) {
                lowering.file.errors.push(error);
            }
        }
        if lowering.file.errors.len() == before {
            lowering.file.errors.push(error);
        }
    }
    lowering.finish()
}

/// The facts of a text that parses; `None` of any other.
pub(crate) fn read_valid(piece: Piece<'_, '_>, bodies: Bodies) -> Option<SourceFile> {
    let file = syn::parse2::<syn::File>(lex(piece.plain, bodies).ok()?).ok()?;
    let mut lowering = Lowering::new(Places::Source(SourcePlaces::new(piece.text, piece.base as u32)), bodies);
    lowering.whole(&file);
    Some(lowering.finish())
}

/// Lowers the items of `piece`; an error when it cannot even be lexed.
fn read_piece(lowering: &mut Lowering<'_>, piece: Piece<'_, '_>, bodies: Bodies) -> Result<(), SyntaxError> {
    let tokens = lex(piece.plain, bodies).map_err(|error| {
        let span = lowering.places.error(error.span());
        let rest = piece.text.get((span.start as usize).saturating_sub(piece.base)..).unwrap_or_default();
        SyntaxError { message: lex_message(rest).to_owned(), span }
    })?;
    match syn::parse2::<syn::File>(tokens) {
        Ok(file) => lowering.whole(&file),
        // Parsing took the tokens: a copy would cost every file what only a broken one needs.
        Err(_) => recover_items(lowering, lex(piece.plain, bodies).unwrap_or_default()),
    }
    Ok(())
}

fn recover_items(lowering: &mut Lowering<'_>, tokens: TokenStream) {
    let recovered = recover::items(tokens, &lowering.places);
    for error in recovered.errors {
        let span = lowering.places.error(error.span());
        lowering.file.errors.push(SyntaxError { message: error.to_string(), span });
    }
    lowering.broken_bodies = recovered.broken_bodies;
    lowering.file_attributes(&recovered.attributes);
    let items = lowering.items(&recovered.items);
    lowering.file.root.extend(items);
}

/// Without it a file has nothing that [`empty_test_bodies`] would empty, but for what rustfmt would write otherwise.
const TESTS: &str = "#[cfg(test)]";

/// Lexes into a span table that holds nothing else, which keeps looking up spans cheap.
fn lex(text: &str, bodies: Bodies) -> Result<TokenStream, proc_macro2::LexError> {
    proc_macro2::extra::invalidate_current_thread_spans();
    let tokens = text.parse::<TokenStream>()?;
    Ok(match bodies {
        Bodies::WithoutTests if text.contains(TESTS) => empty_test_bodies(tokens),
        Bodies::Full | Bodies::WithoutTests => tokens,
        Bodies::InText | Bodies::Skip => empty_bodies(tokens, bodies),
    })
}

/// `proc_macro2` tells where it stopped, but not why.
fn lex_message(rest: &str) -> &'static str {
    match rest.bytes().next() {
        Some(b'(' | b'[' | b'{') => "this delimiter is never closed",
        Some(b')' | b']' | b'}') => "this delimiter closes nothing",
        Some(b'"' | b'\'') => "this literal is never closed",
        _ => "this is no token of Rust",
    }
}
