//! Hints from other replicas, by PostgreSQL's NOTIFY: of new entries, and that a run is to end.

use std::sync::Weak;
use std::time::Duration;

use sqlx::postgres::PgListener;

use super::Shared;

/// The channel on which a flush names the runs that it wrote.
pub(super) const EVENTS: &str = "agent_events";
/// The channel on which runs that are to end are named.
pub(super) const CANCEL: &str = "agent_cancel";
/// PostgreSQL refuses payloads of 8000 bytes and more.
const LONGEST_PAYLOAD: usize = 7_900;

/// Listens until the store is gone. A lost connection costs time only: readers also poll.
pub(super) async fn listen(url: String, shared: Weak<Shared>) {
    while let Some(store) = shared.upgrade() {
        let stopped = store.commands.clone();
        drop(store);
        let listening = async {
            let mut listener = PgListener::connect(&url).await?;
            listener.listen_all([EVENTS, CANCEL]).await?;
            loop {
                let notice = listener.recv().await?;
                let Some(store) = shared.upgrade() else { return Ok(()) };
                hear(&store, notice.channel(), notice.payload());
            }
        };
        let result: Result<(), sqlx::Error> = tokio::select! {
            result = listening => result,
            () = stopped.closed() => return,
        };
        if let Err(error) = result {
            tracing::warn!(%error, "no notices from other replicas; the database is polled");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

fn hear(store: &Shared, channel: &str, payload: &str) {
    if channel == EVENTS && payload == "*" {
        return store.hub.wake_all();
    }
    for run in payload.split(',').filter_map(|text| text.parse().ok()) {
        if channel == CANCEL {
            if let Some(lease) = store.leases.get(run) {
                lease.feed.cancel.cancel();
            }
        } else if let Some(feed) = store.hub.existing(run) {
            feed.wake();
        }
    }
}

/// The notice for one flush: the runs by name, or all where they are too many.
pub(super) fn payload(runs: impl Iterator<Item = i64>) -> String {
    let mut text = String::new();
    for run in runs {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(&run.to_string());
        if text.len() > LONGEST_PAYLOAD {
            return "*".to_owned();
        }
    }
    text
}
