//! Keeps SQLite's write-ahead log small, beside the writer instead of within its commits.

use std::io;
use std::sync::Weak;
use std::thread;
use std::time::Duration;

use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, AnyPool, Connection as _, Executor as _, Row as _};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval};

use super::{SQLITE_SETTINGS, Shared};

const EVERY: Duration = Duration::from_millis(500);
/// Pages after which the log is to begin anew, for which the writer waits a moment: 64 MiB.
const LARGE: i64 = 65_536;
/// How far the copying steps back, as `nice` counts: where all cores are busy it gets a tenth of what others get. With a full share it
/// took the core from the event loop for milliseconds at a time, twice a second, which doubled the p99 of the time to first token.
#[cfg(target_os = "linux")]
const STEP_BACK: i32 = 10;

/// Copies committed pages to the database file until the store is gone.
pub(super) async fn keep_small(shared: Weak<Shared>, options: AnyConnectOptions) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut connection = None;
    while let Some(store) = shared.upgrade() {
        let (pool, stopped) = (store.pool.clone(), store.commands.clone());
        drop(store);
        tokio::select! {
            _ = ticks.tick() => {}
            () = stopped.closed() => break,
        }
        if let Err(error) = checkpoint(&mut connection, &options, &pool).await {
            tracing::warn!(%error, "the write-ahead log was not copied back");
            connection = None;
        }
    }
    if let Some(connection) = connection
        && let Err(error) = connection.close().await
    {
        tracing::debug!(%error, "the connection that copies the write-ahead log was not closed");
    }
}

async fn checkpoint(
    connection: &mut Option<AnyConnection>,
    options: &AnyConnectOptions,
    pool: &AnyPool,
) -> Result<(), sqlx::Error> {
    let patient = match connection {
        Some(connection) => connection,
        None => connection.insert(patient(options.clone()).await?),
    };
    // Takes what it can get without anybody waiting.
    let copied = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(patient).await?;
    if copied.try_get::<i64, _>("log")? > LARGE {
        // Little is left to copy; after it the log begins at its start again. The writer waits for this one, so it does not step back.
        sqlx::query("PRAGMA wal_checkpoint(RESTART)").fetch_one(pool).await?;
    }
    Ok(())
}

/// A connection that lets others go first. A connection to SQLite has a thread of its own, which has its priority from the thread
/// that opens it.
async fn patient(options: AnyConnectOptions) -> Result<AnyConnection, sqlx::Error> {
    let runtime = Handle::current();
    let (sender, connection) = oneshot::channel();
    let open = async move {
        let mut connection = AnyConnection::connect_with(&options).await?;
        connection.execute(SQLITE_SETTINGS).await?;
        Ok(connection)
    };
    thread::Builder::new().name("checkpoint".to_owned()).spawn(move || {
        step_back();
        // Where nobody waits any more, the server stops.
        let _ = sender.send(runtime.block_on(open));
    })?;
    connection.await.map_err(|_| io::Error::other("the thread that opens a connection panicked"))?
}

/// On Linux a priority is a thread's; elsewhere it is a whole process's.
fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(STEP_BACK) {
        tracing::debug!(%error, "the copying of the write-ahead log does not step back");
    }
}
