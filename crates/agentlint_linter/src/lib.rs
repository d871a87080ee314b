//! Lints, levels and suppressions: what turns a program's model into findings. No I/O, and no concrete lint is known here.

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod levels;
mod outcome;
mod registry;
pub mod run_lints;
mod suppressions;
#[cfg(test)]
mod tests;

pub use levels::Levels;
pub use outcome::{Outcome, Suppressed, finish};
pub use registry::{Lint, LintContext, Registry, Selection, UnknownName};
pub use suppressions::{FileSuppressions, SourceText};
