//! Sees from outside when the event loop stands still, and names the route whose code holds it.
//!
//! A task beats every few milliseconds; an operating-system thread looks on. When one task blocks, the beat stops, and
//! what is being polled for all that time is to blame. No metric inside the loop can tell this while it happens.

use std::cell::OnceCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::Stream;
use pin_project_lite::pin_project;
use tokio::time::{MissedTickBehavior, interval};

use crate::metrics::Metrics;

const BEAT: Duration = Duration::from_millis(10);
/// What counts as a stall.
const LAG: Duration = Duration::from_millis(50);

/// Watches one runtime for as long as it lives.
#[derive(Debug)]
pub(crate) struct Watchdog {
    shared: Arc<Shared>,
    thread: Option<thread::JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    start: Instant,
    /// Milliseconds from the start to the last beat.
    beat: AtomicU64,
    stops: AtomicBool,
}

impl Watchdog {
    /// Starts the beat on this runtime and the thread that looks on.
    pub(crate) fn start(metrics: Metrics) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { start: Instant::now(), beat: AtomicU64::new(0), stops: AtomicBool::new(false) });
        tokio::spawn(beat(Arc::clone(&shared)));
        let watched = Arc::clone(&shared);
        let thread = thread::Builder::new().name("watchdog".to_owned()).spawn(move || watched.watch(&metrics))?;
        Ok(Self { shared, thread: Some(thread) })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.shared.stops.store(true, Ordering::Relaxed);
        // The thread sees it within a beat; nobody needs to wait for that.
        drop(self.thread.take());
    }
}

async fn beat(shared: Arc<Shared>) {
    let mut ticks = interval(BEAT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !shared.stops.load(Ordering::Relaxed) {
        ticks.tick().await;
        shared.beat.store(millis_since(shared.start), Ordering::Relaxed);
    }
}

impl Shared {
    fn watch(&self, metrics: &Metrics) {
        // The stall that is going on: when it was seen, and whom it was put to.
        let mut stall: Option<String> = None;
        let mut seen = 0;
        while !self.stops.load(Ordering::Relaxed) {
            CLOCK.store(millis_since(*START), Ordering::Relaxed);
            #[expect(clippy::disallowed_methods, reason = "a thread of its own, which is the point of it")]
            thread::sleep(BEAT);
            let beat = self.beat.load(Ordering::Relaxed);
            let lag = Duration::from_millis(millis_since(self.start).saturating_sub(beat)).saturating_sub(BEAT);
            if lag < LAG {
                if beat != seen {
                    metrics.loop_lag(lag);
                }
                if let Some(route) = stall.take() {
                    tracing::warn!(route, "the event loop runs again");
                }
            } else if stall.is_none() {
                metrics.loop_lag(lag);
                let route = longest_poll(LAG).unwrap_or_else(|| "unknown".to_owned());
                metrics.stall(&route);
                tracing::error!(
                    route,
                    lag_ms = u64::try_from(lag.as_millis()).unwrap_or(u64::MAX),
                    "the event loop stands still: this route blocks it, and every stream with it"
                );
                stall = Some(route);
            }
            seen = beat;
        }
    }
}

fn millis_since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

// Milliseconds since `START` at the watchdog's last look: near enough, and cheaper to read than a clock on every poll.
static CLOCK: AtomicU64 = AtomicU64::new(0);
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// What one thread polls now, and since when by `CLOCK`.
#[derive(Debug, Default)]
struct Polling(Mutex<Option<(Arc<str>, u64)>>);

// One entry for each thread that ever polled something watched; a runtime has a fixed number of them.
static THREADS: Mutex<Vec<Arc<Polling>>> = Mutex::new(Vec::new());

thread_local! {
    static POLLING: OnceCell<Arc<Polling>> = const { OnceCell::new() };
}

impl Polling {
    fn replace(&self, now: Option<(Arc<str>, u64)>) -> Option<(Arc<str>, u64)> {
        // The other side is the watchdog's thread, which holds it for a clone, once in a stall.
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), now)
    }
}

/// The route that a thread has been polling longest, where that is at least so long.
fn longest_poll(least: Duration) -> Option<String> {
    let threads: Vec<_> = THREADS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let polls = threads.iter().filter_map(|thread| thread.0.lock().unwrap_or_else(PoisonError::into_inner).clone());
    let longest = polls.min_by_key(|(_, since)| *since)?;
    let since = Duration::from_millis(millis_since(*START).saturating_sub(longest.1));
    (since >= least).then(|| longest.0.to_string())
}

/// Runs with this thread's entry saying what is polled.
fn polled<T>(route: &Arc<str>, poll: impl FnOnce() -> T) -> T {
    POLLING.with(|polling| {
        let polling = polling.get_or_init(|| {
            let polling = Arc::new(Polling::default());
            THREADS.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&polling));
            polling
        });
        let outer = polling.replace(Some((Arc::clone(route), CLOCK.load(Ordering::Relaxed))));
        let _restore = Restore { polling, outer };
        poll()
    })
}

/// Puts the outer poll back, also when the inner one panics.
struct Restore<'thread> {
    polling: &'thread Polling,
    outer: Option<(Arc<str>, u64)>,
}

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        self.polling.replace(self.outer.take());
    }
}

pin_project! {
    /// A future or stream whose polls the watchdog can put to a route.
    #[derive(Debug)]
    pub(crate) struct Watched<F> {
        #[pin]
        inner: F,
        route: Arc<str>,
    }
}

impl<F> Watched<F> {
    pub(crate) fn new(route: Arc<str>, inner: F) -> Self {
        Self { inner, route }
    }
}

impl<F: Future> Future for Watched<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        polled(this.route, || this.inner.poll(context))
    }
}

impl<F: Stream> Stream for Watched<F> {
    type Item = F::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<F::Item>> {
        let this = self.project();
        polled(this.route, || this.inner.poll_next(context))
    }
}
