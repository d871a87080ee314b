//! Walks over what stands between two pieces of code: space, comments, documentation and attributes.

pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trivia {
    Space {
        newlines: usize,
    },
    Comment,
    OuterDoc,
    InnerDoc,
    OuterAttribute,
    /// Also the `#!` line of a script.
    InnerAttribute,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str, offset: u32) -> Cursor<'a> {
        // An editor's byte order mark counts as space.
        let at = if offset == 0 && text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { offset as usize };
        Cursor { text, at: at.min(text.len()) }
    }

    pub(super) fn offset(&self) -> u32 {
        self.at as u32
    }

    pub(super) fn skip(&mut self, wanted: impl Fn(Trivia) -> bool) {
        loop {
            let before = self.at;
            match self.next() {
                Some(trivia) if wanted(trivia) => {}
                _ => {
                    self.at = before;
                    return;
                }
            }
        }
    }

    /// The next piece, walked over; `None` at code.
    pub(super) fn next(&mut self) -> Option<Trivia> {
        let rest = self.text.get(self.at..)?;
        let (length, trivia) = piece(rest, self.at == 0)?;
        self.at += length;
        Some(trivia)
    }
}

fn piece(rest: &str, at_start: bool) -> Option<(usize, Trivia)> {
    let space = rest.len() - rest.trim_start().len();
    if space > 0 {
        return Some((space, Trivia::Space { newlines: rest[..space].matches('\n').count() }));
    }
    if rest.starts_with("//") {
        let length = rest.find('\n').unwrap_or(rest.len());
        return Some((length, kind_of_comment(rest, "///", "////", "//!")));
    }
    if rest.starts_with("/*") {
        // `/**/` is empty, not documentation.
        let kind = if rest.starts_with("/**/") { Trivia::Comment } else { kind_of_comment(rest, "/**", "/***", "/*!") };
        return Some((block_comment(rest), kind));
    }
    if rest.starts_with("#![") {
        return Some((brackets(rest), Trivia::InnerAttribute));
    }
    if at_start && rest.starts_with("#!") {
        return Some((rest.find('\n').unwrap_or(rest.len()), Trivia::InnerAttribute));
    }
    rest.starts_with("#[").then(|| (brackets(rest), Trivia::OuterAttribute))
}

fn kind_of_comment(rest: &str, outer: &str, rule: &str, inner: &str) -> Trivia {
    match () {
        () if rest.starts_with(inner) => Trivia::InnerDoc,
        () if rest.starts_with(outer) && !rest.starts_with(rule) => Trivia::OuterDoc,
        () => Trivia::Comment,
    }
}

/// The length of a block comment; they nest.
fn block_comment(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") => (at, depth) = (at + 2, depth + 1),
            Some(b"*/") => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The length up to the bracket that closes the first one; brackets in strings do not count.
fn brackets(rest: &str) -> usize {
    let (mut depth, mut in_string, mut escaped) = (0_u32, false, false);
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' => depth += 1,
            b']' if depth == 1 => return at + 1,
            b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces() {
        use Trivia::*;
        let text = "#!/bin/x\n//! d\n#![a(\"]\")]\n\n// c\n//// r\n/* a /* b */ c *//** d *//// e\n#[f([1])]\ncode";
        let mut cursor = Cursor::new(text, 0);
        let found: Vec<_> =
            std::iter::from_fn(|| cursor.next()).filter(|piece| !matches!(piece, Space { newlines: 1 })).collect();
        let expected = [
            InnerAttribute,
            InnerDoc,
            InnerAttribute,
            Space { newlines: 2 },
            Comment,
            Comment,
            Comment,
            OuterDoc,
            OuterDoc,
            OuterAttribute,
        ];
        assert_eq!(found, expected);
        assert_eq!(&text[cursor.offset() as usize..], "code");
    }

    #[test]
    fn unclosed_pieces_end_with_the_text() {
        for text in ["/* a", "#[a", "#![\"", "// a", "/*"] {
            let mut cursor = Cursor::new(text, 0);
            assert!(cursor.next().is_some());
            assert_eq!(cursor.offset() as usize, text.len());
        }
    }
}
