//! A PostgreSQL server of the tests' own, from the system's binaries, in a temporary folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

/// One server for all tests of this binary.
struct Server {
    folder: TempDir,
    port: u16,
}

static SERVER: OnceLock<Option<Server>> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// The address of a new, empty database; nothing where no PostgreSQL can be had, and then the test says that it is skipped.
pub(crate) fn database(test: &str) -> Option<String> {
    let Some(server) = SERVER.get_or_init(Server::start) else {
        eprintln!("skipped: {test}: no PostgreSQL on this machine (`cargo xtask test` installs it for root)");
        return None;
    };
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    server.run("createdb", &[&name]);
    Some(server.url("postgres", &name))
}

/// Runs SQL as the database's owner.
pub(crate) fn execute(url: &str, sql: &str) {
    let psql = binary("psql").unwrap();
    let status = Command::new(psql).args([url, "-q", "-v", "ON_ERROR_STOP=1", "-c", sql]).status().unwrap();
    assert!(status.success(), "{sql}");
}

impl Server {
    fn start() -> Option<Self> {
        binary("initdb")?;
        let folder = tempfile::Builder::new().prefix("agent_pg").tempdir_in("/tmp").unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        if is_root() {
            let owned = Command::new("chown").args(["-R", "postgres"]).arg(folder.path()).status().unwrap();
            assert!(owned.success(), "chown");
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { folder, port };
        let data = data.display().to_string();
        server.run("initdb", &["-D", &data, "-U", "postgres", "-A", "trust", "--no-sync"]);
        let sockets = server.folder.path().display().to_string();
        let options = format!("-p {port} -k {sockets} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200");
        let log = server.folder.path().join("log").display().to_string();
        server.run("pg_ctl", &["-D", &data, "-l", &log, "-w", "-t", "60", "-o", &options, "start"]);
        stop_at_exit(&server.folder, &data);
        Some(server)
    }

    fn url(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs one of PostgreSQL's programs, which refuse to be root.
    fn run(&self, program: &str, arguments: &[&str]) {
        let program = binary(program).unwrap();
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.args(arguments).env("PGPORT", self.port.to_string()).env("PGHOST", "127.0.0.1").env("PGUSER", "postgres");
        let output = command.current_dir("/tmp").stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap();
        assert!(output.success(), "{command:?}");
    }
}

/// Statics are not dropped: a process of its own ends the server when this one is gone.
fn stop_at_exit(folder: &TempDir, data: &str) {
    let pid = fs::read_to_string(Path::new(data).join("postmaster.pid")).unwrap();
    let server = pid.lines().next().unwrap();
    let script = format!(
        "while kill -0 {} 2>/dev/null; do sleep 1; done; kill -QUIT {server}; sleep 1; rm -rf {}",
        std::process::id(),
        folder.path().display()
    );
    let watcher =
        Command::new("sh").args(["-c", &script]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    drop(watcher.unwrap());
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Debian keeps the server's programs off the path, below the version's folder.
fn binary(name: &str) -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let below = versions.map(|version| version.path().join("bin").join(name));
    let on_path =
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).map(|folder| folder.join(name)).collect::<Vec<_>>();
    below.chain(on_path).find(|path| path.is_file())
}
