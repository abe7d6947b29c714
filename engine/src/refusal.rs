//! Why a state is refused: what, where and how to mend it, never a value.

use std::fmt;

/// What is wrong with a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusalKind {
    /// No bytes at all.
    Empty,
    /// The bytes end in the middle.
    Truncated,
    /// Not JSON (RFC 8259).
    NotJson,
    /// Not UTF-8, or a string escapes half a surrogate pair.
    InvalidText,
    /// More nesting than the limit.
    TooDeep,
    /// Something after the document's end.
    TrailingBytes,
    /// The same member twice where it matters.
    DuplicateMember,
    /// JSON, but a plan, an old state version, or something else.
    NotAStateV4,
    /// A bounded part is larger than its bound.
    TooLarge,
    /// The sanitizer cannot decide: a person reviews.
    Undecidable,
}

impl RefusalKind {
    /// Stable code for reports and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Truncated => "truncated",
            Self::NotJson => "not_json",
            Self::InvalidText => "invalid_text",
            Self::TooDeep => "too_deep",
            Self::TrailingBytes => "trailing_bytes",
            Self::DuplicateMember => "duplicate_member",
            Self::NotAStateV4 => "not_a_state_v4",
            Self::TooLarge => "too_large",
            Self::Undecidable => "undecidable",
        }
    }
}

/// A refused state. Holds constant texts and positions only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What.
    pub kind: RefusalKind,
    /// Byte offset in the input where it was noticed.
    pub offset: u64,
    /// Constant text: what is wrong and how to mend it.
    pub detail: &'static str,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (at byte {})", self.kind.as_str(), self.detail, self.offset)
    }
}

impl std::error::Error for Refusal {}
