//! Rule files: what they change and what they cannot.

use terrasift_schemas::detection::{Action, Category};
use terrasift_schemas::rules::{Allow, Rule, RuleFile};

use super::redact;
use crate::detect::{HashKey, RuleErrorKind, RuleSet};

fn rule(id: &str, pattern: Option<&str>, key_pattern: Option<&str>) -> Rule {
    Rule {
        id: id.to_owned(),
        name: String::new(),
        category: Category::Pii,
        enabled: true,
        pattern: pattern.map(str::to_owned),
        key_pattern: key_pattern.map(str::to_owned),
        action: Action::Redact,
        priority: None,
        min_entropy: None,
        reason: String::new(),
    }
}

fn file(rules: Vec<Rule>) -> RuleFile {
    RuleFile { version: 2, rules, ..RuleFile::default() }
}

fn refused(file: &RuleFile) -> Option<RuleErrorKind> {
    RuleSet::compile(file).err().map(|error| error.kind)
}

#[test]
fn own_rules_fire() {
    let mut hashed = rule("customer-number", Some(r"\bC-\d{6}\b"), None);
    hashed.action = Action::Hash;
    let mut drawn = rule("codes", Some(r"\b[a-z0-9]{8}\b"), Some("(?i)^code$"));
    drawn.min_entropy = Some(2.5);
    let mut open = rule("let-notes", None, Some("^note$"));
    open.action = Action::Allow;
    let rules =
        RuleSet::compile(&file(vec![hashed, drawn, rule("keys", None, Some("^internal_")), open])).unwrap();
    assert_eq!(rules.version(), 2);
    for (key, text, expected) in [
        ("x", "see C-123456.", "see [HASHED:pii:0000000000000000]."),
        ("code", "a1b2c3d4 aaaaaaaa", "[REDACTED:pii] aaaaaaaa"),
        ("x", "a1b2c3d4", "a1b2c3d4"),
        ("internal_thing", "anything", "[REDACTED:pii]"),
        ("note", "ann@example.org", "ann@example.org"),
    ] {
        assert_eq!(redact(&rules, key, text), expected, "{key}");
    }
}

#[test]
fn built_in_rules_are_switched_and_values_allowed() {
    let mut emails = rule("email", None, None);
    emails.action = Action::Hash;
    let mut changed = file(vec![emails]);
    changed.disable.push("private-ip".to_owned());
    changed.allowlist.push(Allow {
        pattern: "[a-z]+@ours\\.example".to_owned(),
        rules: vec![],
        reason: "ours".to_owned(),
    });
    changed.allowlist.push(Allow {
        pattern: "(?s).*PRIVATE KEY.*".to_owned(),
        rules: vec![],
        reason: "try".to_owned(),
    });
    let rules = RuleSet::compile(&changed).unwrap();
    let key = format!("-----{} PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----", "BEGIN");
    for (text, expected) in [
        ("10.0.0.1", "10.0.0.1"),
        ("ann@else.example", "[HASHED:pii:0000000000000000]"),
        ("ann@ours.example", "ann@ours.example"),
        ("xann@ours.example.org", "[HASHED:pii:0000000000000000]"),
        (key.as_str(), "[REDACTED:credential]"),
    ] {
        assert_eq!(redact(&rules, "x", text), expected);
    }
    let email = rules.rules().find(|(_, info)| info.id == "email").unwrap().0;
    let hash = |key: u8| {
        let mut out = Vec::new();
        rules.replacement(email, "ann@else.example", &HashKey::new([key; 32]), &mut out);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(hash(1), hash(1));
    assert_ne!(hash(1), hash(2));
    assert_eq!(hash(1).len(), "[HASHED:pii:0123456789abcdef]".len());
}

#[test]
fn bad_rules_are_refused_with_their_reason() {
    let long = "a".repeat(5000);
    let disable = |id: &str| RuleFile { version: 1, disable: vec![id.to_owned()], ..RuleFile::default() };
    let allow = |pattern: &str, reason: &str, rules: &[&str]| RuleFile {
        version: 1,
        allowlist: vec![Allow {
            pattern: pattern.to_owned(),
            rules: rules.iter().map(|r| (*r).to_owned()).collect(),
            reason: reason.to_owned(),
        }],
        ..RuleFile::default()
    };
    for (file, kind) in [
        (file(vec![rule("a", Some("x*"), None)]), RuleErrorKind::MatchesEmpty),
        (file(vec![rule("a", Some("(a*)*$"), None)]), RuleErrorKind::MatchesEmpty),
        (file(vec![rule("a", Some(r"\b"), None)]), RuleErrorKind::MatchesEmpty),
        (file(vec![rule("a", Some("("), None)]), RuleErrorKind::BadPattern),
        (file(vec![rule("a", Some(&long), None)]), RuleErrorKind::TooLarge),
        (file(vec![rule("a", Some(r"(\pL{1000}){1000}"), None)]), RuleErrorKind::TooLarge),
        (file(vec![rule("a", None, None)]), RuleErrorKind::NoPattern),
        (file(vec![rule("A b", Some("x"), None)]), RuleErrorKind::BadId),
        (file(vec![rule("a", Some("x"), None), rule("a", Some("y"), None)]), RuleErrorKind::DuplicateId),
        (file(vec![rule("email", Some("x"), None)]), RuleErrorKind::DuplicateId),
        (disable("no-such-rule"), RuleErrorKind::UnknownRule),
        (disable("private-key"), RuleErrorKind::Protected),
        (disable("terraform-sensitive"), RuleErrorKind::Protected),
        (allow("x", "  ", &[]), RuleErrorKind::NoReason),
        (allow("x", "why", &["nothing"]), RuleErrorKind::UnknownRule),
        (allow("x", "why", &["private-key"]), RuleErrorKind::Protected),
        (RuleFile::default(), RuleErrorKind::OutOfRange),
    ] {
        assert_eq!(refused(&file), Some(kind));
    }
}
