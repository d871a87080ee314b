//! `cargo xtask bench`: a cold run against `syn::parse_file` alone on the same files with the same threads.
//!
//! Published crates are measured with the reading of their dependencies. The generated workspaces have few dependencies, and
//! what a tiny one with the same dependencies takes is measured too, so that the two can be told apart.

mod generate;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;
use serde_json::Value;

use crate::published;
use crate::tool::{self, root, rust_files, target};

/// The best of so many runs counts.
const ROUNDS: usize = 3;
const GENERATED: [usize; 3] = [1_000, 100_000, 200_000];

struct Measured {
    lines: usize,
    parse: Duration,
    /// With an empty cache.
    cold: Duration,
    /// With what the runs before left.
    cached: Duration,
    peak: Option<u64>,
}

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    if cfg!(debug_assertions) {
        return run_released(arguments);
    }
    let tool = tool::build()?;
    println!(
        "{:16} {:>8} {:>9} {:>9} {:>9} {:>7} {:>8} {:>11}",
        "", "lines", "syn ms", "cold ms", "cached ms", "cold/syn", "cached/syn", "KiB/line"
    );
    if !arguments.iter().any(|argument| argument == "--generated") {
        for (name, version) in published::chosen(&[])? {
            let folder = published::fetch(name, version)?;
            print(name, &measure(&tool, &folder, &[folder.join("src")])?);
        }
    }
    let mut generated = Vec::new();
    for lines in GENERATED {
        let folder = target()?.join("bench").join(format!("lines_{lines}"));
        generate::workspace(&folder, &root()?.join("fixtures/cases/Cargo.lock"), lines)?;
        let measured = measure(&tool, &folder, &[folder.join("members")])?;
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

fn measure(tool: &Path, folder: &Path, sources: &[impl AsRef<Path>]) -> Result<Measured> {
    let mut texts = Vec::new();
    for source in sources {
        for file in rust_files(source.as_ref())? {
            texts.push(fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?);
        }
    }
    let mut measured = Measured { lines: 0, parse: parse(&texts)?, cold: Duration::MAX, cached: Duration::MAX, peak: None };
    let kept = tempfile::tempdir()?;
    let arguments = ["--format", "json"];
    for _ in 0..ROUNDS {
        let empty = tempfile::tempdir()?;
        let ran = tool::run(tool, folder, empty.path(), &arguments)?;
        ensure!(matches!(ran.code, Some(0 | 1)), "{}: exit {:?}: {}", folder.display(), ran.code, ran.stderr);
        let document: Value = serde_json::from_str(&ran.stdout)?;
        let lines = document["summary"]["lines"].as_u64().context("the document does not count lines")?;
        measured.lines = usize::try_from(lines)?;
        measured.cold = measured.cold.min(ran.elapsed);
        measured.peak = measured.peak.max(ran.peak);
    }
    for round in 0..=ROUNDS {
        let ran = tool::run(tool, folder, kept.path(), &arguments)?;
        // The first one fills the cache.
        if round > 0 {
            measured.cached = measured.cached.min(ran.elapsed);
        }
    }
    Ok(measured)
}

/// The best time of parsing all texts on all threads.
fn parse(texts: &[String]) -> Result<Duration> {
    // Deep code needs deep stacks; the tool's own threads have as much.
    let pool = rayon::ThreadPoolBuilder::new().stack_size(64 << 20).build()?;
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let items: usize =
            pool.install(|| texts.par_iter().map(|text| syn::parse_file(text).map_or(0, |file| file.items.len())).sum());
        best = best.min(start.elapsed());
        ensure!(items > 0, "nothing was parsed");
        // proc-macro2 keeps every text that it lexed, which would slow the rounds to come.
        pool.broadcast(|_| proc_macro2::extra::invalidate_current_thread_spans());
    }
    Ok(best)
}

fn print(name: &str, measured: &Measured) {
    let milliseconds = |duration: Duration| duration.as_secs_f64() * 1e3;
    println!(
        "{name:16} {:8} {:9.1} {:9.1} {:9.1} {:7.2} {:8.2} {:>11}",
        measured.lines,
        milliseconds(measured.parse),
        milliseconds(measured.cold),
        milliseconds(measured.cached),
        ratio(measured.cold, measured.parse),
        ratio(measured.cached, measured.parse),
        measured.peak.map_or("-".to_owned(), |peak| format!("{:.2}", peak as f64 / measured.lines.max(1) as f64)),
    );
}

/// What the dependencies and the start cost is the same for all generated workspaces, and is taken off.
fn compare(tiny: &Measured, small: &Measured, large: &Measured) {
    let own = |measured: &Measured| measured.cold.saturating_sub(tiny.cold);
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
