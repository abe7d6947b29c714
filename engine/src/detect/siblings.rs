//! Members that say nothing themselves, and whose meaning another member of their object tells: the value beside a name, the
//! data beside `kind: Secret`, the parameters beside `kty`.
//!
//! Knows which members those are; must never walk an object: the scanner and `json.rs` do, each in its own way.

use super::json::{self, PairPart};
use super::{Hint, KeyContext};
use super::{KeyVerdict, RuleIx, RuleSet, Scratch, keys, structural as rule};

/// Which question a member asks of its siblings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kin {
    /// The value of a name/value pair: what does the name say?
    Pair,
    /// `data` or `stringData`: is the object a Secret of Kubernetes?
    Payload,
    /// A private parameter of a key, if the object is one (RFC 7517, RFC 7518 section 6).
    PrivateParameter,
    /// A public one.
    PublicParameter,
}

const PUBLIC: KeyVerdict = KeyVerdict::Context(KeyContext { hint: Hint::Public, tenant: 0 });

/// The question that a member asks, by its key.
pub(super) fn kin(key: &str) -> Option<Kin> {
    match key {
        "data" | "stringData" | "string_data" => Some(Kin::Payload),
        "d" | "p" | "q" | "dp" | "dq" | "qi" | "oth" | "k" | "priv" => Some(Kin::PrivateParameter),
        "n" | "e" | "x" | "y" | "x5c" | "x5t" | "x5t#S256" | "pub" => Some(Kin::PublicParameter),
        _ => (json::pair_part(key) == Some(PairPart::Value)).then_some(Kin::Pair),
    }
}

impl Kin {
    /// What a sibling with a text says about the member that asks; `None`: nothing, ask the next.
    #[must_use]
    pub fn told(self, rules: &RuleSet, key: &str, text: &str) -> Option<KeyVerdict> {
        match self {
            Self::Pair => {
                let named = json::pair_part(key) == Some(PairPart::Name);
                named.then(|| rules.classify_key(text)).filter(tells)
            }
            Self::Payload => {
                (key == "kind" && text == "Secret").then(|| sensitive(rules, rule::SENSITIVE_KEY))?
            }
            Self::PrivateParameter => (key == "kty").then(|| sensitive(rules, rule::PRIVATE_KEY))?,
            // `azurerm_key_vault_key` calls it otherwise, and has no private ones.
            Self::PublicParameter => matches!(key, "kty" | "key_type").then_some(PUBLIC),
        }
    }

    /// A key that nobody's siblings need to be asked about.
    pub(super) fn verdict(self) -> KeyVerdict {
        keys::hint(Hint::Told(self))
    }
}

impl RuleSet {
    /// What the name of a pair says about its value ([`Kin::Pair`]); `None`: nothing.
    pub(crate) fn told_by_name(&self, name: &str, scratch: &mut Scratch) -> Option<KeyVerdict> {
        Some(self.classify_name(name, scratch)).filter(tells)
    }
}

impl RuleSet {
    /// What an element of a list that is a flag says of the next one, if that is none: `"--requirepass", "x"`.
    #[must_use]
    pub fn told_by_flag(&self, element: &str) -> Option<KeyVerdict> {
        let name = element.strip_prefix('-')?.trim_start_matches('-');
        let plain = name.len() > 1 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        let said = plain.then(|| self.classify_key(name))?;
        let tells = match said {
            KeyVerdict::Sensitive(_) => true,
            KeyVerdict::Context(context) => matches!(context.hint, Hint::Secret(_)),
            KeyVerdict::Plain => false,
        };
        tells.then_some(said)
    }
}

fn tells(verdict: &KeyVerdict) -> bool {
    *verdict != KeyVerdict::Plain && verdict.kin().is_none()
}

fn sensitive(rules: &RuleSet, ix: RuleIx) -> Option<KeyVerdict> {
    rules.enabled(ix).then_some(KeyVerdict::Sensitive(ix))
}
