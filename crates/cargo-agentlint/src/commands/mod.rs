//! What each subcommand does.

mod check;
mod explain;
mod inspect;
mod list;
mod why;

pub(crate) use check::check;
pub(crate) use explain::explain;
pub(crate) use inspect::inspect;
pub(crate) use list::list;
pub(crate) use why::why;
