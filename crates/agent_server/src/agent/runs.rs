//! The runs of this replica: started by requests, taken over from replicas that died, given back at shutdown.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use super::Agent;
use super::drive::{Driver, End, Stop};
use super::machine::earlier;
use crate::event::RunId;
use crate::model::Turn;
use crate::store::{Claimed, Created, Feed, Lease, NewRun, RunRef, SLICES, StoreError};
use crate::watchdog::Watched;

/// When to ask again of a replica that has no room.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// The most runs that are taken over at once: the other replicas want some of a dead one's too.
const CLAIMS: usize = 64;

#[derive(Clone)]
pub(crate) struct Runs(Arc<Inner>);

struct Inner {
    agent: Agent,
    lease: Duration,
    slots: Arc<Semaphore>,
    most: usize,
    tracker: TaskTracker,
    stop: Stop,
    route: Arc<str>,
}

/// A message that is to be answered.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) run: NewRun,
    /// Nothing was said in the thread before.
    pub(crate) is_new_thread: bool,
}

/// A run that was started now, or before by the same request with the same key.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) run: RunRef,
    /// Of a new run. A short one may end before its client's stream begins, which would find in the database only what nobody holds.
    pub(crate) feed: Option<Arc<Feed>>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("the server is shutting down")]
    ShuttingDown,
    #[error("there is no room for another run, or none for it at the model")]
    Full { retry_after: Duration },
    #[error("a run of this thread has not ended")]
    ThreadBusy,
    #[error("the idempotency key was used for another request")]
    KeyReused,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Runs {
    pub(crate) fn new(agent: Agent, lease: Duration, most: usize) -> Self {
        let slots = Arc::new(Semaphore::new(most));
        let (tracker, stop) = (TaskTracker::new(), Stop::default());
        Self(Arc::new(Inner { agent, lease, slots, most, tracker, stop, route: "run".into() }))
    }

    /// Creates a run and drives it, whatever becomes of the one who asked.
    pub(crate) async fn start(&self, start: Start) -> Result<Started, Refused> {
        if self.0.stop.soon.is_cancelled() {
            return Err(Refused::ShuttingDown);
        }
        if let Some(retry_after) = self.0.agent.model.is_full() {
            return Err(Refused::Full { retry_after });
        }
        let slot = Arc::clone(&self.0.slots);
        let slot = slot.try_acquire_owned().map_err(|_| Refused::Full { retry_after: RETRY_AFTER })?;
        let (reply, started) = oneshot::channel();
        self.spawn(slot, self.clone().create(start, reply));
        // The task panicked, which its own log entry tells.
        started.await.unwrap_or(Err(Refused::Store(StoreError::Closed)))
    }

    async fn create(self, start: Start, reply: oneshot::Sender<Result<Started, Refused>>) {
        let Start { run, is_new_thread } = start;
        let (id, message) = (run.id, run.message.clone());
        let (tenant, thread) = (Arc::clone(&run.tenant), run.thread.clone());
        let (started, lease) = match self.0.agent.store.create(run).await {
            Ok(Created::New(lease)) => (Ok(Started { run: lease.run, feed: Some(Arc::clone(&lease.feed)) }), Some(lease)),
            Ok(Created::Before(run)) => (Ok(Started { run, feed: None }), None),
            Ok(Created::KeyReused) => (Err(Refused::KeyReused), None),
            Ok(Created::ThreadBusy) => (Err(Refused::ThreadBusy), None),
            Ok(Created::Failed) => (Err(Refused::Store(StoreError::Closed)), None),
            Err(error) => (Err(Refused::Store(error)), None),
        };
        // A client that has left still gets its answer written.
        let _ = reply.send(started);
        let Some(lease) = lease else { return };
        let history = if is_new_thread { Ok(Vec::new()) } else { self.history(&tenant, &thread, id).await };
        let driver = history.map(|history| Driver::begin(&self.0.agent, Arc::clone(&lease), history, message));
        self.drive(lease, driver).await;
    }

    async fn take_over(self, claimed: Claimed) {
        let lease = Arc::clone(&claimed.lease);
        tracing::info!(run = %lease.run.id, fence = lease.fence, "a run is taken over");
        let driver = match self.history(&claimed.tenant, &claimed.thread, lease.run.id).await {
            Ok(history) => Driver::resume(&self.0.agent, Arc::clone(&lease), history, claimed.age).await,
            Err(error) => Err(error),
        };
        self.drive(lease, driver).await;
    }

    async fn drive(&self, lease: Arc<Lease>, driver: Result<Driver<'_>, StoreError>) {
        let run = lease.run.id;
        let end = match driver {
            Ok(driver) => {
                let span = tracing::info_span!("run", run = %driver.run_id());
                driver.run(&self.0.stop).instrument(span).await
            }
            Err(error) => {
                tracing::error!(%run, %error, "the run cannot go on here");
                End::Lost
            }
        };
        match end {
            End::Ended(status) => self.0.agent.metrics.run_ended(status),
            End::Suspended => {
                tracing::info!(%run, "the run is given back");
                self.0.agent.store.release(lease).await;
            }
            End::Lost => tracing::warn!(%run, "the run was lost to another replica, or its log cannot be written"),
        }
    }

    /// Asks for a run's end when it is dropped: its client has left.
    pub(crate) fn cancel_on_drop(&self, tenant: Arc<str>, run: RunId) -> CancelOnDrop {
        CancelOnDrop { runs: Some(self.clone()), tenant, run, runtime: Handle::current() }
    }

    /// What was said in a thread before a run.
    async fn history(&self, tenant: &str, thread: &str, run: RunId) -> Result<Vec<Turn>, StoreError> {
        let entries = self.0.agent.store.thread(tenant, thread).await?;
        Ok(earlier(entries.into_iter().filter(|(of, ..)| *of != run).map(|(_, _, event)| event)))
    }

    /// Holds on to the runs that are driven here and takes over those that nobody drives, until the last run has gone.
    pub(crate) async fn keep(self) {
        let mut ticks = interval(self.0.lease / 3 / SLICES);
        // Where the server is late, the slices still come round in time.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let done = async {
            self.0.stop.soon.cancelled().await;
            self.0.tracker.wait().await;
        };
        let mut done = std::pin::pin!(done);
        for slice in (0..SLICES).cycle() {
            tokio::select! {
                () = &mut done => return,
                _ = ticks.tick() => {}
            }
            if self.0.slots.available_permits() < self.0.most && self.0.agent.store.renew(slice).await.is_err() {
                return;
            }
            if slice == 0 && !self.0.stop.soon.is_cancelled() {
                self.claim().await;
            }
        }
    }

    async fn claim(&self) {
        let room = self.0.slots.available_permits().min(CLAIMS);
        if room == 0 {
            return;
        }
        let claimed = match self.0.agent.store.claim(room).await {
            Ok(claimed) => claimed,
            Err(error) => return tracing::warn!(%error, "runs of lost replicas were not looked for"),
        };
        for claimed in claimed {
            let Ok(slot) = Arc::clone(&self.0.slots).try_acquire_owned() else {
                // Requests were faster.
                self.0.agent.store.release(claimed.lease).await;
                continue;
            };
            self.spawn(slot, self.clone().take_over(claimed));
        }
    }

    fn spawn(&self, slot: OwnedSemaphorePermit, work: impl Future<Output = ()> + Send + 'static) {
        let held = (slot, self.0.agent.metrics.active_run());
        // A panic ends this run only; its lease runs out and it is tried again. Not an async block: that would have room for the work
        // twice, as what it was given and as what it waits for, and there is one of these for each run.
        let work = AssertUnwindSafe(work).catch_unwind().map(move |ended| {
            let _held = held;
            if ended.is_err() {
                tracing::error!("the code that drives a run panicked");
            }
        });
        self.0.tracker.spawn(Watched::new(Arc::clone(&self.0.route), work));
    }

    /// Ends: no new runs; running ones may finish their step until `soon`, and are given back after that. Whether all
    /// were gone at `late`.
    pub(crate) async fn drain(&self, soon: Instant, late: Instant) -> Drained {
        self.0.stop.soon.cancel();
        self.0.tracker.close();
        let running = self.0.tracker.len();
        let in_time = timeout_at(soon, self.0.tracker.wait()).await.is_ok();
        self.0.stop.now.cancel();
        let is_empty = in_time || timeout_at(late, self.0.tracker.wait()).await.is_ok();
        Drained { running, abandoned: if is_empty { 0 } else { self.0.tracker.len() } }
    }
}

pub(crate) struct CancelOnDrop {
    runs: Option<Runs>,
    tenant: Arc<str>,
    run: RunId,
    runtime: Handle,
}

impl CancelOnDrop {
    /// The run has ended by itself.
    pub(crate) fn disarm(mut self) {
        self.runs = None;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        let Some(runs) = self.runs.take() else { return };
        let (tenant, run) = (Arc::clone(&self.tenant), self.run);
        // Of the tracker, so that a shutdown waits for it.
        runs.0.tracker.clone().spawn_on(
            async move {
                if let Err(error) = runs.0.agent.store.cancel(tenant, run).await {
                    tracing::warn!(%run, %error, "the run goes on although its client has left");
                }
            },
            &self.runtime,
        );
    }
}

/// What became of the runs at shutdown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drained {
    pub(crate) running: usize,
    /// Still at work when time was up; another replica takes them over when their leases end.
    pub(crate) abandoned: usize,
}
