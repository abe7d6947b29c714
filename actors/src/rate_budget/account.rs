//! Whose budget a tenant's token draws from: the user behind it, asked once a token and remembered in the database.
//!
//! Must never guess that two tokens are one user's: what is not told is a user of its own, and the server's 429 closes
//! the gate for the rest.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ractor::ActorRef;
use terrasift_redis::{UNKNOWN_USER, UserKey};
use terrasift_terraform_cloud::FailureKind;

use super::{NoTurn, RateBudgetMsg, acquire_as};
use crate::services::{Services, TenantMeans};

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
    services: &Services,
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
        if let Some(user) = remembered(means, services).await {
            return Ok(user);
        }
        let lease = acquire_as(budget, means, UNKNOWN_USER.into()).await?;
        // The turn can take long, and another replica may have asked meanwhile.
        if let Some(user) = remembered(means, services).await {
            return Ok(user);
        }
        let (token, fingerprint) = (means.client.active_token(), means.client.token_fingerprint());
        let kind = match means.client.account_user().await {
            Ok(user) => {
                drop(lease);
                if means.client.active_token() == token {
                    remember(means, services, &fingerprint, &user).await;
                }
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
                services.telemetry.upstream.token_refused(&means.id, token);
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

/// Whose the token in use is, if anybody has found it out.
async fn remembered(means: &TenantMeans, services: &Services) -> Option<UserKey> {
    let fingerprint = means.client.token_fingerprint();
    // Without an answer there is still the question.
    let user: UserKey = services.store.token_user(&means.id, &fingerprint).await.ok().flatten()?.into();
    means.client.learn_user(&fingerprint, Arc::clone(&user));
    Some(user)
}

async fn remember(means: &TenantMeans, services: &Services, fingerprint: &str, user: &str) {
    // A token that may not ask stands for itself; it may be allowed to one day.
    if user != fingerprint
        && let Err(error) = services.store.remember_token_user(&means.id, fingerprint, user).await
    {
        tracing::debug!(tenant = %means.id, %error, "whose the token is will be asked again at the next start");
    }
}
