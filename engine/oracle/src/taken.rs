//! Names that redacted keys took among their siblings: the second of a name becomes `name#2`.
//!
//! Must never give a name twice.

use std::collections::{HashMap, HashSet};

/// The names of one object, or the index keys of one resource.
#[derive(Default)]
pub struct Taken {
    names: HashSet<String>,
    /// Suffixes by raw index key: a deposed object shares its key with the current one.
    by_key: HashMap<String, String>,
}

impl Taken {
    /// A key stays. Only what could be mistaken for one of our names is remembered.
    pub fn keep(&mut self, key: &str) {
        let ends = key.ends_with(|c: char| c == ']' || c.is_ascii_digit());
        if ends && (key.contains("[REDACTED:") || key.contains("[HASHED:")) {
            self.names.insert(key.to_owned());
        }
    }

    /// The suffix that makes a redacted key unique.
    pub fn suffix(&mut self, name: &str) -> String {
        if self.names.insert(name.to_owned()) {
            return String::new();
        }
        let mut ordinal = 2;
        while !self.names.insert(format!("{name}#{ordinal}")) {
            ordinal += 1;
        }
        format!("#{ordinal}")
    }

    /// The same for an index key.
    pub fn index_suffix(&mut self, raw: &str, name: &str) -> String {
        if let Some(known) = self.by_key.get(raw) {
            return known.clone();
        }
        let suffix = self.suffix(name);
        self.by_key.insert(raw.to_owned(), suffix.clone());
        suffix
    }
}
