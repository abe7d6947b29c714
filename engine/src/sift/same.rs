//! How far two texts are the same.
//!
//! Owns architecture-specific code ([`common_wide`]); the other one is its twin. Must never say of two bytes that they are the
//! same by anything but comparing them.

/// Bytes that are compared at a time; with room for whole ones behind both texts, comparing is fastest.
pub(super) const CHUNK: usize = 32;

/// How texts are compared on this processor.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    /// [`CHUNK`] bytes at a time.
    Chunks,
    /// 64 bytes at a time; only ever made after the processor said that it has AVX-512 F and BW, BMI1 and BMI2.
    #[cfg(target_arch = "x86_64")]
    Wide,
}

impl Likeness {
    /// The fastest one that this processor has.
    pub(super) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512bw")
            && std::arch::is_x86_feature_detected!("bmi1")
            && std::arch::is_x86_feature_detected!("bmi2")
        {
            return Self::Wide;
        }
        Self::Chunks
    }
}

/// Of at most `count` bytes, those with which both texts begin.
#[inline(always)]
pub(super) fn common(a: &[u8], b: &[u8], count: usize) -> usize {
    let room = count.next_multiple_of(CHUNK);
    let (Some(left), Some(right)) = (a.get(..room), b.get(..room)) else {
        return a.iter().zip(b).take(count).take_while(|(x, y)| x == y).count();
    };
    let mut at = 0;
    for (x, y) in left.as_chunks::<CHUNK>().0.iter().zip(right.as_chunks::<CHUNK>().0) {
        if x != y {
            return count.min(at + first_difference(x, y));
        }
        at += CHUNK;
    }
    count
}

/// The place of the first bytes that differ.
#[inline(always)]
fn first_difference(x: &[u8; CHUNK], y: &[u8; CHUNK]) -> usize {
    let (x, y) = (x.as_chunks::<16>().0, y.as_chunks::<16>().0);
    let low = u128::from_le_bytes(x[0]) ^ u128::from_le_bytes(y[0]);
    let high = u128::from_le_bytes(x[1]) ^ u128::from_le_bytes(y[1]);
    if low != 0 { index(low.trailing_zeros() / 8) } else { 16 + index(high.trailing_zeros() / 8) }
}

/// The same as [`common`], 64 bytes at a time: most steps are no longer, and then nothing is guessed.
///
/// # Safety
/// The processor has what is enabled.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2")]
#[inline]
pub(super) fn common_wide(a: &[u8], b: &[u8], count: usize) -> usize {
    use std::arch::x86_64::{_bzhi_u64, _mm512_mask_cmpneq_epu8_mask, _mm512_maskz_loadu_epi8};

    const WIDE: usize = 64;
    let count = count.min(a.len()).min(b.len());
    let mut at = 0;
    loop {
        let left = small(count - at);
        let mask = if left < 64 { _bzhi_u64(u64::MAX, left) } else { u64::MAX };
        // SAFETY: `at` is within both texts, and bytes that the mask leaves out are not touched.
        let (x, y) = unsafe {
            (
                _mm512_maskz_loadu_epi8(mask, a.as_ptr().add(at).cast()),
                _mm512_maskz_loadu_epi8(mask, b.as_ptr().add(at).cast()),
            )
        };
        let differs = _mm512_mask_cmpneq_epu8_mask(mask, x, y);
        if differs != 0 {
            return at + index(differs.trailing_zeros());
        }
        at += WIDE;
        if at >= count {
            return count;
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[inline(always)]
#[expect(clippy::as_conversions, reason = "hot path: u32 fits usize on every target that runs this")]
fn index(n: u32) -> usize {
    n as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of each way that this processor has.
    fn check(a: &[u8], b: &[u8], count: usize, same: usize) {
        assert_eq!(common(a, b, count), same);
        #[cfg(target_arch = "x86_64")]
        if Likeness::detect() == Likeness::Wide {
            // SAFETY: the processor has what is enabled there.
            assert_eq!(unsafe { common_wide(a, b, count) }, same);
        }
    }

    #[test]
    fn texts_are_the_same_up_to_their_first_difference() {
        let text: Vec<u8> = (0..200).map(|n| n % 251).collect();
        for len in [0, 1, 15, 16, 31, 32, 33, 63, 64, 65, 127, 128, 129, 200] {
            for room in [0, 7, 40, 100] {
                let longer: Vec<u8> =
                    text[..len].iter().copied().chain(std::iter::repeat_n(0xee, room)).collect();
                for count in [len.saturating_sub(1), len] {
                    check(&longer, &text, count, count);
                    check(&text, &longer, count, count);
                }
                check(&text[..len], &text, len + 20, len);
                for place in 0..len {
                    let mut other = longer.clone();
                    other[place] ^= 0x10;
                    check(&other, &text, len, place);
                    check(&other, &text, place, place);
                }
            }
        }
    }
}
