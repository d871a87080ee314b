//! Which runs this replica drives: each under a lease, with a fencing token that makes a late owner harmless.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio_util::sync::CancellationToken;

use super::feed::Feed;
use crate::event::RunId;

/// The right to write one run's log.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) run: RunRef,
    /// Every write is refused once the database holds a larger one.
    pub(crate) fence: i64,
    pub(crate) feed: Arc<Feed>,
    /// The run belongs to another replica, or the log cannot be written.
    pub(crate) lost: CancellationToken,
    /// The same, for whoever only looks.
    is_lost: AtomicBool,
}

/// A run by both its names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunRef {
    /// For clients.
    pub(crate) id: RunId,
    /// For the log.
    pub(crate) number: i64,
}

impl Lease {
    pub(super) fn new(run: RunRef, fence: i64, feed: Arc<Feed>) -> Arc<Self> {
        Arc::new(Self { run, fence, feed, lost: CancellationToken::new(), is_lost: AtomicBool::new(false) })
    }

    /// Nothing is written for it from here on.
    pub(super) fn lose(&self) {
        self.is_lost.store(true, Ordering::Relaxed);
        self.lost.cancel();
    }

    pub(super) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.feed.abandon();
    }
}

/// Leases are renewed in so many parts, one after the other: all of them at once, a thousand rows and more, would hold up every entry
/// that comes meanwhile.
pub(crate) const SLICES: u32 = 32;

/// The leases that this replica holds: each for as long as somebody drives its run.
#[derive(Debug, Default)]
pub(crate) struct Leases(Mutex<HashMap<i64, Weak<Lease>>>);

impl Leases {
    pub(super) fn insert(&self, lease: &Arc<Lease>) {
        if let Some(former) = self.map().insert(lease.run.number, Arc::downgrade(lease)).and_then(|former| former.upgrade()) {
            former.lose();
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

    /// Those of one slice.
    pub(super) fn slice(&self, slice: i64) -> Vec<Arc<Lease>> {
        let mut held = self.held();
        held.retain(|lease| lease.run.number.rem_euclid(i64::from(SLICES)) == slice);
        held
    }

    pub(super) fn get(&self, run: i64) -> Option<Arc<Lease>> {
        self.map().get(&run)?.upgrade()
    }

    // Held for a look-up, never across an await.
    fn map(&self) -> MutexGuard<'_, HashMap<i64, Weak<Lease>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::feed::Hub;

    #[test]
    fn each_lease_is_of_one_slice() {
        let (leases, hub) = (Leases::default(), Hub::default());
        let lease = |number| Lease::new(RunRef { id: RunId::new(), number }, 1, hub.feed(number));
        let held: Vec<_> = (1..=100).map(lease).collect();
        held.iter().for_each(|lease| leases.insert(lease));
        let slices = (0..i64::from(SLICES)).flat_map(|slice| leases.slice(slice));
        let mut numbers: Vec<i64> = slices.map(|lease| lease.run.number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=100).collect::<Vec<_>>());
    }
}
