//! Leak detection: what row-level security should make impossible is looked for all the same, over all tenants, by the auditor.
//!
//! Must never read more than ids, references and counts, nor write anything.

use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::error::wrap;
use crate::{StoreError, StoreErrorKind};

/// A look over a million entities takes seconds; what takes minutes hangs.
const SESSION: [(&str, &str); 3] =
    [("statement_timeout", "120s"), ("lock_timeout", "10s"), ("default_transaction_read_only", "on")];

/// Kinds of leaks, and the query for each: whose rows (or which table, role, policy), and how many.
const LOOKS: [(&str, &str); 6] = [
    (
        "foreign_reference",
        "SELECT e.tenant_id, count(*) FROM entities e
         JOIN tenants t ON t.slug = split_part(split_part(e.entity_ref, ':', 2), '/', 1)
         WHERE t.tenant_id <> e.tenant_id AND e.deleted_at IS NULL GROUP BY 1",
    ),
    (
        "foreign_workspace",
        "SELECT r.tenant_id, count(*) FROM (
             SELECT DISTINCT tenant_id, workspace_id FROM entities WHERE deleted_at IS NULL
             UNION SELECT tenant_id, workspace_id FROM runs
             UNION SELECT tenant_id, workspace_id FROM sanitization_audit_log
         ) AS r
         WHERE NOT EXISTS (SELECT FROM workspaces w WHERE w.tenant_id = r.tenant_id AND w.workspace_id = r.workspace_id)
           AND EXISTS (SELECT FROM workspaces w WHERE w.workspace_id = r.workspace_id)
         GROUP BY 1",
    ),
    (
        "shared_workspace",
        "SELECT w.tenant_id, count(*) FROM workspaces w WHERE w.serial IS NOT NULL AND w.workspace_id IN (
             SELECT o.workspace_id FROM workspaces o WHERE o.serial IS NOT NULL
             GROUP BY 1 HAVING count(DISTINCT o.tenant_id) > 1)
         GROUP BY 1",
    ),
    (
        "unguarded_table",
        "SELECT c.relname::text, 1::bigint FROM pg_class c
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
           AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
           AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')",
    ),
    (
        "open_policy",
        "SELECT p.tablename::text, count(*) FROM pg_policies p
         WHERE p.schemaname = 'public' AND p.roles <> '{terrasift_ledger}'
           AND NOT (p.roles = '{terrasift_app}' AND p.qual = '(tenant_id = app_tenant())' AND p.with_check = p.qual)
           AND NOT (p.roles = '{terrasift_owner}' AND p.with_check = 'false' AND regexp_replace(p.qual, '\\s+', ' ', 'g')
                        = '(tenant_id IN ( SELECT e.tenant_id FROM erased_tenants e WHERE (e.ended_at IS NULL)))')
         GROUP BY 1",
    ),
    (
        "mighty_role",
        "SELECT r.rolname::text, 1::bigint FROM pg_roles r
         WHERE r.rolname = 'terrasift_app' AND (r.rolsuper OR r.rolbypassrls)",
    ),
];

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// One of [`Auditor::KINDS`].
    pub kind: &'static str,
    /// Tenant, table or role.
    pub subject: String,
    /// Rows.
    pub rows: i64,
}

/// Who looks: the role `terrasift_auditor`, which sees ids of all tenants and serves nothing. No Debug: its address holds a password.
pub struct Auditor {
    options: PgConnectOptions,
}

impl Auditor {
    /// What a leak can be: `foreign_reference` (an entity in another tenant's namespace), `foreign_workspace` (rows about another
    /// tenant's workspace), `shared_workspace` (one workspace shown to two tenants), `unguarded_table` (no forced row-level
    /// security), `open_policy` (another one than the one that is known), `mighty_role` (the application stands above the policies).
    pub const KINDS: [&'static str; 6] =
        [LOOKS[0].0, LOOKS[1].0, LOOKS[2].0, LOOKS[3].0, LOOKS[4].0, LOOKS[5].0];

    /// Takes the address of the auditor. Does not connect.
    ///
    /// # Errors
    /// `Invalid` when it is no address.
    pub fn new(url: &str) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| {
                StoreError::new(
                    StoreErrorKind::Invalid,
                    "the auditor's address is not postgres://user:password@host:port/database",
                )
            })?
            .application_name("terrasift-auditor")
            .options(SESSION)
            .disable_statement_logging();
        Ok(Self { options })
    }

    /// Looks at everything once, on a connection of its own, in one snapshot: a commit in between is no leak.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer, `Refused` when the role may not look.
    pub async fn look(&self) -> Result<Vec<Leak>, StoreError> {
        let mut connection = self.connection().await?;
        sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ")
            .execute(&mut connection)
            .await
            .map_err(wrap("begin to look for leaks"))?;
        let mut leaks = Vec::new();
        for (kind, query) in LOOKS {
            let found: Vec<(String, i64)> =
                sqlx::query_as(query).fetch_all(&mut connection).await.map_err(wrap("look for leaks"))?;
            leaks.extend(found.into_iter().map(|(subject, rows)| Leak { kind, subject, rows }));
        }
        // What was found is told, whether or not the goodbye arrives.
        let _ = connection.close().await;
        Ok(leaks)
    }

    /// A connection of its own.
    pub(crate) async fn connection(&self) -> Result<PgConnection, StoreError> {
        self.options.connect().await.map_err(wrap("connect as the auditor"))
    }
}
