//! The project's own chores.

#![allow(clippy::print_stdout, reason = "a chore says what it does")]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod bench;
mod cases;
mod checks;
mod corpus;
mod fuzz;
mod new_lint;
mod packages;
mod published;
mod std_index;
mod tool;

use anyhow::{Result, bail};

const USAGE: &str = "usage: cargo xtask <chore>

  test             all tests of the workspace
  ci               test, formatting, clippy, the self-lint, the documentation, cases
  cases            every marked case and every page's example compiles
  bench            how fast, and how much memory, against `syn::parse_file` alone
  bench server [--seconds N] [--no-fastapi]
                   the reference server under load, and beside it the same endpoint in FastAPI
  corpus [--bless] [CRATE ...]
                   lint published crates and compare with fixtures/corpus; --bless adds what has no label yet
  fuzz [--seconds N] [TARGET ...]
                   random bodies and damaged real files through the whole model
  new-lint <id>    the page, the file, the case and the entry of a new lint
  std-index --source RUST/library --output DIR
                   the index of std's public items";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((chore, rest)) = arguments.split_first() else { bail!("{USAGE}") };
    match chore.as_str() {
        "test" => checks::test(rest),
        "ci" => checks::ci(),
        "cases" => cases::run(),
        "bench" => bench::run(rest),
        "corpus" => corpus::run(rest),
        "fuzz" => fuzz::run(rest),
        "new-lint" => new_lint::run(rest),
        "std-index" => std_index::run(rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        unknown => bail!("there is no chore `{unknown}`\n{USAGE}"),
    }
}
