//! How to reach Terraform Cloud.
//!
//! Must never be printable: it holds the tokens.

use std::time::Duration;

use terrasift_secrets::CurrentSecret;
use url::Url;

/// Where Terraform Cloud is and who we are there. No `Debug`: it holds the tokens.
#[derive(Clone)]
pub struct ClientConfig {
    /// Scheme, host and port, such as `https://app.terraform.io`. Trusted: the guard does not look at it.
    pub address: Url,
    /// The primary token, then the fallbacks in order, each as it is now.
    pub tokens: Vec<CurrentSecret>,
    /// Whether downloads may come from private, loopback and link-local addresses.
    pub allow_private_downloads: bool,
    /// Whether plain `http` is good enough, for the API and for downloads. Only for tests and the demo.
    pub allow_http: bool,
    /// Bounds of every wait.
    pub timeouts: Timeouts,
}

impl ClientConfig {
    /// The safe configuration: `https` only, public downloads only, default timeouts.
    #[must_use]
    pub fn new(address: Url, tokens: Vec<impl Into<CurrentSecret>>) -> Self {
        Self {
            address,
            tokens: tokens.into_iter().map(Into::into).collect(),
            allow_private_downloads: false,
            allow_http: false,
            timeouts: Timeouts::default(),
        }
    }
}

/// Bounds of every wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Name look-up and connection: 5 s.
    pub connect: Duration,
    /// A whole API call, and a download until its headers are there: 30 s.
    pub request: Duration,
    /// Between two chunks of a download: 30 s.
    pub read_idle: Duration,
    /// A whole download: 1 h, so that a drip never holds its permit for ever.
    pub download: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            request: Duration::from_secs(30),
            read_idle: Duration::from_secs(30),
            download: Duration::from_secs(3600),
        }
    }
}
