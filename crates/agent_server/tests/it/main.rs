//! The server over real sockets and real databases.

mod chat;
mod support;
