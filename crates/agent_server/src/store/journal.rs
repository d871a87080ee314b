//! Where one run's driver writes.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::lease::Lease;
use super::writer::{Append, Command};
use crate::event::{Event, Status};

/// Where the driver of one run writes its entries, in order.
#[derive(Debug)]
pub(crate) struct Journal {
    commands: mpsc::Sender<Command>,
    lease: Arc<Lease>,
    last_seq: i64,
}

/// The run is not this replica's any more, or the log takes no writes.
#[derive(Debug, thiserror::Error)]
#[error("the lease is lost")]
pub(crate) struct LeaseLost;

impl Journal {
    pub(super) fn new(commands: mpsc::Sender<Command>, lease: Arc<Lease>, last_seq: i64) -> Self {
        Self { commands, lease, last_seq }
    }

    /// Queues an entry; waits only while the queue is full.
    pub(crate) async fn append(&mut self, event: &Event) -> Result<(), LeaseLost> {
        self.send(event, None, None).await
    }

    /// Writes an entry, and everything before it, for good.
    pub(crate) async fn commit(&mut self, event: &Event) -> Result<(), LeaseLost> {
        let (sender, committed) = oneshot::channel();
        self.send(event, None, Some(sender)).await?;
        committed.await.map_err(|_| LeaseLost)
    }

    /// Writes the last entry and ends the run.
    pub(crate) async fn finish(&mut self, event: &Event, status: Status) -> Result<(), LeaseLost> {
        let (sender, committed) = oneshot::channel();
        self.send(event, Some(status), Some(sender)).await?;
        committed.await.map_err(|_| LeaseLost)
    }

    async fn send(
        &mut self,
        event: &Event,
        end: Option<Status>,
        committed: Option<oneshot::Sender<()>>,
    ) -> Result<(), LeaseLost> {
        if self.lease.is_lost() {
            return Err(LeaseLost);
        }
        let frame = event.frame(self.last_seq + 1);
        let append = Append { lease: Arc::clone(&self.lease), frame, end, committed };
        self.commands.send(Command::Append(append)).await.map_err(|_| LeaseLost)?;
        self.last_seq += 1;
        Ok(())
    }
}
