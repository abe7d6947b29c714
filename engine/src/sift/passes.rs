//! `terrasift sanitize`: bytes to bytes, in one pass or two.
//!
//! Must never hold the state. Output streams: what was written before a refusal stays written, because `version` may
//! stand last; a caller tells by the error (exit code 2) that it must not be used.

use std::sync::Arc;

use terrasift_schemas::detection::Report;

use super::notes::Notes;
use super::replay::Replay;
use super::stream::{Nobody, Stream};
use super::walk::{Mode, Walk};
use crate::detect::{HashKey, RuleSet};
use crate::refusal::Refusal;
use crate::taint::Taint;

/// What the first of two passes found out, for the second one.
pub struct Survey {
    taint: Taint,
    notes: Option<Notes>,
}

impl Survey {
    /// The known secrets.
    #[must_use]
    pub fn into_taint(self) -> Taint {
        self.taint
    }

    /// The same secrets, and no notes: everything is walked again.
    #[cfg(test)]
    pub(super) fn without_notes(self) -> Self {
        Self { notes: None, ..self }
    }
}

/// Known secrets alone: everything is walked.
impl From<Taint> for Survey {
    fn from(taint: Taint) -> Self {
        Self { taint, notes: None }
    }
}

/// Half of the taint's key: fingerprints of bytes need no more than that nobody knows it.
fn seed(key: [u8; 16]) -> u64 {
    key.first_chunk().map_or(0, |half| u64::from_le_bytes(*half))
}

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
        let mut walk = Walk::new(rules, Taint::new(key), unused, mode);
        walk.notes = Some(Notes::new(seed(key)));
        Self { stream: Stream::new(walk, Nobody) }
    }

    /// The same, and each instance is walked, every value looked at.
    #[cfg(test)]
    pub(super) fn walking(mut self) -> Self {
        self.stream.walk.own_patterns = true;
        self
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
    pub fn finish(mut self) -> Result<Survey, Refusal> {
        self.stream.finish()?;
        Ok(Survey { taint: self.stream.walk.taint, notes: self.stream.walk.notes })
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
    replay: Option<Replay>,
}

impl Redactor {
    /// Second of two passes: `survey` knows every secret of the state already ([`TaintPass`]).
    #[must_use]
    pub fn new(rules: &Arc<RuleSet>, survey: impl Into<Survey>, hash_key: HashKey) -> Self {
        let Survey { taint, notes } = survey.into();
        let mode = Mode { learn: false, find: true };
        Self { replay: notes.map(Replay::new), ..Self::with(rules, taint, hash_key, mode) }
    }

    /// One pass only: a secret's copies are known from its first mark on, copies before it are found by rules alone.
    #[must_use]
    pub fn forward(rules: &Arc<RuleSet>, taint_key: [u8; 16], hash_key: HashKey) -> Self {
        Self::with(rules, Taint::new(taint_key), hash_key, Mode { learn: true, find: true })
    }

    fn with(rules: &Arc<RuleSet>, taint: Taint, hash_key: HashKey, mode: Mode) -> Self {
        Self { stream: Stream::new(Walk::new(rules, taint, hash_key, mode), Nobody), replay: None }
    }

    /// Takes the next bytes, appends what is decided to `out`.
    ///
    /// # Errors
    /// A [`Refusal`]; what was appended to `out` must not be used then.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        std::mem::swap(out, &mut self.stream.walk.out);
        let result = match &mut self.replay {
            Some(replay) => replay.push(&mut self.stream, chunk),
            None => self.stream.push(chunk),
        };
        std::mem::swap(out, &mut self.stream.walk.out);
        result
    }

    /// Ends the input.
    ///
    /// # Errors
    /// A [`Refusal`] when the state is incomplete or no state v4.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<Report, Refusal> {
        std::mem::swap(out, &mut self.stream.walk.out);
        let held = self.replay.as_mut().map_or(Ok(()), |replay| replay.finish(&mut self.stream));
        let result = held.and_then(|()| self.stream.finish());
        std::mem::swap(out, &mut self.stream.walk.out);
        result.map(|()| self.stream.walk.tally.into_report())
    }

    /// Bytes held now; `out` is the caller's.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.stream.memory_bytes() + self.replay.as_ref().map_or(0, Replay::memory_bytes)
    }
}
