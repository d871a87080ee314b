//! The end of the server: told by a signal, bounded in time, losing nothing.
//!
//! Readiness goes off first, so that balancers look elsewhere while this server still serves. Then runs may finish their
//! step, the others are given back to be taken over, and every open stream is told to come again.

use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::serve::Connections;
use crate::state::AppState;

/// How a server is told to end.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    pub gracefully: CancellationToken,
    /// Without waiting for anything.
    pub immediately: CancellationToken,
}

/// What became of the work at the end.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Report {
    /// Everything ended or was given back within the time.
    pub drained: bool,
    /// Runs that were under way.
    pub runs: usize,
    /// Of these, the ones that were still at work when time was up; another replica takes them over.
    pub abandoned_runs: usize,
    /// Connections that were open when time was up.
    pub cut_connections: usize,
    pub seconds: f64,
}

impl Report {
    /// Nothing was waited for.
    pub(crate) fn immediate() -> Self {
        Self { drained: false, runs: 0, abandoned_runs: 0, cut_connections: 0, seconds: 0.0 }
    }
}

/// SIGTERM, as orchestrators send it, and SIGINT, as a terminal does. Caught from the moment this is made.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    pub fn catch() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    #[cfg(not(unix))]
    pub fn catch() -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// The first signal means gracefully, a second one at once.
    pub async fn tell(mut self, shutdown: Shutdown) {
        self.next().await;
        tracing::info!("told to end; a second signal ends at once");
        shutdown.gracefully.cancel();
        self.next().await;
        shutdown.immediately.cancel();
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Ends in order, within the bound.
pub(crate) async fn drain(state: &AppState, connections: &Connections) -> Report {
    let state = &state.0;
    let start = Instant::now();
    let bound = state.times.timeout_graceful_shutdown;
    let at = |share: f64| start + bound.mul_f64(share);
    state.not_ready.cancel();
    // Never so long that nothing is left for the rest.
    sleep_until((start + state.times.lame_duck).min(at(0.3))).await;
    connections.stop_accepting();

    let runs = state.runs.drain(at(0.66), at(0.85)).await;
    state.farewell.cancel();
    let cut_connections = match timeout_at(at(0.95), connections.closed()).await {
        Ok(()) => 0,
        Err(_) => connections.cut(),
    };
    let has_closed = timeout_at(at(1.0) + Duration::from_millis(100), state.store.close()).await.is_ok();
    Report {
        drained: runs.abandoned == 0 && cut_connections == 0 && has_closed,
        runs: runs.running,
        abandoned_runs: runs.abandoned,
        cut_connections,
        seconds: start.elapsed().as_secs_f64(),
    }
}
