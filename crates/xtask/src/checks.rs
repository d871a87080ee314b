//! `cargo xtask test` and `cargo xtask ci`: what must pass before a change goes in.

use anyhow::Result;

use crate::tool::{cargo, root};
use crate::{cases, packages};

/// All tests of all packages, with what they need; further arguments go to `cargo test`.
pub(crate) fn test(arguments: &[String]) -> Result<()> {
    packages::install();
    let mut command = cargo()?;
    command.args(["test", "--workspace"]).args(arguments);
    run(command)
}

pub(crate) fn ci() -> Result<()> {
    for arguments in [["fmt", "--all", "--check"].as_slice(), &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]]
    {
        let mut command = cargo()?;
        command.args(arguments);
        run(command)?;
    }
    test(&[])?;
    let mut self_lint = cargo()?;
    self_lint.args(["agentlint", "--all-targets"]);
    run(self_lint)?;
    // It stands outside of the workspace, with a lock file of its own.
    let mut fuzz_targets = cargo()?;
    fuzz_targets.args(["check", "--manifest-path", "fuzz/Cargo.toml", "--locked", "--all-targets"]);
    run(fuzz_targets)?;
    let mut traces = cargo()?;
    traces.args(["test", "--package", "agent_server", "--features", "otel"]);
    run(traces)?;
    let mut documentation = cargo()?;
    documentation.args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
    run(documentation)?;
    cases::run()
}

fn run(mut command: std::process::Command) -> Result<()> {
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
    println!("cargo {}", words.join(" "));
    let status = command.current_dir(root()?).status()?;
    anyhow::ensure!(status.success(), "`cargo {}` failed", words.join(" "));
    Ok(())
}
