//! Owns the generator's randomness: the same numbers for the same seed on every machine and release.
//! It must never read a clock or the operating system's entropy.

use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

pub(crate) const HEX: &[u8] = b"0123456789abcdef";
pub(crate) const DIGITS: &[u8] = b"0123456789";
pub(crate) const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
pub(crate) const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
pub(crate) const UPPER_DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
pub(crate) const LOWER_DIGITS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
/// RFC 4648 base32, the alphabet of AWS access key ids.
pub(crate) const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
pub(crate) const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
pub(crate) const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
pub(crate) const BASE64_URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A stream of choices bound to one purpose: (seed, domain, index, revision).
pub(crate) struct Dice {
    rng: ChaCha8Rng,
}

impl Dice {
    pub(crate) fn new(seed: u64, domain: u64, index: u64, revision: u64) -> Self {
        let mut key = [0_u8; 32];
        for (slot, part) in key.chunks_exact_mut(8).zip([seed, domain, index, revision]) {
            slot.copy_from_slice(&part.to_le_bytes());
        }
        Self { rng: ChaCha8Rng::from_seed(key) }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// A number in `0..bound`; 0 when the bound is 0. The bias of the multiplication is below 2⁻³².
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let wide = (u64::from(self.rng.next_u32()) * u64::from(bound)) >> 32;
        u32::try_from(wide).unwrap_or(0)
    }

    /// A number in `low..=high`.
    pub(crate) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    pub(crate) fn one_in(&mut self, bound: u32) -> bool {
        self.below(bound) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        let bound = u32::try_from(choices.len()).unwrap_or(u32::MAX);
        let index = usize::try_from(self.below(bound)).unwrap_or(0);
        &choices[index]
    }

    /// Appends `count` characters of an ASCII alphabet of at most 256 characters.
    pub(crate) fn fill(&mut self, out: &mut Vec<u8>, alphabet: &[u8], count: usize) {
        let size = u16::try_from(alphabet.len()).unwrap_or(256);
        let mut left = count;
        while left > 0 {
            let bytes = self.rng.next_u64().to_le_bytes();
            for byte in bytes.iter().take(left) {
                out.push(alphabet[usize::from((u16::from(*byte) * size) >> 8)]);
            }
            left = left.saturating_sub(8);
        }
    }

    /// As [`Dice::fill`], into a new string.
    pub(crate) fn text(&mut self, alphabet: &[u8], count: usize) -> String {
        let mut out = Vec::with_capacity(count);
        self.fill(&mut out, alphabet, count);
        // INVARIANT: every alphabet here is ASCII.
        String::from_utf8(out).expect("alphabets are ASCII")
    }

    /// A version 4 UUID in lower case.
    pub(crate) fn uuid(&mut self) -> [u8; 36] {
        let mut out = [b'-'; 36];
        let mut bits = (u128::from(self.next()) << 64) | u128::from(self.next());
        bits = (bits & !(0xf << 76)) | (0x4 << 76);
        bits = (bits & !(0x3 << 62)) | (0x2 << 62);
        let mut nibble = 32_u32;
        for (at, slot) in out.iter_mut().enumerate() {
            if matches!(at, 8 | 13 | 18 | 23) {
                continue;
            }
            nibble -= 1;
            let value = (bits >> (nibble * 4)) & 0xf;
            *slot = HEX[usize::try_from(value).unwrap_or(0)];
        }
        out
    }
}

/// A cheap, stable mix of three numbers (splitmix64's finaliser, Steele et al. 2014), for yes/no decisions.
pub(crate) fn mix(a: u64, b: u64, c: u64) -> u64 {
    let mut z = a
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(b.wrapping_mul(0xd1b5_4a32_d192_ed03))
        .wrapping_add(c.wrapping_mul(0x8cb9_2ba7_2f3d_8dd7));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_coordinates_give_equal_streams_and_others_differ() {
        let draw = |mut dice: Dice| (0..8).map(|_| dice.next()).collect::<Vec<_>>();
        assert_eq!(draw(Dice::new(1, 2, 3, 4)), draw(Dice::new(1, 2, 3, 4)));
        for other in [(2, 2, 3, 4), (1, 3, 3, 4), (1, 2, 4, 4), (1, 2, 3, 5)] {
            assert_ne!(draw(Dice::new(1, 2, 3, 4)), draw(Dice::new(other.0, other.1, other.2, other.3)));
        }
    }

    #[test]
    fn uuids_carry_version_and_variant() {
        let mut dice = Dice::new(7, 0, 0, 0);
        for _ in 0..100 {
            let uuid = dice.uuid();
            assert_eq!(uuid[14], b'4');
            assert!(b"89ab".contains(&uuid[19]));
        }
    }
}
