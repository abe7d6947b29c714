//! What the first of two passes notes for the second: what it redacted in each resource, so that a resource that holds no
//! copy of a secret is not walked again.
//!
//! A note is a place, a rule and a length, never a value. Bounded: what does not fit is walked twice. Must never be
//! trusted for other bytes than those that were seen, so each resource is fingerprinted.

use terrasift_schemas::detection::Action;
use twox_hash::xxhash3_64::{DEFAULT_SECRET_LENGTH, Hasher, RawHasher, SecretBuffer};

use super::tally::LISTED_MAX;
use crate::detect::{RuleIx, RuleSet};

/// All notes together, bytes. 100 MB of usual states need two thirds of it.
const NOTES_BYTES_MAX: usize = 3 << 20;
/// Larger resources are walked twice: the second pass holds one resource.
const RESOURCE_BYTES_MAX: usize = 1 << 20;

/// A redaction of the first pass.
#[derive(Clone, Copy)]
pub(super) struct Edit {
    /// First byte, from the region's begin.
    pub at: u32,
    /// Raw bytes that go.
    pub len: u32,
    /// Decoded bytes, for the report.
    pub bytes: u32,
    pub rule: RuleIx,
    /// The marker needs quotes.
    pub quoted: bool,
}

/// A resource and what stands before it, from the end of the one before.
#[derive(Clone, Copy)]
pub(super) struct Region {
    pub len: u64,
    /// Fingerprint of its bytes.
    pub print: u64,
    pub edits: u32,
    /// Only a walk tells what it becomes.
    pub walk: bool,
}

/// Fingerprints a region. The secret that comes of the seed stands beside it, so that a region takes nothing from the heap.
type Printer = RawHasher<[u8; DEFAULT_SECRET_LENGTH]>;

fn printer(seed: u64) -> Printer {
    // INVARIANT: the room has the length that is asked for.
    let secret = SecretBuffer::with_seed(seed, [0; DEFAULT_SECRET_LENGTH]).expect("a secret's room");
    RawHasher::new(secret)
}

/// The notes on a state.
pub(super) struct Notes {
    seed: u64,
    /// That has seen nothing yet.
    fresh: Printer,
    /// Where the first region begins.
    pub start: Option<u64>,
    pub regions: Vec<Region>,
    pub edits: Vec<Edit>,
    /// Of the first edits, as many as a report lists: one behind the other, and where each ends.
    pointers: String,
    pointer_ends: Vec<u32>,
    open: Open,
    full: bool,
}

/// Makes room by an eighth: doubling would hold twice the bound.
fn grow<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        list.reserve_exact((list.len() / 8).max(256));
    }
}

/// The region that is being noted.
struct Open {
    from: u64,
    edits: usize,
    pointers: usize,
    walk: bool,
    hasher: Printer,
}

impl Notes {
    /// Nothing is noted yet. The seed keeps the fingerprints of one state from meaning anything for another.
    pub(super) fn new(seed: u64) -> Self {
        let fresh = printer(seed);
        Self {
            seed,
            fresh: fresh.clone(),
            start: None,
            regions: Vec::new(),
            edits: Vec::new(),
            pointers: String::new(),
            pointer_ends: Vec::new(),
            open: Open { from: 0, edits: 0, pointers: 0, walk: false, hasher: fresh },
            full: false,
        }
    }

    /// The list of resources begins behind this offset.
    pub(super) fn begin(&mut self, offset: u64) {
        if self.start.is_none() {
            self.start = Some(offset);
            self.next(offset);
        } else {
            self.full = true;
        }
    }

    fn next(&mut self, from: u64) {
        let (edits, pointers) = (self.edits.len(), self.pointer_ends.len());
        self.open = Open { from, edits, pointers, walk: false, hasher: self.fresh.clone() };
    }

    /// Whether regions are being noted.
    pub(super) fn noting(&self) -> bool {
        self.start.is_some() && !self.full
    }

    /// Takes the next bytes of the open region.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        if self.noting() && !self.open.walk {
            std::hash::Hasher::write(&mut self.open.hasher, bytes);
        }
    }

    /// A resource ends before this offset.
    pub(super) fn end(&mut self, offset: u64) {
        if !self.noting() {
            return;
        }
        let len = offset - self.open.from;
        let walk = self.open.walk || len > u64::try_from(RESOURCE_BYTES_MAX).unwrap_or(u64::MAX);
        if walk {
            self.needs_walk();
        }
        let edits = u32::try_from(self.edits.len() - self.open.edits).unwrap_or(u32::MAX);
        let print = std::hash::Hasher::finish(&self.open.hasher);
        grow(&mut self.regions);
        self.regions.push(Region { len, print, edits, walk });
        self.full = self.memory_bytes() > NOTES_BYTES_MAX;
        self.next(offset);
    }

    fn forget_pointers(&mut self) {
        self.pointer_ends.truncate(self.open.pointers);
        let end = self.pointer_ends.last().map_or(0, |end| usize::try_from(*end).unwrap_or(0));
        self.pointers.truncate(end);
    }

    /// The open region cannot be told by its edits: keys were rewritten, or parts of it were skipped.
    pub(super) fn needs_walk(&mut self) {
        self.open.walk = true;
        self.edits.truncate(self.open.edits);
        self.forget_pointers();
    }

    /// A redaction of the raw bytes `[from, to)`, offsets in the input.
    pub(super) fn edit(
        &mut self,
        rules: &RuleSet,
        rule: RuleIx,
        raw: (u64, u64),
        bytes: usize,
        quoted: bool,
        pointer: impl FnOnce() -> String,
    ) {
        if !self.noting() || self.open.walk {
            return;
        }
        let small = |n: u64| u32::try_from(n).ok();
        let place =
            (small(raw.0.wrapping_sub(self.open.from)), small(raw.1 - raw.0), u32::try_from(bytes).ok());
        // What is hashed needs the value; a resource may hold a million.
        let unfit = rules.rule(rule).action == Action::Hash || self.memory_bytes() > NOTES_BYTES_MAX;
        let (Some(at), Some(len), Some(bytes), false) = (place.0, place.1, place.2, unfit) else {
            self.needs_walk();
            return;
        };
        if self.edits.len() == self.pointer_ends.len() && self.edits.len() < LISTED_MAX {
            self.pointers.push_str(&pointer());
            self.pointer_ends.push(u32::try_from(self.pointers.len()).unwrap_or(u32::MAX));
        }
        grow(&mut self.edits);
        self.edits.push(Edit { at, len, bytes, rule, quoted });
    }

    /// The pointer of an edit, if it was kept.
    pub(super) fn pointer(&self, edit: usize) -> Option<&str> {
        let end = |at: usize| self.pointer_ends.get(at).and_then(|end| usize::try_from(*end).ok());
        let from = match edit.checked_sub(1) {
            Some(before) => end(before)?,
            None => 0,
        };
        self.pointers.get(from..end(edit)?)
    }

    /// Whether these are the bytes of the region.
    pub(super) fn knows(&self, region: Region, bytes: &[u8]) -> bool {
        Hasher::oneshot_with_seed(self.seed, bytes) == region.print
    }

    /// Bytes held.
    pub(super) fn memory_bytes(&self) -> usize {
        self.regions.capacity() * size_of::<Region>()
            + self.edits.capacity() * size_of::<Edit>()
            + self.pointers.capacity()
            + self.pointer_ends.capacity() * size_of::<u32>()
    }
}
