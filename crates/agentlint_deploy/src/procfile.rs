//! The lines of a Procfile: a process type and its command.

use crate::Span;

/// `web: command`.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    pub(crate) command: &'a str,
    pub(crate) command_start: u32,
    pub(crate) span: Span,
}

/// What is no process type is a comment, as foreman reads it.
pub(crate) fn lines(text: &str) -> (Vec<Line<'_>>, Vec<Span>) {
    let (mut lines, mut comments, mut start) = (Vec::new(), Vec::new(), 0);
    for written in text.split_inclusive('\n') {
        let content = written.trim_end();
        let at = |offset: usize| (start + offset) as u32;
        if content.trim_start().starts_with('#') {
            let indent = content.len() - content.trim_start().len();
            comments.push(Span { start: at(indent), end: at(content.len()) });
        } else if let Some((name, rest)) = content.split_once(':')
            && !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        {
            let command = rest.trim_start();
            let span = Span { start: at(0), end: at(content.len()) };
            lines.push(Line { name, command, command_start: at(content.len() - command.len()), span });
        }
        start += written.len();
    }
    (lines, comments)
}
