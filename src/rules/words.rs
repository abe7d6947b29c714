//! What keys and outcomes mean, in words for people.

use terrasift_engine::detect::{Hint, KeyVerdict, Order, Outcome, RuleIx, RuleSet};
use terrasift_schemas::detection::Action;
use terrasift_schemas::rules::RuleFile;

/// What a key says about the value below it; `None`: nothing.
pub fn key_verdict(rules: &RuleSet, verdict: KeyVerdict) -> Option<String> {
    let id = |ix: RuleIx| rules.rule(ix).id.clone();
    let context = match verdict {
        KeyVerdict::Plain => return None,
        KeyVerdict::Sensitive(ix) => return Some(format!("the key's rule {} takes the whole value", id(ix))),
        KeyVerdict::Context(context) => context,
    };
    let both = "an own rule with both patterns asks for this key";
    Some(match context.hint {
        Hint::None if context.tenant == 0 => return None,
        Hint::None => both.to_owned(),
        Hint::Public => "the key names something public: what only looks drawn stays".to_owned(),
        Hint::Version => "the key names a version: what looks like an address stays".to_owned(),
        Hint::Told(_) => "another member of the object says what this one means".to_owned(),
        Hint::Rare => "the key ends in \"key\" and says no more: only what looks drawn goes".to_owned(),
        Hint::Service(ix) => format!("the key names a service ({}): what nobody would write goes", id(ix)),
        Hint::Member(ix) => {
            format!("the name above suggests a secret ({}): what is made like one goes", id(ix))
        }
        Hint::Allowed => {
            "an own rule lets values under this key through: private keys are still found".to_owned()
        }
        Hint::Secret(ix) => format!("the key suggests a secret ({}): the value decides", id(ix)),
        Hint::Connection(ix) => format!("the key names a connection ({}): its secret part goes", id(ix)),
        Hint::Person => "the key names persons".to_owned(),
        Hint::Named => {
            "the key names who did something: what is written as a person's name is one".to_owned()
        }
        Hint::Phone => "the key names telephone numbers".to_owned(),
        Hint::Card => "the key names payment cards".to_owned(),
        Hint::NationalId => "the key names national identity numbers".to_owned(),
        Hint::Bank => "the key names bank accounts".to_owned(),
    })
}

/// Stable code of an outcome.
pub fn code(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Decides => "decides",
        Outcome::DecidesRest => "decides_rest",
        Outcome::Loses { .. } => "loses",
        Outcome::Off => "off",
        Outcome::Allowed { .. } => "allowed",
        Outcome::Plain { .. } => "below_min_entropy",
        Outcome::Marker => "marker",
    }
}

/// An outcome in words.
pub fn outcome(rules: &RuleSet, file: &RuleFile, rule: RuleIx, outcome: Outcome) -> String {
    let info = rules.rule(rule);
    let does = match info.action {
        Action::Redact => "redacts",
        Action::Hash => "hashes",
        Action::Allow => "lets through, as its action says,",
    };
    let standing = if info.protected { "protected, " } else { "" };
    match outcome {
        Outcome::Decides => format!("{does} ({standing}priority {})", info.priority),
        Outcome::DecidesRest => {
            format!("{does} what the stronger left ({standing}priority {})", info.priority)
        }
        Outcome::Loses { to, by } => {
            let winner = rules.rule(to);
            let why = match by {
                Order::Protected => "which is protected".to_owned(),
                Order::Priority => format!("of higher priority ({} > {})", winner.priority, info.priority),
                Order::Length => format!("whose span is longer (both priority {})", info.priority),
                Order::Id => "whose id is smaller (priority and length are alike)".to_owned(),
                Order::Begin => "whose span begins earlier".to_owned(),
            };
            if to == rule {
                "loses to another match of the same rule, which is longer or begins earlier".to_owned()
            } else {
                format!("loses to {}, {why}", winner.id)
            }
        }
        Outcome::Off => "is switched off".to_owned(),
        Outcome::Allowed { entry } => match file.allowlist.get(entry) {
            Some(allow) => format!("is let through by allowlist[{entry}]: {}", allow.reason),
            None => format!("is let through by allowlist[{entry}]"),
        },
        Outcome::Plain { bits, least } => {
            format!("does not count: {bits:.2} bits per character, min_entropy is {least}")
        }
        Outcome::Marker => "finds a marker: redacted already".to_owned(),
    }
}
