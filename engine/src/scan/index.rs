//! Turns blocks into the positions of tokens.
//!
//! A token is one byte that the grammar has to look at: every quote that is not escaped, `{}[]:,` outside of strings,
//! the first byte of anything else outside of strings, and inside strings each backslash that begins an escape and
//! each control character (which the grammar refuses). So a clean string is two neighbouring quotes, and what stands
//! between tokens outside of strings is white space. Must never look back at bytes: all context is in the carries.

use super::block::{BLOCK, Classifier, Masks, classify_scalar};
use super::window::grow;

/// What is found in blocks.
#[derive(Default)]
pub(super) struct Found {
    /// Positions of tokens.
    pub(super) tokens: Vec<u32>,
    /// Which tokens are brackets: twice the token's number, and one more for those that open.
    pub(super) brackets: Vec<u32>,
    /// One past the last block that holds more than ASCII.
    pub(super) wide_to: u32,
}

/// What one block tells the next.
#[derive(Clone, Copy, Default)]
pub(super) struct Carry {
    /// 1 when the next block's first byte is escaped.
    escaped: u64,
    /// All ones inside of a string.
    in_string: u64,
    /// 1 when the block ended within a number or literal.
    in_scalar: u64,
}

impl Carry {
    /// The next byte belongs to a string.
    pub(super) fn is_open(self) -> bool {
        self.in_string != 0 || self.escaped != 0
    }
}

/// Appends the positions of the tokens in `bytes` (whole blocks; a rest is left alone) and returns how many bytes were
/// indexed. Positions count from `base`.
pub(super) fn index(how: Classifier, bytes: &[u8], base: u32, carry: &mut Carry, out: &mut Found) -> usize {
    match how {
        Classifier::Scalar => index_with(classify_scalar, prefix_xor, bytes, base, carry, out),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `Classifier::Avx2` is made only after the processor said that it has AVX2.
        Classifier::Avx2 => unsafe { index_avx2(bytes, base, carry, out) },
    }
}

/// # Safety
/// The processor has AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
unsafe fn index_avx2(bytes: &[u8], base: u32, carry: &mut Carry, out: &mut Found) -> usize {
    // SAFETY: passed on.
    let classify = |block: &[u8; BLOCK]| unsafe { super::block::classify_avx2(block) };
    // SAFETY: as above.
    index_with(classify, |bits| unsafe { prefix_xor_clmul(bits) }, bytes, base, carry, out)
}

/// The product with all ones, without carries: each bit is the parity of the bits up to it (Langdale and Lemire, section
/// 3.1.1).
///
/// # Safety
/// The processor has PCLMULQDQ.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "pclmulqdq,sse2")]
#[inline]
#[expect(clippy::as_conversions, reason = "registers hold i64 where bits are meant")]
unsafe fn prefix_xor_clmul(bits: u64) -> u64 {
    use std::arch::x86_64::{_mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_set1_epi8};
    let product = _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, bits as i64), _mm_set1_epi8(-1));
    _mm_cvtsi128_si64(product) as u64
}

#[inline(always)]
fn index_with(
    classify: impl Fn(&[u8; BLOCK]) -> Masks,
    prefix_xor: impl Fn(u64) -> u64,
    bytes: &[u8],
    base: u32,
    carry: &mut Carry,
    out: &mut Found,
) -> usize {
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let mut position = base;
    for block in blocks {
        let masks = classify(block);
        let tokens = tokens(&masks, &prefix_xor, carry);
        let (open, close) = (tokens & masks.open, tokens & masks.close);
        if open | close != 0 {
            brackets(tokens, open, close, out);
        }
        flatten(tokens, position, &mut out.tokens);
        position += 64;
        if masks.wide != 0 {
            out.wide_to = position;
        }
    }
    blocks.len() * BLOCK
}

#[inline(always)]
fn tokens(masks: &Masks, prefix_xor: impl Fn(u64) -> u64, carry: &mut Carry) -> u64 {
    let escaped = escaped(masks.backslash, carry);
    let quote = masks.quote & !escaped;
    // Set from an opening quote to the byte before its closing quote.
    let in_string = prefix_xor(quote) ^ carry.in_string;
    carry.in_string = 0u64.wrapping_sub(in_string >> 63);
    let structural = masks.structural & !in_string;
    let scalar = !(masks.white | masks.structural | quote | in_string);
    let scalar_start = scalar & !(scalar << 1 | carry.in_scalar);
    carry.in_scalar = scalar >> 63;
    let inside = (masks.backslash & !escaped | masks.control) & in_string;
    quote | structural | scalar_start | inside
}

/// Which bytes stand after an odd run of backslashes (the add carries a run's parity to its end).
#[inline(always)]
fn escaped(backslash: u64, carry: &mut Carry) -> u64 {
    if backslash == 0 {
        return std::mem::take(&mut carry.escaped);
    }
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let backslash = backslash & !carry.escaped;
    let follows = backslash << 1 | carry.escaped;
    let odd_starts = backslash & !EVEN & !follows;
    let (sum, overflow) = odd_starts.overflowing_add(backslash);
    carry.escaped = u64::from(overflow);
    (EVEN ^ (sum << 1)) & follows
}

#[inline(always)]
fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// Numbers of the brackets among the tokens of a block. A bracket's bit is a token's only outside of strings.
#[inline(always)]
fn brackets(tokens: u64, open: u64, close: u64, out: &mut Found) {
    // Tokens are fewer than the bytes of a window, and these are counted in 32 bits.
    let before = u32::try_from(out.tokens.len()).unwrap_or(u32::MAX);
    let mut bits = open | close;
    grow(&mut out.brackets, 64);
    while bits != 0 {
        let lowest = bits & bits.wrapping_neg();
        let number = before.wrapping_add((tokens & (lowest - 1)).count_ones());
        out.brackets.push(number << 1 | u32::from(open & lowest != 0));
        bits ^= lowest;
    }
}

/// Positions of the set bits. Written eight at a time whether or not there are so many: a branch per eight costs less
/// than a branch per bit.
#[inline(always)]
#[expect(clippy::as_conversions, reason = "hot path; a count of at most 64")]
fn flatten(mut bits: u64, position: u32, out: &mut Vec<u32>) {
    let count = bits.count_ones() as usize;
    out.reserve(64);
    let mut at = 0;
    while at < count {
        for slot in &mut out.spare_capacity_mut()[at..at + 8] {
            slot.write(position.wrapping_add(bits.trailing_zeros()));
            bits &= bits.wrapping_sub(1);
        }
        at += 8;
    }
    // SAFETY: at least `count` slots, at most 64, were reserved and written.
    unsafe { out.set_len(out.len() + count) };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Byte by byte, with the obvious state machine.
    fn slow(bytes: &[u8]) -> Vec<u32> {
        let (mut in_string, mut escaped, mut in_scalar, mut out) = (false, false, false, Vec::new());
        for (i, byte) in bytes.iter().enumerate() {
            let was_escaped = std::mem::take(&mut escaped);
            escaped = *byte == b'\\' && !was_escaped;
            let quote = *byte == b'"' && !was_escaped;
            let (white, structural) = (b" \t\n\r".contains(byte), b"{}[]:,\x0c\x1a".contains(byte));
            let scalar = !in_string && !quote && !white && !structural;
            let inside = in_string && !quote && ((*byte == b'\\' && !was_escaped) || *byte < 0x20);
            if quote || inside || (!in_string && structural) || (scalar && !in_scalar) {
                out.push(u32::try_from(i).expect("small"));
            }
            in_string ^= quote;
            in_scalar = scalar;
        }
        out
    }

    fn check(bytes: &[u8]) {
        let mut padded = bytes.to_vec();
        padded.resize(bytes.len().next_multiple_of(BLOCK), b' ');
        let wanted = slow(&padded);
        for how in [Classifier::Scalar, Classifier::detect()] {
            let (mut carry, mut found) = (Carry::default(), Found::default());
            // In two pushes, so that the carries are used.
            let cut = padded.len() / BLOCK / 2 * BLOCK;
            index(how, &padded[..cut], 0, &mut carry, &mut found);
            index(how, &padded[cut..], u32::try_from(cut).expect("small"), &mut carry, &mut found);
            assert_eq!(found.tokens, wanted, "{how:?}");
            let byte = |token: &u32| padded[usize::try_from(*token).expect("small")];
            let brackets: Vec<u32> = (0..)
                .zip(&wanted)
                .filter_map(|(number, token)| match byte(token) {
                    b'{' | b'[' => Some(number << 1 | 1),
                    b'}' | b']' => Some(number << 1),
                    _ => None,
                })
                .collect();
            assert_eq!(found.brackets, brackets, "{how:?}");
            let wide = padded.iter().rposition(|b| !b.is_ascii()).map_or(0, |at| at / BLOCK * BLOCK + BLOCK);
            assert_eq!(usize::try_from(found.wide_to), Ok(wide), "{how:?}");
        }
    }

    #[test]
    fn tokens_are_found_as_the_obvious_machine_finds_them() {
        for case in [
            &br#"{"a": "b", "c\"d": [1, true, null], "e\\": "\u0041"}"#[..],
            br#""ab"cd"#,
            b"\"line\nfeed\"",
            br#"\\"x"\"#,
            b"",
        ] {
            check(case);
        }
        check(&[b'\\'; 200]);
        check(&[b'"'; 200]);
    }

    proptest! {
        #[test]
        fn any_mix_of_telling_bytes_is_indexed_as_the_obvious_machine_does(
            bytes in prop::collection::vec(prop::sample::select(&b"\"\"\\\\{}[]:, \n\ta1\xc3\x0c\x01"[..]), 0..400)
        ) {
            check(&bytes);
        }
    }
}
