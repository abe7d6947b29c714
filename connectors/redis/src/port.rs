//! The port: who may send the next request to Terraform Cloud. What an asker says, and what it hears.
//!
//! Two implementations keep it, and `tests/budget` runs one contract on both. Must never name a store: whether the budget
//! is shared by replicas is the wiring's choice.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use terrasift_schemas::TenantId;

/// Whoever owns a [`RequestBudget`] calls [`RequestBudget::keep`] this often: a replica that is silent for a second
/// counts as cut off.
pub const KEEP_EVERY: Duration = Duration::from_millis(250);

/// Names a Terraform Cloud user: the limit is the user's, however many tokens and tenants share it.
pub type UserKey = Arc<str>;

/// Stands for the user of a token of which nobody knows yet whose it is. The question for it is a request of *some* user:
/// its slot counts against every user's limit.
pub const UNKNOWN_USER: &str = "account-details";

/// The limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimits {
    /// Requests in any sliding second for one Terraform Cloud user, at least 2: one is kept for [`UNKNOWN_USER`].
    pub user_requests_per_second: usize,
    /// Sustained requests per second for one tenant.
    pub tenant_requests_per_second: f64,
    /// Requests a tenant may send at once after a pause.
    pub tenant_burst: u32,
    /// A lease that nobody gave back ends after this long. Longer than any request and the time to start it.
    pub lease_max: Duration,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            user_requests_per_second: 30,
            tenant_requests_per_second: 5.0,
            tenant_burst: 10,
            // The client's longest request takes 30 s.
            lease_max: Duration::from_secs(40),
        }
    }
}

impl RateLimits {
    /// These limits for one user, where the slots of the others cannot be seen: a slot is kept for [`UNKNOWN_USER`], and is
    /// all that it has.
    #[must_use]
    pub fn of(mut self, user: &str) -> Self {
        let kept = self.user_requests_per_second.min(1);
        self.user_requests_per_second =
            if user == UNKNOWN_USER { kept } else { (self.user_requests_per_second - kept).max(kept) };
        self
    }

    /// Time between two requests of a tenant at its sustained rate, in whole microseconds as Redis counts.
    #[must_use]
    pub fn tenant_interval(&self) -> Duration {
        let interval =
            Duration::from_secs_f64(1.0 / self.tenant_requests_per_second.clamp(0.001, 1_000_000.0));
        Duration::from_micros(u64::try_from(interval.as_micros()).unwrap_or(u64::MAX).max(1))
    }

    /// How far a tenant may be ahead of its sustained rate.
    #[must_use]
    pub fn tenant_tolerance(&self) -> Duration {
        self.tenant_interval().saturating_mul(self.tenant_burst.max(1) - 1)
    }
}

/// Wants to send one request now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// As which user.
    pub user: UserKey,
    /// For whom.
    pub tenant: TenantId,
    /// The tenant's share among those who wait, at least 1.
    pub weight: u32,
    /// Whether more of this tenant's requests wait behind this one.
    pub more: bool,
}

/// Names a slot that was taken; of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(u64);

impl LeaseId {
    /// The `number`-th lease of this process.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

/// What the budget answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Send it now, and give the lease back when its response is there.
    Granted(LeaseId),
    /// Not now.
    NotYet {
        /// Ask again after this.
        wait: Duration,
        /// Whom the wait holds up.
        holds_up: HoldsUp,
    },
}

/// Whom a wait holds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldsUp {
    /// All tenants of the user.
    User,
    /// This tenant only: another one of the same user may be asked for.
    Tenant,
}

/// A budget of requests. Dyn-compatible, because the wiring chooses at run time.
pub trait RequestBudget: Send + Sync + 'static {
    /// Asks for one request.
    fn take(&self, ask: Ask) -> BoxFuture<'_, Verdict>;

    /// A response (or a failure) has arrived: its slot comes free one second from now.
    fn give_back(&self, user: UserKey, lease: LeaseId) -> BoxFuture<'_, ()>;

    /// The server said 429: nobody sends for this user until `wait` is over.
    fn close(&self, user: UserKey, wait: Duration) -> BoxFuture<'_, ()>;

    /// Says that this replica is alive, and tries to get back to whatever it lost. To be called every [`KEEP_EVERY`].
    fn keep(&self) -> BoxFuture<'_, ()>;

    /// Says that this replica takes nothing any more.
    fn leave(&self) -> BoxFuture<'_, ()>;

    /// Users whose budget this replica cannot share now, and of which it takes a safe part by itself.
    fn alone(&self) -> usize;
}
