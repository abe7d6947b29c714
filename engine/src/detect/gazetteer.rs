//! Names of people, plain words and words of addresses: what is known of one word, by a fingerprint of it.
//!
//! Owns the lists and their table, built once a core. Must never decide: `names.rs` and `postal.rs` weigh what it says. A
//! fingerprint has 40 bits, so that one word in millions is taken for another.

const GIVEN_NAMES: &str = include_str!("gazetteer/given.txt");
const FAMILY_NAMES: &str = include_str!("gazetteer/family.txt");
const PLAIN_WORDS: &str = include_str!("gazetteer/words.txt");
const OTHER_NAMES: &str = include_str!("gazetteer/other.txt");

/// What a word is known as. Several may hold.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Known(u8);

impl Known {
    pub(super) const GIVEN: Self = Self(1);
    pub(super) const FAMILY: Self = Self(2);
    /// A plain word, or the name of a thing or place.
    pub(super) const PLAIN: Self = Self(4);

    pub(super) fn is(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Slots, a power of two: less than half of them are used.
const SLOTS: usize = 1 << 16;

/// The words of all lists.
pub(super) struct Gazetteer {
    /// A fingerprint of 24 bits and what is known; zero: free.
    slots: Box<[u32]>,
}

/// Longer words are in no list.
const WORD_MAX: usize = 24;

impl Gazetteer {
    pub(super) fn build() -> Self {
        let mut made = Self { slots: vec![0; SLOTS].into_boxed_slice() };
        let lists = [
            (GIVEN_NAMES, Known::GIVEN),
            (FAMILY_NAMES, Known::FAMILY),
            (PLAIN_WORDS, Known::PLAIN),
            (OTHER_NAMES, Known::PLAIN),
        ];
        for (list, known) in lists {
            for word in list.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace) {
                // A question mark: it is a plain word as well.
                let (word, known) = match word.strip_suffix('?') {
                    Some(word) => (word, Known(known.0 | Known::PLAIN.0)),
                    None => (word, known),
                };
                made.add(word, known);
            }
        }
        made
    }

    fn add(&mut self, word: &str, known: Known) {
        let (mut slot, tag) = place(word.as_bytes());
        while self.slots[slot] != 0 && self.slots[slot] >> 8 != tag {
            slot = (slot + 1) & (SLOTS - 1);
        }
        self.slots[slot] |= tag << 8 | u32::from(known.0);
    }

    /// What is known of a word, in any case of letters, with or without its accents.
    pub(super) fn known(&self, word: &str) -> Known {
        let mut folded = [0u8; WORD_MAX];
        let Some(len) = fold(word, &mut folded) else { return Known::default() };
        let known = self.folded(&folded[..len]);
        // No plain word of the lists is written with letters of Vietnamese: `Văn` is no van.
        if word.chars().any(vietnamese) { Known(known.0 & !Known::PLAIN.0 | Known::FAMILY.0) } else { known }
    }

    fn folded(&self, word: &[u8]) -> Known {
        let (mut slot, tag) = place(word);
        while self.slots[slot] != 0 {
            if self.slots[slot] >> 8 == tag {
                return Known(u8::try_from(self.slots[slot] & 0xff).unwrap_or(0));
            }
            slot = (slot + 1) & (SLOTS - 1);
        }
        Known::default()
    }

    /// A plain word, or an inflected one.
    pub(super) fn plain(&self, word: &str) -> bool {
        let mut folded = [0u8; WORD_MAX];
        let Some(len) = fold(word, &mut folded) else { return false };
        if word.chars().any(vietnamese) {
            return false;
        }
        let word = &folded[..len];
        let stems = [&b"s"[..], b"es", b"ed", b"ing"];
        self.folded(word).is(Known::PLAIN)
            || stems.iter().any(|end| {
                word.strip_suffix(*end)
                    .is_some_and(|stem| stem.len() >= 4 && self.folded(stem).is(Known::PLAIN))
            })
    }
}

/// A letter that only Vietnamese has.
fn vietnamese(c: char) -> bool {
    matches!(c, 'ơ' | 'Ơ' | 'ư' | 'Ư' | '\u{1ea0}'..='\u{1ef9}')
}

/// The slot to begin at, and the tag, which is never zero (FNV-1a).
fn place(word: &[u8]) -> (usize, u32) {
    let hash =
        word.iter().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3));
    let slot = usize::try_from(hash >> 40 & 0xffff).unwrap_or(0);
    (slot, u32::try_from(hash & 0x00ff_ffff).unwrap_or(1).max(1))
}

/// Lower case, accents and apostrophes dropped, letters of Latin scripts only. `None`: too long, or of another script.
fn fold(word: &str, out: &mut [u8; WORD_MAX]) -> Option<usize> {
    let mut len = 0;
    for c in word.chars() {
        let plain: &[u8] = match c {
            'a'..='z' | 'A'..='Z' => &[c.to_ascii_lowercase().try_into().ok()?],
            '\'' | '\u{2019}' | '.' => &[],
            _ => bare(c)?,
        };
        out.get_mut(len..len + plain.len())?.copy_from_slice(plain);
        len += plain.len();
    }
    Some(len)
}

/// A letter of Latin-1 or Latin Extended-A without its accent.
fn bare(c: char) -> Option<&'static [u8]> {
    Some(match c.to_lowercase().next()? {
        'à'..='å' | 'ā' | 'ă' | 'ą' | '\u{1ea1}'..='\u{1eb7}' => b"a",
        'æ' => b"ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => b"c",
        'ð' | 'ď' | 'đ' => b"d",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' | '\u{1eb8}'..='\u{1ec7}' => b"e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => b"g",
        'ĥ' | 'ħ' => b"h",
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' | '\u{1ec8}'..='\u{1ecb}' => b"i",
        'ĵ' => b"j",
        'ķ' => b"k",
        'ĺ' | 'ļ' | 'ľ' | 'ł' => b"l",
        'ñ' | 'ń' | 'ņ' | 'ň' => b"n",
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' | 'ơ' | '\u{1ecc}'..='\u{1ee3}' => b"o",
        'œ' => b"oe",
        'ŕ' | 'ŗ' | 'ř' => b"r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => b"s",
        'ß' => b"ss",
        'ţ' | 'ť' | 'ț' => b"t",
        'þ' => b"th",
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' | 'ư' | '\u{1ee4}'..='\u{1ef1}' => b"u",
        'ŵ' => b"w",
        'ý' | 'ÿ' | 'ŷ' | '\u{1ef2}'..='\u{1ef9}' => b"y",
        'ź' | 'ż' | 'ž' => b"z",
        // The dot that lower case splits from a capital with one.
        '\u{307}' => b"",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_known_without_their_accents_and_nothing_else_is() {
        let gazetteer = Gazetteer::build();
        for (word, given, family, plain) in [
            ("Maria", true, false, false),
            ("JÜRGEN", true, false, false),
            ("O'Brien", false, true, false),
            ("Łukasz", true, false, false),
            ("Dvořák", false, true, false),
            ("Groß", false, true, true),
            ("Mark", true, false, true),
            ("Kubernetes", false, false, true),
            ("deployment", false, false, true),
            ("Qzxvkj", false, false, false),
            ("Ольга", false, false, false),
        ] {
            let known = gazetteer.known(word);
            let seen = (known.is(Known::GIVEN), known.is(Known::FAMILY), known.is(Known::PLAIN));
            assert_eq!(seen, (given, family, plain), "{word}");
        }
        assert!(gazetteer.plain("Deployments") && !gazetteer.plain("Zuckerberg"));
    }

    #[test]
    fn no_two_words_of_the_lists_share_a_fingerprint() {
        let mut words: Vec<&str> = [GIVEN_NAMES, FAMILY_NAMES, PLAIN_WORDS, OTHER_NAMES]
            .iter()
            .flat_map(|list| list.lines().filter(|line| !line.starts_with('#')))
            .flat_map(str::split_whitespace)
            .map(|word| word.trim_end_matches('?'))
            .collect();
        words.sort_unstable();
        words.dedup();
        let used = Gazetteer::build().slots.iter().filter(|slot| **slot != 0).count();
        assert_eq!(used, words.len());
        assert!(used < SLOTS / 2);
    }
}
