//! What is known of each key, remembered: states repeat their keys.
//!
//! Holds keys (which can be secrets) only while a state is sifted, so it has no Debug. Must never answer for one key with
//! what is known of another: a hash alone decides nothing.

use super::echo::LastHeard;
use super::leaf::may_need_name;
use super::quiet::lane;
use crate::detect::{Hit, KeyVerdict, Kind, RuleSet, Scratch};

/// What a key says, and whether it is data itself.
#[derive(Clone, Copy)]
pub(super) struct KeyFacts {
    /// About the value below.
    pub verdict: KeyVerdict,
    /// Values below that may go the short way.
    pub lane: Option<Kind>,
    /// The key holds something that must go.
    pub found: bool,
    /// The key stays, and could collide with one that is rewritten.
    pub named: bool,
    /// How many secrets were known when the key was last searched for them; see [`super::walk::Walk`].
    pub tainted_at: u32,
    /// It held one.
    pub tainted: bool,
}

struct Entry {
    hash: u64,
    start: u32,
    len: u32,
    /// The entry that was asked for after this one, last time.
    next: u32,
    /// Where a member with this key was heard last.
    heard: LastHeard,
    /// Members with this key, one after the other, that were not the one heard before.
    strangers: u8,
    facts: KeyFacts,
}

/// Keys are remembered up to this length, bytes; longer ones are rare and decided each time.
const KEY_BYTES_MAX: usize = 256;
/// Slots of the table, powers of two, of which at most half are used: at first, and in the end. The largest of the corpus'
/// states has 700 keys.
const SLOTS_MIN: usize = 1 << 8;
const SLOTS_MAX: usize = 1 << 13;
/// A key whose members were new so often in a row (an id) is asked for, and its members are kept, so seldom.
const STRANGERS_MAX: u8 = 8;
/// Slots tried for a key before it is given up: bounds what a hostile state can cost.
const PROBES_MAX: usize = 16;

/// The memo of one state.
pub(super) struct KeyMemo {
    slots: Vec<u32>,
    entries: Vec<Entry>,
    text: Vec<u8>,
    /// The entry that was asked for last. Instances of a type repeat their keys in order, so its `next` is nearly always
    /// the one that is asked for now, and no hash is needed.
    last: usize,
}

/// Where facts stand in the memo.
#[derive(Clone, Copy)]
pub(super) struct Slot(usize);

impl KeyMemo {
    pub(super) fn new() -> Self {
        Self { slots: vec![0; SLOTS_MIN], entries: Vec::new(), text: Vec::new(), last: 0 }
    }

    /// Bytes held.
    pub(super) fn memory_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<u32>()
            + self.entries.capacity() * size_of::<Entry>()
            + self.text.capacity()
    }

    /// The facts of a key that is remembered, by its raw spelling.
    #[inline]
    pub(super) fn known(&mut self, raw: &[u8]) -> Option<KeyFacts> {
        let index = self.index_of(raw)?;
        self.follow(index);
        Some(self.entries[index].facts)
    }

    /// Which entry a key has, by its raw spelling.
    #[inline]
    pub(super) fn index_of(&self, raw: &[u8]) -> Option<usize> {
        let last = self.entries.get(self.last)?;
        let guess = usize::try_from(last.next).unwrap_or(0);
        if same(self.text_of(self.entries.get(guess)?), raw) { Some(guess) } else { self.find(raw) }
    }

    /// The entry was asked for; the next key is likely the one that came behind it last time.
    #[inline]
    pub(super) fn follow(&mut self, index: usize) {
        if let Some(last) = self.entries.get_mut(self.last) {
            last.next = u32::try_from(index).unwrap_or(0);
        }
        self.last = index;
    }

    /// What is known of an entry.
    #[inline]
    pub(super) fn facts(&self, index: usize) -> KeyFacts {
        self.entries[index].facts
    }

    /// Where a member with this key was heard last, if asking has been worth it lately.
    #[inline]
    pub(super) fn heard(&self, index: usize) -> Option<LastHeard> {
        let entry = &self.entries[index];
        (entry.strangers < STRANGERS_MAX || entry.strangers.is_multiple_of(STRANGERS_MAX))
            .then_some(entry.heard)
    }

    /// Whether a member with this key is kept, having just been asked for in vain.
    #[inline]
    pub(super) fn listens(&self, index: usize) -> bool {
        let strangers = self.entries[index].strangers;
        strangers < STRANGERS_MAX || strangers % STRANGERS_MAX == 1
    }

    /// A member with this key was the one that was heard before, or was not.
    #[inline]
    pub(super) fn asked(&mut self, index: usize, same: bool) {
        let entry = &mut self.entries[index];
        entry.strangers = if same { 0 } else { entry.strangers.wrapping_add(1).max(1) };
    }

    /// A member with this key was heard.
    #[inline]
    pub(super) fn hear(&mut self, index: usize, heard: LastHeard) {
        self.entries[index].heard = heard;
    }

    fn find(&self, raw: &[u8]) -> Option<usize> {
        let hash = hash(raw);
        for probe in 0..PROBES_MAX {
            let index = usize::try_from(self.slots[self.slot_of(hash, probe)]).unwrap_or(0).checked_sub(1)?;
            let entry = self.entries.get(index)?;
            if entry.hash == hash && self.text_of(entry) == raw {
                return Some(index);
            }
        }
        None
    }

    /// The facts of a key by its raw spelling. `decide` is called for a key that is not known yet.
    #[inline]
    pub(super) fn look_up(
        &mut self,
        raw: &[u8],
        decide: impl FnOnce() -> KeyFacts,
    ) -> (KeyFacts, Option<Slot>) {
        if let Some(last) = self.entries.get(self.last)
            && let index = usize::try_from(last.next).unwrap_or(0)
            && let Some(guess) = self.entries.get(index)
            && self.text_of(guess) == raw
        {
            self.last = index;
            return (guess.facts, Some(Slot(index)));
        }
        let (facts, slot) = self.search(raw, decide);
        if let Some(Slot(index)) = slot {
            if let Some(last) = self.entries.get_mut(self.last) {
                last.next = u32::try_from(index).unwrap_or(0);
            }
            self.last = index;
        }
        (facts, slot)
    }

    fn search(&mut self, raw: &[u8], decide: impl FnOnce() -> KeyFacts) -> (KeyFacts, Option<Slot>) {
        if raw.len() > KEY_BYTES_MAX {
            return (decide(), None);
        }
        let hash = hash(raw);
        for probe in 0..PROBES_MAX {
            let slot = self.slot_of(hash, probe);
            let index = usize::try_from(self.slots[slot]).unwrap_or(0);
            let Some(entry) = index.checked_sub(1).and_then(|i| self.entries.get(i)) else {
                return self.remember(raw, hash, slot, decide());
            };
            if entry.hash == hash && self.text_of(entry) == raw {
                return (entry.facts, Some(Slot(index - 1)));
            }
        }
        (decide(), None)
    }

    /// Replaces what is known.
    pub(super) fn update(&mut self, slot: Slot, facts: KeyFacts) {
        self.entries[slot.0].facts = facts;
    }

    fn text_of(&self, entry: &Entry) -> &[u8] {
        let start = usize::try_from(entry.start).unwrap_or(0);
        &self.text[start..start + usize::try_from(entry.len).unwrap_or(0)]
    }

    fn remember(&mut self, raw: &[u8], hash: u64, slot: usize, facts: KeyFacts) -> (KeyFacts, Option<Slot>) {
        let mut slot = slot;
        if self.entries.len() >= self.slots.len() / 2 {
            if self.slots.len() == SLOTS_MAX {
                // Full of keys that are data. Begin anew: what repeats comes back at once.
                self.slots.fill(0);
                self.entries.clear();
                self.text.clear();
                return (facts, None);
            }
            self.grow();
            match self.free(hash) {
                Some(free) => slot = free,
                None => return (facts, None),
            }
        }
        let start = u32::try_from(self.text.len()).unwrap_or(0);
        self.text.extend_from_slice(raw);
        let len = u32::try_from(raw.len()).unwrap_or(0);
        self.entries.push(Entry {
            hash,
            start,
            len,
            next: 0,
            heard: LastHeard::default(),
            strangers: 0,
            facts,
        });
        self.slots[slot] = u32::try_from(self.entries.len()).unwrap_or(0);
        (facts, Some(Slot(self.entries.len() - 1)))
    }

    /// Four times as many slots. A key for which none is free is not found any more.
    fn grow(&mut self) {
        self.slots = vec![0; self.slots.len() * 4];
        for index in 0..self.entries.len() {
            if let Some(slot) = self.free(self.entries[index].hash) {
                self.slots[slot] = u32::try_from(index + 1).unwrap_or(0);
            }
        }
    }

    fn free(&self, hash: u64) -> Option<usize> {
        (0..PROBES_MAX).map(|probe| self.slot_of(hash, probe)).find(|slot| self.slots[*slot] == 0)
    }

    #[inline]
    #[expect(clippy::as_conversions, reason = "hot path; the mask keeps it far below usize")]
    fn slot_of(&self, hash: u64, probe: usize) -> usize {
        ((hash >> 32) as usize + probe) & (self.slots.len() - 1)
    }
}

/// Equality without a call for what keys are: short.
#[inline]
fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let words = |text: &[u8]| Some((*text.first_chunk::<8>()?, *text.last_chunk::<8>()?));
    let halves = |text: &[u8]| Some((*text.first_chunk::<4>()?, *text.last_chunk::<4>()?));
    match a.len() {
        0..4 => a == b,
        4..8 => halves(a) == halves(b),
        8..=16 => words(a) == words(b),
        _ => a == b,
    }
}

/// Asks the rules about a key.
pub(super) fn decide(
    rules: &RuleSet,
    key: &str,
    data: bool,
    scratch: &mut Scratch,
    hits: &mut Vec<Hit>,
) -> KeyFacts {
    hits.clear();
    if data {
        rules.inspect_key(key, scratch, hits);
    }
    let (verdict, found) = (rules.classify_key(key), !hits.is_empty());
    KeyFacts {
        verdict,
        lane: lane(key, verdict, found),
        found,
        named: may_need_name(key),
        tainted_at: 0,
        tainted: false,
    }
}

/// Multiply and fold, eight bytes at a time. Not keyed: a collision costs a comparison, and [`PROBES_MAX`] bounds them.
#[inline]
fn hash(bytes: &[u8]) -> u64 {
    const K: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = u64::try_from(bytes.len()).unwrap_or(0).wrapping_mul(K);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        state = (state ^ u64::from_le_bytes(*word)).wrapping_mul(K);
        state ^= state >> 29;
    }
    let mut last = 0;
    for byte in rest {
        last = last << 8 | u64::from(*byte);
    }
    state = (state ^ last).wrapping_mul(K);
    state ^ state >> 32
}
