//! The accept loop: never more connections than set, and a way to end them all.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::{self, Limits};
use crate::metrics::Metrics;

/// What the kernel may hold for a client that does not read; left to itself it takes megabytes.
const SEND_BUFFER: usize = 64 * 1024;
/// Of that, what may wait unsent before we are told that there is no room.
const UNSENT: u32 = 16 * 1024;

/// Who is at the other end of the connection; a request extension.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// The open connections.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    limits: Limits,
    places: Arc<Semaphore>,
    tracker: TaskTracker,
    /// No new ones, and the open ones end with their response.
    pub(super) closing: CancellationToken,
    cut: CancellationToken,
    metrics: Metrics,
}

impl Connections {
    pub(crate) fn new(limits: Limits, most: usize, metrics: Metrics) -> Self {
        let places = Arc::new(Semaphore::new(most));
        let (closing, cut) = (CancellationToken::new(), CancellationToken::new());
        Self { limits, places, tracker: TaskTracker::new(), closing, cut, metrics }
    }

    /// Takes connections until told to stop.
    pub(crate) async fn accept(self, listener: TcpListener, app: Router) {
        loop {
            // A place first: what is not accepted waits in the kernel, and costs nothing here.
            let accepted = async {
                let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
                Some((place, listener.accept().await))
            };
            let accepted = tokio::select! {
                () = self.closing.cancelled() => return,
                accepted = accepted => accepted,
            };
            let Some((place, accepted)) = accepted else { return };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // A client that left at once is nothing; without descriptors, trying on at full speed would not help.
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            if let Err(error) = prepare(&stream, self.limits.write) {
                tracing::debug!(%error, "a connection is not as it should be");
            }
            let (app, limits, counted) = (app.clone(), self.limits, self.metrics.connection());
            let (closing, cut) = (self.closing.clone(), self.cut.clone());
            self.tracker.spawn(async move {
                let _held = (place, counted);
                tokio::select! {
                    () = connection::serve(stream, Peer(peer), app, limits, closing) => {}
                    () = cut.cancelled() => {}
                }
            });
        }
    }

    pub(crate) fn stop_accepting(&self) {
        self.closing.cancel();
        self.tracker.close();
    }

    pub(crate) async fn closed(&self) {
        self.tracker.wait().await;
    }

    /// Ends what is open now; says how many.
    pub(crate) fn cut(&self) -> usize {
        let open = self.tracker.len();
        self.cut.cancel();
        open
    }
}

/// Sets what cannot be set in a request: how long a dead peer stays, and how much waits for a slow one.
fn prepare(stream: &TcpStream, patience: Duration) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_send_buffer_size(SEND_BUFFER)?;
    let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(10));
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    {
        socket.set_tcp_notsent_lowat(UNSENT)?;
        socket.set_tcp_user_timeout(Some(patience))?;
    }
    Ok(())
}
