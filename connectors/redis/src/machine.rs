//! The decisions, as a pure machine: an exact sliding log a user, a bucket a tenant, turns by weight among who waits.
//!
//! A slot of the sliding log is taken when a request may start and comes free one second after its *response* (or after
//! its lease ends): whatever the network does in between, the server never sees more than the limit in any sliding
//! second (`facts.md`: GCRA breaks it with 35 ms of jitter). Turns are start-time fair queueing (Goyal, Vin, Cheng 1996)
//! over those who asked a moment ago and are about to ask again. `script.lua` is the same in Redis; `tests/twin.rs` compares them step
//! by step. Must never read a clock.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use terrasift_schemas::TenantId;

use crate::port::{Ask, HoldsUp, LeaseId, RateLimits, UNKNOWN_USER, UserKey, Verdict};

/// The server counts in sliding seconds.
const WINDOW: Duration = Duration::from_secs(1);
/// Longest wait before it is asked again: another replica's slot may come free before its lease ends.
pub(crate) const ASK_AGAIN_MAX: Duration = Duration::from_millis(100);
/// Who was told to ask again counts as waiting until this long after the time it was told.
const GRACE: Duration = Duration::from_millis(50);
/// Who is ahead of its share asks again after this long: somebody behind is about to come.
const YIELD: Duration = Duration::from_millis(5);
/// One turn of a tenant of weight 1.
const TURN: u64 = 1_000_000;
/// A tenant that was away is at most this far behind when it comes back: idleness saves up no turns beyond.
const LAG_MAX: u64 = 8 * TURN;

/// A tenant's part of a user's log.
#[derive(Default)]
struct TenantLog {
    /// GCRA: the theoretical arrival time of the next request.
    arrival: Option<Instant>,
    /// Where the next request stands in the order of turns.
    tag: Option<u64>,
    /// Until when it counts as waiting.
    waits_until: Option<Instant>,
}

impl TenantLog {
    fn waits(&self, now: Instant) -> bool {
        self.waits_until.is_some_and(|until| until > now)
    }
}

#[derive(Clone, Copy)]
struct Slot {
    lease: LeaseId,
    held: bool,
    free_at: Instant,
}

#[derive(Default)]
struct UserLog {
    slots: Vec<Slot>,
    closed_until: Option<Instant>,
    /// The tag of the latest grant.
    turn: u64,
    tenants: HashMap<TenantId, TenantLog>,
}

/// The budget of all users and tenants that it was asked about.
#[derive(Default)]
pub struct BudgetMachine {
    users: HashMap<UserKey, UserLog>,
}

/// A slot that is not free: whose, and for how long still.
pub(crate) type TakenSlot = (LeaseId, Duration);

impl BudgetMachine {
    /// Decides about one request; a granted one takes a slot under `lease`.
    pub fn take(&mut self, limits: &RateLimits, ask: &Ask, lease: LeaseId, now: Instant) -> Verdict {
        let user = self.users.entry(ask.user.clone()).or_default();
        user.slots.retain(|slot| slot.free_at > now);
        if let Some(until) = user.closed_until.filter(|until| *until > now) {
            return not_yet(until - now, HoldsUp::User);
        }
        let (interval, tolerance) = (limits.tenant_interval(), limits.tenant_tolerance());
        let own = user.tenants.entry(ask.tenant.clone()).or_default();
        let arrival = own.arrival.filter(|at| *at > now).unwrap_or(now);
        if arrival > now + tolerance {
            own.waits_until = None;
            return not_yet(arrival - tolerance - now, HoldsUp::Tenant);
        }
        let slots_max = limits.user_requests_per_second;
        if user.slots.len() >= slots_max {
            let free_at = user.free_at(slots_max).unwrap_or(now + WINDOW);
            let wait = (free_at - now).min(ASK_AGAIN_MAX);
            user.tenant(ask).waits_until = Some(now + wait + GRACE);
            return not_yet(wait, HoldsUp::User);
        }
        let tag = user.tag_of(&ask.tenant);
        if user.waits_behind(&ask.tenant, tag, now) {
            user.tenant(ask).waits_until = Some(now + YIELD + GRACE);
            return not_yet(YIELD, HoldsUp::Tenant);
        }
        user.slots.push(Slot { lease, held: true, free_at: now + limits.lease_max + WINDOW });
        user.turn = user.turn.max(tag);
        let own = user.tenant(ask);
        own.waits_until = ask.more.then(|| now + GRACE);
        own.arrival = Some(arrival + interval);
        own.tag = Some(tag + TURN / u64::from(ask.weight.max(1)));
        Verdict::Granted(lease)
    }

    /// These limits for one user, less what the questions for unknown users take or wait for; for those, less what the
    /// busiest user takes. So no user is sent more than its limit, whoever is behind the questions.
    pub(crate) fn left_for(&self, limits: &RateLimits, user: &UserKey, now: Instant) -> RateLimits {
        let taken = |log: &UserLog| log.slots.iter().filter(|slot| slot.free_at > now).count();
        let used = if &**user == UNKNOWN_USER {
            let others = self.users.iter().filter(|(name, _)| *name != user);
            others.map(|(_, log)| taken(log)).max().unwrap_or(0)
        } else {
            let waits = |log: &UserLog| log.tenants.values().any(|tenant| tenant.waits(now));
            self.users.get(UNKNOWN_USER).map_or(0, |log| taken(log).max(usize::from(waits(log))))
        };
        RateLimits {
            user_requests_per_second: limits.user_requests_per_second.saturating_sub(used),
            ..*limits
        }
    }

    /// A slot that was granted elsewhere (in Redis) is this process'.
    pub(crate) fn adopt(&mut self, limits: &RateLimits, ask: &Ask, lease: LeaseId, now: Instant) {
        let user = self.users.entry(ask.user.clone()).or_default();
        user.slots.retain(|slot| slot.free_at > now);
        user.slots.push(Slot { lease, held: true, free_at: now + limits.lease_max + WINDOW });
        let own = user.tenant(ask);
        own.arrival = Some(own.arrival.map_or(now, |at| at.max(now)) + limits.tenant_interval());
    }

    /// A response (or failure) has arrived: the slot comes free one second from now.
    pub fn release(&mut self, user: &UserKey, lease: LeaseId, now: Instant) {
        let Some(user) = self.users.get_mut(user) else { return };
        for slot in user.slots.iter_mut().filter(|slot| slot.held && slot.lease == lease) {
            slot.held = false;
            slot.free_at = slot.free_at.min(now + WINDOW);
        }
    }

    /// The server said 429: nobody sends for this user until `until`.
    pub fn close(&mut self, user: &UserKey, until: Instant) {
        let user = self.users.entry(user.clone()).or_default();
        user.closed_until = Some(user.closed_until.map_or(until, |known| known.max(until)));
    }

    /// For how long a 429 closes the gate still.
    pub(crate) fn closed_for(&self, user: &UserKey, now: Instant) -> Duration {
        let until = self.users.get(user).and_then(|user| user.closed_until);
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// Whether a lease was granted, has not ended and was not given back.
    #[must_use]
    pub fn holds(&self, user: &UserKey, lease: LeaseId, now: Instant) -> bool {
        let slots = self.users.get(user).map_or(&[][..], |user| &user.slots);
        slots.iter().any(|slot| slot.held && slot.lease == lease && slot.free_at > now)
    }

    /// The slots of a user that are not free.
    pub fn taken(&self, user: &UserKey, now: Instant) -> Vec<TakenSlot> {
        let slots = self.users.get(user).map_or(&[][..], |user| &user.slots);
        let taken = slots.iter().filter(|slot| slot.free_at > now);
        taken.map(|slot| (slot.lease, slot.free_at - now)).collect()
    }
}

impl UserLog {
    fn tenant(&mut self, ask: &Ask) -> &mut TenantLog {
        self.tenants.entry(ask.tenant.clone()).or_default()
    }

    /// When fewer than `slots_max` slots are taken.
    fn free_at(&self, slots_max: usize) -> Option<Instant> {
        let mut ends: Vec<Instant> = self.slots.iter().map(|slot| slot.free_at).collect();
        ends.sort_unstable();
        ends.get(ends.len().checked_sub(slots_max.max(1))?).copied()
    }

    fn tag_of(&self, tenant: &TenantId) -> u64 {
        let known = self.tenants.get(tenant).and_then(|tenant| tenant.tag);
        known.unwrap_or(self.turn).max(self.turn.saturating_sub(LAG_MAX))
    }

    /// Whether another tenant waits whose turn is earlier than `tag`.
    fn waits_behind(&self, tenant: &TenantId, tag: u64, now: Instant) -> bool {
        self.tenants.iter().any(|(name, log)| name != tenant && log.waits(now) && self.tag_of(name) < tag)
    }
}

fn not_yet(wait: Duration, holds_up: HoldsUp) -> Verdict {
    Verdict::NotYet { wait, holds_up }
}
