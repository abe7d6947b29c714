//! What the database holds of a tenant, as it is handed out.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::AssertSqlSafe;
use terrasift_postgres::{StoreErrorKind, TenantExport, set_suspended};

use crate::erasure::furnish;
use crate::isolation::tables_with_tenant;
use crate::world::{World, tenant};

async fn everything(w: &World, id: &str) -> BTreeMap<String, Vec<serde_json::Value>> {
    rest(&mut TenantExport::begin(&w.app_url, &tenant(id)).await.unwrap()).await
}

async fn rest(export: &mut TenantExport) -> BTreeMap<String, Vec<serde_json::Value>> {
    let mut found: BTreeMap<String, Vec<_>> = BTreeMap::new();
    while let Some(page) = export.next().await.unwrap() {
        assert!(page.rows.len() <= 500, "pages are bounded");
        let rows = page.rows.iter().map(|row| serde_json::from_str(row).unwrap());
        found.entry(page.table.to_owned()).or_default().extend(rows);
    }
    found
}

pub async fn an_export_holds_every_row_of_the_tenant_and_of_nobody_else(w: World) {
    furnish(&w).await;
    let mut conn = w.superuser().await;
    let exported = everything(&w, "acme").await;
    let mut tables = tables_with_tenant(&mut conn).await;
    tables.retain(|table| table != "erased_tenants");
    assert_eq!(exported.keys().cloned().collect::<BTreeSet<_>>(), tables.iter().cloned().collect());
    let left_out: BTreeSet<String> = TenantExport::left_out().collect();
    for table in &tables {
        let columns: BTreeSet<String> = sqlx::query_scalar(
            "SELECT attname::text FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped",
        )
        .bind(table)
        .fetch_all(&mut conn)
        .await
        .unwrap()
        .into_iter()
        .collect();
        let count = format!("SELECT count(*) FROM {table} WHERE tenant_id = 'acme'");
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(&mut conn).await.unwrap();
        assert_eq!(i64::try_from(exported[table].len()).unwrap(), count, "{table}");
        for row in &exported[table] {
            assert_eq!(row["tenant_id"], "acme", "{table}");
            let shown: BTreeSet<String> = row.as_object().unwrap().keys().cloned().collect();
            let hidden: BTreeSet<String> = columns
                .iter()
                .filter(|column| left_out.contains(&format!("{table}.{column}")))
                .cloned()
                .collect();
            // A new column has to be handed out or left out by name.
            assert!(shown.is_disjoint(&hidden), "{table}");
            assert_eq!(shown.union(&hidden).cloned().collect::<BTreeSet<_>>(), columns, "{table}");
        }
    }
    assert_eq!(exported["entities"][0]["body"]["name"], "x", "a body is JSON, not text");
    // Every byte of the digests of this key and delivery is 9.
    for table in ["api_keys", "webhook_deliveries", "token_users"] {
        let text = serde_json::to_string(&exported[table]).unwrap();
        assert!(!text.contains(&"09".repeat(32)) && !text.contains("token-1"), "{table}: {text}");
    }
}

pub async fn an_export_is_one_snapshot_and_comes_in_pages(w: World) {
    furnish(&w).await;
    let mut conn = w.superuser().await;
    let many = |first: u32, last: u32| {
        format!(
            "INSERT INTO entities (tenant_id, entity_ref, workspace_id, kind, namespace, name, body, digest, change_seq)
             SELECT 'acme', 'resource:many/e' || n, 'ws-a', 'Resource', 'many', 'e' || n, '{{}}', sha256(n::text::bytea), n
             FROM generate_series({first}, {last}) AS n"
        )
    };
    sqlx::raw_sql(AssertSqlSafe(many(1, 1_200))).execute(&mut conn).await.unwrap();
    let mut export = TenantExport::begin(&w.app_url, &tenant("acme")).await.unwrap();
    let head = export.head().clone();
    // What comes and goes meanwhile is not seen.
    sqlx::raw_sql(AssertSqlSafe(many(2_000, 2_100))).execute(&mut conn).await.unwrap();
    sqlx::raw_sql("DELETE FROM runs").execute(&mut conn).await.unwrap();
    let exported = rest(&mut export).await;
    assert_eq!((exported["entities"].len(), exported["runs"].len()), (1_201, 1));
    let rows: usize = exported.values().map(Vec::len).sum();
    assert_eq!((head.slug.as_str(), head.rows), ("acme", u64::try_from(rows).unwrap()));
    assert!(head.schema >= 18);
    let refs: Vec<_> = exported["entities"].iter().map(|row| row["entity_ref"].to_string()).collect();
    assert!(refs.is_sorted(), "in the order of their keys");

    for id in ["nobody", "acme"] {
        if id == "acme" {
            sqlx::raw_sql("INSERT INTO erased_tenants (tenant_id, begun_by) VALUES ('acme', 'alice')")
                .execute(&mut conn)
                .await
                .unwrap();
        }
        let error = TenantExport::begin(&w.app_url, &tenant(id)).await.err().expect("refused");
        assert_eq!(error.kind(), StoreErrorKind::Invalid, "{id}: {error}");
    }
    assert!(set_suspended(&w.owner_url, &tenant("acme"), false).await.is_err());
}
