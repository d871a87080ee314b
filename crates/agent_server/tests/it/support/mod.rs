//! Servers to test, in this process and in their own, and a client that reads frames.

mod postgres;
mod process;
mod random;
mod stream;

use std::path::Path;
use std::time::Duration;

use agent_server::config::Config;
use agent_server::{AppState, Metrics, Report, Shutdown, Tool, app_with, serve, serve_metrics};
use axum::Router;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) use self::postgres::{database as postgres_database, execute};
pub(crate) use self::process::Process;
pub(crate) use self::random::Random;
pub(crate) use self::stream::{Frame, Frames, answer, text};

/// A server in this process, on ports of its own.
pub(crate) struct TestServer {
    pub(crate) address: std::net::SocketAddr,
    pub(crate) metrics_address: std::net::SocketAddr,
    pub(crate) shutdown: Shutdown,
    pub(crate) client: Client,
    metrics: Metrics,
    serving: JoinHandle<std::io::Result<Report>>,
    measuring: JoinHandle<()>,
    _folder: TempDir,
}

/// What a test changes about the server.
#[derive(Default)]
pub(crate) struct Setup<'setup> {
    pub(crate) flags: &'setup [&'setup str],
    pub(crate) tools: Vec<Box<dyn Tool>>,
    pub(crate) routes: Router<AppState>,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub(crate) async fn with_flags(flags: &[&str]) -> Self {
        Self::with(Setup { flags, ..Setup::default() }).await
    }

    pub(crate) async fn with(setup: Setup<'_>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = sqlite_url(folder.path());
        let mut flags = vec!["--database-url", database.as_str(), "--lame-duck", "0"];
        if setup.flags.contains(&"--database-url") {
            flags.drain(..2);
        }
        flags.extend(setup.flags);
        let config = Config::from_flags(flags).unwrap();
        let state = AppState::build_with(&config, setup.tools).await.unwrap();
        let bind = || TcpListener::bind("127.0.0.1:0");
        let (listener, metrics) = (bind().await.unwrap(), bind().await.unwrap());
        let (address, metrics_address) = (listener.local_addr().unwrap(), metrics.local_addr().unwrap());
        let shutdown = Shutdown::default();
        let metrics_of_it = state.metrics();
        let routes = app_with(state.clone(), setup.routes);
        let measuring = tokio::spawn(serve_metrics(metrics, state.clone()));
        let serving = tokio::spawn(serve(listener, routes, state, shutdown.clone()));
        let client = Client::builder().no_proxy().build().unwrap();
        Self { address, metrics_address, shutdown, client, metrics: metrics_of_it, serving, measuring, _folder: folder }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(self.url(path))
    }

    pub(crate) fn post(&self, path: &str, body: Value) -> RequestBuilder {
        self.client.post(self.url(path)).json(&body)
    }

    /// Opens a chat; the stream of its answer, and the run's name.
    pub(crate) async fn chat(&self, message: &str) -> (String, Frames) {
        let response = self.post("/chat", json!({ "message": message })).send().await.unwrap();
        assert_eq!(response.status(), 200, "{:?}", response.text().await);
        (run_of(&response), Frames::new(response))
    }

    /// Reads a run's log from after an entry on.
    pub(crate) async fn events(&self, run: &str, after: i64) -> Response {
        self.get(&format!("/v1/runs/{run}/events?after={after}")).send().await.unwrap()
    }

    /// The metrics, also while the server's event loop stands still.
    pub(crate) fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// One value of the metrics; nothing where it was never counted.
    pub(crate) async fn metric(&self, line: &str) -> f64 {
        let text =
            self.client.get(format!("http://{}/metrics", self.metrics_address)).send().await.unwrap().text().await.unwrap();
        let found = text.lines().find_map(|found| found.strip_prefix(line)?.trim().parse().ok());
        found.unwrap_or(0.0)
    }

    /// Tells the server to end and waits for that.
    pub(crate) async fn end(self) -> Report {
        self.shutdown.gracefully.cancel();
        let report = self.serving.await.unwrap().unwrap();
        self.measuring.abort();
        report
    }
}

pub(crate) fn sqlite_url(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("log.db").display())
}

/// The run that a chat's response says it streams.
pub(crate) fn run_of(response: &Response) -> String {
    let location = response.headers().get("location").unwrap().to_str().unwrap();
    location.split('/').nth(3).unwrap().to_owned()
}

/// Waits until something is so, for as long as a slow machine may need.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    for _ in 0..400 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never: {what}");
}
