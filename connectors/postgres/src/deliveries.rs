//! Which webhook deliveries were seen, and how many of late. Must never see a delivery itself, only its digest.

use std::time::Duration;

use terrasift_schemas::TenantId;

use crate::error::wrap;
use crate::{Store, StoreError};

/// Deliveries are remembered for so many days: Terraform Cloud gives up within hours, and a replay of an event that was taken
/// is harmless anyway.
const REMEMBERED_DAYS: i32 = 30;

/// Old deliveries that a new one takes away, at most: more than one, so that what piled up goes, too.
const FORGOTTEN_AT_ONCE: i32 = 8;

/// How a webhook delivery stands among those of its tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryStanding {
    /// Whether it was recorded before.
    pub seen: bool,
    /// Deliveries of late, at most as many as were asked for.
    pub recent: u32,
    /// How long ago the oldest of those was.
    pub oldest_age: Duration,
}

impl Store {
    /// Whether a webhook delivery was recorded, and how many of its tenant were, of whatever replica, within `window` until now.
    /// Counts to `at_most` only.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn delivery_standing(
        &self,
        tenant: &TenantId,
        digest: [u8; 32],
        window: Duration,
        at_most: u32,
    ) -> Result<DeliveryStanding, StoreError> {
        self.reading(tenant, move |tx| {
            Box::pin(async move {
                let (seen, recent, oldest_age_s): (bool, i64, Option<f64>) = sqlx::query_as(
                    "SELECT EXISTS (SELECT FROM webhook_deliveries WHERE tenant_id = $1 AND digest = $2),
                         count(*), extract(epoch FROM now() - min(at))::float8
                     FROM (SELECT at FROM webhook_deliveries
                           WHERE tenant_id = $1 AND at > now() - make_interval(secs => $3)
                           ORDER BY at DESC LIMIT $4) AS recent",
                )
                .bind(tx.tenant)
                .bind(digest.as_slice())
                .bind(window.as_secs_f64())
                .bind(i64::from(at_most))
                .fetch_one(tx.conn)
                .await
                .map_err(wrap("look a delivery up"))?;
                Ok(DeliveryStanding {
                    seen,
                    recent: u32::try_from(recent).unwrap_or(u32::MAX),
                    oldest_age: Duration::try_from_secs_f64(oldest_age_s.unwrap_or(0.0)).unwrap_or_default(),
                })
            })
        })
        .await
    }

    /// Records a webhook delivery, after it is safe in Kafka, and forgets old ones of the same tenant. False when it was
    /// recorded before.
    ///
    /// # Errors
    /// `Invalid` when the tenant is not declared.
    pub async fn record_delivery(&self, tenant: &TenantId, digest: [u8; 32]) -> Result<bool, StoreError> {
        self.in_tenant(tenant, move |tx| {
            Box::pin(async move {
                let done = sqlx::query(
                    "WITH old AS (
                         SELECT digest FROM webhook_deliveries
                         WHERE tenant_id = $1 AND at < now() - make_interval(days => $3)
                         ORDER BY at LIMIT $4),
                     forgotten AS (
                         DELETE FROM webhook_deliveries
                         WHERE tenant_id = $1 AND digest IN (SELECT digest FROM old) AND digest <> $2)
                     INSERT INTO webhook_deliveries (tenant_id, digest) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                )
                .bind(tx.tenant)
                .bind(digest.as_slice())
                .bind(REMEMBERED_DAYS)
                .bind(FORGOTTEN_AT_ONCE)
                .execute(tx.conn)
                .await
                .map_err(wrap("record a delivery: is the tenant declared?"))?;
                Ok(done.rows_affected() == 1)
            })
        })
        .await
    }
}
