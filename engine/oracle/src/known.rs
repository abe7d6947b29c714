//! Known secrets in a list, searched one after the other.
//!
//! Which texts are too common to be remembered is the engine's decision and asked of it, one text at a time. Must never
//! use its fingerprints to search.

use terrasift_engine::taint::{Taint, spellings};

/// Shorter texts are not searched for, as documented.
const SHORTEST: usize = 8;

/// The secrets that are known so far.
#[derive(Default)]
pub struct Known {
    secrets: Vec<String>,
}

impl Known {
    pub fn learn(&mut self, text: &str) {
        let text = text.trim();
        if !Taint::remembers(text) {
            return;
        }
        self.keep(text);
        spellings(text).iter().flatten().for_each(|spelled| self.keep(spelled));
    }

    fn keep(&mut self, text: &str) {
        if !self.secrets.iter().any(|known| known == text) {
            self.secrets.push(text.to_owned());
        }
    }

    /// Every copy of every secret; copies that overlap are one.
    pub fn find(&self, text: &str) -> Vec<(usize, usize)> {
        let mut copies = Vec::new();
        if text.len() < SHORTEST {
            return copies;
        }
        for secret in &self.secrets {
            let mut from = 0;
            while let Some(at) = text[from..].find(secret.as_str()) {
                copies.push((from + at, from + at + secret.len()));
                // Copies may overlap themselves; a secret does not begin inside of a character.
                from += at + text[from + at..].chars().next().map_or(1, char::len_utf8);
            }
        }
        copies.sort_unstable();
        let mut united: Vec<(usize, usize)> = Vec::new();
        for (start, end) in copies {
            match united.last_mut() {
                Some(last) if start < last.1 => last.1 = last.1.max(end),
                _ => united.push((start, end)),
            }
        }
        united
    }
}
