//! Who may issue tokens, and for whom: what an operator trusts.
//!
//! Must never be made from a token.

use std::path::PathBuf;

use terrasift_schemas::TenantId;
use url::Url;

/// Signature algorithms that are accepted: all asymmetric, so that who verifies cannot sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// EdDSA over Ed25519 (RFC 8037).
    EdDsa,
    /// ECDSA over P-256 with SHA-256 (RFC 7518, 3.4).
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518, 3.3), keys of 2,048 bits or more.
    Rs256,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::EdDsa, Self::Es256, Self::Rs256];

    /// As it stands in a token's header.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}

impl From<Algorithm> for jsonwebtoken::Algorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::EdDsa => Self::EdDSA,
            Algorithm::Es256 => Self::ES256,
            Algorithm::Rs256 => Self::RS256,
        }
    }
}

/// What its tokens look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssuerKind {
    /// Tokens that name their issuer: `iss` has to be this text.
    Standard {
        /// The text.
        issuer: String,
    },
    /// Backstage's tokens between its plugins: `typ` is `vnd.backstage.plugin`, the audience is the plugin that is called, and there is
    /// no `iss` (`PluginTokenHandler` of `@backstage/backend-defaults`). Whose they are, only the key tells.
    Backstage,
}

/// Where an issuer's public keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeysAt {
    /// A JWK set at this address (RFC 7517, 5). `https`, or `http` on a loopback address.
    Url(Url),
    /// A JWK set in this file, read anew as often as one at an address.
    File(PathBuf),
}

/// Which tenants an issuer speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// For this one only, with these permissions: a client's own identity provider or Backstage.
    One {
        /// The tenant.
        tenant: TenantId,
        /// What each of its tokens may do.
        permissions: Vec<String>,
    },
    /// For every declared tenant: its tokens name the tenant by `tenant_id` and `tenant_slug`, and carry `permissions`.
    All,
}

/// An issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// How it is called in logs.
    pub name: String,
    /// What its tokens look like.
    pub kind: IssuerKind,
    /// Whom its tokens must be for.
    pub audience: String,
    /// Its keys.
    pub keys: KeysAt,
    /// What it may sign with.
    pub algorithms: Vec<Algorithm>,
    /// For whom it speaks.
    pub trust: Trust,
}
