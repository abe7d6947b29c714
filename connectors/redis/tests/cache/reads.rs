//! What a read through the cache keeps, over both stores: one load for many readers, nothing older than a commit that was before.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use terrasift_redis::{CacheStore, Fresh, MemoryCache, Outcome, PrivateRedis};

use crate::world::{Broken, PATIENT, Row, World, connection, entity, keys, redis_cache, until};

fn memory() -> Arc<dyn CacheStore> {
    Arc::new(MemoryCache::new(8 << 20))
}

/// Runs a case over each store.
async fn over_both<F: Future<Output = ()>>(case: impl Fn(World) -> F) {
    case(World::over(memory())).await;
    let server = PrivateRedis::start(&[]).await.expect("redis");
    case(World::over(redis_cache(&server.address(), PATIENT))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stampede_of_100_is_one_load() {
    over_both(|world| async move {
        let crowd: Vec<_> = (0..100)
            .map(|_| {
                let world = world.clone();
                tokio::spawn(async move { world.read_held(entity("org-a", "x")).await })
            })
            .collect();
        until("the crowd", || world.count(Outcome::Joined) == 99 && world.loads() == 1).await;
        world.open();
        let answers: Vec<String> = join_all(crowd).await.into_iter().map(Result::unwrap).collect();
        assert!(answers.iter().all(|answer| answer == "@1"), "{answers:?}");
        assert_eq!(world.loads(), 1);
        world.outcomes();
        assert_eq!(world.read_held(entity("org-a", "x")).await, "@1");
        assert_eq!((world.outcomes(), world.loads()), (vec![Outcome::Hit], 1), "and kept");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_after_a_commit_is_not_older_than_it() {
    over_both(|world| async move {
        assert_eq!(world.read(entity("org-a", "x")).await, "org-a/x@1");
        assert_eq!(world.read(entity("org-a", "x")).await, "org-a/x@1");
        world.write();
        assert_eq!(world.read(entity("org-a", "x")).await, "org-a/x@2");
        assert_eq!(world.outcomes(), [Outcome::Miss, Outcome::Hit, Outcome::Stale]);
        // Who looked before the commit may get what is newer; another generation never.
        let before = Fresh { epoch: 1, seq: 1 };
        assert_eq!(world.read_as_new_as(entity("org-a", "x"), before).await, "org-a/x@2");
        world.write();
        let rebuilt = Fresh { epoch: 2, seq: 1 };
        assert_eq!(world.read_as_new_as(entity("org-a", "x"), rebuilt).await, "org-a/x@3");
        assert_eq!(world.outcomes(), [Outcome::Hit, Outcome::Stale]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_after_a_commit_does_not_join_a_read_from_before() {
    over_both(|world| async move {
        let early = tokio::spawn({
            let world = world.clone();
            async move { world.read_held(entity("org-a", "x")).await }
        });
        until("the early reader", || world.loads() == 1).await;
        world.write();
        assert_eq!(world.read(entity("org-a", "x")).await, "org-a/x@2", "while the other still reads");
        world.open();
        assert_eq!(early.await.unwrap(), "@1");
        // The early reader put its older value last: it is not served to whoever asks now.
        world.outcomes();
        assert_eq!(world.read(entity("org-a", "x")).await, "org-a/x@2");
        assert_eq!(world.outcomes(), [Outcome::Stale]);
    })
    .await;
}

/// Writers and readers of two replicas at random: each reader's answer holds what was committed before it asked.
#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_never_answer_with_less_than_was_committed() {
    let server = PrivateRedis::start(&[]).await.expect("redis");
    let one = World::over(redis_cache(&server.address(), PATIENT));
    let two = one.replica(redis_cache(&server.address(), PATIENT));
    let readers: Vec<_> = (0..16_usize)
        .map(|number| {
            let world = if number % 2 == 0 { one.clone() } else { two.clone() };
            tokio::spawn(async move {
                for round in 0..200_usize {
                    if (round * 7 + number).is_multiple_of(13) {
                        world.write();
                    }
                    let committed = world.seq.load(Ordering::SeqCst);
                    let answer = world.read(entity("org-a", "x")).await;
                    let seen: i64 = answer.rsplit('@').next().unwrap().parse().unwrap();
                    assert!(seen >= committed, "{seen} after {committed} was committed");
                }
            })
        })
        .collect();
    for reader in readers {
        reader.await.unwrap();
    }
    let hits = one.count(Outcome::Hit) + two.count(Outcome::Hit);
    assert!(hits > 0 && one.loads() < 3_200, "{hits} hits, {} loads", one.loads());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_takes_nobody_with_it() {
    over_both(|world| async move {
        let spawn = || {
            let world = world.clone();
            tokio::spawn(async move { world.read_held(entity("org-a", "x")).await })
        };
        let first = spawn();
        until("the first", || world.loads() == 1).await;
        let second = spawn();
        until("the second", || world.count(Outcome::Joined) == 1).await;
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        world.open();
        let answer = tokio::time::timeout(Duration::from_secs(20), second).await.expect("goes on");
        assert_eq!((answer.unwrap().as_str(), world.loads()), ("@1", 1));
        // A read that all have given up is no read that somebody could join.
        let third = tokio::spawn({
            let world = world.clone();
            async move { world.read_held(entity("org-a", "y")).await }
        });
        until("the third", || world.loads() == 2).await;
        third.abort();
        assert!(third.await.unwrap_err().is_cancelled());
        assert_eq!(world.read(entity("org-a", "y")).await, "org-a/y@1");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_and_absence_are_told_and_not_kept() {
    over_both(|world| async move {
        let fresh = world.fresh();
        let failed = world.cache.read::<Row>(entity("org-a", "x"), fresh, async { Err(Broken) }).await;
        assert_eq!(*failed.unwrap_err(), Broken);
        let absent = world.cache.read::<Row>(entity("org-a", "x"), fresh, async { Ok(None) }).await;
        assert_eq!(absent.unwrap(), None);
        assert_eq!(world.read(entity("org-a", "x")).await, "org-a/x@1");
        assert_eq!(world.outcomes(), [Outcome::Miss; 3]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_share_nothing() {
    over_both(|world| async move {
        assert_eq!(world.read(entity("org-a", "x")).await, "org-a/x@1");
        assert_eq!(world.read(entity("org-b", "x")).await, "org-b/x@1");
        assert_eq!(world.outcomes(), [Outcome::Miss; 2]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_holds_digests_for_a_time_that_is_told() {
    let server = PrivateRedis::start(&[]).await.expect("redis");
    let world = World::over(redis_cache(&server.address(), PATIENT));
    let mut connection = connection(&server).await;
    for number in 0..50 {
        world.read(entity("org-secretive", &format!("name-{number}"))).await;
    }
    let keys = keys(&mut connection).await;
    assert_eq!(keys.len(), 50);
    let mut ttls = Vec::new();
    for key in &keys {
        let digest = key.strip_prefix("t:cache:").expect("the prefix");
        assert!(digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()), "{key}");
        let ttl: i64 = redis::cmd("PTTL").arg(key).query_async(&mut connection).await.unwrap();
        ttls.push(ttl);
    }
    assert!(ttls.iter().all(|ttl| (240_000..=300_000).contains(ttl)), "five minutes less a tenth: {ttls:?}");
    let (first, last) = (ttls.iter().min().unwrap(), ttls.iter().max().unwrap());
    assert!(last - first > 5_000, "they do not end together: {first} to {last}");
    // A write overwrites: old versions take no room.
    world.write();
    world.read(entity("org-secretive", "name-0")).await;
    assert_eq!(crate::world::keys(&mut connection).await.len(), 50);
}
