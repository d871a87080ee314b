//! Keeps SQLite's write-ahead log small, beside the writer instead of within its commits.

use std::io;
use std::thread;
use std::time::Duration;

use sqlx::{AnyConnection, Connection as _, Row as _};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep;

use super::command::Command;
use super::connector::Connector;

/// Between two copies. Each holds the core and the disk up for a moment: many short moments are felt less than a few long ones.
const PAUSE: Duration = Duration::from_millis(50);
/// Pages after which the log is to begin anew, for which the writer waits a moment: 64 MiB.
const LARGE: i64 = 65_536;
/// How far the copying steps back, as `nice` counts: where all cores are busy it gets a tenth of what others get. With a full share it
/// took the core from the event loop for milliseconds at a time, which doubled the p99 of the time to first token.
#[cfg(target_os = "linux")]
const STEP_BACK: i32 = 10;

/// Copies committed pages to the database file until the writer is gone.
pub(super) async fn keep_small(mut written: watch::Receiver<()>, commands: mpsc::WeakSender<Command>, connector: Connector) {
    let mut connection = None;
    while written.changed().await.is_ok() {
        match checkpoint(&mut connection, &connector).await {
            Ok(pages) if pages > LARGE => {
                // Little is left to copy. Where the writer goes, nothing is to begin.
                if let Some(commands) = commands.upgrade() {
                    let _ = commands.send(Command::BeginLogAnew).await;
                }
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "the write-ahead log was not copied back");
                connection = None;
            }
        }
        sleep(PAUSE).await;
    }
    if let Some(connection) = connection
        && let Err(error) = connection.close().await
    {
        tracing::debug!(%error, "the connection that copies the write-ahead log was not closed");
    }
}

/// Copies what it can without anybody waiting; gives the pages that the log has.
async fn checkpoint(connection: &mut Option<AnyConnection>, connector: &Connector) -> Result<i64, sqlx::Error> {
    let patient = match connection {
        Some(connection) => connection,
        None => connection.insert(patient(connector.clone()).await?),
    };
    sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(patient).await?.try_get("log")
}

/// A connection that lets others go first. A connection to SQLite has a thread of its own, which has its priority from the thread
/// that opens it.
async fn patient(connector: Connector) -> Result<AnyConnection, sqlx::Error> {
    let runtime = Handle::current();
    let (sender, connection) = oneshot::channel();
    thread::Builder::new().name("checkpoint".to_owned()).spawn(move || {
        step_back();
        // Where nobody waits any more, the server stops.
        let _ = sender.send(runtime.block_on(connector.connect()));
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
