//! Everything that needs the whole: the tool on real input, and the rules that the repository keeps.

#![allow(clippy::print_stdout, reason = "a test that is skipped says so")]

mod cli;
mod floors;
mod lints;
mod pre_commit;
mod sarif;
mod self_lint;
mod support;
mod tidy;
