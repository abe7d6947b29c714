//! The cache of the API, as the configuration wants it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use terrasift_http::Cache;
use terrasift_redis::{CACHE_WAIT_MAX, CacheStore, MemoryCache, RedisCache, RedisCacheConfig, Ttls};
use terrasift_schemas::config::{self, Config};
use terrasift_secrets::CurrentSecret;

use crate::beside::rotation::RedisUser;

const MIB: usize = 1024 * 1024;

/// What is wanted, with the address in place. No Debug: it can hold a password.
pub struct CacheSettings {
    wanted: config::Cache,
    url: Option<CurrentSecret>,
    prefix: String,
}

impl CacheSettings {
    /// `url`: what stands behind [`Self::reference`].
    #[must_use]
    pub fn new(config: &Config, url: Option<CurrentSecret>) -> Self {
        Self { wanted: config.cache.clone(), url, prefix: config.redis.prefix.clone() }
    }

    /// The reference of the address, where one is needed.
    #[must_use]
    pub fn reference(config: &Config) -> Option<&String> {
        config.cache.url.as_ref().filter(|_| config.cache.enabled)
    }

    /// Shared in Redis where there is an address, and then who is told when it changes; in memory else; none where it is off.
    ///
    /// # Errors
    /// When the address is none; whether somebody answers there is not tried.
    pub fn open(&self, cursor_key: &[u8; 32]) -> anyhow::Result<(Option<Cache>, Option<RedisUser>)> {
        if !self.wanted.enabled {
            return Ok((None, None));
        }
        let (store, user): (Arc<dyn CacheStore>, _) = match &self.url {
            None => (Arc::new(MemoryCache::new(self.wanted.memory_mib.saturating_mul(MIB))), None),
            Some(url) => {
                let config = RedisCacheConfig {
                    address: url.now().expose().trim().to_owned(),
                    prefix: self.prefix.clone(),
                    answer_wait_max: CACHE_WAIT_MAX,
                };
                let shared = Arc::new(RedisCache::new(config).context("cache.url")?);
                let told = Arc::clone(&shared);
                let user =
                    RedisUser::new("cache.url", url.clone(), move |address| told.take_address(address));
                (shared, Some(user))
            }
        };
        let ttls = Ttls {
            entity: Duration::from_secs(self.wanted.entity_s),
            workspace: Duration::from_secs(self.wanted.workspace_s),
        };
        Ok((Some(Cache { store, key: key(cursor_key), ttls }), user))
    }
}

/// The key of entries, from the one that all replicas have: another purpose, another key.
fn key(cursor_key: &[u8; 32]) -> [u8; 32] {
    // INVARIANT: HMAC takes keys of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(cursor_key).expect("any length");
    mac.update(b"cache");
    mac.finalize().into_bytes().into()
}
