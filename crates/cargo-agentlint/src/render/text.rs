//! What several formats share: colors, the summary, and text made harmless for a terminal.

use std::borrow::Cow;
use std::fmt::Write;

use agentlint_diagnostics::Level;

use crate::Report;

/// Colors, or none.
#[derive(Clone, Copy)]
pub(crate) struct Paint {
    color: bool,
}

impl Paint {
    pub(crate) fn new(color: bool) -> Paint {
        Paint { color }
    }

    pub(crate) fn is_colored(self) -> bool {
        self.color
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.style("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.style("2", text)
    }

    pub(crate) fn cyan(self, text: &str) -> String {
        self.style("36", text)
    }

    pub(crate) fn level(self, level: Level, text: &str) -> String {
        match level {
            Level::Deny => self.style("31;1", text),
            Level::Warn => self.style("33;1", text),
            Level::Allow => self.style("2", text),
        }
    }

    fn style(self, code: &str, text: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// "found 3 problems (1 deny, 2 warn) in 120 files"
pub(crate) fn summary(report: &Report<'_>) -> String {
    let (deny, warn) = (report.count(Level::Deny), report.count(Level::Warn));
    let mut text = match deny + warn {
        0 => "found no problems".to_owned(),
        1 => "found 1 problem".to_owned(),
        all => format!("found {all} problems"),
    };
    let parts: Vec<_> = [(deny, "deny"), (warn, "warn")].into_iter().filter(|(count, _)| *count > 0).collect();
    if !parts.is_empty() {
        let parts: Vec<_> = parts.into_iter().map(|(count, level)| format!("{count} {level}")).collect();
        let _ = write!(text, " ({})", parts.join(", "));
    }
    let files = report.statistics.files;
    let _ = write!(text, " in {files} file{}", if files == 1 { "" } else { "s" });
    if !report.suppressed.is_empty() {
        let _ = write!(text, ", {} suppressed", report.suppressed.len());
    }
    text
}

/// The text without what would steer a terminal or reorder what it shows. Every character keeps its length in bytes, so that
/// places in the text stay right.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    // A carriage return ends a line together with a newline; alone it hides what stands before it.
    let is_line_end = |at: usize| text[at..].starts_with("\r\n");
    if !text.char_indices().any(|(at, character)| is_harmful(character) && !is_line_end(at)) {
        return Cow::Borrowed(text);
    }
    let harmless = |(at, character): (usize, char)| match character.len_utf8() {
        _ if !is_harmful(character) || is_line_end(at) => character,
        1 => '?',
        2 => '¿',
        _ => char::REPLACEMENT_CHARACTER,
    };
    Cow::Owned(text.char_indices().map(harmless).collect())
}

/// Also for text that has to stay on one line.
pub(crate) fn one_line(text: &str) -> String {
    plain(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_harmful(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        _ if character.is_control() => true,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmful_characters_lose_their_power_and_keep_their_length() {
        let text = "a\u{1b}[31m\u{9b}\u{202e}\tä\r\n\rb";
        assert_eq!(plain(text), "a?[31m¿\u{fffd}\tä\r\n?b");
        assert_eq!(plain(text).len(), text.len());
        assert!(matches!(plain("fine"), Cow::Borrowed(_)));
        assert_eq!(one_line(" a\n  b\tc"), "a b c");
    }
}
