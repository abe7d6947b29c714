//! Why a rule file is refused. Holds the rule's id and constant texts, never a pattern or a value.

use std::fmt;

/// What is wrong with a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RuleErrorKind {
    /// Empty, too long, or not kebab-case.
    BadId,
    /// Two rules share an id.
    DuplicateId,
    /// `disable` or an allowlist names a rule that does not exist.
    UnknownRule,
    /// A rule without pattern and key pattern.
    NoPattern,
    /// Not a regular expression.
    BadPattern,
    /// The regular expression matches the empty string.
    MatchesEmpty,
    /// The pattern is longer, or compiles to more states, than the limit.
    TooLarge,
    /// The pattern would take too long to compile.
    TooSlow,
    /// More rules or allowlist entries than the limit.
    TooMany,
    /// An allowlist entry without a reason.
    NoReason,
    /// The rule guards private keys or Terraform's own marks and cannot be switched off.
    Protected,
    /// A number outside of its range.
    OutOfRange,
}

impl RuleErrorKind {
    /// Stable code for reports and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadId => "bad_id",
            Self::DuplicateId => "duplicate_id",
            Self::UnknownRule => "unknown_rule",
            Self::NoPattern => "no_pattern",
            Self::BadPattern => "bad_pattern",
            Self::MatchesEmpty => "matches_empty",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::TooMany => "too_many",
            Self::NoReason => "no_reason",
            Self::Protected => "protected",
            Self::OutOfRange => "out_of_range",
        }
    }
}

/// Where in a rule file: enough to find the line of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RulePlace {
    /// Key at the top: `version`, `disable`, `rules`, `allowlist`; empty: the whole file.
    pub key: &'static str,
    /// Place in that list, from 0.
    pub index: Option<usize>,
    /// Key of that entry.
    pub field: Option<&'static str>,
}

impl RulePlace {
    /// An entry of a list.
    #[must_use]
    pub fn entry(key: &'static str, index: usize) -> Self {
        Self { key, index: Some(index), field: None }
    }

    /// A field of this entry.
    #[must_use]
    pub fn field(self, field: &'static str) -> Self {
        Self { field: Some(field), ..self }
    }
}

impl fmt::Display for RulePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key)?;
        if let Some(index) = self.index {
            write!(f, "[{index}]")?;
        }
        if let Some(field) = self.field {
            write!(f, ".{field}")?;
        }
        Ok(())
    }
}

/// A refused rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// Where.
    pub place: RulePlace,
    /// Id of the rule where it has a valid one, or empty.
    pub rule: String,
    /// What.
    pub kind: RuleErrorKind,
    /// Constant text: what is wrong and how to mend it.
    pub reason: &'static str,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.rule.is_empty() {
            write!(f, "rule {}: ", self.rule)?;
        }
        if !self.place.key.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        write!(f, "{}: {}", self.kind.as_str(), self.reason)
    }
}

impl std::error::Error for RuleError {}
