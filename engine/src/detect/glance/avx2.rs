//! 32 bytes an instruction.
//!
//! Must only be called where the processor has what is enabled.

use std::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8,
    _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
    _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16, _mm256_sub_epi8,
};

use super::{Masks, Seen, Sets, Wanted};

/// # Safety
/// The processor has AVX2.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) unsafe fn masks(seen: &Seen, left: usize) -> Masks {
    // SAFETY: both halves of a block can be read.
    unsafe {
        let low = half(seen.as_ptr());
        if left <= 32 { low } else { half(seen.as_ptr().add(32)).above(low) }
    }
}

/// # Safety
/// The processor has AVX2.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) unsafe fn windows(sets: &Sets, wanted: Wanted, seen: &Seen, left: usize) -> u64 {
    // SAFETY: both halves of a block, and what is read behind them, can be read.
    unsafe {
        let low = half_windows(sets, wanted, seen.as_ptr());
        if left <= 32 { low } else { low | half_windows(sets, wanted, seen.as_ptr().add(32)) << 32 }
    }
}

/// # Safety
/// The processor has AVX2, and 35 bytes can be read at `at`.
#[target_feature(enable = "avx2")]
#[inline]
#[expect(clippy::as_conversions, reason = "movemask hands out i32 where bits are meant")]
unsafe fn half_windows(sets: &Sets, wanted: Wanted, at: *const u8) -> u64 {
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
#[target_feature(enable = "avx2")]
#[inline]
#[expect(
    clippy::as_conversions,
    reason = "movemask hands out i32 where bits are meant, comparisons take signed bytes"
)]
unsafe fn half(at: *const u8) -> Masks {
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
    let opens = or(names, or(white, is(b'\n')));
    Masks {
        upper: bits(within(v, b'A', b'Z')),
        lower: bits(within(v, b'a', b'z')),
        digit: bits(digit),
        hex: bits(or(digit, within(folded, b'a', b'f'))),
        joint: bits(or(or(is(b'-'), is(b'_')), or(is(b'/'), equals))),
        plus: bits(is(b'+')),
        assigns: bits(or(or(opens, quote), or(is(b'>'), is(b'|')))),
        coat: bits(or(is(b'@'), or(percent, is(b'\\')))),
        rare: bits(or(or(percent, or(is(b'.'), is(b','))), or(is(b'~'), is(b'$')))),
        space: bits(space),
        opens: bits(opens),
        beyond: bits(v),
    }
}
