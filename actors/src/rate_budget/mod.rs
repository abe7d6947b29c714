//! The rate budget's actor: one replica's askers in their order, and the leases that they hold.
//!
//! Whose turn it is decides [`turns`], whether there is a slot the budget itself (`terrasift_redis::RequestBudget`, in memory
//! or shared by all replicas); here are the clock, the timers and the replies. Must never send a request itself.

mod account;
mod turns;

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use terrasift_postgres::{Store, StoreErrorKind};
use terrasift_redis::{Ask, KEEP_EVERY, LeaseId, RequestBudget, UserKey, Verdict};
use terrasift_schemas::TenantId;

use crate::services::{Services, TenantMeans};
use crate::telemetry::Telemetry;
use turns::{Answered, Apart, Turns};

/// Longest wait for a turn: a backlog of 10,000 states at 30 a second takes 333 s.
const TURN_WAIT_MAX: Duration = Duration::from_secs(900);
/// A request has to start this soon after its slot was asked for, or it draws another: the lease's length counts on it.
const START_WAIT_MAX: Duration = Duration::from_secs(2);
/// From one count of what was granted to the next; there is one more at the end.
const COUNT_EVERY: Duration = Duration::from_secs(15);
/// Longest farewell: the others notice by themselves, only later.
const LEAVE_WAIT_MAX: Duration = Duration::from_secs(1);

/// Messages to the budget.
pub enum RateBudgetMsg {
    /// Wants to send one request.
    Acquire {
        /// Whose, as which user.
        ask: Ask,
        /// Gets the lease.
        reply: RpcReplyPort<Lease>,
    },
    /// The budget has answered.
    Answered {
        /// To this question.
        ask: Ask,
        /// That it was asked at.
        asked: Instant,
        /// So.
        verdict: Verdict,
    },
    /// A request has ended.
    Release {
        /// As which user.
        user: UserKey,
        /// The lease.
        lease: LeaseId,
    },
    /// The server said 429.
    Close {
        /// Which user.
        user: UserKey,
        /// For how long.
        wait: Duration,
    },
    /// Time has passed.
    Tick,
    /// It is time to be seen by the other replicas.
    Keep,
    /// It is time to count what was granted.
    Count,
    /// It was counted; what is left is counted the next time.
    Counted {
        /// Requests by tenant.
        left: HashMap<TenantId, u64>,
    },
}

/// The right to send one request now. Dropping it tells that the response has arrived.
pub struct Lease {
    budget: ActorRef<RateBudgetMsg>,
    user: UserKey,
    lease: LeaseId,
    asked: Instant,
}

impl Lease {
    /// The user whose slot it is.
    pub(crate) fn user(&self) -> UserKey {
        Arc::clone(&self.user)
    }

    /// The server answered 429: nobody sends for this user until `wait` is over.
    pub(crate) fn refused(&self, wait: Duration) {
        // A stopped budget closes no gate, and grants nothing either.
        let _ = self.budget.cast(RateBudgetMsg::Close { user: self.user(), wait });
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // A stopped budget needs no release.
        let _ = self.budget.cast(RateBudgetMsg::Release { user: Arc::clone(&self.user), lease: self.lease });
    }
}

/// No turn came in time, or the budget is stopping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no turn in the rate budget came in time")]
pub struct NoTurn;

/// Waits for a tenant's turn, as the user behind its token in use.
///
/// # Errors
/// [`NoTurn`] after fifteen minutes, or when the budget stops.
pub(crate) async fn acquire(
    budget: &ActorRef<RateBudgetMsg>,
    means: &TenantMeans,
    services: &Services,
) -> Result<Lease, NoTurn> {
    let user = account::user(budget, means, services).await?;
    acquire_as(budget, means, user).await
}

async fn acquire_as(
    budget: &ActorRef<RateBudgetMsg>,
    means: &TenantMeans,
    user: UserKey,
) -> Result<Lease, NoTurn> {
    loop {
        let ask =
            Ask { user: Arc::clone(&user), tenant: means.id.clone(), weight: means.weight, more: false };
        let call = budget.call(|reply| RateBudgetMsg::Acquire { ask, reply }, Some(TURN_WAIT_MAX));
        let lease = match call.await {
            Ok(ractor::rpc::CallResult::Success(lease)) => lease,
            Ok(_) | Err(_) => return Err(NoTurn),
        };
        // This process was halted in between: the slot may be another's by the time the request arrives.
        if lease.asked.elapsed() < START_WAIT_MAX {
            return Ok(lease);
        }
    }
}

/// The actor.
pub struct RateBudget;

/// What it works with.
pub struct RateBudgetArguments {
    pub(crate) budget: Arc<dyn RequestBudget>,
    pub(crate) store: Store,
    pub(crate) telemetry: Telemetry,
}

/// Its state.
pub struct RateBudgetState {
    arguments: RateBudgetArguments,
    turns: Turns<RpcReplyPort<Lease>>,
    apart: Apart,
    wakes_at: Option<Instant>,
    /// Requests that were granted and are not counted in the database yet: one entry a tenant.
    granted: HashMap<TenantId, u64>,
}

impl Actor for RateBudget {
    type Msg = RateBudgetMsg;
    type State = RateBudgetState;
    type Arguments = RateBudgetArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        arguments: RateBudgetArguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        myself.cast(RateBudgetMsg::Keep)?;
        myself.send_after(COUNT_EVERY, || RateBudgetMsg::Count);
        let apart = Apart::new(RandomState::new().hash_one(0));
        Ok(RateBudgetState { arguments, turns: Turns::new(), apart, wakes_at: None, granted: HashMap::new() })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let budget = Arc::clone(&state.arguments.budget);
        match message {
            RateBudgetMsg::Acquire { ask, reply } => state.turns.enqueue(&ask, reply),
            RateBudgetMsg::Answered { ask, asked, verdict } => state.answered(&myself, &ask, asked, verdict),
            // The budget itself knows it at once; whoever else shares it is told beside our own work.
            RateBudgetMsg::Release { user, lease } => {
                tokio::spawn(async move { budget.give_back(user, lease).await });
            }
            RateBudgetMsg::Close { user, wait } => {
                state.arguments.telemetry.upstream.rate_limited(&user, wait);
                tokio::spawn(async move { budget.close(user, wait).await });
            }
            RateBudgetMsg::Tick => state.wakes_at = None,
            RateBudgetMsg::Keep => {
                state.arguments.telemetry.upstream.budgets_alone(budget.alone());
                tokio::spawn(async move {
                    budget.keep().await;
                    myself.send_after(KEEP_EVERY, || RateBudgetMsg::Keep);
                });
                return Ok(());
            }
            RateBudgetMsg::Count => {
                let (store, granted) = (state.arguments.store.clone(), std::mem::take(&mut state.granted));
                tokio::spawn(async move {
                    let left = count(&store, granted).await;
                    // A budget that has stopped counts nothing any more.
                    let _ = myself.cast(RateBudgetMsg::Counted { left });
                });
                return Ok(());
            }
            RateBudgetMsg::Counted { left } => {
                for (tenant, requests) in left {
                    *state.granted.entry(tenant).or_default() += requests;
                }
                myself.send_after(COUNT_EVERY, || RateBudgetMsg::Count);
                return Ok(());
            }
        }
        state.ask(&myself);
        Ok(())
    }

    async fn post_stop(
        &self,
        _myself: ActorRef<Self::Msg>,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        // Whoever is not told notices within seconds.
        let _ = tokio::time::timeout(LEAVE_WAIT_MAX, state.arguments.budget.leave()).await;
        // What cannot be counted now is lost: it is a figure to look at, and nobody's bill.
        let counting = count(&state.arguments.store, std::mem::take(&mut state.granted));
        let _ = tokio::time::timeout(LEAVE_WAIT_MAX, counting).await;
        Ok(())
    }
}

/// Counts what was granted in the database, and hands back what is left when that does not answer: one question after the other,
/// so that a database that is slow is not asked more. A tenant that is not there any more is not counted.
async fn count(store: &Store, granted: HashMap<TenantId, u64>) -> HashMap<TenantId, u64> {
    let mut granted = granted.into_iter();
    while let Some((tenant, requests)) = granted.next() {
        let counted = store.count_upstream_requests(&tenant, requests).await;
        if counted.is_err_and(|error| error.kind() == StoreErrorKind::Unavailable) {
            return std::iter::once((tenant, requests)).chain(granted).collect();
        }
    }
    HashMap::new()
}

impl RateBudgetState {
    fn answered(&mut self, myself: &ActorRef<RateBudgetMsg>, ask: &Ask, asked: Instant, verdict: Verdict) {
        let verdict = match verdict {
            Verdict::NotYet { wait, holds_up } => {
                Verdict::NotYet { wait: wait + self.apart.next(), holds_up }
            }
            granted @ Verdict::Granted(_) => granted,
        };
        let lease = |lease| Lease { budget: myself.clone(), user: Arc::clone(&ask.user), lease, asked };
        match self.turns.answered(ask, verdict, Instant::now()) {
            // Who no longer waits gives its lease back by the drop inside the failed send.
            Answered::Send(reply, granted) => {
                *self.granted.entry(ask.tenant.clone()).or_default() += 1;
                drop(reply.send(lease(granted)));
            }
            Answered::Unwanted(granted) => drop(lease(granted)),
            Answered::Later => (),
        }
    }

    /// Asks what there is to ask, and sets the timer.
    fn ask(&mut self, myself: &ActorRef<RateBudgetMsg>) {
        let now = Instant::now();
        for ask in self.turns.next(now, |reply| !reply.is_closed()) {
            let (budget, myself) = (Arc::clone(&self.arguments.budget), myself.clone());
            tokio::spawn(async move {
                let verdict = budget.take(ask.clone()).await;
                let user = Arc::clone(&ask.user);
                let told = myself.cast(RateBudgetMsg::Answered { ask, asked: now, verdict });
                if let (Err(_), Verdict::Granted(lease)) = (told, verdict) {
                    budget.give_back(user, lease).await;
                }
            });
        }
        if let Some(at) = self.turns.wakes_at()
            && self.wakes_at.is_none_or(|known| at < known)
        {
            self.wakes_at = Some(at);
            myself.send_after(at.saturating_duration_since(now), || RateBudgetMsg::Tick);
        }
    }
}
