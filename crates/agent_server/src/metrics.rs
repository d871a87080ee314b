//! What Prometheus reads. A registry in the state, not a global: every server of a process counts for itself.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::event::Status;

#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    connections: Level,
    open_streams: Level,
    active_runs: Level,
    model_waiting: Level,
    runs: Family<StatusLabel, Counter>,
    events: Counter,
    commits: Counter,
    requests: Family<RequestLabels, Counter>,
    model_errors: Family<CodeLabel, Counter>,
    stalls: Family<RouteLabel, Counter>,
    first_token: Histogram,
    event_gap: Histogram,
    loop_lag: Histogram,
}

type Level = Gauge<i64, AtomicI64>;

#[derive(Clone, Debug, Eq, Hash, PartialEq, EncodeLabelSet)]
struct StatusLabel {
    status: &'static str,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    status: u16,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq, EncodeLabelSet)]
struct CodeLabel {
    code: &'static str,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq, EncodeLabelSet)]
struct RouteLabel {
    route: String,
}

/// Counts for as long as it lives.
#[derive(Debug)]
pub(crate) struct Counted(Level);

impl Counted {
    fn new(level: &Level) -> Self {
        level.inc();
        Self(level.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

const SECONDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

impl Metrics {
    #[allow(clippy::new_without_default, reason = "each call is another set of counters")]
    pub fn new() -> Self {
        let histogram = || Histogram::new(SECONDS);
        let mut inner = Inner {
            registry: Registry::with_prefix("agent"),
            connections: Level::default(),
            open_streams: Level::default(),
            active_runs: Level::default(),
            model_waiting: Level::default(),
            runs: Family::default(),
            events: Counter::default(),
            commits: Counter::default(),
            requests: Family::default(),
            model_errors: Family::default(),
            stalls: Family::default(),
            first_token: histogram(),
            event_gap: histogram(),
            loop_lag: histogram(),
        };
        let registry = &mut inner.registry;
        registry.register("connections", "Open connections", inner.connections.clone());
        registry.register("open_streams", "Event streams that clients read", inner.open_streams.clone());
        registry.register("active_runs", "Runs that this replica drives", inner.active_runs.clone());
        registry.register("model_waiting", "Model calls that wait for their turn", inner.model_waiting.clone());
        registry.register("runs_ended", "Runs that ended here", inner.runs.clone());
        registry.register("events", "Entries written to the log", inner.events.clone());
        registry.register("commits", "Transactions that wrote entries", inner.commits.clone());
        registry.register("requests", "Requests by route and status", inner.requests.clone());
        registry.register("model_errors", "Failed attempts to ask the model", inner.model_errors.clone());
        registry.register("loop_stalls", "Times the event loop stood still, by the route that held it", inner.stalls.clone());
        registry.register("first_token_seconds", "From a run's creation to its first token", inner.first_token.clone());
        registry.register("event_gap_seconds", "Between two entries of a stream", inner.event_gap.clone());
        registry.register("loop_lag_seconds", "How late the event loop ran its heartbeat", inner.loop_lag.clone());
        Self(Arc::new(inner))
    }

    /// All of it, as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.0.registry);
        text
    }

    pub(crate) fn connection(&self) -> Counted {
        Counted::new(&self.0.connections)
    }

    pub(crate) fn open_stream(&self) -> Counted {
        Counted::new(&self.0.open_streams)
    }

    pub(crate) fn active_run(&self) -> Counted {
        Counted::new(&self.0.active_runs)
    }

    pub(crate) fn waiting_for_model(&self) -> Counted {
        Counted::new(&self.0.model_waiting)
    }

    pub(crate) fn run_ended(&self, status: Status) {
        self.0.runs.get_or_create(&StatusLabel { status: status.name() }).inc();
    }

    pub(crate) fn committed(&self, events: u64) {
        self.0.events.inc_by(events);
        self.0.commits.inc();
    }

    pub(crate) fn request(&self, route: &str, status: u16) {
        self.0.requests.get_or_create(&RequestLabels { route: route.to_owned(), status }).inc();
    }

    pub(crate) fn model_error(&self, code: &'static str) {
        self.0.model_errors.get_or_create(&CodeLabel { code }).inc();
    }

    pub(crate) fn stall(&self, route: &str) {
        self.0.stalls.get_or_create(&RouteLabel { route: route.to_owned() }).inc();
    }

    pub(crate) fn first_token(&self, after: Duration) {
        self.0.first_token.observe(after.as_secs_f64());
    }

    pub(crate) fn event_gap(&self, gap: Duration) {
        self.0.event_gap.observe(gap.as_secs_f64());
    }

    pub(crate) fn loop_lag(&self, lag: Duration) {
        self.0.loop_lag.observe(lag.as_secs_f64());
    }
}
