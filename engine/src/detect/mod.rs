//! The detector: finds what must not leave in one decoded value.
//!
//! Owns the rule set (built-in families, keys, tenant overlay) and the verdict on each value. Must never keep a
//! value beyond a call, print one, or know where in a state a value stands: paths are the scanner's business.

mod acquitted;
mod announced;
mod assignment;
mod blocks;
mod calls;
mod checksum;
mod commands;
mod credential_files;
mod elsewhere;
mod encoded;
mod error;
mod example;
mod explain;
mod families;
mod gate;
mod gazetteer;
mod glance;
mod hash_key;
mod inflate;
mod inspect;
mod json;
mod key_cache;
mod key_words;
mod keys;
mod landmarks;
mod literal;
mod marker;
mod names;
mod national_ids;
mod network;
mod notations;
mod notice;
mod pairs;
mod parted;
mod people;
mod person_keys;
mod plausible;
mod postal;
mod postcode;
mod rarity;
mod rarity_table;
mod references;
mod resolve;
mod rule_set;
mod scratch;
mod services;
mod shape;
mod siblings;
mod statements;
mod structural;
mod tables;
mod tenant;
mod tokens;
mod url;
mod value_span;
mod wrapped;

#[cfg(test)]
mod tests;

pub(crate) use acquitted::{Acquitted, Kind, Look};
pub use error::{RuleError, RuleErrorKind, RulePlace};
pub use example::Example;
pub use explain::{Explanation, Order, Outcome, Weighed};
pub use hash_key::HashKey;
pub use inflate::unzipped;
pub(crate) use inspect::SHORTEST;
pub use json::PairPart;
pub(crate) use rarity::familiarity;
pub use rule_set::{RuleInfo, RuleSet};
pub use scratch::Scratch;
pub use siblings::Kin;

/// Index of a rule in its [`RuleSet`]. Means nothing in another set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RuleIx(pub u16);

/// A span `[start, end)` of decoded text: byte offsets, on character boundaries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hit {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The rule that decided.
    pub rule: RuleIx,
    /// The text is a secret that taint remembers when it has at least eight bytes.
    pub secret: bool,
}

/// What a key says about the value below it. Small, so that the scanner can memoise it per interned key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyVerdict {
    /// Nothing.
    Plain,
    /// Strings and numbers below are redacted whole by this rule.
    Sensitive(RuleIx),
    /// The bar for value rules is lower or higher.
    Context(KeyContext),
}

impl KeyVerdict {
    /// The verdict of a child key (`self`) inside an object that stands under `parent`: a sensitive key reaches
    /// down to everything whose own key says nothing, one that suggests a secret to what is made like one.
    #[must_use]
    pub fn under(self, parent: Self) -> Self {
        match (self, parent) {
            (Self::Plain, Self::Sensitive(_)) => parent,
            (_, Self::Sensitive(_)) if self.kin().is_some() => parent,
            (Self::Plain, Self::Context(KeyContext { hint: Hint::Secret(ix) | Hint::Member(ix), .. })) => {
                Self::Context(KeyContext { hint: Hint::Member(ix), tenant: 0 })
            }
            _ => self,
        }
    }

    /// Hides what could not be settled.
    pub const UNSETTLED: Self = Self::Sensitive(structural::UNSETTLED);

    /// The verdict of a member that asked its siblings, with their answer.
    #[must_use]
    pub fn answered(self, told: Option<Self>) -> Self {
        let own = match self {
            Self::Context(context) => context.tenant,
            _ => 0,
        };
        match told {
            Some(Self::Context(context)) => {
                Self::Context(KeyContext { tenant: context.tenant | own, ..context })
            }
            Some(told @ Self::Sensitive(_)) => told,
            Some(Self::Plain) | None if own == 0 => Self::Plain,
            Some(Self::Plain) | None => Self::Context(KeyContext { hint: Hint::None, tenant: own }),
        }
    }

    /// The question to the other members of the object, when they tell what this one means.
    #[inline]
    #[must_use]
    pub fn kin(self) -> Option<Kin> {
        match self {
            Self::Context(KeyContext { hint: Hint::Told(kin), .. }) => Some(kin),
            _ => None,
        }
    }
}

/// Context that a key gives to the value below it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyContext {
    /// What the key suggests.
    pub hint: Hint,
    /// Bit set of the tenant rules whose key pattern matched and that also have a value pattern.
    pub tenant: u64,
}

/// What a key suggests without settling it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hint {
    /// Nothing (only tenant bits are set).
    None,
    /// The value is public by nature: digest, id, ARN, version, public key, policy.
    Public,
    /// A version: public, and what looks like an address is none.
    Version,
    /// Ends in "key" and says no more: only what looks drawn is a secret.
    Rare,
    /// Another member of the object tells; where none can be asked, nothing.
    Told(Kin),
    /// A tenant lets values under this key through; private keys are still found.
    Allowed,
    /// Probably a secret: the value decides ([`RuleIx`] reports it).
    Secret(RuleIx),
    /// Names a service and a key of it: what nobody would write is a secret.
    Service(RuleIx),
    /// Says nothing itself and stands in an object whose name suggests a secret: what is made like one goes.
    Member(RuleIx),
    /// A connection string or an address that may carry credentials.
    Connection(RuleIx),
    /// Names of persons.
    Person,
    /// Who did something or answers for it: what is written as a person's name is one.
    Named,
    /// Telephone numbers.
    Phone,
    /// Payment cards.
    Card,
    /// National identity, tax and social security numbers.
    NationalId,
    /// Bank account and routing numbers.
    Bank,
}
