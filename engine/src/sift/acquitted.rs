//! Values in which nothing was found lately: states repeat their values even more than their keys (in real ones, four of
//! five stood there before).
//!
//! Holds values while a state is sifted, in a ring of fixed size, and wipes them; no Debug. Must never answer for one value
//! with what is known of another: the whole value is compared.

#![expect(clippy::as_conversions, reason = "hot path: sizes of a ring below 4 GiB")]

use zeroize::Zeroize;

/// Slots, a power of two; a value has one.
const SLOTS: usize = 1 << 13;
/// Bytes of the values that are remembered.
const RING_BYTES: usize = 512 << 10;
/// Longer values push too many others out.
const VALUE_BYTES_MAX: usize = 16 << 10;

#[derive(Clone, Copy, Default)]
struct Slot {
    /// Bytes written to the ring before this value, since the beginning.
    start: u64,
    len: u32,
    tag: u8,
}

/// The memory of one pass.
pub(super) struct Acquitted {
    slots: Vec<Slot>,
    ring: Vec<u8>,
    /// Bytes written to the ring since the beginning; never 0, so that no free slot is taken for a value.
    written: u64,
}

/// Where a value is looked for.
#[derive(Clone, Copy)]
pub(super) struct Place(usize);

impl Acquitted {
    pub(super) fn new() -> Self {
        Self { slots: Vec::new(), ring: Vec::new(), written: 1 }
    }

    /// Bytes held.
    pub(super) fn memory_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>() + self.ring.capacity()
    }

    /// Where this value would stand.
    #[inline]
    pub(super) fn place(value: &[u8]) -> Place {
        Place(slot_of(value))
    }

    /// Whether nothing was found in this value under a key of this kind. `value` as it stands in the state, escapes and all.
    #[inline]
    pub(super) fn knows(&self, place: Place, tag: u8, value: &[u8]) -> bool {
        let Some(slot) = self.slots.get(place.0) else { return false };
        if slot.tag != tag || usize::try_from(slot.len) != Ok(value.len()) || self.is_gone(slot) {
            return false;
        }
        let start = in_ring(slot.start);
        self.ring.get(start..start + value.len()) == Some(value)
    }

    /// Overwritten, or never written.
    #[inline]
    fn is_gone(&self, slot: &Slot) -> bool {
        slot.start == 0 || self.written - slot.start > RING_BYTES as u64
    }

    /// Nothing was found in this value.
    pub(super) fn remember(&mut self, place: Place, tag: u8, value: &[u8]) {
        let Some(len) = u32::try_from(value.len()).ok().filter(|_| value.len() <= VALUE_BYTES_MAX) else {
            return;
        };
        if self.slots.is_empty() {
            self.slots = vec![Slot::default(); SLOTS];
            self.ring = vec![0; RING_BYTES];
        }
        let mut start = in_ring(self.written);
        if start + value.len() > RING_BYTES {
            // No value is cut in two.
            self.written += (RING_BYTES - start) as u64;
            start = 0;
        }
        self.ring[start..start + value.len()].copy_from_slice(value);
        self.slots[place.0] = Slot { start: self.written, len, tag };
        self.written += u64::from(len);
    }
}

impl Drop for Acquitted {
    fn drop(&mut self) {
        self.ring.zeroize();
    }
}

#[inline]
fn in_ring(written: u64) -> usize {
    (written % RING_BYTES as u64) as usize
}

/// Multiply and fold, eight bytes at a time. Not keyed: a collision costs a look.
#[inline]
fn slot_of(value: &[u8]) -> usize {
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
    (state >> 32) as usize & (SLOTS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_as_it_was_and_under_its_own_kind_of_key() {
        let mut memory = Acquitted::new();
        let values: Vec<String> = (0..40_000).map(|n| format!("{n}-{}", "x".repeat(n % 70))).collect();
        for (n, value) in values.iter().enumerate() {
            let value = value.as_bytes();
            let place = Acquitted::place(value);
            assert!(!memory.knows(place, 0, value), "{n}");
            memory.remember(place, 0, value);
            assert!(memory.knows(place, 0, value), "{n}");
            assert!(!memory.knows(place, 1, value) && !memory.knows(place, 0, &value[1..]), "{n}");
        }
        for value in &values {
            let value = value.as_bytes();
            let mut other = value.to_vec();
            other[0] ^= 1;
            assert!(!memory.knows(Acquitted::place(value), 0, &other));
        }
        let long = vec![b'a'; VALUE_BYTES_MAX + 1];
        memory.remember(Acquitted::place(&long), 0, &long);
        assert!(!memory.knows(Acquitted::place(&long), 0, &long));
    }
}
