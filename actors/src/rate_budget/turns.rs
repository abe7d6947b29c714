//! Which tenant of a user this replica asks the budget for next: weighted deficit round robin. A pure machine.
//!
//! (Shreedhar, Varghese 1995; a request costs one.) One question a user is under way at a time, so that a slot is drawn
//! only for who is ready to send. Must never read a clock, nor grant anything: the budget does.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use terrasift_redis::{Ask, HoldsUp, LeaseId, UserKey, Verdict};
use terrasift_schemas::TenantId;

/// Who waits, by user and tenant. `W` is who waits.
pub(super) struct Turns<W> {
    users: HashMap<UserKey, User<W>>,
}

struct User<W> {
    /// Tenants with somebody waiting, in the order of their turns.
    rotation: VecDeque<TenantId>,
    queues: HashMap<TenantId, Queue<W>>,
    not_before: Option<Instant>,
    asking: bool,
}

struct Queue<W> {
    waiters: VecDeque<W>,
    weight: u32,
    /// Requests it may still send in this round.
    deficit: u32,
    not_before: Option<Instant>,
}

impl<W> Turns<W> {
    pub(super) fn new() -> Self {
        Self { users: HashMap::new() }
    }

    /// Puts a request in line.
    pub(super) fn enqueue(&mut self, ask: &Ask, waiter: W) {
        let user = self.users.entry(ask.user.clone()).or_insert_with(|| User {
            rotation: VecDeque::new(),
            queues: HashMap::new(),
            not_before: None,
            asking: false,
        });
        let queue = user.queues.entry(ask.tenant.clone()).or_insert_with(|| {
            user.rotation.push_back(ask.tenant.clone());
            Queue { waiters: VecDeque::new(), weight: 1, deficit: 0, not_before: None }
        });
        queue.weight = ask.weight.max(1);
        queue.waiters.push_back(waiter);
    }

    /// What to ask the budget now: at most one question a user. Those who no longer wait are dropped.
    pub(super) fn next(&mut self, now: Instant, waits: impl Fn(&W) -> bool) -> Vec<Ask> {
        let mut asks = Vec::new();
        self.users.retain(|name, user| {
            user.drop_gone(&waits);
            if !user.asking
                && user.not_before.is_none_or(|at| at <= now)
                && let Some((tenant, weight, more)) = user.head(now)
            {
                user.asking = true;
                asks.push(Ask { user: name.clone(), tenant, weight, more });
            }
            user.asking || !user.queues.is_empty() || user.not_before.is_some_and(|at| at > now)
        });
        asks
    }

    /// The budget has answered: who may send, if anybody. A lease that nobody waits for any more is handed back.
    pub(super) fn answered(&mut self, ask: &Ask, verdict: Verdict, now: Instant) -> Answered<W> {
        let Some(user) = self.users.get_mut(&ask.user) else { return Answered::of(verdict, None) };
        user.asking = false;
        match verdict {
            Verdict::Granted(_) => Answered::of(verdict, user.granted(&ask.tenant)),
            Verdict::NotYet { wait, holds_up: HoldsUp::User } => {
                user.not_before = Some(now + wait);
                Answered::Later
            }
            Verdict::NotYet { wait, holds_up: HoldsUp::Tenant } => {
                user.passed_over(&ask.tenant, now + wait);
                Answered::Later
            }
        }
    }

    /// When there will be something to ask, if only time has to pass.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        let users = self.users.values().filter(|user| !user.asking);
        users.filter_map(User::wakes_at).min()
    }
}

/// What an answer means.
pub(super) enum Answered<W> {
    /// This one may send.
    Send(W, LeaseId),
    /// Nobody waits for it: to be given back.
    Unwanted(LeaseId),
    /// Nobody yet.
    Later,
}

impl<W> Answered<W> {
    fn of(verdict: Verdict, waiter: Option<W>) -> Self {
        match (verdict, waiter) {
            (Verdict::Granted(lease), Some(waiter)) => Self::Send(waiter, lease),
            (Verdict::Granted(lease), None) => Self::Unwanted(lease),
            (Verdict::NotYet { .. }, _) => Self::Later,
        }
    }
}

impl<W> User<W> {
    /// The first tenant in the rotation that nothing holds up.
    fn head(&mut self, now: Instant) -> Option<(TenantId, u32, bool)> {
        let free = |tenant: &&TenantId| {
            self.queues.get(*tenant).is_some_and(|queue| queue.not_before.is_none_or(|at| at <= now))
        };
        let tenant = self.rotation.iter().find(free)?.clone();
        let queue = self.queues.get_mut(&tenant)?;
        if queue.deficit == 0 {
            queue.deficit = queue.weight;
        }
        Some((tenant, queue.weight, queue.waiters.len() > 1))
    }

    fn granted(&mut self, tenant: &TenantId) -> Option<W> {
        let queue = self.queues.get_mut(tenant)?;
        let waiter = queue.waiters.pop_front();
        queue.deficit = queue.deficit.saturating_sub(1);
        let (empty, spent) = (queue.waiters.is_empty(), queue.deficit == 0);
        if empty {
            // Who has nothing to send saves up nothing.
            self.queues.remove(tenant);
        }
        if empty || spent {
            self.goes_to_the_back(tenant, !empty);
        }
        waiter
    }

    /// Its deficit stays: it was not its fault.
    fn passed_over(&mut self, tenant: &TenantId, until: Instant) {
        if let Some(queue) = self.queues.get_mut(tenant) {
            queue.not_before = Some(until);
            self.goes_to_the_back(tenant, true);
        }
    }

    fn goes_to_the_back(&mut self, tenant: &TenantId, stays: bool) {
        self.rotation.retain(|other| other != tenant);
        if stays {
            self.rotation.push_back(tenant.clone());
        }
    }

    fn drop_gone(&mut self, waits: &impl Fn(&W) -> bool) {
        self.queues.retain(|_, queue| {
            queue.waiters.retain(waits);
            !queue.waiters.is_empty()
        });
        let queues = &self.queues;
        self.rotation.retain(|tenant| queues.contains_key(tenant));
    }

    fn wakes_at(&self) -> Option<Instant> {
        let first = self.queues.values().map(|queue| queue.not_before).min()?;
        first.max(self.not_before)
    }
}

/// Spreads what several replicas were told alike: 0 to 3 ms after the wait (splitmix64).
pub(super) struct Apart(u64);

impl Apart {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        Duration::from_micros((mixed ^ (mixed >> 31)) % 3000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tenant, its weight, and how many requests it has.
    type Line = (&'static str, u32, usize);

    fn ask(user: &str, tenant: &str, weight: u32) -> Ask {
        Ask { user: user.into(), tenant: TenantId::parse(tenant).expect("id"), weight, more: false }
    }

    /// Enqueues `count` requests of each, then lets `verdict` decide about each question until `grants` were granted.
    fn order(lines: &[Line], grants: usize, mut verdict: impl FnMut(&Ask, usize) -> Verdict) -> String {
        let now = Instant::now();
        let mut turns = Turns::new();
        for (tenant, weight, count) in lines {
            for _ in 0..*count {
                turns.enqueue(&ask("user", tenant, *weight), tenant.to_string());
            }
        }
        let mut order = String::new();
        for step in 0..10_000 {
            if order.len() == grants {
                break;
            }
            let at = now + Duration::from_millis(step);
            for asked in turns.next(at, |_| true) {
                if let Answered::Send(who, _) = turns.answered(&asked, verdict(&asked, order.len()), at) {
                    order.push_str(&who);
                }
            }
        }
        order
    }

    fn granted(_: &Ask, _: usize) -> Verdict {
        Verdict::Granted(LeaseId::new(0))
    }

    fn not_yet(ms: u64, holds_up: HoldsUp) -> Verdict {
        Verdict::NotYet { wait: Duration::from_millis(ms), holds_up }
    }

    #[test]
    fn tenants_of_one_user_take_turns_by_weight() {
        let cases: [(&[Line], usize, &str); 5] = [
            (&[("a", 1, 1000), ("b", 1, 1), ("c", 1, 2)], 6, "abcaca"),
            (&[("a", 3, 9), ("b", 1, 9)], 8, "aaabaaab"),
            (&[("a", 2, 1), ("b", 1, 9), ("c", 2, 9)], 7, "abccbcc"),
            (&[("a", 0, 2), ("b", 1, 2)], 4, "abab"),
            (&[("a", 1, 3)], 3, "aaa"),
        ];
        for (lines, grants, expected) in cases {
            assert_eq!(order(lines, grants, granted), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_tenant_that_is_held_up_is_passed_over_and_keeps_its_turns() {
        let mut held = false;
        let once = |ask: &Ask, done: usize| {
            if ask.tenant.as_str() == "a" && done == 1 && !std::mem::replace(&mut held, true) {
                return not_yet(1, HoldsUp::Tenant);
            }
            granted(ask, done)
        };
        assert_eq!(order(&[("a", 3, 9), ("b", 1, 9)], 8, once), "abaabaaa");
    }

    #[test]
    fn a_user_that_is_held_up_asks_nothing_until_then_and_its_head_stays() {
        let now = Instant::now();
        let mut turns = Turns::new();
        turns.enqueue(&ask("one", "a", 1), 1);
        turns.enqueue(&ask("one", "b", 1), 2);
        turns.enqueue(&ask("two", "c", 1), 3);
        let asks = turns.next(now, |_| true);
        assert_eq!(asks.len(), 2, "one question a user: {asks:?}");
        assert!(turns.next(now, |_| true).is_empty(), "both are under way");
        assert_eq!(turns.wakes_at(), None, "an answer has to come first");
        let head = asks.iter().find(|ask| &*ask.user == "one").expect("asked");
        assert!(matches!(turns.answered(head, not_yet(700, HoldsUp::User), now), Answered::Later));
        assert_eq!(turns.wakes_at(), Some(now + Duration::from_millis(700)));
        assert!(turns.next(now + Duration::from_millis(699), |_| true).is_empty());
        assert_eq!(turns.next(now + Duration::from_millis(700), |_| true), [ask("one", "a", 1)]);
    }

    #[test]
    fn who_no_longer_waits_is_not_asked_for_and_its_lease_goes_back() {
        let now = Instant::now();
        let mut turns = Turns::new();
        turns.enqueue(&ask("user", "a", 1), 1);
        turns.enqueue(&ask("user", "b", 1), 2);
        let asked = turns.next(now, |waiter| *waiter != 1).remove(0);
        assert_eq!(asked, ask("user", "b", 1));
        assert!(turns.next(now, |_| false).is_empty());
        let verdict = Verdict::Granted(LeaseId::new(7));
        assert!(
            matches!(turns.answered(&asked, verdict, now), Answered::Unwanted(lease) if lease == LeaseId::new(7))
        );
    }

    #[test]
    fn replicas_that_were_told_the_same_ask_apart() {
        let mut apart = Apart::new(1);
        let waits: std::collections::BTreeSet<Duration> = (0..100).map(|_| apart.next()).collect();
        assert!(waits.len() > 90 && waits.iter().all(|wait| *wait < Duration::from_millis(3)));
    }
}
