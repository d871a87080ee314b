//! Lints, levels and suppressions: what turns a program's model into findings. No I/O, and no concrete lint is known here.

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
pub use suppressions::{FileSuppressions, PlainText, SourceText};
