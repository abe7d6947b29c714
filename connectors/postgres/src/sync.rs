//! Hops 4 to 6: read tickets, what the catalog has of a workspace, how it stands.
//!
//! Must never change what the catalog shows: that is the commit's alone.

use std::collections::HashMap;

use terrasift_schemas::event::FailureReason;
use terrasift_schemas::{EntityRef, TenantId, WorkspaceId};
use time::OffsetDateTime;

use crate::error::wrap;
use crate::{KnownVersion, ReadTicket, Store, StoreError, StoreErrorKind, WorkspaceStatus, cached, stored};

type TicketColumns = (String, i64, i64, Option<Vec<u8>>, Option<i64>, Option<i64>, Option<String>, bool);
type ServedColumns = (String, String, Option<Vec<u8>>, Option<i64>, Option<i64>, Option<String>);
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
        let drawn = self.begin_reads(tenant, std::slice::from_ref(workspace)).await?;
        drawn.into_iter().next().ok_or_else(no_ticket)
    }

    /// Draws tickets for many workspaces of a tenant in one transaction, in the order of the input. A workspace that
    /// stands there twice is drawn once.
    ///
    /// # Errors
    /// `Invalid` when the tenant is not declared.
    pub async fn begin_reads(
        &self,
        tenant: &TenantId,
        workspaces: &[WorkspaceId],
    ) -> Result<Vec<ReadTicket>, StoreError> {
        let wanted: Vec<String> = workspaces.iter().map(|workspace| workspace.as_str().to_owned()).collect();
        let drawn: HashMap<String, ReadTicket> = self
            .in_tenant(tenant, move |mut tx| {
                Box::pin(async move {
                    let rows: Vec<TicketColumns> = sqlx::query_as(
                        // In the order in which commits lock them.
                        "INSERT INTO workspaces AS w (tenant_id, workspace_id, read_seq)
                         SELECT DISTINCT $1, n.id COLLATE \"C\", 1 FROM unnest($2::text[]) AS n (id) ORDER BY 2
                         ON CONFLICT (tenant_id, workspace_id) DO UPDATE SET read_seq = w.read_seq + 1
                         RETURNING workspace_id, read_seq, basis, lineage, serial, pipeline, state_version,
                                   missing_since IS NOT NULL",
                    )
                    .bind(tx.tenant)
                    .bind(wanted)
                    .fetch_all(&mut *tx.conn)
                    .await
                    .map_err(wrap("draw read tickets: is the tenant declared?"))?;
                    // The first ticket makes the row, which is shown as waiting.
                    if rows.iter().any(|row| row.1 == 1) {
                        cached::show_otherwise(&mut tx).await?;
                    }
                    rows.into_iter().map(ticket).collect()
                })
            })
            .await?;
        let of = |workspace: &WorkspaceId| drawn.get(workspace.as_str()).cloned().ok_or_else(no_ticket);
        workspaces.iter().map(of).collect()
    }

    /// The versions that the catalog shows of these workspaces of any tenants, without those of which an answer said that
    /// they are gone. What the catalog has not is left out.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn served_versions(
        &self,
        wanted: &[(TenantId, WorkspaceId)],
    ) -> Result<Vec<(TenantId, WorkspaceId, KnownVersion)>, StoreError> {
        let tenants: Vec<String> = wanted.iter().map(|(tenant, _)| tenant.as_str().to_owned()).collect();
        let workspaces: Vec<String> =
            wanted.iter().map(|(_, workspace)| workspace.as_str().to_owned()).collect();
        self.without_tenant(move |conn| {
            Box::pin(async move {
                let rows: Vec<ServedColumns> = sqlx::query_as(
                    "SELECT tenant_id, workspace_id, lineage, serial, pipeline, state_version
                     FROM served_versions($1, $2)",
                )
                .bind(tenants)
                .bind(workspaces)
                .fetch_all(conn)
                .await
                .map_err(wrap("read what is served"))?;
                rows.into_iter().filter_map(|row| served(row).transpose()).collect()
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
        let (tenant, workspace) = (tenant.clone(), workspace.clone());
        self.looking(move |conn| {
            let (tenant, workspace) = (tenant.clone(), workspace.clone());
            Box::pin(async move {
                let rows: Vec<(String, Vec<u8>)> =
                    sqlx::query_as("SELECT entity_ref, digest FROM known_digests($1, $2)")
                        .bind(tenant.as_str())
                        .bind(workspace.as_str())
                        .fetch_all(conn)
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
        self.in_tenant(tenant, move |mut tx| {
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
                .execute(&mut *tx.conn)
                .await
                .map_err(wrap("mark a tenant's workspaces stale"))?;
                if done.rows_affected() > 0 {
                    cached::show_otherwise(&mut tx).await?;
                }
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
        self.in_tenant(tenant, move |mut tx| {
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
                .execute(&mut *tx.conn)
                .await
                .map_err(wrap("mark a tenant's workspaces fresh"))?;
                if done.rows_affected() > 0 {
                    cached::show_otherwise(&mut tx).await?;
                }
                Ok(done.rows_affected())
            })
        })
        .await
    }

    /// How one workspace stands; `None`: this tenant has none of that id.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn workspace(
        &self,
        tenant: &TenantId,
        workspace: &WorkspaceId,
    ) -> Result<Option<WorkspaceStatus>, StoreError> {
        let workspace = workspace.clone();
        self.reading(tenant, move |tx| {
            Box::pin(async move {
                let row: Option<StatusColumns> = sqlx::query_as(
                    "SELECT workspace_id, lineage, serial, pipeline, state_version, synced_at, stale_reason,
                            resource_count, bytes_in
                     FROM workspaces WHERE tenant_id = $1 AND workspace_id = $2",
                )
                .bind(tx.tenant)
                .bind(workspace.as_str())
                .fetch_optional(tx.conn)
                .await
                .map_err(wrap("read a workspace"))?;
                row.map(status).transpose()
            })
        })
        .await
    }

    /// How all workspaces of a tenant stand, by id.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn workspaces(&self, tenant: &TenantId) -> Result<Vec<WorkspaceStatus>, StoreError> {
        self.reading(tenant, move |tx| {
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

fn no_ticket() -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, "a read ticket was drawn and not told")
}

fn ticket(columns: TicketColumns) -> Result<(String, ReadTicket), StoreError> {
    let (workspace, read_seq, basis, lineage, serial, pipeline, state_version, missing) = columns;
    let known = stored::version((lineage, serial, pipeline, state_version))?;
    Ok((workspace, ReadTicket { read_seq, basis, known, missing }))
}

fn served(columns: ServedColumns) -> Result<Option<(TenantId, WorkspaceId, KnownVersion)>, StoreError> {
    let (tenant, workspace, lineage, serial, pipeline, state_version) = columns;
    let Some(version) = stored::version((lineage, serial, pipeline, state_version))? else { return Ok(None) };
    let tenant = stored::id(TenantId::parse, &tenant)?;
    Ok(Some((tenant, stored::id(WorkspaceId::parse, &workspace)?, version)))
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
