//! Walks over a shell text, character by character.

use super::{Joint, Places, Script, Simple, Word};
use crate::Span;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nested {
    Block,
    Case,
    Parenthesis,
}

/// Deeper texts are not read further.
const DEEPEST: usize = 200;

#[derive(Debug, Default)]
struct Current {
    words: Vec<Word>,
    has_assignments: bool,
    start: Option<usize>,
    end: usize,
    /// Between `for` and `do`, or `case` and `in`: not a command.
    is_header: bool,
    is_function: bool,
}

pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    places: Places,
    /// The character that joins lines, in a Dockerfile.
    escape: Option<char>,
    script: Script,
    nesting: Vec<Nested>,
    current: Current,
    before: Joint,
    here_documents: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, places: Places, escape: Option<char>) -> Reader<'a> {
        Reader {
            text,
            at: 0,
            places,
            escape,
            script: Script::default(),
            nesting: Vec::new(),
            current: Current::default(),
            before: Joint::Next,
            here_documents: Vec::new(),
        }
    }

    pub(super) fn read(mut self) -> Script {
        while let Some(byte) = self.peek(0) {
            if self.nesting.len() > DEEPEST {
                self.script.ends_in_compound = true;
                return self.script;
            }
            self.step(byte);
        }
        self.finish(Joint::Next);
        // What does not end is not understood.
        self.script.ends_in_compound |= !self.nesting.is_empty();
        self.script
    }

    fn step(&mut self, byte: u8) {
        match byte {
            b'\n' => {
                self.at += 1;
                self.finish(Joint::Next);
                self.skip_here_documents();
            }
            b' ' | b'\t' | b'\r' => self.at += 1,
            _ if self.skip_line_end() => {}
            b'#' => self.comment(),
            b';' => {
                self.at += 1;
                self.finish(Joint::Next);
            }
            b'&' if self.peek(1) == Some(b'>') => {
                self.at += 1;
                self.redirection();
            }
            b'&' if self.peek(1) == Some(b'&') => self.operator(2, Joint::And),
            b'&' => self.operator(1, Joint::Background),
            b'|' if self.peek(1) == Some(b'|') => self.operator(2, Joint::Or),
            b'|' if self.peek(1) == Some(b'&') => self.operator(2, Joint::Pipe),
            b'|' => self.operator(1, Joint::Pipe),
            b'(' => self.open_parenthesis(),
            b')' => {
                self.at += 1;
                self.finish(Joint::Next);
                match self.nesting.last() {
                    Some(Nested::Parenthesis) => self.close(),
                    // The end of a pattern.
                    _ => self.before = Joint::Next,
                }
            }
            b'<' | b'>' => self.redirection(),
            _ => self.word(),
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    fn operator(&mut self, length: usize, joint: Joint) {
        self.at += length;
        self.finish(joint);
    }

    /// Walks over an escaped line end, and in a Dockerfile over the comments and empty lines below it.
    fn skip_line_end(&mut self) -> bool {
        let rest = self.text.get(self.at..).unwrap_or("");
        let escapes = [self.escape.unwrap_or('\\'), '\\'];
        let Some(after) = rest.strip_prefix(escapes).map(|rest| rest.trim_start_matches([' ', '\t', '\r'])) else { return false };
        if !after.starts_with('\n') {
            return false;
        }
        self.at += rest.len() - after.len() + 1;
        while self.is_dockerfile_comment() {
            let line = self.text[self.at..].find('\n').map_or(self.text.len() - self.at, |length| length + 1);
            self.at += line;
        }
        true
    }

    fn is_dockerfile_comment(&self) -> bool {
        let Some(rest) = self.text.get(self.at..).filter(|_| self.escape.is_some()) else { return false };
        rest.trim_start_matches([' ', '\t', '\r']).starts_with(['#', '\n'])
    }

    fn comment(&mut self) {
        let length = self.text[self.at..].find('\n').unwrap_or(self.text.len() - self.at);
        let span = self.span(self.at, self.at + length);
        self.script.comments.push(span);
        self.at += length;
    }

    fn open_parenthesis(&mut self) {
        self.at += 1;
        let is_function = self.current.words.len() == 1 || self.current.is_function;
        if is_function && self.peek(0) == Some(b')') {
            self.at += 1;
            self.current = Current { is_function: true, ..Current::default() };
            return;
        }
        if self.nesting.last() == Some(&Nested::Case) && self.current.words.is_empty() {
            return;
        }
        self.finish(Joint::Next);
        self.nesting.push(Nested::Parenthesis);
    }

    fn close(&mut self) {
        self.nesting.pop();
        if self.nesting.is_empty() {
            self.script.ends_in_compound = true;
        }
        self.before = Joint::Next;
    }

    fn redirection(&mut self) {
        let start = self.at;
        while matches!(self.peek(0), Some(b'<' | b'>' | b'&' | b'|' | b'-')) {
            self.at += 1;
        }
        let operator = &self.text[start..self.at];
        let is_here_document = operator == "<<" || operator == "<<-";
        // `<(command)` is a word, and its command nobody's.
        while matches!(self.peek(0), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        if self.peek(0) == Some(b'(') {
            self.skip_balanced(b'(', b')');
            return;
        }
        let (_, text, _) = self.read_word();
        if is_here_document && !text.is_empty() {
            self.here_documents.push(text);
        }
    }

    fn skip_here_documents(&mut self) {
        for end in std::mem::take(&mut self.here_documents) {
            while self.at < self.text.len() {
                let line_end = self.text[self.at..].find('\n').map_or(self.text.len(), |length| self.at + length + 1);
                let is_end = self.text[self.at..line_end].trim() == end;
                self.at = line_end;
                if is_end {
                    break;
                }
            }
        }
    }

    fn word(&mut self) {
        let start = self.at;
        let (is_static, text, is_quoted) = self.read_word();
        if self.at == start {
            // Nothing that begins a word: walked over, so that reading ends.
            self.at += self.text[start..].chars().next().map_or(1, char::len_utf8);
            return;
        }
        // `2>` is a redirection.
        if text.bytes().all(|byte| byte.is_ascii_digit()) && !is_quoted && matches!(self.peek(0), Some(b'<' | b'>')) {
            return;
        }
        if self.current.words.is_empty() && !is_quoted && self.keyword(&text) {
            return;
        }
        if self.current.words.is_empty() && is_assignment(&text) {
            self.current.has_assignments = true;
            self.current.start.get_or_insert(start);
            return;
        }
        self.current.start.get_or_insert(start);
        self.current.end = self.at;
        let span = self.span(start, self.at);
        self.current.words.push(Word { span, text, is_static });
    }

    /// Whether the word in the place of a command is part of the grammar.
    fn keyword(&mut self, word: &str) -> bool {
        match word {
            "if" | "while" | "until" => self.nesting.push(Nested::Block),
            "for" | "select" => {
                self.nesting.push(Nested::Block);
                self.current.is_header = true;
            }
            "case" => {
                self.nesting.push(Nested::Case);
                self.current.is_header = true;
            }
            "{" => {
                self.nesting.push(Nested::Block);
                self.current.is_function = false;
            }
            "then" | "else" | "elif" | "do" | "!" => {}
            "in" if self.current.is_header => {}
            "function" => self.current.is_function = true,
            "fi" | "done" | "esac" | "}" => self.close(),
            // The name of a function, the variable of a loop, the value of a `case`.
            _ if self.current.is_header => {
                if self.nesting.last() == Some(&Nested::Case) {
                    self.skip_to_in();
                } else {
                    self.skip_to_line_end();
                }
                self.current = Current::default();
            }
            _ if self.current.is_function => {}
            _ => return false,
        }
        true
    }

    fn skip_to_in(&mut self) {
        let rest = &self.text[self.at..];
        let length = rest.find(" in").map_or(rest.len(), |at| at + " in".len());
        self.at += length;
    }

    fn skip_to_line_end(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.find(['\n', ';']).unwrap_or(rest.len());
    }

    /// Whether it is static, its text, and whether a part of it is quoted.
    fn read_word(&mut self) -> (bool, String, bool) {
        let (mut is_static, mut is_quoted, mut text) = (true, false, String::new());
        while let Some(byte) = self.peek(0) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' => break,
                b'\'' => {
                    is_quoted = true;
                    let rest = &self.text[self.at + 1..];
                    let length = rest.find('\'').unwrap_or(rest.len());
                    text.push_str(&rest[..length]);
                    self.at = (self.at + length + 2).min(self.text.len());
                }
                b'"' => {
                    is_quoted = true;
                    is_static &= self.double_quoted(&mut text);
                }
                b'$' | b'`' => {
                    is_static = false;
                    self.expansion(&mut text);
                }
                _ if self.skip_line_end() => {}
                b'\\' => {
                    self.at += 1;
                    self.push_char(&mut text);
                }
                b'*' | b'?' => {
                    is_static = false;
                    self.push_char(&mut text);
                }
                _ => self.push_char(&mut text),
            }
        }
        (is_static, text, is_quoted)
    }

    fn push_char(&mut self, text: &mut String) {
        if let Some(character) = self.text[self.at..].chars().next() {
            text.push(character);
            self.at += character.len_utf8();
        }
    }

    /// `false` where something in it is expanded.
    fn double_quoted(&mut self, text: &mut String) -> bool {
        let mut is_static = true;
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            match byte {
                b'"' => {
                    self.at += 1;
                    break;
                }
                _ if self.skip_line_end() => {}
                b'\\' if matches!(self.peek(1), Some(b'"' | b'\\' | b'$' | b'`')) => {
                    self.at += 1;
                    self.push_char(text);
                }
                b'$' | b'`' => {
                    is_static = false;
                    self.expansion(text);
                }
                _ => self.push_char(text),
            }
        }
        is_static
    }

    fn expansion(&mut self, text: &mut String) {
        let start = self.at;
        match (self.peek(0), self.peek(1)) {
            (Some(b'`'), _) => {
                let rest = &self.text[self.at + 1..];
                self.at += rest.find('`').map_or(rest.len() + 1, |length| length + 2);
            }
            (_, Some(b'{')) => {
                self.at += 1;
                self.skip_balanced(b'{', b'}');
            }
            (_, Some(b'(')) => {
                self.at += 1;
                self.skip_balanced(b'(', b')');
            }
            (_, Some(_)) => {
                self.at += 1;
                let rest = &self.text[self.at..];
                let name = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').len();
                // `$@`, `$1`, `$?`
                let special = usize::from(name == 0 && rest.starts_with(['@', '*', '#', '?', '-', '$', '!']));
                self.at += name.max(special);
            }
            _ => self.at += 1,
        }
        text.push_str(self.text.get(start..self.at).unwrap_or(""));
    }

    /// From the opening to behind its closing, or to the end.
    fn skip_balanced(&mut self, open: u8, close: u8) {
        let mut depth = 0_usize;
        let mut quote = None;
        while let Some(byte) = self.peek(0) {
            self.at += 1;
            match (byte, quote) {
                (b'\\', _) => self.at = (self.at + 1).min(self.text.len()),
                (b'\'' | b'"', None) => quote = Some(byte),
                (_, Some(opened)) if byte == opened => quote = None,
                (_, None) if byte == open => depth += 1,
                (_, None) if byte == close => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        break;
                    }
                }
                _ => {}
            }
        }
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
    }

    fn finish(&mut self, after: Joint) {
        let current = std::mem::take(&mut self.current);
        let Some(start) = current.start.filter(|_| !current.words.is_empty()) else {
            if current.is_function || current.is_header {
                self.current = Current { words: Vec::new(), start: None, ..current };
            } else if after != Joint::Next {
                // After a group: what is joined to it is not last for sure.
                self.before = after;
            }
            return;
        };
        let depth = self.nesting.len();
        if depth == 0 {
            self.script.ends_in_compound = false;
        }
        let span = self.span(start, current.end);
        let before = std::mem::replace(&mut self.before, after);
        // The background of one command is no bond to the next.
        if after == Joint::Background {
            self.before = Joint::Next;
        }
        let has_assignments = current.has_assignments;
        self.script.commands.push(Simple { words: current.words, has_assignments, span, depth, before, after });
    }

    fn span(&self, start: usize, end: usize) -> Span {
        match self.places {
            Places::From(offset) => Span { start: offset + start as u32, end: offset + end as u32 },
            Places::Whole(span) => span,
        }
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}
