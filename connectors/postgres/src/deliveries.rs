//! Which webhook deliveries were seen. Must never see a delivery itself, only its digest.

use terrasift_schemas::TenantId;

use crate::error::wrap;
use crate::{Store, StoreError};

impl Store {
    /// Whether a webhook delivery of this digest was recorded for the tenant.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn delivery_seen(&self, tenant: &TenantId, digest: [u8; 32]) -> Result<bool, StoreError> {
        self.reading(tenant, move |tx| {
            Box::pin(async move {
                sqlx::query_scalar(
                    "SELECT EXISTS (SELECT FROM webhook_deliveries WHERE tenant_id = $1 AND digest = $2)",
                )
                .bind(tx.tenant)
                .bind(digest.as_slice())
                .fetch_one(tx.conn)
                .await
                .map_err(wrap("look a delivery up"))
            })
        })
        .await
    }

    /// Records a webhook delivery, after it is safe in Kafka. False when it was recorded before.
    ///
    /// # Errors
    /// `Invalid` when the tenant is not declared.
    pub async fn record_delivery(&self, tenant: &TenantId, digest: [u8; 32]) -> Result<bool, StoreError> {
        self.in_tenant(tenant, move |tx| {
            Box::pin(async move {
                let done = sqlx::query(
                    "INSERT INTO webhook_deliveries (tenant_id, digest) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                )
                .bind(tx.tenant)
                .bind(digest.as_slice())
                .execute(tx.conn)
                .await
                .map_err(wrap("record a delivery: is the tenant declared?"))?;
                Ok(done.rows_affected() == 1)
            })
        })
        .await
    }
}
