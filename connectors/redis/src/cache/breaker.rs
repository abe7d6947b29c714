//! When a store that gave no answer is asked again: one question at a time, after waits that double.
//!
//! Must never read a clock.

use std::time::{Duration, Instant};

/// First wait after a failure.
pub(super) const WAIT_MIN: Duration = Duration::from_secs(1);
/// Longest wait: so long after it came back a store may stay unused.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Whether to ask.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    /// Nobody asks before; after it one does, and the others when that was answered.
    closed: Option<Closed>,
}

#[derive(Debug, Clone, Copy)]
struct Closed {
    until: Instant,
    wait: Duration,
}

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// The store is asked less from now on.
    Closed,
    /// It is asked by everybody again.
    Opened,
    /// As before.
    Same,
}

impl Breaker {
    /// Whether to ask now. Who is let through while it is closed takes the turn of the others with it.
    pub(super) fn admits(&mut self, now: Instant) -> bool {
        match &mut self.closed {
            None => true,
            Some(closed) if now < closed.until => false,
            Some(closed) => {
                closed.until = now + closed.wait;
                true
            }
        }
    }

    pub(super) fn answered(&mut self) -> Turn {
        if self.closed.take().is_some() { Turn::Opened } else { Turn::Same }
    }

    /// `asked_at` is when the question began: those that were under way when it closed count once.
    pub(super) fn failed(&mut self, asked_at: Instant, now: Instant) -> Turn {
        match &mut self.closed {
            None => {
                self.closed = Some(Closed { until: now + WAIT_MIN, wait: WAIT_MIN });
                Turn::Closed
            }
            Some(closed) => {
                // The probe's failure: its turn began when it was let through.
                if asked_at + closed.wait >= closed.until {
                    closed.wait = (closed.wait * 2).min(WAIT_MAX);
                    closed.until = now + closed.wait;
                }
                Turn::Same
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_answer_is_asked_less_and_less_and_by_one() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut breaker = Breaker::default();
        assert!(breaker.admits(at(0)) && breaker.admits(at(1)), "all ask");
        assert_eq!(breaker.failed(at(0), at(30)), Turn::Closed);
        assert_eq!(breaker.failed(at(1), at(31)), Turn::Same, "was under way");
        assert!(!breaker.admits(at(1_029)));
        assert!(breaker.admits(at(1_030)));
        assert!(!breaker.admits(at(1_031)), "one is asking");
        assert_eq!(breaker.failed(at(1_030), at(1_060)), Turn::Same);
        assert!(!breaker.admits(at(3_059)), "twice as long");
        assert!(breaker.admits(at(3_060)));
        assert_eq!(breaker.answered(), Turn::Opened);
        assert!(breaker.admits(at(3_061)) && breaker.admits(at(3_062)));
        assert_eq!(breaker.answered(), Turn::Same);
    }

    #[test]
    fn the_wait_has_an_end_and_a_lost_probe_holds_nobody_up() {
        let (mut now, mut breaker) = (Instant::now(), Breaker::default());
        breaker.failed(now, now);
        for _ in 0..10 {
            now += WAIT_MAX;
            assert!(breaker.admits(now), "after the longest wait somebody asks");
            breaker.failed(now, now);
        }
        now += WAIT_MAX;
        assert!(breaker.admits(now));
        // It was dropped, and told nothing.
        assert!(!breaker.admits(now) && breaker.admits(now + WAIT_MAX));
    }
}
