//! The cheap first look: which values can hold anything at all, and where.
//!
//! Three-byte windows, folded to one case, hashed into a bitmap of 8 KiB that stays in the first-level cache. Must
//! never miss a planted literal; may propose too much, since every candidate is confirmed.

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
    /// The first bytes of a private IPv4 or IPv6 address.
    Address,
}

/// A literal's window.
struct Entry {
    window: [u8; 3],
    /// Compare letters in either case.
    fold: bool,
    trigger: Trigger,
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
    entries: Vec<(u32, Entry)>,
    /// First entry of the hashes with these ten high bits.
    starts: Vec<u16>,
}

#[inline]
fn hash(window: u32) -> u32 {
    ((window & 0x00ff_ffff) | FOLD).wrapping_mul(0x9E37_79B1) >> 16
}

fn window_hash(w: [u8; 3]) -> u32 {
    hash(u32::from_le_bytes([w[0], w[1], w[2], 0]))
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
    pub(super) fn build(list: Vec<([u8; 3], bool, Trigger)>) -> Self {
        let mut bitmap = Box::new([0u64; WORDS]);
        let mut entries: Vec<(u32, Entry)> = list
            .into_iter()
            .map(|(window, fold, trigger)| {
                let h = window_hash(window);
                if let Some(word) = bitmap.get_mut(index(h >> 6)) {
                    *word |= 1 << (h & 63);
                }
                (h, Entry { window, fold, trigger })
            })
            .collect();
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
            let mut last = [0u8; 8];
            let rest = &text[at..];
            last[..rest.len()].copy_from_slice(rest);
            let x = u64::from_le_bytes(last);
            signs.literal |= rest.len() >= 3 && self.six(x);
            ats |= zero_bytes(x ^ (ONES * 0x40));
            signs.percent |= zero_bytes(x ^ (ONES * 0x25)) != 0;
            digits += digit_count(x);
        }
        signs.at_sign = ats != 0;
        signs.digits = usize::try_from(digits).unwrap_or(usize::MAX);
        signs
    }

    /// Calls back for every place where a literal's window really stands.
    pub(super) fn candidates(&self, text: &[u8], mut found: impl FnMut(Candidate)) {
        for (at, w) in text.windows(3).enumerate() {
            let window = u32::from_le_bytes([w[0], w[1], w[2], 0]);
            if !self.has(window) {
                continue;
            }
            let h = hash(window);
            let from = usize::from(self.starts[index(h >> 6)]);
            let to = usize::from(self.starts[index(h >> 6) + 1]);
            for (entry_hash, entry) in &self.entries[from..to] {
                let same = if entry.fold { entry.window.eq_ignore_ascii_case(w) } else { entry.window == *w };
                if *entry_hash == h && same {
                    found(Candidate { at, trigger: entry.trigger });
                }
            }
        }
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

/// The window of a literal that text holds least often: rare letters and digits beat common ones.
pub(super) fn rarest_window(literal: &[u8]) -> usize {
    let weight = |b: u8| match b.to_ascii_lowercase() {
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 0u32,
        b'h' | b'l' | b'd' | b'c' | b'u' | b'm' | b'p' => 1,
        b'/' | b':' | b'.' | b'-' | b'f' | b'g' | b'w' | b'y' | b'b' | b'v' => 2,
        b'_' | b'0'..=b'9' => 3,
        _ => 4,
    };
    let avoid =
        |w: &[u8]| matches!(w, b"://" | b"ps:" | b"tps" | b"ttp" | b"com" | b".co" | b"-----" | b"---");
    (0..literal.len().saturating_sub(2))
        .max_by_key(|&i| {
            let w = &literal[i..i + 3];
            let sum: u32 = w.iter().map(|b| weight(*b)).sum();
            (if avoid(w) { 0 } else { sum + 1 }, literal.len() - i)
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_its_literals_at_every_offset_and_counts() {
        let gate = Gate::build(vec![(*b"hp_", false, Trigger::Jwt), (*b"ass", true, Trigger::Assignment)]);
        for pad in 0..40 {
            for tail in 0..12 {
                let text = format!("{}ghp_{}", ".".repeat(pad), ".".repeat(tail));
                assert!(gate.look(text.as_bytes()).literal, "{pad} {tail}");
                let mut at = Vec::new();
                gate.candidates(text.as_bytes(), |c| at.push(c.at));
                assert_eq!(at, [pad + 1]);
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
