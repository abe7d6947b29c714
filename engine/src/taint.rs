//! Known secrets of one state, kept as keyed fingerprints in at most 2 MiB, and the search for their copies.
//!
//! Must never keep the text of a secret: a fingerprint is a keyed hash of the first eight bytes to find the place, and of the
//! whole, by SipHash-2-4 under a key that dies with the state, to be sure.

mod commonplaces;
mod copies;
mod spelled;
mod table;

use std::fmt;
use std::hash::Hasher;

use siphasher::sip::SipHasher24;
use zeroize::Zeroize;

use commonplaces::common;
pub use copies::Copies;
use table::{HEAD_BYTES, Heads, LENGTHS, Print, WHOLE_BYTES, Wholes, high};

/// Shorter texts are ignored: they would be found everywhere.
const SHORTEST: usize = 8;
/// Bytes of all tables together.
const BUDGET_BYTES: usize = 2 * 1024 * 1024;
/// Room for secrets. Most states have a few: what they cost is not more than what they hold.
struct Room {
    /// One secret in each. As many heads as [`heads`] says.
    slots: usize,
    /// Of the table of the pieces of secrets, one in seven to thirty set when full.
    piece_bits: u32,
    /// Of the filter of their heads, one in three to nine set when full.
    filter_bits: u32,
}

const ROOMS: [Room; 3] = [
    Room { slots: 256, piece_bits: 15, filter_bits: 11 },
    Room { slots: MANY, piece_bits: 17, filter_bits: 13 },
    Room { slots: SLOTS, piece_bits: 22, filter_bits: 19 },
];
const MANY: usize = 1024;
/// Every fifth place of a text is looked at: a secret has a piece of four bytes at one of five places in a row, in its
/// first eight bytes (sampled q-grams: Sutinen and Tarhio, "On using q-gram locations in approximate string matching", 1995).
const STRIDE: usize = 5;
const PIECE: usize = SHORTEST + 1 - STRIDE;
/// Bytes of eight places, the last piece included.
const BLOCK: usize = 8 * STRIDE;
/// What the bits, the lengths, and the list that is left behind last leave of the budget, for three heads and four secrets at a time.
const SLOTS: usize = (BUDGET_BYTES
    - ((1 << 22) + (1 << 19)) / 8
    - LENGTHS.next_power_of_two() * size_of::<u32>()
    - MANY * size_of::<Print>())
    / (3 * HEAD_BYTES + 4 * WHOLE_BYTES)
    * 4;

/// Slots for heads with their lengths: three for four secrets, of which at least one begins like another and is as long.
const fn heads(slots: usize) -> usize {
    slots / 4 * 3
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
    /// The hashes of all pieces, and what is kept of all secrets, as long as there is a larger room to move to.
    hashes: Vec<u32>,
    prints: Vec<Print>,
    heads: Heads,
    wholes: Wholes,
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
            prints: Vec::new(),
            heads: Heads::default(),
            wholes: Wholes::default(),
        }
    }

    /// Remembers a secret; texts below eight bytes and common words are ignored.
    ///
    /// # Errors
    /// The fingerprints would need more than 2 MiB.
    pub fn learn(&mut self, text: &str) -> Result<(), TaintFull> {
        let text = text.trim();
        if !Self::remembers(text) {
            return Ok(());
        }
        let bytes = text.as_bytes();
        let Ok(len) = u32::try_from(bytes.len()) else { return Ok(()) };
        let print = Print { head: high(self.mix(window(bytes, 0))), len, whole: self.whole(bytes) };
        // Should another one have its hash, its length is not known yet.
        let known = !self.is_empty() && self.wholes.has(print.whole);
        if known && self.heads.lengths(print.head).any(|known| known == bytes.len()) {
            return Ok(());
        }
        if self.wholes.is_full() || self.heads.is_full() {
            self.grow()?;
        }
        self.heads.take(print.head, len)?;
        self.wholes.take(print.whole);
        let last = self.wholes.slots() == SLOTS;
        if !last {
            self.prints.push(print);
        }
        self.take_head(print.head);
        for at in 0..STRIDE {
            let hash = self.hash(piece(bytes, at));
            if !last {
                self.hashes.push(hash);
            }
            self.take_piece(hash);
        }
        Ok(())
    }

    fn take_head(&mut self, head: u32) {
        let place = head >> self.filter_shift;
        self.filter[word(place)] |= 1 << (place & 63);
    }

    fn take_piece(&mut self, hash: u32) {
        let place = hash >> self.piece_shift;
        self.pieces[word(place)] |= 1 << (place & 63);
    }

    /// Moves to the next larger room. One table after the other, so that the budget holds meanwhile.
    fn grow(&mut self) -> Result<(), TaintFull> {
        let room = ROOMS.iter().find(|room| room.slots > self.wholes.slots()).ok_or(TaintFull)?;
        let bits = |bits: u32| vec![0; 1 << (bits - 6)];
        (self.piece_shift, self.filter_shift) = (32 - room.piece_bits, 32 - room.filter_bits);
        let (hashes, prints) = (std::mem::take(&mut self.hashes), std::mem::take(&mut self.prints));
        self.pieces = bits(room.piece_bits);
        hashes.iter().for_each(|hash| self.take_piece(*hash));
        let last = room.slots == SLOTS;
        if last {
            drop(hashes);
        } else {
            self.hashes = hashes;
        }
        self.filter = bits(room.filter_bits);
        prints.iter().for_each(|print| self.take_head(print.head));
        self.heads.make_room(heads(room.slots));
        prints.iter().try_for_each(|print| self.heads.take(print.head, print.len))?;
        self.wholes.make_room(room.slots);
        prints.iter().for_each(|print| self.wholes.take(print.whole));
        if !last {
            self.prints = prints;
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
    pub const fn is_empty(&self) -> bool {
        self.wholes.is_empty()
    }

    /// Calls back for the longest known secret at each place where one stands as it is, in order, until told to stop; false: it
    /// was.
    fn each(&self, bytes: &[u8], mut seen: impl FnMut(usize, usize) -> bool) -> bool {
        if self.is_empty() || bytes.len() < SHORTEST {
            return true;
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
                    return false;
                }
            }
        }
        for at in (bytes.len() - rest.len()..=bytes.len() - PIECE).step_by(STRIDE) {
            if pieces.hold(piece(bytes, at)) && !self.around(bytes, at, &mut seen) {
                return false;
            }
        }
        true
    }

    /// Calls back for each secret of which a piece stands at a place. False: that was enough.
    fn around(&self, bytes: &[u8], at: usize, seen: &mut impl FnMut(usize, usize) -> bool) -> bool {
        for start in (at + 1).saturating_sub(STRIDE)..=at.min(bytes.len() - SHORTEST) {
            let mixed = self.mix(window(bytes, start));
            let place = high(mixed) >> self.filter_shift;
            if self.filter[word(place)] >> (place & 63) & 1 == 0 {
                continue;
            }
            if let Some(end) = self.confirm(bytes, start, high(mixed))
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
        hasher.finish()
    }

    /// The end of the longest secret that begins here.
    fn confirm(&self, bytes: &[u8], at: usize, head: u32) -> Option<usize> {
        let mut longest = None;
        for len in self.heads.lengths(head) {
            let Some(end) = at.checked_add(len).filter(|end| *end <= bytes.len()) else { continue };
            if longest.is_none_or(|longest| end > longest) && self.wholes.has(self.whole(&bytes[at..end])) {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::table::entries_max;
    use super::*;

    fn found_in(taint: &Taint, text: &str) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        Copies::default().find(taint, text, &mut found);
        found
    }

    fn find(secrets: &[&str], text: &str) -> Vec<String> {
        let mut taint = Taint::new([7; 16]);
        for secret in secrets {
            taint.learn(secret).unwrap();
        }
        found_in(&taint, text).iter().map(|&(from, to)| text[from..to].to_owned()).collect()
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
            (&["p<ss&w>rd"], r"a p\u003css\u0026w\u003erd b", &[r"p\u003css\u0026w\u003erd"]),
            (&["so \"ein\"\nWort"], r#"x{\"a\":\"so \\\"ein\\\"\\nWort\"}"#, &[]),
            (&["so \"ein\"\nWort"], r#"so \"ein\"\nWort!"#, &[r#"so \"ein\"\nWort"#]),
            (&["p@ss/w+rd"], "u:p%40ss%2fw%2Brd@h u:p%40ss/w+rd@h", &["p%40ss%2fw%2Brd", "p%40ss/w+rd"]),
            (&["ein Wort ß"], "?q=ein+Wort+%C3%9F&r=ein%20Wort%20ß", &["ein+Wort+%C3%9F", "ein%20Wort%20ß"]),
            (&["Sommer!2024"], "a: U29tbWVyITIwMjQ=", &["U29tbWVyITIwMjQ"]),
            (&["Sommer!2024"], "x dXNlcjpTb21tZXIhMjAyNA== y", &["dXNlcjpTb21tZXIhMjAyNA"]),
            (&["Sommer!2024"], "ZFhObGNqcFRiMjF0WlhJaE1qQXlOQT09", &["ZFhObGNqcFRiMjF0WlhJaE1qQXlOQT09"]),
        ] {
            assert_eq!(find(secrets, text), expected, "{text}");
        }
    }

    fn secret(n: usize) -> String {
        format!("{:08x}-of-{n}-and-all-of-its-own-words", (n + 1) * 0x9E37_79B1)
    }

    #[test]
    fn overflow_is_told_and_the_budget_holds() {
        let mut taint = Taint::new([1; 16]);
        let full = (0..=entries_max(SLOTS)).try_for_each(|n| taint.learn(&secret(n)));
        assert_eq!(full, Err(TaintFull));
        let bits = (taint.filter.len() + taint.pieces.len()) * 8;
        let left_behind = MANY * size_of::<Print>();
        assert!(
            taint.heads.memory_bytes() + taint.wholes.memory_bytes() + bits + left_behind <= BUDGET_BYTES
        );
        assert_eq!((taint.learn(&secret(1)), taint.hashes.capacity() + taint.prints.capacity()), (Ok(()), 0));
    }

    #[test]
    fn secrets_of_too_many_lengths_are_told() {
        let mut taint = Taint::new([1; 16]);
        let long = |len: usize| format!("{len:08}{}", "-".repeat(len));
        assert_eq!((40..40 + LENGTHS).try_for_each(|len| taint.learn(&long(len))), Ok(()));
        assert_eq!(taint.learn(&long(40 + LENGTHS)), Err(TaintFull));
    }

    #[test]
    fn what_was_learnt_is_found_in_every_room() {
        let known = |taint: &Taint, n: usize| {
            found_in(taint, &format!("ein {} im Text", secret(n))).contains(&(4, 4 + secret(n).len()))
        };
        let mut taint = Taint::new([3; 16]);
        let mut learnt = 0;
        for room in &ROOMS {
            let full = entries_max(heads(room.slots));
            for many in [full - 1, full] {
                (learnt..many).for_each(|n| taint.learn(&secret(n)).unwrap());
                learnt = many;
                assert_eq!(taint.wholes.slots(), room.slots);
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
            let found = found_in(&taint, &text);
            prop_assert!(found.iter().any(|(from, to)| *from <= before.len() && *to >= before.len() + secret.len()));
            prop_assert!(found.windows(2).all(|w| w[0].1 <= w[1].0));
        }
    }
}
