//! What a provider says of its limits, kept where every run sees it: one answer stops all from asking too soon.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::{HeaderMap, RETRY_AFTER};
use tokio::time::sleep;

/// The longest pause that a provider can ask of everybody.
const LONGEST: Duration = Duration::from_secs(60);
/// How many requests are left, how many there are in all, and how long it takes until all of them are there again.
const REQUESTS: [&str; 3] = ["x-ratelimit-remaining-requests", "x-ratelimit-limit-requests", "x-ratelimit-reset-requests"];
/// Pauses from here on are told in the log.
const TOLD: Duration = Duration::from_secs(1);
/// Those that waited do not all ask at the same moment, but within this share of the pause.
const SPREAD: f64 = 0.25;

/// Until when nobody asks.
#[derive(Debug, Default)]
pub(crate) struct Pause(Mutex<Option<Instant>>);

impl Pause {
    /// How long it still lasts at `now`.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        self.until().and_then(|until| until.checked_duration_since(now)).filter(|left| !left.is_zero())
    }

    /// Waits until it is over, and a little longer.
    pub(super) async fn passed(&self) {
        while let Some(left) = self.left(Instant::now()) {
            sleep(left + left.mul_f64(SPREAD * fraction())).await;
        }
    }

    /// Takes what an answer's headers say: when a refused request may come again, or that no request is left.
    pub(super) fn heed(&self, headers: &HeaderMap, now: Instant) {
        let Some(asked) = retry_after(headers).or_else(|| until_next(headers)) else { return };
        let asked = asked.min(LONGEST);
        let mut until = self.until();
        let is_new = until.is_none_or(|until| until <= now);
        *until = Some(until.map_or(now + asked, |until| until.max(now + asked)));
        drop(until);
        if is_new && asked >= TOLD {
            tracing::warn!(seconds = asked.as_secs_f64(), "the model's provider asks for a pause");
        }
    }

    // Held for one look or assignment, never across an await.
    fn until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where no request is left, the time until there is one.
fn until_next(headers: &HeaderMap) -> Option<Duration> {
    let [remaining, limit, reset] = REQUESTS.map(|name| headers.get(name).and_then(|value| value.to_str().ok()));
    let limit = limit?.trim().parse::<u32>().ok().filter(|limit| *limit > 0)?;
    (remaining?.trim() == "0").then_some(length(reset?)? / limit)
}

/// Anything from 0 to 1.
fn fraction() -> f64 {
    let mut random = [0; 2];
    // Without random numbers all wait as long as they may.
    getrandom::fill(&mut random).map_or(1.0, |()| f64::from(u16::from_le_bytes(random)) / f64::from(u16::MAX))
}

/// `Retry-After` in seconds.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// A length of time as these headers have it: `20ms`, `7.66s`, `6m0s`, `1h2m3s`.
fn length(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = (!rest.is_empty()).then_some(Duration::ZERO)?;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?);
        let (unit, after) = after.split_at(after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len()));
        let seconds = match unit {
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        total = total.checked_add(Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?)?;
        rest = after;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn lengths_are_read_as_providers_write_them() {
        let read = |text| length(text).map(|length| length.as_millis());
        assert_eq!(["20ms", "7.66s", "6m0s", " 1h2m3s "].map(read), [20, 7_660, 360_000, 3_723_000].map(Some));
        assert_eq!(["", "7", "s", "1d", "1..2s", "-1s", "1s!", "99999999999999999999h"].map(read), [None; 8]);
    }

    #[test]
    fn a_pause_lasts_until_the_next_request_may_come_and_the_longest_counts() {
        let (pause, now) = (Pause::default(), Instant::now());
        let requests = |remaining| {
            let [left, limit, reset] = REQUESTS;
            headers(&[(left, remaining), (limit, "60"), (reset, "1m0s")])
        };
        pause.heed(&requests("1"), now);
        assert_eq!(pause.left(now), None);
        pause.heed(&requests("0"), now);
        assert_eq!(pause.left(now), Some(Duration::from_secs(1)));
        pause.heed(&headers(&[("retry-after", "2"), (REQUESTS[0], "0"), (REQUESTS[1], "1"), (REQUESTS[2], "1m")]), now);
        assert_eq!(pause.left(now), Some(Duration::from_secs(2)), "the provider's own word");
        pause.heed(&requests("0"), now);
        assert_eq!(pause.left(now), Some(Duration::from_secs(2)));
        pause.heed(&headers(&[("retry-after", "3600")]), now);
        assert_eq!(pause.left(now), Some(LONGEST));
        assert_eq!(pause.left(now + LONGEST), None);
    }
}
