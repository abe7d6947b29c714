//! The circuit breaker in front of one tenant's upstream: closed, open, half-open. A pure machine.
//!
//! A tenant whose upstream is down degrades alone. Must never read a clock.

use std::time::{Duration, Instant};

/// Consecutive failures that open the breaker.
const FAILURES_MAX: u32 = 5;
/// How long it stays open before one probe may pass; doubles with each failed probe.
const OPEN_MIN: Duration = Duration::from_secs(5);
const OPEN_MAX: Duration = Duration::from_secs(120);
/// Up to this part of the open time is added, so that tenants and replicas that lost one upstream together do not all
/// probe it together.
const JITTER_PERCENT_MAX: u64 = 25;

/// A breaker.
#[derive(Debug, Clone)]
pub struct Breaker {
    failures: u32,
    trips: u32,
    open_until: Option<Instant>,
    probing: bool,
    /// Where the next jitter comes from (splitmix64).
    jitter: u64,
}

/// Whether a call may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Yes.
    Yes,
    /// Not before this instant; `None`: when the probe under way has ended.
    NotBefore(Option<Instant>),
}

impl Breaker {
    /// A closed one, whose open times are spread by `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { failures: 0, trips: 0, open_until: None, probing: false, jitter: seed }
    }

    /// Asks to pass at `now`. After the open time exactly one caller passes, as a probe.
    pub fn ask(&mut self, now: Instant) -> Pass {
        match self.open_until {
            None => Pass::Yes,
            Some(_) if self.probing => Pass::NotBefore(None),
            Some(until) if now < until => Pass::NotBefore(Some(until)),
            Some(_) => {
                self.probing = true;
                Pass::Yes
            }
        }
    }

    /// Whether it is open or half-open: the upstream did not answer lately.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open_until.is_some()
    }

    /// A call ended well: the upstream is there.
    pub fn succeeded(&mut self) {
        *self = Self::new(self.jitter);
    }

    /// A call failed because of the upstream.
    pub fn failed(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        if self.probing || (self.open_until.is_none() && self.failures >= FAILURES_MAX) {
            let open = OPEN_MIN.saturating_mul(1 << self.trips.min(10)).min(OPEN_MAX);
            self.trips = self.trips.saturating_add(1);
            self.open_until = Some(now + open + self.jitter_of(open));
            self.probing = false;
        }
    }

    /// A call ended without saying anything about the upstream (it crashed, or was fenced): a probe may be tried again.
    pub fn unknown(&mut self) {
        self.probing = false;
    }

    fn jitter_of(&mut self, open: Duration) -> Duration {
        self.jitter = self.jitter.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.jitter ^ (self.jitter >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let range = u64::try_from(open.as_micros()).unwrap_or(u64::MAX) / 100 * JITTER_PERCENT_MAX;
        Duration::from_micros((mixed ^ (mixed >> 31)) % range.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(seed: u64, now: Instant) -> (Breaker, Instant) {
        let mut breaker = Breaker::new(seed);
        (0..FAILURES_MAX).for_each(|_| breaker.failed(now));
        let Pass::NotBefore(Some(until)) = breaker.ask(now) else { panic!("it is open") };
        (breaker, until)
    }

    /// Asserts that it stays open from `now` for `open` and at most the jitter more; says until when.
    fn open_for(breaker: &mut Breaker, now: Instant, open: Duration) -> Instant {
        let Pass::NotBefore(Some(until)) = breaker.ask(now) else { panic!("it is open") };
        assert!(until >= now + open && until <= now + open * 5 / 4, "{:?} for {open:?}", until - now);
        until
    }

    #[test]
    fn it_opens_after_consecutive_failures_and_closes_after_one_good_probe() {
        let start = Instant::now();
        let mut breaker = Breaker::new(7);
        for _ in 0..FAILURES_MAX - 1 {
            breaker.failed(start);
        }
        assert_eq!(breaker.ask(start), Pass::Yes);
        assert!(!breaker.is_open());
        breaker.failed(start);
        let later = open_for(&mut breaker, start, OPEN_MIN);
        assert!(breaker.is_open());
        assert_eq!(breaker.ask(later), Pass::Yes, "the probe");
        assert_eq!(breaker.ask(later), Pass::NotBefore(None), "only one probe");
        assert!(breaker.is_open(), "half-open is not yet well");
        breaker.failed(later);
        let later = open_for(&mut breaker, later, OPEN_MIN * 2);
        assert_eq!(breaker.ask(later), Pass::Yes);
        breaker.unknown();
        assert_eq!(breaker.ask(later), Pass::Yes, "a crashed probe is no verdict");
        breaker.succeeded();
        assert_eq!(breaker.ask(later), Pass::Yes);
        assert!(!breaker.is_open());
    }

    #[test]
    fn a_success_in_between_begins_the_count_anew_and_late_failures_do_not_prolong() {
        let start = Instant::now();
        let mut breaker = Breaker::new(7);
        (0..FAILURES_MAX - 1).for_each(|_| breaker.failed(start));
        breaker.succeeded();
        (0..FAILURES_MAX - 1).for_each(|_| breaker.failed(start));
        assert_eq!(breaker.ask(start), Pass::Yes);
        let (mut breaker, until) = opened(7, start);
        breaker.failed(start + OPEN_MIN / 2);
        assert_eq!(breaker.ask(start), Pass::NotBefore(Some(until)), "it was under way already");
    }

    #[test]
    fn open_times_double_up_to_their_bound() {
        let mut now = Instant::now();
        let (mut breaker, mut until) = opened(1, now);
        for seconds in [10, 20, 40, 80, 120, 120] {
            now = until;
            assert_eq!(breaker.ask(now), Pass::Yes);
            breaker.failed(now);
            until = open_for(&mut breaker, now, Duration::from_secs(seconds));
        }
    }

    #[test]
    fn tenants_that_lost_one_upstream_together_probe_it_apart() {
        let now = Instant::now();
        let probes: std::collections::BTreeSet<Instant> = (0..100).map(|seed| opened(seed, now).1).collect();
        assert!(probes.len() > 90, "{} different times", probes.len());
        let (first, last) = (probes.first().expect("some"), probes.last().expect("some"));
        assert!(*last - *first > OPEN_MIN / 10, "spread over {:?}", *last - *first);
    }
}
