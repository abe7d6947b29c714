//! What a commit writes, in batches by arrays: a handful of statements however many workspaces and entities.
//!
//! Must never write outside the transaction it is given, and entities only under the tenant head's lock. No COPY:
//! row-level security refuses it.

use std::collections::BTreeMap;

use sqlx::types::Json;
use terrasift_schemas::detection::{Action, Category, Report};
use terrasift_schemas::{RunId, WorkspaceId};

use crate::commit::Judged;
use crate::error::wrap;
use crate::guard::Verdict;
use crate::tenant_tx::TenantTx;
use crate::{AuditFinding, StoreError, StoreErrorKind, WorkspaceCommit, stored};

/// Rows and bytes of one statement: bounds what the driver and the server hold of it.
const CHUNK_ROWS: usize = 2_000;
const CHUNK_BYTES: usize = 8 << 20;

/// Confirms the workspaces: what is applied gets its new version, its run and its audit record, what did not change its time and its
/// read. One statement, because each is a round trip that an event waits for; the workspaces' rows are locked already.
pub(crate) async fn write_confirmed(tx: &mut TenantTx<'_>, confirmed: &[Judged]) -> Result<(), StoreError> {
    sqlx::query(
        "WITH s AS MATERIALIZED (
             SELECT * FROM unnest($2::text[], $3::boolean[], $4::bigint[], $5::bytea[], $6::bigint[], $7::bigint[], $8::text[],
                                  $9::bigint[], $10::bigint[], $11::text[], $12::bigint[], $13::bigint[], $14::bigint[],
                                  $15::bigint[], $16::jsonb[], $17::text[])
                  AS s (workspace_id, applied, read_seq, lineage, serial, pipeline, state_version, resources, bytes_in,
                        run_id, pii, credential, infrastructure, truncated, findings, trace)
         ), shown AS (
             UPDATE workspaces AS w SET
                 applied_read_seq = greatest(w.applied_read_seq, s.read_seq),
                 basis = w.basis + s.applied::integer,
                 lineage = s.lineage, serial = s.serial, pipeline = s.pipeline, state_version = s.state_version,
                 resource_count = CASE WHEN s.applied THEN s.resources ELSE w.resource_count END,
                 bytes_in = CASE WHEN s.applied THEN s.bytes_in ELSE w.bytes_in END,
                 synced_at = now(), stale_reason = NULL, stale_since = NULL, missing_since = NULL
             FROM s WHERE w.tenant_id = $1 AND w.workspace_id = s.workspace_id
         ), noted AS (
             INSERT INTO runs (tenant_id, run_id, workspace_id, serial, state_version)
             SELECT DISTINCT ON (s.run_id) $1, s.run_id, s.workspace_id, s.serial, s.state_version
             FROM s WHERE s.applied AND s.run_id IS NOT NULL ORDER BY s.run_id
             ON CONFLICT (tenant_id, run_id) DO UPDATE SET workspace_id = excluded.workspace_id,
                 serial = excluded.serial, state_version = excluded.state_version, synced_at = now()
         )
         INSERT INTO sanitization_audit_log (tenant_id, workspace_id, lineage, serial, pipeline, state_version, pii,
                                             credential, infrastructure, truncated, findings, run_id, trace, bytes_in)
         SELECT $1, s.workspace_id, s.lineage, s.serial, s.pipeline, s.state_version, s.pii, s.credential, s.infrastructure,
                s.truncated, s.findings, s.run_id, s.trace, s.bytes_in
         FROM s WHERE s.applied",
    )
    .bind(tx.tenant)
    .bind(column(confirmed, |j| j.commit.workspace.as_str()))
    .bind(column(confirmed, |j| j.verdict == Verdict::Apply))
    .bind(column(confirmed, |j| j.commit.read_seq))
    .bind(column(confirmed, |j| j.commit.version.lineage.as_slice()))
    .bind(column(confirmed, |j| j.commit.version.serial))
    .bind(column(confirmed, |j| j.commit.version.pipeline.0))
    .bind(column(confirmed, state_version))
    .bind(column(confirmed, |j| j.commit.resource_count))
    .bind(column(confirmed, |j| j.commit.bytes_in))
    .bind(column(confirmed, |j| j.commit.run.as_ref().map(RunId::as_str)))
    .bind(column(confirmed, |j| found_in(j, Category::Pii)))
    .bind(column(confirmed, |j| found_in(j, Category::Credential)))
    .bind(column(confirmed, |j| found_in(j, Category::Infrastructure)))
    .bind(column(confirmed, |j| stored::count_in(j.commit.report.truncated)))
    .bind(column(confirmed, |j| Json(findings(&j.commit.report))))
    .bind(column(confirmed, |j| j.commit.trace.map(|t| t.to_string())))
    .execute(&mut *tx.conn)
    .await
    .map_err(wrap("write the workspaces with their runs and audit records"))?;
    Ok(())
}

fn column<'j, T>(confirmed: &'j [Judged], of: impl FnMut(&'j Judged) -> T) -> Vec<T> {
    confirmed.iter().map(of).collect()
}

fn found_in(judged: &Judged, category: Category) -> i64 {
    stored::count_in(judged.commit.report.counts.get(&category).copied().unwrap_or(0))
}

/// The state version to show: a reader that does not know it does not unlearn it.
fn state_version(judged: &Judged) -> Option<&str> {
    let known = judged.shown.as_ref().filter(|_| judged.verdict == Verdict::NoChange);
    let offered = judged.commit.version.state_version.as_ref();
    offered.or_else(|| known.and_then(|v| v.state_version.as_ref())).map(|id| id.as_str())
}

fn findings(report: &Report) -> Vec<AuditFinding> {
    let mut by_rule: BTreeMap<(&str, Category, Action), Vec<String>> = BTreeMap::new();
    for found in &report.detections {
        // jsonb refuses NUL, and a key of a state may hold one.
        let pointer = found.pointer.replace('\0', "\u{fffd}");
        by_rule.entry((&found.rule, found.category, found.action)).or_default().push(pointer);
    }
    by_rule
        .into_iter()
        .map(|((rule, category, action), pointers)| AuditFinding {
            rule: rule.replace('\0', "\u{fffd}"),
            category,
            action,
            count: u64::try_from(pointers.len()).unwrap_or(u64::MAX),
            pointers,
        })
        .collect()
}

/// The entity changes of a batch, ready to be written before the tenant's head is locked.
pub(crate) struct Prepared {
    removals: Vec<(WorkspaceId, String)>,
    upserts: Vec<Upsert>,
}

struct Upsert {
    workspace: WorkspaceId,
    entity_ref: String,
    kind: String,
    resource_type: Option<String>,
    body: String,
    digest: [u8; 32],
}

impl Prepared {
    pub(crate) fn new(applied: Vec<WorkspaceCommit>) -> Result<Self, StoreError> {
        let mut removals = Vec::new();
        // By reference: a statement cannot touch a row twice. Of two claims the later one stands.
        let mut upserts: BTreeMap<String, Upsert> = BTreeMap::new();
        for commit in applied {
            removals.extend(commit.removals.into_iter().map(|r| (commit.workspace.clone(), String::from(r))));
            for entity in commit.upserts {
                let entity = entity.into_inner();
                let body = String::from_utf8(entity.body).map_err(|_| {
                    StoreError::new(StoreErrorKind::Invalid, "the body of an entity is not text")
                })?;
                let entity_ref = String::from(entity.entity_ref);
                let upsert = Upsert {
                    workspace: commit.workspace.clone(),
                    entity_ref: entity_ref.clone(),
                    kind: entity.kind,
                    resource_type: entity.resource_type,
                    body,
                    digest: entity.digest,
                };
                upserts.insert(entity_ref, upsert);
            }
        }
        Ok(Self { removals, upserts: upserts.into_values().collect() })
    }

    /// Positions that the batch needs: at most one a change; those of changes that turn out to be none stay unused.
    pub(crate) fn changes(&self) -> i64 {
        i64::try_from(self.removals.len() + self.upserts.len()).unwrap_or(i64::MAX)
    }

    /// Writes the changes; `last` is the last of their positions. Removals first: another workspace of the batch may
    /// take over what one gives up.
    pub(crate) async fn write(self, tx: &mut TenantTx<'_>, last: i64) -> Result<(), StoreError> {
        let mut before = last - self.changes();
        if !self.removals.is_empty() {
            write_removals(tx, &self.removals, before).await?;
            before += i64::try_from(self.removals.len()).unwrap_or(i64::MAX);
        }
        let mut chunk: Vec<Upsert> = Vec::new();
        let mut bytes = 0;
        for upsert in self.upserts {
            bytes += upsert.body.len();
            chunk.push(upsert);
            if chunk.len() >= CHUNK_ROWS || bytes >= CHUNK_BYTES {
                before = write_upserts(tx, std::mem::take(&mut chunk), before).await?;
                bytes = 0;
            }
        }
        if !chunk.is_empty() {
            write_upserts(tx, chunk, before).await?;
        }
        Ok(())
    }
}

/// A workspace removes only what is its own: what another one has taken over stays.
async fn write_removals(
    tx: &mut TenantTx<'_>,
    removals: &[(WorkspaceId, String)],
    before: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE entities AS e SET body = NULL, deleted_at = now(), change_seq = $2 + s.ord
         FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS s (workspace_id, entity_ref, ord)
         WHERE e.tenant_id = $1 AND e.entity_ref = s.entity_ref AND e.workspace_id = s.workspace_id
           AND e.deleted_at IS NULL",
    )
    .bind(tx.tenant)
    .bind(before)
    .bind(removals.iter().map(|(workspace, _)| workspace.as_str()).collect::<Vec<_>>())
    .bind(removals.iter().map(|(_, entity_ref)| entity_ref.as_str()).collect::<Vec<_>>())
    .execute(&mut *tx.conn)
    .await
    .map_err(wrap("write the tombstones"))?;
    Ok(())
}

/// Returns the position of the chunk's last row. Rows whose digest is there already are left alone.
async fn write_upserts(tx: &mut TenantTx<'_>, chunk: Vec<Upsert>, before: i64) -> Result<i64, StoreError> {
    let rows = i64::try_from(chunk.len()).unwrap_or(i64::MAX);
    let names: Vec<(&str, &str)> = chunk.iter().map(|u| namespace_and_name(&u.entity_ref)).collect();
    sqlx::query(
        "INSERT INTO entities AS e (tenant_id, workspace_id, entity_ref, kind, namespace, name, resource_type, body,
                                    digest, change_seq)
         SELECT $1, s.workspace_id, s.entity_ref, s.kind, s.namespace, s.name, s.resource_type, s.body, s.digest,
                $2 + s.ord
         FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bytea[])
              WITH ORDINALITY
              AS s (workspace_id, entity_ref, kind, namespace, name, resource_type, body, digest, ord)
         ON CONFLICT (tenant_id, entity_ref) DO UPDATE SET
             workspace_id = excluded.workspace_id, kind = excluded.kind, resource_type = excluded.resource_type,
             body = excluded.body, digest = excluded.digest, change_seq = excluded.change_seq, deleted_at = NULL
         WHERE e.deleted_at IS NOT NULL OR e.digest <> excluded.digest OR e.workspace_id <> excluded.workspace_id",
    )
    .bind(tx.tenant)
    .bind(before)
    .bind(chunk.iter().map(|u| u.workspace.as_str()).collect::<Vec<_>>())
    .bind(chunk.iter().map(|u| u.entity_ref.as_str()).collect::<Vec<_>>())
    .bind(chunk.iter().map(|u| u.kind.as_str()).collect::<Vec<_>>())
    .bind(names.iter().map(|(namespace, _)| *namespace).collect::<Vec<_>>())
    .bind(names.iter().map(|(_, name)| *name).collect::<Vec<_>>())
    .bind(chunk.iter().map(|u| u.resource_type.as_deref()).collect::<Vec<_>>())
    .bind(chunk.iter().map(|u| u.body.as_str()).collect::<Vec<_>>())
    .bind(chunk.iter().map(|u| u.digest.as_slice()).collect::<Vec<_>>())
    .execute(&mut *tx.conn)
    .await
    .map_err(wrap("write the entities"))?;
    Ok(before + rows)
}

/// An [`EntityRef`](terrasift_schemas::EntityRef) is `kind:namespace/name` by construction.
fn namespace_and_name(entity_ref: &str) -> (&str, &str) {
    let rest = entity_ref.split_once(':').map_or("", |(_, rest)| rest);
    rest.split_once('/').unwrap_or((rest, ""))
}
