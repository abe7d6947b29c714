//! Hop 2: durable dirty marks, and who owns a partition.
//!
//! Must never let a stale owner write, clear a mark whose generation it did not serve, or store a mark of a tenant that
//! is not declared.

use std::collections::HashSet;

use terrasift_schemas::event::Priority;
use terrasift_schemas::{TenantId, WorkspaceId};
use time::OffsetDateTime;

use crate::error::wrap;
use crate::tenant_tx::TenantTx;
use crate::{Cleared, Epoch, Mark, Marked, NewMark, Store, StoreError, StoreErrorKind, dead_letters, stored};

/// CloudEvents ids are for people who search; longer ones are cut.
const EVENT_ID_BYTES_MAX: usize = 256;

const MARK_COLUMNS_FROM: &str = "SELECT tenant_id, workspace_id, partition, generation, since, priority, not_before, \
                                 attempts, trace FROM ";

type MarkColumns =
    (String, String, i32, i64, OffsetDateTime, i16, Option<OffsetDateTime>, i64, Option<String>);

impl Store {
    /// Takes a partition of `terraform-state-updated`: bumps its epoch, after waiting for effects under the old one.
    ///
    /// # Errors
    /// `Conflict` when an old owner's transaction holds the epoch too long.
    pub async fn claim_partition(&self, partition: i32) -> Result<Epoch, StoreError> {
        self.without_tenant(move |conn| {
            Box::pin(async move {
                sqlx::query_scalar("SELECT claim_partition($1)")
                    .bind(partition)
                    .fetch_one(conn)
                    .await
                    .map(Epoch)
                    .map_err(wrap("claim a partition"))
            })
        })
        .await
    }

    /// The epochs of partitions, as they are now.
    ///
    /// # Errors
    /// `Conflict` when somebody takes one of them for too long.
    pub async fn partition_epochs(&self, partitions: Vec<i32>) -> Result<Vec<(i32, Epoch)>, StoreError> {
        self.without_tenant(move |conn| {
            Box::pin(async move {
                let rows: Vec<(i32, i64)> =
                    sqlx::query_as("SELECT partition_held, epoch_held FROM hold_epochs($1)")
                        .bind(partitions)
                        .fetch_all(conn)
                        .await
                        .map_err(wrap("read the epochs of partitions"))?;
                Ok(rows.into_iter().map(|(partition, epoch)| (partition, Epoch(epoch))).collect())
            })
        })
        .await
    }

    /// Stores a batch of events as marks, in one statement. What is dirty already coalesces: oldest `since`, greatest
    /// priority, a new generation, due at once, failures forgiven.
    ///
    /// # Errors
    /// `Fenced` when the epoch is gone: nothing was stored.
    pub async fn mark_dirty(
        &self,
        partition: i32,
        epoch: Epoch,
        marks: &[NewMark],
    ) -> Result<Marked, StoreError> {
        let text = |f: &dyn Fn(&NewMark) -> String| marks.iter().map(f).collect::<Vec<String>>();
        let tenants = text(&|m| m.tenant.as_str().to_owned());
        let workspaces = text(&|m| m.workspace.as_str().to_owned());
        let event_ids = text(&|m| stored::text_in(&m.event_id, EVENT_ID_BYTES_MAX));
        let traces: Vec<Option<String>> = marks.iter().map(|m| m.trace.map(|t| t.to_string())).collect();
        let sinces: Vec<OffsetDateTime> = marks.iter().map(|m| m.since).collect();
        let priorities: Vec<i16> = marks.iter().map(|m| m.priority.rank()).collect();
        let mut stored_marks = self
            .without_tenant(move |conn| {
                Box::pin(async move {
                    let rows: Vec<MarkColumns> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
                        "{MARK_COLUMNS_FROM} mark_dirty($1, $2, $3, $4, $5, $6, $7, $8)"
                    )))
                    .bind(partition)
                    .bind(epoch.0)
                    .bind(tenants)
                    .bind(workspaces)
                    .bind(sinces)
                    .bind(priorities)
                    .bind(traces)
                    .bind(event_ids)
                    .fetch_all(conn)
                    .await
                    .map_err(wrap("store dirty marks"))?;
                    rows.into_iter().map(mark).collect::<Result<Vec<Mark>, StoreError>>()
                })
            })
            .await?;
        stored_marks.sort_by(|a, b| (&a.tenant, &a.workspace).cmp(&(&b.tenant, &b.workspace)));
        let known: HashSet<&TenantId> = stored_marks.iter().map(|m| &m.tenant).collect();
        let unknown_tenants = marks
            .iter()
            .enumerate()
            .filter(|(_, m)| !known.contains(&m.tenant))
            .map(|(index, _)| index)
            .collect();
        Ok(Marked { marks: stored_marks, unknown_tenants })
    }

    /// A page of a partition's marks, by tenant and workspace; go on with the last one's ids.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn load_marks(
        &self,
        partition: i32,
        after: Option<(TenantId, WorkspaceId)>,
        limit: u32,
    ) -> Result<Vec<Mark>, StoreError> {
        self.without_tenant(move |conn| {
            Box::pin(async move {
                let (tenant, workspace) = match &after {
                    Some((tenant, workspace)) => (tenant.as_str(), workspace.as_str()),
                    None => ("", ""),
                };
                let rows: Vec<MarkColumns> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
                    "{MARK_COLUMNS_FROM} load_marks($1, $2, $3, $4)"
                )))
                .bind(partition)
                .bind(tenant)
                .bind(workspace)
                .bind(i64::from(limit))
                .fetch_all(conn)
                .await
                .map_err(wrap("load dirty marks"))?;
                rows.into_iter().map(mark).collect()
            })
        })
        .await
    }

    /// Puts a mark off after a failure: one more attempt, not before `not_before`. False, and nothing written, when a
    /// newer event came or the mark is gone.
    ///
    /// # Errors
    /// `Fenced` when the epoch is gone.
    pub async fn defer_mark(
        &self,
        mark: &Mark,
        epoch: Epoch,
        not_before: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let served = mark.clone();
        self.in_tenant(&mark.tenant, move |mut tx| {
            Box::pin(async move {
                hold_epoch(&mut tx, served.partition, epoch).await?;
                let done = sqlx::query(
                    "UPDATE dirty_marks SET attempts = attempts + 1, not_before = $4
                     WHERE tenant_id = $1 AND workspace_id = $2 AND generation = $3",
                )
                .bind(tx.tenant)
                .bind(served.workspace.as_str())
                .bind(served.generation)
                .bind(not_before)
                .execute(&mut *tx.conn)
                .await
                .map_err(wrap("defer a dirty mark"))?;
                Ok(done.rows_affected() == 1)
            })
        })
        .await
    }

    /// Clears a mark whose sync had nothing to do, and closes the workspace's dead letters. False, and the mark kept, when a
    /// newer event came or the mark is gone.
    ///
    /// # Errors
    /// `Fenced` when the epoch is gone: nothing written.
    pub async fn clear_mark(&self, mark: &Mark, epoch: Epoch) -> Result<bool, StoreError> {
        let cleared = self.clear_marks(&mark.tenant, vec![(mark.clone(), epoch)]).await?;
        match cleared.first() {
            Some(Cleared::Fenced) => Err(fenced()),
            Some(Cleared::Gone) => Ok(true),
            Some(Cleared::Newer) | None => Ok(false),
        }
    }

    /// Clears marks of one tenant's workspaces whose syncs had nothing to do, in one transaction, and closes those workspaces'
    /// dead letters; what became of each, in the order of the input. A fenced one does not hinder its neighbours.
    ///
    /// # Errors
    /// `Unavailable` and `Conflict` may be retried: what is cleared stays so.
    pub async fn clear_marks(
        &self,
        tenant: &TenantId,
        marks: Vec<(Mark, Epoch)>,
    ) -> Result<Vec<Cleared>, StoreError> {
        self.in_tenant(tenant, move |mut tx| {
            Box::pin(async move {
                let mut partitions: Vec<i32> = marks.iter().map(|(mark, _)| mark.partition).collect();
                partitions.sort_unstable();
                partitions.dedup();
                let held: HashSet<(i32, i64)> =
                    hold_epochs(&mut tx, &partitions).await?.into_iter().collect();
                let ours = |mark: &Mark, epoch: Epoch| held.contains(&(mark.partition, epoch.0));
                let served: Vec<(WorkspaceId, i64)> = marks
                    .iter()
                    .filter(|(mark, epoch)| ours(mark, *epoch))
                    .map(|(mark, _)| (mark.workspace.clone(), mark.generation))
                    .collect();
                let mut gone = HashSet::new();
                if !served.is_empty() {
                    let synced: Vec<&str> = served.iter().map(|(workspace, _)| workspace.as_str()).collect();
                    dead_letters::close(&mut tx, &synced).await?;
                    gone = clear(&mut tx, &served).await?;
                }
                let became = |(mark, epoch): &(Mark, Epoch)| match ours(mark, *epoch) {
                    false => Cleared::Fenced,
                    true if gone.contains(&(mark.workspace.as_str().to_owned(), mark.generation)) => {
                        Cleared::Gone
                    }
                    true => Cleared::Newer,
                };
                Ok(marks.iter().map(became).collect())
            })
        })
        .await
    }
}

/// Holds partitions' epochs shared until the end of the transaction: `(partition, epoch)`.
pub(crate) async fn hold_epochs(
    tx: &mut TenantTx<'_>,
    partitions: &[i32],
) -> Result<Vec<(i32, i64)>, StoreError> {
    sqlx::query_as("SELECT partition_held, epoch_held FROM hold_epochs($1)")
        .bind(partitions)
        .fetch_all(&mut *tx.conn)
        .await
        .map_err(wrap("hold the partitions' epochs"))
}

/// Holds one partition's epoch, or is `Fenced`.
pub(crate) async fn hold_epoch(
    tx: &mut TenantTx<'_>,
    partition: i32,
    epoch: Epoch,
) -> Result<(), StoreError> {
    if hold_epochs(tx, &[partition]).await?.contains(&(partition, epoch.0)) {
        return Ok(());
    }
    Err(fenced())
}

fn fenced() -> StoreError {
    StoreError::new(StoreErrorKind::Fenced, "the partition has a new owner: stop working on it")
}

/// Clears marks whose generation is the one that was served, and tells which. Keys are locked in order, as `mark_dirty` does.
pub(crate) async fn clear(
    tx: &mut TenantTx<'_>,
    served: &[(WorkspaceId, i64)],
) -> Result<HashSet<(String, i64)>, StoreError> {
    let workspaces: Vec<&str> = served.iter().map(|(workspace, _)| workspace.as_str()).collect();
    let generations: Vec<i64> = served.iter().map(|(_, generation)| *generation).collect();
    let gone: Vec<(String, i64)> = sqlx::query_as(
        "WITH gone AS (
             SELECT m.workspace_id FROM dirty_marks AS m
             JOIN unnest($2::text[], $3::bigint[]) AS s (workspace_id, generation)
               ON m.workspace_id = s.workspace_id AND m.generation = s.generation
             WHERE m.tenant_id = $1 ORDER BY m.workspace_id FOR UPDATE OF m
         )
         DELETE FROM dirty_marks AS m USING gone WHERE m.tenant_id = $1 AND m.workspace_id = gone.workspace_id
         RETURNING m.workspace_id, m.generation",
    )
    .bind(tx.tenant)
    .bind(workspaces)
    .bind(generations)
    .fetch_all(&mut *tx.conn)
    .await
    .map_err(wrap("clear dirty marks"))?;
    Ok(gone.into_iter().collect())
}

fn mark(columns: MarkColumns) -> Result<Mark, StoreError> {
    let (tenant, workspace, partition, generation, since, priority, not_before, attempts, trace) = columns;
    Ok(Mark {
        tenant: stored::id(TenantId::parse, &tenant)?,
        workspace: stored::id(WorkspaceId::parse, &workspace)?,
        partition,
        generation,
        since,
        priority: Priority::from_rank(priority),
        not_before,
        attempts: stored::attempts_out(attempts),
        trace: stored::trace(trace),
    })
}
