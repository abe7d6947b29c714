//! Verification of the security audit: a machine that is given records in order, and says where a chain breaks.
//!
//! Pure. Must never trust a number, a hash or a signature that it did not compute itself, nor report a value.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;

use super::{Checkpoint, CheckpointKey, GENESIS, TrailRecord};

/// Where a chain breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailBreak {
    /// Which chain.
    pub segment: String,
    /// The first record that is not as it must be, or is not there.
    pub number: i64,
    /// What is wrong.
    pub what: &'static str,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrailVerdict {
    /// Records that were recomputed.
    pub records: u64,
    /// Chains.
    pub segments: u64,
    /// Those without a closing checkpoint: their process runs, or was killed.
    pub open: u64,
    /// Records that say that others did not fit.
    pub gaps: u64,
    /// Checkpoints whose signature is right.
    pub checkpoints: u64,
    /// Where a chain breaks: the first place of each.
    pub breaks: Vec<TrailBreak>,
}

/// Up to when records were dropped for their age.
#[derive(Debug, Clone, Default)]
pub(super) struct Retired(Option<OffsetDateTime>);

impl Retired {
    pub(super) fn new(untils: impl Iterator<Item = OffsetDateTime>) -> Self {
        Self(untils.max())
    }

    /// Whether a record before this one may be missing.
    fn explains_what_was_before(&self, at: OffsetDateTime) -> bool {
        self.0.is_some_and(|until| at >= until)
    }

    /// Whether a record of this time is gone by right.
    fn covers(&self, at: OffsetDateTime) -> bool {
        self.0.is_some_and(|until| at < until)
    }
}

/// The chain that is being read.
struct Link {
    segment: String,
    number: i64,
    hash: Vec<u8>,
}

/// Takes records by segment and number.
pub(super) struct ChainCheck<'k> {
    keys: &'k [CheckpointKey],
    retired: Retired,
    /// Whose turn has not come: by segment.
    checkpoints: BTreeMap<String, Vec<Checkpoint>>,
    /// Of the current segment, by number.
    due: Vec<Checkpoint>,
    last: Option<Link>,
    broken: BTreeSet<String>,
    verdict: TrailVerdict,
}

impl<'k> ChainCheck<'k> {
    pub(super) fn new(keys: &'k [CheckpointKey], known: Vec<Checkpoint>, retired: Retired) -> Self {
        let mut checkpoints: BTreeMap<String, Vec<Checkpoint>> = BTreeMap::new();
        for checkpoint in known {
            let of = checkpoints.entry(checkpoint.segment.clone()).or_default();
            if !of.contains(&checkpoint) {
                of.push(checkpoint);
            }
        }
        Self {
            keys,
            retired,
            checkpoints,
            due: Vec::new(),
            last: None,
            broken: BTreeSet::new(),
            verdict: TrailVerdict::default(),
        }
    }

    pub(super) fn take(&mut self, record: &TrailRecord) {
        self.verdict.records = self.verdict.records.saturating_add(1);
        self.verdict.gaps = self.verdict.gaps.saturating_add(u64::from(record.outcome == "gap"));
        let before = match self.last.take() {
            Some(last) if last.segment == record.segment => Some(last),
            other => {
                self.leave(other);
                self.enter(&record.segment);
                None
            }
        };
        match before {
            Some(before) => self.follow(&before, record),
            None if record.number == 1 => {
                if record.previous != GENESIS {
                    self.breaks(record, "it is the first, and names one before it");
                }
            }
            None if self.retired.explains_what_was_before(record.at) => {}
            None => self.break_at(
                &record.segment,
                1,
                "the records before the first one that is there are missing",
            ),
        }
        if record.digest().as_slice() != record.hash {
            self.breaks(record, "its hash is not that of what it says");
        }
        self.compare(record);
        self.last =
            Some(Link { segment: record.segment.clone(), number: record.number, hash: record.hash.clone() });
    }

    pub(super) fn end(mut self) -> TrailVerdict {
        let last = self.last.take();
        self.leave(last);
        for (segment, checkpoints) in std::mem::take(&mut self.checkpoints) {
            for checkpoint in checkpoints {
                self.signature(&checkpoint);
                if !self.retired.covers(checkpoint.at) {
                    self.break_at(
                        &segment,
                        1,
                        "all records are missing, and a checkpoint says that there were some",
                    );
                }
            }
        }
        self.verdict
    }

    fn follow(&mut self, before: &Link, record: &TrailRecord) {
        let expected = before.number.saturating_add(1);
        if record.number == before.number {
            self.breaks(record, "it is there twice");
        } else if record.number != expected {
            self.break_at(&record.segment, expected, "it is missing");
        } else if record.previous != before.hash {
            self.breaks(record, "the hash before it is another one");
        }
    }

    fn enter(&mut self, segment: &str) {
        self.verdict.segments = self.verdict.segments.saturating_add(1);
        self.due = self.checkpoints.remove(segment).unwrap_or_default();
        self.due.sort_by_key(|checkpoint| checkpoint.number);
        for checkpoint in self.due.clone() {
            self.signature(&checkpoint);
        }
        if !self.due.iter().any(|checkpoint| checkpoint.closes) {
            self.verdict.open = self.verdict.open.saturating_add(1);
        }
    }

    /// The segment is over: checkpoints beyond its end say what is missing.
    fn leave(&mut self, last: Option<Link>) {
        let Some(last) = last else { return };
        let beyond =
            std::mem::take(&mut self.due).into_iter().any(|checkpoint| checkpoint.number > last.number);
        if beyond {
            let what = "it and what came after it are missing: a checkpoint knows them";
            self.break_at(&last.segment, last.number.saturating_add(1), what);
        }
    }

    fn compare(&mut self, record: &TrailRecord) {
        let about = |checkpoint: &&Checkpoint| checkpoint.number == record.number;
        let differs = self.due.iter().filter(about).any(|checkpoint| checkpoint.hash != record.hash);
        let goes_on =
            self.due.iter().any(|checkpoint| checkpoint.closes && checkpoint.number < record.number);
        if differs {
            self.breaks(record, "a checkpoint has another hash for it");
        }
        if goes_on {
            self.breaks(record, "the chain was closed before it");
        }
    }

    fn signature(&mut self, checkpoint: &Checkpoint) {
        if self.keys.iter().any(|key| key.signed(checkpoint)) {
            self.verdict.checkpoints = self.verdict.checkpoints.saturating_add(1);
        } else {
            self.break_at(
                &checkpoint.segment,
                checkpoint.number,
                "its checkpoint is not signed by a known key",
            );
        }
    }

    fn breaks(&mut self, record: &TrailRecord, what: &'static str) {
        self.break_at(&record.segment, record.number, what);
    }

    /// Only the first break of a chain is told: what comes after one follows from it.
    fn break_at(&mut self, segment: &str, number: i64, what: &'static str) {
        if self.broken.insert(segment.to_owned()) {
            self.verdict.breaks.push(TrailBreak { segment: segment.to_owned(), number, what });
        }
    }
}
