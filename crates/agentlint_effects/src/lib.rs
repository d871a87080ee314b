//! What blocks, and through what: the catalog, and summaries over the whole program's calls.
//!
//! Bodies are cut into regions (a function's own code, each closure, each async block); a region's effects are those of the
//! calls in it and of the closures that run in place there. Summaries are the least fixpoint over the calls.

mod body;
pub mod catalog;
mod closures;
mod conditional;
mod context;
mod coverage;
mod drops;
mod effect;
mod entries;
mod events;
mod explain;
mod flow;
mod futures;
mod grow;
mod guard_walk;
mod guards;
mod kept;
mod layers;
mod lazy;
mod nodes;
mod part;
mod propagate;
mod reach;
mod region;
mod request_clients;
mod resolve;
mod resolver;
mod roles;
mod summary;
#[cfg(test)]
mod tests;
mod threads;
mod time_limits;
mod values;
mod view;

pub use body::AnalysedBody;
pub use catalog::{Catalog, CatalogError, GuardKind};
pub use coverage::Coverage;
pub use effect::Effect;
pub use entries::Entry;
pub use events::How;
pub use explain::{ExplainedCall, Resolution, RunsIn, Silence};
pub use guards::{HeldGuard, HeldLock};
pub use kept::{FORM, SummaryStore};
pub use layers::Layers;
pub use part::{Part, PartCall};
pub use region::{Region, RegionId, RegionKind};
pub use request_clients::RequestClient;
pub use resolve::{ClientType, ResolvedCatalog, SinkEntry};
pub use roles::Role;
pub use summary::{BlockingCall, ChainStep, Effects};
pub use threads::NeedsThreads;
pub use time_limits::UnlimitedClient;
pub use view::BodyView;
