//! Rows of every table for every tenant, so that there is something to see.
//!
//! Must never leave out a table with a tenant: a new one fails the run until it stands here.

/// Table and statement: `$1` is the tenant, `$2` a text that makes its keys different from those of other rows.
pub(super) const ROWS: &[(&str, &str)] = &[
    ("tenants", "INSERT INTO tenants (tenant_id, slug) SELECT $1, $1 WHERE $2 <> ''"),
    ("tenant_heads", "INSERT INTO tenant_heads (tenant_id, seq) SELECT $1, length($2)"),
    ("tenant_states", "INSERT INTO tenant_states (tenant_id, state) SELECT $1, 'suspended' WHERE $2 <> ''"),
    ("erased_tenants", "INSERT INTO erased_tenants (tenant_id, begun_by) SELECT $1, 'alice' WHERE $2 <> ''"),
    (
        "workspaces",
        "INSERT INTO workspaces (tenant_id, workspace_id, state_version) VALUES ($1, 'ws-' || $2, 'sv-' || md5($1))",
    ),
    (
        "entities",
        "INSERT INTO entities (tenant_id, entity_ref, workspace_id, kind, namespace, name, body, digest, change_seq)
         VALUES ($1, 'resource:' || $1 || '/' || $2, 'ws-' || $2, 'Resource', $1, $2, format('{\"of\": %s}', to_json(md5($1))),
                 decode(md5($1) || md5($2), 'hex'), hashtext($2))",
    ),
    ("runs", "INSERT INTO runs (tenant_id, run_id, workspace_id, serial) VALUES ($1, 'run-' || $2, 'ws-' || $2, 1)"),
    (
        "sanitization_audit_log",
        "INSERT INTO sanitization_audit_log (tenant_id, workspace_id, lineage, serial, pipeline, pii, credential,
                                             infrastructure, truncated, findings)
         VALUES ($1, 'ws-' || $2, decode(md5($1), 'hex'), 1, 1, 0, 0, 0, 0, '[]')",
    ),
    (
        "dirty_marks",
        "INSERT INTO dirty_marks (tenant_id, workspace_id, partition, generation, since, priority, event_id)
         VALUES ($1, 'ws-' || $2, 0, 1, now(), 0, md5($1))",
    ),
    (
        "dead_letters",
        "INSERT INTO dead_letters (tenant_id, dedupe, reason, detail, attempts) VALUES ($1, $2, 'panicked', md5($1), 1)",
    ),
    (
        "api_keys",
        "INSERT INTO api_keys (tenant_id, digest, name, scopes)
         VALUES ($1, decode(md5($1) || md5($2), 'hex'), md5($1), '{}')",
    ),
    (
        "webhook_deliveries",
        "INSERT INTO webhook_deliveries (tenant_id, digest) VALUES ($1, decode(md5($1) || md5($2), 'hex'))",
    ),
    (
        "rule_sets",
        "INSERT INTO rule_sets (tenant_id, number, digest, file_version)
         VALUES ($1, 1 + abs(hashtext($2) % 999), decode(md5($1) || md5($2), 'hex'), 1)",
    ),
    ("reconciliations", "INSERT INTO reconciliations (tenant_id, organization) SELECT $1, $2"),
    (
        "token_users",
        "INSERT INTO token_users (tenant_id, fingerprint, user_id) VALUES ($1, 'token-' || $2, 'user-' || md5($1))",
    ),
    (
        "upstream_requests",
        "INSERT INTO upstream_requests (tenant_id, hour, requests)
         VALUES ($1, timestamptz 'epoch' + make_interval(hours => abs(hashtext($2) % 99999)), 1 + abs(hashtext(md5($1)) % 999))",
    ),
    (
        "security_audit_log",
        "INSERT INTO security_audit_log (tenant_id, segment, number, at, actor, action, resource, outcome, code, trace, client,
                                         previous, hash)
         SELECT $1, md5($1), 1 + abs(hashtext($2) % 999), now(), 'api key', 'GET', $2, 'ok', '200', '', '',
                sha256(''), sha256(md5($1)::bytea)",
    ),
];

/// Tables that hold one row a tenant.
pub(super) const SINGLE: &[&str] =
    &["tenants", "tenant_heads", "tenant_states", "erased_tenants", "reconciliations"];

/// Tables that have no tenant: the list of migrations, positions, epochs, and ends of the audit's chains.
pub(super) const WITHOUT_TENANT: &[&str] = &[
    "_sqlx_migrations",
    "partition_epochs",
    "security_audit_checkpoints",
    "security_audit_retired",
    "unrouted_records",
];

/// The statement that writes a row of a table, or of the table that a partition belongs to.
pub(super) fn insert(table: &str) -> Option<&'static str> {
    ROWS.iter().find(|(name, _)| *name == table).map(|(_, statement)| *statement)
}
