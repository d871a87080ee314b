//! Where one run's driver writes.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::command::{Append, Command};
use super::lease::Lease;
use crate::event::{Event, Frame, Status};

/// The most tokens that are held for one way to the writer.
const MOST_HELD: usize = 8;

/// Where the driver of one run writes its entries, in order.
#[derive(Debug)]
pub(crate) struct Journal {
    commands: mpsc::Sender<Command>,
    lease: Arc<Lease>,
    last_seq: i64,
    /// Entries that are not on their way yet.
    held: Vec<Frame>,
}

/// A place in the writer's queue.
#[derive(Debug)]
pub(crate) struct Room(mpsc::OwnedPermit<Command>);

/// The run is not this replica's any more, or the log takes no writes.
#[derive(Debug, thiserror::Error)]
#[error("the lease is lost")]
pub(crate) struct LeaseLost;

impl Journal {
    pub(super) fn new(commands: mpsc::Sender<Command>, lease: Arc<Lease>, last_seq: i64) -> Self {
        Self { commands, lease, last_seq, held: Vec::new() }
    }

    /// Takes an entry that goes to the writer with the next one that is sent.
    pub(crate) fn hold(&mut self, event: &Event) {
        self.last_seq += 1;
        self.held.push(event.frame(self.last_seq));
    }

    /// Whether what is held has to be sent before more is.
    pub(crate) fn is_full(&self) -> bool {
        self.held.len() >= MOST_HELD
    }

    /// Waits for room in the writer's queue. What is held meanwhile goes with the rest.
    pub(crate) fn room(&self) -> impl Future<Output = Result<Room, LeaseLost>> + use<> {
        let queue = self.commands.clone();
        async { queue.reserve_owned().await.map(Room).map_err(|_| LeaseLost) }
    }

    /// Sends what is held.
    pub(crate) fn send(&mut self, room: Room) -> Result<(), LeaseLost> {
        self.send_as(room, None, None)
    }

    /// Sends an entry; waits only while the writer's queue is full.
    pub(crate) async fn append(&mut self, event: &Event) -> Result<(), LeaseLost> {
        self.hold(event);
        let room = self.room().await?;
        self.send(room)
    }

    /// Writes an entry, and everything before it, for good.
    pub(crate) async fn commit(&mut self, event: &Event) -> Result<(), LeaseLost> {
        self.hold(event);
        self.wait_for(None).await
    }

    /// Writes the last entry and ends the run.
    pub(crate) async fn finish(&mut self, event: &Event, status: Status) -> Result<(), LeaseLost> {
        self.hold(event);
        self.wait_for(Some(status)).await
    }

    async fn wait_for(&mut self, end: Option<Status>) -> Result<(), LeaseLost> {
        let (sender, committed) = oneshot::channel();
        let room = self.room().await?;
        self.send_as(room, end, Some(sender))?;
        committed.await.map_err(|_| LeaseLost)
    }

    fn send_as(
        &mut self,
        Room(place): Room,
        end: Option<Status>,
        committed: Option<oneshot::Sender<()>>,
    ) -> Result<(), LeaseLost> {
        if self.lease.is_lost() {
            return Err(LeaseLost);
        }
        let frames = std::mem::take(&mut self.held);
        place.send(Command::Append(Append { lease: Arc::clone(&self.lease), frames, end, committed }));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::event::RunId;
    use crate::store::RunRef;
    use crate::store::feed::Hub;

    fn sequence_numbers(queue: &mut mpsc::Receiver<Command>) -> Vec<i64> {
        match queue.try_recv() {
            Ok(Command::Append(append)) => append.frames.iter().map(|frame| frame.seq).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn what_is_held_goes_together_and_outlives_who_gives_up_waiting() {
        let (commands, mut queue) = mpsc::channel(1);
        let lease = Lease::new(RunRef { id: RunId::new(), number: 7 }, 1, Hub::default().feed(7));
        let mut journal = Journal::new(commands, lease, 1);
        let token = Event::Token { text: "a".to_owned() };
        journal.append(&token).await.unwrap();
        journal.hold(&token);
        let room = journal.room();
        assert!(room.now_or_never().is_none(), "the queue is full");
        assert!(journal.append(&token).now_or_never().is_none());
        assert_eq!(sequence_numbers(&mut queue), [2]);
        journal.append(&Event::Error { code: "broken".to_owned(), message: String::new() }).await.unwrap();
        assert_eq!(sequence_numbers(&mut queue), [3, 4, 5]);
        assert!(journal.held.is_empty());
    }
}
