//! The cache of the API, as the configuration wants it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use terrasift_http::Cache;
use terrasift_redis::{CACHE_WAIT_MAX, CacheStore, MemoryCache, RedisCache, RedisCacheConfig, Ttls};
use terrasift_schemas::config::{self, Config};
use terrasift_secrets::Secret;

const MIB: usize = 1024 * 1024;

/// What is wanted, with the address in place. No Debug: it can hold a password.
pub struct CacheSettings {
    wanted: config::Cache,
    url: Option<Secret>,
    prefix: String,
}

impl CacheSettings {
    /// Puts the address in place.
    ///
    /// # Errors
    /// Names the place in the file and the reference, never a value.
    pub fn resolve(config: &Config) -> anyhow::Result<Self> {
        let reference = config.cache.url.as_ref().filter(|_| config.cache.enabled);
        let url = reference.map(|reference| crate::config::secret("cache.url", reference)).transpose()?;
        Ok(Self { wanted: config.cache.clone(), url, prefix: config.redis.prefix.clone() })
    }

    /// Shared in Redis where there is an address, in memory else; none where it is off.
    ///
    /// # Errors
    /// When the address is none; whether somebody answers there is not tried.
    pub fn open(&self, cursor_key: &[u8; 32]) -> anyhow::Result<Option<Cache>> {
        if !self.wanted.enabled {
            return Ok(None);
        }
        let store: Arc<dyn CacheStore> = match &self.url {
            None => Arc::new(MemoryCache::new(self.wanted.memory_mib.saturating_mul(MIB))),
            Some(url) => {
                let config = RedisCacheConfig {
                    address: url.expose().trim().to_owned(),
                    prefix: self.prefix.clone(),
                    answer_wait_max: CACHE_WAIT_MAX,
                };
                Arc::new(RedisCache::new(config).context("cache.url")?)
            }
        };
        let ttls = Ttls {
            entity: Duration::from_secs(self.wanted.entity_s),
            workspace: Duration::from_secs(self.wanted.workspace_s),
        };
        Ok(Some(Cache { store, key: key(cursor_key), ttls }))
    }
}

/// The key of entries, from the one that all replicas have: another purpose, another key.
fn key(cursor_key: &[u8; 32]) -> [u8; 32] {
    // INVARIANT: HMAC takes keys of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(cursor_key).expect("any length");
    mac.update(b"cache");
    mac.finalize().into_bytes().into()
}
