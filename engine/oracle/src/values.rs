//! One execution of the fuzzer over the rules alone: a text under a key, looked at in several ways.
//!
//! Must never depend on anything but its bytes and the rules.

use terrasift_engine::detect::{HashKey, Hit, KeyVerdict, RuleSet, Scratch};

use crate::case::Compiled;
use crate::compare::Difference;
use crate::sanitize::HASH_KEY;
use crate::snippets;
use crate::tape::Tape;

/// Keys, one for each kind of verdict.
const KEYS: [&str; 16] = [
    "note",
    "password",
    "token",
    "secret_arn",
    "connection_string",
    "version",
    "key",
    "owner_name",
    "phone",
    "card",
    "ssn",
    "iban",
    "nested",
    "owner",
    "host",
    "user_data",
];

/// Buffers of the two looks.
pub struct Looks {
    cheap: Scratch,
    thorough: Scratch,
}

impl Default for Looks {
    fn default() -> Self {
        Self { cheap: Scratch::default(), thorough: Scratch::thorough() }
    }
}

/// A text under a key.
pub struct Value {
    rules: usize,
    key: &'static str,
    is_key: bool,
    text: String,
}

impl Value {
    /// The value that these bytes mean.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut tape = Tape::new(bytes);
        let head = tape.byte();
        let key = tape.one(&KEYS);
        let text = if head >> 2 & 1 == 1 {
            String::from_utf8_lossy(tape.rest()).into_owned()
        } else {
            snippets::text(&mut tape, &[], 3)
        };
        Self { rules: usize::from(head & 1), key, is_key: head >> 3 & 7 == 7, text }
    }

    /// Looks at it: spans are in order, the cheap look acquits nothing that the thorough one finds, and what is left
    /// holds nothing more.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(&self, rules: &Compiled, looks: &mut Looks) -> Result<(), Difference> {
        let rules = rules.set(self.rules);
        let verdict = rules.classify_key(self.key);
        let hits = self.hits(rules, &self.text, verdict, &mut looks.cheap);
        let mut at = 0;
        for hit in &hits {
            if hit.start < at || hit.end <= hit.start || self.text.get(hit.start..hit.end).is_none() {
                return Err(self.differs("spans in order", &[], &hits));
            }
            at = hit.end;
        }
        let thorough = self.hits(rules, &self.text, verdict, &mut looks.thorough);
        if thorough != hits {
            return Err(self.differs("the cheap look", &thorough, &hits));
        }
        let left = redacted(rules, &self.text, &hits);
        let again = self.hits(rules, &left, verdict, &mut looks.cheap);
        if again.is_empty() { Ok(()) } else { Err(self.differs("a second look", &[], &again)) }
    }

    fn hits(&self, rules: &RuleSet, text: &str, verdict: KeyVerdict, scratch: &mut Scratch) -> Vec<Hit> {
        let mut hits = Vec::new();
        if self.is_key {
            rules.inspect_key(text, scratch, &mut hits);
        } else {
            rules.inspect(text, verdict, scratch, &mut hits);
        }
        hits
    }

    fn differs(&self, what: &'static str, expected: &[Hit], got: &[Hit]) -> Difference {
        let told = |hits: &[Hit]| format!("{hits:?} of {:?} under {}", self.text, self.key);
        Difference { what, expected: told(expected), got: told(got) }
    }
}

/// The text with markers in place of the hits.
fn redacted(rules: &RuleSet, text: &str, hits: &[Hit]) -> String {
    let hash_key = HashKey::new(HASH_KEY);
    let mut out = Vec::new();
    let mut at = 0;
    for hit in hits {
        out.extend_from_slice(&text.as_bytes()[at..hit.start]);
        rules.replacement(hit.rule, &text[hit.start..hit.end], &hash_key, &mut out);
        at = hit.end;
    }
    out.extend_from_slice(&text.as_bytes()[at..]);
    String::from_utf8_lossy(&out).into_owned()
}
