//! Finds where a string ends by its bytes alone, where nothing is indexed yet.
//!
//! Must never pass over a byte that a string of JSON may not hold.

/// A string that is complete.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Closed {
    /// Position of the closing quote.
    pub(crate) end: usize,
    /// It has a backslash.
    pub(crate) escaped: bool,
    /// It holds more than ASCII.
    pub(crate) wide: bool,
}

const STEP: usize = 64;

/// The end of the string whose first byte stands at `from`. `None`: it does not end here, or holds a control character.
#[inline]
pub(crate) fn closing_quote(bytes: &[u8], from: usize) -> Option<Closed> {
    let (mut at, mut escaped, mut wide) = (from, false, false);
    'steps: loop {
        let rest = bytes.get(at..)?;
        let mut marks = match rest.first_chunk() {
            Some(step) => telling(step),
            None => scalar(rest),
        };
        while marks != 0 {
            let behind = index(marks.trailing_zeros());
            let mark = marks & marks.wrapping_neg();
            marks ^= mark;
            match rest[behind] {
                b'"' => return Some(Closed { end: at + behind, escaped, wide }),
                b'\\' => {
                    escaped = true;
                    if behind == STEP - 1 {
                        at += STEP + 1;
                        continue 'steps;
                    }
                    // Whatever stands behind it tells nothing.
                    marks &= !(mark << 1);
                }
                0x80.. => wide = true,
                _ => return None,
            }
        }
        if rest.len() < STEP {
            return None;
        }
        at += STEP;
    }
}

/// Bit *i*: byte *i* is a quote, a backslash, a control character or beyond ASCII.
#[cfg(target_arch = "x86_64")]
#[inline]
fn telling(step: &[u8; STEP]) -> u64 {
    // Sixteen at a time, which every processor of the architecture has: most strings end within the step, and nothing is guessed.
    let (parts, _) = step.as_chunks::<16>();
    parts.iter().rev().fold(0, |marks, part| marks << 16 | u64::from(telling_sixteen(part)))
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[expect(clippy::as_conversions, reason = "movemask hands out i32 where bits are meant")]
fn telling_sixteen(step: &[u8; 16]) -> u32 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_cmplt_epi8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
    };
    let all = u128::from_le_bytes(*step);
    // SAFETY: SSE2 belongs to the architecture.
    unsafe {
        let bytes = _mm_set_epi64x((all >> 64) as i64, all as i64);
        let quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x22));
        let backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x5c));
        // Signed bytes: what is beyond ASCII is below zero.
        let outside = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
        _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), outside)) as u32
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn telling(step: &[u8; STEP]) -> u64 {
    scalar(step)
}

/// The scalar twin, of at most a step.
fn scalar(bytes: &[u8]) -> u64 {
    let tells = |byte: &u8| matches!(byte, b'"' | b'\\' | ..0x20 | 0x80..);
    bytes.iter().take(STEP).enumerate().fold(0, |marks, (i, byte)| marks | u64::from(tells(byte)) << i)
}

#[inline]
#[expect(clippy::as_conversions, reason = "hot path: a bit of 64")]
fn index(bit: u32) -> usize {
    bit as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Byte by byte.
    fn slow(bytes: &[u8], from: usize) -> Option<Closed> {
        let (mut at, mut escaped, mut wide) = (from, false, false);
        loop {
            match bytes.get(at)? {
                b'"' => return Some(Closed { end: at, escaped, wide }),
                b'\\' => {
                    escaped = true;
                    at += 1;
                }
                ..0x20 => return None,
                0x80.. => wide = true,
                _ => {}
            }
            at += 1;
        }
    }

    #[test]
    fn every_byte_tells_what_its_twin_tells() {
        for byte in 0..=255 {
            for place in 0..STEP {
                let mut step = [b'a'; STEP];
                step[place] = byte;
                assert_eq!(telling(&step), scalar(&step), "{byte}");
            }
        }
    }

    proptest! {
        #[test]
        fn ends_are_found_as_byte_by_byte(
            bytes in prop::collection::vec(prop::sample::select(&b"aaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\\\x01\xc3\xa9"[..]), 0..300)
        ) {
            for from in 0..=bytes.len() {
                prop_assert_eq!(closing_quote(&bytes, from), slow(&bytes, from));
            }
        }
    }
}
