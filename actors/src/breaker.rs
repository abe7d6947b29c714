//! The circuit breaker in front of one tenant's upstream: closed, open, half-open. A pure machine.
//!
//! A tenant whose upstream is down degrades alone. Must never read a clock.

use std::time::{Duration, Instant};

/// Consecutive failures that open the breaker.
const FAILURES_MAX: u32 = 5;
/// How long it stays open before one probe may pass; doubles with each failed probe.
const OPEN_MIN: Duration = Duration::from_secs(5);
const OPEN_MAX: Duration = Duration::from_secs(120);

/// A breaker.
#[derive(Debug, Clone, Default)]
pub struct Breaker {
    failures: u32,
    trips: u32,
    open_until: Option<Instant>,
    probing: bool,
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

    /// A call ended well: the upstream is there.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// A call failed because of the upstream.
    pub fn failed(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        if self.probing || (self.open_until.is_none() && self.failures >= FAILURES_MAX) {
            let open = OPEN_MIN.saturating_mul(1 << self.trips.min(10)).min(OPEN_MAX);
            self.trips = self.trips.saturating_add(1);
            self.open_until = Some(now + open);
            self.probing = false;
        }
    }

    /// A call ended without saying anything about the upstream (it crashed, or was fenced): a probe may be tried again.
    pub fn unknown(&mut self) {
        self.probing = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_consecutive_failures_and_closes_after_one_good_probe() {
        let start = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 0..FAILURES_MAX - 1 {
            breaker.failed(start);
        }
        assert_eq!(breaker.ask(start), Pass::Yes);
        breaker.failed(start);
        assert_eq!(breaker.ask(start), Pass::NotBefore(Some(start + OPEN_MIN)));
        let later = start + OPEN_MIN;
        assert_eq!(breaker.ask(later), Pass::Yes, "the probe");
        assert_eq!(breaker.ask(later), Pass::NotBefore(None), "only one probe");
        breaker.failed(later);
        assert_eq!(breaker.ask(later), Pass::NotBefore(Some(later + OPEN_MIN * 2)), "open longer");
        assert_eq!(breaker.ask(later + OPEN_MIN * 2), Pass::Yes);
        breaker.unknown();
        assert_eq!(breaker.ask(later + OPEN_MIN * 2), Pass::Yes, "a crashed probe is no verdict");
        breaker.succeeded();
        assert_eq!(breaker.ask(later), Pass::Yes);
    }
}
