//! Everything that needs the whole: the tool on real input, and the rules that the repository keeps.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "a test that is skipped says so")]

mod catalog;
mod cli;
mod deploy;
mod floors;
mod kept_facts;
mod lints;
mod pre_commit;
mod sarif;
mod self_lint;
mod shown;
mod support;
mod tidy;
mod user_catalog;
