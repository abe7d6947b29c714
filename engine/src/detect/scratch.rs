//! Buffers that survive from value to value, so that the common case allocates nothing.
//!
//! Holds pieces of raw values between calls: no `Debug`, and wiped on drop.

use zeroize::Zeroize;

use super::acquitted::Acquitted;
use super::explain::Witness;
use super::gate::{Candidate, Signs};
use super::key_cache::KeyCache;
use super::resolve::Found;
use super::tenant::PatternScratch;

/// Decoded text and where its pieces come from.
#[derive(Default)]
pub(super) struct Decoded {
    pub(super) text: String,
    /// `(decoded offset, source offset)` wherever the distance between both changes.
    pub(super) map: Vec<(usize, usize)>,
}

impl Decoded {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.map.clear();
    }

    /// Source offset of a decoded offset. Inside an escape it is the escape's begin.
    pub(super) fn source(&self, at: usize) -> usize {
        match self.map.partition_point(|(decoded, _)| *decoded <= at) {
            0 => at,
            n => self.map[n - 1].1 + (at - self.map[n - 1].0),
        }
    }

    /// Notes that the next decoded byte comes from `source`.
    pub(super) fn anchor(&mut self, source: usize) {
        self.map.push((self.text.len(), source));
    }
}

/// Reusable buffers of one worker. Not shared between threads.
#[derive(Default)]
pub struct Scratch {
    pub(super) found: Vec<Found>,
    pub(super) candidates: Vec<Candidate>,
    pub(super) quiet: Vec<(usize, usize)>,
    /// Free buffers for decoded text, one a nesting level.
    pub(super) pool: Vec<Decoded>,
    pub(super) round: Vec<u8>,
    /// Values in which nothing was found.
    pub(crate) acquitted: Acquitted,
    /// Verdicts on names.
    pub(super) names: KeyCache,
    /// Bytes that the current value may still have read ahead; `None` once it is used up.
    pub(super) fuel: Option<usize>,
    /// For a tenant's own patterns.
    pub(super) patterns: PatternScratch,
    /// For those that ask for a key, too.
    pub(super) keyed_patterns: PatternScratch,
    /// Hears what was found before order and allowlists; only where somebody asks why.
    pub(super) witness: Option<Box<Witness>>,
    /// No value is passed over after the cheap look.
    pub(super) thorough: bool,
    /// What the cheap look told of the value that is searched next.
    pub(super) signs: Option<Signs>,
}

impl Scratch {
    /// Bytes held by what grows with the values.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.acquitted.memory_bytes()
    }

    /// Buffers of somebody who asks every stage about every value: the slow twin of the gate.
    #[must_use]
    pub fn thorough() -> Self {
        let mut scratch = Self::default();
        scratch.thorough = true;
        scratch
    }

    pub(super) fn borrow(&mut self) -> Decoded {
        let mut decoded = self.pool.pop().unwrap_or_default();
        decoded.clear();
        decoded
    }

    pub(super) fn give_back(&mut self, decoded: Decoded) {
        self.pool.push(decoded);
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for decoded in &mut self.pool {
            decoded.text.zeroize();
        }
        self.round.zeroize();
    }
}
