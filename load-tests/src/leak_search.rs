//! Owns the search for planted secrets in bytes that left the engine: each in every form in which it could hide. It must never
//! repeat a secret: a leak is told by its family and place.

use crate::generator::Canary;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Every needle is found by its first bytes: this many, the length of the shortest canaries (`10.0.0.1`).
const WINDOW_BYTES: usize = 6;
/// Bits of the filter in front of the table of needles: small enough for the second-level cache.
const FILTER_BITS: u32 = 20;
/// A shorter canary counts only between characters that cannot continue it: `10.1.2.3` is no part of `110.1.2.34`.
const BOUNDED_BELOW_BYTES: usize = 24;
/// Shortest canary that is searched in base64, too: shorter ones hit by chance.
const BASE64_FROM_BYTES: usize = 12;

/// A planted secret that was found where it must not be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    /// Index of the canary.
    pub canary: usize,
    /// Family of the canary.
    pub family: &'static str,
    /// Where it was planted.
    pub planted: &'static str,
    /// Where it was found.
    pub found: String,
    /// How often, there.
    pub times: usize,
}

impl std::fmt::Display for Leak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { family, planted, found, times, .. } = self;
        let often = if *times == 1 { String::new() } else { format!(" {times} times") };
        write!(f, "a planted {family} ({planted}) was found in {found}{often}")
    }
}

/// How many of the planted secrets were found, wherever and however often.
#[must_use]
pub fn distinct(leaks: &BTreeSet<Leak>) -> usize {
    leaks.iter().map(|leak| leak.canary).collect::<BTreeSet<_>>().len()
}

struct Needle {
    bytes: Vec<u8>,
    canary: usize,
    bounded: bool,
}

/// A search for many secrets at once.
pub struct LeakSearch {
    filter: Vec<u64>,
    needles: HashMap<u64, Vec<Needle>>,
    canaries: Vec<(&'static str, &'static str)>,
    /// How often a canary was found at a place.
    found: BTreeMap<(usize, String), usize>,
}

impl LeakSearch {
    /// A search for these canaries. One that is shorter than six bytes cannot be told from chance and is left out.
    #[must_use]
    pub fn new(canaries: &[Canary]) -> Self {
        let mut search = Self {
            filter: vec![0; 1 << (FILTER_BITS - 6)],
            needles: HashMap::new(),
            canaries: canaries.iter().map(|canary| (canary.family, canary.place)).collect(),
            found: BTreeMap::new(),
        };
        for (index, canary) in canaries.iter().enumerate() {
            for (bytes, bounded) in forms(&canary.text) {
                search.add(Needle { bytes, canary: index, bounded });
            }
        }
        search
    }

    fn add(&mut self, needle: Needle) {
        let Some(window) = window_at(&needle.bytes, 0) else { return };
        let (word, bit) = filter_place(window);
        self.filter[word] |= bit;
        let slot = self.needles.entry(window).or_default();
        if !slot.iter().any(|known| known.bytes == needle.bytes) {
            slot.push(needle);
        }
    }

    /// Looks through bytes that were found at `place`.
    pub fn look(&mut self, haystack: &[u8], place: &str) {
        for start in 0..haystack.len().saturating_sub(WINDOW_BYTES - 1) {
            let Some(window) = window_at(haystack, start) else { break };
            let (word, bit) = filter_place(window);
            if self.filter[word] & bit == 0 {
                continue;
            }
            for needle in self.needles.get(&window).into_iter().flatten() {
                if haystack[start..].starts_with(&needle.bytes)
                    && !(needle.bounded && is_continued(haystack, start, start + needle.bytes.len()))
                {
                    *self.found.entry((needle.canary, place.to_owned())).or_default() += 1;
                }
            }
        }
    }

    /// What was found: one a canary and place.
    #[must_use]
    pub fn leaks(self) -> BTreeSet<Leak> {
        let of = |((canary, found), times): ((usize, String), usize)| {
            let (family, planted) = self.canaries[canary];
            Leak { canary, family, planted, found, times }
        };
        self.found.into_iter().map(of).collect()
    }
}

fn window_at(bytes: &[u8], start: usize) -> Option<u64> {
    let mut window = [0; 8];
    window[..WINDOW_BYTES].copy_from_slice(bytes.get(start..start + WINDOW_BYTES)?);
    Some(u64::from_le_bytes(window))
}

/// Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4): the top bits of a product with 2^64 / φ.
fn filter_place(window: u64) -> (usize, u64) {
    let hash = window.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - FILTER_BITS);
    (usize::try_from(hash >> 6).unwrap_or(0), 1 << (hash & 63))
}

fn is_continued(haystack: &[u8], start: usize, end: usize) -> bool {
    let continues = |at: Option<&u8>| at.is_some_and(u8::is_ascii_alphanumeric);
    continues(start.checked_sub(1).and_then(|at| haystack.get(at))) || continues(haystack.get(end))
}

/// The text itself, as a JSON string, as a JSON string inside another (a database's dump doubles backslashes), in base64.
fn forms(text: &str) -> Vec<(Vec<u8>, bool)> {
    let bounded = text.len() < BOUNDED_BELOW_BYTES;
    let escaped = serde_json::Value::from(text).to_string();
    let escaped = escaped[1..escaped.len() - 1].to_owned();
    let doubled = escaped.replace('\\', "\\\\");
    let mut forms: Vec<_> =
        [text.to_owned(), escaped, doubled].map(|form| (form.into_bytes(), bounded)).to_vec();
    forms.dedup();
    if text.len() >= BASE64_FROM_BYTES {
        forms.extend(base64_forms(text.as_bytes()).map(|form| (form, false)));
    }
    forms
}

/// The three ways in which a text can stand inside base64, without the characters that its neighbours decide.
fn base64_forms(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..3)
        .map(|shift| {
            let mut padded = vec![b' '; shift];
            padded.extend_from_slice(text);
            let encoded = STANDARD_NO_PAD.encode(&padded).into_bytes();
            let skip = if shift == 0 { 0 } else { shift + 1 };
            let keep = padded.len() / 3 * 4;
            encoded[skip..keep.max(skip)].to_vec()
        })
        .filter(|form| form.len() >= BASE64_FROM_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    fn check(planted: &str, haystack: &[u8], found: bool) {
        let canary =
            Canary { text: planted.to_owned(), family: "test", category: "credential", place: "here" };
        let mut search = LeakSearch::new(&[canary]);
        search.look(haystack, "there");
        assert_eq!(!search.leaks().is_empty(), found, "in {:?}", String::from_utf8_lossy(haystack));
    }

    #[test]
    fn planted_leaks_are_found_in_every_form() {
        let secret = "line one\nline \"two\" of a key";
        let escaped = serde_json::Value::from(secret).to_string();
        check(secret, secret.as_bytes(), true);
        check(secret, format!("before{secret}after").as_bytes(), true);
        check(secret, escaped.as_bytes(), true);
        check(secret, escaped.replace('\\', "\\\\").as_bytes(), true);
        for before in ["", "x", "xy"] {
            check(secret, STANDARD.encode(format!("{before}{secret} and more")).as_bytes(), true);
        }
        check("10.1.2.3", b"host=10.1.2.3,", true);
        check("10.1.2.3", b"10.1.2.3", true);
        check("10.1.2.3", b"110.1.2.34", false);
        check(secret, b"nothing of the kind", false);
        check(secret, b"", false);
    }

    #[test]
    fn a_leak_is_told_by_place_and_number_and_not_by_its_value() {
        let secret = "toxic-and-written-three-times";
        let canary =
            Canary { text: secret.to_owned(), family: "token", category: "credential", place: "an output" };
        let mut search = LeakSearch::new(&[canary]);
        search.look(format!("{secret} and {secret}").as_bytes(), "here");
        search.look(b"nothing", "nowhere");
        search.look(secret.as_bytes(), "there");
        let leaks = search.leaks();
        let told: Vec<_> = leaks.iter().map(|leak| (leak.found.as_str(), leak.times)).collect();
        assert_eq!(told, [("here", 2), ("there", 1)]);
        assert_eq!(distinct(&leaks), 1);
        let sentences: String = leaks.iter().map(Leak::to_string).collect();
        assert!(sentences.contains("a planted token (an output) was found in here 2 times"), "{sentences}");
        assert!(!sentences.contains("toxic"), "{sentences}");
    }
}
