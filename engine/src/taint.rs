//! Known secrets of one state, kept as keyed fingerprints in at most 2 MiB, and the search for their copies.
//!
//! Must never keep the text of a secret: a fingerprint is SipHash-2-4 under a key that dies with the state, 64 bits of
//! the first eight bytes to find the place and 64 bits of the whole to be sure.

use std::fmt;
use std::hash::Hasher;

use siphasher::sip::SipHasher24;
use zeroize::Zeroize;

/// Shorter texts are ignored: they would be found everywhere.
const SHORTEST: usize = 8;
/// Bytes of all tables together.
const BUDGET_BYTES: usize = 2 * 1024 * 1024;
/// 2^18 bits: 32 KiB, one in four set when full.
const FILTER_WORDS: usize = 4096;
/// One fingerprint: head (32 bits), length (32 bits), whole (64 bits).
const ENTRY_BYTES: usize = 16;
/// Fits the budget with the filter, and with the half-empty state of a growing vector.
const ENTRIES_MAX: usize = (BUDGET_BYTES / 2 - FILTER_WORDS * 8) / ENTRY_BYTES;

/// There are more secrets than 2 MiB of fingerprints hold: the state goes to review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaintFull;

impl fmt::Display for TaintFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("more known secrets than two mebibytes of fingerprints hold; the state needs a review")
    }
}

impl std::error::Error for TaintFull {}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    head: u32,
    len: u32,
    whole: u64,
}

/// The known secrets of one state.
pub struct Taint {
    key: [u8; 16],
    multiplier: u64,
    filter: Vec<u64>,
    /// Sorted by head, longest first within a head, once searched.
    entries: Vec<Entry>,
}

impl Taint {
    /// None known yet. The key keeps an adversary from crafting collisions.
    #[must_use]
    pub fn new(key: [u8; 16]) -> Self {
        let mut hasher = SipHasher24::new_with_key(&key);
        hasher.write(b"terrasift/taint/window");
        Self { key, multiplier: hasher.finish() | 1, filter: Vec::new(), entries: Vec::new() }
    }

    /// Remembers a secret; texts below eight bytes and common words are ignored.
    ///
    /// # Errors
    /// The fingerprints would need more than 2 MiB.
    pub fn learn(&mut self, text: &str) -> Result<(), TaintFull> {
        let text = text.trim();
        let bytes = text.as_bytes();
        if bytes.len() < SHORTEST || common(text) {
            return Ok(());
        }
        let Ok(len) = u32::try_from(bytes.len()) else { return Ok(()) };
        let mixed = self.mix(window(bytes, 0));
        let entry = Entry { head: head(mixed), len: u32::MAX - len, whole: self.whole(bytes) };
        let Err(place) = self.entries.binary_search(&entry) else { return Ok(()) };
        if self.entries.len() >= ENTRIES_MAX {
            return Err(TaintFull);
        }
        if self.filter.is_empty() {
            self.filter = vec![0; FILTER_WORDS];
        }
        self.filter[slot(mixed)] |= bit(mixed);
        self.entries.insert(place, entry);
        Ok(())
    }

    /// Nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Every occurrence of a known secret, also inside longer text: sorted, disjoint; of two that begin at the same
    /// byte the longer one. `found` is cleared first.
    pub fn find(&self, text: &str, found: &mut Vec<(usize, usize)>) {
        found.clear();
        let bytes = text.as_bytes();
        if self.entries.is_empty() || bytes.len() < SHORTEST {
            return;
        }
        for at in 0..=bytes.len() - SHORTEST {
            let mixed = self.mix(window(bytes, at));
            if self.filter[slot(mixed)] & bit(mixed) == 0 {
                continue;
            }
            if let Some(end) = self.confirm(bytes, at, head(mixed)) {
                match found.last_mut() {
                    // Overlapping copies make one span: each of them is a secret.
                    Some(last) if at < last.1 => last.1 = last.1.max(end),
                    _ => found.push((at, end)),
                }
            }
        }
    }

    #[inline]
    fn mix(&self, window: u64) -> u64 {
        let x = window.wrapping_mul(self.multiplier);
        (x ^ x >> 32).wrapping_mul(self.multiplier)
    }

    fn whole(&self, bytes: &[u8]) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        hasher.write(bytes);
        hasher.finish()
    }

    fn confirm(&self, bytes: &[u8], at: usize, head: u32) -> Option<usize> {
        let first = self.entries.partition_point(|entry| entry.head < head);
        self.entries[first..].iter().take_while(|entry| entry.head == head).find_map(|entry| {
            let len = usize::try_from(u32::MAX - entry.len).ok()?;
            let end = at.checked_add(len).filter(|end| *end <= bytes.len())?;
            (self.whole(&bytes[at..end]) == entry.whole).then_some(end)
        })
    }
}

impl Drop for Taint {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

#[inline]
fn window(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0; SHORTEST];
    eight.copy_from_slice(&bytes[at..at + SHORTEST]);
    u64::from_le_bytes(eight)
}

#[inline]
#[expect(clippy::as_conversions, reason = "hot path: the high 32 bits are what is wanted")]
fn head(mixed: u64) -> u32 {
    (mixed >> 32) as u32
}

#[inline]
#[expect(clippy::as_conversions, reason = "hot path: 12 bits fit usize")]
fn slot(mixed: u64) -> usize {
    (mixed >> 52) as usize
}

#[inline]
fn bit(mixed: u64) -> u64 {
    1 << (mixed >> 46 & 63)
}

/// Values that stand in every state and tell nobody anything: redacting their copies would wreck the catalog.
fn common(text: &str) -> bool {
    let word = text.len() <= 12 && text.bytes().all(|b| b.is_ascii_lowercase());
    let heads = ["[REDACTED", "[HASHED", "arn:", "http://localhost", "https://localhost"];
    let known = [
        "administrator",
        "postgresql",
        "production",
        "development",
        "terraform-provider",
        "localhost:5432",
        "127.0.0.1",
        "password123",
        "0.0.0.0/0",
        "us-east-1",
        "us-west-2",
        "eu-west-1",
        "eu-central-1",
        "application/json",
        "text/plain",
        "Terraform",
        "configuration",
        "authentication",
        "aws:SecureTransport",
        "SecureString",
        "kubernetes.io/tls",
    ];
    let areas = ["us-", "eu-", "ap-", "sa-", "ca-", "me-", "af-", "il-"];
    let ways =
        ["east", "west", "north", "south", "central", "northeast", "northwest", "southeast", "southwest"];
    let region = areas.iter().any(|area| text.starts_with(area))
        && text
            .split('-')
            .nth(1)
            .is_some_and(|way| ways.contains(&way.trim_end_matches(|c: char| c.is_ascii_digit())))
        && text.len() <= 16;
    let same = text.bytes().all(|b| b == text.as_bytes()[0]);
    word || region
        || same
        || heads.iter().any(|head| text.starts_with(head))
        || known.iter().any(|k| k.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn find(secrets: &[&str], text: &str) -> Vec<String> {
        let mut taint = Taint::new([7; 16]);
        for secret in secrets {
            taint.learn(secret).unwrap();
        }
        let mut found = Vec::new();
        taint.find(text, &mut found);
        found.iter().map(|&(from, to)| text[from..to].to_owned()).collect()
    }

    #[test]
    fn copies_are_found_also_inside_longer_text() {
        for (secrets, text, expected) in [
            (
                &["hunter2-hunter2"][..],
                "x=hunter2-hunter2;hunter2-hunter2",
                &["hunter2-hunter2", "hunter2-hunter2"][..],
            ),
            (&["abcdefg1"], "abcdefg1", &["abcdefg1"]),
            (&["short"], "short short", &[]),
            (&["postgres"], "engine postgres", &[]),
            (&["terraform", "administrator", "us-east-1"], "administrator of terraform in us-east-1", &[]),
            (
                &["secret-one", "secret-one-long"],
                "a secret-one-long b secret-one c",
                &["secret-one-long", "secret-one"],
            ),
            (&["12345678ab", "78abcdefgh"], "12345678abcdefgh", &["12345678abcdefgh"]),
            (&["geheim-ß-ü-wort"], "ü geheim-ß-ü-wort ü", &["geheim-ß-ü-wort"]),
            (&["  padded-secret\n"], "padded-secret", &["padded-secret"]),
        ] {
            assert_eq!(find(secrets, text), expected, "{text}");
        }
    }

    #[test]
    fn overflow_is_told_and_the_budget_holds() {
        let mut taint = Taint::new([1; 16]);
        let full = (0..ENTRIES_MAX + 1).try_for_each(|n| taint.learn(&format!("secret-{n:08}")));
        assert_eq!(full, Err(TaintFull));
        assert!(taint.entries.capacity() * size_of::<Entry>() + taint.filter.len() * 8 <= BUDGET_BYTES);
        assert_eq!(taint.learn("secret-00000001"), Ok(()));
    }

    proptest! {
        #[test]
        fn every_planted_secret_is_found(secret in "[!-~]{8,40}", before in "\\PC{0,40}", after in "\\PC{0,40}") {
            let mut taint = Taint::new([9; 16]);
            taint.learn(&secret).unwrap();
            prop_assume!(!taint.is_empty());
            let text = format!("{before}{secret}{after}");
            let mut found = Vec::new();
            taint.find(&text, &mut found);
            prop_assert!(found.iter().any(|(from, to)| *from <= before.len() && *to >= before.len() + secret.len()));
            prop_assert!(found.windows(2).all(|w| w[0].1 <= w[1].0));
        }
    }
}
