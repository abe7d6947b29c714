//! The audit of sanitized states: which rules fired, on which paths, how often.
//!
//! Must never hold a value: pointers lead into the sanitized output. A tenant sees its own records only, by the policies.

use std::collections::BTreeMap;

use sqlx::types::Json;
use terrasift_schemas::detection::Category;
use terrasift_schemas::{RunId, TenantId, WorkspaceId};
use time::OffsetDateTime;

use crate::error::wrap;
use crate::{AuditFilter, AuditFinding, AuditRow, Store, StoreError, StoreErrorKind, stored};

#[derive(sqlx::FromRow)]
struct AuditColumns {
    audit_id: i64,
    workspace_id: String,
    at: OffsetDateTime,
    lineage: Vec<u8>,
    serial: i64,
    pipeline: i64,
    state_version: Option<String>,
    pii: i64,
    credential: i64,
    infrastructure: i64,
    truncated: i64,
    findings: Json<Vec<AuditFinding>>,
    run_id: Option<String>,
    trace: Option<String>,
}

impl Store {
    /// Audit records, newest first, without their pointers: those of one record can take megabytes. `before` is the id of
    /// the last record of the page before.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn audit(
        &self,
        tenant: &TenantId,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let filter = filter.clone();
        self.reading(tenant, move |tx| {
            Box::pin(async move {
                // The primary key is read downwards; what it does not know is looked at row by row.
                let rows: Vec<AuditColumns> = sqlx::query_as(
                    "SELECT audit_id, workspace_id, at, lineage, serial, pipeline, state_version, pii, credential,
                            infrastructure, truncated, run_id, trace,
                            coalesce((SELECT jsonb_agg(f - 'pointers' ORDER BY n)
                                      FROM jsonb_array_elements(findings) WITH ORDINALITY AS l (f, n)), '[]') AS findings
                     FROM sanitization_audit_log
                     WHERE tenant_id = $1 AND ($2::bigint IS NULL OR audit_id < $2)
                       AND ($3::text IS NULL OR workspace_id = $3)
                       AND ($4::text IS NULL OR CASE $4 WHEN 'pii' THEN pii WHEN 'credential' THEN credential
                                                        ELSE infrastructure END > 0)
                       AND ($5::timestamptz IS NULL OR at >= $5) AND ($6::timestamptz IS NULL OR at < $6)
                       AND ($7::text IS NULL OR EXISTS (SELECT FROM jsonb_array_elements(findings) AS f
                                                        WHERE f ->> 'rule' = $7))
                     ORDER BY audit_id DESC LIMIT $8",
                )
                .bind(tx.tenant)
                .bind(before)
                .bind(filter.workspace.as_ref().map(WorkspaceId::as_str))
                .bind(filter.category.map(Category::as_str))
                .bind(filter.since)
                .bind(filter.until)
                .bind(filter.rule)
                .bind(i64::from(limit))
                .fetch_all(tx.conn)
                .await
                .map_err(wrap("read the audit records"))?;
                rows.into_iter().map(audit).collect()
            })
        })
        .await
    }

    /// One audit record with its pointers; `None`: this tenant has none of that id.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn audit_record(&self, tenant: &TenantId, id: i64) -> Result<Option<AuditRow>, StoreError> {
        self.reading(tenant, move |tx| {
            Box::pin(async move {
                let row: Option<AuditColumns> = sqlx::query_as(
                    "SELECT audit_id, workspace_id, at, lineage, serial, pipeline, state_version, pii, credential,
                            infrastructure, truncated, run_id, trace, findings
                     FROM sanitization_audit_log WHERE tenant_id = $1 AND audit_id = $2",
                )
                .bind(tx.tenant)
                .bind(id)
                .fetch_optional(tx.conn)
                .await
                .map_err(wrap("read an audit record"))?;
                row.map(audit).transpose()
            })
        })
        .await
    }
}

fn audit(row: AuditColumns) -> Result<AuditRow, StoreError> {
    let columns = (Some(row.lineage), Some(row.serial), Some(row.pipeline), row.state_version);
    let version = stored::version(columns)?
        .ok_or_else(|| StoreError::new(StoreErrorKind::Corrupt, "an audit record has no version"))?;
    let counts: BTreeMap<Category, u64> = [
        (Category::Pii, row.pii),
        (Category::Credential, row.credential),
        (Category::Infrastructure, row.infrastructure),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(category, count)| (category, stored::count_out(count)))
    .collect();
    Ok(AuditRow {
        id: row.audit_id,
        workspace: stored::id(WorkspaceId::parse, &row.workspace_id)?,
        at: row.at,
        version,
        counts,
        truncated: stored::count_out(row.truncated),
        findings: row.findings.0,
        run: row.run_id.map(|text| stored::id(RunId::parse, &text)).transpose()?,
        trace: stored::trace(row.trace),
    })
}
