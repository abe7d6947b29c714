//! The keys of one issuer: asked for when one is missing or when they are old, by one caller at a time, and no more often than a bound.
//!
//! Must never let who sends tokens decide how often an issuer is asked, nor follow a redirect.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use reqwest::Client;
use tokio::time::Instant;
use url::{Host, Url};

use crate::jwks::{self, KeySet};
use crate::{Algorithm, KeysAt};

/// A set with sixty-four keys of 8,192 bits, with certificates beside them, stays below.
const DOCUMENT_BYTES_MAX: usize = 512 * 1024;
/// Longest wait for an issuer.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(5);
/// From this age on keys are asked for again: so long a key that was taken back can still be used.
const FRESH: Duration = Duration::from_secs(600);
/// From this age on they are used no more: an issuer that has not confirmed them for so long may have taken them back.
const USABLE: Duration = Duration::from_secs(3_600);
/// Between two questions, whatever tokens name.
const ASK_EVERY_MIN: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Known {
    keys: Arc<KeySet>,
    /// When they were read.
    read: Option<Instant>,
    /// When they were last asked for.
    asked: Option<Instant>,
}

/// An issuer's keys.
pub(crate) struct Keys {
    at: KeysAt,
    known: Mutex<Known>,
    /// Held by the one who asks.
    asking: tokio::sync::Mutex<()>,
}

/// Why there is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoKey {
    /// The issuer was asked, and has none of this id.
    Unknown,
    /// The issuer could not be asked.
    Unavailable,
}

/// Whether keys may be read there.
pub(crate) fn may_be_read(at: &KeysAt) -> bool {
    match at {
        KeysAt::File(_) => true,
        KeysAt::Url(url) => url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url)),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(_)) | None => false,
    }
}

impl Keys {
    pub(crate) fn new(at: KeysAt) -> Self {
        Self { at, known: Mutex::default(), asking: tokio::sync::Mutex::default() }
    }

    /// The key of this id for this algorithm.
    pub(crate) async fn find(
        &self,
        http: &Client,
        issuer: &str,
        id: &str,
        algorithm: Algorithm,
    ) -> Result<DecodingKey, NoKey> {
        let wanted = (id.to_owned(), algorithm);
        if let (Some(key), true) = (self.look(&wanted, USABLE), self.is_fresh()) {
            return Ok(key);
        }
        let asking = self.asking.lock().await;
        // Whoever had the turn before may have found it.
        let found = self.look(&wanted, FRESH);
        if found.is_none() && self.may_ask() {
            self.ask(http, issuer).await;
        }
        drop(asking);
        match self.look(&wanted, USABLE) {
            Some(key) => Ok(key),
            None if self.is_fresh() => Err(NoKey::Unknown),
            None => Err(NoKey::Unavailable),
        }
    }

    fn look(&self, wanted: &(String, Algorithm), age_max: Duration) -> Option<DecodingKey> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let young = known.read.is_some_and(|read| read.elapsed() < age_max);
        known.keys.get(wanted).filter(|_| young).cloned()
    }

    fn is_fresh(&self) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.read.is_some_and(|read| read.elapsed() < FRESH)
    }

    fn may_ask(&self) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let may = known.asked.is_none_or(|asked| asked.elapsed() >= ASK_EVERY_MIN);
        if may {
            known.asked = Some(Instant::now());
        }
        may
    }

    async fn ask(&self, http: &Client, issuer: &str) {
        let document = tokio::time::timeout(ANSWER_WAIT_MAX, self.document(http)).await.ok().flatten();
        let Some(keys) = document.and_then(|document| jwks::read(&document)) else {
            tracing::warn!(
                issuer,
                "the keys of an issuer cannot be read: check its `keys` in the configuration"
            );
            return;
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.keys = Arc::new(keys);
        known.read = Some(Instant::now());
    }

    async fn document(&self, http: &Client) -> Option<Vec<u8>> {
        match &self.at {
            KeysAt::File(path) => {
                let document = tokio::fs::read(path).await.ok()?;
                (document.len() <= DOCUMENT_BYTES_MAX).then_some(document)
            }
            KeysAt::Url(url) => {
                let mut answer = http.get(url.clone()).send().await.ok()?;
                if answer.status() != reqwest::StatusCode::OK {
                    return None;
                }
                let mut document = Vec::new();
                while let Some(chunk) = answer.chunk().await.ok()? {
                    document.extend_from_slice(&chunk);
                    if document.len() > DOCUMENT_BYTES_MAX {
                        return None;
                    }
                }
                Some(document)
            }
        }
    }
}
