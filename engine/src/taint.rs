//! Known secrets of one state, kept as keyed fingerprints in at most 2 MiB, and the search for their copies.
//!
//! Must never keep the text of a secret: a fingerprint is SipHash-2-4 under a key that dies with the state, 64 bits of
//! the first eight bytes to find the place and 64 bits of the whole to be sure.

mod commonplaces;

use std::fmt;
use std::hash::Hasher;

use siphasher::sip::SipHasher24;
use zeroize::Zeroize;

use commonplaces::common;

/// Shorter texts are ignored: they would be found everywhere.
const SHORTEST: usize = 8;
/// Bytes of all tables together.
const BUDGET_BYTES: usize = 2 * 1024 * 1024;
/// 2^18 bits: 32 KiB, one in four set when full.
const FILTER_WORDS: usize = 4096;
/// 2^22 bits: 512 KiB for the four-byte pieces of secrets, one in seventeen set by 50,000 of them.
const PIECE_WORDS: usize = 1 << 16;
/// Every fifth place of a text is looked at: a secret has a piece of four bytes at one of five places in a row, in its
/// first eight bytes (sampled q-grams: Sutinen and Tarhio, "On using q-gram locations in approximate string matching", 1995).
const STRIDE: usize = 5;
const PIECE: usize = SHORTEST + 1 - STRIDE;
/// Bytes of eight places, the last piece included.
const BLOCK: usize = 8 * STRIDE;
/// One fingerprint of 64 bits; for each length that secrets with one head have, head and length in 32 bits each.
const ENTRY_BYTES: usize = 16;
/// What the filters leave of the budget, in fingerprints; their pages are taken as they are touched.
const SLOTS: usize = (BUDGET_BYTES - (FILTER_WORDS + PIECE_WORDS) * 8) / ENTRY_BYTES;
/// Seven eighths of the slots: with linear probing that is about thirty slots for a secret that is new and four for one
/// that is known (Knuth, "The Art of Computer Programming", volume 3, section 6.4).
const ENTRIES_MAX: usize = SLOTS / 8 * 7;

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
    filter: Vec<u64>,
    pieces: Vec<u64>,
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
            pieces: Vec::new(),
            lengths: Vec::new(),
            wholes: Vec::new(),
            count: 0,
        }
    }

    /// Remembers a secret; texts below eight bytes and common words are ignored.
    ///
    /// # Errors
    /// The fingerprints would need more than 2 MiB.
    pub fn learn(&mut self, text: &str) -> Result<(), TaintFull> {
        let text = text.trim();
        let bytes = text.as_bytes();
        if !Self::remembers(text) {
            return Ok(());
        }
        let Ok(len) = u32::try_from(bytes.len()) else { return Ok(()) };
        let mixed = self.mix(window(bytes, 0));
        if self.filter.is_empty() {
            self.filter = vec![0; FILTER_WORDS];
            self.pieces = vec![0; PIECE_WORDS];
            self.lengths = vec![0; SLOTS];
            self.wholes = vec![0; SLOTS];
        }
        let whole = self.whole(bytes);
        let place = self.place_of(whole);
        if self.wholes[place] == whole {
            return Ok(());
        }
        if self.count >= ENTRIES_MAX {
            return Err(TaintFull);
        }
        self.wholes[place] = whole;
        self.count += 1;
        let length = length_of(head(mixed), len);
        let mut place = slot_of(head(mixed));
        while self.lengths[place] != 0 && self.lengths[place] != length {
            place = behind(place);
        }
        self.lengths[place] = length;
        for at in 0..STRIDE {
            let piece = self.place(piece(bytes, at));
            self.pieces[word(piece)] |= 1 << (piece & 63);
        }
        self.filter[slot(mixed)] |= bit(mixed);
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
        let Some(pieces) = self.pieces.first_chunk().filter(|_| self.count > 0 && bytes.len() >= SHORTEST)
        else {
            return;
        };
        // Eight places at a time: what the table says of one does not wait for the others.
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        for (number, block) in blocks.iter().enumerate() {
            let mut held = 0u32;
            for place in 0..BLOCK / STRIDE {
                held |= u32::from(self.is_piece(pieces, piece(block, place * STRIDE))) << place;
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
            if self.is_piece(pieces, piece(bytes, at)) && !self.around(bytes, at, &mut seen) {
                return;
            }
        }
    }

    /// A secret may have these four bytes among its first eight.
    #[inline(always)]
    fn is_piece(&self, pieces: &[u64; PIECE_WORDS], piece: u32) -> bool {
        let place = self.place(piece);
        pieces[word(place)] >> (place & 63) & 1 == 1
    }

    /// Calls back for each secret of which a piece stands at a place. False: that was enough.
    fn around(&self, bytes: &[u8], at: usize, seen: &mut impl FnMut(usize, usize) -> bool) -> bool {
        for start in (at + 1).saturating_sub(STRIDE)..=at.min(bytes.len() - SHORTEST) {
            let mixed = self.mix(window(bytes, start));
            if self.filter[slot(mixed)] & bit(mixed) == 0 {
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

    /// Where a piece stands in the table of pieces. Keyed, so that nobody can fill it up from outside.
    #[inline]
    fn place(&self, piece: u32) -> u32 {
        piece.wrapping_mul(self.small) >> (32 - 22)
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
        let mut slot = slot_of(head(whole));
        while self.wholes[slot] != 0 && self.wholes[slot] != whole {
            slot = behind(slot);
        }
        slot
    }

    /// The end of the longest secret that begins here.
    fn confirm(&self, bytes: &[u8], at: usize, head: u32) -> Option<usize> {
        let mut longest = None;
        let mut slot = slot_of(head);
        while let Some(length) = self.lengths.get(slot).filter(|length| **length != 0) {
            slot = behind(slot);
            let len = length & u64::from(u32::MAX);
            let end = usize::try_from(len).ok().and_then(|len| at.checked_add(len));
            let same = length >> 32 == u64::from(head);
            let Some(end) = end.filter(|end| same && *end <= bytes.len()) else { continue };
            if longest.is_some_and(|longest| end <= longest) {
                continue;
            }
            let whole = self.whole(&bytes[at..end]);
            if self.wholes[self.place_of(whole)] == whole {
                longest = Some(end);
            }
        }
        longest
    }
}

/// Buffers for the search in bytes of JSON.
#[derive(Default)]
pub(crate) struct Copies {
    decoded: Vec<u8>,
    /// `(decoded offset, raw offset)` behind each escape.
    shifts: Vec<(usize, usize)>,
}

impl Copies {
    /// Whether a known secret stands in these bytes of JSON, escaped in whatever way, that does not lie within one of the
    /// raw spans (sorted). May also say so where none stands in one string.
    pub(crate) fn outside(
        &mut self,
        taint: &Taint,
        json: &[u8],
        spans: &mut impl Iterator<Item = (usize, usize)>,
    ) -> bool {
        if taint.is_empty() {
            return false;
        }
        let escaped = memchr::memchr(b'\\', json).is_some();
        if escaped {
            self.decode(json);
        }
        let bytes = if escaped { &self.decoded } else { json };
        let mut span = spans.next();
        let mut outside = false;
        taint.each(bytes, |start, end| {
            let (start, end) = if escaped { (self.raw(start), self.raw(end)) } else { (start, end) };
            while span.is_some_and(|(_, to)| to < end) {
                span = spans.next();
            }
            outside = span.is_none_or(|(from, _)| start < from);
            !outside
        });
        outside
    }

    /// All escapes resolved, wherever they stand: strings of valid JSON come out as they are meant.
    fn decode(&mut self, json: &[u8]) {
        self.decoded.clear();
        self.shifts.clear();
        let mut at = 0;
        while let Some(run) = memchr::memchr(b'\\', &json[at..]) {
            self.decoded.extend_from_slice(&json[at..at + run]);
            at += run;
            let (character, len) = escape(&json[at..]);
            let mut utf8 = [0; 4];
            self.decoded.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
            at = json.len().min(at + len);
            self.shifts.push((self.decoded.len(), at));
        }
        self.decoded.extend_from_slice(&json[at..]);
    }

    /// The raw offset of a decoded one. Within an escape: its end.
    fn raw(&self, at: usize) -> usize {
        match self.shifts.partition_point(|(decoded, _)| *decoded <= at) {
            0 => at,
            n => self.shifts[n - 1].1 + (at - self.shifts[n - 1].0),
        }
    }

    /// Bytes held.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.decoded.capacity() + self.shifts.capacity() * size_of::<(usize, usize)>()
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        self.decoded.zeroize();
    }
}

/// The character of the escape that begins here, and its raw length. JSON was checked before.
fn escape(bytes: &[u8]) -> (char, usize) {
    let unit = |at: usize| {
        let digits = bytes.get(at..at + 4)?;
        digits.iter().try_fold(0, |code, digit| Some(code << 4 | char::from(*digit).to_digit(16)?))
    };
    match bytes.get(1) {
        Some(b'n') => ('\n', 2),
        Some(b't') => ('\t', 2),
        Some(b'r') => ('\r', 2),
        Some(b'b') => ('\u{8}', 2),
        Some(b'f') => ('\u{c}', 2),
        Some(b'u') => match unit(2) {
            Some(high @ 0xd800..0xdc00) => {
                let low = unit(8).unwrap_or(0xdc00);
                let code = 0x1_0000 + ((high - 0xd800) << 10) + (low & 0x3ff);
                (char::from_u32(code).unwrap_or('\u{fffd}'), 12)
            }
            code => (code.and_then(char::from_u32).unwrap_or('\u{fffd}'), 6),
        },
        Some(byte) => (char::from(*byte), 2),
        None => ('\\', 1),
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
#[expect(clippy::as_conversions, reason = "hot path: 22 bits fit usize")]
fn word(place: u32) -> usize {
    (place >> 6) as usize
}

#[inline]
#[expect(clippy::as_conversions, reason = "hot path: the high 32 bits are what is wanted")]
fn head(mixed: u64) -> u32 {
    (mixed >> 32) as u32
}

#[inline]
#[expect(clippy::as_conversions, reason = "hot path: 12 bits fit usize")]
fn slot(mixed: u64) -> usize {
    (mixed >> 52) as usize
}

/// The first slot of a head.
#[inline]
#[expect(clippy::as_conversions, reason = "hot path: below the number of slots")]
fn slot_of(head: u32) -> usize {
    ((u64::from(head) * SLOTS as u64) >> 32) as usize
}

/// The next slot.
#[inline]
fn behind(slot: usize) -> usize {
    if slot + 1 == SLOTS { 0 } else { slot + 1 }
}

#[inline]
fn bit(mixed: u64) -> u64 {
    1 << (mixed >> 46 & 63)
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
        let full = (0..ENTRIES_MAX + 1).try_for_each(|n| taint.learn(&format!("secret-{n:08}")));
        assert_eq!(full, Err(TaintFull));
        let tables = (taint.filter.len() + taint.pieces.len()) * 8;
        assert!(taint.lengths.len() * 8 + taint.wholes.len() * 8 + tables <= BUDGET_BYTES);
        assert_eq!(taint.learn("secret-00000001"), Ok(()));
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
