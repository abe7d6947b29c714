//! Who may send the next request to Terraform Cloud: an exact sliding log a user, a bucket a tenant. A pure machine.
//!
//! A slot of the sliding log is taken when a request may start and comes free one second after its *response* (or after
//! its lease ends): whatever the network does in between, the server never sees more than the limit in any sliding
//! second (`facts.md`: GCRA breaks it with 35 ms of jitter). Tenants of one user take turns. Must never read a clock.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

use terrasift_schemas::TenantId;

/// The server counts in sliding seconds.
const WINDOW: Duration = Duration::from_secs(1);
/// A lease that nobody gave back ends after this long: longer than any request's timeout.
const LEASE_MAX: Duration = Duration::from_secs(90);

/// The limits.
#[derive(Debug, Clone, Copy)]
pub struct RateLimits {
    /// Requests in any sliding second for one Terraform Cloud user.
    pub user_requests_per_second: usize,
    /// Sustained requests per second for one tenant.
    pub tenant_requests_per_second: f64,
    /// Requests a tenant may send at once after a pause.
    pub tenant_burst: u32,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self { user_requests_per_second: 30, tenant_requests_per_second: 5.0, tenant_burst: 10 }
    }
}

/// Names a slot that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LeaseId(u64);

#[derive(Clone, Copy)]
enum Slot {
    Held { lease: LeaseId, ends: Instant },
    FreeAt(Instant),
}

struct User<W> {
    slots: Vec<Slot>,
    closed_until: Option<Instant>,
    turns: VecDeque<TenantId>,
    queues: HashMap<TenantId, VecDeque<W>>,
}

/// The budget of all users and tenants of this process. `U` names a user, `W` is who waits.
pub struct RateMachine<U, W> {
    limits: RateLimits,
    users: HashMap<U, User<W>>,
    /// GCRA: the theoretical arrival time of each tenant's next request.
    arrivals: HashMap<TenantId, Instant>,
    next_lease: u64,
}

/// What one round of [`RateMachine::dispatch`] decided.
pub struct Dispatch<U, W> {
    /// Who may send now.
    pub granted: Vec<(W, U, LeaseId)>,
    /// When to ask again, if somebody still waits for time to pass.
    pub ask_again: Option<Instant>,
}

impl<U: Clone + Eq + Hash, W> RateMachine<U, W> {
    /// An empty budget.
    #[must_use]
    pub fn new(limits: RateLimits) -> Self {
        Self { limits, users: HashMap::new(), arrivals: HashMap::new(), next_lease: 0 }
    }

    /// Puts a request in line.
    pub fn enqueue(&mut self, user: U, tenant: &TenantId, waiter: W) {
        let slots = self.limits.user_requests_per_second;
        let user = self.users.entry(user).or_insert_with(|| User {
            slots: Vec::with_capacity(slots),
            closed_until: None,
            turns: VecDeque::new(),
            queues: HashMap::new(),
        });
        let queue = user.queues.entry(tenant.clone()).or_default();
        if queue.is_empty() {
            user.turns.push_back(tenant.clone());
        }
        queue.push_back(waiter);
    }

    /// A response (or failure) has arrived: the slot comes free one second from now.
    pub fn release(&mut self, user: &U, lease: LeaseId, now: Instant) {
        let Some(user) = self.users.get_mut(user) else { return };
        for slot in &mut user.slots {
            if matches!(slot, Slot::Held { lease: held, .. } if *held == lease) {
                *slot = Slot::FreeAt(now + WINDOW);
            }
        }
    }

    /// The server said 429: nobody sends for this user until `until`.
    pub fn close(&mut self, user: &U, until: Instant) {
        if let Some(user) = self.users.get_mut(user) {
            user.closed_until = Some(user.closed_until.map_or(until, |known| known.max(until)));
        }
    }

    /// How many wait.
    #[cfg(test)]
    fn waiting(&self) -> usize {
        self.users.values().flat_map(|user| user.queues.values()).map(VecDeque::len).sum()
    }

    /// Grants what may be sent at `now`.
    pub fn dispatch(&mut self, now: Instant) -> Dispatch<U, W> {
        let mut granted = Vec::new();
        let mut ask_again: Option<Instant> = None;
        let mut later = |at: Instant| ask_again = Some(ask_again.map_or(at, |known| known.min(at)));
        let interval = Duration::from_secs_f64(1.0 / self.limits.tenant_requests_per_second.max(0.001));
        let tolerance = interval.saturating_mul(self.limits.tenant_burst.max(1) - 1);
        for (name, user) in &mut self.users {
            if let Some(until) = user.closed_until.filter(|until| *until > now) {
                if !user.turns.is_empty() {
                    later(until);
                }
                continue;
            }
            user.closed_until = None;
            // One pass over the tenants a grant; it ends when a whole pass granted nobody.
            let mut passed_over = 0;
            while passed_over < user.turns.len() {
                let Some(tenant) = user.turns.pop_front() else { break };
                let arrival = self.arrivals.get(&tenant).copied().filter(|at| *at > now).unwrap_or(now);
                if arrival > now + tolerance {
                    later(arrival - tolerance);
                    user.turns.push_back(tenant);
                    passed_over += 1;
                    continue;
                }
                let lease = LeaseId(self.next_lease);
                if let Err(free_at) =
                    take_slot(&mut user.slots, self.limits.user_requests_per_second, lease, now)
                {
                    later(free_at);
                    user.turns.push_front(tenant);
                    break;
                }
                self.next_lease += 1;
                let Some(queue) = user.queues.get_mut(&tenant) else { continue };
                if let Some(waiter) = queue.pop_front() {
                    granted.push((waiter, name.clone(), lease));
                    self.arrivals.insert(tenant.clone(), arrival + interval);
                }
                if queue.is_empty() {
                    user.queues.remove(&tenant);
                } else {
                    user.turns.push_back(tenant);
                }
                passed_over = 0;
            }
        }
        Dispatch { granted, ask_again }
    }
}

fn take_slot(slots: &mut Vec<Slot>, slots_max: usize, lease: LeaseId, now: Instant) -> Result<(), Instant> {
    let free_at = |slot: &Slot| match slot {
        Slot::Held { ends, .. } => *ends + WINDOW,
        Slot::FreeAt(at) => *at,
    };
    let taken = Slot::Held { lease, ends: now + LEASE_MAX };
    if slots.len() < slots_max {
        slots.push(taken);
        return Ok(());
    }
    match slots.iter_mut().min_by_key(|slot| free_at(slot)) {
        Some(slot) if free_at(slot) <= now => {
            *slot = taken;
            Ok(())
        }
        Some(slot) => Err(free_at(slot)),
        None => Err(now + WINDOW),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tenant(n: u32) -> TenantId {
        TenantId::parse(&format!("t{n}")).expect("id")
    }

    /// Runs a server that counts arrivals: each grant arrives after a delay and is answered after another.
    fn arrivals_ms(limits: RateLimits, tenants: u32, requests: u32, delays_ms: &[u64]) -> Vec<(u64, u32)> {
        let start = Instant::now();
        let mut machine = RateMachine::new(limits);
        for n in 0..requests {
            machine.enqueue("user", &tenant(n % tenants), n);
        }
        let mut responses: Vec<(u64, LeaseId)> = Vec::new();
        let mut arrivals = Vec::new();
        for ms in 0..120_000 {
            let now = start + Duration::from_millis(ms);
            responses.retain(|(at, lease)| {
                let due = *at <= ms;
                if due {
                    machine.release(&"user", *lease, now);
                }
                !due
            });
            for (n, _, lease) in machine.dispatch(now).granted {
                let delay =
                    |salt: u32| delays_ms[usize::try_from(n + salt).expect("small") % delays_ms.len()];
                arrivals.push((ms + delay(0), n));
                responses.push((ms + delay(0) + delay(1), lease));
            }
            if machine.waiting() == 0 {
                break;
            }
        }
        arrivals.sort_unstable();
        arrivals
    }

    fn most_in_a_second(arrivals: &[(u64, u32)]) -> usize {
        arrivals
            .iter()
            .map(|(at, _)| arrivals.iter().filter(|(b, _)| (*at..at + 1000).contains(b)).count())
            .max()
            .unwrap_or(0)
    }

    #[test]
    fn a_user_never_exceeds_the_limit_and_uses_most_of_it() {
        let limits =
            RateLimits { tenant_requests_per_second: 1000.0, tenant_burst: 1000, ..RateLimits::default() };
        let arrivals = arrivals_ms(limits, 4, 300, &[5, 20, 1, 40]);
        assert_eq!(arrivals.len(), 300);
        assert!(most_in_a_second(&arrivals) <= 30);
        let seconds = arrivals.last().map_or(0, |(at, _)| at / 1000);
        assert!(seconds <= 12, "300 requests took {seconds} s");
    }

    #[test]
    fn a_tenant_gets_its_burst_and_then_its_rate() {
        let arrivals = arrivals_ms(RateLimits::default(), 1, 30, &[0]);
        let within = |ms: u64| arrivals.iter().filter(|(at, _)| *at <= ms).count();
        assert_eq!((within(0), within(199), within(200), within(1000)), (10, 10, 11, 15));
    }

    #[test]
    fn tenants_of_one_user_take_turns() {
        let limits =
            RateLimits { tenant_requests_per_second: 1000.0, tenant_burst: 1000, ..RateLimits::default() };
        let mut machine = RateMachine::new(limits);
        for _ in 0..1000 {
            machine.enqueue("user", &tenant(0), 0);
        }
        for n in 1..=3 {
            machine.enqueue("user", &tenant(n), n);
        }
        let first: Vec<u32> =
            machine.dispatch(Instant::now()).granted.into_iter().map(|(n, _, _)| n).take(4).collect();
        assert_eq!(first, [0, 1, 2, 3], "a noisy tenant takes one turn");
    }

    #[test]
    fn a_429_closes_the_gate_for_all_tenants_of_the_user() {
        let start = Instant::now();
        let mut machine = RateMachine::new(RateLimits::default());
        machine.enqueue("user", &tenant(1), 1);
        machine.enqueue("other", &tenant(2), 2);
        machine.close(&"user", start + Duration::from_millis(700));
        let round = machine.dispatch(start);
        assert_eq!(round.granted.iter().map(|(n, _, _)| *n).collect::<Vec<_>>(), [2]);
        assert_eq!(round.ask_again, Some(start + Duration::from_millis(700)));
        assert_eq!(machine.dispatch(start + Duration::from_millis(700)).granted.len(), 1);
    }

    #[test]
    fn a_lease_that_nobody_gives_back_ends() {
        let start = Instant::now();
        let mut machine =
            RateMachine::new(RateLimits { user_requests_per_second: 1, ..RateLimits::default() });
        machine.enqueue("user", &tenant(1), 1);
        machine.enqueue("user", &tenant(1), 2);
        assert_eq!(machine.dispatch(start).granted.len(), 1);
        let round = machine.dispatch(start + Duration::from_secs(2));
        assert!(round.granted.is_empty());
        let again = round.ask_again.expect("waits for the lease's end");
        assert_eq!(machine.dispatch(again).granted.len(), 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn no_sliding_second_sees_more_than_the_limit(
            delays in proptest::collection::vec(0_u64..300, 1..20),
            tenants in 1_u32..6,
            limit in 1_usize..12,
        ) {
            let limits = RateLimits {
                user_requests_per_second: limit,
                tenant_requests_per_second: 50.0,
                tenant_burst: 20,
            };
            let arrivals = arrivals_ms(limits, tenants, 60, &delays);
            prop_assert_eq!(arrivals.len(), 60);
            prop_assert!(most_in_a_second(&arrivals) <= limit);
        }
    }
}
