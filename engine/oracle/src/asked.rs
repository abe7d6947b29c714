//! What the rules answered already: both passes over a document ask the same of each key and text.
//!
//! Must never outlive a document, and never answer for another text or another key above it.

use std::collections::HashMap;

use terrasift_engine::detect::{Hit, KeyVerdict, RuleSet, Scratch};

/// What was found in a text, by the key above it; `None`: it is a key itself.
type Answers = Vec<(Option<KeyVerdict>, Vec<Hit>)>;

/// Who is asked about keys and texts.
#[derive(Default)]
pub(crate) struct Asked {
    scratch: Scratch,
    keys: HashMap<String, KeyVerdict>,
    texts: HashMap<String, Answers>,
}

impl Asked {
    /// What a key says.
    pub(crate) fn key(&mut self, rules: &RuleSet, key: &str) -> KeyVerdict {
        if let Some(known) = self.keys.get(key) {
            return *known;
        }
        let verdict = rules.classify_key(key);
        self.keys.insert(key.to_owned(), verdict);
        verdict
    }

    /// What is found in a text under such a key, or in a key.
    pub(crate) fn hits(&mut self, rules: &RuleSet, text: &str, above: Option<KeyVerdict>) -> Vec<Hit> {
        let answers = self.texts.get(text).into_iter().flatten();
        if let Some((_, known)) = answers.into_iter().find(|(asked, _)| *asked == above) {
            return known.clone();
        }
        let mut hits = Vec::new();
        match above {
            Some(verdict) => rules.inspect(text, verdict, &mut self.scratch, &mut hits),
            None => rules.inspect_key(text, &mut self.scratch, &mut hits),
        }
        self.texts.entry(text.to_owned()).or_default().push((above, hits.clone()));
        hits
    }
}
