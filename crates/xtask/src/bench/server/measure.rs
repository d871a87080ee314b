//! One row: a fresh server, its clients, and what they and the kernel say of a window of time.

use std::io::{BufRead as _, BufReader};
use std::process::{ChildStdout, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::load::{self, Counted};
use super::probe::{self, Probed};
use super::process::{Ending, Place, busy_time, processor_time, resident};
use super::servers::{Binaries, Server};

/// The prober's window lies within the other, by so many seconds at its end.
const MARGIN: f64 = 0.5;

/// What the clients do.
#[derive(Clone, Copy)]
pub(super) struct Load {
    pub(super) streams: usize,
    /// Milliseconds between two tokens of a stream.
    pub(super) delay: u64,
    /// Somebody asks for first tokens meanwhile.
    pub(super) is_probed: bool,
}

impl Load {
    pub(super) fn name(self) -> String {
        match self {
            Self { streams: 0, .. } => "idle".to_owned(),
            Self { streams, delay: 0, .. } => format!("{streams} x at once"),
            Self { streams, delay, .. } => format!("{streams} x {}/s", 1_000 / delay),
        }
    }
}

pub(super) struct Measured {
    pub(super) counted: Option<Counted>,
    pub(super) probed: Option<Probed>,
    /// Processor time of the server by time.
    pub(super) cores: f64,
    pub(super) client_cores: Option<f64>,
    /// What others took of the server's core.
    pub(super) others: Option<f64>,
    /// KiB more than when idle, by stream.
    pub(super) memory_a_stream: Option<f64>,
}

impl Measured {
    /// Events a second.
    pub(super) fn rate(&self) -> Option<f64> {
        self.counted.as_ref().map(|counted| counted.events as f64 / counted.seconds)
    }

    pub(super) fn rate_a_core(&self) -> Option<f64> {
        Some(self.rate()? / self.cores.max(f64::EPSILON))
    }
}

pub(super) fn measure(binaries: &Binaries, server: Server, load: Load, seconds: f64) -> Result<Measured> {
    let running = binaries.start(server)?;
    let (process, address) = (running.process.id(), running.address);
    let ask = |seconds| Client::start(binaries, Place::Prober, "--probe", &probe::Order { address, seconds });
    // The first requests find nothing in caches, and memory that is there for all streams was not taken yet.
    let _: Probed = ask(1.0)?.result()?;
    let idle = resident(process)?;
    let mut streams = None;
    if load.streams > 0 {
        let order = load::Order { address, streams: load.streams, delay: load.delay, seconds };
        let mut client = Client::start(binaries, Place::Client, "--load", &order)?;
        ensure!(client.line()? == load::BEGIN, "the client does not begin");
        streams = Some(client);
    }
    let core = binaries.cores.server;
    let before = Usage::take(process, streams.as_ref(), core)?;
    let mut prober = if load.is_probed { Some(ask(seconds - MARGIN)?) } else { None };
    let (counted, probed, after, memory);
    match &mut streams {
        Some(client) => {
            // It holds its streams open until it goes, so that memory can be looked at.
            let result: Counted = client.result()?;
            after = Usage::take(process, Some(client), core)?;
            memory = Some((resident(process)? - idle) / result.open.max(1) as f64);
            probed = prober.as_mut().map(Client::result).transpose()?;
            if server.keeps() {
                let written = running.written()?;
                ensure!(written >= result.all_events, "{} events came, but {written} were stored", result.all_events);
            }
            counted = Some(result);
        }
        None => {
            probed = prober.as_mut().map(Client::result).transpose()?;
            after = Usage::take(process, None, core)?;
            (counted, memory) = (None, None);
        }
    }
    let time = (after.at - before.at).as_secs_f64();
    let share = |after: f64, before: f64| (after - before) / time;
    let cores = share(after.server, before.server);
    Ok(Measured {
        counted,
        probed,
        cores,
        client_cores: after.client.zip(before.client).map(|(after, before)| share(after, before)),
        others: after.core.zip(before.core).map(|(after, before)| (share(after, before) - cores).max(0.0)),
        memory_a_stream: memory.filter(|_| load.is_probed),
    })
}

/// Seconds of processor time, as of one moment.
struct Usage {
    at: Instant,
    server: f64,
    client: Option<f64>,
    /// All that ran on the server's core.
    core: Option<f64>,
}

impl Usage {
    fn take(server: u32, client: Option<&Client>, core: Option<usize>) -> Result<Self> {
        Ok(Self {
            at: Instant::now(),
            server: processor_time(server)?,
            client: client.map(|client| processor_time(client.process.id())).transpose()?,
            core: core.map(busy_time).transpose()?,
        })
    }
}

/// A client's process.
struct Client {
    process: Ending,
    lines: BufReader<ChildStdout>,
}

impl Client {
    fn start(binaries: &Binaries, place: Place, kind: &str, order: &impl Serialize) -> Result<Self> {
        let mut command = binaries.cores.command(place, &binaries.client);
        command.args(["bench", "server", kind]).arg(serde_json::to_string(order)?).stdin(Stdio::piped()).stdout(Stdio::piped());
        if matches!(place, Place::Prober) {
            // Where it may not go before others, `nice` says so each time.
            command.stderr(Stdio::null());
        }
        let mut process = Ending(command.spawn()?);
        let lines = BufReader::new(process.0.stdout.take().context("the client has no output")?);
        Ok(Self { process, lines })
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.lines.read_line(&mut line)?;
        ensure!(!line.is_empty(), "the client gave up");
        Ok(line.trim().to_owned())
    }

    fn result<T: DeserializeOwned>(&mut self) -> Result<T> {
        let line = self.line()?;
        serde_json::from_str(&line).with_context(|| format!("the client says `{line}`"))
    }
}
