//! The lints, a file and a page each.
