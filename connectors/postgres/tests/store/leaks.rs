//! Leak detection finds what the policies did not prevent, and nothing else.

use sqlx::Connection;
use terrasift_postgres::Leak;

use crate::world::{World, commit, tenant, version, workspace};

pub async fn each_kind_of_leak_is_found_and_a_sound_catalog_has_none(w: World) {
    let epoch = w.store.claim_partition(0).await.unwrap();
    for (number, name) in ["acme", "globex"].into_iter().enumerate() {
        let (owner, ws) = (tenant(name), workspace(name));
        let ticket = w.store.begin_read(&owner, &ws).await.unwrap();
        // Entities are in the namespace of acme: fine for acme only.
        let names: &[&str] = if number == 0 { &["x", "y"] } else { &[] };
        let one = commit(&ws, &ticket, epoch, 0, version(1, 1, 1), names);
        w.store.commit(&owner, vec![one]).await.unwrap();
    }
    let auditor = w.auditor();
    assert_eq!(auditor.look().await.unwrap(), []);

    let mut conn = w.superuser().await;
    let leak = |kind, subject: &str, rows| Leak { kind, subject: subject.to_owned(), rows };
    for (make, expected) in [
        (
            "UPDATE entities SET tenant_id = 'globex', workspace_id = 'ws-globex' WHERE name = 'x'",
            vec![leak("foreign_reference", "globex", 1)],
        ),
        (
            "UPDATE runs SET workspace_id = workspace_id; INSERT INTO runs (tenant_id, run_id, workspace_id, serial)
             VALUES ('globex', 'run-1', 'ws-acme', 1)",
            vec![leak("foreign_workspace", "globex", 1)],
        ),
        (
            "INSERT INTO workspaces (tenant_id, workspace_id, lineage, serial, pipeline)
             SELECT 'globex', workspace_id, lineage, serial, pipeline FROM workspaces WHERE tenant_id = 'acme'",
            vec![leak("shared_workspace", "acme", 1), leak("shared_workspace", "globex", 1)],
        ),
        ("ALTER TABLE runs NO FORCE ROW LEVEL SECURITY", vec![leak("unguarded_table", "runs", 1)]),
        ("CREATE POLICY open ON api_keys USING (true)", vec![leak("open_policy", "api_keys", 1)]),
    ] {
        let mut tx = conn.begin().await.unwrap();
        sqlx::raw_sql(make).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        let mut found = auditor.look().await.unwrap();
        found.sort_by(|a, b| a.subject.cmp(&b.subject));
        assert_eq!(found, expected, "{make}");
        // Back to what it was.
        for undo in [
            "UPDATE entities SET tenant_id = 'acme', workspace_id = 'ws-acme' WHERE name = 'x'",
            "DELETE FROM runs WHERE tenant_id = 'globex'",
            "DELETE FROM workspaces WHERE tenant_id = 'globex' AND workspace_id = 'ws-acme'",
            "ALTER TABLE runs FORCE ROW LEVEL SECURITY",
            "DROP POLICY IF EXISTS open ON api_keys",
        ] {
            sqlx::raw_sql(undo).execute(&mut conn).await.unwrap();
        }
    }
    assert_eq!(auditor.look().await.unwrap(), []);
    conn.close().await.unwrap();
}
