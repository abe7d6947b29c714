//! Cases as tables: what goes, what stays, and what holds for every text.

mod corpus;
mod encodings;
mod explain;
mod formats;
mod key_names;
mod mentions;
mod national_ids;
mod places;
mod properties;
mod references;
mod strangers;
mod tenants;
mod texts;

use super::{Hit, RuleSet, Scratch};

thread_local! {
    static RULES: std::sync::Arc<RuleSet> = RuleSet::builtin();
}

/// One set a thread: building it for every case would take longer than the cases.
fn rules() -> std::sync::Arc<RuleSet> {
    RULES.with(std::sync::Arc::clone)
}

/// The text with its hits replaced, under a key.
fn redact(rules: &RuleSet, key: &str, text: &str) -> String {
    let mut hits = Vec::new();
    rules.inspect(text, rules.classify_key(key), &mut Scratch::default(), &mut hits);
    replace(rules, text, &hits)
}

fn replace(rules: &RuleSet, text: &str, hits: &[Hit]) -> String {
    let mut out = String::new();
    let mut at = 0;
    for hit in hits {
        out.push_str(&text[at..hit.start]);
        let info = rules.rule(hit.rule);
        let mut marker = Vec::new();
        super::marker::write(info.category, info.action, || [0; 8], &mut marker);
        out.push_str(std::str::from_utf8(&marker).unwrap());
        at = hit.end;
    }
    out + &text[at..]
}
