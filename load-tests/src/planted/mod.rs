//! Owns the independent measure of the sanitizer: states with planted secrets and look-alikes, and the judgement of what became of them.
//!
//! Everything here is written from the formats' documentation. It must never look at the engine's rules, nor name one of its types:
//! a rule that is missing there must not be missing here as well.
//!
//! A state comes from (seed, index) alone. What is planted is told by the ordinal of its token (strings, keys, numbers and literals
//! counted from the start of the document) and by a byte span in the token's decoded text.

mod checks;
mod families;
mod format;
mod judge;
mod leaf;
mod lookalikes;
mod page;
mod place;
mod siblings;
mod state;
mod syntax;
mod tally;

pub use judge::{Case, Judgement, RuleAt, judge};
pub use leaf::Spot;
pub use state::{StatePlan, plant};
pub use tally::{Row, Tally};

use std::collections::BTreeMap;

/// One drawn secret: its text, and the spans in it that must go (a connection string stays, its password goes).
#[derive(Debug, Clone, Default)]
pub(super) struct Sample {
    pub(super) text: String,
    pub(super) spans: Vec<(usize, usize)>,
}

impl Sample {
    /// All of it is secret.
    pub(super) fn whole(text: String) -> Self {
        let end = text.len();
        Self { text, spans: vec![(0, end)] }
    }

    /// Only `secret` is.
    pub(super) fn inside(before: &str, secret: &str, after: &str) -> Self {
        let start = before.len();
        Self { text: format!("{before}{secret}{after}"), spans: vec![(start, start + secret.len())] }
    }
}

/// Whether something planted must go or stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// A secret.
    Goes,
    /// A look-alike.
    Stays,
}

/// Something planted.
#[derive(Debug, Clone)]
pub struct Planted {
    /// Family of the secret, or kind of the look-alike.
    pub family: &'static str,
    /// What should become of it.
    pub fate: Fate,
    /// Where it hides: slot of the state, text around it, encodings; for example `output/shell/base64`.
    pub place: String,
    /// The secret itself, as it would be used.
    pub text: String,
}

/// A state document and what is in it.
pub struct PlantedState {
    /// The document.
    pub bytes: Vec<u8>,
    /// All that is planted.
    pub planted: Vec<Planted>,
    /// By ordinal of the token: where in its decoded text something planted lies.
    pub spots: BTreeMap<usize, Vec<Spot>>,
}

/// How many families of secrets there are.
#[must_use]
pub fn family_count() -> usize {
    families::all().len()
}

/// How many kinds of look-alikes there are.
#[must_use]
pub fn look_alike_count() -> usize {
    lookalikes::LOOK_ALIKES.len()
}
