//! The budget in Redis, shared by all replicas; while Redis is away, a safe part of it here.
//!
//! Each call tells Redis which slots this replica holds, so whatever Redis lost is written again. Must never send for
//! want of an answer: no answer is no grant.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};

use crate::link::{BadAddress, Link, NoAnswer};
use crate::machine::{ASK_AGAIN_MAX, BudgetMachine};
use crate::port::{Ask, HoldsUp, LeaseId, RateLimits, RequestBudget, UserKey, Verdict};
use crate::script::{Answer, Call, Caller, Code, Op};
use crate::share::{Mode, Standing};

/// Users that nobody asked for in this time are left, so that an idle replica keeps no part of their budget.
const IDLE_AFTER: Duration = Duration::from_secs(30);
/// Calls at once while all users are kept.
const KEEPS_MAX: usize = 32;
/// Leases that are remembered as given up while Redis is away; beyond, their slots come free with their leases' ends.
const LOST_MAX: usize = 64;

/// How to reach Redis. No Debug: the address can hold a password.
pub struct RedisConfig {
    /// `redis://[user:password@]host[:port][/database]`, `rediss://…` or `unix:///path`.
    pub address: String,
    /// Before all keys.
    pub prefix: String,
    /// Names this process among the replicas; another one at each start.
    pub replica: String,
    /// Most replicas there will ever be: each that may still come has one slot kept back while Redis is away.
    pub replicas_max: usize,
    /// Longest wait for an answer ([`crate::ANSWER_WAIT_MAX`]); after it Redis counts as away.
    pub answer_wait_max: Duration,
}

/// A budget in Redis.
pub struct RedisBudget {
    caller: Caller,
    link: Link,
    desk: Mutex<Desk>,
}

#[derive(Default)]
struct Desk {
    machine: BudgetMachine,
    users: HashMap<UserKey, User>,
    next_lease: u64,
    /// Counts the calls of this process: what Redis sees out of order was given up.
    sequence: u64,
}

struct User {
    standing: Standing,
    asked_at: Instant,
    /// As Redis told. Never told back: with each round trip the gate would stay closed a little longer.
    closed_until: Instant,
    /// Leases whose grant nobody heard: Redis may hold slots for them.
    lost: Vec<LeaseId>,
}

impl RedisBudget {
    /// A budget that asks Redis from the first request on.
    ///
    /// # Errors
    /// [`BadAddress`]; whether somebody answers there is not tried.
    pub fn new(config: RedisConfig, limits: RateLimits) -> Result<Self, BadAddress> {
        let RedisConfig { address, prefix, replica, replicas_max, answer_wait_max } = config;
        let caller = Caller { prefix, replica, limits, replicas_max };
        Ok(Self { caller, link: Link::new(&address, answer_wait_max)?, desk: Mutex::default() })
    }

    /// Connects so from now on: the address or its password has changed.
    ///
    /// # Errors
    /// [`BadAddress`]; then the one from before stays.
    pub fn take_address(&self, address: &str) -> Result<(), BadAddress> {
        self.link.take_address(address)
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, ask: Ask) -> Verdict {
        let (lease, call) = {
            let (mut desk, now) = (self.desk(), now());
            let lease = LeaseId::new(desk.next_lease);
            desk.next_lease += 1;
            let user = desk.user(&ask.user, now);
            user.asked_at = now;
            match user.standing.mode() {
                Mode::Shared => (lease, desk.call(&ask.user, Op::Take(ask.clone(), lease), now)),
                Mode::Alone(_) => return desk.decide(&self.caller, &ask, lease, now),
            }
        };
        let answer = self.link.call(&self.caller, &call).await;
        let (mut desk, now) = (self.desk(), now());
        match answer {
            Ok(answer) => {
                desk.answered(&call, answer, now);
                desk.verdict(&self.caller.limits, &ask, lease, answer, now)
            }
            Err(NoAnswer) => {
                desk.lost(&call, now);
                let user = desk.user(&ask.user, now);
                if user.lost.len() < LOST_MAX {
                    user.lost.push(lease);
                }
                desk.decide(&self.caller, &ask, lease, now)
            }
        }
    }

    /// Tells Redis what there is to tell about a user.
    async fn tell(&self, user: &UserKey, op: Op) {
        let call = {
            let (mut desk, now) = (self.desk(), now());
            desk.call(user, op, now)
        };
        let answer = self.link.call(&self.caller, &call).await;
        let (mut desk, now) = (self.desk(), now());
        match answer {
            Ok(answer) => desk.answered(&call, answer, now),
            Err(NoAnswer) => desk.lost(&call, now),
        }
    }

    /// Tells at once what need not wait for the next keep, if there is somebody to tell.
    async fn tell_if_shared(&self, user: UserKey) {
        let shared = self.desk().users.get(&user).is_some_and(|user| user.standing.mode() == Mode::Shared);
        if shared {
            self.tell(&user, Op::Beat).await;
        }
    }
}

impl Desk {
    fn user(&mut self, user: &UserKey, now: Instant) -> &mut User {
        self.users.entry(user.clone()).or_insert_with(|| User {
            standing: Standing::new(),
            asked_at: now,
            closed_until: now,
            lost: Vec::new(),
        })
    }

    fn call(&mut self, user: &UserKey, op: Op, now: Instant) -> Call {
        let mut taken = self.machine.taken(user, now);
        let gate = self.machine.closed_for(user, now);
        taken.extend(self.user(user, now).lost.iter().map(|lease| (*lease, Duration::ZERO)));
        self.sequence += 1;
        Call { user: user.clone(), op, sequence: self.sequence, gate, taken }
    }

    fn answered(&mut self, call: &Call, answer: Answer, now: Instant) {
        if answer.code == Code::Stale {
            return;
        }
        let Some(user) = self.users.get_mut(&call.user) else { return };
        user.closed_until = now + answer.gate;
        user.lost.retain(|lost| !call.taken.iter().any(|(told, _)| told == lost));
        if user.standing.reached(answer.replicas, now) {
            tracing::info!(user = &*call.user, replicas = answer.replicas, "the rate budget is shared again");
        }
    }

    fn lost(&mut self, call: &Call, now: Instant) {
        let Some(user) = self.users.get_mut(&call.user) else { return };
        if user.standing.lost(now) {
            tracing::warn!(
                user = &*call.user,
                "redis does not answer: this replica takes a safe part of the rate budget"
            );
        }
    }

    fn verdict(
        &mut self,
        limits: &RateLimits,
        ask: &Ask,
        lease: LeaseId,
        answer: Answer,
        now: Instant,
    ) -> Verdict {
        let holds_up = match answer.code {
            Code::Granted => {
                self.machine.adopt(limits, ask, lease, now);
                return Verdict::Granted(lease);
            }
            Code::Bucket | Code::Turns => HoldsUp::Tenant,
            Code::Slots | Code::Gate | Code::Stale | Code::Done => HoldsUp::User,
        };
        Verdict::NotYet { wait: answer.wait.min(ASK_AGAIN_MAX), holds_up }
    }

    /// Decides here, within this replica's part.
    fn decide(&mut self, caller: &Caller, ask: &Ask, lease: LeaseId, now: Instant) -> Verdict {
        let user = self.user(&ask.user, now);
        let closed = user.standing.hushed_for(now).max(user.closed_until.saturating_duration_since(now));
        if closed > Duration::ZERO {
            return Verdict::NotYet { wait: closed.min(ASK_AGAIN_MAX), holds_up: HoldsUp::User };
        }
        let part = user.standing.part(caller.limits.of(&ask.user), caller.replicas_max);
        match self.machine.take(&part, ask, lease, now) {
            Verdict::NotYet { wait, holds_up } => Verdict::NotYet { wait: wait.min(ASK_AGAIN_MAX), holds_up },
            granted @ Verdict::Granted(_) => granted,
        }
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl RequestBudget for RedisBudget {
    fn take(&self, ask: Ask) -> BoxFuture<'_, Verdict> {
        self.ask(ask).boxed()
    }

    fn give_back(&self, user: UserKey, lease: LeaseId) -> BoxFuture<'_, ()> {
        self.desk().machine.release(&user, lease, now());
        self.tell_if_shared(user).boxed()
    }

    fn close(&self, user: UserKey, wait: Duration) -> BoxFuture<'_, ()> {
        {
            let (mut desk, now) = (self.desk(), now());
            desk.machine.close(&user, now + wait);
            desk.user(&user, now).standing.refused();
        }
        self.tell_if_shared(user).boxed()
    }

    fn keep(&self) -> BoxFuture<'_, ()> {
        async move {
            let now = now();
            let users: Vec<(UserKey, Op)> = {
                let desk = self.desk();
                let idle = |name: &UserKey, user: &User| {
                    now.saturating_duration_since(user.asked_at) > IDLE_AFTER
                        && desk.machine.taken(name, now).is_empty()
                };
                let op = |name, user| if idle(name, user) { Op::Leave } else { Op::Beat };
                desk.users.iter().map(|(name, user)| (name.clone(), op(name, user))).collect()
            };
            let tell = |(name, op): (UserKey, Op)| async move {
                let leaves = matches!(op, Op::Leave);
                self.tell(&name, op).await;
                let mut desk = self.desk();
                // Asked for meanwhile, it stays.
                if leaves && desk.users.get(&name).is_some_and(|user| user.asked_at <= now) {
                    desk.users.remove(&name);
                }
            };
            stream::iter(users).for_each_concurrent(KEEPS_MAX, tell).await;
        }
        .boxed()
    }

    fn leave(&self) -> BoxFuture<'_, ()> {
        async move {
            let users: Vec<UserKey> = self.desk().users.keys().cloned().collect();
            let tell = |name: UserKey| async move { self.tell(&name, Op::Leave).await };
            stream::iter(users).for_each_concurrent(KEEPS_MAX, tell).await;
        }
        .boxed()
    }

    fn alone(&self) -> usize {
        self.desk().users.values().filter(|user| user.standing.mode() != Mode::Shared).count()
    }
}
