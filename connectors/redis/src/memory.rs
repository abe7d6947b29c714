//! The budget in memory: the machine behind a lock and a clock. For one process, as the demo is.
//!
//! Must never be used by two processes for one Terraform Cloud user: each would take the whole limit.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use tokio::time::Instant;

use crate::machine::BudgetMachine;
use crate::port::{Ask, LeaseId, RateLimits, RequestBudget, UserKey, Verdict};

/// A budget in memory.
pub struct MemoryBudget {
    limits: RateLimits,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    machine: BudgetMachine,
    next_lease: u64,
}

impl MemoryBudget {
    /// An empty budget.
    #[must_use]
    pub fn new(limits: RateLimits) -> Self {
        Self { limits, log: Mutex::default() }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}

impl RequestBudget for MemoryBudget {
    fn take(&self, ask: Ask) -> BoxFuture<'_, Verdict> {
        let mut log = self.log();
        let lease = LeaseId::new(log.next_lease);
        log.next_lease += 1;
        let now = now();
        let limits = log.machine.left_for(&self.limits, &ask.user, now);
        ready(log.machine.take(&limits, &ask, lease, now)).boxed()
    }

    fn give_back(&self, user: UserKey, lease: LeaseId) -> BoxFuture<'_, ()> {
        self.log().machine.release(&user, lease, now());
        ready(()).boxed()
    }

    fn close(&self, user: UserKey, wait: Duration) -> BoxFuture<'_, ()> {
        let now = now();
        self.log().machine.close(&user, now + wait);
        ready(()).boxed()
    }

    fn keep(&self) -> BoxFuture<'_, ()> {
        ready(()).boxed()
    }

    fn leave(&self) -> BoxFuture<'_, ()> {
        ready(()).boxed()
    }

    fn alone(&self) -> usize {
        0
    }
}
