//! A reference agent server: it streams, survives refreshes, deploys and crashes, and passes every lint of agentlint.
//!
//! [`app`] is the one table of routes; [`serve`] runs it on a listener until it is told to end.

mod access;
mod agent;
mod api;
mod blocking;
mod client_ip;
pub mod config;
mod error;
mod event;
mod metrics;
mod model;
mod schema;
mod serve;
mod shutdown;
mod sse;
mod state;
mod store;
pub mod telemetry;
mod tls;
mod tools;
mod watchdog;

pub use self::access::new_key;
pub use self::api::{app, app_with};
pub use self::metrics::Metrics;
pub use self::serve::{serve, serve_metrics};
pub use self::shutdown::{Report, Shutdown, Signals};
pub use self::state::{AppState, Problem};
pub use self::tls::choose_cryptography;
pub use self::tools::Tool;
