//! What the writer is asked to do.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::lease::{Lease, RunRef};
use crate::event::{Event, Frame, RunId, Status};

#[derive(Debug)]
pub(super) enum Command {
    Create(NewRun, oneshot::Sender<Created>),
    Append(Append),
    /// One slice of the leases is to be held on to.
    Renew(i64),
    Release(Arc<Lease>),
    Cancel(Cancel),
    /// SQLite's write-ahead log is to begin anew.
    BeginLogAnew,
    Close,
}

impl Command {
    /// Whether nothing of it is in the transaction of its group.
    pub(super) fn is_apart(&self) -> bool {
        matches!(self, Self::Renew(_) | Self::BeginLogAnew | Self::Close)
    }
}

/// Asks for a run to end, where the database has one writer; told its number, where there is such a run that has not ended.
#[derive(Debug)]
pub(super) struct Cancel {
    pub(super) tenant: Arc<str>,
    pub(super) run: RunId,
    pub(super) asked: oneshot::Sender<Option<i64>>,
}

#[derive(Debug)]
pub(super) struct Append {
    pub(super) lease: Arc<Lease>,
    /// Of one run, in order.
    pub(super) frames: Vec<Frame>,
    /// The run ends with the last of them.
    pub(super) end: Option<Status>,
    /// Told when they are in the database; dropped where it never will be.
    pub(super) committed: Option<oneshot::Sender<()>>,
}

impl Append {
    /// With the number of their run.
    pub(super) fn entries(&self) -> impl Iterator<Item = (i64, &Frame)> {
        self.frames.iter().map(|frame| (self.lease.run.number, frame))
    }
}

#[derive(Clone, Debug)]
pub(crate) struct NewRun {
    pub(crate) id: RunId,
    pub(crate) tenant: Arc<str>,
    pub(crate) thread: String,
    pub(crate) message: String,
    /// The client's key for this request, and the SHA-256 of the request.
    pub(crate) idempotency: Option<(String, String)>,
}

impl NewRun {
    pub(super) fn first_frame(&self) -> Frame {
        Event::Input { message: self.message.clone() }.frame(1)
    }
}

#[derive(Debug)]
pub(crate) enum Created {
    New(Arc<Lease>),
    /// The same request was made before, with the same key.
    Before(RunRef),
    /// The key was used for another request.
    KeyReused,
    /// A run of the thread has not ended.
    ThreadBusy,
    Failed,
}
