//! One file's text lowered to owned, compact, serialisable facts.
//!
//! This is the only crate that sees `syn`. Everything it hands out is plain data that is `Send`, has no lifetimes and can be
//! cached by content hash. Nothing here does I/O and nothing can fail: broken input becomes [`SyntaxError`]s.

pub mod ast;
mod span;

pub use span::{LineColumn, LineIndex, Span};
pub use ustr::{Ustr as Name, ustr as name};
