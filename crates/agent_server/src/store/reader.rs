//! One client's place in a run's log.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::{Feed, Store, StoreError};
use crate::event::{Frame, Kind};

/// What one query brings; a reader holds no more than this.
const BATCH: i64 = 128;
/// How often the database is asked about a run of which no news comes.
const POLL: Duration = Duration::from_millis(500);

/// Pulls from the log at its client's speed, so that a slow client costs no queue and holds nobody up.
#[derive(Debug)]
pub(crate) struct Reader {
    store: Store,
    run: i64,
    feed: Arc<Feed>,
    changes: watch::Receiver<u64>,
    after: i64,
    has_ended: bool,
}

impl Reader {
    pub(super) fn new(store: Store, run: i64, after: i64) -> Self {
        let feed = store.0.hub.feed(run);
        let changes = feed.watch();
        Self { store, run, feed, changes, after, has_ended: false }
    }

    /// The next entries, as soon as there are any; none once the log has ended. May be dropped at any await.
    pub(crate) async fn next(&mut self) -> Result<Vec<Frame>, StoreError> {
        loop {
            if self.has_ended {
                return Ok(Vec::new());
            }
            // Before looking, so that what comes meanwhile wakes the wait below.
            self.changes.mark_unchanged();
            let tail = self.feed.after(self.after);
            let is_here = tail.is_some();
            let frames = match tail {
                Some(frames) => frames,
                None => self.store.events_after(self.run, self.after, BATCH).await?,
            };
            if let Some(last) = frames.last() {
                self.after = last.seq;
                self.has_ended = last.kind == Kind::Done;
                return Ok(frames);
            }
            if is_here {
                // The sender lives in the feed, which this reader holds.
                let _ = self.changes.changed().await;
            } else {
                // A notice from another replica is a hint and may be lost.
                let _ = timeout(POLL, self.changes.changed()).await;
            }
        }
    }
}
