//! When a crashed actor may run again: intensity, exponential back-off, then give up. A pure machine.
//!
//! After Erlang/OTP's restart intensity (<https://www.erlang.org/doc/system/sup_princ.html#maximum-restart-intensity>),
//! with a back-off, which OTP lacks. Must never read a clock.

use std::time::{Duration, Instant};

/// Limits of a restart policy.
#[derive(Debug, Clone, Copy)]
pub struct RestartLimits {
    /// Crashes tolerated within `window`.
    pub crashes_max: u32,
    /// A crash-free time this long forgets all crashes.
    pub window: Duration,
    /// Delay after the first crash; doubles with each further one.
    pub delay_min: Duration,
    /// Upper bound of the delay.
    pub delay_max: Duration,
}

/// What to do after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterCrash {
    /// Run again after this delay.
    RestartAfter(Duration),
    /// Too many crashes: park the work, tell a person.
    GiveUp,
}

/// Counts the crashes of one actor.
#[derive(Debug, Clone)]
pub struct RestartPolicy {
    limits: RestartLimits,
    crashes: u32,
    last_crash: Option<Instant>,
}

impl RestartPolicy {
    /// A policy without history.
    #[must_use]
    pub fn new(limits: RestartLimits) -> Self {
        Self { limits, crashes: 0, last_crash: None }
    }

    /// Notes a crash at `now` and decides.
    pub fn crashed(&mut self, now: Instant) -> AfterCrash {
        let quiet = self.last_crash.is_none_or(|last| now.duration_since(last) >= self.limits.window);
        self.crashes = if quiet { 1 } else { self.crashes.saturating_add(1) };
        self.last_crash = Some(now);
        if self.crashes > self.limits.crashes_max {
            return AfterCrash::GiveUp;
        }
        let doublings = (self.crashes - 1).min(30);
        AfterCrash::RestartAfter(
            self.limits.delay_min.saturating_mul(1 << doublings).min(self.limits.delay_max),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RestartLimits = RestartLimits {
        crashes_max: 3,
        window: Duration::from_secs(60),
        delay_min: Duration::from_secs(1),
        delay_max: Duration::from_secs(3),
    };

    fn check(crash_times_s: &[u64], expected: &[Option<u64>]) {
        let start = Instant::now();
        let mut policy = RestartPolicy::new(LIMITS);
        let decisions: Vec<_> =
            crash_times_s.iter().map(|s| policy.crashed(start + Duration::from_secs(*s))).collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|s| s.map_or(AfterCrash::GiveUp, |s| AfterCrash::RestartAfter(Duration::from_secs(s))))
            .collect();
        assert_eq!(decisions, expected, "crashes at {crash_times_s:?}");
    }

    #[test]
    fn delays_double_up_to_the_bound_then_the_policy_gives_up() {
        check(&[0], &[Some(1)]);
        check(&[0, 1, 2, 3], &[Some(1), Some(2), Some(3), None]);
        check(&[0, 1, 2, 100, 101], &[Some(1), Some(2), Some(3), Some(1), Some(2)]);
        check(&[0, 59, 118, 177], &[Some(1), Some(2), Some(3), None]);
    }
}
