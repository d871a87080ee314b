//! The one door through which work that blocks leaves the event loop.

use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::sync::Semaphore;
use tracing::Span;

/// Bounds how much blocking work runs at once: tokio's own pool would take 512 threads and then queue without end.
#[derive(Clone, Debug)]
pub(crate) struct Blocking(Arc<Semaphore>);

#[derive(Debug, thiserror::Error)]
#[error("work on a blocking thread panicked")]
pub(crate) struct Panicked;

impl Blocking {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(available_parallelism().map_or(2, usize::from))))
    }

    /// Runs work on a thread where it may block, within the caller's span. The place is held until the work ends, even
    /// when the caller has given up on it, since nothing can stop it.
    pub(crate) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Panicked> {
        let place = Arc::clone(&self.0).acquire_owned().await.map_err(|_| Panicked)?;
        let span = Span::current();
        let work = move || {
            let _place = place;
            span.in_scope(work)
        };
        #[expect(clippy::disallowed_methods, reason = "this is the door")]
        tokio::task::spawn_blocking(work).await.map_err(|_| Panicked)
    }
}
