//! The agent: what drives a run from a message to an answer.

mod drive;
mod machine;
mod runs;

use std::time::Duration;

pub(crate) use self::machine::Budget;
pub(crate) use self::runs::{CancelOnDrop, Refused, Runs, Start, Started};
use crate::metrics::Metrics;
use crate::model::Guard;
use crate::store::Store;
use crate::tools::Tools;

/// What every run needs.
pub(crate) struct Agent {
    pub(crate) store: Store,
    pub(crate) model: Guard,
    pub(crate) tools: Tools,
    pub(crate) budget: Budget,
    /// How long a run may take.
    pub(crate) time: Duration,
    pub(crate) metrics: Metrics,
}
