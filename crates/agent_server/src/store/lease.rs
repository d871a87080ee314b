//! Which runs this replica drives: each under a lease, with a fencing token that makes a late owner harmless.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio_util::sync::CancellationToken;

use super::feed::Feed;
use crate::event::RunId;

/// The right to write one run's log.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) run: RunId,
    /// Every write is refused once the database holds a larger one.
    pub(crate) fence: i64,
    pub(crate) feed: Arc<Feed>,
    /// The run belongs to another replica, or the log cannot be written.
    pub(crate) lost: CancellationToken,
}

impl Lease {
    pub(super) fn new(run: RunId, fence: i64, feed: Arc<Feed>) -> Arc<Self> {
        Arc::new(Self { run, fence, feed, lost: CancellationToken::new() })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.feed.abandon();
    }
}

/// The leases that this replica holds: each for as long as somebody drives its run.
#[derive(Debug, Default)]
pub(crate) struct Leases(Mutex<HashMap<RunId, Weak<Lease>>>);

impl Leases {
    pub(super) fn insert(&self, lease: &Arc<Lease>) {
        if let Some(former) = self.map().insert(lease.run, Arc::downgrade(lease)).and_then(|former| former.upgrade()) {
            former.lost.cancel();
        }
    }

    /// Those that are held, the others forgotten.
    pub(super) fn held(&self) -> Vec<Arc<Lease>> {
        let mut held = Vec::new();
        self.map().retain(|_, lease| {
            let lease = lease.upgrade();
            held.extend(lease.clone());
            lease.is_some()
        });
        held
    }

    pub(super) fn get(&self, run: RunId) -> Option<Arc<Lease>> {
        self.map().get(&run)?.upgrade()
    }

    // Held for a look-up, never across an await.
    fn map(&self) -> MutexGuard<'_, HashMap<RunId, Weak<Lease>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
