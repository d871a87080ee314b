//! Texts that are derived from a marked case, each with something that must hold for it.

use std::collections::BTreeMap;

use crate::marks::{HASH_OPENING, mark_start};
use crate::{Mark, MarkKind};

/// The text with each mark made a suppression on the line that the mark speaks of: nothing may be reported for it.
///
/// `marks` are this text's own. A known missed alarm leaves nothing behind, since an unused suppression is a finding.
pub fn suppressed(source: &str, marks: &[Mark]) -> String {
    let mut lints_of_line: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for mark in marks.iter().filter(|mark| mark.kind != MarkKind::MissedAlarm) {
        let lints = lints_of_line.entry(mark.line).or_default();
        if !lints.contains(&mark.lint.as_str()) {
            lints.push(&mark.lint);
        }
    }
    let mut text = String::with_capacity(source.len());
    for (number, line) in (1u32..).zip(source.split_inclusive('\n')) {
        let content = line.trim_end_matches(['\n', '\r']);
        let ending = &line[content.len()..];
        let kept = mark_start(content).map_or(content, |start| content[..start].trim_end());
        text.push_str(kept);
        if let Some(lints) = lints_of_line.get(&number) {
            text.push_str(&format!(" // agentlint: allow({}) -- marked in this case", lints.join(", ")));
        }
        text.push_str(ending);
    }
    text
}

/// The same for a file whose comments begin with `#`: the suppression stands above the line, and a mark's own line goes.
pub fn hash_suppressed(source: &str, marks: &[Mark]) -> String {
    let mut text = String::with_capacity(source.len());
    for (number, line) in (1u32..).zip(source.split_inclusive('\n')) {
        let here = marks.iter().filter(|mark| mark.line == number && mark.kind != MarkKind::MissedAlarm);
        let mut lints: Vec<&str> = here.map(|mark| mark.lint.as_str()).collect();
        lints.dedup();
        if !lints.is_empty() {
            let indent = &line[..line.len() - line.trim_start().len()];
            text.push_str(&format!("{indent}# agentlint: allow({}) -- marked in this case\n", lints.join(", ")));
        }
        let content = line.trim_end_matches(['\n', '\r']);
        let kept = content.rfind(HASH_OPENING).map_or(content, |start| content[..start].trim_end());
        if !kept.is_empty() || content.is_empty() {
            text.push_str(kept);
            text.push_str(&line[content.len()..]);
        }
    }
    text
}

/// The text with the line ends of Windows: the same lines are reported.
pub fn with_crlf(source: &str) -> String {
    source.replace("\r\n", "\n").replace('\n', "\r\n")
}

/// The text indented with tabs: the same lines are reported, at other columns.
pub fn with_tabs(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    for line in source.split_inclusive('\n') {
        let content = line.trim_start_matches(' ');
        let spaces = line.len() - content.len();
        text.push_str(&"\t".repeat(spaces / 4));
        text.push_str(&" ".repeat(spaces % 4));
        text.push_str(content);
    }
    text
}

/// About `count` beginnings of the text, evenly spread and cut between characters: none may panic.
pub fn truncations(source: &str, count: usize) -> impl Iterator<Item = &str> {
    let step = (source.len() / count.max(1)).max(1);
    (0..source.len()).step_by(step).filter_map(|end| source.get(..end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marks;

    #[test]
    fn marks_become_suppressions_where_they_point() {
        let source = "f(); //~ a, b a\ng();\n//~^ c\nh(); //~? d\ni(); //~! e\n";
        let marks = marks("a.rs", source).unwrap();
        let expected = "f(); // agentlint: allow(a, b) -- marked in this case\n\
                        g(); // agentlint: allow(c) -- marked in this case\n\
                        \n\
                        h();\n\
                        i(); // agentlint: allow(e) -- marked in this case\n";
        assert_eq!(suppressed(source, &marks), expected);
    }

    #[test]
    fn a_suppression_keeps_the_line_ends() {
        let source = "f(); //~ a\r\ng();\r\n";
        let marks = marks("a.rs", source).unwrap();
        assert_eq!(suppressed(source, &marks), "f(); // agentlint: allow(a) -- marked in this case\r\ng();\r\n");
    }

    #[test]
    fn a_suppression_behind_a_hash_stands_above() {
        let source = "one\n#~v a\n  two\nthree #~ b\n";
        let marks = crate::hash_marks("a", source).unwrap();
        let expected = "one\n  # agentlint: allow(a) -- marked in this case\n  two\n\
                        # agentlint: allow(b) -- marked in this case\nthree\n";
        assert_eq!(hash_suppressed(source, &marks), expected);
    }

    #[test]
    fn line_ends_and_tabs() {
        assert_eq!(with_crlf("a\nb\r\n"), "a\r\nb\r\n");
        assert_eq!(with_tabs("a\n    b\n      c  d\n"), "a\n\tb\n\t  c  d\n");
    }

    #[test]
    fn truncations_end_between_characters() {
        let source = "aäöü";
        assert_eq!(truncations(source, 100).collect::<Vec<_>>(), ["", "a", "aä", "aäö"]);
        assert_eq!(truncations("0123456789", 5).count(), 5);
        assert_eq!(truncations("", 5).count(), 0);
    }
}
