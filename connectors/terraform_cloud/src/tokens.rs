//! The tokens of one client: which is in use, whose each is, and what becomes of one that is refused or that rotates.
//!
//! Must never tell a token: a fingerprint stands for it.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use reqwest::header::HeaderValue;
use sha2::{Digest, Sha256};
use terrasift_secrets::{CurrentSecret, Secret};

use crate::{FailureKind, TfcError};

/// The primary token, then the fallbacks in order; at least one.
pub(crate) struct Tokens {
    all: Vec<Token>,
    /// Index of the token in use.
    active: AtomicUsize,
}

struct Token {
    secret: CurrentSecret,
    held: RwLock<Held>,
}

/// A token as it was when it was looked at last.
struct Held {
    generation: u64,
    bearer: HeaderValue,
    fingerprint: Arc<str>,
    /// The user behind it, once that is known.
    user: Option<Arc<str>>,
}

/// What a request carries, and by which a refusal is laid at the right door.
pub(crate) struct Bearer {
    pub(crate) header: HeaderValue,
    generation: u64,
}

impl Tokens {
    pub(crate) fn new(secrets: &[CurrentSecret]) -> Result<Self, TfcError> {
        let refuse = |what| TfcError::new(FailureKind::Configuration, what);
        if secrets.is_empty() {
            return Err(refuse("no terraform cloud token is configured: name at least one"));
        }
        let token = |secret: &CurrentSecret| {
            let (value, generation) = secret.numbered();
            let held = Held::of(&value, generation)
                .ok_or_else(|| refuse("a terraform cloud token has characters that no header can carry"))?;
            Ok(Token { secret: secret.clone(), held: RwLock::new(held) })
        };
        let all = secrets.iter().map(token).collect::<Result<_, TfcError>>()?;
        Ok(Self { all, active: AtomicUsize::new(0) })
    }

    /// Which token is in use: 0 is the primary. One that has rotated is in use again, however it was refused before.
    pub(crate) fn active(&self) -> usize {
        for (index, token) in self.all.iter().enumerate() {
            if token.look() {
                self.active.fetch_min(index, Ordering::Relaxed);
            }
        }
        self.active.load(Ordering::Relaxed)
    }

    pub(crate) fn bearer(&self, token: usize) -> Option<Bearer> {
        self.read(token, |held| Bearer { header: held.bearer.clone(), generation: held.generation })
    }

    pub(crate) fn fingerprint(&self, token: usize) -> Arc<str> {
        self.read(token, |held| Arc::clone(&held.fingerprint)).unwrap_or_else(|| "token".into())
    }

    pub(crate) fn user(&self, token: usize) -> Option<Arc<str>> {
        self.read(token, |held| held.user.clone()).flatten()
    }

    /// Somebody found out whose the token of this fingerprint is.
    pub(crate) fn learn_user(&self, fingerprint: &str, user: &Arc<str>) {
        for token in &self.all {
            let mut held = token.held.write().unwrap_or_else(PoisonError::into_inner);
            if *held.fingerprint == *fingerprint {
                held.user = Some(Arc::clone(user));
                return;
            }
        }
    }

    /// Takes a refused token out of use: the next one serves from now on, after the last the first again. One that has rotated
    /// since it was sent is tried as it is now.
    pub(crate) fn refuse(&self, token: usize, sent: &Bearer) -> FailureKind {
        if let Some(refused) = self.all.get(token) {
            if refused.secret.generation() != sent.generation {
                return FailureKind::TokenRefused;
            }
            refused.secret.doubt();
        }
        let next = token + 1;
        let last = next >= self.all.len();
        let next = if last { 0 } else { next };
        // Another call may have moved on already: then it stays where that call put it.
        let _ = self.active.compare_exchange(token, next, Ordering::Relaxed, Ordering::Relaxed);
        if last { FailureKind::Unauthorized } else { FailureKind::TokenRefused }
    }

    fn read<T>(&self, token: usize, what: impl FnOnce(&Held) -> T) -> Option<T> {
        let token = self.all.get(token)?;
        Some(what(&token.held.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Token {
    /// Takes the value that holds now. Whether it is another one; one that no header can carry is left where it is.
    fn look(&self) -> bool {
        let generation = self.secret.generation();
        if self.held.read().unwrap_or_else(PoisonError::into_inner).generation == generation {
            return false;
        }
        let (value, generation) = self.secret.numbered();
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        if held.generation == generation {
            return false;
        }
        match Held::of(&value, generation) {
            Some(new) => {
                *held = new;
                true
            }
            None => {
                held.generation = generation;
                tracing::error!(
                    "a terraform cloud token has rotated to one that no header can carry: the one before stays"
                );
                false
            }
        }
    }
}

impl Held {
    fn of(value: &Secret, generation: u64) -> Option<Self> {
        let text = value.expose().trim();
        let mut bearer = HeaderValue::try_from(format!("Bearer {text}")).ok()?;
        bearer.set_sensitive(true);
        Some(Self { generation, bearer, fingerprint: fingerprint(text), user: None })
    }
}

/// 64 bits of a digest that serves nothing else: tokens are random, so nobody finds one by its fingerprint.
fn fingerprint(token: &str) -> Arc<str> {
    let digest = Sha256::new().chain_update("terrasift token fingerprint\0").chain_update(token).finalize();
    let mut text = String::from("token-");
    for byte in &digest[..8] {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.into()
}
