//! What every store of the cache keeps: one suite, run on the one in memory (in paused time) and on the one in a real Redis.

use std::sync::Arc;
use std::time::Duration;

use terrasift_redis::{CacheStore, ENTRY_BYTES_MAX, EntryName, Found, MemoryCache, PrivateRedis};
use tokio::time::{Instant, sleep};

use crate::world::{PATIENT, redis_cache};

const LONG: Duration = Duration::from_secs(60);

fn name(number: u8) -> EntryName {
    [number; 32]
}

async fn found(store: &Arc<dyn CacheStore>, number: u8) -> Found {
    store.get(name(number)).await.expect("answers")
}

async fn put(store: &Arc<dyn CacheStore>, number: u8, entry: &[u8], ttl: Duration) {
    store.put(name(number), entry.to_vec(), ttl).await.expect("answers");
}

async fn what_is_put_is_found_under_its_name_alone(store: &Arc<dyn CacheStore>) {
    let every_byte: Vec<u8> = (0..=255).cycle().take(3_000).collect();
    assert_eq!(found(store, 1).await, Found::Nothing);
    put(store, 1, &every_byte, LONG).await;
    assert_eq!(found(store, 1).await, Found::Entry(every_byte));
    assert_eq!(found(store, 2).await, Found::Nothing);
    put(store, 1, b"another", LONG).await;
    assert_eq!(found(store, 1).await, Found::Entry(b"another".to_vec()));
}

async fn an_entry_ends(store: &Arc<dyn CacheStore>) {
    let begun = Instant::now();
    put(store, 10, b"short", Duration::from_millis(300)).await;
    put(store, 11, b"long", LONG).await;
    put(store, 12, b"short", Duration::from_millis(300)).await;
    put(store, 12, b"put anew", LONG).await;
    assert_eq!(found(store, 10).await, Found::Entry(b"short".to_vec()));
    while found(store, 10).await != Found::Nothing {
        assert!(begun.elapsed() < Duration::from_secs(10), "it does not end");
        sleep(Duration::from_millis(10)).await;
    }
    assert!(begun.elapsed() >= Duration::from_millis(290), "it ended too soon: {:?}", begun.elapsed());
    assert_eq!(found(store, 11).await, Found::Entry(b"long".to_vec()));
    assert_eq!(found(store, 12).await, Found::Entry(b"put anew".to_vec()));
}

async fn what_is_too_large_is_not_put(store: &Arc<dyn CacheStore>) {
    put(store, 20, &vec![1; ENTRY_BYTES_MAX], LONG).await;
    assert_eq!(found(store, 20).await, Found::Entry(vec![1; ENTRY_BYTES_MAX]));
    put(store, 21, &vec![1; ENTRY_BYTES_MAX + 1], LONG).await;
    assert_eq!(found(store, 21).await, Found::Nothing);
}

async fn many_at_once_do_not_mix(store: &Arc<dyn CacheStore>) {
    let each = (100..200_u8).map(|number| async move {
        put(store, number, &[number; 50], LONG).await;
        assert_eq!(found(store, number).await, Found::Entry(vec![number; 50]));
    });
    futures_util::future::join_all(each).await;
}

async fn run_all(store: Arc<dyn CacheStore>) {
    what_is_put_is_found_under_its_name_alone(&store).await;
    an_entry_ends(&store).await;
    what_is_too_large_is_not_put(&store).await;
    many_at_once_do_not_mix(&store).await;
}

#[tokio::test(start_paused = true)]
async fn the_cache_in_memory_keeps_the_contract() {
    run_all(Arc::new(MemoryCache::new(8 * ENTRY_BYTES_MAX))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cache_in_redis_keeps_the_contract() {
    let server = PrivateRedis::start(&[]).await.expect("redis");
    run_all(redis_cache(&server.address(), PATIENT)).await;
}
