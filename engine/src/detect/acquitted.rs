//! Values in which nothing was found lately: states repeat their values even more than their keys (in real ones, four of
//! five stood there before).
//!
//! Holds values while a state is sifted, in a ring of fixed size, and wipes them; no Debug. Must never answer for one value
//! with what is known of another: the whole value is compared.

#![expect(clippy::as_conversions, reason = "hot path: sizes of a ring below 4 GiB")]

use zeroize::Zeroize;

use super::{Hint, KeyContext, KeyVerdict};

/// Slots, a power of two; a value has one. For each 64 bytes of values.
const SLOTS_MAX: usize = RING_BYTES_MAX / RING_BYTES_A_SLOT;
const RING_BYTES_A_SLOT: usize = 64;
/// Bytes of the values that are remembered: at first, and once as many were there.
const RING_BYTES_MIN: usize = 32 << 10;
const RING_BYTES_MAX: usize = 512 << 10;
/// Longer values push too many others out.
const VALUE_BYTES_MAX: usize = 16 << 10;

/// What is known beside a value when it is looked at: nothing in a value holds under another kind.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Kind {
    /// Below a key that says nothing.
    #[default]
    Plain,
    /// What looks drawn is no secret.
    Public,
    /// What looks like an address is none.
    Version,
    /// A key that is data.
    Key,
}

impl Kind {
    /// Of values under a key with this verdict; `None`: each is looked at.
    #[inline]
    pub(crate) fn of(verdict: KeyVerdict) -> Option<Self> {
        match verdict {
            KeyVerdict::Plain | KeyVerdict::Context(KeyContext { hint: Hint::None, tenant: 0 }) => {
                Some(Self::Plain)
            }
            KeyVerdict::Context(KeyContext { hint: Hint::Public, tenant: 0 }) => Some(Self::Public),
            KeyVerdict::Context(KeyContext { hint: Hint::Version, tenant: 0 }) => Some(Self::Version),
            _ => None,
        }
    }
}

/// How a value is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Look {
    pub(crate) kind: Kind,
    /// Nesting: what is too deep is not opened any more.
    pub(crate) level: u8,
    /// The value is given with its JSON escapes.
    pub(crate) escaped: bool,
}

impl Look {
    /// At a leaf of the state, as it stands there.
    #[inline]
    pub(crate) fn top(kind: Kind, escaped: bool) -> Self {
        Self { kind, level: 0, escaped }
    }

    /// In one word, with the length of the value.
    #[inline]
    fn packed(self, len: usize) -> u32 {
        (len as u32) << 16 | (self.kind as u32) << 9 | u32::from(self.escaped) << 8 | u32::from(self.level)
    }
}

/// The memory of one worker. Takes its room with the first value.
pub(crate) struct Acquitted {
    /// Half of the hash of the value in each slot; 0: free. Most values are new, and this is all that is read for them: a
    /// fraction of what the slots take.
    marks: Vec<u32>,
    /// Bytes written to the ring before the value in each slot, since the beginning; and [`Look::packed`] of it. Words, whose
    /// zeros come from the system as they are touched.
    starts: Vec<u64>,
    looks: Vec<u32>,
    ring: Vec<u8>,
    /// Bytes written to the ring since the beginning; never 0, so that no free slot is taken for a value.
    written: u64,
    /// Serial number of the rules that nothing was found by.
    rules: u64,
}

/// Where a value is looked for.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    slot: usize,
    mark: u32,
}

impl Default for Acquitted {
    fn default() -> Self {
        Self {
            marks: Vec::new(),
            starts: Vec::new(),
            looks: Vec::new(),
            ring: Vec::new(),
            written: 1,
            rules: 0,
        }
    }
}

impl Acquitted {
    /// What follows is asked under these rules; what was found by others is forgotten.
    #[inline]
    pub(super) fn under(&mut self, rules: u64) {
        if self.rules != rules {
            self.rules = rules;
            self.marks.fill(0);
        }
    }

    /// Bytes held.
    pub(super) fn memory_bytes(&self) -> usize {
        (self.marks.capacity() + self.looks.capacity()) * size_of::<u32>()
            + self.starts.capacity() * size_of::<u64>()
            + self.ring.capacity()
    }

    /// Where this value would stand.
    #[inline]
    pub(crate) fn place(value: &[u8]) -> Place {
        place_of(value)
    }

    /// Whether nothing was found in this value under a key of this kind, at this level of nesting: what is too deep to be opened
    /// is redacted, so that nothing is known of it at another one. `value` as it stands in the state, escapes and all.
    #[inline]
    pub(crate) fn knows(&self, place: Place, look: Look, value: &[u8]) -> bool {
        // The word of a look has room for no longer values.
        let slot = place.slot & self.marks.len().wrapping_sub(1);
        if self.marks.get(slot) != Some(&place.mark) || value.len() > VALUE_BYTES_MAX {
            return false;
        }
        let (start, known) = (self.starts[slot], self.looks[slot]);
        if look.packed(value.len()) != known || self.written - start > self.ring.len() as u64 {
            return false;
        }
        let start = self.in_ring(start);
        self.ring.get(start..start + value.len()) == Some(value)
    }

    /// Nothing was found in this value.
    pub(crate) fn remember(&mut self, place: Place, look: Look, value: &[u8]) {
        if value.len() > VALUE_BYTES_MAX {
            return;
        }
        if self.written + value.len() as u64 > self.ring.len() as u64 && self.ring.len() < RING_BYTES_MAX {
            self.grow();
        }
        let mut start = self.in_ring(self.written);
        if start + value.len() > self.ring.len() {
            // No value is cut in two.
            self.written += (self.ring.len() - start) as u64;
            start = 0;
        }
        self.ring[start..start + value.len()].copy_from_slice(value);
        let slot = place.slot & (self.marks.len() - 1);
        self.marks[slot] = place.mark;
        self.starts[slot] = self.written;
        self.looks[slot] = look.packed(value.len());
        self.written += value.len() as u64;
    }

    /// The first room, or the whole of it. What was known is forgotten, and what repeats comes back at once.
    fn grow(&mut self) {
        self.wipe();
        let bytes = if self.ring.is_empty() { RING_BYTES_MIN } else { RING_BYTES_MAX };
        let slots = bytes / RING_BYTES_A_SLOT;
        (self.marks, self.starts, self.looks) = (vec![0; slots], vec![0; slots], vec![0; slots]);
        (self.ring, self.written) = (vec![0; bytes], 1);
    }

    fn wipe(&mut self) {
        // What was never written is zero, and perhaps not even there.
        let used = usize::try_from(self.written).unwrap_or(usize::MAX).min(self.ring.len());
        self.ring[..used].zeroize();
    }

    #[inline]
    fn in_ring(&self, written: u64) -> usize {
        written as usize & (self.ring.len() - 1)
    }
}

impl Drop for Acquitted {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// Multiply and fold, eight bytes at a time. Not keyed: a collision costs a look.
#[inline]
fn place_of(value: &[u8]) -> Place {
    const K: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = (value.len() as u64).wrapping_mul(K);
    let mut fold = |word: u64| {
        state = (state ^ word).wrapping_mul(K);
        state ^= state >> 29;
    };
    let (words, rest) = value.as_chunks::<8>();
    for word in words {
        fold(u64::from_le_bytes(*word));
    }
    match value.last_chunk::<8>() {
        Some(last) => fold(u64::from_le_bytes(*last)),
        None => fold(rest.iter().fold(0, |all, byte| all << 8 | u64::from(*byte))),
    }
    Place { slot: (state >> 32) as usize & (SLOTS_MAX - 1), mark: (state >> 16) as u32 | 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_as_it_was_and_under_its_own_kind_of_key() {
        let look = |kind, level| Look { kind, level, escaped: false };
        let mut memory = Acquitted::default();
        let values: Vec<String> = (0..40_000).map(|n| format!("{n}-{}", "x".repeat(n % 70))).collect();
        for (n, value) in values.iter().enumerate() {
            let value = value.as_bytes();
            let place = Acquitted::place(value);
            assert!(!memory.knows(place, look(Kind::Plain, 1), value), "{n}");
            memory.remember(place, look(Kind::Plain, 1), value);
            assert!(memory.knows(place, look(Kind::Plain, 1), value), "{n}");
            assert!(
                !memory.knows(place, look(Kind::Plain, 2), value)
                    && !memory.knows(place, look(Kind::Plain, 0), value)
            );
            assert!(
                !memory.knows(place, look(Kind::Key, 1), value)
                    && !memory.knows(place, look(Kind::Plain, 1), &value[1..]),
                "{n}"
            );
        }
        for value in &values {
            let value = value.as_bytes();
            let mut other = value.to_vec();
            other[0] ^= 1;
            assert!(!memory.knows(Acquitted::place(value), look(Kind::Plain, 1), &other));
        }
        let escaped = Look { escaped: true, ..look(Kind::Plain, 1) };
        assert!(!memory.knows(
            Acquitted::place(values[39_999].as_bytes()),
            escaped,
            values[39_999].as_bytes()
        ));
        let long = vec![b'a'; VALUE_BYTES_MAX + 1];
        memory.remember(Acquitted::place(&long), look(Kind::Plain, 1), &long);
        assert!(!memory.knows(Acquitted::place(&long), look(Kind::Plain, 1), &long));
    }
}
