//! A coarse scan of Rust text for what the token stream does not tell: comments, and how deep tokens nest.

use crate::Span;

/// What the scanner sees; white space is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coarse<'text> {
    Comment(Span),
    /// A documentation comment: where the character stands that makes it one.
    Documentation(u32),
    Word(&'text str),
    Lifetime,
    /// A literal of any kind; a number may come in several pieces.
    Literal,
    Open,
    /// With the delimiter.
    Close(u8),
    /// With the byte that follows it immediately.
    Punct(u8, u8),
}

/// Walks a text once, from its start to its end. Broken text (an unclosed string) just ends.
pub(crate) struct Scanner<'text> {
    text: &'text str,
    at: usize,
}

impl<'text> Scanner<'text> {
    pub(crate) fn starting_at(text: &'text str, at: usize) -> Scanner<'text> {
        Scanner { text, at }
    }

    /// The byte offset behind the last token.
    pub(crate) fn offset(&self) -> u32 {
        self.at as u32
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    fn rest(&self) -> &'text [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn line_comment(&mut self) -> Coarse<'text> {
        let rest = self.rest();
        let start = self.at as u32;
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let carriage_return = usize::from(rest[..length].last() == Some(&b'\r'));
        let is_doc = rest.starts_with(b"//!") || rest.starts_with(b"///") && !rest.starts_with(b"////");
        self.at += length;
        if is_doc {
            return Coarse::Documentation(start + 2);
        }
        Coarse::Comment(Span { start, end: (self.at - carriage_return) as u32 })
    }

    fn block_comment(&mut self) -> Coarse<'text> {
        let rest = self.rest();
        let start = self.at as u32;
        let is_doc =
            rest.starts_with(b"/*!") || rest.starts_with(b"/**") && !rest.starts_with(b"/***") && !rest.starts_with(b"/**/");
        let mut depth = 0usize;
        let mut length = 0;
        while length < rest.len() {
            match &rest[length..] {
                [b'/', b'*', ..] => {
                    depth += 1;
                    length += 2;
                }
                [b'*', b'/', ..] => {
                    depth -= 1;
                    length += 2;
                    if depth == 0 {
                        break;
                    }
                }
                _ => length += 1,
            }
        }
        self.at += length;
        if is_doc {
            return Coarse::Documentation(start + 2);
        }
        Coarse::Comment(Span { start, end: self.at as u32 })
    }

    /// Passes what is left of a string or a character whose opening quote was passed.
    fn quoted(&mut self, quote: u8) -> Coarse<'text> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            self.at += 1;
            match *byte {
                b'\\' => self.at += 1,
                byte if byte == quote => break,
                _ => {}
            }
        }
        self.at = self.at.min(bytes.len());
        Coarse::Literal
    }

    /// Passes `#…#"…"#…#`, if it stands here.
    fn raw_string(&mut self) -> bool {
        let rest = self.rest();
        let hashes = rest.iter().take_while(|byte| **byte == b'#').count();
        if rest.get(hashes) != Some(&b'"') {
            return false;
        }
        let mut length = hashes + 1;
        let closes = |at: usize| rest[at..].iter().take(hashes).filter(|byte| **byte == b'#').count() == hashes;
        while length < rest.len() {
            length += 1;
            if rest[length - 1] == b'"' && closes(length) {
                length += hashes;
                break;
            }
        }
        self.at += length;
        true
    }

    fn word(&mut self) -> Coarse<'text> {
        let start = self.at;
        self.skip_word();
        let word = &self.text[start..self.at];
        match (word, self.byte(0)) {
            ("b" | "c", b'"') | ("b", b'\'') => {
                let quote = self.byte(0);
                self.at += 1;
                self.quoted(quote)
            }
            ("r" | "br" | "cr", b'"' | b'#') if self.raw_string() => Coarse::Literal,
            ("r", b'#') => {
                self.at += 1;
                self.skip_word();
                // Not a keyword, whatever it reads like.
                Coarse::Word("r#")
            }
            _ if word.as_bytes()[0].is_ascii_digit() => Coarse::Literal,
            _ => Coarse::Word(word),
        }
    }

    fn skip_word(&mut self) {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        self.at += self.rest().iter().take_while(|byte| is_part(byte)).count();
        if self.byte(0).is_ascii() {
            return;
        }
        let rest = &self.text[self.at..];
        self.at += rest.find(|character| !is_word(character)).unwrap_or(rest.len());
    }

    fn quote(&mut self) -> Coarse<'text> {
        self.at += 1;
        if self.byte(0) == b'\\' {
            return self.quoted(b'\'');
        }
        let character = self.text[self.at..].chars().next().map_or(0, char::len_utf8);
        if self.byte(character) == b'\'' {
            self.at += character + 1;
            return Coarse::Literal;
        }
        self.skip_word();
        Coarse::Lifetime
    }
}

impl<'text> Iterator for Scanner<'text> {
    type Item = Coarse<'text>;

    fn next(&mut self) -> Option<Coarse<'text>> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            match byte {
                b' ' | b'\t'..=b'\r' => self.at += 1,
                b'/' if self.byte(1) == b'/' => return Some(self.line_comment()),
                b'/' if self.byte(1) == b'*' => return Some(self.block_comment()),
                b'"' => {
                    self.at += 1;
                    return Some(self.quoted(b'"'));
                }
                b'\'' => return Some(self.quote()),
                b'(' | b'[' | b'{' => {
                    self.at += 1;
                    return Some(Coarse::Open);
                }
                b')' | b']' | b'}' => {
                    self.at += 1;
                    return Some(Coarse::Close(byte));
                }
                byte if byte.is_ascii_alphanumeric() || byte == b'_' => return Some(self.word()),
                byte if byte.is_ascii() => {
                    self.at += 1;
                    return Some(Coarse::Punct(byte, self.byte(0)));
                }
                _ => match self.text[self.at..].chars().next() {
                    Some(character) if is_word(character) => return Some(self.word()),
                    character => self.at += character.map_or(1, char::len_utf8),
                },
            }
        }
    }
}

/// Whatever is not ASCII counts as a letter, but for what `proc_macro2` takes for white space.
fn is_word(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric() || character == '_';
    }
    !character.is_whitespace() && !matches!(character, '\u{200e}' | '\u{200f}')
}
