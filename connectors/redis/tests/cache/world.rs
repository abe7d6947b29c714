//! A catalog that can be written, and readers that go through a cache to it.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use terrasift_redis::{
    CacheStore, Fresh, Outcome, PrivateRedis, ReadThrough, RedisCache, RedisCacheConfig, Thing, Ttl, Ttls,
};
use terrasift_schemas::{FromCatalog, TenantId};
use tokio::sync::Notify;

/// What a test reads is about decisions: a machine that is slow for a moment is no Redis that is away.
pub const PATIENT: Duration = Duration::from_secs(10);
pub const KEY: [u8; 32] = [7; 32];

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row(pub String);

impl FromCatalog for Row {}

#[derive(Debug, PartialEq, Eq)]
pub struct Broken;

pub fn redis_cache(address: &str, answer_wait_max: Duration) -> Arc<dyn CacheStore> {
    let config = RedisCacheConfig { address: address.to_owned(), prefix: "t".to_owned(), answer_wait_max };
    Arc::new(RedisCache::new(config).unwrap())
}

pub fn entity(tenant: &str, name: &str) -> Thing {
    let tenant = TenantId::parse(tenant).unwrap();
    Thing { tenant, kind: "entity", name: name.to_owned(), ttl: Ttl::Entity }
}

/// A catalog of one value, which counts how often it was asked; and what each read came to.
#[derive(Clone)]
pub struct World {
    pub cache: ReadThrough<Broken>,
    pub seq: Arc<AtomicI64>,
    pub loads: Arc<AtomicUsize>,
    outcomes: Arc<Mutex<Vec<Outcome>>>,
    gate: Arc<Notify>,
}

impl World {
    pub fn over(store: Arc<dyn CacheStore>) -> Self {
        let outcomes: Arc<Mutex<Vec<Outcome>>> = Arc::default();
        let noted = Arc::clone(&outcomes);
        let note = move |_: &str, outcome| noted.lock().unwrap().push(outcome);
        Self {
            cache: ReadThrough::new(store, KEY, Ttls::default(), note),
            seq: Arc::new(AtomicI64::new(1)),
            loads: Arc::default(),
            outcomes,
            gate: Arc::default(),
        }
    }

    /// Another replica: the same catalog, a cache of its own before the same or another store.
    pub fn replica(&self, store: Arc<dyn CacheStore>) -> Self {
        let other = Self::over(store);
        Self { seq: Arc::clone(&self.seq), loads: Arc::clone(&self.loads), ..other }
    }

    pub fn fresh(&self) -> Fresh {
        Fresh { epoch: 1, seq: self.seq.load(Ordering::SeqCst) }
    }

    /// Commits a change.
    pub fn write(&self) {
        self.seq.fetch_add(1, Ordering::SeqCst);
    }

    /// Reads as a request does: first how new it must be, then the value.
    pub async fn read(&self, thing: Thing) -> String {
        self.read_as_new_as(thing, self.fresh()).await
    }

    pub async fn read_as_new_as(&self, thing: Thing, fresh: Fresh) -> String {
        let (seq, loads) = (Arc::clone(&self.seq), Arc::clone(&self.loads));
        let of = format!("{}/{}", thing.tenant, thing.name);
        let load = async move {
            loads.fetch_add(1, Ordering::SeqCst);
            Ok(Some(Row(format!("{of}@{}", seq.load(Ordering::SeqCst)))))
        };
        self.cache.read(thing, fresh, load).await.unwrap().unwrap().0.clone()
    }

    /// As [`World::read`], with a source that answers when [`World::open`] is called.
    pub async fn read_held(&self, thing: Thing) -> String {
        let (seq, loads, gate) = (Arc::clone(&self.seq), Arc::clone(&self.loads), Arc::clone(&self.gate));
        let load = async move {
            loads.fetch_add(1, Ordering::SeqCst);
            let seen = seq.load(Ordering::SeqCst);
            gate.notified().await;
            Ok(Some(Row(format!("@{seen}"))))
        };
        self.cache.read(thing, self.fresh(), load).await.unwrap().unwrap().0.clone()
    }

    pub fn open(&self) {
        self.gate.notify_one();
    }

    pub fn loads(&self) -> usize {
        self.loads.load(Ordering::SeqCst)
    }

    /// What came of the reads since the last look.
    pub fn outcomes(&self) -> Vec<Outcome> {
        std::mem::take(&mut *self.outcomes.lock().unwrap())
    }

    pub fn count(&self, wanted: Outcome) -> usize {
        self.outcomes.lock().unwrap().iter().filter(|outcome| **outcome == wanted).count()
    }
}

/// Waits for a condition, bounded.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(30), wait).await.is_ok(), "waited in vain for {what}");
}

/// Another client's connection.
pub async fn connection(server: &PrivateRedis) -> redis::aio::MultiplexedConnection {
    let client = redis::Client::open(server.address()).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

/// The keys that are there.
pub async fn keys(connection: &mut redis::aio::MultiplexedConnection) -> Vec<String> {
    let mut keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(connection).await.unwrap();
    keys.sort();
    keys
}
