//! Redacted keys that would collide get ordinals: `[REDACTED:pii]`, `[REDACTED:pii]#2` …, in order of appearance.
//!
//! Must never keep an unredacted key.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

/// Names given out in the objects that are open, by their depth.
#[derive(Default)]
pub(super) struct Names {
    by_depth: Vec<Given>,
    index_keys: Given,
    /// Which ordinal a raw index key got in the current resource, by fingerprint: a deposed object shares the key of
    /// the current one.
    index_known: HashMap<u128, Box<str>>,
}

/// Name → the ordinal last tried for it.
type Given = HashMap<Box<str>, u32>;

impl Names {
    /// A key that stays and looks like a marker takes its name.
    pub(super) fn keep(&mut self, depth: usize, name: &str) {
        self.at(depth).entry(name.into()).or_insert(1);
    }

    /// The suffix that makes a redacted key unique among its siblings; empty for the first.
    pub(super) fn suffix(&mut self, depth: usize, name: &str) -> String {
        unique(self.at(depth), name)
    }

    /// The object at this depth ends.
    #[inline]
    pub(super) fn leave(&mut self, depth: usize) {
        if let Some(given) = self.by_depth.get_mut(depth)
            && !given.is_empty()
        {
            given.clear();
        }
    }

    /// The suffix of an index key within its resource: the same raw key gets the same one.
    pub(super) fn index_suffix(&mut self, raw: &str, name: &str) -> String {
        let fingerprint = fingerprint(raw);
        if let Some(suffix) = self.index_known.get(&fingerprint) {
            return suffix.to_string();
        }
        let suffix = unique(&mut self.index_keys, name);
        self.index_known.insert(fingerprint, suffix.as_str().into());
        suffix
    }

    /// An index key that stays and looks like a marker.
    pub(super) fn keep_index(&mut self, name: &str) {
        self.index_keys.entry(name.into()).or_insert(1);
    }

    /// A resource ends.
    pub(super) fn leave_resource(&mut self) {
        self.index_keys.clear();
        self.index_known.clear();
    }

    /// Bytes held, estimated.
    pub(super) fn memory_bytes(&self) -> usize {
        let given: usize = self.by_depth.iter().chain([&self.index_keys]).map(|g| g.capacity() * 64).sum();
        given + self.index_known.capacity() * 48
    }

    fn at(&mut self, depth: usize) -> &mut Given {
        if self.by_depth.len() <= depth {
            self.by_depth.resize_with(depth + 1, Given::new);
        }
        &mut self.by_depth[depth]
    }
}

fn unique(given: &mut Given, name: &str) -> String {
    let Some(tried) = given.get(name).copied() else {
        given.insert(name.into(), 1);
        return String::new();
    };
    let mut ordinal = tried + 1;
    while given.contains_key(format!("{name}#{ordinal}").as_str()) {
        ordinal += 1;
    }
    given.insert(name.into(), ordinal);
    given.insert(format!("{name}#{ordinal}").into(), 1);
    format!("#{ordinal}")
}

/// Two runs of SipHash: 128 bits, so that a million keys do not meet by chance.
fn fingerprint(raw: &str) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(salt);
        hasher.write(raw.as_bytes());
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colliding_names_get_ordinals_in_order_of_appearance() {
        let mut names = Names::default();
        names.keep(1, "[REDACTED:pii]#2");
        let given: Vec<String> = (0..3).map(|_| names.suffix(1, "[REDACTED:pii]")).collect();
        assert_eq!(given, ["", "#3", "#4"]);
        assert_eq!(names.suffix(2, "[REDACTED:pii]"), "", "another object");
        names.leave(1);
        assert_eq!(names.suffix(1, "[REDACTED:pii]"), "");
    }

    #[test]
    fn an_index_key_keeps_its_ordinal_within_a_resource() {
        let mut names = Names::default();
        assert_eq!(names.index_suffix("a", "X"), "");
        assert_eq!(names.index_suffix("b", "X"), "#2");
        assert_eq!(names.index_suffix("a", "X"), "");
        names.leave_resource();
        assert_eq!(names.index_suffix("b", "X"), "");
    }
}
