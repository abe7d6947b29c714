//! A tenant is erased, to the last row.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::{AssertSqlSafe, PgConnection};
use terrasift_postgres::{
    Chain, CheckpointSigner, Erasure, StoreErrorKind, TenantState, TrailEntry, TrailOutcome, set_suspended,
};
use terrasift_schemas::TenantSlug;
use time::OffsetDateTime;

use crate::isolation::{furnish_tenant, tables_with_tenant};
use crate::world::{World, commit, new_mark, row, tenant, until, version, workspace};

/// What stays, and nothing else may.
const KEPT: [&str; 2] = ["erased_tenants", "security_audit_log"];
/// What is written for a tenant that is suspended, and not by the store.
const SIGNING_KEY: [u8; 32] = [7; 32];

/// Tables in which the tenant has rows, with a digest of those rows.
async fn rows_of(conn: &mut PgConnection, id: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for table in tables_with_tenant(conn).await {
        let digest = format!(
            "SELECT md5(string_agg(r::text, '|' ORDER BY r::text)) FROM {table} AS r WHERE r.tenant_id = $1"
        );
        let digest: Option<String> =
            sqlx::query_scalar(AssertSqlSafe(digest)).bind(id).fetch_one(&mut *conn).await.unwrap();
        found.extend(digest.map(|digest| (table, digest)));
    }
    found
}

/// Rows of both tenants in every table with a tenant, and a signed trail that holds both.
pub async fn furnish(w: &World) {
    let signer = CheckpointSigner::new(&SIGNING_KEY).unwrap();
    let mut chain = Chain::new([5; 16]);
    let mut records = Vec::new();
    for (id, number) in [("acme", 9), ("globex", 8), ("acme", 7)] {
        if number > 7 {
            furnish_tenant(w, id, number).await;
            set_suspended(&w.owner_url, &tenant(id), true).await.unwrap();
        }
        records.push(chain.link(TrailEntry {
            at: OffsetDateTime::now_utc(),
            tenant: Some(tenant(id)),
            actor: "api key 1 backstage".into(),
            action: "GET".into(),
            resource: "/v1/entities".into(),
            outcome: TrailOutcome::Ok,
            code: "200".into(),
            trace: String::new(),
            client: String::new(),
        }));
    }
    w.store.append_trail(&records).await.unwrap();
    let end = signer.sign(&chain, OffsetDateTime::now_utc(), true);
    w.store.append_checkpoint(end).await.unwrap();
}

async fn begin(w: &World) -> Option<Erasure> {
    let slug = TenantSlug::parse("acme").unwrap();
    Erasure::begin(&w.owner_url, &tenant("acme"), &slug, "command line alice").await.unwrap()
}

async fn finish(w: &World) -> u64 {
    let mut erasure = begin(w).await.expect("not erased yet");
    while erasure.step().await.unwrap() {}
    erasure.removed().values().sum()
}

async fn trail_is_whole(w: &World) {
    let key = CheckpointSigner::new(&SIGNING_KEY).unwrap().public();
    let verdict = w.auditor().verify_trail(&[key], Vec::new()).await.unwrap();
    assert_eq!((verdict.records, verdict.checkpoints, verdict.breaks), (3, 1, Vec::new()));
}

pub async fn after_an_erasure_no_row_is_left_in_any_table_with_a_tenant_and_the_neighbour_has_all(w: World) {
    furnish(&w).await;
    let mut conn = w.superuser().await;
    let (ours, theirs) = (rows_of(&mut conn, "acme").await, rows_of(&mut conn, "globex").await);
    let mut every = tables_with_tenant(&mut conn).await;
    every.retain(|table| table != "erased_tenants");
    for (id, found) in [("acme", &ours), ("globex", &theirs)] {
        // A new table needs a row in `furnish_tenant`, or nothing is proven about it.
        assert_eq!(found.keys().collect::<Vec<_>>(), every.iter().collect::<Vec<_>>(), "{id}");
    }
    trail_is_whole(&w).await;
    assert!(finish(&w).await >= 12);
    let left = rows_of(&mut conn, "acme").await;
    assert_eq!(left.keys().collect::<Vec<_>>(), KEPT);
    assert_eq!(left["security_audit_log"], ours["security_audit_log"], "the trail is as it was");
    assert_eq!(rows_of(&mut conn, "globex").await, theirs, "the neighbour has what it had");
    trail_is_whole(&w).await;

    let by: String = sqlx::query_scalar("SELECT begun_by FROM erased_tenants WHERE ended_at IS NOT NULL")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    assert_eq!(by, "command line alice");
    assert!(begin(&w).await.is_none(), "it was erased before");
    let declared = w.store.declare_tenants(&[row("acme", "acme"), row("globex", "globex")]).await.unwrap();
    assert_eq!(declared, [tenant("acme")], "handed back, and not declared");
    assert_eq!(rows_of(&mut conn, "acme").await, left);
    for suspend in [true, false] {
        let error = set_suspended(&w.owner_url, &tenant("acme"), suspend).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Invalid);
        assert!(error.to_string().contains("nothing brings it back"), "{error}");
    }
    // A process that was started with it goes on to shut it out.
    w.store.look_for_suspended().await.unwrap();
    assert!(w.store.is_suspended(&tenant("acme")));
    let states: Vec<_> = w.auditor().tenants().await.unwrap().into_iter().map(|t| (t.id, t.state)).collect();
    assert_eq!(states, [(tenant("acme"), TenantState::Erased), (tenant("globex"), TenantState::Suspended)]);
    // Its slug is free for somebody else.
    assert_eq!(w.store.declare_tenants(&[row("acme-2", "acme")]).await.unwrap(), []);
}

pub async fn an_erasure_that_is_killed_anywhere_goes_on(w: World) {
    furnish(&w).await;
    let mut conn = w.superuser().await;
    for (id, count) in [("acme", 4_500), ("globex", 3)] {
        let many = format!(
            "INSERT INTO entities (tenant_id, entity_ref, workspace_id, kind, namespace, name, body, digest, change_seq)
             SELECT '{id}', 'resource:many/e' || n, 'ws-a', 'Resource', 'many', 'e' || n, '{{}}', sha256(n::text::bytea), n
             FROM generate_series(1, {count}) AS n"
        );
        sqlx::raw_sql(AssertSqlSafe(many)).execute(&mut conn).await.unwrap();
    }
    let theirs = rows_of(&mut conn, "globex").await;
    let epoch = w.store.claim_partition(1).await.unwrap();
    let mut largest = 0;
    // Killed when it had just begun, and after each batch that removed something.
    drop(begin(&w).await);
    let mut rounds = 0;
    let mut goes_on = true;
    while goes_on {
        rounds += 1;
        assert!(rounds < 100, "it does not come to its end");
        // Events of a tenant that is not erased to the end still become marks.
        if rounds % 4 == 1 {
            w.store.mark_dirty(1, epoch, &[new_mark("acme", &workspace("late"))]).await.unwrap();
        }
        let mut erasure = begin(&w).await.expect("not erased yet");
        while goes_on && erasure.removed().is_empty() {
            goes_on = erasure.step().await.unwrap();
        }
        largest = largest.max(erasure.removed().values().sum());
        let error = set_suspended(&w.owner_url, &tenant("acme"), false).await.unwrap_err();
        assert!(error.to_string().contains("nothing brings it back"), "{error}");
        assert_eq!(w.store.declare_tenants(&[row("acme", "acme")]).await.unwrap(), [tenant("acme")]);
        assert_eq!(rows_of(&mut conn, "globex").await, theirs);
    }
    assert!(rounds > 12, "it was killed {rounds} times");
    assert_eq!(largest, 2_000, "batches are bounded");
    assert_eq!(rows_of(&mut conn, "acme").await.keys().collect::<Vec<_>>(), KEPT);
    assert_eq!(rows_of(&mut conn, "globex").await, theirs);
    let reported = w.store.mark_dirty(1, epoch, &[new_mark("acme", &workspace("late"))]).await.unwrap();
    assert!(reported.marks.is_empty(), "an event that comes later is nobody's");
}

pub async fn a_commit_that_runs_is_waited_for_and_none_comes_after(w: World) {
    furnish(&w).await;
    let ws = workspace("b");
    let (acme, epoch) = (tenant("acme"), w.store.claim_partition(0).await.unwrap());
    let ticket = w.ticket(&ws).await;
    let mut running = w.app().await;
    sqlx::raw_sql(
        "BEGIN; SELECT set_config('app.tenant', 'acme', true);
         UPDATE tenant_heads SET seq = seq + 1;
         INSERT INTO entities (tenant_id, entity_ref, workspace_id, kind, namespace, name, body, digest, change_seq)
         VALUES ('acme', 'resource:acme/late', 'ws-b', 'Resource', 'acme', 'late', '{}', decode(repeat('00', 32), 'hex'), 99)",
    )
    .execute(&mut running)
    .await
    .unwrap();
    let mut conn = w.superuser().await;
    let ends_the_commit = async {
        let waits = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'terrasift tenant'
                     AND datname = current_database() AND wait_event_type = 'Lock')";
        until("the erasure waits", &mut conn, waits).await;
        sqlx::raw_sql("COMMIT").execute(&mut running).await.unwrap();
    };
    let (erasure, ()) = tokio::join!(begin(&w), ends_the_commit);
    drop(erasure);
    let late = commit(&ws, &ticket, epoch, 0, version(1, 1, 1), &["later"]);
    let error = w.store.commit(&acme, vec![late.clone()]).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Invalid, "while it is erased: {error}");
    finish(&w).await;
    assert_eq!(rows_of(&mut conn, "acme").await.keys().collect::<Vec<_>>(), KEPT);
    assert!(w.store.commit(&acme, vec![late]).await.is_err(), "when it is erased");
    assert!(w.store.begin_read(&acme, &ws).await.is_err());
    assert!(w.store.insert_api_key(&acme, [77; 32], "late", &[], None).await.is_err());
    assert_eq!(rows_of(&mut conn, "acme").await.keys().collect::<Vec<_>>(), KEPT);
}

pub async fn only_a_suspended_tenant_is_erased_by_its_own_slug_and_by_the_owner(w: World) {
    furnish(&w).await;
    let mut conn = w.superuser().await;
    let before = rows_of(&mut conn, "acme").await;
    let slug = |slug: &str| TenantSlug::parse(slug).unwrap();
    let tried = async |url: &str, id: &str, confirm: &str| {
        Erasure::begin(url, &tenant(id), &slug(confirm), "alice").await.err().expect("refused")
    };
    let owner = w.owner_url.clone();
    set_suspended(&owner, &tenant("acme"), false).await.unwrap();
    for (url, id, confirm, kind, what) in [
        (&owner, "acme", "acme", StoreErrorKind::Invalid, "tenant suspend"),
        (&owner, "globex", "acme", StoreErrorKind::Invalid, "another slug"),
        (&owner, "nobody", "nobody", StoreErrorKind::Invalid, "no tenant of this id"),
        (&w.app_url, "globex", "globex", StoreErrorKind::Refused, "owner of the tables"),
    ] {
        let error = tried(url, id, confirm).await;
        assert!(error.kind() == kind && error.to_string().contains(what), "{id}: {error}");
    }
    let tombstones: i64 =
        sqlx::query_scalar("SELECT count(*) FROM erased_tenants").fetch_one(&mut conn).await.unwrap();
    assert_eq!(tombstones, 0);
    set_suspended(&owner, &tenant("acme"), true).await.unwrap();
    let mut after = rows_of(&mut conn, "acme").await;
    after.insert("tenant_states".into(), before["tenant_states"].clone());
    assert_eq!(after, before, "nothing was touched");
    // The owner is shown nothing of whoever is not being erased, and cannot change what it is shown.
    drop(begin(&w).await);
    let mut owner = <PgConnection as sqlx::Connection>::connect(&w.owner_url).await.unwrap();
    for (id, rows) in [("acme", 1), ("globex", 0)] {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM entities WHERE tenant_id = $1")
            .bind(id)
            .fetch_one(&mut owner)
            .await
            .unwrap();
        assert_eq!(count, rows, "{id}");
    }
    let change = sqlx::raw_sql("UPDATE entities SET body = body WHERE tenant_id = 'acme'");
    let error = change.execute(&mut owner).await.unwrap_err();
    assert_eq!(error.as_database_error().and_then(|e| e.code()).as_deref(), Some("42501"));
    let audit: i64 =
        sqlx::query_scalar("SELECT count(*) FROM security_audit_log").fetch_one(&mut owner).await.unwrap();
    assert_eq!(audit, 0, "nothing of the trail");
    tokio::time::timeout(Duration::from_secs(30), finish(&w)).await.unwrap();
}
