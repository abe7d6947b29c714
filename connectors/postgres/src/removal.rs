//! A workspace that upstream says it does not have: suspected once, removed when that is confirmed later.
//!
//! Must never remove on one answer, under an old epoch, or what another workspace has taken over.

use std::time::Duration;

use terrasift_schemas::TenantId;

use crate::error::wrap;
use crate::tenant_tx::TenantTx;
use crate::{Epoch, Mark, RemovalOutcome, Store, StoreError, StoreErrorKind, commit, ledger};

impl Store {
    /// Upstream answered that the mark's workspace does not exist (or is not to be seen), to a read that drew `read_seq`.
    /// The first such answer only notes the time; one that comes at least `apart` later removes the workspace's entities
    /// and forgets its version, so that it can come back. Any commit in between takes the note back. The mark is cleared
    /// with either, and kept when the catalog never had the workspace.
    ///
    /// # Errors
    /// `Fenced` when the epoch is gone: nothing was written.
    pub async fn missing(
        &self,
        mark: &Mark,
        epoch: Epoch,
        read_seq: i64,
        apart: Duration,
    ) -> Result<RemovalOutcome, StoreError> {
        let served = mark.clone();
        let tenant: &TenantId = &mark.tenant;
        let outcome = self
            .in_tenant(tenant, move |mut tx| {
                Box::pin(async move {
                    ledger::hold_epoch(&mut tx, served.partition, epoch).await?;
                    let outcome = judge(&mut tx, &served, read_seq, apart).await?;
                    if outcome != RemovalOutcome::Unknown {
                        ledger::clear(&mut tx, &[(served.workspace, served.generation)]).await?;
                    }
                    Ok(outcome)
                })
            })
            .await?;
        if let RemovalOutcome::Removed { change_seq, .. } = outcome {
            self.hints().raise(tenant, change_seq);
        }
        Ok(outcome)
    }

    /// Upstream showed the workspace again: what was suspected is forgotten. [`Store::commit`] does so by itself.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn found(&self, mark: &Mark) -> Result<(), StoreError> {
        let workspace = mark.workspace.clone();
        self.in_tenant(&mark.tenant, move |tx| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE workspaces SET missing_since = NULL
                     WHERE tenant_id = $1 AND workspace_id = $2 AND missing_since IS NOT NULL",
                )
                .bind(tx.tenant)
                .bind(workspace.as_str())
                .execute(tx.conn)
                .await
                .map_err(wrap("forget that a workspace was missing"))?;
                Ok(())
            })
        })
        .await
    }
}

async fn judge(
    tx: &mut TenantTx<'_>,
    mark: &Mark,
    read_seq: i64,
    apart: Duration,
) -> Result<RemovalOutcome, StoreError> {
    let apart_seconds = apart.as_secs_f64();
    // Whether a version is shown, whether the suspicion is old enough, whether a later read was applied already.
    let row: Option<(bool, Option<bool>, bool)> = sqlx::query_as(
        "SELECT lineage IS NOT NULL, missing_since <= now() - make_interval(secs => $3), applied_read_seq > $4
         FROM workspaces WHERE tenant_id = $1 AND workspace_id = $2 FOR NO KEY UPDATE",
    )
    .bind(tx.tenant)
    .bind(mark.workspace.as_str())
    .bind(apart_seconds)
    .bind(read_seq)
    .fetch_optional(&mut *tx.conn)
    .await
    .map_err(wrap("lock a missing workspace"))?;
    match row {
        None | Some((false, None, _)) => Ok(RemovalOutcome::Unknown),
        // Somebody asked later, and was shown it.
        Some((_, _, true)) | Some((false, Some(_), _)) => Ok(RemovalOutcome::Settled),
        Some((true, Some(true), false)) => remove(tx, mark, read_seq).await,
        Some((true, _, false)) => {
            suspect(tx, mark).await?;
            Ok(RemovalOutcome::Suspected)
        }
    }
}

async fn suspect(tx: &mut TenantTx<'_>, mark: &Mark) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE workspaces SET missing_since = now()
         WHERE tenant_id = $1 AND workspace_id = $2 AND missing_since IS NULL",
    )
    .bind(tx.tenant)
    .bind(mark.workspace.as_str())
    .execute(&mut *tx.conn)
    .await
    .map_err(wrap("note that a workspace is missing"))?;
    Ok(())
}

async fn remove(tx: &mut TenantTx<'_>, mark: &Mark, read_seq: i64) -> Result<RemovalOutcome, StoreError> {
    sqlx::query(
        "UPDATE workspaces SET lineage = NULL, serial = NULL, pipeline = NULL, state_version = NULL,
             basis = basis + 1, applied_read_seq = $3, resource_count = 0, bytes_in = 0,
             stale_reason = NULL, stale_since = NULL
         WHERE tenant_id = $1 AND workspace_id = $2",
    )
    .bind(tx.tenant)
    .bind(mark.workspace.as_str())
    .bind(read_seq)
    .execute(&mut *tx.conn)
    .await
    .map_err(wrap("forget a workspace's version"))?;
    let live: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM entities WHERE tenant_id = $1 AND workspace_id = $2 AND deleted_at IS NULL",
    )
    .bind(tx.tenant)
    .bind(mark.workspace.as_str())
    .fetch_one(&mut *tx.conn)
    .await
    .map_err(wrap("count a workspace's entities"))?;
    let last: i64 = commit::advance_head(tx, live).await?;
    // Under the head's lock nobody else writes this tenant's entities, so that the count still holds.
    let removed = sqlx::query(
        "UPDATE entities AS e SET body = NULL, deleted_at = now(), change_seq = $3 - $4 + s.ord
         FROM (SELECT entity_ref, row_number() OVER (ORDER BY entity_ref) AS ord FROM entities
               WHERE tenant_id = $1 AND workspace_id = $2 AND deleted_at IS NULL) AS s
         WHERE e.tenant_id = $1 AND e.entity_ref = s.entity_ref AND e.workspace_id = $2 AND e.deleted_at IS NULL",
    )
    .bind(tx.tenant)
    .bind(mark.workspace.as_str())
    .bind(last)
    .bind(live)
    .execute(&mut *tx.conn)
    .await
    .map_err(wrap("write the tombstones of a workspace"))?
    .rows_affected();
    if i64::try_from(removed) != Ok(live) {
        // Another workspace's commit took one over between the count and the lock: count again.
        return Err(StoreError::new(
            StoreErrorKind::Conflict,
            "a missing workspace's entities changed meanwhile",
        ));
    }
    Ok(RemovalOutcome::Removed { change_seq: last, entities: removed })
}
