//! A token bucket as a pure machine, and one bucket a tenant around it.
//!
//! The caller brings the time. Must never read a clock, and never hold a bucket for what is no declared tenant
//! (memory would grow with what strangers send).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use terrasift_schemas::TenantId;

/// How much, how fast: `capacity` tokens refill evenly over `window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Tokens in a full bucket: the burst. 0 admits nothing.
    pub capacity: u32,
    /// Time in which an empty bucket fills.
    pub window: Duration,
}

impl Rate {
    fn interval(self) -> Duration {
        self.window.checked_div(self.capacity).unwrap_or(self.window)
    }
}

/// What the bucket says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the tokens were taken.
    pub admitted: bool,
    /// Whole tokens left.
    pub remaining: u32,
    /// If refused, when the same request will pass; if admitted, when the bucket is full again.
    pub wait: Duration,
}

impl Verdict {
    /// The same, where all replicas together admitted `recent` within the rate's window, the oldest of them so long ago. A bucket that
    /// refills lets more pass in some window than the rate says, and each replica has one of its own.
    pub(crate) fn among(self, rate: Rate, recent: u32, oldest_age: Duration) -> Self {
        if recent >= rate.capacity {
            let wait = rate.window.saturating_sub(oldest_age);
            return Self { admitted: false, remaining: 0, wait: self.wait.max(wait) };
        }
        let left = rate.capacity.saturating_sub(recent).saturating_sub(u32::from(self.admitted));
        Self { remaining: self.remaining.min(left), ..self }
    }
}

/// A bucket. Times are offsets from any fixed start; they may stand still, and going back counts as standing still.
#[derive(Debug, Clone, Copy)]
pub struct TokenBucket {
    rate: Rate,
    full_at: Duration,
}

impl TokenBucket {
    /// A full bucket.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self { rate, full_at: Duration::ZERO }
    }

    /// Takes `cost` tokens or none. A cost above the capacity counts as the capacity, or it could never pass.
    pub fn take(&mut self, now: Duration, cost: u32) -> Verdict {
        let interval = self.rate.interval();
        let whole = interval.saturating_mul(self.rate.capacity);
        let missing = self.full_at.saturating_sub(now);
        let after = missing.saturating_add(interval.saturating_mul(cost.min(self.rate.capacity)));
        if self.rate.capacity == 0 {
            return Verdict { admitted: false, remaining: 0, wait: self.rate.window };
        }
        if after > whole {
            return Verdict {
                admitted: false,
                remaining: tokens(whole.saturating_sub(missing), interval),
                wait: after.saturating_sub(whole),
            };
        }
        self.full_at = now.saturating_add(after);
        Verdict { admitted: true, remaining: tokens(whole.saturating_sub(after), interval), wait: after }
    }
}

fn tokens(amount: Duration, interval: Duration) -> u32 {
    let whole = amount.as_nanos().checked_div(interval.as_nanos()).unwrap_or(0);
    u32::try_from(whole).unwrap_or(u32::MAX)
}

/// One bucket a tenant.
pub(crate) struct TenantBuckets {
    rate: Rate,
    buckets: Mutex<HashMap<TenantId, TokenBucket>>,
}

impl TenantBuckets {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, buckets: Mutex::new(HashMap::new()) }
    }

    /// `tenant` must be a declared one.
    pub(crate) fn take(&self, tenant: &TenantId, now: Duration, cost: u32) -> Verdict {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(tenant) {
            return bucket.take(now, cost);
        }
        buckets.entry(tenant.clone()).or_insert_with(|| TokenBucket::new(self.rate)).take(now, cost)
    }

    pub(crate) fn rate(&self) -> Rate {
        self.rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (milliseconds, cost) → (admitted, remaining, wait in milliseconds)
    type Step = (u64, u32, bool, u32, u64);

    fn check(name: &str, capacity: u32, window_ms: u64, steps: &[Step]) {
        let mut bucket = TokenBucket::new(Rate { capacity, window: Duration::from_millis(window_ms) });
        for (at, (ms, cost, admitted, remaining, wait)) in steps.iter().enumerate() {
            let verdict = bucket.take(Duration::from_millis(*ms), *cost);
            let wait_ms = u64::try_from(verdict.wait.as_micros().div_ceil(1_000)).unwrap();
            let got = (verdict.admitted, verdict.remaining, wait_ms);
            assert_eq!(got, (*admitted, *remaining, *wait), "{name}, step {at}");
        }
    }

    #[test]
    fn a_bucket_admits_its_burst_and_then_its_rate() {
        check(
            "burst then wait",
            2,
            1_000,
            &[
                (0, 1, true, 1, 500),
                (0, 1, true, 0, 1_000),
                (0, 1, false, 0, 500),
                (499, 1, false, 0, 1),
                (500, 1, true, 0, 1_000),
            ],
        );
        check(
            "refills to the capacity and no further",
            2,
            1_000,
            &[(0, 2, true, 0, 1_000), (60_000, 1, true, 1, 500)],
        );
        check(
            "a cost above the capacity counts as the capacity",
            2,
            1_000,
            &[(0, 9, true, 0, 1_000), (999, 9, false, 1, 1), (1_000, 9, true, 0, 1_000)],
        );
        check(
            "a refusal takes nothing",
            1,
            1_000,
            &[(0, 1, true, 0, 1_000), (500, 1, false, 0, 500), (1_000, 1, true, 0, 1_000)],
        );
        check(
            "time going back stands still",
            1,
            1_000,
            &[(5_000, 1, true, 0, 1_000), (4_000, 1, false, 0, 2_000)],
        );
        check("a capacity of 0 admits nothing", 0, 1_000, &[(0, 1, false, 0, 1_000)]);
        check("zero cost is free", 1, 1_000, &[(0, 1, true, 0, 1_000), (0, 0, true, 0, 1_000)]);
    }

    #[test]
    fn a_thousand_an_hour_is_a_thousand_and_one_each_three_point_six_seconds() {
        let mut bucket = TokenBucket::new(Rate { capacity: 1_000, window: Duration::from_secs(3_600) });
        let admitted = (0..2_000).filter(|_| bucket.take(Duration::ZERO, 1).admitted).count();
        assert_eq!(admitted, 1_000);
        let later = (0..3_600).filter(|s| bucket.take(Duration::from_secs(*s), 1).admitted).count();
        assert!((999..=1_000).contains(&later), "{later}");
    }

    #[test]
    fn what_other_replicas_admitted_counts() {
        let rate = Rate { capacity: 3, window: Duration::from_secs(60) };
        let seconds = Duration::from_secs;
        let verdict = |admitted, remaining, wait| Verdict { admitted, remaining, wait: seconds(wait) };
        for (name, own, recent, oldest, expected) in [
            ("nobody else", verdict(true, 2, 20), 0, 0, verdict(true, 2, 20)),
            ("some", verdict(true, 2, 20), 2, 50, verdict(true, 0, 20)),
            ("enough", verdict(true, 2, 20), 3, 50, verdict(false, 0, 20)),
            ("enough, just now", verdict(true, 2, 20), 3, 5, verdict(false, 0, 55)),
            ("refused anyway", verdict(false, 0, 7), 1, 5, verdict(false, 0, 7)),
        ] {
            assert_eq!(own.among(rate, recent, seconds(oldest)), expected, "{name}");
        }
    }

    #[test]
    fn tenants_do_not_share_a_bucket() {
        let buckets = TenantBuckets::new(Rate { capacity: 1, window: Duration::from_secs(1) });
        let (a, b) = (TenantId::parse("a").unwrap(), TenantId::parse("b").unwrap());
        assert!(buckets.take(&a, Duration::ZERO, 1).admitted);
        assert!(!buckets.take(&a, Duration::ZERO, 1).admitted);
        assert!(buckets.take(&b, Duration::ZERO, 1).admitted);
    }
}
