//! What kinds of bytes a value is made of, 64 at a time, as bit masks: bit *i* for byte *i*.
//!
//! Owns architecture-specific code ([`avx2`], [`avx512`]), and its scalar twin, which is its oracle in tests and its stand-in
//! on other processors. Must never decide anything: `gate.rs` reads the masks.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod buckets;

pub(super) use buckets::{Buckets, Window};

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
    /// `= : > | " '`, space, tab and line feed: what stands between a name and its value.
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

/// Sets that are looked for together: what they have in common is done once.
pub(super) type Sets = [Buckets; 6];

/// Which of them.
pub(super) type Wanted = [bool; 6];

/// How blocks are looked at on this processor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Eye {
    /// Byte by byte.
    Scalar,
    /// 32 bytes an instruction; only ever made after the processor said that it has AVX2 and what came with it (Intel's
    /// Haswell, AMD's Excavator: BMI1, BMI2, LZCNT, POPCNT).
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 64 bytes an instruction; only ever made after the processor said that it has AVX-512 F, BW and VBMI as well (Intel's
    /// Ice Lake, AMD's Zen 4).
    #[cfg(target_arch = "x86_64")]
    Avx512,
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
            let wide = std::arch::is_x86_feature_detected!("avx512f")
                && std::arch::is_x86_feature_detected!("avx512bw")
                && std::arch::is_x86_feature_detected!("avx512vbmi");
            return if wide { Self::Avx512 } else { Self::Avx2 };
        }
        Self::Scalar
    }

    /// All that this processor has.
    #[cfg(test)]
    fn all() -> Vec<Self> {
        let mut all = vec![Self::Scalar];
        #[cfg(target_arch = "x86_64")]
        match Self::detect() {
            Self::Scalar => {}
            Self::Avx2 => all.push(Self::Avx2),
            Self::Avx512 => all.extend([Self::Avx2, Self::Avx512]),
        }
        all
    }

    /// The masks of a text's next block, of which `left` bytes (at most a block) are looked at.
    #[inline(always)]
    pub(super) fn masks(self, seen: &Seen, left: usize) -> Masks {
        match self {
            Self::Scalar => scalar(&seen[..left.min(BLOCK)]),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the processor has AVX2 (see `Avx2`).
            Self::Avx2 => unsafe { avx2::masks(seen, left) }.within(left),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the processor has what is enabled there (see `Avx512`).
            Self::Avx512 => unsafe { avx512::masks(seen, left) },
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
            Self::Avx2 => unsafe { avx2::windows(sets, wanted, seen, left) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Self::Avx512 => unsafe { avx512::windows(sets, wanted, seen) },
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
        set(
            &mut masks.assigns,
            matches!(byte, b'=' | b':' | b'>' | b'|' | b'"' | b'\'' | b' ' | b'\t' | b'\n'),
        );
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn windows() -> [Vec<Window>; 6] {
        [
            vec![(*b"ghp", Some(b'_')), (*b"eyj", None), (*b"10.", None)],
            vec![(*b"pas", Some(b's')), (*b"://", None)],
            Vec::new(),
            vec![(*b"abc", None)],
            vec![(*b"xox", Some(b'b'))],
            vec![(*b"sk-", None), (*b"hv.", None)],
        ]
    }

    /// Looks as the twin does.
    fn by_nibbles(eye: Eye) -> bool {
        match eye {
            Eye::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Eye::Avx2 => true,
            #[cfg(target_arch = "x86_64")]
            Eye::Avx512 => false,
        }
    }

    /// The places at which a window of the wanted sets stands, by comparing.
    fn standing(wanted: Wanted, seen: &Seen, left: usize) -> u64 {
        let stands = |at: usize, (three, fourth): &Window| {
            let folded = |place: usize| seen[at + place] | 0x20;
            [folded(0), folded(1), folded(2)] == *three && fourth.is_none_or(|byte| folded(3) == byte)
        };
        let any = |at: usize| {
            windows().iter().zip(wanted).any(|(set, wanted)| wanted && set.iter().any(|w| stands(at, w)))
        };
        (0..BLOCK.min(left.saturating_sub(2))).filter(|at| any(*at)).fold(0, |found, at| found | 1 << at)
    }

    fn check(text: &[u8]) {
        let sets = windows().map(Buckets::of);
        let mut around = text.to_vec();
        around.extend_from_slice(b"ghp_ey:@%=ABC123");
        around.resize(text.len() + 80, b'p');
        for from in (0..text.len()).step_by(BLOCK) {
            let left = text.len() - from;
            for around in [text, &around] {
                let mut copy = [0; BLOCK + BEHIND];
                let seen = seen(around, from, text.len(), &mut copy);
                let expected = scalar(&text[from..][..left.min(BLOCK)]);
                for eye in Eye::all() {
                    assert_eq!(eye.masks(seen, left), expected, "{eye:?}, {from} of {}", text.len());
                    for wanted in [
                        [true; 6],
                        [true, false, false, false, false, false],
                        [false, true, false, true, false, true],
                    ] {
                        let must = standing(wanted, seen, left);
                        let found = eye.windows(&sets, wanted, seen, left);
                        assert_eq!(found & must, must, "{eye:?} misses one, {from}");
                        let may = Eye::Scalar.windows(&sets, wanted, seen, left);
                        // By whole bytes fewer are let through, except beyond ASCII, where seven bits are looked at.
                        assert_eq!(found & may, if seen.is_ascii() { found } else { found & may });
                        assert!(found == may || !by_nibbles(eye), "{eye:?} is not its twin, {from}");
                    }
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
