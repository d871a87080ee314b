//! The client that asks on a fixed schedule, whatever became of the questions before: how long until the first token.
//!
//! A closed loop would ask less while the server stands still, and would not see it. What counts is the time from when
//! the question was due.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use super::frames::{Frame, Frames, request};
use super::histogram::Histogram;

const PERIOD: Duration = Duration::from_millis(20);
/// Each takes every so manieth question; a slow answer holds up its own thread only.
const THREADS: u32 = 32;
/// What takes longer counts as this long.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) struct Order {
    pub(super) address: SocketAddr,
    pub(super) seconds: f64,
}

/// Milliseconds.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Probed {
    pub(super) first_token_p50: Option<f64>,
    pub(super) first_token_p99: Option<f64>,
    /// How late the client itself was: what no server is to blame for.
    pub(super) late_p99: Option<f64>,
    pub(super) count: usize,
    pub(super) failed: usize,
}

struct Answered {
    late: Duration,
    first_token: Option<Duration>,
}

/// Asks until the time is up and says what the answers took.
pub(super) fn run(order: &str) -> Result<()> {
    let Order { address, seconds } = serde_json::from_str(order)?;
    let start = Instant::now() + PERIOD;
    let count = (seconds / PERIOD.as_secs_f64()) as u32;
    let answers: Vec<Answered> = thread::scope(|scope| {
        let ask = |first: u32| {
            let questions = (first..count).step_by(THREADS as usize);
            questions.map(|number| answered(address, start + PERIOD * number + jitter(number))).collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..THREADS).map(|first| scope.spawn(move || ask(first))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    ensure!(!answers.is_empty(), "nothing was asked");
    let (mut first_tokens, mut late) = (Histogram::default(), Histogram::default());
    for answered in &answers {
        late.add(answered.late);
        first_tokens.add(answered.first_token.unwrap_or(PATIENCE));
    }
    let probed = Probed {
        first_token_p50: first_tokens.quantile(0.5),
        first_token_p99: first_tokens.quantile(0.99),
        late_p99: late.quantile(0.99),
        count: answers.len(),
        failed: answers.iter().filter(|answered| answered.first_token.is_none()).count(),
    };
    println!("{}", serde_json::to_string(&probed)?);
    Ok(())
}

/// A place within the period, so that the questions do not keep step with the tokens.
fn jitter(number: u32) -> Duration {
    // Fibonacci hashing spreads neighbours.
    PERIOD.mul_f64(f64::from(number.wrapping_mul(2_654_435_769)) / f64::from(u32::MAX))
}

fn answered(address: SocketAddr, due: Instant) -> Answered {
    thread::sleep(due.saturating_duration_since(Instant::now()));
    // Behind schedule because of the answer before, which the server took: that is not the client's delay.
    let late = if Instant::now() > due + PERIOD * THREADS / 2 { Duration::ZERO } else { due.elapsed() };
    Answered { late, first_token: ask(address, due).ok().flatten() }
}

/// Asks on a new connection; gives the time from when it was due to the first token.
fn ask(address: SocketAddr, due: Instant) -> Result<Option<Duration>> {
    let mut socket = TcpStream::connect_timeout(&address, PATIENCE)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.write_all(&request(1, 0))?;
    let (mut frames, mut buffer, mut first, mut has_ended) = (Frames::new(), [0; 4096], None, false);
    while !has_ended {
        let length = socket.read(&mut buffer)?;
        let bytes = buffer.get(..length).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        frames.feed(bytes, |frame| match frame {
            Frame::Token => first = first.or_else(|| Some(due.elapsed())),
            Frame::Event => {}
            Frame::End => has_ended = true,
        })?;
    }
    Ok(first)
}
