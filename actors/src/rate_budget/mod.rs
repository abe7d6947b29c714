//! The rate budget: one actor hands out the right to send a request to Terraform Cloud.
//!
//! The decisions are [`machine`]'s; here are the clock, the timer and the replies. Must never send a request itself.

mod machine;

use std::sync::Arc;
use std::time::{Duration, Instant};

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use terrasift_schemas::TenantId;

use machine::RateMachine;
pub use machine::{LeaseId, RateLimits};

/// Longest wait for a turn: a backlog of 10,000 states at 30 a second takes 333 s.
const TURN_WAIT_MAX: Duration = Duration::from_secs(900);

/// Names a Terraform Cloud user: the limit is the user's, however many tokens and tenants share it.
pub type UserKey = Arc<str>;

/// Messages to the budget.
pub enum RateBudgetMsg {
    /// Wants to send one request.
    Acquire {
        /// Whose request.
        tenant: TenantId,
        /// As which user.
        user: UserKey,
        /// Gets the lease.
        reply: RpcReplyPort<Lease>,
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
}

/// The right to send one request now. Dropping it tells that the response has arrived.
pub struct Lease {
    budget: ActorRef<RateBudgetMsg>,
    user: UserKey,
    lease: LeaseId,
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

/// Waits for a turn.
///
/// # Errors
/// [`NoTurn`] after fifteen minutes, or when the budget stops.
pub async fn acquire(
    budget: &ActorRef<RateBudgetMsg>,
    tenant: &TenantId,
    user: &UserKey,
) -> Result<Lease, NoTurn> {
    let (tenant, user) = (tenant.clone(), Arc::clone(user));
    let call = budget.call(|reply| RateBudgetMsg::Acquire { tenant, user, reply }, Some(TURN_WAIT_MAX));
    match call.await {
        Ok(ractor::rpc::CallResult::Success(lease)) => Ok(lease),
        Ok(_) | Err(_) => Err(NoTurn),
    }
}

/// The actor.
pub struct RateBudget;

/// Its state.
pub struct RateBudgetState {
    machine: RateMachine<UserKey, RpcReplyPort<Lease>>,
    wakes_at: Option<Instant>,
}

impl Actor for RateBudget {
    type Msg = RateBudgetMsg;
    type State = RateBudgetState;
    type Arguments = RateLimits;

    async fn pre_start(
        &self,
        _myself: ActorRef<Self::Msg>,
        limits: RateLimits,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(RateBudgetState { machine: RateMachine::new(limits), wakes_at: None })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let now = Instant::now();
        match message {
            RateBudgetMsg::Acquire { tenant, user, reply } => state.machine.enqueue(user, &tenant, reply),
            RateBudgetMsg::Release { user, lease } => state.machine.release(&user, lease, now),
            RateBudgetMsg::Close { user, wait } => state.machine.close(&user, now + wait),
            RateBudgetMsg::Tick => state.wakes_at = None,
        }
        let round = state.machine.dispatch(now);
        for (reply, user, lease) in round.granted {
            // Who no longer waits gives its lease back by the drop inside the failed send.
            let _ = reply.send(Lease { budget: myself.clone(), user, lease });
        }
        if let Some(at) = round.ask_again
            && state.wakes_at.is_none_or(|known| at < known)
        {
            state.wakes_at = Some(at);
            myself.send_after(at.saturating_duration_since(now), || RateBudgetMsg::Tick);
        }
        Ok(())
    }
}
