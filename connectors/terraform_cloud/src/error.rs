//! What can go wrong with Terraform Cloud, as one small type.
//!
//! Must never carry a URL (download URLs are secrets), a body or a token: all texts here are constants.

use std::fmt;
use std::time::Duration;

/// What went wrong, in the classes a caller can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Every token was refused (401): a person must mend it. The next call starts with the primary token again.
    Unauthorized,
    /// This token was refused (401); the next call uses the next one. It may be another user's, with another budget.
    TokenRefused,
    /// 404: gone, or not allowed to be seen.
    NotFound,
    /// 429: nobody with this user's tokens should ask again before this time has passed.
    RateLimited(Duration),
    /// Any other status than success.
    Upstream(u16),
    /// No answer, or no further byte, in time.
    Timeout,
    /// No connection, or it broke before the answer.
    Connection,
    /// The answer is not what the API documents.
    BadBody,
    /// The download leads where we must not go: a private address, another scheme, too many redirects.
    GuardRefused,
    /// The download URL is no longer good (403, 404, 410): read the workspace again for a new one.
    Expired,
    /// The download ended before, or went on after, its declared length.
    Truncated,
    /// The configuration is not usable: a person must mend it.
    Configuration,
}

/// A Terraform Cloud failure: its kind and what was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TfcError {
    kind: FailureKind,
    what: &'static str,
}

impl TfcError {
    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// What was tried, a constant.
    #[must_use]
    pub fn what(&self) -> &'static str {
        self.what
    }

    pub(crate) fn new(kind: FailureKind, what: &'static str) -> Self {
        Self { kind, what }
    }

    /// Classifies a transport failure without looking at its text: that prints the URL.
    pub(crate) fn transport(what: &'static str, error: &reqwest::Error) -> Self {
        let kind = if crate::resolver::was_refused(error) {
            FailureKind::GuardRefused
        } else if error.is_timeout() {
            FailureKind::Timeout
        } else {
            FailureKind::Connection
        };
        Self::new(kind, what)
    }
}

impl fmt::Display for TfcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.what;
        match self.kind {
            FailureKind::Unauthorized => write!(f, "{what}: no token was accepted; put a valid one in place"),
            FailureKind::TokenRefused => {
                write!(f, "{what}: the token was refused; the next one is used from now on")
            }
            FailureKind::NotFound => write!(f, "{what}: not found, or the token may not see it"),
            FailureKind::RateLimited(wait) => {
                write!(f, "{what}: over the rate limit for another {} ms", wait.as_millis())
            }
            FailureKind::Upstream(status) => {
                write!(f, "{what}: terraform cloud answered with status {status}")
            }
            FailureKind::Timeout => write!(f, "{what}: no answer in time"),
            FailureKind::Connection => write!(f, "{what}: no connection, or it broke"),
            FailureKind::BadBody => write!(f, "{what}: the answer is not what the api documents"),
            FailureKind::GuardRefused => {
                write!(
                    f,
                    "{what}: the guard refused the address; see `allow_private_downloads` for private networks"
                )
            }
            FailureKind::Expired => write!(f, "{what}: the download link is no longer good"),
            FailureKind::Truncated => write!(f, "{what}: the body has not its declared length"),
            FailureKind::Configuration => write!(f, "{what}"),
        }
    }
}

impl std::error::Error for TfcError {}
