//! What goes down from a key or a mark to the values below it.

use terrasift_engine::detect::{KeyVerdict, RuleIx, RuleSet};

use crate::json::Value;

/// What a value's surroundings say about it.
#[derive(Clone, Copy)]
pub struct Around {
    /// Of the nearest key.
    pub verdict: KeyVerdict,
    /// Everything goes, by this rule; and is remembered as a secret.
    pub force: Option<(RuleIx, bool)>,
    /// Within a type expression.
    pub types: bool,
    /// Keys are flat paths.
    pub flat: bool,
}

/// Nothing is known.
pub const NOTHING: Around = Around { verdict: KeyVerdict::Plain, force: None, types: false, flat: false };

impl Around {
    pub fn forced(rule: RuleIx, learn: bool) -> Self {
        Self { force: Some((rule, learn)), ..NOTHING }
    }

    pub fn key(verdict: KeyVerdict) -> Self {
        Self { verdict, ..NOTHING }
    }
    /// What is said of an element of a list: the flag before it may tell, when it is written without escapes and this is none.
    pub fn argument(self, rules: &RuleSet, document: &str, items: &[Value], index: usize) -> Self {
        let raw = |at: usize| &document[items[at].from..items[at].to];
        if index == 0 || !raw(index).starts_with('"') || raw(index).starts_with("\"-") {
            return self;
        }
        let flag = raw(index - 1).strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let told = flag.filter(|flag| !flag.contains('\\')).and_then(|flag| rules.told_by_flag(flag));
        told.map_or(self, |verdict| Self { verdict, ..self })
    }
}
