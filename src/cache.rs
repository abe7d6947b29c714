//! The cache of the API, as the configuration wants it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use terrasift_http::Cache;
use terrasift_redis::{CACHE_WAIT_MAX, CacheStore, MemoryCache, RedisCache, RedisCacheConfig, Ttls};
use terrasift_schemas::config;

use crate::app::RedisSettings;

const MIB: usize = 1024 * 1024;

/// Shared in Redis where there is one, in memory else; none where it is off.
pub fn cache(
    wanted: &config::Cache,
    redis: Option<&RedisSettings>,
    cursor_key: &[u8; 32],
) -> anyhow::Result<Option<Cache>> {
    if !wanted.enabled {
        return Ok(None);
    }
    let store: Arc<dyn CacheStore> = match redis {
        None => Arc::new(MemoryCache::new(wanted.memory_mib.saturating_mul(MIB))),
        Some(redis) => {
            let config = RedisCacheConfig {
                address: redis.url.expose().trim().to_owned(),
                prefix: redis.prefix.clone(),
                answer_wait_max: CACHE_WAIT_MAX,
            };
            Arc::new(RedisCache::new(config).context("redis.url")?)
        }
    };
    let ttls = Ttls {
        entity: Duration::from_secs(wanted.entity_s),
        workspace: Duration::from_secs(wanted.workspace_s),
    };
    Ok(Some(Cache { store, key: key(cursor_key), ttls }))
}

/// The key of entries, from the one that all replicas have: another purpose, another key.
fn key(cursor_key: &[u8; 32]) -> [u8; 32] {
    // INVARIANT: HMAC takes keys of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(cursor_key).expect("any length");
    mac.update(b"cache");
    mac.finalize().into_bytes().into()
}
