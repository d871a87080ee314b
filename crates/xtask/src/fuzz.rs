//! `cargo xtask fuzz [--seconds N] [TARGET ...]`: random bodies and damaged real files through the whole model.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::tool::{cargo, root};

/// The targets, and whether they begin from real files.
const TARGETS: [(&str, bool); 2] = [("bodies", false), ("damaged", true)];
const SECONDS: u32 = 300;
/// One input may take so many seconds, and so many MiB. Inputs are long from the start: a body is made of many bytes.
const LIMITS: [&str; 3] = ["-timeout=20", "-rss_limit_mb=4096", "-len_control=0"];

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut seconds = SECONDS;
    let mut chosen = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seconds" => seconds = arguments.next().context("--seconds takes a number")?.parse()?,
            target if TARGETS.iter().any(|(known, _)| *known == target) => chosen.push(target),
            unknown => bail!("there is no fuzz target `{unknown}`"),
        }
    }
    install()?;
    for (target, begins_from_files) in TARGETS.into_iter().filter(|(name, _)| chosen.is_empty() || chosen.contains(name)) {
        ensure!(fuzz("build", target)?.status()?.success(), "`{target}` cannot be built");
        let mut command = fuzz("run", target)?;
        let corpus = root()?.join("fuzz/corpus").join(target);
        fs::create_dir_all(&corpus)?;
        command.arg(&corpus);
        if begins_from_files {
            seed(&corpus)?;
        }
        command.args(["--", &format!("-max_total_time={seconds}"), "-max_len=16384"]).args(LIMITS);
        ensure!(command.status()?.success(), "`{target}` found something: see above, and fuzz/artifacts/{target}");
    }
    Ok(())
}

/// The sanitizers, which need a nightly compiler, look for faults that code without `unsafe` cannot have.
fn fuzz(what: &str, target: &str) -> Result<Command> {
    let mut command = cargo()?;
    command.env("RUSTC_BOOTSTRAP", "1").args(["fuzz", what, "--sanitizer", "none", target]);
    Ok(command)
}

fn install() -> Result<()> {
    let is_there = cargo()?.args(["fuzz", "--version"]).output()?.status.success();
    if !is_there {
        ensure!(cargo()?.args(["install", "cargo-fuzz", "--locked"]).status()?.success(), "cargo-fuzz cannot be installed");
    }
    Ok(())
}

/// The marked cases and the project's own sources.
fn seed(corpus: &Path) -> Result<()> {
    let listed = Command::new("git").args(["ls-files", "-z", "*.rs"]).current_dir(root()?).output()?;
    for (at, path) in String::from_utf8(listed.stdout)?.split('\0').filter(|path| !path.contains("std_index")).enumerate() {
        let to = corpus.join(format!("seed_{at}"));
        if let Ok(text) = fs::read(root()?.join(path)) {
            fs::write(to, text)?;
        }
    }
    Ok(())
}
