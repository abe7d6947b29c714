//! Owns the sums over many states, by family, place, kind and rule. It must never hold a secret.

use super::judge::Judgement;
use super::{Fate, PlantedState};
use std::collections::BTreeMap;

/// How many there were, and of how many the fate was not met.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// All.
    pub planted: usize,
    /// Missed secrets, or changed look-alikes.
    pub wrong: usize,
}

/// Sums.
#[derive(Debug, Default)]
pub struct Tally {
    /// States judged.
    pub states: usize,
    /// Bytes of these.
    pub bytes: usize,
    /// Secrets, by family.
    pub families: BTreeMap<&'static str, Row>,
    /// Secrets, by hiding place.
    pub places: BTreeMap<String, Row>,
    /// Look-alikes, by kind.
    pub look_alikes: BTreeMap<&'static str, Row>,
    /// Changed look-alikes and strays, by rule.
    pub rules: BTreeMap<String, usize>,
    /// Values without anything planted that changed.
    pub strays: usize,
    /// Keys, strings, numbers and literals.
    pub tokens: usize,
    /// Those without a secret.
    pub tokens_without_secret: usize,
    /// Those without a secret that changed.
    pub tokens_changed: usize,
    /// Bytes beside secrets in the same values.
    pub context_bytes: usize,
    /// Of these, how many went too.
    pub context_lost: usize,
}

impl Tally {
    /// Adds one state.
    pub fn add(&mut self, state: &PlantedState, made: &Judgement) {
        self.states += 1;
        self.bytes += state.bytes.len();
        let missed: std::collections::BTreeSet<usize> =
            made.missed.iter().filter_map(|case| case.id).collect();
        for (id, fine) in &made.fates {
            let planted = &state.planted[*id];
            let wrong = match planted.fate {
                Fate::Goes => missed.contains(id),
                Fate::Stays => !fine,
            };
            let row = match planted.fate {
                Fate::Goes => self.families.entry(planted.family).or_default(),
                Fate::Stays => self.look_alikes.entry(planted.family).or_default(),
            };
            row.planted += 1;
            row.wrong += usize::from(wrong);
            if planted.fate == Fate::Goes {
                let row = self.places.entry(planted.place.clone()).or_default();
                row.planted += 1;
                row.wrong += usize::from(wrong);
            }
        }
        for case in made.changed.iter().chain(&made.strays) {
            *self.rules.entry(case.reason.clone()).or_default() += 1;
        }
        self.strays += made.strays.len();
        self.tokens += made.tokens;
        self.tokens_without_secret += made.tokens_without_secret;
        self.tokens_changed += made.tokens_changed;
        self.context_bytes += made.context_bytes;
        self.context_lost += made.context_lost;
    }

    /// All secrets.
    #[must_use]
    pub fn secrets(&self) -> Row {
        sum(self.families.values())
    }

    /// All look-alikes.
    #[must_use]
    pub fn alikes(&self) -> Row {
        sum(self.look_alikes.values())
    }

    /// Right redactions among all: secrets that went, against look-alikes and other values that went.
    #[must_use]
    pub fn precision(&self) -> f64 {
        let secrets = self.secrets();
        let right = float(secrets.planted - secrets.wrong);
        let all = right + float(self.alikes().wrong + self.strays);
        if all > 0.0 { right / all } else { 1.0 }
    }

    /// Share of the values without a secret that changed.
    #[must_use]
    pub fn changed_share(&self) -> f64 {
        float(self.tokens_changed) / float(self.tokens_without_secret.max(1))
    }

    /// Share of the bytes beside secrets that went too.
    #[must_use]
    pub fn context_share(&self) -> f64 {
        float(self.context_lost) / float(self.context_bytes.max(1))
    }
}

fn sum<'a>(rows: impl Iterator<Item = &'a Row>) -> Row {
    rows.fold(Row::default(), |sum, row| Row {
        planted: sum.planted + row.planted,
        wrong: sum.wrong + row.wrong,
    })
}

fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
