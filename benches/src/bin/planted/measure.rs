//! Owns the run: plant, sanitize in two passes over randomly cut chunks, judge. Must never keep a state beyond its judgement.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use clap::ValueEnum;
use terrasift_benches::input;
use terrasift_engine::detect::{HashKey, RuleSet};
use terrasift_engine::sift::{Redactor, TaintPass};
use terrasift_load_tests::generator::CanaryDensity;
use terrasift_load_tests::planted::{Case, Judgement, PlantedState, RuleAt, StatePlan, Tally, judge, plant};
use terrasift_schemas::detection::Report;

/// How bytes are cut.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Cut {
    /// One byte each.
    Bytes,
    /// 1 to 64 bytes.
    Small,
    /// 1 byte to 128 KiB.
    Large,
    /// All at once.
    Whole,
    /// State by state another one of these.
    Mixed,
}

impl Cut {
    fn of_state(self, index: u64) -> Self {
        match (self, index % 4) {
            (Self::Mixed, 0) => Self::Whole,
            (Self::Mixed, 1) => Self::Small,
            (Self::Mixed, 2) => Self::Large,
            (Self::Mixed, _) => Self::Bytes,
            (other, _) => other,
        }
    }

    fn chunk_max(self) -> usize {
        match self {
            Self::Bytes => 1,
            Self::Small => 64,
            Self::Large => 128 << 10,
            Self::Whole | Self::Mixed => usize::MAX,
        }
    }
}

/// What became of states that hold no secret.
#[derive(Clone, Copy, Default)]
pub struct Ordinary {
    pub leaves: usize,
    /// Without those of `private`.
    pub changed: usize,
    /// Private data of providers: goes by design.
    pub private: usize,
}

/// A run under way.
pub struct Measure {
    rules: Arc<RuleSet>,
    seed: u64,
    per_state: usize,
    cut: Cut,
    notes_max: usize,
    index: u64,
    pub tally: Tally,
    /// What went wrong where; families, places, pointers and rules only.
    pub notes: Vec<String>,
    noted: [usize; 4],
    show: bool,
}

/// Enough to see what happened.
fn clip(text: &str) -> String {
    text.chars().take(400).collect()
}

impl Measure {
    pub fn new(seed: u64, per_state: usize, cut: Cut, notes_max: usize, show: bool) -> Self {
        Self {
            rules: RuleSet::builtin(),
            seed,
            per_state,
            cut,
            notes_max,
            index: 0,
            tally: Tally::default(),
            notes: Vec::new(),
            noted: [0; 4],
            show,
        }
    }

    /// The next state.
    ///
    /// # Errors
    /// A refusal, or an output of another shape.
    pub fn one(&mut self) -> Result<()> {
        let plan = StatePlan { seed: self.seed, index: self.index, secrets: self.per_state };
        let state = plant(&plan);
        let cut = self.cut.of_state(self.index);
        let (output, report) = self.sanitize(&state.bytes, cut)?;
        let rules: Vec<RuleAt<'_>> =
            report.detections.iter().map(|it| RuleAt { pointer: &it.pointer, rule: &it.rule }).collect();
        let made = judge(&state, &output, &rules).map_err(|what| anyhow!("state {}: {what}", self.index))?;
        self.tally.add(&state, &made);
        self.note(&state, &made);
        self.index += 1;
        Ok(())
    }

    fn sanitize(&self, state: &[u8], cut: Cut) -> Result<(Vec<u8>, Report)> {
        let mut cuts = Cuts { rest: state, max: cut.chunk_max(), state: self.seed ^ (self.index << 20) };
        let mut pass = TaintPass::new(&self.rules, [7; 16]);
        while let Some(chunk) = cuts.next() {
            pass.push(chunk)?;
        }
        let mut redactor = Redactor::new(&self.rules, pass.finish()?, HashKey::new([9; 32]));
        cuts.rest = state;
        let mut out = Vec::with_capacity(state.len());
        while let Some(chunk) = cuts.next() {
            redactor.push(chunk, &mut out)?;
        }
        let report = redactor.finish(&mut out)?;
        Ok((out, report))
    }

    fn note(&mut self, state: &PlantedState, made: &Judgement) {
        let kinds = [&made.missed, &made.changed, &made.strays, &made.overdone];
        for (kind, (cases, title)) in kinds.iter().zip(["missed", "false", "stray", "overdone"]).enumerate() {
            for case in cases.iter() {
                self.say(kind, title, state, case);
            }
        }
    }

    fn say(&mut self, kind: usize, title: &str, state: &PlantedState, case: &Case) {
        if self.noted[kind] >= self.notes_max {
            return;
        }
        self.noted[kind] += 1;
        let what = case.id.map_or(String::new(), |id| {
            let planted = &state.planted[id];
            format!("{} in {} ", planted.family, planted.place)
        });
        self.notes.push(format!("{title} {what}at {}: {}", case.pointer, case.reason));
        if self.show {
            self.notes.push(format!("  - {:?}\n  + {:?}", clip(&case.before), clip(&case.after)));
        }
    }

    /// Leaves of ordinary states without a secret, how many of them changed, and how many more are private data of providers,
    /// which go by design.
    ///
    /// # Errors
    /// A refusal, or an output of another shape.
    pub fn ordinary(&mut self, bytes: u64) -> Result<Ordinary> {
        if bytes == 0 {
            return Ok(Ordinary::default());
        }
        let (state, _) = input::state(&input::spec(bytes, self.seed, CanaryDensity::NONE))?;
        let (output, report) = self.sanitize(&state, Cut::Large)?;
        let rules: Vec<RuleAt<'_>> =
            report.detections.iter().map(|it| RuleAt { pointer: &it.pointer, rule: &it.rule }).collect();
        let state = PlantedState { bytes: state, planted: Vec::new(), spots: Default::default() };
        let mut made = judge(&state, &output, &rules).map_err(|what| anyhow!("ordinary state: {what}"))?;
        let all = made.strays.len();
        // The report of a large state does not name every rule.
        let private = |case: &Case| case.reason == "provider-private" || case.pointer.ends_with("/private");
        made.strays.retain(|case| !private(case));
        let private = all - made.strays.len();
        self.noted = [0; 4];
        self.note(&state, &made);
        Ok(Ordinary { leaves: made.tokens, changed: made.tokens_changed - private, private })
    }

    pub fn share(part: usize, all: usize) -> f64 {
        let float = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        float(part) / float(all.max(1))
    }
}

/// The bytes in chunks of random length.
struct Cuts<'a> {
    rest: &'a [u8],
    max: usize,
    state: u64,
}

impl<'a> Cuts<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        // Knuth's generator (MMIX): good enough to cut with.
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let drawn = usize::try_from(self.state >> 33).unwrap_or(0);
        let length = if self.max == usize::MAX { self.max } else { 1 + drawn % self.max };
        let (chunk, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        Some(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The full measure plants 100,000; this one keeps it honest between two runs of that.
    #[test]
    fn a_small_measure_misses_nothing_and_is_precise() {
        let mut measure = Measure::new(20_251_124, 400, Cut::Mixed, 10, false);
        while measure.tally.secrets().planted < 2_500 {
            measure.one().unwrap();
        }
        let tally = &measure.tally;
        assert!(tally.families.len() >= 250, "{}", tally.families.len());
        assert!(tally.alikes().planted >= 10 * tally.secrets().planted);
        assert_eq!(tally.secrets().wrong, 0, "{:#?}", measure.notes);
        assert!(tally.precision() >= 0.99, "{:#?}", measure.notes);
    }
}
