//! Everything that the database holds of a tenant, in one consistent snapshot, page by page.
//!
//! Reads as the application's role under the tenant's own policies, so that nothing of another tenant can come along. Must never hand
//! out what opens something or helps to guess it: each column that is handed out stands here, a new one is not by itself.

use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};
use terrasift_schemas::{TenantId, TenantSlug};
use time::OffsetDateTime;

use crate::error::wrap;
use crate::{StoreError, StoreErrorKind, stored};

/// Whoever takes the rows may make a page wait, but not for ever: the snapshot holds vacuum up.
const SESSION: [(&str, &str); 4] = [
    ("statement_timeout", "60s"),
    ("lock_timeout", "10s"),
    ("idle_in_transaction_session_timeout", "600s"),
    ("timezone", "UTC"),
];

/// Rows of one page; the largest are entities, of some kilobytes.
const PAGE: usize = 500;

/// Tables in the order in which they come: what is handed out of each, and the key that orders its rows.
const EXPORTED: [(&str, &str, &str); 16] = [
    ("tenants", "tenant_id, slug, created_at", "tenant_id"),
    ("tenant_states", "tenant_id, state, changed_at", "tenant_id"),
    ("tenant_heads", "tenant_id, feed_epoch, seq, workspaces_seq", "tenant_id"),
    (
        "workspaces",
        "tenant_id, workspace_id, read_seq, applied_read_seq, basis, lineage, serial, pipeline, state_version, resource_count, \
         bytes_in, synced_at, stale_reason, stale_since, missing_since",
        "tenant_id, workspace_id",
    ),
    (
        "entities",
        "tenant_id, entity_ref, workspace_id, kind, namespace, name, resource_type, body, digest, change_seq, deleted_at",
        "tenant_id, entity_ref",
    ),
    ("runs", "tenant_id, run_id, workspace_id, serial, state_version, synced_at", "tenant_id, run_id"),
    (
        "sanitization_audit_log",
        "tenant_id, audit_id, workspace_id, at, lineage, serial, pipeline, state_version, pii, credential, \
         infrastructure, truncated, findings, run_id, trace, bytes_in",
        "tenant_id, audit_id",
    ),
    (
        "security_audit_log",
        "tenant_id, at, segment, number, actor, action, resource, outcome, code, trace, client, previous, hash",
        "tenant_id, at, segment, number",
    ),
    (
        "dirty_marks",
        "tenant_id, workspace_id, partition, generation, since, priority, not_before, attempts, trace, event_id, marked_at",
        "tenant_id, workspace_id",
    ),
    (
        "dead_letters",
        "tenant_id, letter_id, dedupe, workspace_id, reason, detail, attempts, topic, partition, record_offset, trace, \
         parked_at, last_at, occurrences, settled_at, state, settled_by, retried_at, retried_by, retries, announce_due, retry_due, \
         outbox_attempts, outbox_after",
        "tenant_id, letter_id",
    ),
    (
        "api_keys",
        "tenant_id, key_id, name, scopes, expires_at, disabled_at, created_at, replaces, last_used_at",
        "tenant_id, key_id",
    ),
    ("webhook_deliveries", "tenant_id, at", "tenant_id, digest"),
    ("rule_sets", "tenant_id, number, digest, file_version, activated_at", "tenant_id, number"),
    ("reconciliations", "tenant_id, claim, lease_until, began_at, ended_at, organization, page", "tenant_id"),
    ("token_users", "tenant_id, user_id", "tenant_id, fingerprint"),
    ("upstream_requests", "tenant_id, hour, requests", "tenant_id, hour"),
];

/// Columns that are never handed out: digests of what is secret.
const LEFT_OUT: [(&str, &str); 4] = [
    ("api_keys", "digest"),
    ("api_keys", "request"),
    ("webhook_deliveries", "digest"),
    ("token_users", "fingerprint"),
];

/// What an export begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportHead {
    /// Its name in addresses.
    pub slug: TenantSlug,
    /// When the snapshot was taken.
    pub at: OffsetDateTime,
    /// The newest migration of the schema.
    pub schema: i64,
    /// Rows that will come.
    pub rows: u64,
}

/// A page of one table's rows.
pub struct ExportPage {
    /// The table.
    pub table: &'static str,
    /// Each a JSON object by its columns.
    pub rows: Vec<String>,
}

/// An export that was begun: a snapshot, and how far it came.
pub struct TenantExport {
    conn: PgConnection,
    tenant: TenantId,
    head: ExportHead,
    at: usize,
    open: bool,
}

impl TenantExport {
    /// Takes a snapshot, as the application's role.
    ///
    /// # Errors
    /// `Invalid` when the tenant is not declared, or is being erased.
    pub async fn begin(app_url: &str, tenant: &TenantId) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(app_url)
            .map_err(wrap("read the database address: expected postgres://user:password@host:port/database"))?
            .application_name("terrasift tenant export")
            .options(SESSION)
            .disable_statement_logging();
        let mut conn =
            options.connect().await.map_err(wrap("connect to the database as the application role"))?;
        let failed = wrap("begin to export a tenant");
        // Ids hold no quotes.
        let opening =
            format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT enter_tenant('{tenant}')");
        sqlx::raw_sql(AssertSqlSafe(opening)).execute(&mut conn).await.map_err(&failed)?;
        let standing: Option<(String, OffsetDateTime, bool)> = sqlx::query_as(
            "SELECT t.slug, now(), EXISTS (SELECT FROM erased_tenants AS e WHERE e.tenant_id = t.tenant_id)
             FROM tenants AS t",
        )
        .fetch_optional(&mut conn)
        .await
        .map_err(&failed)?;
        let (slug, at) = match standing {
            None => {
                return Err(StoreError::new(StoreErrorKind::Invalid, "no tenant of this id is declared"));
            }
            Some((_, _, true)) => {
                let what = "the tenant is being erased: what is left of it is no whole any more";
                return Err(StoreError::new(StoreErrorKind::Invalid, what));
            }
            Some((slug, at, false)) => (stored::id(TenantSlug::parse, &slug)?, at),
        };
        let counts = EXPORTED.map(|(table, ..)| format!("(SELECT count(*) FROM {table})")).join(" + ");
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT {counts}")))
            .fetch_one(&mut conn)
            .await
            .map_err(wrap("count a tenant's rows"))?;
        let head =
            ExportHead { slug, at, schema: crate::store::newest_migration(), rows: stored::count_out(rows) };
        Ok(Self { conn, tenant: tenant.clone(), head, at: 0, open: false })
    }

    /// What it begins with.
    #[must_use]
    pub fn head(&self) -> &ExportHead {
        &self.head
    }

    /// Tables that come, also those that are empty.
    pub fn tables() -> impl Iterator<Item = &'static str> {
        EXPORTED.iter().map(|(table, ..)| *table)
    }

    /// Columns that are left out, as `table.column`.
    pub fn left_out() -> impl Iterator<Item = String> {
        LEFT_OUT.iter().map(|(table, column)| format!("{table}.{column}"))
    }

    /// The next page; none when all was handed out.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer: the snapshot is lost, begin anew.
    pub async fn next(&mut self) -> Result<Option<ExportPage>, StoreError> {
        let failed = wrap("export a tenant's rows");
        while let Some((table, columns, key)) = EXPORTED.get(self.at) {
            if !self.open {
                let declare = declare(&self.tenant, table, columns, key);
                sqlx::raw_sql(AssertSqlSafe(declare)).execute(&mut self.conn).await.map_err(&failed)?;
                self.open = true;
            }
            let fetch = format!("FETCH {PAGE} FROM exported");
            let rows: Vec<String> =
                sqlx::query_scalar(AssertSqlSafe(fetch)).fetch_all(&mut self.conn).await.map_err(&failed)?;
            if rows.len() < PAGE {
                sqlx::raw_sql("CLOSE exported").execute(&mut self.conn).await.map_err(&failed)?;
                self.open = false;
                self.at += 1;
            }
            if !rows.is_empty() {
                return Ok(Some(ExportPage { table, rows }));
            }
        }
        Ok(None)
    }
}

/// The cursor over one table; that it names the tenant prunes partitions. An entity's body is JSON already, and stays the text that its
/// digest was taken of. Ids hold no quotes.
fn declare(tenant: &TenantId, table: &str, columns: &str, key: &str) -> String {
    let shown = columns.replace(", body,", ", body::json AS body,");
    format!(
        "DECLARE exported NO SCROLL CURSOR FOR
         SELECT row_to_json(r)::text FROM (SELECT {shown} FROM {table} WHERE tenant_id = '{tenant}' ORDER BY {key}) AS r"
    )
}
