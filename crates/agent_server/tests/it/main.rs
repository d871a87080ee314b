//! The server over real sockets and real databases.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod chat;
mod commands;
mod crash;
mod hostile;
mod limits;
mod migrations;
mod page;
mod provider;
mod proxy;
mod replicas;
mod resume;
mod shutdown;
mod sql;
mod support;
mod tools;
#[cfg(feature = "otel")]
mod traces;
mod watchdog;
