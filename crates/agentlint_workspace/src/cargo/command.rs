//! Starts cargo and rustc where and how the repository has no say.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use super::{MetadataError, TIME_LIMIT};
use crate::environment::Environment;
use crate::paths;

/// A cargo and the rustc beside it, both outside the repository.
#[derive(Debug)]
pub(super) struct Cargo {
    program: PathBuf,
    rustc: PathBuf,
    /// Where both are started.
    folder: PathBuf,
    home: Option<PathBuf>,
    path: OsString,
    toolchain: Option<OsString>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run {
    Plain,
    /// With cargo's unstable options.
    Unstable,
}

impl Cargo {
    /// `boundary` is the repository, whose files are not trusted; `scratch` an empty folder of ours.
    pub(super) fn find(environment: &Environment, boundary: &Path, scratch: &Path) -> Result<Cargo, MetadataError> {
        let folder = scratch.ancestors().last().unwrap_or(scratch).to_path_buf();
        if paths::lies_in(&folder, boundary) {
            return Err(MetadataError::NoNeutralFolder);
        }
        let started_by = environment.cargo.clone().filter(|cargo| cargo.is_file() && !paths::lies_in(cargo, boundary));
        let program = started_by.or_else(|| environment.find_program("cargo", boundary)).ok_or(MetadataError::NoCargo)?;
        let rustc = program.with_file_name(format!("rustc{}", std::env::consts::EXE_SUFFIX));
        let rustc = if rustc.is_file() { Some(rustc) } else { environment.find_program("rustc", boundary) };
        let path = std::env::join_paths(environment.trusted_path(boundary)).unwrap_or_default();
        Ok(Cargo {
            program,
            rustc: rustc.ok_or(MetadataError::NoCargo)?,
            folder,
            home: trusted_home(environment, boundary, scratch)?,
            path,
            toolchain: environment.rustup_toolchain.clone().filter(|name| is_toolchain_name(name)),
        })
    }

    /// What `rustc` says it runs on.
    pub(super) fn host_triple(&self) -> Option<String> {
        let mut command = self.command(&self.rustc, Run::Plain);
        command.arg("-vV");
        let output = output_of(command).ok()?.ok()?;
        output.lines().find_map(|line| line.strip_prefix("host: ")).map(|host| host.trim().to_owned())
    }

    /// What cargo prints; the inner error is what it complained about.
    pub(super) fn run(&self, arguments: &[OsString], run: Run) -> Result<Result<String, String>, MetadataError> {
        let mut command = self.command(&self.program, run);
        command.args(arguments);
        output_of(command)
    }

    fn command(&self, program: &Path, run: Run) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).stdin(Stdio::null());
        // Variables that stand for configuration may come from a file in the repository (direnv, a CI's own settings).
        for (name, _) in std::env::vars_os().filter(|(name, _)| configures(name)) {
            command.env_remove(name);
        }
        command.env("PATH", &self.path);
        if let Some(home) = &self.home {
            command.env("CARGO_HOME", home);
        }
        if let Some(toolchain) = &self.toolchain {
            command.env("RUSTUP_TOOLCHAIN", toolchain);
        }
        command
            .env("RUSTC", &self.rustc)
            .env("CARGO_BUILD_RUSTC", &self.rustc)
            // Empty means none, and is stronger than any configuration.
            .env("RUSTC_WRAPPER", "")
            .env("RUSTC_WORKSPACE_WRAPPER", "")
            .env("CARGO_ENCODED_RUSTFLAGS", "")
            .env("CARGO_NET_OFFLINE", "true")
            .env("CARGO_NET_GIT_FETCH_WITH_CLI", "false")
            // What rustc said is else kept in, and believed from, `target/` in the repository.
            .env("CARGO_CACHE_RUSTC_INFO", "0")
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_TERM_QUIET", "true")
            .env("RUSTUP_AUTO_INSTALL", "0");
        if run == Run::Unstable {
            command.env("RUSTC_BOOTSTRAP", "1");
        }
        command
    }
}

fn configures(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let rustc = ["RUSTC", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "RUSTFLAGS", "RUSTC_BOOTSTRAP", "RUSTUP_TOOLCHAIN"];
    name.starts_with("CARGO") || rustc.contains(&name.as_ref())
}

/// A toolchain can also be named by a path, and that path lie in the repository.
fn is_toolchain_name(name: &OsStr) -> bool {
    !name.to_string_lossy().contains(['/', '\\'])
}

/// Cargo's home has a configuration too. Some CI systems put the home into the repository; there its downloads are used
/// through links from a home of ours, and its configuration is not.
fn trusted_home(environment: &Environment, boundary: &Path, scratch: &Path) -> Result<Option<PathBuf>, MetadataError> {
    let Some(home) = environment.cargo_home.clone() else { return Ok(None) };
    if !paths::lies_in(&home, boundary) {
        return Ok(Some(home));
    }
    let own = scratch.join("home");
    std::fs::create_dir(&own)?;
    #[cfg(unix)]
    for part in ["registry", "git"] {
        if home.join(part).is_dir() {
            std::os::unix::fs::symlink(home.join(part), own.join(part))?;
        }
    }
    Ok(Some(own))
}

/// Runs to the end or to the time limit.
fn output_of(mut command: Command) -> Result<Result<String, String>, MetadataError> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let output = drain(child.stdout.take());
    let complaints = drain(child.stderr.take());
    let status = wait(&mut child)?;
    // A grandchild that outlives its parent may hold the pipes open.
    let rest = |receiver: std::sync::mpsc::Receiver<Vec<u8>>| receiver.recv_timeout(TIME_LIMIT).unwrap_or_default();
    if status.success() {
        return String::from_utf8(rest(output)).map(Ok).map_err(|error| MetadataError::NotUnderstood(error.to_string()));
    }
    Ok(Err(one_line(&String::from_utf8_lossy(&rest(complaints)))))
}

/// Reads a pipe on a thread of its own: a full pipe would stop the child.
fn drain(pipe: Option<impl Read + Send + 'static>) -> std::sync::mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What arrived before an error is still worth having.
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}

fn wait(child: &mut Child) -> Result<std::process::ExitStatus, MetadataError> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if started.elapsed() > TIME_LIMIT {
            child.kill()?;
            child.wait()?;
            return Err(MetadataError::TimedOut);
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// Cargo explains over many lines, the cause last; the first line and the deepest cause say most.
fn one_line(complaints: &str) -> String {
    let lines = complaints.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("warning"));
    let lines: Vec<&str> = lines.collect();
    let first = lines.first().copied().unwrap_or("it gave no reason");
    let first = first.strip_prefix("error: ").unwrap_or(first);
    match lines.iter().rposition(|line| *line == "Caused by:").and_then(|at| lines.get(at + 1)) {
        Some(cause) => format!("{first}: {cause}"),
        None => first.to_owned(),
    }
}
