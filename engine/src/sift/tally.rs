//! The report while it grows.
//!
//! Must never hold a value: rule, pointer and length only.

use terrasift_schemas::detection::{Category, Detection, Report};

use crate::detect::{RuleIx, RuleSet};

/// Detections that are listed; all are counted. A state with more is a case for the counts, not for reading.
pub(super) const LISTED_MAX: usize = 10_000;
/// Bytes of pointers that are listed: keys of a megabyte must not make a report of gigabytes.
const POINTER_BYTES_MAX: usize = 4 << 20;

/// Counts and lists.
#[derive(Default)]
pub(super) struct Tally {
    listed: Vec<Detection>,
    pointer_bytes: usize,
    counts: [u64; 3],
    truncated: u64,
}

const CATEGORIES: [Category; 3] = [Category::Pii, Category::Credential, Category::Infrastructure];

impl Tally {
    /// Counts a redaction of `bytes` decoded bytes; `pointer` is asked for only when it is listed.
    pub(super) fn add(
        &mut self,
        rules: &RuleSet,
        rule: RuleIx,
        bytes: usize,
        pointer: impl FnOnce() -> String,
    ) {
        let info = rules.rule(rule);
        for (category, count) in CATEGORIES.iter().zip(&mut self.counts) {
            *count += u64::from(*category == info.category);
        }
        if !self.is_open() {
            self.truncated += 1;
            return;
        }
        let pointer = pointer();
        self.pointer_bytes += pointer.len();
        self.listed.push(Detection {
            rule: info.id.clone(),
            category: info.category,
            action: info.action,
            pointer,
            bytes: u64::try_from(bytes).unwrap_or(u64::MAX),
        });
    }

    /// Whether the next detection is listed.
    pub(super) fn is_open(&self) -> bool {
        self.listed.len() < LISTED_MAX && self.pointer_bytes < POINTER_BYTES_MAX
    }

    /// The report.
    pub(super) fn into_report(self) -> Report {
        let counts = CATEGORIES.into_iter().zip(self.counts).filter(|(_, count)| *count > 0).collect();
        Report { detections: self.listed, counts, truncated: self.truncated }
    }

    /// Bytes held.
    pub(super) fn memory_bytes(&self) -> usize {
        self.listed.capacity() * (size_of::<Detection>() + 32) + self.pointer_bytes
    }
}
