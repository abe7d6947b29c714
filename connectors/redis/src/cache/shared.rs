//! The cache in Redis, shared by all replicas.
//!
//! Must never make anybody wait long: an answer comes within [`CACHE_WAIT_MAX`] or not at all, and who gave none is left alone.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use redis::{Cmd, Value};

use super::breaker::{Breaker, Turn};
use super::port::{Away, CacheStore, ENTRY_BYTES_MAX, EntryName, Found};
use crate::link::{BadAddress, Link, NoAnswer, Refusal};

/// Longest wait for an answer in production, a connection included where there is none: longer, and the database is asked sooner.
pub const CACHE_WAIT_MAX: Duration = Duration::from_millis(30);

/// How to reach Redis. No Debug: the address can hold a password.
pub struct RedisCacheConfig {
    /// `redis://[user:password@]host[:port][/database]`, `rediss://…` or `unix:///path`.
    pub address: String,
    /// Before all keys.
    pub prefix: String,
    /// Longest wait for an answer ([`CACHE_WAIT_MAX`]).
    pub answer_wait_max: Duration,
}

/// A cache in Redis.
pub struct RedisCache {
    link: Link,
    prefix: String,
    breaker: Mutex<Breaker>,
}

impl RedisCache {
    /// One that asks Redis from the first question on.
    ///
    /// # Errors
    /// [`BadAddress`]; whether somebody answers there is not tried.
    pub fn new(config: RedisCacheConfig) -> Result<Self, BadAddress> {
        let RedisCacheConfig { address, prefix, answer_wait_max } = config;
        Ok(Self { link: Link::new(&address, answer_wait_max)?, prefix, breaker: Mutex::default() })
    }

    /// Connects so from now on: the address or its password has changed.
    ///
    /// # Errors
    /// [`BadAddress`]; then the one from before stays.
    pub fn take_address(&self, address: &str) -> Result<(), BadAddress> {
        self.link.take_address(address)
    }

    fn key(&self, name: &EntryName) -> String {
        let mut key = format!("{}:cache:", self.prefix);
        for byte in name {
            key.push_str(&format!("{byte:02x}"));
        }
        key
    }

    async fn ask(&self, command: Cmd) -> Result<Result<Value, Refusal>, Away> {
        let breaker = || self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        let asked_at = now();
        if !breaker().admits(asked_at) {
            return Err(Away::NotAsked);
        }
        let answer = self.link.command(&command).await;
        let turn = match answer {
            Ok(_) => breaker().answered(),
            Err(NoAnswer) => breaker().failed(asked_at, now()),
        };
        match turn {
            Turn::Closed => tracing::warn!("redis does not answer: the cache is left alone for a while"),
            Turn::Opened => tracing::info!("redis answers: the cache is used again"),
            Turn::Same => (),
        }
        answer.map_err(|NoAnswer| Away::NoAnswer)
    }
}

fn now() -> std::time::Instant {
    tokio::time::Instant::now().into_std()
}

impl CacheStore for RedisCache {
    fn get(&self, name: EntryName) -> BoxFuture<'_, Result<Found, Away>> {
        let mut command = redis::cmd("GETRANGE");
        // One byte more than fits: what is larger is noticed, and no more of it is read.
        command.arg(self.key(&name)).arg(0).arg(ENTRY_BYTES_MAX);
        async move {
            Ok(match self.ask(command).await? {
                Ok(Value::BulkString(bytes)) if bytes.is_empty() => Found::Nothing,
                Ok(Value::BulkString(bytes)) if bytes.len() <= ENTRY_BYTES_MAX => Found::Entry(bytes),
                Ok(_) | Err(Refusal::WrongType) => Found::Foreign,
            })
        }
        .boxed()
    }

    fn put(&self, name: EntryName, entry: Vec<u8>, ttl: Duration) -> BoxFuture<'_, Result<(), Away>> {
        async move {
            if entry.len() > ENTRY_BYTES_MAX {
                return Ok(());
            }
            let ms = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1);
            let mut command = redis::cmd("SET");
            command.arg(self.key(&name)).arg(entry).arg("PX").arg(ms);
            self.ask(command).await.map(drop)
        }
        .boxed()
    }
}
