//! The cheap first look: which values can hold anything at all, and where.
//!
//! Three-byte windows, folded to one case, hashed into a bitmap of 8 KiB that stays in the first-level cache. Must
//! never miss a planted literal; may propose too much, since every candidate is confirmed.

use super::landmarks::Mark;
use super::rarity::familiarity;

/// What to look at where a literal stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Trigger {
    /// A shape, by index, that begins this many bytes before the window.
    Shape { shape: u16, back: u8 },
    /// A word that may be the key of an assignment.
    Assignment,
    /// `://`.
    Url,
    /// `-----BEGIN` or its like.
    Block,
    /// `eyJ`: a JSON Web Token.
    Jwt,
    /// `bearer ` or `basic `.
    Header,
    /// A word that announces an identity number with letters in it.
    Announced,
    /// The first bytes of a private IPv4 or IPv6 address.
    Address,
    /// A literal that begins this many bytes before the window, and what it announces.
    Landmark { mark: Mark, back: u8 },
}

/// A literal, and the window of it that is looked for.
pub(super) struct Literal {
    pub(super) text: Vec<u8>,
    /// Where in the literal its window begins.
    pub(super) window: usize,
    /// Compare letters in either case.
    pub(super) fold: bool,
    pub(super) trigger: Trigger,
}

impl Literal {
    /// The literal with its rarest window.
    pub(super) fn new(text: &[u8], fold: bool, trigger: Trigger) -> Self {
        Self { text: text.to_vec(), window: rarest_window(text), fold, trigger }
    }

    fn hash(&self) -> u32 {
        let w = &self.text[self.window..self.window + 3];
        hash(u32::from_le_bytes([w[0], w[1], w[2], 0]))
    }

    /// The whole literal stands here, with its window at `at`.
    fn stands(&self, text: &[u8], at: usize) -> bool {
        let Some(start) = at.checked_sub(self.window) else { return false };
        let Some(there) = text.get(start..start + self.text.len()) else { return false };
        if self.fold { there.eq_ignore_ascii_case(&self.text) } else { there == self.text }
    }
}

/// A candidate: position of the window and what to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Candidate {
    pub(super) at: usize,
    pub(super) trigger: Trigger,
}

/// What one pass over a value tells.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Signs {
    /// A literal's window may be there.
    pub(super) literal: bool,
    /// There is an `@`.
    pub(super) at_sign: bool,
    /// There is a `%`.
    pub(super) percent: bool,
    /// At least this many digits (saturating; counted exactly).
    pub(super) digits: usize,
}

const WORDS: usize = 1024;
const FOLD: u32 = 0x0020_2020;
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Built once a core, shared.
pub(super) struct Gate {
    bitmap: Box<[u64; WORDS]>,
    /// Sorted by hash.
    entries: Vec<(u32, Literal)>,
    /// First entry of the hashes with these ten high bits.
    starts: Vec<u16>,
}

#[inline]
fn hash(window: u32) -> u32 {
    ((window & 0x00ff_ffff) | FOLD).wrapping_mul(0x9E37_79B1) >> 16
}

#[inline]
fn zero_bytes(x: u64) -> u64 {
    // Exact for "is any byte zero", which is all that is asked.
    x.wrapping_sub(ONES) & !x & HIGH
}

#[inline]
fn digit_count(x: u64) -> u32 {
    // Bytes 0x30..=0x39 and no others: high bit clear, ≥ '0', ≤ '9', computed without carries between bytes.
    let low = x & !HIGH;
    let at_least_zero = low + ONES * (0x80 - 0x30);
    let above_nine = low + ONES * (0x80 - 0x3a);
    (at_least_zero & !above_nine & !x & HIGH).count_ones()
}

impl Gate {
    /// Takes literals with their windows chosen.
    pub(super) fn build(list: Vec<Literal>) -> Self {
        let mut bitmap = Box::new([0u64; WORDS]);
        let mut entries: Vec<(u32, Literal)> =
            list.into_iter().map(|literal| (literal.hash(), literal)).collect();
        for (h, _) in &entries {
            if let Some(word) = bitmap.get_mut(index(h >> 6)) {
                *word |= 1 << (h & 63);
            }
        }
        entries.sort_by_key(|(h, _)| *h);
        let starts = (0..=1024u32)
            .map(|high| u16::try_from(entries.partition_point(|(h, _)| h >> 6 < high)).unwrap_or(u16::MAX))
            .collect();
        Self { bitmap, entries, starts }
    }

    #[inline]
    fn has(&self, window: u32) -> bool {
        let h = hash(window);
        self.bitmap[index(h >> 6) & (WORDS - 1)] >> (h & 63) & 1 == 1
    }

    #[inline]
    fn six(&self, x: u64) -> bool {
        let mut any = false;
        for shift in [0u32, 8, 16, 24, 32, 40] {
            any |= self.has(low_word(x >> shift));
        }
        any
    }

    /// One pass over the value. Allocates nothing.
    #[inline]
    pub(super) fn look(&self, text: &[u8]) -> Signs {
        let mut signs = Signs::default();
        let mut ats = 0u64;
        let mut digits = 0u32;
        let mut at = 0;
        while at + 8 <= text.len() {
            let x = load(text, at);
            signs.literal |= self.six(x);
            ats |= zero_bytes(x ^ (ONES * 0x40));
            signs.percent |= zero_bytes(x ^ (ONES * 0x25)) != 0;
            digits += digit_count(x & 0x0000_ffff_ffff_ffff);
            at += 6;
        }
        if at < text.len() {
            // The last eight bytes again, or the few there are; what was counted is shifted out.
            let (x, fresh) = if text.len() >= 8 {
                let x = load(text, text.len() - 8);
                (x, x >> (8 * (at + 8 - text.len())))
            } else {
                let mut few = [0u8; 8];
                few[..text.len()].copy_from_slice(text);
                let x = u64::from_le_bytes(few);
                (x, x)
            };
            signs.literal |= self.six(x);
            ats |= zero_bytes(x ^ (ONES * 0x40));
            signs.percent |= zero_bytes(x ^ (ONES * 0x25)) != 0;
            digits += digit_count(fresh);
        }
        signs.at_sign = ats != 0;
        signs.digits = usize::try_from(digits).unwrap_or(usize::MAX);
        signs
    }

    /// Whether a literal really stands somewhere: what [`Gate::look`] suspects and mostly is not.
    pub(super) fn confirmed(&self, text: &[u8]) -> bool {
        text.windows(3).enumerate().any(|(at, w)| {
            let window = u32::from_le_bytes([w[0], w[1], w[2], 0]);
            self.has(window) && self.standing(text, at, hash(window)).next().is_some()
        })
    }

    /// Calls back for every place where a literal stands, with the place of its window.
    pub(super) fn candidates(&self, text: &[u8], mut found: impl FnMut(Candidate)) {
        for (at, w) in text.windows(3).enumerate() {
            let window = u32::from_le_bytes([w[0], w[1], w[2], 0]);
            if self.has(window) {
                self.standing(text, at, hash(window))
                    .for_each(|l| found(Candidate { at, trigger: l.trigger }));
            }
        }
    }

    fn standing<'t>(&'t self, text: &'t [u8], at: usize, h: u32) -> impl Iterator<Item = &'t Literal> {
        let from = usize::from(self.starts[index(h >> 6)]);
        let to = usize::from(self.starts[index(h >> 6) + 1]);
        self.entries[from..to]
            .iter()
            .filter(move |(hash, l)| *hash == h && l.stands(text, at))
            .map(|(_, l)| l)
    }
}

#[inline]
fn load(text: &[u8], at: usize) -> u64 {
    let mut eight = [0u8; 8];
    eight.copy_from_slice(&text[at..at + 8]);
    u64::from_le_bytes(eight)
}

#[inline]
#[expect(clippy::as_conversions, reason = "hot path: the low 32 bits are what is wanted")]
fn low_word(x: u64) -> u32 {
    x as u32
}

#[inline]
#[expect(clippy::as_conversions, reason = "hot path: u32 fits usize on every target that runs this")]
fn index(x: u32) -> usize {
    x as usize
}

/// The window of a literal that text holds least often, by the pairs in it.
pub(super) fn rarest_window(literal: &[u8]) -> usize {
    let common =
        |w: &[u8]| matches!(w, b"://" | b"ps:" | b"tps" | b"ttp" | b"com" | b".co" | b"---" | b"htt");
    (0..literal.len().saturating_sub(2))
        .min_by_key(|&i| {
            let w = &literal[i..i + 3];
            (common(w), familiarity(&w.to_ascii_lowercase()))
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_its_literals_at_every_offset_and_counts() {
        let gate = Gate::build(vec![
            Literal::new(b"ghp_", false, Trigger::Jwt),
            Literal::new(b"pass", true, Trigger::Assignment),
        ]);
        for pad in 0..40 {
            for tail in 0..12 {
                let text = format!("{}ghp_{}", ".".repeat(pad), ".".repeat(tail));
                assert!(gate.look(text.as_bytes()).literal, "{pad} {tail}");
                let mut at = Vec::new();
                gate.candidates(text.as_bytes(), |c| at.push(c.at));
                assert_eq!(at.len(), 1, "{pad}");
                let digits = format!("{}12345{}@%", "é".repeat(pad), "/:;".repeat(tail));
                let signs = gate.look(digits.as_bytes());
                assert_eq!((signs.digits, signs.at_sign, signs.percent), (5, true, true), "{pad} {tail}");
            }
        }
        let mut n = 0;
        gate.candidates(b"pASSword ghP_", |_| n += 1);
        assert_eq!(n, 1);
        assert!(!gate.look(b"eu-west-1a plain").literal);
    }
}
