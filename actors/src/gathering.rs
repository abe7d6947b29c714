//! Batching without waiting: while one batch of a key is under way, what comes for that key gathers. A pure machine.
//!
//! Must never hold back what could start at once, nor let two batches of one key run at a time.

use std::collections::HashMap;
use std::hash::Hash;

/// What gathers, by key.
pub struct Gathering<K, T> {
    /// Present while a batch of the key is under way.
    waiting: HashMap<K, Vec<T>>,
    batch_max: usize,
}

impl<K: Hash + Eq + Clone, T> Gathering<K, T> {
    /// Batches of at most `batch_max` (at least one).
    #[must_use]
    pub fn new(batch_max: usize) -> Self {
        Self { waiting: HashMap::new(), batch_max: batch_max.max(1) }
    }

    /// Takes one in; the batch to start now, empty while one of this key is under way.
    #[must_use]
    pub fn offer(&mut self, key: &K, one: T) -> Vec<T> {
        match self.waiting.get_mut(key) {
            Some(waiting) => {
                waiting.push(one);
                Vec::new()
            }
            None => {
                self.waiting.insert(key.clone(), Vec::new());
                vec![one]
            }
        }
    }

    /// The key's batch has ended; the one to start now, empty when nothing has come meanwhile.
    #[must_use]
    pub fn ended(&mut self, key: &K) -> Vec<T> {
        match self.waiting.get_mut(key) {
            Some(waiting) if !waiting.is_empty() => {
                let rest = waiting.split_off(waiting.len().min(self.batch_max));
                std::mem::replace(waiting, rest)
            }
            _ => {
                self.waiting.remove(key);
                Vec::new()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_starts_alone_and_the_next_go_together() {
        let mut gathering = Gathering::new(3);
        assert_eq!(gathering.offer(&"a", 1), [1]);
        assert!((2..=6).all(|n| gathering.offer(&"a", n).is_empty()), "one batch a key at a time");
        assert_eq!(gathering.offer(&"b", 9), [9], "another key does not wait");
        assert_eq!(gathering.ended(&"a"), [2, 3, 4], "at most three, the oldest first");
        assert!(gathering.offer(&"a", 7).is_empty());
        assert_eq!(gathering.ended(&"a"), [5, 6, 7]);
        assert!(gathering.ended(&"a").is_empty());
        assert_eq!(gathering.offer(&"a", 8), [8], "nothing runs any more");
        assert!(gathering.ended(&"b").is_empty());
        assert!(gathering.ended(&"b").is_empty(), "ended twice is no harm");
    }
}
