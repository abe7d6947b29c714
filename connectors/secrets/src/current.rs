//! A secret as it is now: the same handle for whoever uses it, while its value rotates.
//!
//! Must never become empty: what cannot be read anew keeps its value.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::Secret;

/// Values from before that are kept at once. Who rotates more often within one overlap loses the oldest.
const BEFORE_MAX: usize = 4;

/// A secret as it is now. Cheap to clone; clones see the same rotations. No `Debug`.
#[derive(Clone)]
pub struct CurrentSecret(Arc<Cell>);

struct Cell {
    held: RwLock<Held>,
    doubts: Arc<Notify>,
}

struct Held {
    now: Secret,
    /// Counts rotations.
    generation: u64,
    /// Newest first, each with the end of its overlap.
    before: Vec<(Secret, Instant)>,
}

impl From<Secret> for CurrentSecret {
    /// One that never rotates.
    fn from(secret: Secret) -> Self {
        Self::new(secret, Arc::default())
    }
}

impl CurrentSecret {
    pub(crate) fn new(secret: Secret, doubts: Arc<Notify>) -> Self {
        let held = RwLock::new(Held { now: secret, generation: 0, before: Vec::new() });
        Self(Arc::new(Cell { held, doubts }))
    }

    /// The value that holds now. Not to be kept longer than one use takes.
    #[must_use]
    pub fn now(&self) -> Secret {
        self.held().now.clone()
    }

    /// The value that holds now, with a number that grows with each rotation.
    #[must_use]
    pub fn numbered(&self) -> (Secret, u64) {
        let held = self.held();
        (held.now.clone(), held.generation)
    }

    /// How often it has rotated.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.held().generation
    }

    /// The value that holds now, and those from before whose overlap has not ended: what a signature may be made with.
    #[must_use]
    pub fn accepted(&self, at: Instant) -> Vec<Secret> {
        let held = self.held();
        let before = held.before.iter().filter(|(_, until)| *until > at).map(|(secret, _)| secret.clone());
        std::iter::once(held.now.clone()).chain(before).collect()
    }

    /// Somebody outside has refused the value: it may have rotated, and is read again soon.
    pub fn doubt(&self) {
        self.0.doubts.notify_one();
    }

    /// Takes what was read; the value from before is accepted for the overlap. Whether it is another one.
    pub fn take(&self, secret: Secret, overlap: Duration, at: Instant) -> bool {
        let mut held = self.0.held.write().unwrap_or_else(PoisonError::into_inner);
        held.before.retain(|(before, until)| *until > at && before.expose() != secret.expose());
        if held.now.expose() == secret.expose() {
            return false;
        }
        let before = std::mem::replace(&mut held.now, secret);
        held.generation += 1;
        if !overlap.is_zero() {
            held.before.insert(0, (before, at + overlap));
            held.before.truncate(BEFORE_MAX);
        }
        true
    }

    fn held(&self) -> std::sync::RwLockReadGuard<'_, Held> {
        self.0.held.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OVERLAP: Duration = Duration::from_secs(60);

    fn accepted(secret: &CurrentSecret, at: Instant) -> Vec<String> {
        secret.accepted(at).iter().map(|secret| secret.expose().to_owned()).collect()
    }

    #[test]
    fn the_value_from_before_is_accepted_until_its_overlap_ends() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let secret = CurrentSecret::from(Secret::new("a".into()));
        let other = secret.clone();
        let take = |value: &str, at| secret.take(Secret::new(value.into()), OVERLAP, at);
        assert!(!take("a", start), "the same is no rotation");
        assert!(take("b", start));
        assert_eq!((other.now().expose(), other.generation()), ("b", 1), "clones see it");
        assert_eq!(accepted(&secret, after(59)), ["b", "a"]);
        assert_eq!(accepted(&secret, after(60)), ["b"]);
        assert!(take("c", after(30)));
        assert_eq!(accepted(&secret, after(59)), ["c", "b", "a"], "each has its own end");
        assert_eq!(accepted(&secret, after(61)), ["c", "b"]);
        assert!(take("b", after(62)), "back to the one before");
        assert_eq!(accepted(&secret, after(63)), ["b", "c"]);
        assert!(secret.take(Secret::new("d".into()), Duration::ZERO, after(64)));
        assert_eq!(accepted(&secret, after(64)), ["d", "c"], "without an overlap it ends at once");
        for value in ["e", "f", "g", "h", "i", "j"] {
            assert!(take(value, after(65)));
        }
        assert_eq!(secret.accepted(after(65)).len(), 1 + BEFORE_MAX, "bounded");
    }
}
