//! How one user's budget stands at this replica: shared, or alone with a safe part. A pure machine.
//!
//! The parts of all replicas never exceed the limit together: who is known to the others divides what remains after one
//! slot for each replica that may still come, and who is not known yet takes one such slot. Must never read a clock.

use std::time::{Duration, Instant};

use crate::port::RateLimits;

/// After the loss nothing is sent for this long: the others may have used the whole limit a moment ago, and those who
/// still reach Redis need a second to notice that this replica is silent (`SILENT` in `script.lua`).
pub(crate) const HUSH: Duration = Duration::from_millis(2500);
/// Whoever was in touch for this long is known to all others: they ask Redis at least every `KEEP_EVERY`.
const KNOWN_AFTER: Duration = Duration::from_secs(2);

/// Where the decisions are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// In Redis.
    Shared,
    /// Here, since then.
    Alone(Instant),
}

/// One user's standing.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    mode: Mode,
    /// In touch without a break since then.
    joined: Option<Instant>,
    contact: Option<Instant>,
    replicas: usize,
    /// The server said 429 while this replica was alone: others use more than was thought.
    humble: bool,
}

impl Standing {
    /// Redis has not been asked yet.
    pub(crate) fn new() -> Self {
        Self { mode: Mode::Shared, joined: None, contact: None, replicas: 0, humble: false }
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// Redis has answered, and knows so many replicas. Says whether this replica was alone.
    pub(crate) fn reached(&mut self, replicas: usize, now: Instant) -> bool {
        let returned = self.mode != Mode::Shared;
        if returned || self.joined.is_none() {
            self.joined = Some(now);
        }
        self.mode = Mode::Shared;
        self.contact = Some(now);
        self.replicas = replicas;
        self.humble = false;
        returned
    }

    /// Redis has not answered. Says whether this is new.
    pub(crate) fn lost(&mut self, now: Instant) -> bool {
        let new = self.mode == Mode::Shared;
        if new {
            self.mode = Mode::Alone(now);
        }
        new
    }

    /// The server said 429.
    pub(crate) fn refused(&mut self) {
        self.humble = self.mode != Mode::Shared;
    }

    /// For how long this replica still sends nothing after the loss.
    pub(crate) fn hushed_for(&self, now: Instant) -> Duration {
        match self.mode {
            Mode::Shared => Duration::ZERO,
            Mode::Alone(since) => (since + HUSH).saturating_duration_since(now),
        }
    }

    /// The part of the limits that is this replica's while it is alone.
    pub(crate) fn part(&self, whole: RateLimits, replicas_max: usize) -> RateLimits {
        let slots = whole.user_requests_per_second;
        let newcomer = usize::from(replicas_max <= slots);
        let known = match (self.joined, self.contact) {
            (Some(joined), Some(contact)) => contact.saturating_duration_since(joined) >= KNOWN_AFTER,
            _ => false,
        };
        let replicas = if known { self.replicas.max(1) } else { replicas_max.max(1) };
        let user = if known && !self.humble {
            let reserve = newcomer * replicas_max.saturating_sub(replicas);
            slots.saturating_sub(reserve) / replicas
        } else {
            newcomer
        };
        let divisor = u32::try_from(replicas).unwrap_or(u32::MAX);
        RateLimits {
            user_requests_per_second: user,
            tenant_requests_per_second: whole.tenant_requests_per_second / f64::from(divisor),
            tenant_burst: (whole.tenant_burst / divisor).max(1),
            lease_max: whole.lease_max,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limits(slots: usize) -> RateLimits {
        RateLimits { user_requests_per_second: slots, ..RateLimits::default() }
    }

    /// In touch for `in_touch`, among `replicas`, then cut off.
    fn cut_off(replicas: usize, in_touch: Duration, start: Instant) -> Standing {
        let mut standing = Standing::new();
        standing.reached(replicas, start);
        standing.reached(replicas, start + in_touch);
        assert!(standing.lost(start + in_touch));
        standing
    }

    #[test]
    fn the_parts_of_all_replicas_never_exceed_the_limit() {
        let start = Instant::now();
        for (slots, replicas_max) in
            [(30_usize, 10_usize), (30, 30), (30, 64), (3, 2), (1, 1), (7, 5), (0, 1)]
        {
            for known in 1..=40_usize {
                for newcomers in 0..=replicas_max.saturating_sub(known) {
                    let part = |standing: Standing| {
                        standing.part(limits(slots), replicas_max).user_requests_per_second
                    };
                    let one = part(cut_off(known, SECOND * 3, start));
                    let new = part(cut_off(known, SECOND, start));
                    let sum = known * one + newcomers * new;
                    assert!(sum <= slots, "{known} of {one} and {newcomers} of {new} for {slots}");
                }
            }
        }
    }

    #[test]
    fn a_replica_takes_its_part_by_how_well_it_is_known() {
        let start = Instant::now();
        let part = |standing: &Standing| standing.part(limits(30), 10).user_requests_per_second;
        let cases = [(1, 3, 21), (2, 3, 11), (4, 3, 6), (10, 3, 3), (12, 3, 2), (4, 1, 1)];
        for (replicas, seconds, expected) in cases {
            let standing = cut_off(replicas, SECOND * seconds, start);
            assert_eq!(part(&standing), expected, "{replicas} replicas, {seconds} s in touch");
        }
        let mut never = Standing::new();
        never.lost(start);
        assert_eq!(part(&never), 1, "nobody knows it");
        let mut refused = cut_off(2, SECOND * 3, start);
        refused.refused();
        assert_eq!(part(&refused), 1, "others use more than was thought");
        assert!(refused.reached(2, start + SECOND * 60));
        refused.lost(start + SECOND * 60);
        assert_eq!(part(&refused), 1, "back for a moment is not yet known again");
    }

    #[test]
    fn after_the_loss_it_is_quiet_until_the_others_have_noticed() {
        let start = Instant::now();
        let standing = cut_off(2, SECOND * 3, start);
        let lost = start + SECOND * 3;
        assert_eq!(standing.hushed_for(lost), HUSH);
        assert_eq!(standing.hushed_for(lost + HUSH), Duration::ZERO);
        assert_eq!(Standing::new().hushed_for(start), Duration::ZERO);
    }
}
