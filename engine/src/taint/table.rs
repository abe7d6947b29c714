//! The fingerprints themselves: three bytes for a head and a length that secrets have, four for each secret.
//!
//! Must never see a secret, only what hashes say of it. Both are hash tables that are probed one slot after the other; free
//! slots are 0, so that pages come zeroed from the system as they are touched.

use super::TaintFull;

/// What is kept of a secret while a larger room may be needed.
#[derive(Clone, Copy)]
pub(super) struct Print {
    /// The hash of its first eight bytes.
    pub head: u32,
    /// Its bytes.
    pub len: u32,
    /// The hash of the whole.
    pub whole: u64,
}

/// How many entries so many slots take: nineteen twentieths. With linear probing that is about 200 slots, a dozen lines of
/// the cache, for one that is new, and ten for one that is known (Knuth, "The Art of Computer Programming", volume 3,
/// section 6.4).
pub(super) const fn entries_max(slots: usize) -> usize {
    slots / 20 * 19
}

/// Bytes of a slot of [`Heads`].
pub(super) const HEAD_BYTES: usize = 3;
/// Different lengths that the secrets of one state may have.
pub(super) const LENGTHS: usize = (1 << LENGTH_BITS) - 1;
const LENGTH_BITS: u32 = 12;
const LENGTH: u32 = (1 << LENGTH_BITS) - 1;

/// The lengths of secrets by their heads: many secrets may begin alike (`-----BEGIN`), few of those have one length.
#[derive(Default)]
pub(super) struct Heads {
    /// The lowest twelve bits of the head, as its place has the highest, and the number of the length, from 1 on.
    slots: Vec<[u8; HEAD_BYTES]>,
    /// The lengths by their numbers.
    lengths: Vec<u32>,
    count: usize,
}

impl Heads {
    /// Room for so many; what was in it is lost.
    pub fn make_room(&mut self, slots: usize) {
        // First the old ones are given back: there is a budget.
        self.slots = Vec::new();
        self.slots = vec![[0; HEAD_BYTES]; slots];
        self.count = 0;
    }

    pub const fn is_full(&self) -> bool {
        self.count >= entries_max(self.slots.len())
    }

    pub fn take(&mut self, head: u32, len: u32) -> Result<(), TaintFull> {
        let entry = tag(head) | self.number(len)?;
        let mut at = place(head, self.slots.len());
        while let known @ 1.. = word(self.slots[at]) {
            if known == entry {
                return Ok(());
            }
            at = behind(at, self.slots.len());
        }
        let [_, slot @ ..] = entry.to_be_bytes();
        self.slots[at] = slot;
        self.count += 1;
        Ok(())
    }

    fn number(&mut self, len: u32) -> Result<u32, TaintFull> {
        let known = self.lengths.iter().position(|known| *known == len);
        let number = known.unwrap_or(self.lengths.len());
        if number == LENGTHS {
            return Err(TaintFull);
        }
        if known.is_none() {
            self.lengths.push(len);
        }
        u32::try_from(number + 1).map_err(|_| TaintFull)
    }

    /// The length of each secret that may have this head.
    #[inline]
    pub fn lengths(&self, head: u32) -> impl Iterator<Item = usize> {
        let mut at = place(head, self.slots.len());
        let cluster = std::iter::from_fn(move || {
            let entry = word(*self.slots.get(at)?);
            at = behind(at, self.slots.len());
            (entry != 0).then_some(entry)
        });
        cluster.filter(move |entry| entry & !LENGTH == tag(head)).filter_map(|entry| {
            let number = usize::try_from(entry & LENGTH).ok()?.checked_sub(1)?;
            usize::try_from(*self.lengths.get(number)?).ok()
        })
    }

    /// Bytes held.
    #[cfg(test)]
    pub fn memory_bytes(&self) -> usize {
        self.slots.capacity() * HEAD_BYTES + self.lengths.capacity() * size_of::<u32>()
    }
}

fn tag(head: u32) -> u32 {
    head << LENGTH_BITS & 0xff_ffff
}

fn word([a, b, c]: [u8; HEAD_BYTES]) -> u32 {
    u32::from_be_bytes([0, a, b, c])
}

/// Bytes of a slot of [`Wholes`].
pub(super) const WHOLE_BYTES: usize = 4;

/// The secrets: of the hash of each the lowest 32 bits, as its place has the highest.
#[derive(Default)]
pub(super) struct Wholes {
    slots: Vec<u32>,
    count: usize,
}

impl Wholes {
    /// Room for so many; what was in it is lost.
    pub fn make_room(&mut self, slots: usize) {
        self.slots = Vec::new();
        self.slots = vec![0; slots];
        self.count = 0;
    }

    /// Slots, free or not.
    pub const fn slots(&self) -> usize {
        self.slots.len()
    }

    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub const fn is_full(&self) -> bool {
        self.count >= entries_max(self.slots.len())
    }

    pub fn take(&mut self, whole: u64) {
        if let Err(free) = self.find(whole) {
            self.slots[free] = low(whole);
            self.count += 1;
        }
    }

    pub fn has(&self, whole: u64) -> bool {
        self.find(whole).is_ok()
    }

    /// Its slot, or the free one that it would take.
    fn find(&self, whole: u64) -> Result<usize, usize> {
        let mut at = place(high(whole), self.slots.len());
        loop {
            match self.slots[at] {
                0 => return Err(at),
                known if known == low(whole) => return Ok(at),
                _ => at = behind(at, self.slots.len()),
            }
        }
    }

    /// Bytes held.
    #[cfg(test)]
    pub fn memory_bytes(&self) -> usize {
        self.slots.capacity() * WHOLE_BYTES
    }
}

#[inline]
#[expect(clippy::as_conversions, reason = "hot path: the low 32 bits are what is wanted")]
fn low(whole: u64) -> u32 {
    (whole as u32).max(1)
}

#[inline]
#[expect(clippy::as_conversions, reason = "hot path: the high 32 bits are what is wanted")]
pub(super) fn high(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// The first slot of a hash.
#[inline]
#[expect(clippy::as_conversions, reason = "hot path: below the number of slots")]
fn place(hash: u32, slots: usize) -> usize {
    ((u64::from(hash) * slots as u64) >> 32) as usize
}

/// The next slot.
#[inline]
fn behind(slot: usize, slots: usize) -> usize {
    if slot + 1 == slots { 0 } else { slot + 1 }
}
