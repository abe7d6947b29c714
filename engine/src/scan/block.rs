//! Classifies 64 bytes at once into bit masks, bit *i* for byte *i*.
//!
//! Owns the one piece of architecture-specific code, and its scalar twin, which is its oracle in tests and its stand-in
//! on other processors. Must never keep state: carries between blocks are the index's business.

/// Bytes in a block.
pub(super) const BLOCK: usize = 64;

/// What each byte of a block is. A byte may be in several masks; in-string bytes are not told apart here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Masks {
    /// `"`.
    pub quote: u64,
    /// `\`.
    pub backslash: u64,
    /// `{ } [ ] : ,` and, which the grammar refuses later, 0x0c and 0x1a.
    pub structural: u64,
    /// Space, tab, line feed, carriage return.
    pub white: u64,
    /// Below 0x20.
    pub control: u64,
    /// `{` and `[`.
    pub open: u64,
    /// `}` and `]`.
    pub close: u64,
    /// Beyond ASCII.
    pub wide: u64,
}

/// How blocks are classified on this processor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Classifier {
    /// Byte by byte.
    Scalar,
    /// 32 bytes an instruction; only ever made after the processor said that it has AVX2 and what came with it.
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Classifier {
    /// The fastest one that this processor has.
    pub(super) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("bmi1")
            && std::arch::is_x86_feature_detected!("bmi2")
            && std::arch::is_x86_feature_detected!("lzcnt")
            && std::arch::is_x86_feature_detected!("popcnt")
            && std::arch::is_x86_feature_detected!("pclmulqdq")
        {
            return Self::Avx2;
        }
        Self::Scalar
    }
}

/// The scalar twin.
pub(super) fn classify_scalar(block: &[u8; BLOCK]) -> Masks {
    let mut masks = Masks::default();
    for (i, byte) in block.iter().enumerate() {
        let bit = 1u64 << i;
        match byte {
            b'"' => masks.quote |= bit,
            b'\\' => masks.backslash |= bit,
            b'{' | b'}' | b'[' | b']' | b':' | b',' | 0x0c | 0x1a => masks.structural |= bit,
            b' ' | b'\t' | b'\n' | b'\r' => masks.white |= bit,
            _ => {}
        }
        match byte {
            ..0x20 => masks.control |= bit,
            b'{' | b'[' => masks.open |= bit,
            b'}' | b']' => masks.close |= bit,
            0x80.. => masks.wide |= bit,
            _ => {}
        }
    }
    masks
}

/// Two tables of 16 bytes looked up by the low nibble, as in simdjson's paper (Langdale and Lemire, "Parsing gigabytes
/// of JSON per second", 2019, section 3.1.2).
///
/// # Safety
/// The processor has AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
#[expect(clippy::as_conversions, reason = "movemask hands out i32 where bits are meant")]
pub(super) unsafe fn classify_avx2(block: &[u8; BLOCK]) -> Masks {
    use std::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_max_epu8, _mm256_movemask_epi8,
        _mm256_or_si256, _mm256_set1_epi8, _mm256_setr_epi8, _mm256_shuffle_epi8,
    };
    // A byte whose low nibble has no member gets a value that cannot equal the byte.
    let white_table = _mm256_setr_epi8(
        0x20, 100, 100, 100, 17, 100, 113, 2, 100, 0x09, 0x0a, 112, 100, 0x0d, 100, 100, 0x20, 100, 100, 100,
        17, 100, 113, 2, 100, 0x09, 0x0a, 112, 100, 0x0d, 100, 100,
    );
    let structural_table = _mm256_setr_epi8(
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x3a, 0x7b, 0x2c, 0x7d, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x3a, 0x7b,
        0x2c, 0x7d, 0, 0,
    );
    let half = |at: usize| {
        let bits = |v: __m256i| u64::from(_mm256_movemask_epi8(v) as u32);
        // SAFETY: `at` is 0 or 32, the block has 64 bytes, and the load needs no alignment.
        let v = unsafe { _mm256_loadu_si256(block.as_ptr().add(at).cast()) };
        let curled = _mm256_or_si256(v, _mm256_set1_epi8(0x20));
        let low = _mm256_set1_epi8(0x1f);
        Masks {
            quote: bits(_mm256_cmpeq_epi8(v, _mm256_set1_epi8(0x22))),
            backslash: bits(_mm256_cmpeq_epi8(v, _mm256_set1_epi8(0x5c))),
            structural: bits(_mm256_cmpeq_epi8(curled, _mm256_shuffle_epi8(structural_table, v))),
            white: bits(_mm256_cmpeq_epi8(v, _mm256_shuffle_epi8(white_table, v))),
            control: bits(_mm256_cmpeq_epi8(_mm256_max_epu8(v, low), low)),
            open: bits(_mm256_cmpeq_epi8(curled, _mm256_set1_epi8(0x7b))),
            close: bits(_mm256_cmpeq_epi8(curled, _mm256_set1_epi8(0x7d))),
            wide: bits(v),
        }
    };
    let (a, b) = (half(0), half(32));
    Masks {
        quote: a.quote | b.quote << 32,
        backslash: a.backslash | b.backslash << 32,
        structural: a.structural | b.structural << 32,
        white: a.white | b.white << 32,
        control: a.control | b.control << 32,
        open: a.open | b.open << 32,
        close: a.close | b.close << 32,
        wide: a.wide | b.wide << 32,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(block: &[u8; BLOCK]) {
        #[cfg(target_arch = "x86_64")]
        if Classifier::detect() == Classifier::Avx2 {
            // SAFETY: the processor just said so.
            let fast = unsafe { classify_avx2(block) };
            assert_eq!(fast, classify_scalar(block));
        }
    }

    #[test]
    fn every_byte_at_every_place_is_classified_as_its_twin_does() {
        for byte in 0..=255 {
            check(&[byte; BLOCK]);
            for at in 0..BLOCK {
                let mut block = [b'a'; BLOCK];
                block[at] = byte;
                check(&block);
            }
        }
    }

    proptest! {
        #[test]
        fn random_blocks_are_classified_as_the_twin_does(block in prop::collection::vec(any::<u8>(), BLOCK)) {
            check(block.as_slice().try_into().expect("64 bytes"));
        }
    }
}
