//! The client that keeps streams open and counts what comes; a process of its own, so that it does not count as the server.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use serde::{Deserialize, Serialize};

use super::frames::{Frame, Frames, request};
use super::histogram::Histogram;

/// An answer's tokens. Streams end and begin all the time, as they do for a server that has users.
const ANSWER: usize = 400;
/// Streams that may wait for their first token while others are opened.
const OPENING: usize = 64;
/// The streams begin over this time, as those of users do: begun together, they would all ask for their tokens together, at every
/// tick.
const SPREAD: Duration = Duration::from_secs(1);
/// After this, the window begins with the streams that there are.
const PATIENCE: Duration = Duration::from_secs(40);
const WARM_UP: Duration = Duration::from_secs(2);
/// More streams that broke off than this mean that something else is measured.
const MOST_BROKEN: u64 = 1_000;

/// What is printed when the window begins; the result follows when it ends.
pub(super) const BEGIN: &str = "begin";

/// What is asked of the client.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) struct Order {
    pub(super) address: SocketAddr,
    pub(super) streams: usize,
    /// Milliseconds between two tokens.
    pub(super) delay: u64,
    pub(super) seconds: f64,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Counted {
    /// Streams with their first token, when the window began.
    pub(super) open: usize,
    /// The length of the window.
    pub(super) seconds: f64,
    /// Events of the window.
    pub(super) events: u64,
    /// Events since the start.
    pub(super) all_events: u64,
    /// Streams that did not end as they should.
    pub(super) broken: u64,
    /// Milliseconds between two tokens of a stream.
    pub(super) gap_p50: Option<f64>,
    pub(super) gap_p99: Option<f64>,
    pub(super) gap_longest: f64,
}

/// Counts until the window ends, says what was counted, and holds the streams open until its input is closed.
pub(super) fn run(order: &str) -> Result<()> {
    let order: Order = serde_json::from_str(order)?;
    let mut client = Client::new(order)?;
    client.open()?;
    client.poll_for(WARM_UP)?;
    client.gaps = Histogram::default();
    let (open, before, start) = (client.open, client.all_events, Instant::now());
    println!("{BEGIN}");
    client.poll_for(Duration::from_secs_f64(order.seconds))?;
    let counted = Counted {
        open,
        seconds: start.elapsed().as_secs_f64(),
        events: client.all_events - before,
        all_events: client.all_events,
        broken: client.broken,
        gap_p50: client.gaps.quantile(0.5),
        gap_p99: client.gaps.quantile(0.99),
        gap_longest: client.gaps.longest(),
    };
    println!("{}", serde_json::to_string(&counted)?);
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

struct Client {
    order: Order,
    poll: Poll,
    streams: Vec<Stream>,
    buffer: Vec<u8>,
    open: usize,
    all_events: u64,
    broken: u64,
    gaps: Histogram,
}

struct Stream {
    socket: TcpStream,
    frames: Frames,
    last_token: Option<Instant>,
}

impl Client {
    fn new(order: Order) -> Result<Self> {
        let (poll, buffer, gaps) = (Poll::new()?, vec![0; 64 * 1024], Histogram::default());
        Ok(Self { order, poll, streams: Vec::new(), buffer, open: 0, all_events: 0, broken: 0, gaps })
    }

    fn open(&mut self) -> Result<()> {
        let begin = Instant::now();
        while self.open < self.order.streams && begin.elapsed() < PATIENCE {
            let due = begin.elapsed().div_duration_f64(SPREAD) * self.order.streams as f64;
            while self.streams.len() < (self.open + OPENING).min(self.order.streams).min(1 + due as usize) {
                let index = self.streams.len();
                // The first answers are of all lengths, so that the streams do not end together.
                let stream = self.connect(index, 1 + ANSWER * (index + 1) / self.order.streams)?;
                self.streams.push(stream);
            }
            self.poll_for(Duration::ZERO)?;
        }
        Ok(())
    }

    /// Asks for an answer. On loopback a connection is made by the kernel at once, so that this does not wait.
    fn connect(&self, index: usize, tokens: usize) -> Result<Stream> {
        let mut socket = std::net::TcpStream::connect(self.order.address).context("the server takes no connection")?;
        socket.set_nodelay(true)?;
        socket.write_all(&request(tokens, self.order.delay))?;
        socket.set_nonblocking(true)?;
        let mut socket = TcpStream::from_std(socket);
        self.poll.registry().register(&mut socket, Token(index), Interest::READABLE)?;
        Ok(Stream { socket, frames: Frames::new(), last_token: None })
    }

    fn poll_for(&mut self, time: Duration) -> Result<()> {
        let deadline = Instant::now() + time;
        let mut events = Events::with_capacity(256);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            // Rounded up by the kernel's interface; a window's length is measured, not assumed.
            self.poll.poll(&mut events, Some(left.max(Duration::from_millis(1))))?;
            for event in &events {
                self.read(event.token().0)?;
            }
            if Instant::now() >= deadline {
                return Ok(());
            }
        }
    }

    fn read(&mut self, index: usize) -> Result<()> {
        loop {
            let Some(stream) = self.streams.get_mut(index) else { return Ok(()) };
            let length = match stream.socket.read(&mut self.buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                // Like an end that came too early.
                Err(_) => 0,
            };
            let bytes = self.buffer.get(..length).unwrap_or_default();
            let (now, mut has_ended) = (Instant::now(), false);
            let Stream { frames, last_token, .. } = stream;
            let fed = frames.feed(bytes, |frame| {
                self.all_events += u64::from(frame != Frame::End);
                match frame {
                    Frame::Token => match last_token.replace(now) {
                        Some(last) => self.gaps.add(now - last),
                        None => self.open += 1,
                    },
                    Frame::Event => {}
                    Frame::End => has_ended = true,
                }
            });
            if has_ended || fed.is_err() || length == 0 {
                return self.renew(index, has_ended, fed);
            }
            // What comes later is another event.
            if length < self.buffer.len() {
                return Ok(());
            }
        }
    }

    /// Puts a new stream where one has ended.
    fn renew(&mut self, index: usize, has_ended: bool, fed: Result<()>) -> Result<()> {
        if !has_ended {
            self.broken += 1;
            if self.broken > MOST_BROKEN {
                fed?;
            }
            ensure!(self.broken <= MOST_BROKEN, "{MOST_BROKEN} streams broke off");
        }
        let stream = self.connect(index, ANSWER)?;
        if let Some(place) = self.streams.get_mut(index) {
            self.open -= usize::from(place.last_token.is_some());
            *place = stream;
        }
        Ok(())
    }
}
