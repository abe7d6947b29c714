//! Hop 7: one transaction for one tenant and as many of its workspaces as are ready.
//!
//! Lock order: partition epochs (shared), workspaces by id, their dead letters, marks by workspace, tenant head last; then only entities
//! are written, and the head's lock makes their order of `change_seq` the order of visibility. Must never write a
//! workspace that the guard did not pass.

use std::collections::HashMap;

use terrasift_schemas::{TenantId, WorkspaceId};

use crate::effects::{self, Prepared};
use crate::error::wrap;
use crate::guard::{Offered, Shown, Verdict, judge};
use crate::tenant_tx::TenantTx;
use crate::{
    CommitOutcome, KnownVersion, Store, StoreError, StoreErrorKind, WorkspaceCommit, dead_letters, feed,
    ledger, stored,
};

type LockedColumns = (
    Option<Vec<i32>>,
    Option<Vec<i64>>,
    String,
    i64,
    i64,
    Option<Vec<u8>>,
    Option<i64>,
    Option<i64>,
    Option<String>,
    bool,
);

/// A commit with what the guard said, and the version shown before.
pub(crate) struct Judged {
    pub commit: WorkspaceCommit,
    pub verdict: Verdict,
    pub shown: Option<KnownVersion>,
    /// Whether dead letters of the workspace are not settled.
    pub letters: bool,
}

impl Store {
    /// Commits workspaces of one tenant in one transaction; outcomes in the order of the input. A fenced, stale or
    /// rebased workspace does not hinder its neighbours.
    ///
    /// Replaying a commit that was applied is `NoChange`, so an error of unknown outcome may be retried. Dropping the
    /// future does not stop the transaction.
    ///
    /// # Errors
    /// `Invalid` when a workspace stands twice in the batch, was never read ([`Store::begin_read`]), a body is not
    /// text, or the tenant is not declared; then nothing was written: commit one by one to find the culprit.
    /// `Conflict` and `Unavailable` may be retried.
    pub async fn commit(
        &self,
        tenant: &TenantId,
        commits: Vec<WorkspaceCommit>,
    ) -> Result<Vec<CommitOutcome>, StoreError> {
        if commits.is_empty() {
            return Ok(Vec::new());
        }
        check_batch(&commits)?;
        let outcomes = self.in_tenant(tenant, move |tx| Box::pin(commit_batch(tx, commits))).await?;
        let reached = outcomes.iter().filter_map(|outcome| match outcome {
            CommitOutcome::Applied { change_seq } => Some(*change_seq),
            _ => None,
        });
        if let Some(seq) = reached.max() {
            self.hints().raise(tenant, seq);
        }
        Ok(outcomes)
    }
}

fn check_batch(commits: &[WorkspaceCommit]) -> Result<(), StoreError> {
    let mut seen = std::collections::HashSet::new();
    for commit in commits {
        if !seen.insert(&commit.workspace) {
            let what = format!("workspace {} stands twice in one batch", commit.workspace);
            return Err(StoreError::new(StoreErrorKind::Invalid, what));
        }
        for entity in &commit.upserts {
            let entity = entity.get();
            if std::str::from_utf8(&entity.body).is_err() || entity.body.contains(&0) {
                let what = format!("the body of {} is not JSON text", entity.entity_ref);
                return Err(StoreError::new(StoreErrorKind::Invalid, what));
            }
        }
    }
    Ok(())
}

async fn commit_batch(
    mut tx: TenantTx<'_>,
    commits: Vec<WorkspaceCommit>,
) -> Result<Vec<CommitOutcome>, StoreError> {
    let judged = judge_batch(&mut tx, commits).await?;
    let verdicts: Vec<Verdict> = judged.iter().map(|j| j.verdict).collect();
    let synced = |j: &&Judged| matches!(j.verdict, Verdict::Apply | Verdict::NoChange | Verdict::Stale);
    let served: Vec<(WorkspaceId, i64)> = judged
        .iter()
        .filter(synced)
        .map(|j| (j.commit.workspace.clone(), j.commit.mark_generation))
        .collect();
    let unsettled: Vec<WorkspaceId> =
        judged.iter().filter(synced).filter(|j| j.letters).map(|j| j.commit.workspace.clone()).collect();
    let confirmed: Vec<Judged> =
        judged.into_iter().filter(|j| matches!(j.verdict, Verdict::Apply | Verdict::NoChange)).collect();
    let (mut change_seq, shown_otherwise) = (0, !confirmed.is_empty());
    if shown_otherwise {
        effects::write_confirmed(&mut tx, &confirmed).await?;
    }
    let applied: Vec<WorkspaceCommit> =
        confirmed.into_iter().filter(|j| j.verdict == Verdict::Apply).map(|j| j.commit).collect();
    if !unsettled.is_empty() {
        let unsettled: Vec<&str> = unsettled.iter().map(WorkspaceId::as_str).collect();
        dead_letters::close(&mut tx, &unsettled).await?;
    }
    if !served.is_empty() {
        ledger::clear(&mut tx, &served).await?;
    }
    if shown_otherwise {
        let prepared = Prepared::new(applied)?;
        change_seq = advance_head(&mut tx, prepared.changes()).await?;
        prepared.write(&mut tx, change_seq).await?;
    }
    Ok(verdicts.into_iter().map(|verdict| outcome(verdict, change_seq)).collect())
}

fn outcome(verdict: Verdict, change_seq: i64) -> CommitOutcome {
    match verdict {
        Verdict::Apply => CommitOutcome::Applied { change_seq },
        Verdict::NoChange => CommitOutcome::NoChange,
        Verdict::Stale => CommitOutcome::Stale,
        Verdict::Rebase => CommitOutcome::Rebase,
        Verdict::Fenced => CommitOutcome::Fenced,
    }
}

async fn judge_batch(
    tx: &mut TenantTx<'_>,
    commits: Vec<WorkspaceCommit>,
) -> Result<Vec<Judged>, StoreError> {
    let mut partitions: Vec<i32> = commits.iter().map(|c| c.partition).collect();
    partitions.sort_unstable();
    partitions.dedup();
    let (epochs, mut rows) = lock(tx, &partitions, &commits).await?;
    commits
        .into_iter()
        .map(|commit| {
            let (shown, letters) = rows.remove(commit.workspace.as_str()).ok_or_else(|| {
                let what = format!("workspace {} was never read: begin_read comes first", commit.workspace);
                StoreError::new(StoreErrorKind::Invalid, what)
            })?;
            let offered = Offered {
                version: &commit.version,
                read_seq: commit.read_seq,
                basis: commit.basis,
                epoch_holds: epochs.get(&commit.partition) == Some(&commit.epoch.0),
            };
            Ok(Judged { verdict: judge(&shown, &offered), shown: shown.version, letters, commit })
        })
        .collect()
}

/// Epochs by partition, and what is shown of each workspace, with whether it has unsettled letters.
type Locked = (HashMap<i32, i64>, HashMap<String, (Shown, bool)>);

/// Holds the epochs and locks the workspaces, in this order: rows are locked when all that is read was read.
async fn lock(
    tx: &mut TenantTx<'_>,
    partitions: &[i32],
    commits: &[WorkspaceCommit],
) -> Result<Locked, StoreError> {
    let wanted: Vec<&str> = commits.iter().map(|c| c.workspace.as_str()).collect();
    let rows: Vec<LockedColumns> = sqlx::query_as(
        "SELECT h.partitions, h.epochs, w.workspace_id, w.applied_read_seq, w.basis, w.lineage, w.serial, w.pipeline,
                w.state_version,
                EXISTS (SELECT FROM dead_letters AS l
                        WHERE l.tenant_id = $1 AND l.workspace_id = w.workspace_id AND l.settled_at IS NULL)
         FROM workspaces AS w, (SELECT array_agg(partition_held) AS partitions, array_agg(epoch_held) AS epochs
                                FROM hold_epochs($3)) AS h
         WHERE w.tenant_id = $1 AND w.workspace_id = ANY ($2) ORDER BY w.workspace_id FOR NO KEY UPDATE OF w",
    )
    .bind(tx.tenant)
    .bind(wanted)
    .bind(partitions)
    .fetch_all(&mut *tx.conn)
    .await
    .map_err(wrap("hold the partitions' epochs and lock the workspaces"))?;
    let mut held = HashMap::new();
    let mut locked = HashMap::with_capacity(rows.len());
    for columns in rows {
        let (
            partitions,
            epochs,
            workspace,
            applied_read_seq,
            basis,
            lineage,
            serial,
            pipeline,
            version,
            letters,
        ) = columns;
        held.extend(partitions.into_iter().flatten().zip(epochs.into_iter().flatten()));
        let version = stored::version((lineage, serial, pipeline, version))?;
        locked.insert(workspace, (Shown { version, applied_read_seq, basis }, letters));
    }
    Ok((held, locked))
}

/// Allocates `changes` positions and returns the last one; says that workspaces are shown otherwise. Holds the head from here to the
/// commit.
pub(crate) async fn advance_head(tx: &mut TenantTx<'_>, changes: i64) -> Result<i64, StoreError> {
    sqlx::query_scalar(
        "UPDATE tenant_heads SET seq = seq + $2, workspaces_seq = workspaces_seq + 1 WHERE tenant_id = $1 RETURNING seq",
    )
    .bind(tx.tenant)
    .bind(changes)
    .fetch_optional(&mut *tx.conn)
    .await
    .map_err(wrap("advance the feed's head"))?
    .ok_or_else(feed::undeclared)
}
