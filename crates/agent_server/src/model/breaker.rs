//! A circuit breaker: after failures in a row the provider is left alone, then tried with one request.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const FAILURES: u32 = 5;
const REST: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Debug)]
enum State {
    Closed {
        failures: u32,
    },
    /// Nobody may ask before this time; the first one after it is the probe.
    Open {
        until: Instant,
    },
}

impl Default for State {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

impl Breaker {
    /// Whether a request may be made now; else how long to wait.
    pub(super) fn admit(&self, now: Instant) -> Result<(), Duration> {
        match &mut *self.state() {
            State::Closed { .. } => Ok(()),
            State::Open { until } if *until <= now => {
                // This caller is the probe: the others wait for what it finds.
                *until = now + REST;
                Ok(())
            }
            State::Open { until } => Err(*until - now),
        }
    }

    pub(super) fn succeeded(&self) {
        *self.state() = State::default();
    }

    pub(super) fn failed(&self, now: Instant) {
        let mut state = self.state();
        *state = match *state {
            State::Closed { failures } if failures + 1 < FAILURES => State::Closed { failures: failures + 1 },
            State::Closed { .. } | State::Open { .. } => State::Open { until: now + REST },
        };
    }

    // Held for one assignment, never across an await.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_open_it_and_one_probe_closes_it() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        for _ in 1..FAILURES {
            breaker.failed(start);
        }
        assert_eq!(breaker.admit(start), Ok(()));
        breaker.failed(start);
        assert_eq!(breaker.admit(start), Err(REST));
        let later = start + REST;
        assert_eq!(breaker.admit(later), Ok(()), "the probe");
        assert_eq!(breaker.admit(later), Err(REST), "only one");
        breaker.succeeded();
        assert_eq!(breaker.admit(later), Ok(()));
    }

    #[test]
    fn a_success_forgets_earlier_failures() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        for _ in 1..FAILURES {
            breaker.failed(start);
        }
        breaker.succeeded();
        breaker.failed(start);
        assert_eq!(breaker.admit(start), Ok(()));
    }
}
