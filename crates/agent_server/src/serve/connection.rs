//! One connection: HTTP/1 with a bound on every wait.
//!
//! hyper has one knob for two things: its header timeout also ends idle connections. Here it is set to the idle time, and
//! the time for headers is kept where the bytes come in, since only there it shows that a request has begun.
//!
//! A client that still sends when it is refused would find the connection reset, and never see why. So such a connection
//! closes in two steps, as RFC 9112 (9.6) has it: first our side, then, once the client has closed too, all of it.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::Request;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::Peer;

/// The most that is buffered of a request's headers.
const BUFFER: usize = 16 * 1024;

/// How long a client that was refused in the middle of its request may take to notice.
const LINGER: Duration = Duration::from_secs(2);

/// How long each kind of wait may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// From the connection to its first byte.
    pub(crate) first_byte: Duration,
    /// From a request's first byte to the end of its headers.
    pub(crate) headers: Duration,
    /// Between two requests.
    pub(crate) idle: Duration,
    /// Without the client taking anything of what is written.
    pub(crate) write: Duration,
}

/// Serves one connection to its end; after `closing`, to the end of the response that is under way.
pub(super) async fn serve(stream: TcpStream, peer: Peer, app: Router, limits: Limits, closing: CancellationToken) {
    let mut byte = [0];
    let has_begun = tokio::select! {
        biased;
        first = timeout(limits.first_byte, stream.peek(&mut byte)) => matches!(first, Ok(Ok(1))),
        // Clients open connections ahead of need: a drain waits for none that has said nothing.
        () = closing.cancelled() => false,
    };
    if !has_begun {
        return;
    }
    let phase = Arc::new(Phase::default());
    let io = TokioIo::new(Patient::new(stream, limits, Arc::clone(&phase)));
    let service = service_fn(|mut request: Request<Incoming>| {
        let busy = Busy::new(&phase);
        request.extensions_mut().insert(peer);
        let response = app.clone().oneshot(request.map(|body| Body::new(Sent::new(body, &phase))));
        async move {
            let Ok(response) = response.await;
            Ok::<_, Infallible>(response.map(|body| Attended { body, _busy: busy }))
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.idle).max_buf_size(BUFFER).half_close(false);
    let mut connection = std::pin::pin!(builder.serve_connection(io, service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Clients leave in the middle of everything.
        tracing::debug!(%error, peer = %peer.0, "a connection broke off");
    }
}

/// What a connection waits for.
#[derive(Debug, Default)]
struct Phase {
    now: AtomicU8,
    /// Whether nobody asked for the end of the last request; hyper may have read it all the same.
    unread: AtomicBool,
}

impl Phase {
    const IDLE: u8 = 0;
    const HEADERS: u8 = 1;
    const BUSY: u8 = 2;

    fn get(&self) -> u8 {
        self.now.load(Ordering::Relaxed)
    }

    fn set(&self, phase: u8) {
        self.now.store(phase, Ordering::Relaxed);
    }

    fn set_unread(&self, unread: bool) {
        self.unread.store(unread, Ordering::Relaxed);
    }
}

/// A request is being answered, until this goes.
struct Busy(Arc<Phase>);

impl Busy {
    fn new(phase: &Arc<Phase>) -> Self {
        phase.set(Phase::BUSY);
        Self(Arc::clone(phase))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.set(Phase::IDLE);
    }
}

/// A request's body, which notes when it has been read to its end.
struct Sent {
    body: Incoming,
    phase: Arc<Phase>,
}

impl Sent {
    fn new(body: Incoming, phase: &Arc<Phase>) -> Self {
        phase.set_unread(!body.is_end_stream());
        Self { body, phase: Arc::clone(phase) }
    }
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.body).poll_frame(context));
        if frame.is_none() {
            this.phase.set_unread(false);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A response's body; the request counts as being answered for as long as it lives.
struct Attended {
    body: Body,
    _busy: Busy,
}

impl HttpBody for Attended {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A socket whose patience ends.
struct Patient {
    stream: TcpStream,
    limits: Limits,
    phase: Arc<Phase>,
    headers: Wait,
    write: Wait,
    linger: Wait,
}

/// A wait for the client. Few connections ever wait for theirs, so the timer is made when one does.
#[derive(Default)]
struct Wait(Option<Pin<Box<Sleep>>>);

impl Wait {
    /// Ready with an error once the wait, which begins with the first call, has taken `most`.
    fn poll<T>(&mut self, context: &mut Context<'_>, most: Duration, told: &'static str) -> Poll<io::Result<T>> {
        ready!(self.0.get_or_insert_with(|| Box::pin(sleep(most))).as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, told)))
    }

    fn end(&mut self) {
        self.0 = None;
    }
}

impl Patient {
    fn new(stream: TcpStream, limits: Limits, phase: Arc<Phase>) -> Self {
        Self { stream, limits, phase, headers: Wait::default(), write: Wait::default(), linger: Wait::default() }
    }

    /// Passes on what a write gave, unless it has waited too long.
    fn wrote(&mut self, context: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.write.end();
            return written;
        }
        self.write.poll(context, self.limits.write, "the client takes nothing")
    }
}

impl AsyncRead for Patient {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(context, buffer) {
            if buffer.filled().len() > before && this.phase.get() == Phase::IDLE {
                this.phase.set(Phase::HEADERS);
                this.phase.set_unread(true);
                this.headers.end();
            }
            return Poll::Ready(read);
        }
        if this.phase.get() != Phase::HEADERS {
            return Poll::Pending;
        }
        this.headers.poll(context, this.limits.headers, "the headers do not end")
    }
}

impl AsyncWrite for Patient {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.wrote(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, slices);
        this.wrote(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
        if !this.phase.unread.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        // First, since a client that is fast enough always has something to read.
        if let Poll::Ready(late) = this.linger.poll(context, LINGER, "the client does not close") {
            return Poll::Ready(late);
        }
        // What the client still sends is for nobody.
        let mut scrap = [0; 4096];
        loop {
            let mut buffer = ReadBuf::new(&mut scrap);
            ready!(Pin::new(&mut this.stream).poll_read(context, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}
