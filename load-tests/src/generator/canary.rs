//! Owns what a planted secret is. Canaries are made up at run time from a seed; it must never hold a real secret.

use serde::Serialize;

/// What kind of harm a leak would do; the categories of the sanitization rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// Data about a person.
    Pii,
    /// What opens a door.
    Credential,
    /// What maps the inside.
    Infrastructure,
}

impl Category {
    /// The name in reports: `pii`, `credential`, `infrastructure`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pii => "pii",
            Self::Credential => "credential",
            Self::Infrastructure => "infrastructure",
        }
    }
}

/// One planted secret: if `text` stands anywhere outside the state file, it leaked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Canary {
    /// The exact secret span, decoded (a whole private key has real line feeds).
    pub text: String,
    /// Which format, for example `github-classic-token`.
    pub family: &'static str,
    /// Category of the harm.
    pub category: &'static str,
    /// Where it was planted, for example `json-in-string` or `index-key`. A place that ends in `:encoded` says that `text` is the
    /// encoded form of another canary (base64).
    pub place: &'static str,
}
