//! Known secrets of one state, kept as keyed fingerprints in at most 2 MiB, and the search for their copies.
//!
//! Must never keep the text of a secret.

use std::fmt;

/// There are more secrets than 2 MiB of fingerprints hold: the state goes to review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaintFull;

impl fmt::Display for TaintFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("more known secrets than two mebibytes of fingerprints hold")
    }
}

impl std::error::Error for TaintFull {}

/// The known secrets of one state.
pub struct Taint {
    len: usize,
}

impl Taint {
    /// None known yet. The key keeps an adversary from crafting collisions.
    #[must_use]
    pub fn new(_key: [u8; 16]) -> Self {
        Self { len: 0 }
    }
    /// Remembers a secret; short texts and common words are ignored.
    ///
    /// # Errors
    /// The fingerprints would need more than 2 MiB.
    pub fn learn(&mut self, _text: &str) -> Result<(), TaintFull> {
        Ok(())
    }
    /// Nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// Every occurrence of a known secret: sorted, not overlapping; `found` is cleared first.
    pub fn find(&self, _text: &str, found: &mut Vec<(usize, usize)>) {
        found.clear();
    }
}
