//! One file's text lowered to owned, compact, serialisable facts.
//!
//! This is the only crate that sees `syn`. Everything it hands out is plain data that is `Send`, has no lifetimes and can be
//! cached by content hash. Nothing here does I/O and nothing can fail: broken input becomes [`ast::SyntaxError`]s.

pub mod ast;
mod body_text;
mod cfg;
mod comments;
mod expanded;
mod expansion;
mod limits;
mod lower;
pub mod macro_rules;
mod name;
pub mod packed;
mod parse;
mod pieces;
mod places;
mod recover;
mod scanner;
mod skip;
mod span;
mod test_modules;
#[cfg(test)]
mod tests;

pub use body_text::parse_body;
pub use cfg::{parse_cfg, parse_cfg_attr};
pub use expanded::Expanded;
pub use expansion::{Macro, MacroInput, forget_tokens};
pub use limits::STACK_SIZE;
pub use lower::{FormatSubject, Placeholder, placeholders};
pub use macro_rules::Budget;
pub use name::{Name, name};
pub use packed::Lazy;
pub use parse::{Bodies, ParseOptions, parse};
pub use places::{Origin, TokenPlace, Written};
pub use span::{LineColumn, LineIndex, Span};
