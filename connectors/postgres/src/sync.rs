//! Hops 4 to 6: read tickets, what the catalog has of a workspace, how it stands.
//!
//! Must never change what the catalog shows: that is the commit's alone.

use terrasift_schemas::event::FailureReason;
use terrasift_schemas::{EntityRef, TenantId, WorkspaceId};
use time::OffsetDateTime;

use crate::error::wrap;
use crate::{ReadTicket, Store, StoreError, WorkspaceStatus, stored};

type TicketColumns = (i64, i64, Option<Vec<u8>>, Option<i64>, Option<i64>, Option<String>, bool);
type StatusColumns = (
    String,
    Option<Vec<u8>>,
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<OffsetDateTime>,
    Option<String>,
    i64,
    i64,
);

impl Store {
    /// Draws a ticket from the workspace's row (made when new). Draw it *before* asking upstream for the current state:
    /// across lineages the later ticket wins.
    ///
    /// # Errors
    /// `Invalid` when the tenant is not declared.
    pub async fn begin_read(
        &self,
        tenant: &TenantId,
        workspace: &WorkspaceId,
    ) -> Result<ReadTicket, StoreError> {
        let workspace = workspace.clone();
        self.in_tenant(tenant, move |tx| {
            Box::pin(async move {
                let (read_seq, basis, lineage, serial, pipeline, state_version, missing): TicketColumns =
                    sqlx::query_as(
                        "INSERT INTO workspaces AS w (tenant_id, workspace_id, read_seq) VALUES ($1, $2, 1)
                     ON CONFLICT (tenant_id, workspace_id) DO UPDATE SET read_seq = w.read_seq + 1
                     RETURNING read_seq, basis, lineage, serial, pipeline, state_version,
                               missing_since IS NOT NULL",
                    )
                    .bind(tx.tenant)
                    .bind(workspace.as_str())
                    .fetch_one(tx.conn)
                    .await
                    .map_err(wrap("draw a read ticket: is the tenant declared?"))?;
                let known = stored::version((lineage, serial, pipeline, state_version))?;
                Ok(ReadTicket { read_seq, basis, known, missing })
            })
        })
        .await
    }

    /// The workspace's live entities and their digests, sorted by reference.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn known_digests(
        &self,
        tenant: &TenantId,
        workspace: &WorkspaceId,
    ) -> Result<Vec<(EntityRef, [u8; 32])>, StoreError> {
        let workspace = workspace.clone();
        self.in_tenant(tenant, move |tx| {
            Box::pin(async move {
                let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(
                    "SELECT entity_ref, digest FROM entities
                     WHERE tenant_id = $1 AND workspace_id = $2 AND deleted_at IS NULL ORDER BY entity_ref",
                )
                .bind(tx.tenant)
                .bind(workspace.as_str())
                .fetch_all(tx.conn)
                .await
                .map_err(wrap("read the known digests"))?;
                rows.into_iter()
                    .map(|(text, digest)| Ok((stored::entity_ref(&text)?, stored::bytes(digest)?)))
                    .collect()
            })
        })
        .await
    }

    /// Says that a tenant's upstream does not answer: the catalog keeps the last good entities of all its workspaces, marked
    /// stale. A workspace's next commit that is `Applied` or `NoChange` takes its mark back. How many were marked.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn mark_tenant_stale(
        &self,
        tenant: &TenantId,
        reason: FailureReason,
    ) -> Result<u64, StoreError> {
        self.in_tenant(tenant, move |tx| {
            Box::pin(async move {
                let done = sqlx::query(
                    // In the order in which commits lock them.
                    "WITH locked AS (SELECT workspace_id FROM workspaces
                                     WHERE tenant_id = $1 AND stale_reason IS NULL
                                     ORDER BY workspace_id FOR UPDATE)
                     UPDATE workspaces SET stale_reason = $2, stale_since = now() FROM locked
                     WHERE tenant_id = $1 AND workspaces.workspace_id = locked.workspace_id",
                )
                .bind(tx.tenant)
                .bind(reason.as_str())
                .execute(tx.conn)
                .await
                .map_err(wrap("mark a tenant's workspaces stale"))?;
                Ok(done.rows_affected())
            })
        })
        .await
    }

    /// Takes the marks of this reason back: the upstream answers again. How many.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn mark_tenant_fresh(
        &self,
        tenant: &TenantId,
        reason: FailureReason,
    ) -> Result<u64, StoreError> {
        self.in_tenant(tenant, move |tx| {
            Box::pin(async move {
                let done = sqlx::query(
                    "WITH locked AS (SELECT workspace_id FROM workspaces
                                     WHERE tenant_id = $1 AND stale_reason = $2
                                     ORDER BY workspace_id FOR UPDATE)
                     UPDATE workspaces SET stale_reason = NULL, stale_since = NULL FROM locked
                     WHERE tenant_id = $1 AND workspaces.workspace_id = locked.workspace_id",
                )
                .bind(tx.tenant)
                .bind(reason.as_str())
                .execute(tx.conn)
                .await
                .map_err(wrap("mark a tenant's workspaces fresh"))?;
                Ok(done.rows_affected())
            })
        })
        .await
    }

    /// How all workspaces of a tenant stand, by id.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn workspaces(&self, tenant: &TenantId) -> Result<Vec<WorkspaceStatus>, StoreError> {
        self.in_tenant(tenant, move |tx| {
            Box::pin(async move {
                let rows: Vec<StatusColumns> = sqlx::query_as(
                    "SELECT workspace_id, lineage, serial, pipeline, state_version, synced_at, stale_reason,
                            resource_count, bytes_in
                     FROM workspaces WHERE tenant_id = $1 ORDER BY workspace_id",
                )
                .bind(tx.tenant)
                .fetch_all(tx.conn)
                .await
                .map_err(wrap("list the workspaces"))?;
                rows.into_iter().map(status).collect()
            })
        })
        .await
    }
}

fn status(columns: StatusColumns) -> Result<WorkspaceStatus, StoreError> {
    let (workspace, lineage, serial, pipeline, state_version, synced_at, stale, resource_count, bytes_in) =
        columns;
    Ok(WorkspaceStatus {
        workspace: stored::id(WorkspaceId::parse, &workspace)?,
        version: stored::version((lineage, serial, pipeline, state_version))?,
        synced_at,
        stale,
        resource_count,
        bytes_in,
    })
}
