//! The table, and the bars.

use super::measure::{Load, Measured};
use super::servers::Server;

pub(super) struct Row {
    pub(super) server: Server,
    pub(super) load: Load,
    pub(super) measured: Measured,
}

/// What a figure has to reach.
#[derive(Clone, Copy)]
enum Bar {
    AtLeast(f64),
    AtMost(f64),
    /// A figure without one.
    None,
}

impl Bar {
    fn is_met(self, figure: f64) -> bool {
        match self {
            Self::AtLeast(least) => figure >= least,
            Self::AtMost(most) => figure <= most,
            Self::None => true,
        }
    }
}

pub(super) fn print_head() {
    line("", "", ["", "cores", "events/s", "TTFT", "TTFT", "late", "gap", "gap", "gap", "KiB a", "client", "others", "", ""]);
    line(
        "load",
        "server",
        [
            "events/s", "used", "a core", "p50 ms", "p99 ms", "p99 ms", "p50 ms", "p99 ms", "most ms", "stream", "cores",
            "cores", "open", "broken",
        ],
    );
}

fn line<Text: std::fmt::Display>(load: &str, server: &str, figures: [Text; 14]) {
    let figures: String = figures.iter().map(|figure| format!(" {figure:>8}")).collect();
    println!("{load:14} {server:20}{figures}");
}

pub(super) fn print(row: &Row) {
    let Row { server, load, measured } = row;
    let text = |figure: Option<f64>, digits: usize| figure.map_or("-".to_owned(), |figure| format!("{figure:.digits$}"));
    let counted = measured.counted.as_ref();
    let probed = measured.probed.as_ref();
    let figures = [
        text(measured.rate(), 0),
        text(Some(measured.cores), 2),
        text(measured.rate_a_core(), 0),
        text(probed.and_then(|probed| probed.first_token_p50), 2),
        text(probed.and_then(|probed| probed.first_token_p99), 2),
        text(probed.and_then(|probed| probed.late_p99), 2),
        text(counted.and_then(|counted| counted.gap_p50), 1),
        text(counted.and_then(|counted| counted.gap_p99), 1),
        text(counted.map(|counted| counted.gap_longest), 0),
        text(measured.memory_a_stream, 1),
        text(measured.client_cores, 2),
        text(measured.others, 2),
        counted.map_or(0, |counted| counted.open).to_string(),
        (counted.map_or(0, |counted| counted.broken) + probed.map_or(0, |probed| probed.failed as u64)).to_string(),
    ];
    line(&load.name(), server.name(), figures);
}

/// Prints the figures that have bars; says whether all are met.
pub(super) fn judge(rows: &[Row]) -> bool {
    let probed = |streams| find(rows, Server::Own, streams, true);
    let first_token = probed(500).and_then(|measured| measured.probed.as_ref()?.first_token_p99);
    let memory = |streams| probed(streams).and_then(|measured| measured.memory_a_stream);
    let gap = probed(2_000).and_then(|measured| measured.counted.as_ref()?.gap_p99);
    let best = |server| best(rows, server);
    // The best figure is of few streams in a hurry, whose events share what a commit costs; users are many and slow.
    let many = |server| find(rows, server, 2_000, false);
    let times = |own: Option<&Measured>, other: Option<&Measured>| Some(own?.rate()? / other?.rate()?);
    let times_a_core = |own: Option<&Measured>, other: Option<&Measured>| Some(own?.rate_a_core()? / other?.rate_a_core()?);
    let (own, own_many) = (best(Server::Own), many(Server::Own));
    let (persisted, persisted_many) = (best(Server::Persisted), many(Server::Persisted));
    let (memory_only, memory_only_many) = (best(Server::MemoryOnly), many(Server::MemoryOnly));
    println!();
    let figures = [
        ("persisted events/s a core, most of all loads", own.and_then(Measured::rate_a_core), Bar::AtLeast(20_000.0)),
        (
            "persisted events/s a core, saturated by 2,000 streams",
            own_many.and_then(Measured::rate_a_core),
            Bar::AtLeast(20_000.0),
        ),
        ("added time to first token, p99 at 500 streams, ms", first_token, Bar::AtMost(5.0)),
        ("memory a stream at 500 streams, KiB", memory(500), Bar::AtMost(32.0)),
        ("memory a stream at 2,000 streams, KiB", memory(2_000), Bar::AtMost(32.0)),
        ("gap p99 at 2,000 streams of a token each 50 ms, ms", gap, Bar::None),
        ("times FastAPI persisted: events/s, most of all loads", times(own, persisted), Bar::AtLeast(3.0)),
        ("times FastAPI persisted: events/s, 2,000 streams", times(own_many, persisted_many), Bar::AtLeast(3.0)),
        ("times FastAPI persisted: a core, most of all loads", times_a_core(own, persisted), Bar::None),
        ("times FastAPI persisted: a core, 2,000 streams", times_a_core(own_many, persisted_many), Bar::None),
        ("times FastAPI memory only: events/s, most of all loads", times(own, memory_only), Bar::None),
        ("times FastAPI memory only: events/s, 2,000 streams", times(own_many, memory_only_many), Bar::None),
        ("times FastAPI memory only: a core, 2,000 streams", times_a_core(own_many, memory_only_many), Bar::None),
    ];
    let mut all_met = true;
    for (name, figure, bar) in figures {
        let Some(figure) = figure else {
            println!("{name:56} skipped");
            continue;
        };
        let is_met = bar.is_met(figure);
        all_met &= is_met;
        let verdict = if is_met { "met" } else { "MISSED" };
        let bar = match bar {
            Bar::AtLeast(least) => format!("bar >= {least:<8} {verdict}"),
            Bar::AtMost(most) => format!("bar <= {most:<8} {verdict}"),
            Bar::None => "no bar".to_owned(),
        };
        println!("{name:56} {figure:>9.2}   {bar}");
    }
    all_met
}

/// The load under which a server gave the most.
fn best(rows: &[Row], server: Server) -> Option<&Measured> {
    let of = rows.iter().filter(|row| row.server == server).map(|row| &row.measured);
    let rate = |measured: &Measured| measured.rate().unwrap_or(0.0);
    of.filter(|measured| measured.rate().is_some()).max_by(|left, right| rate(left).total_cmp(&rate(right)))
}

/// Of a server under the load of so many streams, with those who ask for first tokens or at saturation.
fn find(rows: &[Row], server: Server, streams: usize, is_probed: bool) -> Option<&Measured> {
    let is_it = |row: &&Row| row.server == server && row.load.streams == streams && row.load.is_probed == is_probed;
    rows.iter().find(is_it).map(|row| &row.measured)
}
