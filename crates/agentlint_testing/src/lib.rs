//! Marks, page reader and harness for the lints' cases.
//!
//! Text goes in and plain data comes out: nothing here reads files or knows the model, so that a test decides what a
//! finding is and where a case lies.

mod check;
mod marks;
mod page;
mod variants;

pub use check::{Finding, check};
pub use marks::{Mark, MarkError, MarkKind, hash_marks, marks};
pub use page::{Block, HEADINGS, Language, Page, PageError, read_page};
pub use variants::{hash_suppressed, suppressed, truncations, with_crlf, with_tabs};
