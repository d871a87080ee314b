//! The server's process: settings, runtime, listeners, signals, exit code.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use agent_server::config::{Command, CommandLine, Config};
use agent_server::{AppState, Shutdown, Signals, app, choose_cryptography, new_key, serve, serve_metrics, telemetry};
use anyhow::{Context as _, Result, ensure};
use clap::Parser as _;
use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use url::Url;

// Streams begin and end all the time: with glibc's allocator, what one takes grew from 24 to 33 KiB within half a minute.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exits with 0 after a shutdown that drained, 1 after one that had to cut something off or an error at run time, 2 when
/// the server could not start.
fn main() -> ExitCode {
    let line = CommandLine::parse();
    choose_cryptography();
    let done = match line.command {
        None => start(&line.config),
        Some(Command::NewKey { tenant }) => make_key(&tenant),
        Some(Command::Healthcheck { url }) => runtime(Some(1)).and_then(|runtime| runtime.block_on(check(url))),
    };
    done.unwrap_or_else(|error| {
        report(&format!("error: {}\n", with_causes(&error)));
        ExitCode::from(2)
    })
}

fn start(config: &Config) -> Result<ExitCode> {
    // Out here, since dropping it waits for the last lines and traces to be written.
    let _telemetry = telemetry::start(config)?;
    runtime(config.workers)?.block_on(run(config))
}

fn runtime(workers: Option<usize>) -> Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    if let Some(workers) = workers {
        builder.worker_threads(workers.max(1));
    }
    builder.enable_all().build().context("the runtime cannot start")
}

async fn run(config: &Config) -> Result<ExitCode> {
    let state = AppState::build(config).await?;
    let listener = listen((config.host, config.port).into(), "--port").await?;
    let metrics = listen(config.metrics_address, "--metrics-address").await?;
    // Before anybody is told that the server is there: who knows it may end it.
    let signals = Signals::catch().context("signals cannot be caught")?;
    tracing::info!(address = %listener.local_addr()?, metrics = %metrics.local_addr()?, "serving");
    let measuring = tokio::spawn(serve_metrics(metrics, state.clone()));
    let shutdown = Shutdown::default();
    let listening = tokio::spawn(signals.tell(shutdown.clone()));
    let report = serve(listener, app(state.clone()), state, shutdown).await?;
    listening.abort();
    measuring.abort();
    tracing::info!(report = serde_json::to_string(&report)?, "ended");
    Ok(if report.drained { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn listen(address: SocketAddr, flag: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address} (`{flag}`)"))
}

fn make_key(tenant: &str) -> Result<ExitCode> {
    ensure!(!tenant.is_empty() && !tenant.contains(':'), "a tenant's name is not empty and has no `:`");
    let (key, line) = new_key(tenant).context("the system gives no random numbers")?;
    report(&format!("the client's key, shown this once: {}\n", key.expose_secret()));
    // Apart from the key, so that it can go into the file at once.
    writeln!(std::io::stdout(), "{line}").context("the line for `--api-keys-file` cannot be written")?;
    Ok(ExitCode::SUCCESS)
}

async fn check(url: Url) -> Result<ExitCode> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(3)).no_proxy().build()?;
    let response = client.get(url).send().await?;
    Ok(if response.status().is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// An error with its causes, but for those that it tells itself.
fn with_causes(error: &anyhow::Error) -> String {
    error
        .chain()
        .skip(1)
        .map(ToString::to_string)
        .fold(error.to_string(), |told, cause| if told.contains(&cause) { told } else { format!("{told}: {cause}") })
}

/// What is for the person at the terminal, not for the log.
fn report(text: &str) {
    // Nobody is left to tell when this fails.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
