//! The servers that are measured: how each is built or fetched, and started with an empty database.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::process::{Cores, Ending, Place};
use crate::tool;

const START: Duration = Duration::from_secs(20);

/// Who is measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Server {
    Own,
    /// FastAPI, with every event in SQLite before it is sent.
    Persisted,
    /// FastAPI, with nothing kept.
    MemoryOnly,
}

impl Server {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Own => "agent_server",
            Self::Persisted => "FastAPI, persisted",
            Self::MemoryOnly => "FastAPI, memory only",
        }
    }

    pub(super) fn keeps(self) -> bool {
        self != Self::MemoryOnly
    }
}

/// What is needed to start them.
pub(super) struct Binaries {
    /// Holds copies, so that builds that go on meanwhile change nothing.
    folder: TempDir,
    own: PathBuf,
    pub(super) client: PathBuf,
    /// The interpreter that has FastAPI; or why there is none.
    pub(super) python: Result<PathBuf, String>,
    pub(super) cores: Cores,
}

impl Binaries {
    pub(super) fn gather(wants_twin: bool) -> Result<Self> {
        let built = tool::cargo()?.args(["build", "--quiet", "--release", "--package", "agent_server"]).status()?;
        ensure!(built.success(), "the server does not build");
        let bench = tool::target()?.join("bench");
        fs::create_dir_all(&bench)?;
        // On the disk that builds are on: what is for temporary files may be memory, which would make writing cheap.
        let folder = tempfile::tempdir_in(&bench)?;
        let (own, client) = (folder.path().join("agent_server"), folder.path().join("client"));
        fs::copy(tool::target()?.join("release/agent_server"), &own)?;
        fs::copy(std::env::current_exe()?, &client)?;
        let python = if wants_twin { fastapi(&bench).map_err(|error| format!("{error:#}")) } else { Err("not asked for".into()) };
        fs::write(folder.path().join("twin.py"), include_str!("twin.py"))?;
        Ok(Self { folder, own, client, python, cores: Cores::choose() })
    }

    /// Starts a server with an empty database and waits until it takes connections.
    pub(super) fn start(&self, server: Server) -> Result<Running> {
        let folder = tempfile::tempdir_in(self.folder.path())?;
        let (port, metrics_port) = (free_port()?, free_port()?);
        let database = folder.path().join("log.db");
        let mut command;
        if server == Server::Own {
            command = self.cores.command(Place::Server, &self.own);
            command.arg("--port").arg(port.to_string()).arg("--metrics-address").arg(format!("127.0.0.1:{metrics_port}"));
            command.arg("--database-url").arg(format!("sqlite:{}", database.display()));
        } else {
            command = self.cores.command(Place::Server, self.python.as_ref().map_err(|why| anyhow::anyhow!("{why}"))?);
            command.args(["-m", "uvicorn", "twin:app", "--loop", "uvloop", "--http", "httptools", "--workers", "1"]);
            command.args(["--no-access-log", "--log-level", "warning", "--port"]).arg(port.to_string());
            command.arg("--app-dir").arg(self.folder.path()).env("PYTHONDONTWRITEBYTECODE", "1");
            if server == Server::Persisted {
                command.env("TWIN_DATABASE", &database);
            }
        }
        // Its own lines, of which there is one for each request, go where a container's go: away.
        let errors = folder.path().join("errors");
        command.stdout(Stdio::null()).stderr(File::create(&errors)?).current_dir(folder.path());
        let process = Ending(command.spawn().context("`sh` does not start")?);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let metrics = if server == Server::Own { SocketAddr::from((Ipv4Addr::LOCALHOST, metrics_port)) } else { address };
        let begin = Instant::now();
        while TcpStream::connect(address).is_err() {
            let told = || fs::read_to_string(&errors).unwrap_or_default();
            ensure!(begin.elapsed() < START, "{} does not start: {}", server.name(), told());
            thread::sleep(Duration::from_millis(20));
        }
        Ok(Running { process, address, metrics, _folder: folder })
    }
}

/// A server that ends when this goes, and its database with it.
pub(super) struct Running {
    pub(super) process: Ending,
    pub(super) address: SocketAddr,
    metrics: SocketAddr,
    _folder: TempDir,
}

impl Running {
    /// The events that it says it has written.
    pub(super) fn written(&self) -> Result<u64> {
        let mut socket = TcpStream::connect(self.metrics)?;
        socket.set_read_timeout(Some(Duration::from_secs(10)))?;
        socket.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut text = Vec::new();
        socket.read_to_end(&mut text)?;
        let text = String::from_utf8_lossy(&text);
        let count = text.lines().find_map(|line| line.strip_prefix("agent_events_total "));
        count.and_then(|count| count.trim().parse().ok()).context("the server does not count its events")
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// FastAPI and uvicorn in a folder of their own, fetched once.
fn fastapi(bench: &Path) -> Result<PathBuf> {
    let folder = bench.join("fastapi");
    let python = folder.join("bin/python");
    if !works(&python) {
        succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        succeed(Command::new(&python).args(["-m", "pip", "install", "--quiet", "fastapi", "uvicorn[standard]"]))?;
        ensure!(works(&python), "FastAPI, uvicorn, uvloop and httptools are not all there after their installation");
    }
    Ok(python)
}

fn works(python: &Path) -> bool {
    let imports = Command::new(python).args(["-c", "import fastapi, uvicorn, uvloop, httptools"]).output();
    imports.is_ok_and(|output| output.status.success())
}

/// The versions that are compared with.
pub(super) fn versions(python: &Path) -> Result<String> {
    let code = "import sys, fastapi, uvicorn, uvloop, httptools, sqlite3 as s; \
        print(f'Python {sys.version.split()[0]}, FastAPI {fastapi.__version__}, uvicorn {uvicorn.__version__}, \
        uvloop {uvloop.__version__}, httptools {httptools.__version__}, SQLite {s.sqlite_version}')";
    let output = Command::new(python).args(["-c", code]).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" "))
}

fn succeed(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("`{}` cannot be run", command.get_program().display()))?;
    ensure!(output.status.success(), "{command:?} fails: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
