//! Callers that go away in the middle of anything.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sqlx::Connection;
use terrasift_postgres::Store;

use crate::world::{World, commit, entity_ref, tenant, until, version, workspace};

/// Futures that are begun and dropped, each after another few microseconds.
const ABORTS: u64 = 600;

pub async fn aborted_futures_leave_no_transaction_and_no_context(w: World) {
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    let seed = 0x7e44_a51f_u64;
    println!("       seed {seed:#x}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let epoch = w.store.claim_partition(0).await.unwrap();
    // Few connections, so that a spoiled one would be used again at once.
    let store = Store::connect(&w.app_url, 3).await.unwrap();
    let ws = workspace("a");
    for round in 0..ABORTS {
        let ticket = w.ticket(&ws).await;
        let serial = i64::try_from(round).unwrap();
        let one = commit(&ws, &ticket, epoch, 0, version(1, serial, 1), &["x", "y"]);
        let patience = Duration::from_micros(rng.random_range(0..3_000));
        let aborted = async {
            match round % 3 {
                0 => drop(store.commit(&acme, vec![one]).await),
                1 => drop(store.begin_read(&acme, &ws).await),
                _ => drop(store.changes(&acme, 0, 10, None).await),
            }
        };
        let _ = tokio::time::timeout(patience, aborted).await;
        // Whoever comes next, on whichever connection, sees its own rows only.
        if round % 5 == 0 {
            assert!(store.entity(&globex, &entity_ref("x")).await.unwrap().is_none());
            assert_eq!(store.api_key([1; 32]).await.unwrap(), None);
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
    observer.close().await.unwrap();
    // What was written is whole: both entities of one serial.
    let x = store.entity(&acme, &entity_ref("x")).await.unwrap().expect("some commit came through");
    let y = store.entity(&acme, &entity_ref("y")).await.unwrap().expect("with both entities");
    assert_eq!(x.body.replace("\"x\"", "\"y\""), y.body);
    store.close().await;
}
