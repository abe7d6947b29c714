//! Rounds of reconciliation: who lists a tenant's workspaces upstream, and where an unfinished round goes on.
//!
//! All times are the database's: replicas need no common clock. Must never let two replicas list one tenant at once.

use std::time::Duration;

use terrasift_schemas::{OrganizationName, TenantId};

use crate::error::wrap;
use crate::{Store, StoreError, StoreErrorKind};

/// Where a round goes on: an organization and the number of its page, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundPosition {
    /// The organization.
    pub organization: OrganizationName,
    /// Its next page.
    pub page: u32,
}

/// A round that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    claim: i64,
    /// Where somebody stopped; `None`: it begins.
    pub resume: Option<RoundPosition>,
}

/// What came of asking for a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoundClaim {
    /// It is ours.
    Run(Round),
    /// Another replica has it, for this long unless it goes on.
    Held(Duration),
    /// The last one will do for this long.
    Done(Duration),
}

/// Claim, seconds of the lease, whether the round is unfinished, seconds since it began and until it is due.
type RoundRow = (i64, f64, bool, f64, f64, Option<String>, Option<i32>);

impl Store {
    /// Claims a tenant's round for `lease`: one that was left unfinished, or a new one, if the last one began more than
    /// `asked` ago (who asks wants one that began since) or ended more than `every` ago.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn claim_round(
        &self,
        tenant: &TenantId,
        asked: Option<Duration>,
        every: Duration,
        lease: Duration,
    ) -> Result<RoundClaim, StoreError> {
        let (every, lease) = (every.as_secs_f64(), lease.as_secs_f64());
        self.in_tenant(tenant, move |tx| {
            Box::pin(async move {
                sqlx::query("INSERT INTO reconciliations (tenant_id) VALUES ($1) ON CONFLICT DO NOTHING")
                    .bind(tx.tenant)
                    .execute(&mut *tx.conn)
                    .await
                    .map_err(wrap("begin a tenant's rounds"))?;
                let row: RoundRow = sqlx::query_as(
                    "SELECT claim, greatest(extract(epoch FROM lease_until - now()), 0)::float8, ended_at IS NULL,
                            least(extract(epoch FROM now() - began_at), 1e9)::float8,
                            coalesce(extract(epoch FROM ended_at - now()), 0)::float8 + $2, organization, page
                     FROM reconciliations WHERE tenant_id = $1 FOR UPDATE",
                )
                .bind(tx.tenant)
                .bind(every)
                .fetch_one(&mut *tx.conn)
                .await
                .map_err(wrap("read a tenant's round"))?;
                let (claim, held, unfinished, age, due_in, organization, page) = row;
                if held > 0.0 {
                    return Ok(RoundClaim::Held(Duration::from_secs_f64(held)));
                }
                let wanted = asked.is_some_and(|asked| age > asked.as_secs_f64());
                if !unfinished && !wanted && due_in > 0.0 {
                    return Ok(RoundClaim::Done(Duration::from_secs_f64(due_in)));
                }
                // Who wants a round that began since gets no older one's rest.
                let resume = position(organization, page).filter(|_| unfinished && !wanted);
                let begins = resume.is_none();
                sqlx::query(
                    "UPDATE reconciliations
                     SET claim = $2, lease_until = now() + make_interval(secs => $3), ended_at = NULL,
                         began_at = CASE WHEN $4 THEN now() ELSE began_at END,
                         organization = CASE WHEN $4 THEN NULL ELSE organization END,
                         page = CASE WHEN $4 THEN NULL ELSE page END
                     WHERE tenant_id = $1",
                )
                .bind(tx.tenant)
                .bind(claim + 1)
                .bind(lease)
                .bind(begins)
                .execute(tx.conn)
                .await
                .map_err(wrap("claim a tenant's round"))?;
                Ok(RoundClaim::Run(Round { claim: claim + 1, resume }))
            })
        })
        .await
    }

    /// The round goes on, at `next` where that is told; its lease begins anew.
    ///
    /// # Errors
    /// `Fenced` when another replica holds the round.
    pub async fn keep_round(
        &self,
        tenant: &TenantId,
        round: &Round,
        next: Option<&RoundPosition>,
        lease: Duration,
    ) -> Result<(), StoreError> {
        let (claim, lease) = (round.claim, lease.as_secs_f64());
        let organization = next.map(|next| next.organization.as_str().to_owned());
        let page = next.map(|next| i32::try_from(next.page)).transpose();
        let page =
            page.map_err(|_| StoreError::new(StoreErrorKind::Invalid, "a page beyond two billions"))?;
        self.in_tenant(tenant, move |tx| {
            Box::pin(async move {
                let held = sqlx::query(
                    "UPDATE reconciliations
                     SET organization = coalesce($3, organization), page = coalesce($4, page),
                         lease_until = now() + make_interval(secs => $5)
                     WHERE tenant_id = $1 AND claim = $2",
                )
                .bind(tx.tenant)
                .bind(claim)
                .bind(organization)
                .bind(page)
                .bind(lease)
                .execute(tx.conn)
                .await
                .map_err(wrap("note how far a round is"))?;
                held_by_us(held.rows_affected())
            })
        })
        .await
    }

    /// The round is through (`whole`), or is given back so that anybody may go on.
    ///
    /// # Errors
    /// `Fenced` when another replica holds the round.
    pub async fn end_round(&self, tenant: &TenantId, round: &Round, whole: bool) -> Result<(), StoreError> {
        let claim = round.claim;
        self.in_tenant(tenant, move |tx| {
            Box::pin(async move {
                let held = sqlx::query(
                    "UPDATE reconciliations
                     SET lease_until = 'epoch', ended_at = CASE WHEN $3 THEN now() ELSE ended_at END
                     WHERE tenant_id = $1 AND claim = $2",
                )
                .bind(tx.tenant)
                .bind(claim)
                .bind(whole)
                .execute(tx.conn)
                .await
                .map_err(wrap("end a round"))?;
                held_by_us(held.rows_affected())
            })
        })
        .await
    }
}

fn held_by_us(rows: u64) -> Result<(), StoreError> {
    match rows {
        1 => Ok(()),
        _ => Err(StoreError::new(StoreErrorKind::Fenced, "another replica goes on with the round")),
    }
}

fn position(organization: Option<String>, page: Option<i32>) -> Option<RoundPosition> {
    let organization = OrganizationName::parse(&organization?).ok()?;
    Some(RoundPosition { organization, page: u32::try_from(page?).ok()? })
}
