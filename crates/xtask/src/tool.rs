//! What the chores share: where things are, cargo, and the tool as it is released.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// The repository's root.
pub(crate) fn root() -> Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().context("the repository is gone")
}

/// The folder that cargo builds into.
pub(crate) fn target() -> Result<PathBuf> {
    let root = root()?;
    Ok(std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder)))
}

pub(crate) fn cargo() -> Result<Command> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    // Set for this process by the cargo that runs it; it must not steer the ones that it starts.
    command.env_remove("CARGO_MANIFEST_DIR").current_dir(root()?);
    Ok(command)
}

/// Builds the released binary and says where it is.
pub(crate) fn build() -> Result<PathBuf> {
    let arguments = ["build", "--quiet", "--release", "--package", "cargo-agentlint", "--bin", "cargo-agentlint"];
    ensure!(cargo()?.args(arguments).status()?.success(), "the tool does not build");
    Ok(target()?.join("release").join(format!("cargo-agentlint{}", std::env::consts::EXE_SUFFIX)))
}

/// What a run of the tool gave and took.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) elapsed: Duration,
    /// The most memory that was resident, in KiB; only Linux tells.
    pub(crate) peak: Option<u64>,
}

/// Runs the tool in a folder, with a cache of its own.
pub(crate) fn run(tool: &Path, folder: &Path, cache: &Path, arguments: &[&str]) -> Result<Ran> {
    watch(Command::new(tool).arg("agentlint").args(arguments).current_dir(folder).env("AGENTLINT_CACHE_DIR", cache))
}

/// What a run on so many threads prints.
pub(crate) fn output_on(threads: u32, tool: &Path, folder: &Path, cache: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(tool);
    command.arg("agentlint").args(arguments).current_dir(folder).env("AGENTLINT_CACHE_DIR", cache);
    Ok(watch(command.env("RAYON_NUM_THREADS", threads.to_string()))?.stdout)
}

fn watch(command: &mut Command) -> Result<Ran> {
    let output = tempfile::tempdir()?;
    let (stdout, stderr) = (output.path().join("stdout"), output.path().join("stderr"));
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        // Files, so that nobody has to read while the memory is watched.
        .stdout(fs::File::create(&stdout)?)
        .stderr(fs::File::create(&stderr)?)
        .spawn()
        .with_context(|| format!("cannot start {}", Path::new(command.get_program()).display()))?;
    let mut peak = None;
    let status = loop {
        // The mark only rises, so that the last one seen is at most a moment old.
        peak = high_water_mark(child.id()).or(peak);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let elapsed = start.elapsed();
    let read = |file: &Path| fs::read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok(Ran { code: status.code(), stdout: read(&stdout)?, stderr: read(&stderr)?, elapsed, peak })
}

fn high_water_mark(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}
