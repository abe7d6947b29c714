//! The security audit: append-only, apart by tenant, and every tampering is found.

use sqlx::{AssertSqlSafe, PgConnection};
use terrasift_postgres::{
    Auditor, Chain, Checkpoint, CheckpointKey, CheckpointSigner, TrailEntry, TrailFilter, TrailOutcome,
    TrailRecord, TrailVerdict, retire_trail,
};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::world::{World, tenant};

const AT: OffsetDateTime = datetime!(2026-01-31 12:00 UTC);

fn entry(number: i64, owner: Option<&str>) -> TrailEntry {
    TrailEntry {
        at: AT + Duration::seconds(number),
        tenant: owner.map(tenant),
        actor: owner.map_or(String::new(), |_| "api key backstage".into()),
        action: "GET".into(),
        resource: "/v1/entities".into(),
        outcome: if owner.is_some() { TrailOutcome::Ok } else { TrailOutcome::Denied },
        code: if owner.is_some() { "200".into() } else { "unauthorized".into() },
        trace: format!("{number:032x}"),
        client: "192.0.2.7".into(),
    }
}

fn signer() -> CheckpointSigner {
    CheckpointSigner::new(&[5; 32]).unwrap()
}

/// Nine records of two tenants and of nobody; checkpoints after the sixth and at the end.
async fn written(w: &World, segment: u8) -> (Vec<TrailRecord>, Vec<Checkpoint>) {
    let mut chain = Chain::new([segment; 16]);
    let owners = [Some("acme"), Some("globex"), None];
    let (mut records, mut checkpoints) = (Vec::new(), Vec::new());
    for number in 1..=9 {
        let owner = owners[usize::try_from(number % 3).unwrap()];
        records.push(chain.link(entry(number, owner)));
        if number % 6 == 0 || number == 9 {
            checkpoints.push(signer().sign(&chain, AT + Duration::seconds(number), number == 9));
        }
    }
    w.store.append_trail(&records).await.unwrap();
    for checkpoint in &checkpoints {
        w.store.append_checkpoint(checkpoint.clone()).await.unwrap();
    }
    (records, checkpoints)
}

async fn verify(auditor: &Auditor, keys: &[CheckpointKey], anchors: &[Checkpoint]) -> TrailVerdict {
    auditor.verify_trail(keys, anchors.to_vec()).await.unwrap()
}

/// Copies of what is tampered with.
const KEEP: &str = "CREATE TABLE kept AS SELECT * FROM security_audit_log;
    CREATE TABLE kept_checkpoints AS SELECT * FROM security_audit_checkpoints";

async fn run(conn: &mut PgConnection, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(conn).await.unwrap();
}

pub async fn every_tampering_with_the_trail_is_found(w: World) {
    let auditor = w.auditor();
    let (_, anchors) = written(&w, 1).await;
    written(&w, 2).await;
    let keys = [signer().public()];
    let sound = verify(&auditor, &keys, &anchors).await;
    assert_eq!(sound.breaks, []);
    assert_eq!((sound.records, sound.segments, sound.open, sound.gaps, sound.checkpoints), (18, 2, 0, 0, 4));
    let (one, two) = ("01".repeat(16), "02".repeat(16));
    let of_two = format!("WHERE segment = '{two}'");
    let mut conn = w.superuser().await;
    run(&mut conn, KEEP).await;
    for (name, tamper, number) in [
        ("a changed outcome", format!("UPDATE security_audit_log SET outcome = 'ok' {of_two} AND number = 5"), 5),
        ("another time", format!("UPDATE security_audit_log SET at = at + '1 microsecond' {of_two} AND number = 4"), 4),
        ("another tenant", format!("UPDATE security_audit_log SET tenant_id = 'globex' {of_two} AND number = 3"), 3),
        ("another address", format!("UPDATE security_audit_log SET client = '192.0.2.1' {of_two} AND number = 3"), 3),
        ("a deleted record", format!("DELETE FROM security_audit_log {of_two} AND number = 4"), 4),
        ("a deleted beginning", format!("DELETE FROM security_audit_log {of_two} AND number < 4"), 1),
        (
            "two that changed places",
            format!("UPDATE security_audit_log SET number = 9 - number {of_two} AND number IN (4, 5)"),
            4,
        ),
        ("a truncated tail", format!("DELETE FROM security_audit_log {of_two} AND number > 6"), 7),
        ("all of it", format!("DELETE FROM security_audit_log {of_two}"), 1),
        (
            "a forged signature",
            format!(
                "UPDATE security_audit_checkpoints SET signature = decode(repeat('01', 64), 'hex') {of_two} AND number = 6"
            ),
            6,
        ),
        (
            "a moved checkpoint",
            format!("UPDATE security_audit_checkpoints SET number = 7 {of_two} AND number = 6"),
            7,
        ),
        (
            "a copied record",
            format!(
                "INSERT INTO security_audit_log SELECT tenant_id, segment, number, at + '1 s', actor, action, resource,
                     outcome, code, trace, client, previous, hash FROM security_audit_log {of_two} AND number = 2"
            ),
            2,
        ),
    ] {
        run(&mut conn, &tamper).await;
        let found = verify(&auditor, &keys, &anchors).await.breaks;
        let places: Vec<_> = found.iter().map(|b| (b.segment.as_str(), b.number)).collect();
        assert_eq!(places, [(two.as_str(), number)], "{name}: {found:?}");
        let back = "TRUNCATE security_audit_log, security_audit_checkpoints; INSERT INTO security_audit_log SELECT * FROM kept;
            INSERT INTO security_audit_checkpoints SELECT * FROM kept_checkpoints";
        run(&mut conn, back).await;
    }
    // Written anew as a whole, by somebody who owns the database and has not the key.
    let mut forged = Chain::new([2; 16]);
    let forged: Vec<_> = (1..=9).map(|number| forged.link(entry(number, None))).collect();
    run(&mut conn, &format!("DELETE FROM security_audit_log {of_two}")).await;
    w.store.append_trail(&forged).await.unwrap();
    let found = verify(&auditor, &keys, &[]).await.breaks;
    assert_eq!((found[0].segment.as_str(), found[0].number), (two.as_str(), 6), "{found:?}");
    // Removed without a trace, checkpoints too: what was kept outside knows of it.
    run(&mut conn, "TRUNCATE security_audit_log, security_audit_checkpoints").await;
    assert_eq!(verify(&auditor, &keys, &[]).await.breaks, []);
    let found = verify(&auditor, &keys, &anchors).await.breaks;
    assert_eq!((found[0].segment.as_str(), found[0].number), (one.as_str(), 1), "{found:?}");
    let strangers = [CheckpointSigner::new(&[6; 32]).unwrap().public()];
    assert_ne!(verify(&auditor, &strangers, &anchors).await.breaks, []);
}

pub async fn the_application_appends_to_the_trail_and_changes_nothing(w: World) {
    let (records, _) = written(&w, 1).await;
    // Whoever does not know what became of a batch sends it again.
    w.store.append_trail(&records).await.unwrap();
    let auditor = w.auditor();
    assert_eq!(auditor.trail(&TrailFilter::default(), 100).await.unwrap().len(), 9);
    let mut conn = w.app().await;
    for statement in [
        "UPDATE security_audit_log SET outcome = 'ok'",
        "DELETE FROM security_audit_log",
        "TRUNCATE security_audit_log",
        "INSERT INTO security_audit_log SELECT * FROM security_audit_log",
        "DELETE FROM security_audit_log_default",
        "DROP TABLE security_audit_log_default",
        "UPDATE security_audit_checkpoints SET number = 1",
        "DELETE FROM security_audit_checkpoints",
        "INSERT INTO security_audit_retired (until) VALUES (now())",
        "SELECT retire_security_audit(0)",
        "SELECT prepare_security_audit(0)",
    ] {
        let error = sqlx::raw_sql(statement).execute(&mut conn).await.expect_err(statement);
        let code = error.as_database_error().and_then(|e| e.code()).unwrap_or_default().into_owned();
        assert_eq!(code, "42501", "{statement}");
    }
    assert_eq!(verify(&auditor, &[signer().public()], &[]).await.breaks, []);
}

pub async fn a_tenant_sees_its_own_trail_only(w: World) {
    written(&w, 1).await;
    let mut conn = w.app().await;
    for (setting, rows) in [("acme", 3), ("globex", 3), ("nobody", 0), ("", 0), ("%", 0)] {
        run(&mut conn, &format!("BEGIN; SELECT set_config('app.tenant', '{setting}', true)")).await;
        let seen: Vec<String> = sqlx::query_scalar("SELECT tenant_id FROM security_audit_log")
            .fetch_all(&mut conn)
            .await
            .unwrap();
        assert_eq!(seen.len(), rows, "{setting}");
        assert!(seen.iter().all(|tenant| tenant == setting), "{setting}: {seen:?}");
        run(&mut conn, "ROLLBACK").await;
    }
}

pub async fn the_trail_is_filtered_and_exported_with_its_chain(w: World) {
    let (records, checkpoints) = written(&w, 1).await;
    let auditor = w.auditor();
    let all = TrailFilter::default();
    for (name, filter, expected) in [
        ("all, newest first", all.clone(), vec![9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ("of a tenant", TrailFilter { tenant: Some("acme".into()), ..all.clone() }, vec![9, 6, 3]),
        ("of nobody", TrailFilter { tenant: Some(String::new()), ..all.clone() }, vec![8, 5, 2]),
        ("denied", TrailFilter { outcome: Some("denied".into()), ..all.clone() }, vec![8, 5, 2]),
        ("since", TrailFilter { since: Some(AT + Duration::seconds(8)), ..all.clone() }, vec![9, 8]),
        ("until", TrailFilter { until: Some(AT + Duration::seconds(3)), ..all.clone() }, vec![2, 1]),
        ("by whom", TrailFilter { actor: Some("nobody".into()), ..all.clone() }, vec![]),
        ("what", TrailFilter { action: Some("POST".into()), ..all.clone() }, vec![]),
        ("from where", TrailFilter { client: Some("192.0.2.1".into()), ..all.clone() }, vec![]),
    ] {
        let found = auditor.trail(&filter, 100).await.unwrap();
        assert_eq!(found.iter().map(|record| record.number).collect::<Vec<_>>(), expected, "{name}");
    }
    assert_eq!(auditor.trail(&all, 2).await.unwrap().len(), 2);
    let mut exported = Vec::new();
    auditor.export_trail(None, |record| exported.push(record)).await.unwrap();
    assert_eq!(exported, records, "as they were written, bytes and all");
    let mut of_acme = Vec::new();
    auditor.export_trail(Some("acme"), |record| of_acme.push(record.number)).await.unwrap();
    assert_eq!(of_acme, [3, 6, 9]);
    assert_eq!(auditor.checkpoints().await.unwrap(), checkpoints);
}

pub async fn a_month_of_the_trail_is_retired_and_the_rest_still_verifies(w: World) {
    let auditor = w.auditor();
    let mut conn = w.superuser().await;
    run(
        &mut conn,
        "SET ROLE terrasift_owner; SET timezone = 'UTC';
         CREATE TABLE security_audit_log_2025_01 PARTITION OF security_audit_log FOR VALUES FROM ('2025-01-01') TO ('2025-02-01')",
    )
    .await;
    let mut chain = Chain::new([3; 16]);
    let at = [datetime!(2025-01-31 23:59 UTC), datetime!(2025-02-01 00:00 UTC), AT];
    let records: Vec<_> = at.iter().map(|at| chain.link(TrailEntry { at: *at, ..entry(1, None) })).collect();
    w.store.append_trail(&records).await.unwrap();
    w.store.append_checkpoint(signer().sign(&chain, AT, true)).await.unwrap();
    let keys = [signer().public()];
    assert_eq!(retire_trail(&w.owner_url, 12).await.unwrap(), 1);
    assert_eq!(retire_trail(&w.owner_url, 12).await.unwrap(), 0);
    let verdict = verify(&auditor, &keys, &[]).await;
    assert_eq!((verdict.records, verdict.breaks), (2, vec![]), "the chain begins where it was cut");
    run(&mut conn, "RESET ROLE; DELETE FROM security_audit_retired").await;
    assert_eq!(verify(&auditor, &keys, &[]).await.breaks[0].number, 1);
    let refused = retire_trail(&w.app_url, 12).await.expect_err("the application retires nothing");
    assert_eq!(refused.sqlstate(), Some("42501"));
}
