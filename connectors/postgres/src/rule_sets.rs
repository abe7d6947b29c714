//! Numbers of rule sets: digests have no order, and writes of one state need one.
//!
//! Must never give two rule sets of a tenant one number, or an older replica's file a newer one than it had.

use terrasift_schemas::TenantId;

use crate::error::wrap;
use crate::tenant_tx::TenantTx;
use crate::{Store, StoreError, StoreErrorKind, stored};

/// Greatest number: a million of them make one pipeline version.
const NUMBER_MAX: i64 = 999_999;

impl Store {
    /// The number of a tenant's rule set, greater than that of all sets before it. The set that came last keeps its number;
    /// one from before gets a new one, unless its file says that it is older than the last (a replica that has not seen the
    /// newer file yet): then its writes stay behind.
    ///
    /// # Errors
    /// `Invalid` when the tenant is not declared or has used up its numbers.
    pub async fn activate_rules(
        &self,
        tenant: &TenantId,
        digest: [u8; 32],
        file_version: u32,
    ) -> Result<u32, StoreError> {
        let file_version = i32::try_from(file_version).unwrap_or(i32::MAX);
        self.in_tenant(tenant, move |mut tx| {
            Box::pin(async move {
                // Two replicas that see a new file at once: one counts, the other finds it.
                sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('rule sets of ' || $1, 0))")
                    .bind(tx.tenant)
                    .execute(&mut *tx.conn)
                    .await
                    .map_err(wrap("lock the rule sets"))?;
                let last: Option<(i32, Vec<u8>, i32)> = sqlx::query_as(
                    "SELECT number, digest, file_version FROM rule_sets WHERE tenant_id = $1
                     ORDER BY number DESC LIMIT 1",
                )
                .bind(tx.tenant)
                .fetch_optional(&mut *tx.conn)
                .await
                .map_err(wrap("read the rule sets"))?;
                let mut floor = 0;
                if let Some((number, last_digest, last_version)) = last {
                    if stored::bytes::<32>(last_digest)? == digest {
                        return number_out(number);
                    }
                    let (before,): (Option<i32>,) = sqlx::query_as(
                        "SELECT max(number) FROM rule_sets WHERE tenant_id = $1 AND digest = $2",
                    )
                    .bind(tx.tenant)
                    .bind(digest.as_slice())
                    .fetch_one(&mut *tx.conn)
                    .await
                    .map_err(wrap("read the rule sets"))?;
                    if let Some(before) = before.filter(|_| file_version < last_version) {
                        return number_out(before);
                    }
                    floor = i64::from(number);
                }
                let number = floor.max(written(&mut tx).await?) + 1;
                if number > NUMBER_MAX {
                    let what =
                        "the tenant has used up its numbers of rule sets: raise the extractor's version";
                    return Err(StoreError::new(StoreErrorKind::Invalid, what));
                }
                let number = i32::try_from(number).unwrap_or(i32::MAX);
                sqlx::query(
                    "INSERT INTO rule_sets (tenant_id, number, digest, file_version) VALUES ($1, $2, $3, $4)",
                )
                .bind(tx.tenant)
                .bind(number)
                .bind(digest.as_slice())
                .bind(file_version)
                .execute(&mut *tx.conn)
                .await
                .map_err(wrap("store a rule set"))?;
                number_out(number)
            })
        })
        .await
    }
}

/// States written before rule sets had numbers carry their file's version in the number's place.
async fn written(tx: &mut TenantTx<'_>) -> Result<i64, StoreError> {
    sqlx::query_scalar("SELECT coalesce(max(pipeline % 1000000), 0) FROM workspaces WHERE tenant_id = $1")
        .bind(tx.tenant)
        .fetch_one(&mut *tx.conn)
        .await
        .map_err(wrap("read the pipelines"))
}

fn number_out(number: i32) -> Result<u32, StoreError> {
    u32::try_from(number)
        .map_err(|_| StoreError::new(StoreErrorKind::Corrupt, "a rule set's number is negative"))
}
