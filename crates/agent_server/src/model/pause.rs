//! What a provider says of its limits, kept where every run sees it: one answer stops all from asking too soon.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The longest pause: after it one request asks again, whatever was said.
const LONGEST: Duration = Duration::from_secs(60);
/// What is counted, with when it is full again.
const BUDGETS: [(&str, &str); 2] = [
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
];

/// Until when nobody asks.
#[derive(Debug, Default)]
pub(crate) struct Pause(Mutex<Option<Instant>>);

impl Pause {
    /// How long it still lasts at `now`.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        self.until().and_then(|until| until.checked_duration_since(now)).filter(|left| !left.is_zero())
    }

    /// Takes what an answer's headers say: a budget is used up, or a refused request may come again then.
    pub(super) fn heed(&self, headers: &HeaderMap, now: Instant) {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let used_up = BUDGETS.iter().filter(|(remaining, _)| text(remaining).is_some_and(|left| left.trim() == "0"));
        let resets = used_up.filter_map(|(_, reset)| length(text(reset)?));
        if let Some(longest) = resets.chain(retry_after(headers)).max() {
            let new = now + longest.min(LONGEST);
            let mut until = self.until();
            *until = Some(until.map_or(new, |until| until.max(new)));
        }
    }

    // Held for one look or assignment, never across an await.
    fn until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
    fn only_what_is_used_up_makes_a_pause_and_the_longest_counts() {
        let (pause, now) = (Pause::default(), Instant::now());
        let budget = |remaining| headers(&[("x-ratelimit-remaining-requests", remaining), ("x-ratelimit-reset-requests", "2s")]);
        pause.heed(&budget("1"), now);
        assert_eq!(pause.left(now), None);
        pause.heed(&budget("0"), now);
        pause.heed(&headers(&[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "1s")]), now);
        assert_eq!(pause.left(now), Some(Duration::from_secs(2)));
        pause.heed(&headers(&[("retry-after", "3600")]), now);
        assert_eq!(pause.left(now), Some(LONGEST));
        assert_eq!(pause.left(now + LONGEST), None);
    }
}
