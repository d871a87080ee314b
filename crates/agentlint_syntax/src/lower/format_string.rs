//! What a format string shows, and through which trait.

use crate::ast::Shown;

/// What a placeholder refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatSubject<'a> {
    /// The argument after the last one that `{}` took.
    Next,
    Position(usize),
    Name(&'a str),
}

/// A `{}` of a format string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placeholder<'a> {
    /// Where its brace opens, in bytes.
    pub at: usize,
    pub subject: FormatSubject<'a>,
    /// `None` where neither `Display` nor `Debug` shows it.
    pub shown: Option<Shown>,
}

/// The placeholders of a format string, in order.
pub fn placeholders(text: &str) -> Vec<Placeholder<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let opens = text.len() - rest.len() + at;
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('{') {
            rest = after;
            continue;
        }
        let Some(end) = rest.find('}') else { break };
        let (subject, shown) = placeholder(&rest[..end]);
        found.push(Placeholder { at: opens, subject, shown });
        rest = &rest[end + 1..];
    }
    found
}

fn placeholder(text: &str) -> (FormatSubject<'_>, Option<Shown>) {
    let (subject, how) = text.split_once(':').unwrap_or((text, ""));
    let subject = match subject.trim() {
        "" => FormatSubject::Next,
        position if position.bytes().all(|byte| byte.is_ascii_digit()) => {
            position.parse().map_or(FormatSubject::Name(position), FormatSubject::Position)
        }
        name => FormatSubject::Name(name),
    };
    let shown = match how.trim_end().bytes().last() {
        Some(b'?') => Some(Shown::Debug),
        Some(b'x' | b'X' | b'o' | b'b' | b'e' | b'E' | b'p') => None,
        _ => Some(Shown::Display),
    };
    (subject, shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_placeholder_has_its_subject_and_trait() {
        let found = placeholders("{{no}} {} {0:?} {name:>8} {other:#?} {:x} {1:.2} {");
        let expected = [
            (FormatSubject::Next, Some(Shown::Display)),
            (FormatSubject::Position(0), Some(Shown::Debug)),
            (FormatSubject::Name("name"), Some(Shown::Display)),
            (FormatSubject::Name("other"), Some(Shown::Debug)),
            (FormatSubject::Next, None),
            (FormatSubject::Position(1), Some(Shown::Display)),
        ];
        assert_eq!(found.iter().map(|one| (one.subject, one.shown)).collect::<Vec<_>>(), expected);
        assert_eq!(found.iter().map(|one| one.at).collect::<Vec<_>>(), [7, 10, 16, 26, 37, 42]);
    }
}
