//! Texts: which parts of one go, and what a few of them are by themselves.
//!
//! Must never know where a text stands.

use terrasift_engine::detect::{Hit, RuleIx, RuleSet};

/// A piece of decoded text that goes.
pub struct Span {
    pub start: usize,
    pub end: usize,
    pub rule: RuleIx,
}

/// What rules found and copies of secrets, as spans that do not overlap. Where they do, the first rule's name stands.
pub fn unite(rules: &RuleSet, hits: &[Hit], copies: &[(usize, usize)]) -> Vec<Span> {
    let copy = rules.taint_rule();
    let mut all: Vec<(usize, usize, Option<RuleIx>)> =
        hits.iter().map(|hit| (hit.start, hit.end, Some(hit.rule))).collect();
    all.extend(copies.iter().map(|(start, end)| (*start, *end, None)));
    all.sort_by_key(|(start, end, rule)| (*start, rule.is_none(), usize::MAX - end));
    let mut spans: Vec<(usize, usize, Option<RuleIx>)> = Vec::new();
    for (start, end, rule) in all {
        match spans.last_mut() {
            Some(last) if start < last.1 => {
                last.1 = last.1.max(end);
                last.2 = last.2.or(rule);
            }
            _ => spans.push((start, end, rule)),
        }
    }
    let span =
        |(start, end, rule): (usize, usize, Option<RuleIx>)| Span { start, end, rule: rule.unwrap_or(copy) };
    spans.into_iter().map(span).collect()
}

/// The last step of a flat path that is no position.
pub fn telling_step(key: &str) -> &str {
    let telling = |step: &&str| !matches!(*step, "%" | "#") && !step.bytes().all(|b| b.is_ascii_digit());
    key.rsplit('.').find(telling).unwrap_or(key)
}

/// Words of Terraform's type expressions.
pub fn is_type_word(text: &str) -> bool {
    matches!(text, "string" | "number" | "bool" | "dynamic" | "list" | "set" | "map" | "object" | "tuple")
}

/// Exactly one marker, with or without an ordinal.
pub fn is_marker(text: &str) -> bool {
    let digits = |t: &str| (1..=9).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit());
    let body = text.rsplit_once('#').filter(|(_, ordinal)| digits(ordinal)).map_or(text, |(body, _)| body);
    ["pii", "credential", "infrastructure"].iter().any(|category| {
        body == format!("[REDACTED:{category}]")
            || body
                .strip_prefix(&format!("[HASHED:{category}:"))
                .and_then(|rest| rest.strip_suffix(']'))
                .is_some_and(|digest| digest.len() == 16 && digest.bytes().all(|b| b.is_ascii_hexdigit()))
    })
}
