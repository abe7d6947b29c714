//! Texts under keys.
use crate::detect::{RuleSet, Scratch};
#[test]
fn smoke() {
    let rules = RuleSet::builtin();
    let mut hits = Vec::new();
    rules.inspect(
        "postgres://app:hunter2@db/x",
        rules.classify_key("url"),
        &mut Scratch::default(),
        &mut hits,
    );
    assert_eq!(hits.len(), 1);
}
