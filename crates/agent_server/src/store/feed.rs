//! What readers of a run wait on, and the end of its log in memory.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::event::{Frame, Kind};

/// How much of a run's log is kept in memory for readers that keep up; others read the database.
pub(super) const TAIL: usize = 16;

/// One run as this replica sees it: driven here, or only watched.
#[derive(Debug)]
pub(crate) struct Feed {
    tail: Mutex<VecDeque<Frame>>,
    /// Counts changes: of the tail, or of the database by another replica.
    changes: watch::Sender<u64>,
    /// Somebody asked for the run to end.
    pub(crate) cancel: CancellationToken,
}

impl Feed {
    fn new() -> Self {
        Self { tail: Mutex::default(), changes: watch::Sender::new(0), cancel: CancellationToken::new() }
    }

    /// Shows what is in the database now.
    pub(crate) fn publish(&self, frames: impl IntoIterator<Item = Frame>) {
        let mut tail = self.tail();
        for frame in frames {
            if tail.len() == TAIL {
                tail.pop_front();
            }
            tail.push_back(frame);
        }
        drop(tail);
        self.wake();
    }

    /// There may be news in the database.
    pub(crate) fn wake(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// What follows an entry, where the tail reaches so far back; nothing where only the database knows.
    pub(crate) fn after(&self, seq: i64) -> Option<Vec<Frame>> {
        let tail = self.tail();
        let first = tail.front()?.seq;
        let skip = usize::try_from(seq.checked_add(1)?.checked_sub(first)?).ok()?;
        Some(tail.iter().skip(skip).cloned().collect())
    }

    /// The number of the last entry that was shown here.
    pub(crate) fn last(&self) -> Option<i64> {
        self.tail().back().map(|frame| frame.seq)
    }

    /// Nobody here drives the run any more: where it goes on elsewhere, the tail would grow stale.
    pub(crate) fn abandon(&self) {
        let mut tail = self.tail();
        if tail.back().is_some_and(|last| last.kind != Kind::Done) {
            tail.clear();
            drop(tail);
            self.wake();
        }
    }

    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    // Held for a few moves in memory, never across an await.
    fn tail(&self) -> MutexGuard<'_, VecDeque<Frame>> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The feeds of all runs that somebody here drives or reads, by number.
#[derive(Debug, Default)]
pub(crate) struct Hub(Mutex<Feeds>);

#[derive(Debug, Default)]
struct Feeds {
    by_run: HashMap<i64, Weak<Feed>>,
    /// Dead entries are swept when the map has doubled, so that each costs its creator a constant share.
    sweep_at: usize,
}

impl Hub {
    pub(crate) fn feed(&self, run: i64) -> Arc<Feed> {
        let mut feeds = self.feeds();
        if let Some(feed) = feeds.by_run.get(&run).and_then(Weak::upgrade) {
            return feed;
        }
        if feeds.by_run.len() >= feeds.sweep_at {
            feeds.by_run.retain(|_, feed| feed.strong_count() > 0);
            feeds.sweep_at = (2 * feeds.by_run.len()).max(64);
        }
        let feed = Arc::new(Feed::new());
        feeds.by_run.insert(run, Arc::downgrade(&feed));
        feed
    }

    pub(crate) fn existing(&self, run: i64) -> Option<Arc<Feed>> {
        self.feeds().by_run.get(&run)?.upgrade()
    }

    pub(crate) fn wake_all(&self) {
        let feeds: Vec<_> = self.feeds().by_run.values().filter_map(Weak::upgrade).collect();
        feeds.iter().for_each(|feed| feed.wake());
    }

    fn feeds(&self) -> MutexGuard<'_, Feeds> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
