//! What kinds of bytes a value is made of, 64 at a time, as bit masks: bit *i* for byte *i*.
//!
//! Owns the second piece of architecture-specific code of the engine, and its scalar twin, which is its oracle in tests
//! and its stand-in on other processors. Must never decide anything: `gate.rs` reads the masks.

/// Bytes in a block.
pub(super) const BLOCK: usize = 64;

/// Bytes behind a block that are read along: windows of three bytes begin at each of its bytes.
const BEHIND: usize = 2;

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
    /// A window of three bytes that begins here may begin a literal that stands at the beginning of a word.
    pub(super) head: u64,
    /// A window of three bytes that begins here may be one of a literal that stands anywhere.
    pub(super) inner: u64,
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

    /// Clears what lies beyond a text of `left` bytes.
    #[inline(always)]
    fn within(self, left: usize) -> Self {
        let first = |bytes: usize| if bytes == 0 { 0 } else { u64::MAX >> (BLOCK - bytes.min(BLOCK)) };
        let valid = first(left);
        let windows = first(left.saturating_sub(BEHIND));
        Self {
            upper: self.upper & valid,
            lower: self.lower & valid,
            digit: self.digit & valid,
            hex: self.hex & valid,
            joint: self.joint & valid,
            plus: self.plus & valid,
            assigns: self.assigns & valid,
            coat: self.coat & valid,
            head: self.head & windows,
            inner: self.inner & windows,
        }
    }

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
            head: low.head | self.head << 32,
            inner: low.inner | self.inner << 32,
        }
    }
}

/// The two sets of windows that the gate looks for.
pub(super) struct Windows {
    /// Of literals that begin a word: their first bytes.
    pub(super) heads: Buckets,
    /// Of literals that stand anywhere.
    pub(super) inner: Buckets,
}

/// Which windows of three folded bytes may be one of a set: by the nibbles of each byte, in eight
/// buckets ("Teddy", Hyperscan's literal matcher: Wang et al., NSDI 2019, section 4.2).
#[derive(Clone)]
pub(super) struct Buckets {
    low: [[u8; 16]; 3],
    high: [[u8; 16]; 3],
}

impl Buckets {
    /// Windows are folded (`| 0x20` on each byte). Neighbours in order share a bucket.
    pub(super) fn of(mut windows: Vec<[u8; 3]>) -> Self {
        windows.sort_unstable();
        windows.dedup();
        let mut buckets = Self { low: [[0; 16]; 3], high: [[0; 16]; 3] };
        let count = windows.len().max(1);
        for (number, window) in windows.iter().enumerate() {
            let bit = 1u8 << (number * 8 / count);
            for (place, byte) in window.iter().enumerate() {
                buckets.low[place][usize::from(byte & 15)] |= bit;
                buckets.high[place][usize::from(byte >> 4)] |= bit;
            }
        }
        buckets
    }

    fn has(&self, window: [u8; 3]) -> bool {
        let of = |place: usize| {
            let byte = window[place] | 0x20;
            self.low[place][usize::from(byte & 15)] & self.high[place][usize::from(byte >> 4)]
        };
        of(0) & of(1) & of(2) != 0
    }
}

/// How blocks are looked at on this processor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Eye {
    /// Byte by byte.
    Scalar,
    /// 32 bytes an instruction; only ever made after the processor said that it has AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Eye {
    /// The fastest one that this processor has.
    pub(super) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            return Self::Avx2;
        }
        Self::Scalar
    }

    /// The masks of `text[from..]`, at most a block of it. `around` begins like `text` and may go on behind it: bytes
    /// that can be read along spare a copy.
    #[inline(always)]
    pub(super) fn masks(self, windows: &Windows, around: &[u8], from: usize, end: usize) -> Masks {
        let left = end - from;
        match self {
            Self::Scalar => scalar(windows, &around[from..end]),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => {
                let len = left.min(BLOCK);
                let need = if len <= 32 { 32 } else { BLOCK } + BEHIND;
                let seen = if let Some(block) = around.get(from..from + need) {
                    // SAFETY: the processor has AVX2 (see `Avx2`), and `block` has `need` bytes.
                    unsafe { avx2(windows, block.as_ptr(), len) }
                } else {
                    let mut copy = [0u8; BLOCK + BEHIND];
                    let last = end.min(from + BLOCK + BEHIND);
                    copy[..last - from].copy_from_slice(&around[from..last]);
                    // SAFETY: as above; the copy has a block and what is read behind it.
                    unsafe { avx2(windows, copy.as_ptr(), len) }
                };
                seen.within(left)
            }
        }
    }
}

/// The scalar twin: the first block of a text.
fn scalar(windows: &Windows, text: &[u8]) -> Masks {
    let mut masks = Masks::default();
    for (i, byte) in text.iter().take(BLOCK).enumerate() {
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
        let window = text.get(i..i + 3);
        set(&mut masks.head, window.is_some_and(|w| windows.heads.has([w[0], w[1], w[2]])));
        set(&mut masks.inner, window.is_some_and(|w| windows.inner.has([w[0], w[1], w[2]])));
    }
    masks
}

/// # Safety
/// The processor has AVX2, and 34 bytes (66 when `len` is above 32) can be read at `at`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn avx2(windows: &Windows, at: *const u8, len: usize) -> Masks {
    // SAFETY: passed on.
    unsafe {
        let low = half(windows, at);
        if len <= 32 { low } else { half(windows, at.add(32)).above(low) }
    }
}

/// # Safety
/// The processor has AVX2, and 34 bytes can be read at `at`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
#[expect(
    clippy::as_conversions,
    reason = "movemask hands out i32 where bits are meant, shuffles take signed bytes"
)]
unsafe fn half(windows: &Windows, at: *const u8) -> Masks {
    use std::arch::x86_64::{
        __m256i, _mm_loadu_si128, _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8,
        _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
        _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16, _mm256_sub_epi8,
    };
    let bits = |v: __m256i| u64::from(_mm256_movemask_epi8(v) as u32);
    let all = |b: u8| _mm256_set1_epi8(b as i8);
    // SAFETY: 34 bytes can be read.
    let (v, second, third) = unsafe {
        (
            _mm256_loadu_si256(at.cast()),
            _mm256_loadu_si256(at.add(1).cast()),
            _mm256_loadu_si256(at.add(2).cast()),
        )
    };
    let within = |v: __m256i, from: u8, to: u8| {
        let off = _mm256_sub_epi8(v, all(from));
        _mm256_cmpeq_epi8(_mm256_min_epu8(off, all(to - from)), off)
    };
    let is = |b: u8| _mm256_cmpeq_epi8(v, all(b));
    let or = |a: __m256i, b: __m256i| _mm256_or_si256(a, b);
    let folded = or(v, all(0x20));
    let digit = within(v, b'0', b'9');
    let equals = is(b'=');
    let quote = or(is(b'"'), is(b'\''));
    let white = or(is(b' '), is(b'\t'));
    let nibbles = |v: __m256i| {
        let v = or(v, all(0x20));
        (_mm256_and_si256(v, all(15)), _mm256_and_si256(_mm256_srli_epi16::<4>(v), all(15)))
    };
    let triple = [nibbles(v), nibbles(second), nibbles(third)];
    let missing = |buckets: &Buckets| {
        let of = |place: usize| {
            // SAFETY: the tables have sixteen bytes each.
            let (low, high) = unsafe {
                (
                    _mm_loadu_si128(buckets.low[place].as_ptr().cast()),
                    _mm_loadu_si128(buckets.high[place].as_ptr().cast()),
                )
            };
            _mm256_and_si256(
                _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(low), triple[place].0),
                _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(high), triple[place].1),
            )
        };
        let found = _mm256_and_si256(_mm256_and_si256(of(0), of(1)), of(2));
        bits(_mm256_cmpeq_epi8(found, _mm256_setzero_si256()))
    };
    Masks {
        upper: bits(within(v, b'A', b'Z')),
        lower: bits(within(v, b'a', b'z')),
        digit: bits(digit),
        hex: bits(or(digit, within(folded, b'a', b'f'))),
        joint: bits(or(or(is(b'-'), is(b'_')), or(is(b'/'), equals))),
        plus: bits(is(b'+')),
        assigns: bits(or(or(equals, or(is(b':'), is(b'>'))), or(quote, white))),
        coat: bits(or(is(b'@'), or(is(b'%'), is(b'\\')))),
        head: missing(&windows.heads) ^ 0xffff_ffff,
        inner: missing(&windows.inner) ^ 0xffff_ffff,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &[u8]) {
        let windows = Windows {
            heads: Buckets::of(vec![*b"ghp", *b"eyj", *b"10."]),
            inner: Buckets::of(vec![*b"pas", *b"://", *b"key"]),
        };
        let mut around = text.to_vec();
        around.extend_from_slice(b"ghp_ey:@%=ABC123");
        around.resize(text.len() + 80, b'p');
        for from in (0..text.len()).step_by(BLOCK) {
            let expected = scalar(&windows, &text[from..]);
            for around in [text, &around] {
                let fast = Eye::detect().masks(&windows, around, from, text.len());
                assert_eq!(fast, expected, "{from} of {}", text.len());
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
        fn telling_texts_are_told_as_the_twin_tells_them(text in "[ghpeyj10.as:/k@%=+A-F_ -]{1,140}") {
            check(text.as_bytes());
        }
    }
}
