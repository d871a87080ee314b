//! What a format string shows, and through which trait.

use crate::ast::Shown;

/// What a placeholder refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject<'a> {
    /// The argument after the last one that `{}` took.
    Next,
    Position(usize),
    Name(&'a str),
}

/// The placeholders of a format string, in order; those that neither `Display` nor `Debug` shows are passed by.
pub(crate) fn placeholders(text: &str) -> Vec<(Subject<'_>, Option<Shown>)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('{') {
            rest = after;
            continue;
        }
        let Some(end) = rest.find('}') else { break };
        found.push(placeholder(&rest[..end]));
        rest = &rest[end + 1..];
    }
    found
}

fn placeholder(text: &str) -> (Subject<'_>, Option<Shown>) {
    let (subject, how) = text.split_once(':').unwrap_or((text, ""));
    let subject = match subject.trim() {
        "" => Subject::Next,
        position if position.bytes().all(|byte| byte.is_ascii_digit()) => {
            position.parse().map_or(Subject::Name(position), Subject::Position)
        }
        name => Subject::Name(name),
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
        let expected = vec![
            (Subject::Next, Some(Shown::Display)),
            (Subject::Position(0), Some(Shown::Debug)),
            (Subject::Name("name"), Some(Shown::Display)),
            (Subject::Name("other"), Some(Shown::Debug)),
            (Subject::Next, None),
            (Subject::Position(1), Some(Shown::Display)),
        ];
        assert_eq!(found, expected);
    }
}
