//! Runs the server on a listener until it is told to end.

mod accept;
mod connection;

use std::time::Duration;

use tokio::net::TcpListener;

pub(crate) use self::accept::{Connections, Peer};
use self::connection::Limits;
use crate::api;
use crate::shutdown::{self, Report, Shutdown};
use crate::state::AppState;
use crate::watchdog::Watchdog;

/// Serves `app` until `shutdown` says so, then drains.
pub async fn serve(listener: TcpListener, app: axum::Router, state: AppState, shutdown: Shutdown) -> std::io::Result<Report> {
    let _watchdog = Watchdog::start(state.metrics())?;
    let times = &state.0.times;
    let limits = Limits {
        first_byte: times.timeout_first_byte,
        headers: times.timeout_headers,
        idle: times.timeout_keep_alive,
        write: times.timeout_write,
    };
    let connections = Connections::new(limits, state.0.limit_connections, state.metrics());
    let keeping = tokio::spawn(state.0.runs.clone().keep());
    let accepting = tokio::spawn(connections.clone().accept(listener, app));
    let report = tokio::select! {
        biased;
        () = shutdown.immediately.cancelled() => Report::immediate(),
        report = async {
            shutdown.gracefully.cancelled().await;
            shutdown::drain(&state, &connections).await
        } => report,
    };
    keeping.abort();
    accepting.abort();
    connections.cut();
    Ok(report)
}

/// Serves the metrics on a listener of their own, as long as the future is polled.
pub async fn serve_metrics(listener: TcpListener, state: AppState) {
    let brief = Duration::from_secs(10);
    let limits = Limits { first_byte: brief, headers: brief, idle: brief, write: brief };
    // Its connections do not count among the clients'.
    let connections = Connections::new(limits, 16, crate::Metrics::new());
    connections.clone().accept(listener, api::metrics(state)).await;
}
