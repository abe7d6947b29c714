//! `terrasift sanitize`: bytes to bytes, in one pass or two.
//!
//! Must never hold the state. Output streams: what was written before a refusal stays written, because `version` may
//! stand last; a caller tells by the error (exit code 2) that it must not be used.

use std::sync::Arc;

use terrasift_schemas::detection::Report;

use super::stream::{Nobody, Stream};
use super::walk::{Mode, Walk};
use crate::detect::{HashKey, RuleSet};
use crate::refusal::Refusal;
use crate::taint::Taint;

/// First of two passes: learns what is secret.
pub struct TaintPass {
    stream: Stream<Nobody>,
}

impl TaintPass {
    /// A pass under these rules; `key` keys the fingerprints.
    #[must_use]
    pub fn new(rules: &Arc<RuleSet>, key: [u8; 16]) -> Self {
        let mode = Mode { learn: true, find: false };
        // Nothing is written in this pass, so nothing is hashed.
        let unused = HashKey::new([0; 32]);
        Self { stream: Stream::new(Walk::new(rules, Taint::new(key), unused, mode), Nobody) }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// A [`Refusal`] as soon as the bytes cannot become a state v4.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), Refusal> {
        self.stream.push(chunk)
    }

    /// Ends the input.
    ///
    /// # Errors
    /// A [`Refusal`] when the state is incomplete or no state v4.
    pub fn finish(mut self) -> Result<Taint, Refusal> {
        self.stream.finish()?;
        Ok(self.stream.walk.taint)
    }

    /// Bytes held now.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.stream.memory_bytes()
    }
}

/// Redacts a state, bytes to bytes.
pub struct Redactor {
    stream: Stream<Nobody>,
}

impl Redactor {
    /// Second of two passes: `taint` knows every secret of the state already ([`TaintPass`]).
    #[must_use]
    pub fn new(rules: &Arc<RuleSet>, taint: Taint, hash_key: HashKey) -> Self {
        Self::with(rules, taint, hash_key, Mode { learn: false, find: true })
    }

    /// One pass only: a secret's copies are known from its first mark on, copies before it are found by rules alone.
    #[must_use]
    pub fn forward(rules: &Arc<RuleSet>, taint_key: [u8; 16], hash_key: HashKey) -> Self {
        Self::with(rules, Taint::new(taint_key), hash_key, Mode { learn: true, find: true })
    }

    fn with(rules: &Arc<RuleSet>, taint: Taint, hash_key: HashKey, mode: Mode) -> Self {
        Self { stream: Stream::new(Walk::new(rules, taint, hash_key, mode), Nobody) }
    }

    /// Takes the next bytes, appends what is decided to `out`.
    ///
    /// # Errors
    /// A [`Refusal`]; what was appended to `out` must not be used then.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        std::mem::swap(out, &mut self.stream.walk.out);
        let result = self.stream.push(chunk);
        std::mem::swap(out, &mut self.stream.walk.out);
        result
    }

    /// Ends the input.
    ///
    /// # Errors
    /// A [`Refusal`] when the state is incomplete or no state v4.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<Report, Refusal> {
        std::mem::swap(out, &mut self.stream.walk.out);
        let result = self.stream.finish();
        std::mem::swap(out, &mut self.stream.walk.out);
        result.map(|()| self.stream.walk.tally.into_report())
    }

    /// Bytes held now; `out` is the caller's.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.stream.memory_bytes()
    }
}
