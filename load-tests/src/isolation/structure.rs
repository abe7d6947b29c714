//! What Postgres' catalogs must say about the schema: what no attempt of the application could show, or not yet.
//!
//! Each check is a query for what is wrong, by name. Must never be satisfied by a schema without tables.

use anyhow::{Context, Result};
use sqlx::PgConnection;

use super::furnish::WITHOUT_TENANT;

/// SECURITY DEFINER functions: what acts before a tenant is known.
const DEFINERS: &[&str] = &[
    "append_security_audit",
    "append_security_checkpoint",
    "catalog_version",
    "claim_outbox",
    "claim_partition",
    "declare_tenants",
    "feed_heads",
    "find_api_key",
    "hold_epochs",
    "load_marks",
    "mark_dirty",
    "note_key_uses",
    "served_versions",
    "suspended_tenants",
];

/// Unique keys that are one's in all tenants: a key's digest is looked up before its tenant is known, and slugs are what
/// tenants are told apart by.
const UNIQUE_OVER_TENANTS: &[&str] = &["api_keys_digest_key", "tenants_slug_key"];

/// What the auditor must not read: bodies, digests of secrets, texts of failures and of people.
const NOT_THE_AUDITORS: &[(&str, &str)] = &[
    ("entities", "body"),
    ("api_keys", "digest"),
    ("webhook_deliveries", "digest"),
    ("dead_letters", "detail"),
    ("dead_letters", "retried_by"),
    ("dead_letters", "settled_by"),
];

/// Name of a check, and the query for what is wrong. `$1`: tables without a tenant, `$2`: SECURITY DEFINER functions, `$3`:
/// unique keys over tenants, `$4`: columns that are not the auditor's.
const CHECKS: &[(&str, &str)] = &[
    (
        "row-level security is on and forced on each table with a tenant, and has its policy",
        "SELECT c.relname FROM mine AS c WHERE NOT c.relispartition AND c.relname <> ALL ($1)
           AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
               SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'tenant_rows'))",
    ),
    (
        "policies are the three that are known",
        "SELECT p.tablename || '.' || p.policyname FROM pg_policies p WHERE NOT (
            p.permissive = 'PERMISSIVE' AND p.schemaname = 'public' AND (
                p.policyname = 'tenant_rows' AND p.roles = '{terrasift_app}' AND p.cmd = 'ALL'
                    AND p.qual = '(tenant_id = app_tenant())' AND p.with_check = p.qual
                OR p.policyname = 'ledger_rows' AND p.roles = '{terrasift_ledger}'
                OR p.policyname = 'erasing_rows' AND p.roles = '{terrasift_owner}' AND p.cmd = 'ALL' AND p.with_check = 'false'
                    AND regexp_replace(p.qual, '\\s+', ' ', 'g') = '(tenant_id IN ( SELECT e.tenant_id FROM erased_tenants e WHERE (e.ended_at IS NULL)))'))",
    ),
    (
        "the owner can erase whatever a tenant has, but not its trail and its tombstone",
        "SELECT c.relname FROM mine AS c WHERE NOT c.relispartition AND c.relname <> ALL ($1)
           AND (c.relname IN ('erased_tenants', 'security_audit_log')) = EXISTS (
               SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'erasing_rows')",
    ),
    (
        "nothing is granted on a partition",
        "SELECT c.relname || ' to ' || a.grantee::regrole FROM mine AS c, aclexplode(c.relacl) AS a
         WHERE c.relispartition AND a.grantee <> c.relowner",
    ),
    (
        "nothing is granted to everybody",
        "SELECT c.relname || ': ' || a.privilege_type FROM pg_class c, aclexplode(c.relacl) AS a
         WHERE c.relnamespace = 'public'::regnamespace AND a.grantee = 0
         UNION ALL
         SELECT t.attrelid::regclass || '.' || t.attname FROM pg_attribute t, aclexplode(t.attacl) AS a
         WHERE a.grantee = 0 AND t.attrelid >= 16384
         UNION ALL
         SELECT 'default privileges' FROM pg_default_acl",
    ),
    (
        "the application reads and writes rows, and nothing else",
        "SELECT c.relname || ': ' || a.privilege_type FROM pg_class c, aclexplode(c.relacl) AS a
         WHERE c.relnamespace = 'public'::regnamespace AND a.grantee = 'terrasift_app'::regrole
           AND (a.privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE') OR a.is_grantable OR c.relkind = 'S')",
    ),
    (
        "what was audited is neither changed nor removed by who serves",
        "SELECT c.relname FROM mine AS c, unnest('{terrasift_app,terrasift_ledger,terrasift_auditor}'::text[]) AS role
         WHERE c.relname LIKE '%\\_audit\\_%' AND (
            has_table_privilege(role, c.oid, 'UPDATE, DELETE, TRUNCATE') OR has_any_column_privilege(role, c.oid, 'UPDATE'))
         UNION ALL
         SELECT p.polname FROM pg_policy p JOIN mine AS c ON c.oid = p.polrelid
         WHERE c.relname = 'security_audit_log' AND p.polname = 'ledger_rows' AND p.polcmd <> 'a'
         UNION ALL
         SELECT 'no table' WHERE 4 > (SELECT count(*) FROM mine AS c WHERE c.relname LIKE '%\\_audit\\_%')",
    ),
    (
        "the application may make no object",
        "SELECT 'objects in ' || n.nspname FROM pg_namespace n
         WHERE n.nspname NOT LIKE 'pg\\_temp%' AND has_schema_privilege('terrasift_app', n.oid, 'CREATE')
         UNION ALL
         SELECT 'temporary tables' WHERE has_database_privilege('terrasift_app', current_database(), 'TEMPORARY')
         UNION ALL
         SELECT 'schemas' WHERE has_database_privilege('terrasift_app', current_database(), 'CREATE')",
    ),
    (
        "roles can what they shall, and nothing more",
        "SELECT r.rolname FROM pg_roles r WHERE r.rolname LIKE 'terrasift\\_%' AND (
            r.rolsuper OR r.rolcreatedb OR r.rolcreaterole OR r.rolreplication
            OR r.rolbypassrls <> (r.rolname = 'terrasift_auditor') OR r.rolcanlogin = (r.rolname = 'terrasift_ledger'))",
    ),
    (
        "nobody is a member of another role, but the owner of the ledger",
        "SELECT m.member::regrole || ' of ' || m.roleid::regrole FROM pg_auth_members m
         WHERE m.member >= 16384 AND NOT (
            m.member = 'terrasift_owner'::regrole AND m.roleid = 'terrasift_ledger'::regrole)",
    ),
    (
        "everything belongs to the owner, who serves nothing",
        "SELECT c.relname FROM mine AS c WHERE c.relowner <> 'terrasift_owner'::regrole",
    ),
    (
        "functions with another's rights are the known ones, of the ledger, with a fixed search path, for the application",
        "SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef AND NOT (
            p.proname = ANY ($2) AND p.proowner = 'terrasift_ledger'::regrole
            AND p.proconfig IS NOT DISTINCT FROM '{\"search_path=pg_catalog, pg_temp\"}'
            AND NOT EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                            WHERE a.grantee NOT IN ('terrasift_app'::regrole, p.proowner)))
         UNION ALL
         SELECT name FROM unnest($2) AS name WHERE NOT EXISTS (
             SELECT FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.proname = name AND p.prosecdef)",
    ),
    (
        "the tenant is asked for in each statement, and no function may run before a policy",
        "SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND (
            p.proleakproof OR p.proname = 'app_tenant' AND (p.provolatile <> 's' OR p.prosecdef))",
    ),
    (
        "views show what the reader may see",
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND (
            c.relkind = 'm' OR c.relkind = 'f'
            OR c.relkind = 'v' AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false))",
    ),
    (
        "unique keys carry the tenant",
        "SELECT x.indexrelid::regclass::text FROM pg_index x JOIN mine AS c ON c.oid = x.indrelid
         WHERE x.indisunique AND c.relname <> ALL ($1) AND x.indexrelid::regclass::text <> ALL ($3)
           AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id'
                           AND a.attnum = ANY (x.indkey::int2[]))",
    ),
    (
        "foreign keys carry the tenant",
        "SELECT k.conname FROM pg_constraint k JOIN mine AS c ON c.oid = k.conrelid
         WHERE k.contype = 'f' AND NOT EXISTS (
             SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND a.attnum = ANY (k.conkey))",
    ),
    (
        "the tenant of a row is never empty, and compared by its bytes",
        "SELECT c.relname FROM mine AS c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
         WHERE NOT a.attnotnull OR a.atttypid <> 'text'::regtype OR a.attcollation <> '\"C\"'::regcollation",
    ),
    (
        "no trigger and no rule copies rows",
        "SELECT t.tgname FROM pg_trigger t JOIN mine AS c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal
         UNION ALL
         SELECT w.rulename FROM pg_rewrite w JOIN mine AS c ON c.oid = w.ev_class",
    ),
    (
        "no role and no database comes with a tenant or without row-level security",
        "SELECT array_to_string(s.setconfig, ' ') FROM pg_db_role_setting s
         WHERE array_to_string(s.setconfig, ' ') ~ 'app\\.tenant|row_security|search_path|session_preload|local_preload'",
    ),
    (
        "the auditor reads no body, no digest and no text",
        "SELECT n FROM unnest($4) AS n
         WHERE has_column_privilege('terrasift_auditor', split_part(n, '.', 1), split_part(n, '.', 2), 'SELECT')
         UNION ALL
         SELECT c.relname FROM mine AS c
         WHERE has_any_column_privilege('terrasift_auditor', c.oid, 'INSERT, UPDATE')
            OR has_table_privilege('terrasift_auditor', c.oid, 'DELETE, TRUNCATE')",
    ),
    (
        "nothing is replicated past the policies",
        "SELECT p.pubname FROM pg_publication p
         UNION ALL
         SELECT e.extname FROM pg_extension e WHERE e.extname <> 'plpgsql'",
    ),
];

/// How many checks there are.
pub(super) const fn checks() -> usize {
    CHECKS.len()
}

/// All that is wrong.
pub(super) async fn check(admin: &mut PgConnection) -> Result<Vec<String>> {
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let hidden: Vec<String> =
        NOT_THE_AUDITORS.iter().map(|(table, column)| format!("{table}.{column}")).collect();
    let mut wrong = Vec::new();
    for (name, query) in CHECKS {
        // All parameters stand in each query, so that all are bound alike.
        let whole = format!(
            "WITH mine AS (SELECT * FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')),
                  wrong (what) AS ({query})
             SELECT what::text FROM wrong WHERE ($1::text[], $2::text[], $3::text[], $4::text[]) IS NOT NULL"
        );
        let found: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(whole))
            .bind(texts(WITHOUT_TENANT))
            .bind(texts(DEFINERS))
            .bind(texts(UNIQUE_OVER_TENANTS))
            .bind(&hidden)
            .fetch_all(&mut *admin)
            .await
            .with_context(|| format!("cannot check: {name}"))?;
        wrong.extend(found.into_iter().map(|what| format!("{name}: {what}")));
    }
    Ok(wrong)
}
