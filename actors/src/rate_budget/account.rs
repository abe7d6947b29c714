//! Whose budget a tenant's token draws from: the user behind it, asked once a token.
//!
//! Must never guess that two tokens are one user's: what is not told is a user of its own, and the server's 429 closes
//! the gate for the rest.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ractor::ActorRef;
use terrasift_redis::UserKey;
use terrasift_terraform_cloud::FailureKind;

use super::{NoTurn, RateBudgetMsg, acquire_as};
use crate::services::TenantMeans;
use crate::telemetry::Telemetry;

/// The questions for accounts, of all tenants and replicas, draw from a budget of their own: whose they are is not known.
const ACCOUNTS: &str = "account-details";
/// A question that failed in passing is asked again, this often and after this long, doubled each time: to take each token
/// for a user of its own would let five tenants of one user draw five budgets.
const TRIES_MAX: u32 = 6;
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(250);
/// A question that the rate limit refused is asked again, when its wait is over, this often.
const REFUSALS_MAX: u32 = 60;
/// An account that could not be read is asked for again after this long.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// The user behind the token in use.
pub(super) async fn user(
    budget: &ActorRef<RateBudgetMsg>,
    means: &TenantMeans,
    telemetry: &Telemetry,
) -> Result<UserKey, NoTurn> {
    if let Some(user) = means.client.known_user() {
        return Ok(user);
    }
    // One question a tenant at a time; the others find its answer.
    let mut not_before = means.account.lock().await;
    let (mut tries, mut refusals) = (0, 0);
    loop {
        if let Some(user) = means.client.known_user() {
            return Ok(user);
        }
        if not_before.is_some_and(|at| at > Instant::now()) {
            return Ok(means.client.token_fingerprint());
        }
        let lease = acquire_as(budget, means, ACCOUNTS.into()).await?;
        let token = means.client.active_token();
        let kind = match means.client.account_user().await {
            Ok(user) => {
                drop(lease);
                // The question was this user's request: it takes a slot of its budget for the second that counts.
                drop(acquire_as(budget, means, Arc::clone(&user)).await?);
                return Ok(user);
            }
            Err(error) => error.kind(),
        };
        match kind {
            FailureKind::RateLimited(wait) => {
                lease.refused(wait);
                // The user's budget is in use: that its own question is refused says nothing of whose the token is.
                if refusals < REFUSALS_MAX {
                    refusals += 1;
                    continue;
                }
            }
            FailureKind::TokenRefused | FailureKind::Unauthorized => {
                telemetry.upstream.token_refused(&means.id, token);
            }
            FailureKind::Upstream(500..) | FailureKind::Timeout | FailureKind::Connection
                if tries < TRIES_MAX =>
            {
                drop(lease);
                tokio::time::sleep(TRY_AGAIN_AFTER.saturating_mul(1 << tries)).await;
                tries += 1;
                continue;
            }
            _ => (),
        }
        if kind != FailureKind::TokenRefused {
            tracing::warn!(tenant = %means.id, "the user behind the token is unknown: its budget is not shared");
            *not_before = Some(Instant::now() + ASK_AGAIN_AFTER);
        }
    }
}
