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
            Self::TooMany => "too_many",
            Self::NoReason => "no_reason",
            Self::Protected => "protected",
            Self::OutOfRange => "out_of_range",
        }
    }
}

/// A refused rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// Id of the rule, or `allowlist[3]`, or empty where the whole file is meant.
    pub rule: String,
    /// What.
    pub kind: RuleErrorKind,
    /// Constant text: what is wrong and how to mend it.
    pub reason: &'static str,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rule.is_empty() {
            write!(f, "{}: {}", self.kind.as_str(), self.reason)
        } else {
            write!(f, "rule {}: {}: {}", self.rule, self.kind.as_str(), self.reason)
        }
    }
}

impl std::error::Error for RuleError {}
