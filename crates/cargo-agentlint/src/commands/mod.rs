//! What each subcommand does.

mod check;
mod explain;
mod inspect;
mod list;

pub(crate) use check::check;
pub(crate) use explain::explain;
pub(crate) use inspect::inspect;
pub(crate) use list::list;
