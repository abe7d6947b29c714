//! What kinds of bytes a value is made of, 64 at a time, as bit masks: bit *i* for byte *i*.
//!
//! Owns the second piece of architecture-specific code of the engine, and its scalar twin, which is its oracle in tests
//! and its stand-in on other processors. Must never decide anything: `gate.rs` reads the masks.

/// Bytes in a block.
pub(super) const BLOCK: usize = 64;

/// Bytes behind a block that are read along: windows of four bytes begin at each of its bytes.
const BEHIND: usize = 3;

/// A block and what is read along behind it.
pub(super) type Seen = [u8; BLOCK + BEHIND];

/// What each byte of a block is; bits beyond the text are clear.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Masks {
    pub(super) upper: u64,
    pub(super) lower: u64,
    pub(super) digit: u64,
    /// `0-9 a-f A-F`.
    pub(super) hex: u64,
    /// `- _ / =`: part of tokens, and separates the words in them.
    pub(super) joint: u64,
    /// `+`.
    pub(super) plus: u64,
    /// `= : > " '`, space and tab: what stands between a name and its value.
    pub(super) assigns: u64,
    /// `@`, `%` or a backslash.
    pub(super) coat: u64,
    /// `. ~ $ % ,`: tokens hold these too, rarely.
    pub(super) rare: u64,
    /// Space.
    pub(super) space: u64,
    /// Space, tab, line feed, `=` and `:`: what stands before a word of running text ([`opens`]).
    pub(super) opens: u64,
    /// Bytes of characters beyond ASCII.
    pub(super) beyond: u64,
}

/// Whether a word of running text may stand behind this byte.
pub(super) fn opens(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'=' | b':')
}

impl Masks {
    /// Letters and digits.
    #[inline(always)]
    pub(super) fn alnum(&self) -> u64 {
        self.upper | self.lower | self.digit
    }

    /// What base64, identifiers and paths are made of.
    #[inline(always)]
    pub(super) fn token(&self) -> u64 {
        self.alnum() | self.joint | self.plus
    }

    /// All that the shapes of tokens are made of.
    #[inline(always)]
    pub(super) fn wide(&self) -> u64 {
        self.token() | self.rare
    }

    /// Clears what lies beyond a text of `left` bytes.
    #[inline(always)]
    fn within(self, left: usize) -> Self {
        let valid = first(left);
        Self {
            upper: self.upper & valid,
            lower: self.lower & valid,
            digit: self.digit & valid,
            hex: self.hex & valid,
            joint: self.joint & valid,
            plus: self.plus & valid,
            assigns: self.assigns & valid,
            coat: self.coat & valid,
            rare: self.rare & valid,
            space: self.space & valid,
            opens: self.opens & valid,
            beyond: self.beyond & valid,
        }
    }

    #[inline(always)]
    fn above(self, low: Self) -> Self {
        Self {
            upper: low.upper | self.upper << 32,
            lower: low.lower | self.lower << 32,
            digit: low.digit | self.digit << 32,
            hex: low.hex | self.hex << 32,
            joint: low.joint | self.joint << 32,
            plus: low.plus | self.plus << 32,
            assigns: low.assigns | self.assigns << 32,
            coat: low.coat | self.coat << 32,
            rare: low.rare | self.rare << 32,
            space: low.space | self.space << 32,
            opens: low.opens | self.opens << 32,
            beyond: low.beyond | self.beyond << 32,
        }
    }
}

/// The mask of the first bytes of a block.
#[inline(always)]
fn first(bytes: usize) -> u64 {
    if bytes == 0 { 0 } else { u64::MAX >> (BLOCK - bytes.min(BLOCK)) }
}

/// The block of a text of `len` bytes that begins at `from`, and what stands behind it; `around` begins like the text and
/// may go on behind it: bytes that can be read along spare a copy.
#[inline(always)]
pub(super) fn seen<'a>(around: &'a [u8], from: usize, len: usize, copy: &'a mut Seen) -> &'a Seen {
    if let Some(there) = around.get(from..).and_then(|rest| rest.first_chunk()) {
        return there;
    }
    let last = len.min(from + copy.len());
    copy[..last - from].copy_from_slice(&around[from..last]);
    copy
}

/// A window of four folded bytes, the fourth of which may be open.
pub(super) type Window = ([u8; 3], Option<u8>);

/// Which windows of folded bytes may be one of a set: by the nibbles of each byte, in eight
/// buckets ("Teddy", Hyperscan's literal matcher: Wang et al., NSDI 2019, section 4.2).
#[derive(Clone)]
pub(super) struct Buckets {
    low: [[u8; 16]; 4],
    high: [[u8; 16]; 4],
}

impl Buckets {
    /// Windows are folded (`| 0x20` on each byte). Each goes into the bucket that it widens least.
    pub(super) fn of(mut windows: Vec<Window>) -> Self {
        windows.sort_unstable();
        windows.dedup();
        // In an order that has nothing to do with the alphabet, so that the first ones are not all alike.
        let shuffled = |(three, _): &Window| {
            u32::from_le_bytes([three[1], three[2], three[0], 0]).wrapping_mul(0x9E37_79B1)
        };
        windows.sort_by_key(shuffled);
        let mut nibbles = [Nibbles::default(); 8];
        for window in &windows {
            let widened = |n: &usize| nibbles[*n].with(window).breadth() - nibbles[*n].breadth();
            let best = (0..8).min_by_key(widened).unwrap_or(0);
            nibbles[best] = nibbles[best].with(window);
        }
        let mut buckets = Self { low: [[0; 16]; 4], high: [[0; 16]; 4] };
        for (number, sets) in nibbles.iter().enumerate() {
            for place in 0..4 {
                for nibble in 0..16 {
                    buckets.low[place][nibble] |= u8::from(sets.low[place] >> nibble & 1 == 1) << number;
                    buckets.high[place][nibble] |= u8::from(sets.high[place] >> nibble & 1 == 1) << number;
                }
            }
        }
        buckets
    }

    fn has(&self, window: [u8; 4]) -> bool {
        let of = |place: usize| {
            let byte = window[place] | 0x20;
            self.low[place][usize::from(byte & 15)] & self.high[place][usize::from(byte >> 4)]
        };
        of(0) & of(1) & of(2) & of(3) != 0
    }
}

/// The nibbles that the windows of one bucket have at each place, as sets.
#[derive(Clone, Copy, Default)]
struct Nibbles {
    low: [u16; 4],
    high: [u16; 4],
}

impl Nibbles {
    fn with(mut self, (three, fourth): &Window) -> Self {
        for (place, byte) in three.iter().chain(fourth).enumerate() {
            self.low[place] |= 1 << (byte & 15);
            self.high[place] |= 1 << (byte >> 4);
        }
        if fourth.is_none() {
            (self.low[3], self.high[3]) = (u16::MAX, u16::MAX);
        }
        self
    }

    /// How many windows of four bytes it lets through.
    fn breadth(&self) -> u64 {
        self.low.iter().chain(&self.high).map(|set| u64::from(set.count_ones())).product()
    }
}

/// Sets that are looked for together: what they have in common is done once.
pub(super) type Sets = [Buckets; 4];

/// Which of them.
pub(super) type Wanted = [bool; 4];

/// How blocks are looked at on this processor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Eye {
    /// Byte by byte.
    Scalar,
    /// 32 bytes an instruction; only ever made after the processor said that it has AVX2 and what came with it (Intel's
    /// Haswell, AMD's Excavator: BMI1, BMI2, LZCNT, POPCNT).
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Eye {
    /// The fastest one that this processor has.
    pub(super) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("bmi1")
            && std::arch::is_x86_feature_detected!("bmi2")
            && std::arch::is_x86_feature_detected!("lzcnt")
            && std::arch::is_x86_feature_detected!("popcnt")
        {
            return Self::Avx2;
        }
        Self::Scalar
    }

    /// The masks of a text's next block, of which `left` bytes (at most a block) are looked at.
    #[inline(always)]
    pub(super) fn masks(self, seen: &Seen, left: usize) -> Masks {
        match self {
            Self::Scalar => scalar(&seen[..left.min(BLOCK)]),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the processor has AVX2 (see `Avx2`).
            Self::Avx2 => unsafe { avx2(seen, left) }.within(left),
        }
    }

    /// Where a window of one of the wanted sets may begin. `left` as above; windows reach up to three bytes behind what is
    /// looked at, so that the last ones have to be confirmed.
    #[inline(always)]
    pub(super) fn windows(self, sets: &Sets, wanted: Wanted, seen: &Seen, left: usize) -> u64 {
        let found = match self {
            Self::Scalar => scalar_windows(sets, wanted, seen),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Self::Avx2 => unsafe { avx2_windows(sets, wanted, seen, left) },
        };
        found & first(left.saturating_sub(2))
    }
}

/// The scalar twin: the masks of a text of at most a block.
fn scalar(text: &[u8]) -> Masks {
    let mut masks = Masks::default();
    for (i, byte) in text.iter().enumerate() {
        let bit = 1u64 << i;
        let set = |mask: &mut u64, yes: bool| *mask |= if yes { bit } else { 0 };
        set(&mut masks.upper, byte.is_ascii_uppercase());
        set(&mut masks.lower, byte.is_ascii_lowercase());
        set(&mut masks.digit, byte.is_ascii_digit());
        set(&mut masks.hex, byte.is_ascii_hexdigit());
        set(&mut masks.joint, matches!(byte, b'-' | b'_' | b'/' | b'='));
        set(&mut masks.plus, *byte == b'+');
        set(&mut masks.assigns, matches!(byte, b'=' | b':' | b'>' | b'"' | b'\'' | b' ' | b'\t'));
        set(&mut masks.coat, matches!(byte, b'@' | b'%' | b'\\'));
        set(&mut masks.rare, matches!(byte, b'.' | b'~' | b'$' | b'%' | b','));
        set(&mut masks.space, *byte == b' ');
        set(&mut masks.opens, opens(*byte));
        set(&mut masks.beyond, !byte.is_ascii());
    }
    masks
}

/// The scalar twin of the search for windows.
fn scalar_windows(sets: &Sets, wanted: Wanted, seen: &Seen) -> u64 {
    let window = |at: usize| [seen[at], seen[at + 1], seen[at + 2], seen[at + 3]];
    let has = |at: &usize| sets.iter().zip(wanted).any(|(set, wanted)| wanted && set.has(window(*at)));
    (0..BLOCK).filter(has).fold(0, |found, at| found | 1 << at)
}

/// # Safety
/// The processor has AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn avx2(seen: &Seen, left: usize) -> Masks {
    // SAFETY: both halves of a block can be read.
    unsafe {
        let low = half(seen.as_ptr());
        if left <= 32 { low } else { half(seen.as_ptr().add(32)).above(low) }
    }
}

/// # Safety
/// The processor has AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn avx2_windows(sets: &Sets, wanted: Wanted, seen: &Seen, left: usize) -> u64 {
    // SAFETY: both halves of a block, and what is read behind them, can be read.
    unsafe {
        let low = half_windows(sets, wanted, seen.as_ptr());
        if left <= 32 { low } else { low | half_windows(sets, wanted, seen.as_ptr().add(32)) << 32 }
    }
}

/// # Safety
/// The processor has AVX2, and 35 bytes can be read at `at`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
#[expect(clippy::as_conversions, reason = "movemask hands out i32 where bits are meant")]
unsafe fn half_windows(sets: &Sets, wanted: Wanted, at: *const u8) -> u64 {
    use std::arch::x86_64::{
        __m256i, _mm_loadu_si128, _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8,
        _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8, _mm256_setzero_si256,
        _mm256_shuffle_epi8, _mm256_srli_epi16,
    };
    let nibble = _mm256_set1_epi8(15);
    let nibbles = |place: usize| -> (__m256i, __m256i) {
        // SAFETY: 35 bytes can be read.
        let v = unsafe { _mm256_loadu_si256(at.add(place).cast()) };
        let folded = _mm256_or_si256(v, _mm256_set1_epi8(0x20));
        (_mm256_and_si256(folded, nibble), _mm256_and_si256(_mm256_srli_epi16::<4>(folded), nibble))
    };
    let nibbles = [nibbles(0), nibbles(1), nibbles(2), nibbles(3)];
    let mut missing = u32::MAX;
    for (set, wanted) in sets.iter().zip(wanted) {
        if !wanted {
            continue;
        }
        let of = |place: usize| -> __m256i {
            // SAFETY: the tables have sixteen bytes each.
            let (low, high) = unsafe {
                (
                    _mm_loadu_si128(set.low[place].as_ptr().cast()),
                    _mm_loadu_si128(set.high[place].as_ptr().cast()),
                )
            };
            let (low, high) = (_mm256_broadcastsi128_si256(low), _mm256_broadcastsi128_si256(high));
            let (below, above) = nibbles[place];
            _mm256_and_si256(_mm256_shuffle_epi8(low, below), _mm256_shuffle_epi8(high, above))
        };
        let found = _mm256_and_si256(_mm256_and_si256(of(0), of(1)), _mm256_and_si256(of(2), of(3)));
        missing &= _mm256_movemask_epi8(_mm256_cmpeq_epi8(found, _mm256_setzero_si256())) as u32;
    }
    u64::from(!missing)
}

/// # Safety
/// The processor has AVX2, and 32 bytes can be read at `at`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
#[expect(
    clippy::as_conversions,
    reason = "movemask hands out i32 where bits are meant, comparisons take signed bytes"
)]
unsafe fn half(at: *const u8) -> Masks {
    use std::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8,
        _mm256_or_si256, _mm256_set1_epi8, _mm256_sub_epi8,
    };
    let bits = |v: __m256i| u64::from(_mm256_movemask_epi8(v) as u32);
    let all = |b: u8| _mm256_set1_epi8(b as i8);
    // SAFETY: 32 bytes can be read.
    let v = unsafe { _mm256_loadu_si256(at.cast()) };
    let within = |v: __m256i, from: u8, to: u8| {
        let off = _mm256_sub_epi8(v, all(from));
        _mm256_cmpeq_epi8(_mm256_min_epu8(off, all(to - from)), off)
    };
    let is = |b: u8| _mm256_cmpeq_epi8(v, all(b));
    let or = |a: __m256i, b: __m256i| _mm256_or_si256(a, b);
    let folded = or(v, all(0x20));
    let digit = within(v, b'0', b'9');
    let equals = is(b'=');
    let percent = is(b'%');
    let space = is(b' ');
    let quote = or(is(b'"'), is(b'\''));
    let white = or(space, is(b'\t'));
    let names = or(equals, is(b':'));
    Masks {
        upper: bits(within(v, b'A', b'Z')),
        lower: bits(within(v, b'a', b'z')),
        digit: bits(digit),
        hex: bits(or(digit, within(folded, b'a', b'f'))),
        joint: bits(or(or(is(b'-'), is(b'_')), or(is(b'/'), equals))),
        plus: bits(is(b'+')),
        assigns: bits(or(or(names, is(b'>')), or(quote, white))),
        coat: bits(or(is(b'@'), or(percent, is(b'\\')))),
        rare: bits(or(or(percent, or(is(b'.'), is(b','))), or(is(b'~'), is(b'$')))),
        space: bits(space),
        opens: bits(or(names, or(white, is(b'\n')))),
        beyond: bits(v),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &[u8]) {
        let sets = [
            Buckets::of(vec![(*b"ghp", Some(b'_')), (*b"eyj", None), (*b"10.", None)]),
            Buckets::of(vec![(*b"pas", Some(b's')), (*b"://", None)]),
            Buckets::of(Vec::new()),
            Buckets::of(vec![(*b"abc", None)]),
        ];
        let mut around = text.to_vec();
        around.extend_from_slice(b"ghp_ey:@%=ABC123");
        around.resize(text.len() + 80, b'p');
        for from in (0..text.len()).step_by(BLOCK) {
            let left = text.len() - from;
            for around in [text, &around] {
                let mut copy = [0; BLOCK + BEHIND];
                let seen = seen(around, from, text.len(), &mut copy);
                let expected = scalar(&text[from..][..left.min(BLOCK)]);
                assert_eq!(Eye::detect().masks(seen, left), expected, "{from} of {}", text.len());
                let (fast, slow) = (Eye::detect(), Eye::Scalar);
                for wanted in [[true; 4], [true, false, false, false], [false, true, false, true]] {
                    let of = |eye: Eye| eye.windows(&sets, wanted, seen, left);
                    assert_eq!(of(fast), of(slow), "{from}");
                }
            }
        }
    }

    #[test]
    fn every_byte_is_told_as_the_twin_tells_it() {
        for byte in 0..=255 {
            for len in [1, 2, 3, 31, 32, 33, 63, 64, 65, 130] {
                check(&vec![byte; len]);
            }
        }
    }

    proptest! {
        #[test]
        fn random_texts_are_told_as_the_twin_tells_them(text in prop::collection::vec(any::<u8>(), 1..200)) {
            check(&text);
        }

        #[test]
        fn telling_texts_are_told_as_the_twin_tells_them(text in "[ghpeyj10.as:/k@%=+A-F_ \t\né-]{1,140}") {
            check(text.as_bytes());
        }
    }
}
