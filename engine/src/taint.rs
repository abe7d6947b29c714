//! Known secrets of one state, kept as keyed fingerprints in at most 2 MiB, and the search for their copies.
//!
//! Must never keep the text of a secret: a fingerprint is SipHash-2-4 under a key that dies with the state, 64 bits of
//! the first eight bytes to find the place and 64 bits of the whole to be sure.

mod commonplaces;
mod copies;
mod spellings;

use std::fmt;
use std::hash::Hasher;

use siphasher::sip::SipHasher24;
use zeroize::Zeroize;

use commonplaces::common;
pub(crate) use copies::Copies;
pub use spellings::spellings;

/// Shorter texts are ignored: they would be found everywhere.
const SHORTEST: usize = 8;
/// Bytes of all tables together.
const BUDGET_BYTES: usize = 2 * 1024 * 1024;
/// Room for secrets. Most states have a few: what they cost is not more than what they hold.
struct Room {
    /// One fingerprint of 64 bits in each; for each length that secrets with one head have, head and length in 32 bits each.
    slots: usize,
    /// Of the table of the pieces of secrets, one in seventeen to thirty set when full.
    piece_bits: u32,
    /// Of the filter of their heads, one in four to nine set when full.
    filter_bits: u32,
}

const ROOMS: [Room; 3] = [
    Room { slots: 256, piece_bits: 15, filter_bits: 11 },
    Room { slots: MANY, piece_bits: 20, filter_bits: 16 },
    Room { slots: SLOTS, piece_bits: 22, filter_bits: 18 },
];
const MANY: usize = 8192;
/// Every fifth place of a text is looked at: a secret has a piece of four bytes at one of five places in a row, in its
/// first eight bytes (sampled q-grams: Sutinen and Tarhio, "On using q-gram locations in approximate string matching", 1995).
const STRIDE: usize = 5;
const PIECE: usize = SHORTEST + 1 - STRIDE;
/// Bytes of eight places, the last piece included.
const BLOCK: usize = 8 * STRIDE;
/// Bytes of a slot in both tables.
const SLOT_BYTES: usize = 16;
/// What the bits, and the table that is left behind last, leave of the budget.
const SLOTS: usize = (BUDGET_BYTES - (1 << 22) / 8 - (1 << 18) / 8 - MANY * SLOT_BYTES / 2) / SLOT_BYTES;

/// How many secrets a table takes: seven eighths of its slots. With linear probing that is about thirty slots for a secret
/// that is new and four for one that is known (Knuth, "The Art of Computer Programming", volume 3, section 6.4).
const fn entries_max(slots: usize) -> usize {
    slots / 8 * 7
}

/// There are more secrets than 2 MiB of fingerprints hold: the state goes to review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaintFull;

impl fmt::Display for TaintFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("more known secrets than two mebibytes of fingerprints hold; the state needs a review")
    }
}

impl std::error::Error for TaintFull {}

/// A head and a length of secrets that begin with it, in one word: what is free is 0, so that the table's pages come
/// zeroed from the system as they are touched.
fn length_of(head: u32, len: u32) -> u64 {
    u64::from(head) << 32 | u64::from(len)
}

/// The known secrets of one state.
pub struct Taint {
    key: [u8; 16],
    multiplier: u64,
    small: u32,
    /// A bit for the hash of each head, of which `filter_shift` bits are left out.
    filter: Vec<u64>,
    filter_shift: u32,
    /// A bit for the hash of each piece.
    pieces: Vec<u64>,
    piece_shift: u32,
    /// The hashes of all pieces, as long as there is a larger room to move to.
    hashes: Vec<u32>,
    /// A hash table by head, probed one slot after the other. Many secrets may begin alike (`-----BEGIN`), few of those
    /// have one length.
    lengths: Vec<u64>,
    /// A hash table of fingerprints; 0 is a free slot.
    wholes: Vec<u64>,
    count: usize,
}

impl Taint {
    /// None known yet. The key keeps an adversary from crafting collisions.
    #[must_use]
    pub fn new(key: [u8; 16]) -> Self {
        let mut hasher = SipHasher24::new_with_key(&key);
        hasher.write(b"terrasift/taint/window");
        let multiplier = hasher.finish() | 1;
        let [low @ .., _, _, _, _] = multiplier.to_be_bytes();
        Self {
            key,
            multiplier,
            small: u32::from_be_bytes(low) | 1,
            filter: Vec::new(),
            filter_shift: 0,
            pieces: Vec::new(),
            piece_shift: 0,
            hashes: Vec::new(),
            lengths: Vec::new(),
            wholes: Vec::new(),
            count: 0,
        }
    }

    /// Remembers a secret, also as it is spelled in JSON and addresses ([`spellings`]); texts below eight bytes and common
    /// words are ignored.
    ///
    /// # Errors
    /// The fingerprints would need more than 2 MiB.
    pub fn learn(&mut self, text: &str) -> Result<(), TaintFull> {
        let text = text.trim();
        if !Self::remembers(text) {
            return Ok(());
        }
        self.learn_spelled(text)?;
        spellings(text).iter().flatten().try_for_each(|spelled| self.learn_spelled(spelled))
    }

    fn learn_spelled(&mut self, text: &str) -> Result<(), TaintFull> {
        let bytes = text.as_bytes();
        let Ok(len) = u32::try_from(bytes.len()) else { return Ok(()) };
        let whole = self.whole(bytes);
        if self.knows(whole) {
            return Ok(());
        }
        if self.count == entries_max(self.wholes.len()) {
            self.grow()?;
        }
        self.count += 1;
        let place = self.place_of(whole);
        self.wholes[place] = whole;
        self.take_length(length_of(head(self.mix(window(bytes, 0))), len));
        for at in 0..STRIDE {
            let hash = self.hash(piece(bytes, at));
            if self.wholes.len() < SLOTS {
                self.hashes.push(hash);
            }
            self.take_piece(hash);
        }
        Ok(())
    }

    fn take_length(&mut self, length: u64) {
        let head = head(length);
        let place = head >> self.filter_shift;
        self.filter[word(place)] |= 1 << (place & 63);
        let mut slot = slot_of(head, self.lengths.len());
        while self.lengths[slot] != 0 && self.lengths[slot] != length {
            slot = behind(slot, self.lengths.len());
        }
        self.lengths[slot] = length;
    }

    fn take_piece(&mut self, hash: u32) {
        let place = hash >> self.piece_shift;
        self.pieces[word(place)] |= 1 << (place & 63);
    }

    /// Moves to the next larger room. One table after the other, so that the budget holds meanwhile.
    fn grow(&mut self) -> Result<(), TaintFull> {
        let room = ROOMS.iter().find(|room| room.slots > self.wholes.len()).ok_or(TaintFull)?;
        let bits = |bits: u32| vec![0; 1 << (bits - 6)];
        (self.piece_shift, self.filter_shift) = (32 - room.piece_bits, 32 - room.filter_bits);
        self.pieces = bits(room.piece_bits);
        let hashes = std::mem::take(&mut self.hashes);
        hashes.iter().for_each(|hash| self.take_piece(*hash));
        if room.slots < SLOTS {
            self.hashes = hashes;
        } else {
            drop(hashes);
        }
        self.filter = bits(room.filter_bits);
        let lengths = std::mem::replace(&mut self.lengths, vec![0; room.slots]);
        lengths.iter().filter(|length| **length != 0).for_each(|length| self.take_length(*length));
        drop(lengths);
        let wholes = std::mem::replace(&mut self.wholes, vec![0; room.slots]);
        for whole in wholes.into_iter().filter(|whole| *whole != 0) {
            let place = self.place_of(whole);
            self.wholes[place] = whole;
        }
        Ok(())
    }

    /// Whether a text, without the white space around it, is telling enough to be remembered.
    #[must_use]
    pub fn remembers(text: &str) -> bool {
        text.len() >= SHORTEST && !common(text)
    }

    /// Nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Every occurrence of a known secret, also inside longer text: sorted, disjoint; of two that begin at the same
    /// byte the longer one. `found` is cleared first.
    pub fn find(&self, text: &str, found: &mut Vec<(usize, usize)>) {
        found.clear();
        let bytes = text.as_bytes();
        if self.count == 0 || bytes.len() < SHORTEST {
            return;
        }
        self.each(bytes, |start, end| {
            match found.last_mut() {
                // Overlapping copies make one span: each of them is a secret.
                Some(last) if start < last.1 => last.1 = last.1.max(end),
                _ => found.push((start, end)),
            }
            true
        });
    }

    /// Whether a known secret stands in these bytes.
    pub(crate) fn holds(&self, bytes: &[u8]) -> bool {
        let mut holds = false;
        self.each(bytes, |_, _| {
            holds = true;
            false
        });
        holds
    }

    /// Calls back for the longest known secret at each place where one stands, in order, until told to stop.
    pub(crate) fn each(&self, bytes: &[u8], mut seen: impl FnMut(usize, usize) -> bool) {
        if self.count == 0 || bytes.len() < SHORTEST {
            return;
        }
        let pieces = Pieces { table: &self.pieces, small: self.small, shift: self.piece_shift };
        // Eight places at a time: what the table says of one does not wait for the others.
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        for (number, block) in blocks.iter().enumerate() {
            let mut held = 0u32;
            for place in 0..BLOCK / STRIDE {
                held |= u32::from(pieces.hold(piece(block, place * STRIDE))) << place;
            }
            while held != 0 {
                let at = number * BLOCK + index(held.trailing_zeros()) * STRIDE;
                held &= held - 1;
                if !self.around(bytes, at, &mut seen) {
                    return;
                }
            }
        }
        for at in (bytes.len() - rest.len()..=bytes.len() - PIECE).step_by(STRIDE) {
            if pieces.hold(piece(bytes, at)) && !self.around(bytes, at, &mut seen) {
                return;
            }
        }
    }

    /// Calls back for each secret of which a piece stands at a place. False: that was enough.
    fn around(&self, bytes: &[u8], at: usize, seen: &mut impl FnMut(usize, usize) -> bool) -> bool {
        for start in (at + 1).saturating_sub(STRIDE)..=at.min(bytes.len() - SHORTEST) {
            let mixed = self.mix(window(bytes, start));
            let place = head(mixed) >> self.filter_shift;
            if self.filter[word(place)] >> (place & 63) & 1 == 0 {
                continue;
            }
            if let Some(end) = self.confirm(bytes, start, head(mixed))
                && !seen(start, end)
            {
                return false;
            }
        }
        true
    }

    /// The hash of a piece. Keyed, so that nobody can fill the table up from outside.
    #[inline]
    fn hash(&self, piece: u32) -> u32 {
        piece.wrapping_mul(self.small)
    }

    #[inline]
    fn mix(&self, window: u64) -> u64 {
        let x = window.wrapping_mul(self.multiplier);
        (x ^ x >> 32).wrapping_mul(self.multiplier)
    }

    fn whole(&self, bytes: &[u8]) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        hasher.write(bytes);
        hasher.finish().max(1)
    }

    /// The slot of a fingerprint, or the free one that it would take.
    fn place_of(&self, whole: u64) -> usize {
        let mut slot = slot_of(head(whole), self.wholes.len());
        while self.wholes[slot] != 0 && self.wholes[slot] != whole {
            slot = behind(slot, self.wholes.len());
        }
        slot
    }

    /// There is a secret with this fingerprint.
    fn knows(&self, whole: u64) -> bool {
        self.count > 0 && self.wholes[self.place_of(whole)] == whole
    }

    /// The end of the longest secret that begins here.
    fn confirm(&self, bytes: &[u8], at: usize, head: u32) -> Option<usize> {
        let mut longest = None;
        let mut slot = slot_of(head, self.lengths.len());
        while let Some(length) = self.lengths.get(slot).filter(|length| **length != 0) {
            slot = behind(slot, self.lengths.len());
            let len = length & u64::from(u32::MAX);
            let end = usize::try_from(len).ok().and_then(|len| at.checked_add(len));
            let same = length >> 32 == u64::from(head);
            let Some(end) = end.filter(|end| same && *end <= bytes.len()) else { continue };
            if longest.is_some_and(|longest| end <= longest) {
                continue;
            }
            if self.knows(self.whole(&bytes[at..end])) {
                longest = Some(end);
            }
        }
        longest
    }
}

/// The table of pieces, as the search reads it.
#[derive(Clone, Copy)]
struct Pieces<'t> {
    table: &'t [u64],
    small: u32,
    shift: u32,
}

impl Pieces<'_> {
    /// A secret may have these four bytes among its first eight.
    #[inline(always)]
    fn hold(self, piece: u32) -> bool {
        let place = piece.wrapping_mul(self.small) >> self.shift;
        self.table[word(place)] >> (place & 63) & 1 == 1
    }
}

impl Drop for Taint {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

#[inline]
fn window(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0; SHORTEST];
    eight.copy_from_slice(&bytes[at..at + SHORTEST]);
    u64::from_le_bytes(eight)
}

#[inline]
fn piece(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; PIECE];
    four.copy_from_slice(&bytes[at..][..PIECE]);
    u32::from_le_bytes(four)
}

#[inline]
#[expect(clippy::as_conversions, reason = "hot path: a bit of 32")]
fn index(bit: u32) -> usize {
    bit as usize
}

#[inline]
#[expect(clippy::as_conversions, reason = "hot path: u32 fits usize on every target that runs this")]
fn word(place: u32) -> usize {
    (place >> 6) as usize
}

#[inline]
#[expect(clippy::as_conversions, reason = "hot path: the high 32 bits are what is wanted")]
fn head(mixed: u64) -> u32 {
    (mixed >> 32) as u32
}

/// The first slot of a head.
#[inline]
#[expect(clippy::as_conversions, reason = "hot path: below the number of slots")]
fn slot_of(head: u32, slots: usize) -> usize {
    ((u64::from(head) * slots as u64) >> 32) as usize
}

/// The next slot.
#[inline]
fn behind(slot: usize, slots: usize) -> usize {
    if slot + 1 == slots { 0 } else { slot + 1 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn find(secrets: &[&str], text: &str) -> Vec<String> {
        let mut taint = Taint::new([7; 16]);
        for secret in secrets {
            taint.learn(secret).unwrap();
        }
        let mut found = Vec::new();
        taint.find(text, &mut found);
        found.iter().map(|&(from, to)| text[from..to].to_owned()).collect()
    }

    #[test]
    fn copies_are_found_also_inside_longer_text() {
        for (secrets, text, expected) in [
            (
                &["hunter2-hunter2"][..],
                "x=hunter2-hunter2;hunter2-hunter2",
                &["hunter2-hunter2", "hunter2-hunter2"][..],
            ),
            (&["abcdefg1"], "abcdefg1", &["abcdefg1"]),
            (&["short"], "short short", &[]),
            (&["postgres"], "engine postgres", &[]),
            (&["terraform", "administrator", "us-east-1"], "administrator of terraform in us-east-1", &[]),
            (
                &["secret-one", "secret-one-long"],
                "a secret-one-long b secret-one c",
                &["secret-one-long", "secret-one"],
            ),
            (&["12345678ab", "78abcdefgh"], "12345678abcdefgh", &["12345678abcdefgh"]),
            (&["geheim-ß-ü-wort"], "ü geheim-ß-ü-wort ü", &["geheim-ß-ü-wort"]),
            (&["  padded-secret\n"], "padded-secret", &["padded-secret"]),
        ] {
            assert_eq!(find(secrets, text), expected, "{text}");
        }
    }

    #[test]
    fn overflow_is_told_and_the_budget_holds() {
        let mut taint = Taint::new([1; 16]);
        let full = (0..=entries_max(SLOTS)).try_for_each(|n| taint.learn(&format!("secret-{n:08}")));
        assert_eq!(full, Err(TaintFull));
        let tables = (taint.filter.len() + taint.pieces.len()) * 8;
        let left_behind = MANY * 8;
        assert!(taint.lengths.len() * 8 + taint.wholes.len() * 8 + tables + left_behind <= BUDGET_BYTES);
        assert_eq!((taint.learn("secret-00000001"), taint.hashes.capacity()), (Ok(()), 0));
    }

    #[test]
    fn what_was_learnt_is_found_in_every_room() {
        // Too long to be known as base64 writes it as well.
        let secret = |n: usize| format!("{:08x}-of-{n}-and-all-of-its-own-words", (n + 1) * 0x9E37_79B1);
        let known = |taint: &Taint, n: usize| {
            let mut found = Vec::new();
            taint.find(&format!("ein {} im Text", secret(n)), &mut found);
            found.contains(&(4, 4 + secret(n).len()))
        };
        let mut taint = Taint::new([3; 16]);
        let mut learnt = 0;
        for room in &ROOMS {
            for many in [entries_max(room.slots) - 1, entries_max(room.slots)] {
                (learnt..many).for_each(|n| taint.learn(&secret(n)).unwrap());
                learnt = many;
                assert_eq!(taint.wholes.len(), room.slots);
                let missed: Vec<usize> = (0..learnt).filter(|n| !known(&taint, *n)).collect();
                assert!(missed.is_empty(), "{missed:?} of {learnt}");
                assert!((learnt..learnt + 500).all(|n| !known(&taint, n)));
            }
        }
    }

    proptest! {
        #[test]
        fn every_planted_secret_is_found(secret in "[!-~]{8,40}", before in "\\PC{0,40}", after in "\\PC{0,40}") {
            let mut taint = Taint::new([9; 16]);
            taint.learn(&secret).unwrap();
            prop_assume!(!taint.is_empty());
            let text = format!("{before}{secret}{after}");
            let mut found = Vec::new();
            taint.find(&text, &mut found);
            prop_assert!(found.iter().any(|(from, to)| *from <= before.len() && *to >= before.len() + secret.len()));
            prop_assert!(found.windows(2).all(|w| w[0].1 <= w[1].0));
        }
    }
}
