//! One execution of the fuzzer: bytes that say which rules, which pieces and which document.
//!
//! Must never depend on anything but its bytes: a case that failed fails again.

use std::sync::Arc;

use terrasift_engine::detect::RuleSet;

use crate::compare::{Difference, Ways, check, rule_sets};
use crate::tape::Tape;
use crate::weave;

/// The rules of all executions.
pub struct Compiled {
    sets: [Arc<RuleSet>; 2],
}

impl Compiled {
    /// Compiles them: the slow part.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "compiling is no default")]
    pub fn new() -> Self {
        Self { sets: rule_sets() }
    }

    /// One of the two sets.
    #[must_use]
    pub fn set(&self, which: usize) -> &Arc<RuleSet> {
        &self.sets[which % 2]
    }
}

/// What one execution does.
pub struct Case {
    rules: usize,
    ways: Ways,
    lengths: [usize; 3],
    /// The document that is sanitized.
    pub document: Vec<u8>,
}

impl Case {
    /// The case that these bytes mean.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut tape = Tape::new(bytes);
        let head = tape.byte();
        // At most one way beside the first: an execution is dear, a byte of the tape is not.
        let way = head >> 1 & 3;
        let ways = Ways { whole: way == 1, forward: way == 2, again: way == 3 };
        // Small pieces are the ones that cut something.
        let mut length = || match tape.byte() {
            byte @ 0..=95 => 1 + usize::from(byte),
            byte => 1 << (byte % 16),
        };
        let lengths = [length(), length(), length()];
        // One in eight is a document as it stands, so that its bytes are mutated as they are.
        let raw = head >> 4 & 7 == 7;
        // A tenant's patterns are slow to warm up.
        let tenant = head & 1 == 1 && head >> 7 == 1;
        let document = if raw { tape.rest().to_vec() } else { weave::document(&mut tape) };
        Self { rules: usize::from(tenant), ways, lengths, document }
    }

    /// Sanitizes it.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(&self, rules: &Compiled) -> Result<(), Difference> {
        check(rules.set(self.rules), &self.document, &self.lengths, self.ways).map(drop)
    }
}
