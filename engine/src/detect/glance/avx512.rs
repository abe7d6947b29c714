//! 64 bytes an instruction; classes of bytes and windows by tables of 128 (`VPERMI2B`).
//!
//! Must only be called where the processor has what is enabled.

use std::arch::x86_64::{
    __m512i, _mm512_and_si512, _mm512_loadu_si512, _mm512_maskz_permutex2var_epi8, _mm512_movepi8_mask,
    _mm512_or_si512, _mm512_permutex2var_epi8, _mm512_set1_epi8, _mm512_test_epi8_mask,
};

use super::{Masks, Seen, Sets, Wanted, first};

/// A set of classes for each byte of ASCII.
type Table = [u8; 128];

/// A class, as ranges of bytes, both ends included.
type Class = &'static [(u8, u8)];

const UPPER: Class = &[(b'A', b'Z')];
const LOWER: Class = &[(b'a', b'z')];
const DIGIT: Class = &[(b'0', b'9')];
const HEX: Class = &[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')];
const JOINT: Class = &[(b'-', b'-'), (b'_', b'_'), (b'/', b'/'), (b'=', b'=')];
const PLUS: Class = &[(b'+', b'+')];
const ASSIGNS: Class = &[
    (b'=', b'='),
    (b':', b':'),
    (b'>', b'>'),
    (b'|', b'|'),
    (b'"', b'"'),
    (b'\'', b'\''),
    (b' ', b' '),
    (b'\t', b'\n'),
];
const COAT: Class = &[(b'@', b'@'), (b'%', b'%'), (b'\\', b'\\')];
const RARE: Class = &[(b'.', b'.'), (b'~', b'~'), (b'$', b'$'), (b'%', b'%'), (b',', b',')];
const SPACE: Class = &[(b' ', b' ')];
const OPENS: Class = &[(b' ', b' '), (b'\t', b'\n'), (b'=', b'='), (b':', b':')];

const FIRST: Table = table([UPPER, LOWER, DIGIT, HEX, JOINT, PLUS, ASSIGNS, COAT]);
const SECOND: Table = table([RARE, SPACE, OPENS, &[], &[], &[], &[], &[]]);

/// Bit *n* of an entry: the byte is in class *n*.
#[expect(clippy::as_conversions, reason = "constants are made of constants")]
const fn table(classes: [Class; 8]) -> Table {
    let mut table = [0; 128];
    let mut bit = 0;
    while bit < classes.len() {
        let mut range = 0;
        while range < classes[bit].len() {
            let (from, to) = classes[bit][range];
            let mut byte = from;
            while byte <= to {
                table[byte as usize] |= 1 << bit;
                byte += 1;
            }
            range += 1;
        }
        bit += 1;
    }
    table
}

/// Both halves of a table.
#[inline(always)]
fn halves(table: &Table) -> (__m512i, __m512i) {
    // SAFETY: a table has 128 bytes; whoever calls has the instructions.
    unsafe { (_mm512_loadu_si512(table.as_ptr().cast()), _mm512_loadu_si512(table.as_ptr().add(64).cast())) }
}

/// The masks of a block, clear beyond `left` bytes.
///
/// # Safety
/// The processor has AVX-512 F, BW and VBMI.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
#[inline]
#[expect(clippy::as_conversions, reason = "a bit of eight")]
pub(super) unsafe fn masks(seen: &Seen, left: usize) -> Masks {
    // SAFETY: a block can be read.
    let bytes = unsafe { _mm512_loadu_si512(seen.as_ptr().cast()) };
    let (valid, wide) = (first(left), _mm512_movepi8_mask(bytes));
    let ascii = valid & !wide;
    let classes = |table: &Table| {
        let (low, high) = halves(table);
        _mm512_maskz_permutex2var_epi8(ascii, low, bytes, high)
    };
    let (one, two) = (classes(&FIRST), classes(&SECOND));
    let has =
        |classes: __m512i, bit: u32| _mm512_test_epi8_mask(classes, _mm512_set1_epi8((1u8 << bit) as i8));
    Masks {
        upper: has(one, 0),
        lower: has(one, 1),
        digit: has(one, 2),
        hex: has(one, 3),
        joint: has(one, 4),
        plus: has(one, 5),
        assigns: has(one, 6),
        coat: has(one, 7),
        rare: has(two, 0),
        space: has(two, 1),
        opens: has(two, 2),
        beyond: wide & valid,
    }
}

/// Where a window of one of the wanted sets may begin.
///
/// # Safety
/// The processor has AVX-512 F, BW and VBMI.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
#[inline]
pub(super) unsafe fn windows(sets: &Sets, wanted: Wanted, seen: &Seen) -> u64 {
    let folded = |place: usize| {
        // SAFETY: 67 bytes can be read.
        let bytes = unsafe { _mm512_loadu_si512(seen.as_ptr().add(place).cast()) };
        _mm512_or_si512(bytes, _mm512_set1_epi8(0x20))
    };
    let folded = [folded(0), folded(1), folded(2), folded(3)];
    let mut found = 0;
    for (set, wanted) in sets.iter().zip(wanted) {
        if !wanted {
            continue;
        }
        let of = |place: usize| {
            let (low, high) = halves(&set.whole[place]);
            _mm512_permutex2var_epi8(low, folded[place], high)
        };
        let (head, tail) = (_mm512_and_si512(of(0), of(1)), _mm512_and_si512(of(2), of(3)));
        found |= _mm512_test_epi8_mask(head, tail);
    }
    found
}
