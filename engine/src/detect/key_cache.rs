//! Verdicts on names that were asked for lately: documents inside of values repeat their keys.
//!
//! Holds names, which can be secrets, so it is wiped on drop and has no Debug. Must never answer for one name with the
//! verdict on another: the whole name is compared.

use zeroize::Zeroize;

use super::{KeyVerdict, keys};

/// Slots, powers of two; a name has one. At first, and once that many names had to be decided.
const SLOTS_MIN: usize = 64;
const SLOTS_MAX: usize = 1024;
/// Longer names are rare, and decided each time. Bytes.
const NAME_BYTES_MAX: usize = 47;

#[derive(Clone, Copy)]
struct Slot {
    len: u8,
    name: [u8; NAME_BYTES_MAX],
    verdict: KeyVerdict,
}

/// The cache of one worker. Takes its memory with the first name.
#[derive(Default)]
pub(super) struct KeyCache {
    slots: Vec<Slot>,
    /// Names that had to be decided.
    decided: usize,
}

impl KeyCache {
    /// What the built-in rules say of a name.
    pub(super) fn classify(&mut self, name: &str) -> KeyVerdict {
        let bytes = name.as_bytes();
        let len = match u8::try_from(bytes.len()) {
            Ok(len @ 1..) if bytes.len() <= NAME_BYTES_MAX => len,
            _ => return keys::classify(name),
        };
        if self.decided >= self.slots.len() && self.slots.len() < SLOTS_MAX {
            self.grow();
        }
        let slot = place(bytes) & (self.slots.len() - 1);
        let slot = &mut self.slots[slot];
        if slot.len != len || slot.name[..bytes.len()] != *bytes {
            slot.len = len;
            slot.name[..bytes.len()].copy_from_slice(bytes);
            slot.verdict = keys::classify(name);
            self.decided += 1;
        }
        slot.verdict
    }

    /// The first room, or the whole of it; what was known is forgotten.
    fn grow(&mut self) {
        self.wipe();
        let slots = if self.slots.is_empty() { SLOTS_MIN } else { SLOTS_MAX };
        let free = Slot { len: 0, name: [0; NAME_BYTES_MAX], verdict: KeyVerdict::Plain };
        self.slots = vec![free; slots];
    }

    fn wipe(&mut self) {
        self.slots.iter_mut().for_each(|slot| slot.name.zeroize());
    }
}

impl Drop for KeyCache {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// Both ends and the length tell most names apart; a collision costs a classification.
#[inline]
#[expect(clippy::as_conversions, reason = "hot path; the mask keeps it far below usize")]
fn place(name: &[u8]) -> usize {
    let word = |eight: Option<&[u8; 8]>| eight.map(|eight| u64::from_le_bytes(*eight));
    let ends = match (word(name.first_chunk()), word(name.last_chunk())) {
        (Some(first), Some(last)) => first ^ last.rotate_left(29),
        _ => name.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)),
    };
    let mixed = (ends ^ u64::try_from(name.len()).unwrap_or(0)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 40) as usize & (SLOTS_MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_is_that_of_the_name_and_of_no_other() {
        let mut cache = KeyCache::default();
        for round in 0..3 {
            for number in 0..2_000 {
                for name in ["password", "name", "key_arn", "DB_PASSWORD", "", "é", "token"] {
                    let name = format!(
                        "{name}{}",
                        if round == number % 3 { String::new() } else { format!("_x{number}") }
                    );
                    assert_eq!(cache.classify(&name), keys::classify(&name), "{name}");
                }
            }
        }
        let long = "a".repeat(60) + "_password";
        assert_eq!(cache.classify(&long), keys::classify(&long));
    }
}
