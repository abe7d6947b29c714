//! Takes a tenant out of what is kept of its users' budgets: when it last sent, whose turn it is, that it waits.
//!
//! Such keys end by themselves a day after their user's last request; a user whom other tenants share may never come to that. Must never
//! touch a key that is not a budget's.

use std::time::Duration;

use redis::{AsyncConnectionConfig, Client};
use terrasift_schemas::TenantId;

use crate::link::BadAddress;

/// Nobody waits for a turn here: a scan may take a while.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(10);
/// Keys that the server looks at in one step.
const SCANNED: usize = 1_000;

/// A tenant could not be forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotForgotten {
    /// The address cannot be used.
    #[error(transparent)]
    Address(#[from] BadAddress),
    /// Redis does not answer, or not in a way that can be used.
    #[error("redis does not answer: try again when it does")]
    NoAnswer,
}

/// Forgets a tenant: how many entries were removed.
///
/// # Errors
/// [`NotForgotten`]; what was removed until then stays so.
pub async fn forget_tenant(address: &str, prefix: &str, tenant: &TenantId) -> Result<u64, NotForgotten> {
    let lost = |_| NotForgotten::NoAnswer;
    let client = Client::open(address).map_err(|_| BadAddress)?;
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(ANSWER_WAIT_MAX))
        .set_response_timeout(Some(ANSWER_WAIT_MAX));
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await.map_err(lost)?;
    let begins = format!("{prefix}:budget:{{");
    let (mut cursor, mut forgotten) = (0_u64, 0);
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg("*:budget:{*}:*").arg("COUNT").arg(SCANNED);
        let (next, keys): (u64, Vec<String>) = scan.query_async(&mut connection).await.map_err(lost)?;
        for key in keys.iter().filter(|key| key.starts_with(&begins)) {
            let mut forget = redis::Cmd::new();
            if key.ends_with("}:tenants") {
                forget.arg("HDEL").arg(key).arg(format!("arrival:{tenant}")).arg(format!("tag:{tenant}"));
            } else if key.ends_with("}:waiting") {
                forget.arg("ZREM").arg(key).arg(tenant.as_str());
            } else {
                continue;
            }
            let gone: u64 = forget.query_async(&mut connection).await.map_err(lost)?;
            forgotten += gone;
        }
        cursor = next;
        if cursor == 0 {
            return Ok(forgotten);
        }
    }
}
