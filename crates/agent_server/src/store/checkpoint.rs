//! Keeps SQLite's write-ahead log small, beside the writer instead of within its commits.

use std::sync::Weak;
use std::time::Duration;

use sqlx::{AnyPool, Row as _};
use tokio::time::{MissedTickBehavior, interval};

use super::Shared;

const EVERY: Duration = Duration::from_millis(500);
/// Pages after which the log is to begin anew, for which the writer waits a moment: 64 MiB, which at 10,000 entries a
/// second is every six seconds or so.
const LARGE: i64 = 65_536;

/// Copies committed pages to the database file until the store is gone.
pub(super) async fn keep_small(shared: Weak<Shared>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while let Some(store) = shared.upgrade() {
        let (pool, stopped) = (store.pool.clone(), store.commands.clone());
        drop(store);
        tokio::select! {
            _ = ticks.tick() => {}
            () = stopped.closed() => return,
        }
        if let Err(error) = checkpoint(&pool).await {
            tracing::warn!(%error, "the write-ahead log was not copied back");
        }
    }
}

async fn checkpoint(pool: &AnyPool) -> Result<(), sqlx::Error> {
    // Takes what it can get without anybody waiting.
    let copied = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(pool).await?;
    if copied.try_get::<i64, _>("log")? > LARGE {
        // Little is left to copy; after it the log begins at its start again.
        sqlx::query("PRAGMA wal_checkpoint(RESTART)").fetch_one(pool).await?;
    }
    Ok(())
}
