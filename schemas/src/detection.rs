//! What the sanitizer found: never the value, only where, by which rule, and how much.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of thing a rule protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Data about a person: e-mail, phone, national id, card, bank account, name, address.
    Pii,
    /// What opens a door: password, token, key, connection string.
    Credential,
    /// What maps the inside of a network: private addresses and the like.
    Infrastructure,
}

impl Category {
    /// As it stands in reports and markers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pii => "pii",
            Self::Credential => "credential",
            Self::Infrastructure => "infrastructure",
        }
    }
}

/// What happens to a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Replaced by `[REDACTED:<category>]`.
    Redact,
    /// Replaced by `[HASHED:<category>:<16 hex>]`, an HMAC-SHA-256 under the tenant's key.
    Hash,
    /// Let through on purpose.
    Allow,
}

/// One redaction in one state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Detection {
    /// Id of the rule that decided.
    pub rule: String,
    /// Category of the rule.
    pub category: Category,
    /// What was done.
    pub action: Action,
    /// RFC 6901 pointer into the *output*: an input key can itself be a secret.
    pub pointer: String,
    /// Bytes of the input value that were replaced (decoded length).
    pub bytes: u64,
}

/// The findings of one state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// In the order of the output. Capped; `truncated` says so.
    pub detections: Vec<Detection>,
    /// Number of detections by category, including those above the cap.
    pub counts: BTreeMap<Category, u64>,
    /// Detections that are counted but not listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub truncated: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde wants")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}
