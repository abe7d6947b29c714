//! Why a value was decided as it was: every candidate, who won, who lost to whom, what was let through.
//!
//! Off the hot path: it asks the search itself and listens in, so that it cannot tell another story than the sanitizer.
//! Must never hold a text, only offsets.

use std::collections::BTreeMap;

use super::people;
use super::resolve::{Found, order};
use super::tenant::entropy;
use super::{Hint, Hit, KeyVerdict, RuleIx, RuleSet, Scratch, marker};

/// Hears what the search found before order and allowlists.
#[derive(Default)]
pub(super) struct Witness {
    /// One list a round: what shows only when the first findings are gone comes later.
    rounds: Vec<Vec<Found>>,
    /// Matches of a tenant's patterns below their least entropy.
    plain: Vec<Found>,
}

impl Witness {
    pub(super) fn round(&mut self, found: &[Found]) {
        self.rounds.push(found.to_vec());
    }

    pub(super) fn plain(&mut self, found: Found) {
        // A later round would tell it again in its own offsets.
        if self.rounds.is_empty() {
            self.plain.push(found);
        }
    }

    /// The last round was heard in a text with stand-ins: `back` leads to the source.
    pub(super) fn translate(&mut self, back: impl Fn(usize) -> usize) {
        for found in self.rounds.last_mut().into_iter().flatten() {
            (found.start, found.end) = (back(found.start), back(found.end));
        }
    }
}

/// Which part of the one order settled it between two candidates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// The other rule is protected.
    Protected,
    /// The other rule has the higher priority.
    Priority,
    /// The other span is longer.
    Length,
    /// The other rule's id is smaller.
    Id,
    /// The other span begins earlier.
    Begin,
}

/// What became of a candidate.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Outcome {
    /// It decides about all of its span.
    Decides,
    /// It decides about what stronger candidates left of its span.
    DecidesRest,
    /// Nothing was left of its span: the strongest that took of it, and why that one was stronger.
    Loses {
        /// The winner.
        to: RuleIx,
        /// What made it win.
        by: Order,
    },
    /// The rule is switched off.
    Off,
    /// An entry of the allowlist lets it through.
    Allowed {
        /// Place of the entry in the file's list, from 0.
        entry: usize,
    },
    /// Too little entropy for the rule, bits per character.
    Plain {
        /// What the match has.
        bits: f32,
        /// What the rule asks for.
        least: f32,
    },
    /// The text there was redacted already.
    Marker,
}

/// A candidate and what became of it. Byte offsets of the decoded text.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Weighed {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The rule.
    pub rule: RuleIx,
    /// What became of it.
    pub outcome: Outcome,
}

/// How one value was decided.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Explanation {
    /// What the sanitizer replaces: exactly what [`RuleSet::inspect`] says.
    pub hits: Vec<Hit>,
    /// All candidates, by their begin, the stronger first.
    pub weighed: Vec<Weighed>,
}

impl RuleSet {
    /// Decides a value as [`RuleSet::inspect`] does, and says why.
    #[must_use]
    pub fn explain(&self, text: &str, key: KeyVerdict) -> Explanation {
        let mut scratch = listening();
        let mut hits = Vec::new();
        self.inspect(text, key, &mut scratch, &mut hits);
        let mut witness = scratch.witness.take().unwrap_or_default();
        if let KeyVerdict::Sensitive(rule) = key
            && !text.is_empty()
        {
            // The key's rule is asked first, before any search.
            witness.rounds.insert(0, vec![Found { start: 0, end: text.len(), rule }]);
        }
        Explanation { hits, weighed: self.weigh(text, *witness) }
    }

    /// Decides a map key as [`RuleSet::inspect_key`] does, and says why.
    #[must_use]
    pub fn explain_key(&self, key: &str) -> Explanation {
        let mut scratch = listening();
        let mut hits = Vec::new();
        self.inspect_key(key, &mut scratch, &mut hits);
        let witness = scratch.witness.take().unwrap_or_default();
        Explanation { hits, weighed: self.weigh(key, *witness) }
    }

    /// Decides a number as [`RuleSet::inspect_number`] does, and says why.
    #[must_use]
    pub fn explain_number(&self, raw: &str, key: KeyVerdict) -> Explanation {
        let span = |rule| Found { start: 0, end: raw.len(), rule };
        let candidate = match key {
            KeyVerdict::Sensitive(ix) => Some(ix),
            KeyVerdict::Context(context) => people::number_leaf(raw, context.hint),
            KeyVerdict::Plain => people::number_leaf(raw, Hint::None),
        };
        let hit = |rule| Hit { start: 0, end: raw.len(), rule, secret: self.rule(rule).secret };
        let witness = Witness { rounds: vec![candidate.map(span).into_iter().collect()], plain: Vec::new() };
        Explanation {
            hits: self.inspect_number(raw, key).map(hit).into_iter().collect(),
            weighed: self.weigh(raw, witness),
        }
    }

    fn weigh(&self, text: &str, witness: Witness) -> Vec<Weighed> {
        let slice = |f: &Found| text.get(f.start..f.end).unwrap_or("");
        let mut weighed = Vec::new();
        let tell = |f: &Found, outcome| Weighed { start: f.start, end: f.end, rule: f.rule, outcome };
        for found in &witness.plain {
            let least = self.least_entropy(found.rule).unwrap_or_default();
            weighed.push(tell(found, Outcome::Plain { bits: entropy(slice(found)), least }));
        }
        let mut taken = Taken::new();
        marker::each(text.as_bytes(), |start, end| {
            taken.insert(start, (end, None));
        });
        for (number, mut round) in witness.rounds.into_iter().enumerate() {
            round.retain(|f| f.start < f.end && f.end <= text.len());
            // What a later round finds in the stand-ins of earlier findings is nothing.
            round.retain(|f| number == 0 || !covered(&taken, f));
            round.sort_by(|a, b| order(self, a, b));
            round.dedup();
            for found in &round {
                let outcome = if !self.enabled(found.rule) {
                    Outcome::Off
                } else if let Some(entry) = self.allowance(slice(found), found.rule) {
                    Outcome::Allowed { entry }
                } else {
                    self.claim(found, &mut taken)
                };
                weighed.push(tell(found, outcome));
            }
        }
        weighed.sort_by_key(|w| w.start);
        // What does not count is met again in the next round.
        let mut told: Vec<Weighed> = Vec::with_capacity(weighed.len());
        for one in weighed {
            let here = told.iter().rev().take_while(|told| told.start == one.start);
            if !here.into_iter().any(|told| *told == one) {
                told.push(one);
            }
        }
        told
    }

    /// Takes what is left of a span. Candidates come in the order of strength.
    fn claim(&self, found: &Found, taken: &mut Taken) -> Outcome {
        let before = taken.range(..found.end).rev().take_while(|(_, (end, _))| *end > found.start);
        let overlapping: Vec<(usize, usize, Option<Found>)> =
            before.map(|(start, (end, winner))| (*start, *end, *winner)).collect();
        let mut at = found.start;
        for (start, end, _) in overlapping.iter().rev() {
            if at < *start {
                taken.insert(at, (*start, Some(*found)));
            }
            at = *end;
        }
        let strongest =
            overlapping.iter().filter_map(|(.., winner)| *winner).min_by(|a, b| order(self, a, b));
        if at < found.end {
            taken.insert(at, (found.end, Some(*found)));
        }
        let covered: usize =
            overlapping.iter().map(|(a, b, _)| b.min(&found.end) - a.max(&found.start)).sum();
        match (covered == found.end - found.start, strongest) {
            (true, None) => Outcome::Marker,
            (true, Some(winner)) => Outcome::Loses { to: winner.rule, by: self.reason(found, &winner) },
            (false, _) if overlapping.is_empty() => Outcome::Decides,
            (false, _) => Outcome::DecidesRest,
        }
    }

    fn reason(&self, loser: &Found, winner: &Found) -> Order {
        let (a, b) = (self.rule(loser.rule), self.rule(winner.rule));
        if a.protected != b.protected {
            Order::Protected
        } else if a.priority != b.priority {
            Order::Priority
        } else if loser.end - loser.start != winner.end - winner.start {
            Order::Length
        } else if a.id != b.id {
            Order::Id
        } else {
            Order::Begin
        }
    }
}

fn listening() -> Scratch {
    let mut scratch = Scratch::default();
    scratch.witness = Some(Box::default());
    scratch
}

/// All of the span has its decision.
fn covered(taken: &Taken, found: &Found) -> bool {
    let before = taken.range(..found.end).rev().take_while(|(_, (end, _))| *end > found.start);
    let bytes: usize = before.map(|(start, (end, _))| end.min(&found.end) - start.max(&found.start)).sum();
    bytes == found.end - found.start
}

/// Parts of the text that have their decision, by their begin: end and who decided, nobody where a marker stands.
/// They are disjoint.
type Taken = BTreeMap<usize, (usize, Option<Found>)>;
