//! The comments in a case that say what must be reported, and where.
//!
//! | comment | meaning |
//! |---|---|
//! | `//~ id` | `id` is reported on this line |
//! | `//~^ id` | on the line above; `//~^^ id` two lines above |
//! | `//~\| id` | on the line that the mark before this one speaks of |
//! | `//~ id, other` | both; a lint that is reported twice on a line stands twice |
//! | `//~ id "text"` | its message also contains the text |
//! | `//~? id` | a known missed alarm: it should be reported, and is not |
//! | `//~! id` | a known false alarm: it should not be reported, and is |
//! | `//~v id` | on the line below; `//~vv id` two lines below |
//!
//! Where comments begin with `#`, marks begin with `#~`. A Dockerfile has no comments at the end of a line, so that its marks stand
//! above or below.

use std::fmt;

/// What one mark says of one lint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// As given to [`marks`].
    pub file: String,
    /// The line that the mark speaks of, from 1.
    pub line: u32,
    /// The line that the mark is written on, from 1.
    pub written_on: u32,
    pub lint: String,
    pub kind: MarkKind,
    /// What the message must contain.
    pub text: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    Expected,
    /// Asserted to be missed, so that the test says when it no longer is.
    MissedAlarm,
    /// Asserted to be reported, so that the test says when it no longer is.
    FalseAlarm,
}

/// A comment that begins like a mark and is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkError {
    pub file: String,
    /// From 1.
    pub line: u32,
    pub reason: String,
}

impl fmt::Display for MarkError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.file, self.line, self.reason)
    }
}

impl std::error::Error for MarkError {}

/// The marks of a file's text, in the order in which they are written.
///
/// `file` is only carried along; any name that tells the files of a test apart will do.
pub fn marks(file: &str, source: &str) -> Result<Vec<Mark>, MarkError> {
    marks_after(OPENING, file, source)
}

/// The same for a file whose comments begin with `#`.
pub fn hash_marks(file: &str, source: &str) -> Result<Vec<Mark>, MarkError> {
    marks_after(HASH_OPENING, file, source)
}

fn marks_after(opening: &str, file: &str, source: &str) -> Result<Vec<Mark>, MarkError> {
    let mut found: Vec<Mark> = Vec::new();
    for (index, line) in source.lines().enumerate() {
        let Some(start) = line.rfind(opening) else { continue };
        let written_on = line_number(index);
        let error = |reason: &str| MarkError { file: file.to_owned(), line: written_on, reason: reason.to_owned() };
        let parsed = parse(&line[start + opening.len()..]).map_err(|reason| error(&reason))?;
        let target = match parsed.place {
            Place::Above(lines) => written_on.checked_sub(lines).filter(|line| *line > 0),
            Place::Below(lines) => written_on.checked_add(lines),
            Place::AsBefore => found.last().map(|mark| mark.line),
        };
        let target = target.ok_or_else(|| error("there is no such line before this mark"))?;
        found.extend(parsed.lints.into_iter().map(|lint| Mark {
            file: file.to_owned(),
            line: target,
            written_on,
            lint,
            kind: parsed.kind,
            text: parsed.text.clone(),
        }));
    }
    Ok(found)
}

const OPENING: &str = "//~";
pub(crate) const HASH_OPENING: &str = "#~";

/// Where the mark of a line begins, in bytes.
pub(crate) fn mark_start(line: &str) -> Option<usize> {
    line.rfind(OPENING)
}

pub(crate) fn line_number(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap_or(u32::MAX)
}

struct Parsed {
    place: Place,
    kind: MarkKind,
    lints: Vec<String>,
    text: Option<String>,
}

enum Place {
    Above(u32),
    Below(u32),
    AsBefore,
}

fn parse(comment: &str) -> Result<Parsed, String> {
    let (place, rest) = match comment.strip_prefix('|') {
        Some(rest) => (Place::AsBefore, rest),
        None if lines_below(comment) > 0 => {
            let lines = lines_below(comment);
            (Place::Below(u32::try_from(lines).unwrap_or(u32::MAX)), &comment[lines..])
        }
        None => {
            let rest = comment.trim_start_matches('^');
            let carets = comment.len() - rest.len();
            (Place::Above(u32::try_from(carets).unwrap_or(u32::MAX)), rest)
        }
    };
    let (kind, rest) = match rest.chars().next() {
        Some('?') => (MarkKind::MissedAlarm, &rest[1..]),
        Some('!') => (MarkKind::FalseAlarm, &rest[1..]),
        _ => (MarkKind::Expected, rest),
    };
    let (ids, text) = split_text(rest)?;
    let lints: Vec<String> = ids.split([',', ' ', '\t']).filter(|id| !id.is_empty()).map(str::to_owned).collect();
    if let Some(wrong) = lints.iter().find(|id| !is_id(id)) {
        return Err(format!("`{wrong}` is no lint's id"));
    }
    if lints.is_empty() {
        return Err("the mark names no lint".to_owned());
    }
    Ok(Parsed { place, kind, lints, text })
}

/// How many `v` stand in front, unless an id begins with them.
fn lines_below(comment: &str) -> usize {
    let rest = comment.trim_start_matches('v');
    if rest.starts_with([' ', '?', '!']) { comment.len() - rest.len() } else { 0 }
}

fn split_text(rest: &str) -> Result<(&str, Option<String>), String> {
    let Some((ids, quoted)) = rest.split_once('"') else { return Ok((rest, None)) };
    match quoted.trim_end().strip_suffix('"') {
        Some(text) => Ok((ids, Some(text.to_owned()))),
        None => Err("the text of the mark does not end with a quotation mark".to_owned()),
    }
}

fn is_id(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_lowercase())
        && word.chars().all(|character| character.is_ascii_lowercase() || character == '_' || character.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brief(source: &str) -> Vec<(u32, String, MarkKind)> {
        marks("a.rs", source).unwrap().into_iter().map(|mark| (mark.line, mark.lint, mark.kind)).collect()
    }

    #[test]
    fn places() {
        let source = "one(); //~ a\ntwo();\n//~^ b\n//~^^ c\nfive(); //~ d\n//~| e";
        let expected = [(1, "a"), (2, "b"), (2, "c"), (5, "d"), (5, "e")];
        let expected: Vec<_> = expected.iter().map(|(line, lint)| (*line, (*lint).to_owned(), MarkKind::Expected)).collect();
        assert_eq!(brief(source), expected);
    }

    #[test]
    fn marks_behind_a_hash() {
        let source = "#~v a\none\ntwo #~ b\n#~^ c\n#~vv? d\nthree\nfour //~ e";
        let found: Vec<_> = hash_marks("a", source).unwrap().into_iter().map(|mark| (mark.line, mark.lint)).collect();
        assert_eq!(found, [(2, "a".to_owned()), (3, "b".to_owned()), (3, "c".to_owned()), (7, "d".to_owned())]);
    }

    #[test]
    fn several_lints_and_a_text() {
        let found = marks("a.rs", "f(g()); //~ blocking_fs, blocking_db blocking_fs \"reads a file\"").unwrap();
        let lints: Vec<_> = found.iter().map(|mark| mark.lint.as_str()).collect();
        assert_eq!(lints, ["blocking_fs", "blocking_db", "blocking_fs"]);
        assert!(found.iter().all(|mark| mark.text.as_deref() == Some("reads a file")));
    }

    #[test]
    fn known_gaps() {
        assert_eq!(brief("f(); //~? a"), [(1, "a".to_owned(), MarkKind::MissedAlarm)]);
        assert_eq!(brief("f();\n//~^! a"), [(1, "a".to_owned(), MarkKind::FalseAlarm)]);
    }

    #[test]
    fn carriage_returns_do_not_matter() {
        assert_eq!(brief("f(); //~ a\r\ng(); //~ b\r\n").len(), 2);
    }

    #[test]
    fn what_is_no_mark_is_an_error() {
        for source in ["//~^ a", "f(); //~", "f(); //~ Upper", "//~| a", "f(); //~ a \"text"] {
            assert!(marks("a.rs", source).is_err(), "{source}");
        }
        assert_eq!(marks("a.rs", "\nf(); //~").unwrap_err().to_string(), "a.rs:2: the mark names no lint");
    }

    #[test]
    fn ordinary_comments_are_left_alone() {
        assert!(brief("// ~ a\n/// x ~ y\nlet url = \"https://example.org/\";").is_empty());
    }
}
