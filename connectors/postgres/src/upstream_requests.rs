//! How many requests to the upstream a tenant was granted: what of its rate budget it uses.

use sqlx::FromRow;
use terrasift_schemas::TenantId;

use crate::error::wrap;
use crate::{Store, StoreError};

/// Hours that are remembered: as many days as `GET /v1/usage` looks back by itself, and one.
const REMEMBERED_HOURS: i32 = 31 * 24;

/// What a tenant used of its rate budget, by the database's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct UpstreamUse {
    /// Requests since this hour (UTC) began.
    pub this_hour: i64,
    /// Requests in the hour before.
    pub last_hour: i64,
    /// Requests in the fullest hour that is remembered.
    pub fullest_hour: i64,
}

impl Store {
    /// Counts requests that a tenant was granted lately, and forgets hours that are long past.
    ///
    /// # Errors
    /// `Invalid` when the tenant is not declared.
    pub async fn count_upstream_requests(&self, tenant: &TenantId, requests: u64) -> Result<(), StoreError> {
        let requests = i64::try_from(requests).unwrap_or(i64::MAX);
        self.in_tenant(tenant, move |tx| {
            Box::pin(async move {
                sqlx::query(
                    "WITH forgotten AS (
                         DELETE FROM upstream_requests WHERE tenant_id = $1 AND hour < now() - make_interval(hours => $3))
                     INSERT INTO upstream_requests AS u (tenant_id, hour, requests)
                     VALUES ($1, date_trunc('hour', now(), 'UTC'), $2)
                     ON CONFLICT (tenant_id, hour) DO UPDATE SET requests = u.requests + excluded.requests",
                )
                .bind(tx.tenant)
                .bind(requests)
                .bind(REMEMBERED_HOURS)
                .execute(tx.conn)
                .await
                .map_err(wrap("count requests to the upstream: is the tenant declared?"))?;
                Ok(())
            })
        })
        .await
    }

    /// What a tenant uses of its rate budget. Workers tell it some seconds late.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn upstream_use(&self, tenant: &TenantId) -> Result<UpstreamUse, StoreError> {
        self.reading(tenant, move |tx| {
            Box::pin(async move {
                sqlx::query_as(
                    "WITH now AS (SELECT date_trunc('hour', now(), 'UTC') AS hour)
                     SELECT coalesce(sum(u.requests) FILTER (WHERE u.hour = n.hour), 0)::bigint AS this_hour,
                            coalesce(sum(u.requests) FILTER (WHERE u.hour = n.hour - interval '1 hour'), 0)::bigint AS last_hour,
                            coalesce(max(u.requests), 0)::bigint AS fullest_hour
                     FROM upstream_requests AS u CROSS JOIN now AS n WHERE u.tenant_id = $1",
                )
                .bind(tx.tenant)
                .fetch_one(tx.conn)
                .await
                .map_err(wrap("read what of the rate budget is used"))
            })
        })
        .await
    }
}
