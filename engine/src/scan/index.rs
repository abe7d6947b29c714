//! Turns blocks into the positions of tokens.
//!
//! A token is one byte that the grammar has to look at: every quote that is not escaped, `{}[]:,` outside of strings,
//! the first byte of anything else outside of strings, and inside strings each backslash that begins an escape and
//! each control character (which the grammar refuses). So a clean string is two neighbouring quotes, and what stands
//! between tokens outside of strings is white space. Must never look back at bytes: all context is in the carries.

use super::block::{BLOCK, Classifier, Masks, classify_scalar};

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
pub(super) fn index(
    how: Classifier,
    bytes: &[u8],
    base: u32,
    carry: &mut Carry,
    out: &mut Vec<u32>,
) -> usize {
    match how {
        Classifier::Scalar => index_with(classify_scalar, bytes, base, carry, out),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `Classifier::Avx2` is made only after the processor said that it has AVX2.
        Classifier::Avx2 => unsafe { index_avx2(bytes, base, carry, out) },
    }
}

/// # Safety
/// The processor has AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1")]
unsafe fn index_avx2(bytes: &[u8], base: u32, carry: &mut Carry, out: &mut Vec<u32>) -> usize {
    // SAFETY: passed on.
    index_with(|block| unsafe { super::block::classify_avx2(block) }, bytes, base, carry, out)
}

#[inline(always)]
fn index_with(
    classify: impl Fn(&[u8; BLOCK]) -> Masks,
    bytes: &[u8],
    base: u32,
    carry: &mut Carry,
    out: &mut Vec<u32>,
) -> usize {
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let mut position = base;
    for block in blocks {
        let tokens = tokens(&classify(block), carry);
        flatten(tokens, position, out);
        position += 64;
    }
    blocks.len() * BLOCK
}

#[inline(always)]
fn tokens(masks: &Masks, carry: &mut Carry) -> u64 {
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
            let (mut carry, mut found) = (Carry::default(), Vec::new());
            // In two pushes, so that the carries are used.
            let cut = padded.len() / BLOCK / 2 * BLOCK;
            index(how, &padded[..cut], 0, &mut carry, &mut found);
            index(how, &padded[cut..], u32::try_from(cut).expect("small"), &mut carry, &mut found);
            assert_eq!(found, wanted, "{how:?}");
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
