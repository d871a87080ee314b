//! Durations in buckets that are at most 1.6 % wide: millions of gaps take a few KiB.

use std::time::Duration;

/// Buckets for each doubling.
const STEPS: u64 = 64;

#[derive(Debug, Default)]
pub(super) struct Histogram {
    /// By microseconds; those below `STEPS` have a bucket each.
    counts: Vec<u64>,
    total: u64,
    longest: Duration,
}

impl Histogram {
    pub(super) fn add(&mut self, duration: Duration) {
        let bucket = bucket(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.total += 1;
        self.longest = self.longest.max(duration);
    }

    /// The milliseconds that this share of all stays within; none without any.
    pub(super) fn quantile(&self, share: f64) -> Option<f64> {
        let rank = (share * self.total as f64).ceil() as u64;
        let mut seen = 0;
        let found = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank.max(1)
        });
        found.map(|bucket| (highest(bucket) as f64 / 1e3).min(self.longest()))
    }

    /// In milliseconds.
    pub(super) fn longest(&self) -> f64 {
        self.longest.as_secs_f64() * 1e3
    }
}

fn bucket(microseconds: u64) -> usize {
    let shift = u64::from(microseconds.checked_ilog2().unwrap_or(0)).saturating_sub(u64::from(STEPS.ilog2()));
    usize::try_from(shift * STEPS + (microseconds >> shift)).unwrap_or(usize::MAX)
}

/// The most microseconds that a bucket holds.
fn highest(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let shift = (bucket / STEPS).saturating_sub(1);
    ((bucket - shift * STEPS + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_without_holes() {
        for microseconds in 0..100_000_u64 {
            let bucket = bucket(microseconds);
            assert!(highest(bucket) >= microseconds, "{microseconds}");
            assert!(bucket == 0 || highest(bucket - 1) < microseconds, "{microseconds}");
            assert!((highest(bucket) - microseconds) as f64 <= 0.016 * microseconds as f64, "{microseconds}");
        }
    }

    #[test]
    fn a_quantile_counts_ranks() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        (1..=100).for_each(|milliseconds| histogram.add(Duration::from_millis(milliseconds)));
        let median = histogram.quantile(0.5).unwrap();
        assert!((50.0..51.0).contains(&median), "{median}");
        assert_eq!((histogram.quantile(1.0), histogram.longest()), (Some(100.0), 100.0));
    }
}
