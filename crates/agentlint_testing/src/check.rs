//! Compares what was reported with what the marks say.

use std::fmt::Write as _;

use crate::{Mark, MarkKind};

/// One finding, as far as a mark can speak of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The name that was given to [`marks`](crate::marks) for the same file.
    pub file: String,
    /// From 1.
    pub line: u32,
    pub lint: String,
    pub message: String,
}

/// `Ok` when exactly the marked findings are there; else one line for each difference, sorted by place.
///
/// A finding answers one mark: a lint that is reported twice on a line must be marked twice.
pub fn check(marks: &[Mark], findings: &[Finding]) -> Result<(), String> {
    let mut open: Vec<Option<&Finding>> = findings.iter().map(Some).collect();
    let mut differences: Vec<Difference> = Vec::new();

    // Marks with a text choose first, so that one without does not take the finding that only they fit.
    let mut order: Vec<&Mark> = marks.iter().collect();
    order.sort_by_key(|mark| mark.text.is_none());
    for mark in order {
        let answer = open.iter_mut().find(|finding| finding.is_some_and(|finding| answers(finding, mark)));
        let answer = answer.and_then(Option::take);
        if let Some(what) = verdict(mark, answer, findings) {
            differences.push(Difference { file: mark.file.clone(), line: mark.line, what });
        }
    }
    differences.extend(open.into_iter().flatten().map(|finding| Difference {
        file: finding.file.clone(),
        line: finding.line,
        what: format!("unexpected: {}: {}", finding.lint, finding.message),
    }));

    if differences.is_empty() {
        return Ok(());
    }
    differences.sort();
    let mut report = String::new();
    for difference in differences {
        // Writing to a String cannot fail.
        let _ = writeln!(report, "{}:{}: {}", difference.file, difference.line, difference.what);
    }
    Err(report)
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Difference {
    file: String,
    line: u32,
    what: String,
}

fn same_place(finding: &Finding, mark: &Mark) -> bool {
    finding.file == mark.file && finding.line == mark.line && finding.lint == mark.lint
}

fn answers(finding: &Finding, mark: &Mark) -> bool {
    same_place(finding, mark) && mark.text.as_deref().is_none_or(|text| finding.message.contains(text))
}

fn verdict(mark: &Mark, answer: Option<&Finding>, findings: &[Finding]) -> Option<String> {
    let lint = &mark.lint;
    match (mark.kind, answer) {
        (MarkKind::Expected, Some(_)) | (MarkKind::FalseAlarm, Some(_)) | (MarkKind::MissedAlarm, None) => None,
        (MarkKind::MissedAlarm, Some(_)) => Some(format!("found now, so remove the `?` of its mark: {lint}")),
        (MarkKind::FalseAlarm, None) => Some(format!("no longer reported, so remove its mark with `!`: {lint}")),
        (MarkKind::Expected, None) => {
            let text = mark.text.as_deref().unwrap_or_default();
            let other = findings.iter().find(|finding| same_place(finding, mark));
            Some(match other {
                Some(other) if !text.is_empty() => {
                    format!("missing: {lint} with {text:?}; its message is {:?}", other.message)
                }
                _ => format!("missing: {lint}"),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marks;

    fn finding(line: u32, lint: &str, message: &str) -> Finding {
        Finding { file: "a.rs".to_owned(), line, lint: lint.to_owned(), message: message.to_owned() }
    }

    fn compare(source: &str, findings: &[Finding]) -> Result<(), String> {
        check(&marks("a.rs", source).unwrap(), findings)
    }

    #[test]
    fn what_is_marked_and_reported_is_fine() {
        let source = "f(); //~ a\ng(); //~ b \"a file\"\nh();";
        assert_eq!(compare(source, &[finding(1, "a", ""), finding(2, "b", "reads a file")]), Ok(()));
    }

    #[test]
    fn missing_and_unexpected_are_told_by_place() {
        let report = compare("f(); //~ a\ng();", &[finding(2, "b", "it sleeps")]).unwrap_err();
        assert_eq!(report, "a.rs:1: missing: a\na.rs:2: unexpected: b: it sleeps\n");
    }

    #[test]
    fn the_message_must_fit() {
        let report = compare("f(); //~ a \"reads\"", &[finding(1, "a", "writes")]).unwrap_err();
        assert!(report.starts_with("a.rs:1: missing: a with \"reads\"; its message is \"writes\""), "{report}");
    }

    #[test]
    fn twice_on_a_line_is_marked_twice() {
        let twice = [finding(1, "a", ""), finding(1, "a", "")];
        assert!(compare("f(); //~ a", &twice).is_err());
        assert_eq!(compare("f(); //~ a a", &twice), Ok(()));
    }

    #[test]
    fn a_mark_with_a_text_chooses_first() {
        let findings = [finding(1, "a", "reads"), finding(1, "a", "writes")];
        assert_eq!(compare("f();\n//~^ a\n//~^^ a \"reads\"", &findings), Ok(()));
    }

    #[test]
    fn known_gaps_are_asserted() {
        assert_eq!(compare("f(); //~? a", &[]), Ok(()));
        assert_eq!(compare("f(); //~! a", &[finding(1, "a", "")]), Ok(()));
        assert!(compare("f(); //~? a", &[finding(1, "a", "")]).unwrap_err().contains("found now"));
        assert!(compare("f(); //~! a", &[]).unwrap_err().contains("no longer reported"));
    }
}
