//! The ways that instances took: what stood between two leaves, and the leaf that stood there last.
//!
//! An instance is leaves (strings, numbers, words) and what stands between them: brackets, keys, commas, white space. What
//! stands between repeats nearly always, and what came behind it the last time mostly comes behind it again. So an instance
//! is followed by comparing bytes with what is remembered, and only leaves that are others than the last time are looked at:
//! no token, no key and no bracket is looked at again (the idea is that of a trace cache).
//!
//! A step stands for a text between two leaves *at a place*: the containers that are open and what their keys say. So what
//! a step leads to depends on nothing but itself.
//!
//! Holds texts in a buffer of fixed size, and wipes them; no Debug. Must never take a step by anything less than all of its
//! bytes.

use zeroize::Zeroize;

use crate::detect::KeyVerdict;

/// Bytes of the texts of all steps; all are forgotten when they are full, and what repeats comes back at once.
const TEXT_BYTES_MAX: usize = 512 << 10;
/// Steps that are remembered.
const STEPS_MAX: usize = 4096;
/// Slots of the table, a power of two.
const SLOTS: usize = 2 * STEPS_MAX;
/// Room for the last leaf of a step. A longer one is looked at each time.
const LEAF_BYTES_MAX: usize = 64;
/// Containers that are open at once, at most. Real states stay below 40.
const LEVELS_MAX: u32 = 64;
/// Places that are remembered.
const PLACES_MAX: usize = 4096;

/// What stands behind a step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaf {
    /// Nothing: the instance ends, or those of a resource begin.
    End,
    /// A value under a key that says this.
    Data(KeyVerdict),
    /// The instance's key.
    IndexKey,
    /// What the provider keeps.
    Private,
}

/// The containers that are open: the innermost one, and the place that it stands at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) parent: u32,
    pub(super) object: bool,
    depth: u32,
    /// What is said of its values from above.
    pub(super) verdict: KeyVerdict,
}

/// Before an instance, or behind it.
pub(super) const OUTSIDE: u32 = 0;
/// Among its members.
pub(super) const MEMBERS: u32 = 1;
/// Before a resource.
pub(super) const BEFORE: u32 = 2;
/// Among its members; it is left where its instances begin.
pub(super) const HEADER: u32 = 3;

/// The steps that stand before an instance and before a resource.
pub(super) const INSTANCE: u32 = 0;
pub(super) const RESOURCE: u32 = 1;

#[derive(Clone, Copy)]
pub(super) struct Step {
    /// Where its text stands; the room of the last leaf is behind it.
    start: u32,
    glue: u32,
    leaf_bytes: u32,
    /// Which step came behind it the last time, and another time.
    next: u32,
    other: u32,
    from: u32,
    pub(super) to: u32,
    /// Bits of the members that may stand once only.
    pub(super) once: u32,
    pub(super) leaf: Leaf,
}

/// How a step fits.
pub(super) enum Fit {
    /// Its text and its leaf stand there.
    Whole,
    /// Its text does.
    Glue,
    Not,
}

/// What is remembered of the instances of this state.
pub(super) struct Trails {
    /// Of fixed size once there is anything: a buffer that grew would leave copies behind.
    text: Vec<u8>,
    used: usize,
    used_max: usize,
    /// The first two stand before an instance and before a resource.
    steps: Vec<Step>,
    places: Vec<Place>,
    /// Numbers of steps, by place and text.
    slots: Vec<u32>,
}

impl Trails {
    pub(super) fn new() -> Self {
        Self {
            text: Vec::new(),
            used: 0,
            used_max: 0,
            steps: Vec::new(),
            places: Vec::new(),
            slots: Vec::new(),
        }
    }

    /// Bytes held.
    pub(super) fn memory_bytes(&self) -> usize {
        self.text.capacity()
            + self.steps.capacity() * size_of::<Step>()
            + self.places.capacity() * size_of::<Place>()
            + self.slots.capacity() * size_of::<u32>()
    }

    /// Makes room. Between two instances only: numbers of steps are forgotten.
    pub(super) fn begin(&mut self) {
        let full = self.steps.len() >= STEPS_MAX - STEPS_MAX / 8
            || self.places.len() >= PLACES_MAX - PLACES_MAX / 8
            || self.used >= TEXT_BYTES_MAX - TEXT_BYTES_MAX / 8;
        if !full && !self.steps.is_empty() {
            return;
        }
        if self.text.is_empty() {
            self.text = vec![0; TEXT_BYTES_MAX];
            self.slots = vec![0; SLOTS];
            self.steps.reserve_exact(STEPS_MAX);
            self.places.reserve_exact(PLACES_MAX);
        }
        self.used = 0;
        self.steps.clear();
        self.places.clear();
        self.slots.fill(0);
        let outside = Place { parent: OUTSIDE, object: false, depth: 0, verdict: KeyVerdict::Plain };
        self.places.push(outside);
        self.places.push(Place { object: true, depth: 1, ..outside });
        self.places.push(Place { parent: BEFORE, ..outside });
        self.places.push(Place { parent: BEFORE, object: true, depth: 1, ..outside });
        let start = Step {
            start: 0,
            glue: 0,
            leaf_bytes: 0,
            next: 0,
            other: 0,
            from: OUTSIDE,
            to: OUTSIDE,
            once: 0,
            leaf: Leaf::End,
        };
        self.steps.push(start);
        self.steps.push(Step { from: BEFORE, to: BEFORE, ..start });
    }

    #[inline]
    pub(super) fn step(&self, step: u32) -> &Step {
        &self.steps[index(step)]
    }

    #[inline]
    pub(super) fn place(&self, place: u32) -> &Place {
        &self.places[index(place)]
    }

    /// The steps that are likely to come behind this one; 0: none.
    #[inline]
    pub(super) fn behind(&self, step: u32) -> [u32; 2] {
        let step = &self.steps[index(step)];
        [step.next, step.other]
    }

    /// This step came behind that one.
    #[inline]
    pub(super) fn follows(&mut self, step: u32, behind: u32) {
        let step = &mut self.steps[index(step)];
        if step.next != behind {
            step.other = step.next;
            step.next = behind;
        }
    }

    /// Whether the bytes begin with a step. Returns the length of what fits, too.
    #[inline]
    pub(super) fn fit(&self, step: u32, bytes: &[u8]) -> (Fit, usize) {
        let step = &self.steps[index(step)];
        let (start, glue) = (index(step.start), index(step.glue));
        let whole = glue + index(step.leaf_bytes);
        if let Some(bytes) = bytes.get(..whole)
            && same(bytes, &self.text[start..start + whole])
        {
            return (
                if whole == glue && !matches!(step.leaf, Leaf::End) { Fit::Glue } else { Fit::Whole },
                whole,
            );
        }
        match bytes.get(..glue) {
            Some(bytes) if same(bytes, &self.text[start..start + glue]) => (Fit::Glue, glue),
            _ => (Fit::Not, 0),
        }
    }

    /// The leaf that stands behind a step now is known to hold nothing.
    #[inline]
    pub(super) fn keep(&mut self, step: u32, leaf: &[u8]) {
        let step = &mut self.steps[index(step)];
        if leaf.len() > LEAF_BYTES_MAX {
            return;
        }
        let start = index(step.start + step.glue);
        self.text[start..start + leaf.len()].copy_from_slice(leaf);
        step.leaf_bytes = small(leaf.len());
    }

    /// The step at a place that has exactly this text.
    pub(super) fn find(&self, from: u32, glue: &[u8]) -> Option<u32> {
        let mut slot = slot_of(from, glue);
        while let Some(step) = self.slots.get(slot).filter(|step| **step != 0) {
            let known = &self.steps[index(*step)];
            let start = index(known.start);
            if known.from == from && self.text[start..start + index(known.glue)] == *glue {
                return Some(*step);
            }
            slot = (slot + 1) % SLOTS;
        }
        None
    }

    /// Takes a step that is new.
    pub(super) fn take(&mut self, from: u32, to: u32, glue: &[u8], once: u32, leaf: Leaf) -> Option<u32> {
        let room = glue.len() + LEAF_BYTES_MAX;
        if self.steps.len() == STEPS_MAX || self.used + room > TEXT_BYTES_MAX {
            return None;
        }
        let start = self.used;
        self.text[start..start + glue.len()].copy_from_slice(glue);
        self.used += room;
        self.used_max = self.used_max.max(self.used);
        let step = small(self.steps.len());
        self.steps.push(Step {
            start: small(start),
            glue: small(glue.len()),
            leaf_bytes: 0,
            next: 0,
            other: 0,
            from,
            to,
            once,
            leaf,
        });
        let mut slot = slot_of(from, glue);
        while self.slots[slot] != 0 {
            slot = (slot + 1) % SLOTS;
        }
        self.slots[slot] = step;
        Some(step)
    }

    /// The place within a container that opens.
    pub(super) fn enter(&mut self, parent: u32, object: bool, verdict: KeyVerdict) -> Option<u32> {
        let depth = self.places[index(parent)].depth + 1;
        let place = Place { parent, object, depth, verdict };
        if let Some(known) = self.places.iter().position(|known| *known == place) {
            return Some(small(known));
        }
        if depth > LEVELS_MAX || self.places.len() == PLACES_MAX {
            return None;
        }
        self.places.push(place);
        Some(small(self.places.len() - 1))
    }
}

impl Drop for Trails {
    fn drop(&mut self) {
        self.text[..self.used_max].zeroize();
    }
}

/// Equality of texts of one length, without a call.
#[inline(always)]
fn same(a: &[u8], b: &[u8]) -> bool {
    let (left, right) = (a.as_chunks::<16>().0, b.as_chunks::<16>().0);
    if left.iter().zip(right).any(|(x, y)| u128::from_le_bytes(*x) != u128::from_le_bytes(*y)) {
        return false;
    }
    match (a.last_chunk::<16>(), b.last_chunk::<16>()) {
        (Some(x), Some(y)) => u128::from_le_bytes(*x) == u128::from_le_bytes(*y),
        _ => a == b,
    }
}

fn slot_of(from: u32, glue: &[u8]) -> usize {
    const K: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = (u64::from(from) << 32 | u64::from(small(glue.len()))).wrapping_mul(K);
    let (words, rest) = glue.as_chunks::<8>();
    for word in words {
        state = (state ^ u64::from_le_bytes(*word)).wrapping_mul(K);
        state ^= state >> 29;
    }
    let last = rest.iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
    state = (state ^ last).wrapping_mul(K);
    usize::try_from(state >> 40).unwrap_or(0) % SLOTS
}

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[inline]
#[expect(clippy::as_conversions, reason = "hot path: u32 fits usize on every target that runs this")]
fn index(n: u32) -> usize {
    n as usize
}
