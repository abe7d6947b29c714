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

use super::places::{BEFORE, OUTSIDE, Places, index, small};
use super::same::{CHUNK, Likeness, common};
use super::schema_marks::Mark;
use crate::detect::KeyVerdict;

/// How much is remembered; all of it is forgotten when it is full, and what repeats comes back at once.
#[derive(Clone, Copy)]
struct Room {
    /// Of the texts of all steps.
    text_bytes: usize,
    steps: usize,
    places: usize,
}

/// At first, and once that was full.
const ROOMS: [Room; 2] = [
    Room { text_bytes: 32 << 10, steps: 256, places: 128 },
    Room { text_bytes: TEXT_BYTES_MAX, steps: 4096, places: 1024 },
];
const TEXT_BYTES_MAX: usize = 512 << 10;
/// Room for the last leaf of a step. A longer one is looked at each time.
const LEAF_BYTES_MAX: usize = 64;
/// Steps that are remembered behind a step, beside the last one.
const OTHERS: usize = 7;
/// Slots tried for a step before it is given up: bounds what a hostile state can cost.
const PROBES_MAX: usize = 16;

/// What stands behind a step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaf {
    /// Nothing: the instance ends, or those of a resource begin.
    End,
    /// A value under a key that says this.
    Data(KeyVerdict),
    /// A value whose name, before it in the same object, tells what it is; and what is said of both from above.
    Asks(KeyVerdict, KeyVerdict),
    /// The instance's key.
    IndexKey,
    /// What the provider keeps.
    Private,
    /// What the schema of its type marks.
    Marked,
}

/// The steps that stand before an instance and before a resource.
pub(super) const INSTANCE: u32 = 0;
pub(super) const RESOURCE: u32 = 1;

/// What a step means for the name that the object at hand has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// Nothing.
    Keep,
    /// An object begins.
    Fresh,
    /// Another container ended, or began: what stood before it in the same object is not known any more.
    Lost,
}

/// No name stood in the object at hand so far.
pub(super) const NAMELESS: usize = usize::MAX;
/// One may have stood there, or two.
pub(super) const LOST: usize = usize::MAX - 1;

/// A text between two leaves at a place.
#[derive(Clone, Copy)]
struct Step {
    /// Where its text stands; the room of the last leaf is behind it.
    start: u32,
    glue: u32,
    /// With the last leaf.
    whole: u32,
    /// Bits of the members that may stand once only.
    once: u32,
    /// Which step came behind it the last time; 0: none.
    next: u32,
    ends: bool,
    naming: Naming,
    /// The leaf behind it is a name ([`crate::detect::PairPart::Name`]).
    names: bool,
}

/// What is asked of a step where something changes: it stands apart, so that what is followed stays small.
#[derive(Clone, Copy)]
struct Turning {
    /// Which steps came behind it before the last time, the last one first: instances of several types begin alike.
    others: [u32; OTHERS],
    from: u32,
    to: u32,
}

/// A step that is new.
pub(super) struct Taking {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) once: u32,
    pub(super) leaf: Leaf,
    pub(super) naming: Naming,
    pub(super) names: bool,
}

/// How far an instance was followed.
pub(super) struct Trip {
    /// One past the last byte that was.
    pub(super) at: usize,
    /// Bits of the members that were met.
    pub(super) seen: u32,
    /// The last step.
    pub(super) step: u32,
    /// Where the name of the object at hand stands, or [`NAMELESS`], or [`LOST`].
    pub(super) name: usize,
    /// Bits of the depths at which an object was asked in vain: a name behind what asked would answer.
    pub(super) unanswered: u64,
}

impl Trip {
    pub(super) fn new(step: u32) -> Self {
        Self { at: 0, seen: 0, step, name: NAMELESS, unanswered: 0 }
    }
}

/// Why it is not followed further by itself.
pub(super) enum Stop {
    /// It ends.
    End,
    /// Another leaf than the last time stands behind the last step.
    Leaf,
    /// Another step than the last time follows.
    Turn,
}

/// What is remembered of the instances of this state.
pub(super) struct Trails {
    likeness: Likeness,
    /// None before the first instance.
    room: Option<Room>,
    /// Exchanged where more room is needed: a buffer that grew would leave copies behind.
    text: Vec<u8>,
    used: usize,
    used_max: usize,
    /// The first two stand before an instance and before a resource.
    steps: Vec<Step>,
    turnings: Vec<Turning>,
    /// What stands behind each of them.
    leaves: Vec<Leaf>,
    pub(super) places: Places,
    /// Numbers of steps, by place and text; twice as many as there may be steps.
    slots: Vec<u32>,
    /// The steps that stand before instances that a schema marks.
    roots: Vec<(&'static [&'static str], u32)>,
}

impl Trails {
    pub(super) fn new() -> Self {
        Self {
            likeness: Likeness::detect(),
            room: None,
            text: Vec::new(),
            used: 0,
            used_max: 0,
            steps: Vec::new(),
            turnings: Vec::new(),
            leaves: Vec::new(),
            places: Places::default(),
            slots: Vec::new(),
            roots: Vec::new(),
        }
    }

    /// Bytes held.
    pub(super) fn memory_bytes(&self) -> usize {
        self.text.capacity()
            + self.steps.capacity() * size_of::<Step>()
            + self.turnings.capacity() * size_of::<Turning>()
            + self.leaves.capacity() * size_of::<Leaf>()
            + self.places.memory_bytes()
            + self.slots.capacity() * size_of::<u32>()
            + self.roots.capacity() * size_of::<(&[&str], u32)>()
    }

    /// Makes room. Between two instances only: numbers of steps are forgotten.
    pub(super) fn begin(&mut self) {
        let nearly = |room: usize| room - room / 8;
        let fits = |room: &Room| {
            self.steps.len() < nearly(room.steps)
                && self.places.len() < nearly(room.places)
                && self.used < nearly(room.text_bytes)
        };
        if self.room.as_ref().is_some_and(fits) {
            return;
        }
        self.move_on();
        self.used = 0;
        self.steps.clear();
        self.turnings.clear();
        self.leaves.clear();
        self.places.begin();
        self.slots.fill(0);
        self.roots.clear();
        self.stand_before(OUTSIDE);
        self.stand_before(BEFORE);
    }

    /// A step that stands before everything else at a place.
    fn stand_before(&mut self, place: u32) {
        self.steps.push(Step {
            start: 0,
            glue: 0,
            whole: 0,
            once: 0,
            next: 0,
            ends: true,
            naming: Naming::Keep,
            names: false,
        });
        self.turnings.push(Turning { others: [0; OTHERS], from: place, to: place });
        self.leaves.push(Leaf::End);
    }

    /// The step before an instance whose type has these paths in its schema: what stands in such instances leads elsewhere.
    pub(super) fn root(&mut self, paths: &'static [&'static str]) -> Option<u32> {
        if paths.is_empty() {
            return Some(INSTANCE);
        }
        if let Some((_, step)) = self.roots.iter().find(|(known, _)| std::ptr::eq(*known, paths)) {
            return Some(*step);
        }
        if self.steps.len() == self.room?.steps {
            return None;
        }
        let outside = self.places.instance(Mark::of(paths)?)?;
        let step = small(self.steps.len());
        self.stand_before(outside);
        self.roots.push((paths, step));
        Some(step)
    }

    /// Takes the next larger room, if there is one.
    fn move_on(&mut self) {
        let larger = |room: &Room| room.text_bytes > self.text.len();
        let Some(room) = ROOMS.into_iter().find(larger) else { return };
        self.wipe();
        self.room = Some(room);
        (self.text, self.used_max) = (vec![0; room.text_bytes], 0);
        self.slots = vec![0; 2 * room.steps];
        (self.steps, self.turnings) = (Vec::with_capacity(room.steps), Vec::with_capacity(room.steps));
        self.leaves = Vec::with_capacity(room.steps);
        self.places.reserve(room.places);
    }

    fn wipe(&mut self) {
        self.text[..self.used_max].zeroize();
    }

    /// What stands behind a step.
    pub(super) fn leaf(&self, step: u32) -> Leaf {
        self.leaves[index(step)]
    }

    /// The place behind a step.
    pub(super) fn place_behind(&self, step: u32) -> u32 {
        self.turnings[index(step)].to
    }

    /// Keeps up with the name of the object at hand. `None`: it stands behind what asked for it.
    #[inline(always)]
    fn name(&self, step: u32, trip: &mut Trip) -> Option<()> {
        let here = 1u64 << self.places.get(self.place_behind(step)).depth;
        let step = &self.steps[index(step)];
        // Only what encloses the place is still open.
        match step.naming {
            Naming::Keep => {}
            Naming::Fresh => {
                trip.name = NAMELESS;
                trip.unanswered &= here - 1;
            }
            Naming::Lost => {
                trip.name = LOST;
                trip.unanswered &= here | (here - 1);
            }
        }
        if step.names {
            if trip.unanswered & here != 0 {
                return None;
            }
            trip.name = if trip.name == NAMELESS { trip.at + index(step.glue) } else { LOST };
        }
        Some(())
    }

    /// The step that came behind this one at some time, and has the text with which the bytes begin.
    pub(super) fn other(&self, step: u32, bytes: &[u8]) -> Option<u32> {
        let others = self.turnings[index(step)].others.iter().copied();
        others.take_while(|other| *other != 0).find(|other| self.begins(*other, bytes))
    }

    /// This step came behind that one.
    pub(super) fn follows(&mut self, step: u32, behind: u32) {
        let mut moved = std::mem::replace(&mut self.steps[index(step)].next, behind);
        for other in &mut self.turnings[index(step)].others {
            if moved == behind || moved == 0 {
                break;
            }
            moved = std::mem::replace(other, moved);
        }
    }

    /// Follows as long as everything is as it was the last time. `None`: a member stands twice.
    #[inline]
    pub(super) fn run(&self, trip: &mut Trip, bytes: &[u8]) -> Option<Stop> {
        match self.likeness {
            Likeness::Chunks => self.run_by(trip, bytes, common),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the processor has what is enabled there (`Likeness::detect`).
            Likeness::Wide => unsafe { self.run_wide(trip, bytes) },
        }
    }

    /// # Safety
    /// The processor has what is enabled.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2")]
    unsafe fn run_wide(&self, trip: &mut Trip, bytes: &[u8]) -> Option<Stop> {
        self.run_by(trip, bytes, |a, b, count| super::same::common_wide(a, b, count))
    }

    #[inline(always)]
    fn run_by(
        &self,
        trip: &mut Trip,
        bytes: &[u8],
        common: impl Fn(&[u8], &[u8], usize) -> usize,
    ) -> Option<Stop> {
        loop {
            let next = self.steps[index(trip.step)].next;
            let step = &self.steps[index(next)];
            let (glue, whole) = (index(step.glue), index(step.whole));
            let same = common(&bytes[trip.at..], &self.text[index(step.start)..], whole);
            if next <= RESOURCE || same < glue {
                return Some(Stop::Turn);
            }
            if trip.seen & step.once != 0 {
                return None;
            }
            trip.seen |= step.once;
            trip.step = next;
            if step.names || step.naming != Naming::Keep {
                self.name(next, trip)?;
            }
            if step.ends {
                trip.at += glue;
                return Some(Stop::End);
            }
            if same < whole || whole == glue {
                trip.at += glue;
                return Some(Stop::Leaf);
            }
            trip.at += whole;
        }
    }

    /// Whether the bytes begin with the text of a step.
    fn begins(&self, step: u32, bytes: &[u8]) -> bool {
        let found = &self.steps[index(step)];
        let glue = index(found.glue);
        step > RESOURCE && common(bytes, &self.text[index(found.start)..], glue) == glue
    }

    /// The leaf that stands behind a step now. `quiet`: nothing is found in it.
    #[inline]
    pub(super) fn keep(&mut self, step: u32, leaf: &[u8], quiet: bool) {
        if !quiet || leaf.len() > LEAF_BYTES_MAX {
            return;
        }
        let step = &mut self.steps[index(step)];
        let start = index(step.start + step.glue);
        self.text[start..start + leaf.len()].copy_from_slice(leaf);
        step.whole = step.glue + small(leaf.len());
    }

    /// The step at a place that has exactly this text.
    pub(super) fn find(&self, from: u32, glue: &[u8]) -> Option<u32> {
        let same = |step: &u32| {
            let known = &self.steps[index(*step)];
            let start = index(known.start);
            self.turnings[index(*step)].from == from && self.text[start..start + index(known.glue)] == *glue
        };
        self.probes(from, glue).map(|slot| self.slots[slot]).take_while(|step| *step != 0).find(same)
    }

    /// The slots in which such a step may stand.
    fn probes(&self, from: u32, glue: &[u8]) -> impl Iterator<Item = usize> + use<> {
        let (first, slots) = (hash_of(from, glue), self.slots.len());
        (first..first + PROBES_MAX).map(move |slot| slot % slots)
    }

    /// Takes a step that is new.
    pub(super) fn take(&mut self, glue: &[u8], taking: Taking) -> Option<u32> {
        let Taking { from, to, once, leaf, naming, names } = taking;
        let room = (glue.len() + LEAF_BYTES_MAX).next_multiple_of(CHUNK);
        if self.steps.len() == self.room?.steps || self.used + room + CHUNK > self.text.len() {
            if self.text.len() < TEXT_BYTES_MAX {
                // The next instance finds more room.
                self.used = self.text.len();
            }
            return None;
        }
        let slot = self.probes(from, glue).find(|slot| self.slots[*slot] == 0)?;
        let start = self.used;
        self.text[start..start + glue.len()].copy_from_slice(glue);
        self.used += room;
        self.used_max = self.used_max.max(self.used);
        let step = small(self.steps.len());
        self.steps.push(Step {
            start: small(start),
            glue: small(glue.len()),
            whole: small(glue.len()),
            once,
            next: 0,
            ends: matches!(leaf, Leaf::End),
            naming,
            names,
        });
        self.turnings.push(Turning { others: [0; OTHERS], from, to });
        self.leaves.push(leaf);
        self.slots[slot] = step;
        Some(step)
    }
}

impl Drop for Trails {
    fn drop(&mut self) {
        self.wipe();
    }
}

fn hash_of(from: u32, glue: &[u8]) -> usize {
    const K: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = (u64::from(from) << 32 | u64::from(small(glue.len()))).wrapping_mul(K);
    let (words, rest) = glue.as_chunks::<8>();
    for word in words {
        state = (state ^ u64::from_le_bytes(*word)).wrapping_mul(K);
        state ^= state >> 29;
    }
    let last = rest.iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
    state = (state ^ last).wrapping_mul(K);
    usize::try_from(state >> 40).unwrap_or(0)
}
