//! The text of comments.

use crate::Span;
use crate::ast::Comment;

/// Takes the slashes and stars off the comment at `span`.
pub(crate) fn comment(text: &str, span: Span) -> Comment {
    let written = span.of(text);
    let inner = match written.strip_prefix("/*") {
        Some(rest) => rest.strip_suffix("*/").unwrap_or(rest).trim_matches('*'),
        None => written.trim_start_matches('/'),
    };
    Comment { span, text: inner.trim().to_owned() }
}
