//! Explanations: each candidate's outcome, and that they tell what the sanitizer does.

use proptest::prelude::*;
use terrasift_schemas::detection::{Action, Category};
use terrasift_schemas::rules::{Allow, Rule, RuleFile};

use super::rules;
use crate::detect::{Order, Outcome, RuleSet, Scratch};

fn own(id: &str, pattern: &str, priority: Option<i32>) -> Rule {
    Rule {
        id: id.to_owned(),
        name: String::new(),
        category: Category::Pii,
        enabled: true,
        pattern: Some(pattern.to_owned()),
        key_pattern: None,
        action: Action::Redact,
        priority,
        min_entropy: None,
        reason: String::new(),
    }
}

fn allow(pattern: &str, rules: &[&str]) -> Allow {
    let rules = rules.iter().map(|id| (*id).to_owned()).collect();
    Allow { pattern: pattern.to_owned(), rules, reason: "known".to_owned() }
}

fn tenant() -> RuleSet {
    let mut open = own("open", "[A-Z]{3}-open", Some(300));
    open.action = Action::Allow;
    let mut drawn = own("drawn", "[a-z]{6}-code", None);
    drawn.min_entropy = Some(3.0);
    let file = RuleFile {
        version: 2,
        disable: vec!["private-ip".to_owned()],
        rules: vec![
            own("badge", "[A-Z]{3}-[0-9]{4}", Some(120)),
            own("badge-wide", "[A-Z]{3}-[0-9]{4}(-[0-9]{2})?", Some(120)),
            own("code-a", "x[0-9]{5}x", None),
            own("code-b", "x[0-9]{5}x", None),
            own("weak", "[0-9]{4}-[0-9]{2}-tail", Some(1)),
            open,
            drawn,
        ],
        allowlist: vec![
            allow("nobody@ours[.]example", &["email"]),
            allow("plain-[a-z]+", &["sensitive-key"]),
            allow("(?s).*PRIVATE KEY.*", &[]),
        ],
    };
    RuleSet::compile(&file).unwrap()
}

/// `rule outcome` of each candidate, as they come.
fn told(rules: &RuleSet, key: &str, text: &str) -> Vec<String> {
    let explanation = rules.explain(text, rules.classify_key(key));
    let outcome = |outcome| match outcome {
        Outcome::Decides => "decides".to_owned(),
        Outcome::DecidesRest => "decides the rest".to_owned(),
        Outcome::Loses { to, by } => {
            let by = match by {
                Order::Protected => "protected",
                Order::Priority => "priority",
                Order::Length => "length",
                Order::Id => "id",
                Order::Begin => "begin",
            };
            format!("loses to {} by {by}", rules.rule(to).id)
        }
        Outcome::Off => "is off".to_owned(),
        Outcome::Allowed { entry } => format!("allowed by {entry}"),
        Outcome::Plain { least, .. } => format!("below {least}"),
        Outcome::Marker => "marker".to_owned(),
    };
    explanation.weighed.iter().map(|w| format!("{} {}", rules.rule(w.rule).id, outcome(w.outcome))).collect()
}

#[test]
fn every_candidate_has_its_outcome() {
    let rules = tenant();
    let block = format!("-----{0} PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----", "BEGIN");
    for (key, text, expected) in [
        ("x", "nothing here", &[][..]),
        ("x", "a ABC-1234-56 b", &["badge-wide decides", "badge loses to badge-wide by length"]),
        ("x", "a ABC-1234 b", &["badge decides", "badge-wide loses to badge by id"]),
        ("x", "x12345x", &["code-a decides", "code-b loses to code-a by id"]),
        ("x", "ABC-open", &["open decides"]),
        (
            "x",
            "ABC-1234-56-tail",
            &["badge-wide decides", "badge loses to badge-wide by length", "weak decides the rest"],
        ),
        ("x", "aaaaaa-code", &["drawn below 3"]),
        ("x", "qwkzfy-code", &["drawn decides"]),
        ("x", "to nobody@ours.example", &["email allowed by 0"]),
        ("x", "10.1.2.3", &["private-ip is off"]),
        ("password", "plain-words", &["sensitive-key allowed by 1"]),
        ("password", "other words", &["sensitive-key decides"]),
        ("password", "[REDACTED:pii]", &["sensitive-key marker"]),
        // A second round sees markers; what it finds in them is nothing.
        (
            "x",
            "password=-56\"}ann@example.orgABC-1234",
            &["assignment decides", "email decides", "badge decides", "badge-wide loses to badge by id"],
        ),
        // An allowlist over the key's rule is no way round a private key.
        ("password", &block, &["sensitive-key allowed by 2", "private-key decides"]),
    ] {
        assert_eq!(told(&rules, key, text), expected, "{key}: {text}");
    }
}

#[test]
fn an_allowlist_over_a_keys_rule_leaves_the_value_rules_to_look() {
    let rules = tenant();
    let block = format!("-----{0} PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----", "BEGIN");
    let nested = serde_json::json!({ "password": block }).to_string();
    for (key, text, expected) in [
        ("password", "plain-words", "plain-words"),
        ("password", block.as_str(), "[REDACTED:credential]"),
        ("x", nested.as_str(), r#"{"password":"[REDACTED:credential]"}"#),
    ] {
        assert_eq!(super::redact(&rules, key, text), expected, "{key}");
    }
}

#[test]
fn numbers_and_keys_are_explained_too() {
    let rules = tenant();
    let number = rules.explain_number("4111111111111111", rules.classify_key("x"));
    assert_eq!((number.hits.len(), number.weighed.len()), (1, 1));
    assert_eq!(number.weighed[0].outcome, Outcome::Decides);
    let key = rules.explain_key("nobody@ours.example");
    assert_eq!((key.hits.len(), key.weighed[0].outcome), (0, Outcome::Allowed { entry: 0 }));
    let ids = |key| rules.key_rules(key).into_iter().map(|ix| rules.rule(ix).id.clone()).collect::<Vec<_>>();
    assert_eq!(ids("db_password"), ["sensitive-key"]);
    assert!(ids("region").is_empty());
}

thread_local! {
    static TENANT: std::sync::Arc<RuleSet> = std::sync::Arc::new(tenant());
}

fn piece() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "ABC-1234",
        "-56",
        "-tail",
        " ",
        "x12345x",
        "ABC-open",
        "qwkzfy-code",
        "aaaaaa-code",
        "ann@example.org",
        "nobody@ours.example",
        "10.0.0.1",
        "password=",
        "[REDACTED:pii]",
        "{\"token\":\"",
        "\"}",
        "AKIA",
        "ABCDEFGHIJKLMNOP",
        "https://u:p4ss@",
        "4111111111111111",
        "Zk3qXv9LmT0wRb7YhU2cNd5g",
        "plain-words",
    ])
    .prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whoever decides in the explanation is who decides in the sanitizer, on every byte.
    #[test]
    fn explanations_tell_what_the_sanitizer_does(
        pieces in prop::collection::vec(piece(), 0..10),
        key in prop::sample::select(vec!["x", "password", "token", "phone"]),
        own in any::<bool>(),
    ) {
        let rules = if own { TENANT.with(std::sync::Arc::clone) } else { rules() };
        let text = pieces.concat();
        let verdict = rules.classify_key(key);
        let explanation = rules.explain(&text, verdict);
        let mut hits = Vec::new();
        rules.inspect(&text, verdict, &mut Scratch::default(), &mut hits);
        prop_assert_eq!(&explanation.hits, &hits);
        for hit in hits {
            prop_assert!(
                explanation.weighed.iter().any(|w| w.rule == hit.rule
                    && w.start <= hit.start && hit.end <= w.end
                    && matches!(w.outcome, Outcome::Decides | Outcome::DecidesRest)),
                "{text}: {hit:?} is not told in {:?}", explanation.weighed
            );
        }
        for w in &explanation.weighed {
            let redacts = rules.rule(w.rule).action != Action::Allow;
            let covered = explanation.hits.iter().any(|h| h.rule == w.rule && h.start < w.end && w.start < h.end);
            prop_assert!(w.outcome != Outcome::Decides || covered == redacts, "{text}: {w:?}");
        }
    }
}
