//! Why a secret is not to be had.
//!
//! Must never hold a value, nor what a source answered: it may hold one.

use std::fmt;

use crate::SecretRef;

/// What was wrong with a secret or its reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretErrorKind {
    /// The text is no reference.
    BadReference,
    /// It is not there: variable, file, secret, version or field.
    Missing,
    /// The file cannot be read.
    Unreadable,
    /// Empty, too long, not UTF-8, with a NUL byte inside, or damaged on the way.
    BadValue,
    /// The source is there and says no.
    Refused,
    /// The source does not answer, not in time, or not in a way that is understood.
    Unavailable,
    /// Nothing says how to reach the source, or what is said is of no use.
    NotConfigured,
}

/// Why a secret is not to be had. Names the reference, never the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretError {
    pub(crate) kind: SecretErrorKind,
    pub(crate) reference: Option<SecretRef>,
    pub(crate) detail: &'static str,
}

/// A kind, and what to do about it.
pub(crate) type Refusal = (SecretErrorKind, &'static str);

impl SecretError {
    pub(crate) fn of(reference: &SecretRef, (kind, detail): Refusal) -> Self {
        Self { kind, reference: Some(reference.clone()), detail }
    }

    /// How to reach a source is not said in a way that can be used.
    pub(crate) fn configuration(detail: &'static str) -> Self {
        Self { kind: SecretErrorKind::NotConfigured, reference: None, detail }
    }

    /// What was wrong.
    #[must_use]
    pub fn kind(&self) -> SecretErrorKind {
        self.kind
    }
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reference {
            Some(reference) => write!(f, "secret {reference}: {}", self.detail),
            None => f.write_str(self.detail),
        }
    }
}

impl std::error::Error for SecretError {}
