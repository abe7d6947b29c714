//! What goes down from a key or a mark to the values below it.

use terrasift_engine::detect::{KeyVerdict, RuleIx};

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
}
