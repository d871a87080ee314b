//! `cargo xtask bench [CRATE…|--generated]`: a run against `syn::parse_file` alone on the same files with the same threads.
//!
//! A cold run, with an empty cache, reads the dependencies' files too: it stands against syn on every file that it read. A cached
//! run reads the program's own files: it stands against syn on those. What a tiny workspace with the same dependencies takes is
//! measured too, so that what grows with the program can be told from what does not. The last column is the effects' part of a cached run against
//! reading and types.

mod generate;
mod server;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;
use serde_json::Value;

use crate::published;
use crate::tool::{self, root, target};

/// The best of so many runs counts.
const ROUNDS: usize = 5;
/// How many cached runs and parses of the program's own files a round has. They are short, and a virtual machine's pauses are not.
const SHORT: usize = 4;
const GENERATED: [usize; 3] = [1_000, 100_000, 200_000];

struct Measured {
    lines: usize,
    /// syn on the program's own files.
    parse: Duration,
    /// syn on every file that a cold run reads.
    parse_all: Duration,
    /// With an empty cache.
    cold: Duration,
    /// With what the runs before left.
    cached: Duration,
    /// Of cached runs, what reading and types took, and what the effects did.
    before_effects: Duration,
    effects: Duration,
    peak: Option<u64>,
}

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    if let Some((first, rest)) = arguments.split_first()
        && first == "server"
    {
        return server::run(rest);
    }
    if cfg!(debug_assertions) {
        return run_released(arguments);
    }
    let tool = tool::build()?;
    println!(
        "{:16} {:>8} {:>8} {:>9} {:>10} {:>8} {:>9} {:>10} {:>8} {:>12}",
        "", "lines", "syn ms", "cached ms", "cached/syn", "all ms", "cold ms", "cold/all", "KiB/line", "effects/rest"
    );
    let names: Vec<&str> = arguments.iter().map(String::as_str).filter(|argument| *argument != "--generated").collect();
    if names.len() == arguments.len() {
        for (name, version) in published::chosen(&names)? {
            let folder = published::fetch(name, version)?;
            print(name, &measure(&tool, &folder)?);
        }
    }
    if !names.is_empty() {
        return Ok(());
    }
    let mut generated = Vec::new();
    for lines in GENERATED {
        let folder = target()?.join("bench").join(format!("lines_{lines}"));
        generate::workspace(&folder, &root()?.join("fixtures/cases/Cargo.lock"), lines)?;
        let measured = measure(&tool, &folder)?;
        print(&format!("generated {}k", lines / 1000), &measured);
        generated.push(measured);
    }
    if let [tiny, small, large] = generated.as_slice() {
        compare(tiny, small, large);
    }
    Ok(())
}

/// What is measured must be optimised; this process need not be.
fn run_released(arguments: &[String]) -> Result<()> {
    let status =
        tool::cargo()?.args(["run", "--quiet", "--release", "--package", "xtask", "--", "bench"]).args(arguments).status()?;
    ensure!(status.success(), "the benchmark failed");
    Ok(())
}

fn measure(tool: &Path, folder: &Path) -> Result<Measured> {
    let (own, all) = texts(tool, folder)?;
    let mut measured = Measured {
        lines: 0,
        parse: Duration::MAX,
        parse_all: Duration::MAX,
        cold: Duration::MAX,
        cached: Duration::MAX,
        before_effects: Duration::MAX,
        effects: Duration::MAX,
        peak: None,
    };
    let kept = tempfile::tempdir()?;
    let arguments = ["--format", "json", "-v"];
    // Fills the cache.
    tool::run(tool, folder, kept.path(), &arguments)?;
    // In turns, so that a slow minute of the machine is a slow minute for all.
    for _ in 0..ROUNDS {
        measured.parse_all = measured.parse_all.min(parse(&all)?);
        // A virtual machine may have given the memory that lay idle back to its host: the first run fetches it again.
        tool::run(tool, folder, kept.path(), &arguments)?;
        for _ in 0..SHORT {
            measured.parse = measured.parse.min(parse(&own)?);
            let cached = tool::run(tool, folder, kept.path(), &arguments)?;
            measured.cached = measured.cached.min(cached.elapsed);
            let phase =
                |name: &str| phase(&cached.stderr, name).with_context(|| format!("`{name}` is not told: {}", cached.stderr));
            measured.before_effects = measured.before_effects.min(phase("reading")? + phase("types")?);
            measured.effects = measured.effects.min(phase("effects")?);
        }
        let empty = tempfile::tempdir()?;
        let ran = tool::run(tool, folder, empty.path(), &arguments)?;
        ensure!(matches!(ran.code, Some(0 | 1)), "{}: exit {:?}: {}", folder.display(), ran.code, ran.stderr);
        let document: Value = serde_json::from_str(&ran.stdout)?;
        let lines = document["summary"]["lines"].as_u64().context("the document does not count lines")?;
        measured.lines = usize::try_from(lines)?;
        measured.cold = measured.cold.min(ran.elapsed);
        measured.peak = measured.peak.max(ran.peak);
    }
    Ok(measured)
}

/// What `-v` says that a phase took: `effects 4.2 ms`.
fn phase(stderr: &str, name: &str) -> Option<Duration> {
    let (_, rest) = stderr.split_once(&format!(" {name} "))?;
    let milliseconds: f64 = rest.split_once(" ms")?.0.parse().ok()?;
    Some(Duration::from_secs_f64(milliseconds / 1e3))
}

/// The program's own files, and all files, that a run with an empty cache reads.
fn texts(tool: &Path, folder: &Path) -> Result<(Vec<String>, Vec<String>)> {
    let empty = tempfile::tempdir()?;
    let ran = tool::run(tool, folder, empty.path(), &["inspect", "files", "--format", "jsonl"])?;
    ensure!(ran.code == Some(0), "{}: exit {:?}: {}", folder.display(), ran.code, ran.stderr);
    let (mut own, mut all) = (Vec::new(), Vec::new());
    for line in ran.stdout.lines() {
        let row: Value = serde_json::from_str(line)?;
        let path = folder.join(row["file"].as_str().context("a row without its file")?);
        let Ok(text) = fs::read_to_string(&path) else { continue };
        if row["is_member"] == true {
            own.push(text.clone());
        }
        all.push(text);
    }
    ensure!(!own.is_empty(), "{}: nothing was read", folder.display());
    Ok((own, all))
}

/// The time of parsing all texts on all threads.
fn parse(texts: &[String]) -> Result<Duration> {
    // Deep code needs deep stacks; the tool's own threads have as much.
    let pool = rayon::ThreadPoolBuilder::new().stack_size(64 << 20).build()?;
    let start = Instant::now();
    let items: usize =
        pool.install(|| texts.par_iter().map(|text| syn::parse_file(text).map_or(0, |file| file.items.len())).sum());
    let elapsed = start.elapsed();
    ensure!(items > 0, "nothing was parsed");
    // proc-macro2 keeps every text that it lexed, which would slow the rounds to come.
    pool.broadcast(|_| proc_macro2::extra::invalidate_current_thread_spans());
    Ok(elapsed)
}

fn print(name: &str, measured: &Measured) {
    let milliseconds = |duration: Duration| duration.as_secs_f64() * 1e3;
    println!(
        "{name:16} {:8} {:8.1} {:9.1} {:10.2} {:8.1} {:9.1} {:10.2} {:>8} {:12.2}",
        measured.lines,
        milliseconds(measured.parse),
        milliseconds(measured.cached),
        ratio(measured.cached, measured.parse),
        milliseconds(measured.parse_all),
        milliseconds(measured.cold),
        ratio(measured.cold, measured.parse_all),
        measured.peak.map_or("-".to_owned(), |peak| format!("{:.2}", peak as f64 / measured.lines.max(1) as f64)),
        ratio(measured.effects, measured.before_effects),
    );
}

/// What the dependencies and the start cost is the same for all generated workspaces, and is taken off.
fn compare(tiny: &Measured, small: &Measured, large: &Measured) {
    let own = |measured: &Measured| measured.cached.saturating_sub(tiny.cached);
    let parse = |measured: &Measured| measured.parse.saturating_sub(tiny.parse);
    println!();
    println!(
        "dependencies apart: {:.2} of syn at 100k lines, {:.2} at 200k",
        ratio(own(small), parse(small)),
        ratio(own(large), parse(large))
    );
    let growth = ratio(own(large), own(small)) / (large.lines as f64 / small.lines.max(1) as f64);
    println!("linearity: a line of 200k costs {growth:.2} of a line of 100k (bar: 1.15)");
}

fn ratio(part: Duration, whole: Duration) -> f64 {
    part.as_secs_f64() / whole.as_secs_f64().max(f64::EPSILON)
}

/// Runs cargo where the generated workspace lies.
fn succeed(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
