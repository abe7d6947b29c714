//! The one error type of this crate's boundary.
//!
//! Must never carry a value: of a database error only the SQLSTATE code survives, because Postgres' primary messages
//! and DETAIL lines quote what was stored.

use std::fmt;

/// What a caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreErrorKind {
    /// The database is away, starting, full or slow: try again later.
    Unavailable,
    /// Two transactions got in each other's way: try again at once.
    Conflict,
    /// The partition's epoch is gone: somebody else owns it now. Stop working on it.
    Fenced,
    /// The input does not fit: trying again will not help.
    Invalid,
    /// Row-level security or a missing grant refused it.
    Refused,
    /// What is stored does not fit what this version expects, or a migration is missing.
    Corrupt,
    /// The private cluster could not be set up.
    Setup,
}

/// An error of the store: what was tried, what kind, and the SQLSTATE where the database answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError {
    kind: StoreErrorKind,
    what: String,
    sqlstate: Option<String>,
}

impl StoreError {
    pub(crate) fn new(kind: StoreErrorKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), sqlstate: None }
    }

    pub(crate) fn at_version(mut self, version: i64) -> Self {
        self.what = format!("{} (migration {version})", self.what);
        self
    }

    /// What a caller can do about it.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, StoreErrorKind::Unavailable | StoreErrorKind::Conflict)
    }

    /// Whether another connection might have done it: this one broke, was ended by the server, or was left behind by somebody.
    pub(crate) fn lost_the_connection(&self) -> bool {
        let by_state =
            |code: &str| code == LEFT_BEHIND_SQLSTATE || code.starts_with("08") || code.starts_with("57P");
        self.kind == StoreErrorKind::Unavailable && self.sqlstate.as_deref().is_none_or(by_state)
    }

    /// The five-character SQLSTATE, where the database answered.
    #[must_use]
    pub fn sqlstate(&self) -> Option<&str> {
        self.sqlstate.as_deref()
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.sqlstate {
            Some(code) => write!(f, " (sqlstate {code})"),
            None => Ok(()),
        }
    }
}

// No `source`: the chain would print what Postgres said.
impl std::error::Error for StoreError {}

/// SQLSTATE that the ledger's functions raise for a stale epoch (`migrations/0003_ledger.sql`).
pub(crate) const FENCED_SQLSTATE: &str = "TSF01";

/// SQLSTATE that a tenant's functions raise on a connection that was left behind (`migrations/0012_enter_tenant.sql`).
const LEFT_BEHIND_SQLSTATE: &str = "TSF02";

fn kind_of_sqlstate(code: &str) -> StoreErrorKind {
    match code {
        FENCED_SQLSTATE => StoreErrorKind::Fenced,
        "40001" | "40P01" | "55P03" => StoreErrorKind::Conflict,
        // 57014 is a statement timeout: the database is too slow for us now.
        "57014" | LEFT_BEHIND_SQLSTATE => StoreErrorKind::Unavailable,
        "42501" | "28000" | "28P01" => StoreErrorKind::Refused,
        _ if ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class)) => {
            StoreErrorKind::Unavailable
        }
        _ if ["21", "22", "23"].iter().any(|class| code.starts_with(class)) => StoreErrorKind::Invalid,
        _ => StoreErrorKind::Corrupt,
    }
}

/// Turns a driver error into ours; `what` says what was tried, in constant text.
pub(crate) fn wrap(what: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
    move |error| {
        let sqlstate = error.as_database_error().and_then(|e| e.code()).map(std::borrow::Cow::into_owned);
        let kind = match (&sqlstate, &error) {
            (Some(code), _) => kind_of_sqlstate(code),
            (None, sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_)) => {
                StoreErrorKind::Unavailable
            }
            (None, sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed) => {
                StoreErrorKind::Unavailable
            }
            (None, sqlx::Error::Configuration(_) | sqlx::Error::Encode(_)) => StoreErrorKind::Invalid,
            (None, _) => StoreErrorKind::Corrupt,
        };
        StoreError { kind, what: format!("cannot {what}"), sqlstate }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlstates_map_to_what_a_caller_can_do() {
        let cases = [
            ("TSF01", StoreErrorKind::Fenced),
            ("40P01", StoreErrorKind::Conflict),
            ("57P03", StoreErrorKind::Unavailable),
            ("57014", StoreErrorKind::Unavailable),
            ("53300", StoreErrorKind::Unavailable),
            ("23505", StoreErrorKind::Invalid),
            ("22P02", StoreErrorKind::Invalid),
            ("42501", StoreErrorKind::Refused),
            ("42P01", StoreErrorKind::Corrupt),
        ];
        for (code, kind) in cases {
            assert_eq!(kind_of_sqlstate(code), kind, "{code}");
        }
    }
}
