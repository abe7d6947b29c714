//! Samples and what is said about them.

use std::sync::Arc;

use serde_json::Value;
use terrasift_engine::detect::{HashKey, RuleSet};
use terrasift_engine::sift::{Redactor, TaintPass};

use super::decided::{Decided, SampleKind, decide};
use super::render::to_json;
use super::sample::{Kind, leaves};
use crate::rule_file;

const RULES: &str = "\
version: 3
disable: [private-ip]
rules:
- {id: badge, category: pii, pattern: '[A-Z]{3}-[0-9]{4}', priority: 120}
- {id: wide, category: pii, pattern: '[A-Z]{3}-[0-9]{4}(-[0-9]{2})?', priority: 120}
- {id: internal, category: credential, key_pattern: '^internal_'}
- {id: drawn, category: credential, pattern: 'code [a-z]+', min_entropy: 3.5}
allowlist:
- {pattern: 'nobody@corp[.]example', rules: [email], reason: public sender}
";

const STATE: &str = r#"{"version":4,"terraform_version":"1.11.0","serial":1,"lineage":"l",
"outputs":{"copy":{"value":"is correct-horse-9."},"plan":{"value":"abc def ghi","sensitive":true}},
"resources":[{"mode":"managed","type":"t","name":"a","provider":"p","instances":[{"index_key":"ann@corp.example",
"attributes":{"id":"db-1","password":"correct-horse-9","ip":"10.1.2.3","note":"ABC-1234-56 nobody@corp.example",
"conf":"{\"password\":\"x y z\"}","internal_db_password":"q q","tags":{"bob@corp.example":"x"},"code":"code aaaaaa"},
"sensitive_attributes":[],"private":"eyJhYmMi"}]}],"check_results":null}"#;

fn decided(text: &str, key: Option<&str>) -> Decided {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rules.yaml");
    std::fs::write(&path, RULES).expect("a file");
    let (file, rules) = rule_file::load(Some(&path)).expect("good rules");
    decide(&Arc::new(rules), &file, text, key).expect("a decision")
}

/// `pointer: text | says…` of each place.
fn told(decided: &Decided) -> Vec<String> {
    let shown = to_json(decided, false);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let places = shown["leaves"].as_array().cloned().unwrap_or_default();
    places
        .iter()
        .map(|place| {
            let list = |name: &str| place[name].as_array().cloned().unwrap_or_default();
            let spans = list("spans").into_iter().map(|span| format!("{}!", text(&span["rule"])));
            let candidates = list("candidates")
                .into_iter()
                .map(|c| format!("{} {}", text(&c["rule"]), text(&c["outcome"])));
            let said: Vec<String> = spans.chain(candidates).collect();
            format!("{}: {} | {}", text(&place["pointer"]), text(&place["text"]), said.join(", "))
        })
        .collect()
}

#[test]
fn a_state_is_explained_place_by_place() {
    let decided = decided(STATE, None);
    assert_eq!(decided.kind, SampleKind::State);
    let at = "/resources/0/instances/0";
    assert_eq!(
        told(&decided),
        [
            "/outputs/copy/value: is [REDACTED:credential]. | tainted!".to_owned(),
            "/outputs/plan/value: [REDACTED:credential] | terraform-sensitive!".to_owned(),
            format!("{at}/index_key: [REDACTED:pii] | email!, email decides"),
            format!(
                "{at}/attributes/password: [REDACTED:credential] | sensitive-key!, sensitive-key decides"
            ),
            format!("{at}/attributes/ip: 10.1.2.3 | private-ip off"),
            format!(
                "{at}/attributes/note: [REDACTED:pii] nobody@corp.example | wide!, wide decides, badge loses, email allowed"
            ),
            format!(
                "{at}/attributes/conf: {{\"password\":\"[REDACTED:credential]\"}} | sensitive-key!, sensitive-key decides"
            ),
            format!(
                "{at}/attributes/internal_db_password: [REDACTED:credential] | sensitive-key!, sensitive-key decides"
            ),
            format!("{at}/attributes/tags/[REDACTED:pii]: [REDACTED:pii] | email!, email decides"),
            format!("{at}/attributes/code: code aaaaaa | drawn below_min_entropy"),
            format!("{at}/private: [REDACTED:credential] | provider-private!"),
        ]
    );
}

#[test]
fn the_text_shown_is_what_the_sanitizer_writes() {
    let rules = RuleSet::builtin();
    let mut pass = TaintPass::new(&rules, [1; 16]);
    pass.push(STATE.as_bytes()).expect("a state");
    let mut redactor = Redactor::new(&rules, pass.finish().expect("a state"), HashKey::new([2; 32]));
    let mut out = Vec::new();
    redactor.push(STATE.as_bytes(), &mut out).expect("a state");
    redactor.finish(&mut out).expect("a state");
    let clean: Value = serde_json::from_slice(&out).expect("JSON");
    let file = terrasift_schemas::rules::RuleFile::default();
    let shown = to_json(&decide(&rules, &file, STATE, None).expect("a decision"), false);
    let places = shown["leaves"].as_array().expect("places");
    assert!(places.len() > 8);
    for place in places.iter().filter(|place| place["kind"] != "key") {
        let pointer = place["pointer"].as_str().expect("a pointer");
        assert_eq!(clean.pointer(pointer), Some(&place["text"]), "{pointer}");
    }
}

#[test]
fn other_json_and_texts_are_explained_as_values() {
    for (name, text, key, expected) in [
        ("pairs", r#"{"name":"DB_PASSWORD","value":"so secret"}"#, None, "/value: [REDACTED:credential]"),
        ("a key that is data", r#"{"ann@corp.example":1}"#, None, "/[REDACTED]: [REDACTED:pii]"),
        ("a text", "mail ann@corp.example", None, ": mail [REDACTED:pii] | email!, email decides"),
        (
            "a value under a key",
            "plain words",
            Some("db_password"),
            ": [REDACTED:credential] | sensitive-key!",
        ),
        ("nothing", "plain words", None, ": plain words | "),
    ] {
        let told = told(&decided(text, key));
        assert_eq!(told.len(), 1, "{name}");
        assert!(told[0].starts_with(expected), "{name}: {}", told[0]);
    }
}

#[test]
fn leaves_have_their_places() {
    let text = r#"{"a":[1,"x\"\u0041",{"b/c":null,"b/c":-2.5e3}],"a~":{"d":"e"}}"#;
    let found: Vec<_> = leaves(text)
        .expect("JSON")
        .into_iter()
        .filter(|leaf| leaf.kind != Kind::Key)
        .map(|leaf| (leaf.pointer, leaf.keys.join(">"), text[leaf.raw].to_owned(), leaf.text))
        .collect();
    let row = |a: &str, b: &str, c: &str, d: &str| (a.to_owned(), b.to_owned(), c.to_owned(), d.to_owned());
    assert_eq!(
        found,
        [
            row("/a/0", "a", "1", "1"),
            row("/a/1", "a", r#"x\"\u0041"#, "x\"A"),
            row("/a/2/b~1c", "a>b/c", "-2.5e3", "-2.5e3"),
            row("/a~0/d", "a~>d", "e", "e"),
        ]
    );
    assert!(leaves("{\"a\":").is_none());
}
