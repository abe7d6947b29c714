//! Invariant 7: no row without its tenant, even if application code is wrong.

use std::time::Duration;

use sqlx::PgConnection;
use terrasift_postgres::{AuditFilter, DeadLetterFilter, LetterState, NewDeadLetter, Store, StoreErrorKind};
use terrasift_schemas::event::FailureReason;

use crate::world::{World, commit, entity_ref, new_mark, row, tenant, version, workspace};

const HOUR: Duration = Duration::from_secs(3_600);

/// Tables that have no tenant: positions, epochs, ends of the audit's chains and the list of migrations.
const WITHOUT_TENANT: [&str; 5] = [
    "_sqlx_migrations",
    "partition_epochs",
    "security_audit_checkpoints",
    "security_audit_retired",
    "unrouted_records",
];

/// What the application role may touch, with a row to write: `$1` is the tenant.
const WRITES: [(&str, &str); 11] = [
    ("workspaces", "INSERT INTO workspaces (tenant_id, workspace_id) VALUES ($1, 'ws-intruder')"),
    (
        "entities",
        "INSERT INTO entities (tenant_id, entity_ref, workspace_id, kind, namespace, name, body, digest, change_seq)
         VALUES ($1, 'resource:a/b', 'ws-1', 'Resource', 'a', 'b', '{}', decode(repeat('00', 32), 'hex'), 1)",
    ),
    ("runs", "INSERT INTO runs (tenant_id, run_id, workspace_id, serial) VALUES ($1, 'run-1', 'ws-1', 1)"),
    (
        "sanitization_audit_log",
        "INSERT INTO sanitization_audit_log (tenant_id, workspace_id, lineage, serial, pipeline, pii, credential,
                                             infrastructure, truncated, findings)
         VALUES ($1, 'ws-1', decode(repeat('00', 16), 'hex'), 1, 1, 0, 0, 0, 0, '[]')",
    ),
    (
        "dead_letters",
        "INSERT INTO dead_letters (tenant_id, dedupe, reason, detail, attempts) VALUES ($1, 'x', 'panicked', '', 1)",
    ),
    (
        "api_keys",
        "INSERT INTO api_keys (tenant_id, digest, name, scopes)
         VALUES ($1, decode(repeat('01', 32), 'hex'), 'intruder', '{}')",
    ),
    (
        "rule_sets",
        "INSERT INTO rule_sets (tenant_id, number, digest, file_version) VALUES ($1, 9, decode(repeat('01', 32), 'hex'), 1)",
    ),
    ("reconciliations", "INSERT INTO reconciliations (tenant_id) VALUES ($1) ON CONFLICT (tenant_id) DO UPDATE SET claim = 9"),
    ("token_users", "INSERT INTO token_users (tenant_id, fingerprint, user_id) VALUES ($1, 'token-9', 'user-9')"),
    ("upstream_requests", "INSERT INTO upstream_requests (tenant_id, hour, requests) VALUES ($1, 'epoch', 9)"),
    (
        "webhook_deliveries",
        "INSERT INTO webhook_deliveries (tenant_id, digest) VALUES ($1, decode(repeat('01', 32), 'hex'))",
    ),
];

/// Fills a row of every table for acme.
async fn furnish(w: &World) {
    furnish_tenant(w, "acme", 9).await;
}

/// Fills a row of every table that the store writes for a tenant; `number` makes digests that are one's in all tenants.
pub async fn furnish_tenant(w: &World, id: &str, number: u8) {
    let (acme, ws) = (tenant(id), workspace("a"));
    let epoch = w.store.claim_partition(0).await.unwrap();
    let ticket = w.store.begin_read(&acme, &ws).await.unwrap();
    let mut one = commit(&ws, &ticket, epoch, 0, version(1, 1, 1), &["x"]);
    one.run = Some(terrasift_schemas::RunId::parse("run-a").unwrap());
    w.store.commit(&acme, vec![one]).await.unwrap();
    w.store.mark_dirty(0, epoch, &[new_mark(id, &ws)]).await.unwrap();
    let letter = NewDeadLetter {
        tenant: acme.clone(),
        workspace: Some(ws),
        reason: FailureReason::Panicked,
        detail: "detail".into(),
        attempts: 3,
        record: None,
        trace: None,
    };
    w.store.park(&letter, None).await.unwrap();
    w.store.insert_api_key(&acme, [number; 32], "key", &["read".into()], None).await.unwrap();
    w.store.record_delivery(&acme, [9; 32]).await.unwrap();
    w.store.activate_rules(&acme, [9; 32], 1).await.unwrap();
    let hour = std::time::Duration::from_secs(3600);
    w.store.claim_round(&acme, None, hour, hour).await.unwrap();
    w.store.remember_token_user(&acme, "token-1", "user-1").await.unwrap();
    w.store.count_upstream_requests(&acme, 3).await.unwrap();
}

pub async fn tables_with_tenant(conn: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1",
    )
    .fetch_all(conn)
    .await
    .unwrap()
}

async fn set_tenant(conn: &mut PgConnection, tenant: Option<&str>) {
    sqlx::raw_sql("BEGIN").execute(&mut *conn).await.unwrap();
    if let Some(tenant) = tenant {
        sqlx::query("SELECT set_config('app.tenant', $1, true)").bind(tenant).execute(conn).await.unwrap();
    }
}

async fn rollback(conn: &mut PgConnection) {
    sqlx::raw_sql("ROLLBACK").execute(conn).await.unwrap();
}

fn sqlstate(error: &sqlx::Error) -> String {
    error.as_database_error().and_then(|e| e.code()).map(|code| code.into_owned()).unwrap_or_default()
}

pub async fn invariant_7_without_its_tenant_no_row_is_read_or_written(w: World) {
    furnish(&w).await;
    let mut conn = w.app().await;
    let tables = tables_with_tenant(&mut conn).await;
    assert_eq!(tables.len(), 17, "{tables:?}");
    // Never set; set to nothing; what a used transaction leaves behind; another tenant; no such tenant.
    let strangers = [None, Some(""), None, Some("globex"), Some("nobody")];
    for stranger in strangers {
        for table in &tables {
            set_tenant(&mut conn, stranger).await;
            let count = format!("SELECT count(*) FROM {table} WHERE tenant_id = 'acme'");
            let rows: i64 =
                sqlx::query_scalar(sqlx::AssertSqlSafe(count)).fetch_one(&mut conn).await.unwrap();
            assert_eq!(rows, 0, "{stranger:?} reads {table}");
            rollback(&mut conn).await;
        }
        for (table, insert) in WRITES {
            set_tenant(&mut conn, stranger).await;
            let error = sqlx::query(insert).bind("acme").execute(&mut conn).await.expect_err(table);
            assert_eq!(sqlstate(&error), "42501", "{stranger:?} writes {table}");
            rollback(&mut conn).await;
        }
        for change in [
            "UPDATE workspaces SET serial = serial",
            "UPDATE entities SET body = body",
            "DELETE FROM dirty_marks",
            "UPDATE tenant_heads SET seq = 0",
            "DELETE FROM webhook_deliveries",
            "UPDATE dead_letters SET state = 'retried'",
        ] {
            set_tenant(&mut conn, stranger).await;
            let done = sqlx::query(change).execute(&mut conn).await.unwrap().rows_affected();
            let own_head = u64::from(stranger == Some("globex") && change.contains("tenant_heads"));
            assert_eq!(done, own_head, "{stranger:?}: {change}");
            rollback(&mut conn).await;
        }
    }
    // The same writes pass as the tenant itself, and a row cannot be handed to another one.
    for (table, insert) in WRITES {
        set_tenant(&mut conn, Some("acme")).await;
        sqlx::query(insert).bind("acme").execute(&mut conn).await.expect(table);
        let give = format!("UPDATE {table} SET tenant_id = 'globex'");
        let error = sqlx::query(sqlx::AssertSqlSafe(give)).execute(&mut conn).await.expect_err(table);
        assert_eq!(sqlstate(&error), "42501", "{table}");
        rollback(&mut conn).await;
    }
}

pub async fn every_table_with_a_tenant_forces_row_level_security(w: World) {
    let mut conn = w.superuser().await;
    let all: Vec<(String, bool, bool, i64)> = sqlx::query_as(
        "SELECT c.relname::text, c.relrowsecurity, c.relforcerowsecurity,
                (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid)
         FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
           AND NOT c.relispartition ORDER BY 1",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    let with_tenant = tables_with_tenant(&mut conn).await;
    for (table, enabled, forced, policies) in all {
        if WITHOUT_TENANT.contains(&table.as_str()) {
            assert!(!with_tenant.contains(&table), "{table}");
        } else {
            assert!(with_tenant.contains(&table), "{table} has no tenant and is not on the list");
            assert!(enabled && forced && policies > 0, "{table}");
        }
    }
    let definers: Vec<String> = sqlx::query_scalar(
        "SELECT p.proname::text FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
         WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef AND r.rolname = 'terrasift_ledger'
           AND NOT r.rolcanlogin AND NOT r.rolbypassrls AND NOT r.rolsuper AND array_to_string(p.proconfig, ' ') <> ''
           AND NOT EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0)
         ORDER BY 1",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    let expected = [
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
    assert_eq!(definers, expected);
    let others: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef",
    )
    .fetch_one(&mut conn)
    .await
    .unwrap();
    assert_eq!(others, 14, "no other function acts with another's rights");
}

pub async fn partitions_cannot_be_named(w: World) {
    furnish(&w).await;
    let mut conn = w.app().await;
    let partitions: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relispartition AND relkind = 'r' ORDER BY 1",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    // Of the entities, and three months and the rest of the audit.
    assert_eq!(partitions.len(), 16 + 4);
    for partition in partitions {
        for tenant in [None, Some("acme")] {
            for statement in [format!("SELECT * FROM {partition}"), format!("DELETE FROM {partition}")] {
                set_tenant(&mut conn, tenant).await;
                let error = sqlx::query(sqlx::AssertSqlSafe(statement.clone())).execute(&mut conn).await;
                assert_eq!(sqlstate(&error.expect_err("refused")), "42501", "{statement}");
                rollback(&mut conn).await;
            }
        }
    }
    for statement in
        ["CREATE TABLE public.mine (a integer)", "CREATE TEMP TABLE mine (a integer)", "TRUNCATE entities"]
    {
        let error = sqlx::query(statement).execute(&mut conn).await.expect_err("refused");
        assert_eq!(sqlstate(&error), "42501", "{statement}");
    }
}

pub async fn the_store_shows_a_tenant_nothing_of_another(w: World) {
    furnish(&w).await;
    let (acme, globex, ws) = (tenant("acme"), tenant("globex"), workspace("a"));
    let every = DeadLetterFilter::default();
    let letter = w.store.dead_letters(&acme, &every, None, 10).await.unwrap().remove(0);
    assert!(w.store.entity(&globex, &entity_ref("x")).await.unwrap().is_none());
    assert!(w.store.changes(&globex, 0, 10, None).await.unwrap().1.is_empty());
    assert!(w.store.known_digests(&globex, &ws).await.unwrap().is_empty());
    assert!(w.store.workspaces(&globex).await.unwrap().is_empty());
    assert!(w.store.audit(&globex, &AuditFilter::default(), None, 100).await.unwrap().is_empty());
    assert!(w.store.dead_letters(&globex, &every, None, 10).await.unwrap().is_empty());
    assert!(w.store.dead_letter(&globex, letter.id).await.unwrap().is_none());
    assert!(w.store.discard_dead_letter(&globex, letter.id, "theirs").await.unwrap().is_none());
    assert!(w.store.retry_dead_letter(&globex, letter.id, "theirs").await.unwrap().is_none());
    assert!(!w.store.delivery_standing(&globex, [9; 32], HOUR, 9).await.unwrap().seen);
    assert_eq!(
        w.store.dead_letter(&acme, letter.id).await.unwrap().map(|l| l.state),
        Some(LetterState::Open)
    );
    // The same workspace id and entity reference under another tenant are other rows.
    let epoch = w.store.claim_partition(0).await.unwrap();
    let ticket = w.store.begin_read(&globex, &ws).await.unwrap();
    let theirs = commit(&ws, &ticket, epoch, 0, version(2, 9, 1), &["x"]);
    w.store.commit(&globex, vec![theirs]).await.unwrap();
    let (ours, theirs) = (
        w.store.entity(&acme, &entity_ref("x")).await.unwrap(),
        w.store.entity(&globex, &entity_ref("x")).await.unwrap(),
    );
    assert_ne!(ours.unwrap().digest, theirs.unwrap().digest);
}

pub async fn a_role_above_the_policies_is_refused(w: World) {
    let mighty = [("owner", w.owner_url.clone()), ("superuser", w.cluster.superuser_url())];
    for (name, url) in mighty {
        let error = Store::connect(&url, 1).await.err().expect(name);
        // The superuser's default database has no tables, but the role itself is enough.
        assert_eq!(error.kind(), StoreErrorKind::Refused, "{name}");
    }
}

pub async fn the_auditor_reads_ids_and_never_bodies(w: World) {
    furnish(&w).await;
    let mut conn = w.superuser().await;
    sqlx::raw_sql("SET ROLE terrasift_auditor").execute(&mut conn).await.unwrap();
    for statement in [
        "SELECT tenant_id, entity_ref, workspace_id FROM entities",
        "SELECT findings FROM sanitization_audit_log",
        "SELECT tenant_id, workspace_id, serial FROM workspaces",
    ] {
        let rows = sqlx::query(statement).fetch_all(&mut conn).await.expect(statement);
        assert_eq!(rows.len(), 1, "{statement}");
    }
    for statement in [
        "SELECT body FROM entities",
        "SELECT digest FROM api_keys",
        "SELECT detail FROM dead_letters",
        "SELECT retried_by FROM dead_letters",
        "UPDATE entities SET change_seq = 0",
        "DELETE FROM sanitization_audit_log",
    ] {
        let error = sqlx::query(statement).execute(&mut conn).await.expect_err(statement);
        assert_eq!(sqlstate(&error), "42501", "{statement}");
    }
}

pub async fn errors_and_logs_hold_no_value(w: World) {
    const CANARY: &str = "canary-5f3a9c";
    // A slug that two tenants want: Postgres' DETAIL names it.
    let error = w
        .store
        .declare_tenants(&[row("a", CANARY), row("b", CANARY)])
        .await
        .expect_err("one slug, two tenants");
    assert_eq!((error.kind(), error.sqlstate()), (StoreErrorKind::Invalid, Some("23505")));
    assert!(!format!("{error} {error:?}").contains(CANARY));
    assert!(std::error::Error::source(&error).is_none());
    // A value that does not parse, which Postgres' primary message quotes.
    let mut conn = w.app().await;
    let bad = sqlx::query("SELECT $1::text::integer").bind(CANARY).execute(&mut conn).await;
    assert_eq!(sqlstate(&bad.expect_err("no number")), "22P02");
    let error = w.store.begin_read(&tenant(CANARY), &workspace("a")).await.expect_err("undeclared");
    assert!(!format!("{error} {error:?}").contains(CANARY));
    let url = format!("postgres://terrasift_app:{CANARY}@127.0.0.1:1/terrasift");
    let error = Store::connect(&url, 1).await.err().expect("nobody listens");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(!format!("{error} {error:?}").contains(CANARY));
    let log = std::fs::read_to_string(w.cluster.log_file()).unwrap();
    let detail = log.lines().filter(|line| line.contains("DETAIL") || line.contains("STATEMENT")).count();
    assert_eq!(detail, 0, "the log has no DETAIL and no STATEMENT lines");
}
