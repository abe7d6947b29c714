//! A Redis that is down, dies, does not answer or lies costs a little time once, and changes no answer.

use std::time::Duration;

use redis::AsyncCommands;
use terrasift_redis::{CACHE_WAIT_MAX, ENTRY_BYTES_MAX, Outcome, PrivateRedis};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::world::{PATIENT, World, connection, entity, keys, redis_cache};

/// A port on which nobody listens.
async fn nobody() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    format!("redis://{}/", listener.local_addr().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_was_never_there_costs_one_try() {
    let world = World::over(redis_cache(&nobody().await, CACHE_WAIT_MAX));
    for number in 0..20 {
        let name = format!("n{number}");
        assert_eq!(world.read(entity("org-a", &name)).await, format!("org-a/{name}@1"));
    }
    let outcomes = world.outcomes();
    assert_eq!(outcomes[0], Outcome::Error);
    let skipped = outcomes.iter().filter(|outcome| **outcome == Outcome::Skipped).count();
    assert!(skipped >= 18, "asked again and again: {outcomes:?}");
}

/// It takes connections and says nothing, as a halted machine or a swallowing network does.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_never_answers_holds_readers_up_once_and_for_a_moment() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("redis://{}/", listener.local_addr().unwrap());
    let held = tokio::spawn(async move {
        let mut connections = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            connections.push(connection);
        }
    });
    let world = World::over(redis_cache(&address, CACHE_WAIT_MAX));
    let begun = Instant::now();
    assert_eq!(world.read(entity("org-a", "x")).await, "org-a/x@1");
    let first = begun.elapsed();
    assert!(first >= CACHE_WAIT_MAX, "it was asked: {first:?}");
    assert!(first < CACHE_WAIT_MAX * 20, "{first:?}");
    let begun = Instant::now();
    for number in 0..50 {
        world.read(entity("org-a", &format!("n{number}"))).await;
    }
    // The first wait is a second: what falls into it is not asked at all.
    let skipped = world.count(Outcome::Skipped);
    assert!(skipped >= 49, "{:?} for 50, {skipped} skipped", begun.elapsed());
    held.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_dies_and_comes_back_is_left_and_found_again() {
    let mut server = PrivateRedis::start(&[]).await.expect("redis");
    let world = World::over(redis_cache(&server.address(), Duration::from_secs(2)));
    world.read(entity("org-a", "x")).await;
    world.read(entity("org-a", "x")).await;
    assert_eq!(world.outcomes(), [Outcome::Miss, Outcome::Hit]);
    server.kill();
    assert_eq!(world.read(entity("org-a", "x")).await, "org-a/x@1");
    assert_eq!(world.read(entity("org-a", "x")).await, "org-a/x@1");
    assert_eq!(world.outcomes()[0], Outcome::Error);
    server.restart().await.expect("back");
    used_again(&world, "org-a/x@1").await;
}

/// Reads until the cache is what answers.
async fn used_again(world: &World, answer: &str) {
    let begun = Instant::now();
    while !world.outcomes().contains(&Outcome::Hit) {
        assert!(begun.elapsed() < Duration::from_secs(60), "it is not used again");
        assert_eq!(world.read(entity("org-a", "x")).await, answer);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_halted_redis_changes_no_answer() {
    let server = PrivateRedis::start(&[]).await.expect("redis");
    let world = World::over(redis_cache(&server.address(), CACHE_WAIT_MAX));
    world.read(entity("org-a", "x")).await;
    server.pause();
    world.write();
    world.outcomes();
    assert_eq!(world.read(entity("org-a", "x")).await, "org-a/x@2");
    assert_eq!(world.outcomes(), [Outcome::Error]);
    server.resume();
    used_again(&world, "org-a/x@2").await;
}

/// Puts a lie under a key, reads, and says what came of it.
async fn told(server: &PrivateRedis, world: &World, lie: redis::Cmd) -> Vec<Outcome> {
    let mut connection = connection(server).await;
    lie.exec_async(&mut connection).await.unwrap();
    let loads = world.loads();
    world.outcomes();
    assert_eq!(world.read(entity("org-a", "x")).await, "org-a/x@2", "the truth");
    assert_eq!(world.loads(), loads + 1, "from its source");
    let outcomes = world.outcomes();
    // It was put in place of the lie.
    assert_eq!(world.read(entity("org-a", "x")).await, "org-a/x@2");
    assert_eq!(world.outcomes(), [Outcome::Hit]);
    outcomes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lying_redis_is_a_miss_that_is_counted() {
    let server = PrivateRedis::start(&[]).await.expect("redis");
    let world = World::over(redis_cache(&server.address(), PATIENT));
    let mut connection = connection(&server).await;
    world.read(entity("org-a", "x")).await;
    let own = keys(&mut connection).await.remove(0);
    let before: Vec<u8> = connection.get(&own).await.unwrap();
    world.write();
    world.read(entity("org-a", "x")).await;
    let entry: Vec<u8> = connection.get(&own).await.unwrap();
    world.read(entity("org-b", "x")).await;
    let key = keys(&mut connection).await.into_iter().find(|key| *key != own).unwrap();
    let neighbour: Vec<u8> = connection.get(&key).await.unwrap();
    let flipped = |at: usize| {
        let mut entry = entry.clone();
        entry[at] ^= 1;
        entry
    };
    let made_newer = {
        let mut entry = before.clone();
        entry[48] = 9;
        entry
    };
    let lies: [(&str, Vec<u8>, Outcome); 10] = [
        ("another tenant's entry", neighbour, Outcome::Refused),
        ("a flipped bit in the value", flipped(entry.len() - 1), Outcome::Refused),
        ("a flipped bit in the tag", flipped(5), Outcome::Refused),
        ("another format", flipped(0), Outcome::Refused),
        ("an entry of before", before, Outcome::Stale),
        ("an entry of before, made newer", made_newer, Outcome::Refused),
        ("a value without a seal", b"\"org-b/x@2\"".to_vec(), Outcome::Refused),
        ("half an entry", entry[..entry.len() / 2].to_vec(), Outcome::Refused),
        ("more than is ever put", vec![b'x'; ENTRY_BYTES_MAX + 1], Outcome::Refused),
        ("an enormous value", vec![b'x'; 64 << 20], Outcome::Refused),
    ];
    for (name, lie, expected) in lies {
        let mut set = redis::cmd("SET");
        set.arg(&own).arg(lie);
        assert_eq!(told(&server, &world, set).await, [expected], "{name}");
    }
    let mut list = redis::cmd("EVAL");
    list.arg("redis.call('DEL', KEYS[1]); return redis.call('RPUSH', KEYS[1], 'a')").arg(1).arg(&own);
    assert_eq!(told(&server, &world, list).await, [Outcome::Refused], "a list");
}
