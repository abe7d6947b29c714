//! Callers that go away in the middle of anything.

use std::time::Duration;

use futures_util::future::join_all;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sqlx::Connection;
use terrasift_postgres::{Epoch, Store};

use crate::world::{World, commit, entity_ref, tenant, until, version, workspace};

/// Requests that are begun and dropped, each after another few microseconds; `ABORTS` asks for more: `make aborts`.
const ABORTS: usize = 600;
/// So many at once, of both tenants, on fewer connections: a spoiled one would be used again at once.
const AT_ONCE: usize = 5;
const CONNECTIONS: u32 = 3;

/// Tenants, and the lineage that their entities, and nobody else's, tell of.
const TENANTS: [(&str, u8); 2] = [("acme", 1), ("globex", 2)];

/// One request, which may be dropped at each of its steps. Whatever it reads to its end is its tenant's.
async fn request(store: &Store, epoch: Epoch, number: usize) {
    let (name, lineage) = TENANTS[number % 2];
    let (owner, ws) = (tenant(name), workspace("a"));
    let own =
        |body: &str| assert!(body.contains(&format!("\"content\":\"{lineage}-")), "{name} reads {body}");
    match number / 2 % 4 {
        0 | 1 => {
            let Ok(ticket) = store.begin_read(&owner, &ws).await else { return };
            let serial = i64::try_from(number).unwrap();
            let one = commit(&ws, &ticket, epoch, 0, version(lineage, serial, 1), &["x", "y"]);
            drop(store.commit(&owner, vec![one]).await);
        }
        2 => {
            let Ok(Some(entity)) = store.entity(&owner, &entity_ref("x")).await else { return };
            own(&entity.body);
        }
        _ => {
            let Ok((_, changes)) = store.changes(&owner, 0, 10, None).await else { return };
            changes.iter().filter_map(|change| change.body.as_deref()).for_each(own);
        }
    }
}

pub async fn aborted_futures_leave_no_transaction_and_no_context(w: World) {
    #[expect(clippy::disallowed_methods, reason = "as `CASE` does")]
    let aborts = std::env::var("ABORTS").ok().and_then(|text| text.parse().ok()).unwrap_or(ABORTS);
    let seed = 0x7e44_a51f_u64;
    println!("       seed {seed:#x}, {aborts} aborted requests");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let epoch = w.store.claim_partition(0).await.unwrap();
    let store = Store::connect(&w.app_url, CONNECTIONS).await.unwrap();
    let mut number = 0;
    while number < aborts {
        let aborted = (0..AT_ONCE).map(|beside| {
            let patience = Duration::from_micros(rng.random_range(0..6_000));
            tokio::time::timeout(patience, request(&store, epoch, number + beside))
        });
        let aborted = join_all(aborted).await;
        number += aborted.iter().filter(|outcome| outcome.is_err()).count().max(1);
        // Whoever comes next, on whichever connection, has no tenant of others.
        assert_eq!(store.api_key([1; 32]).await.unwrap(), None);
        for which in [4, 5] {
            request(&store, epoch, which).await;
        }
    }
    let mut observer = w.superuser().await;
    until(
        "no transaction is left open",
        &mut observer,
        "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                            AND usename = 'terrasift_app' AND state <> 'idle')",
    )
    .await;
    // What was written is each tenant's own, and whole: both entities of one serial.
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT tenant_id, name, body::json ->> 'content' FROM entities ORDER BY tenant_id, name",
    )
    .fetch_all(&mut observer)
    .await
    .unwrap();
    let whole = rows.chunks(2).zip(TENANTS).all(|(pair, (name, lineage))| {
        pair.iter().all(|row| row.0 == name && row.2.starts_with(&format!("{lineage}-")))
            && pair[0].2 == pair[1].2
    });
    assert!(whole && rows.len() == 4, "{rows:?}");
    observer.close().await.unwrap();
    store.close().await;
}
