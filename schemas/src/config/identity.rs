//! `identity:` whose signed tokens open the API.
//!
//! Must never hold a secret: what checks a token is public.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::TenantId;
use crate::config::Certificate;

/// Clocks that differ by more are broken.
const LEEWAY_S_MAX: u32 = 300;
/// With the longest sender behind it, a name fits the actor of a record of the security audit.
const NAME_BYTES_MAX: usize = 64;
/// A token that opens the API for longer than a day is a key.
const LIFETIME_S_MAX: u32 = 86_400;

/// `identity:`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// How far an issuer's clock and ours may differ, in seconds.
    pub leeway_s: u32,
    /// Longest time from now to a token's end, in seconds.
    pub lifetime_max_s: u32,
    /// Whose tokens are accepted; none: API keys alone open the API.
    pub issuers: Vec<TokenIssuer>,
    /// Whose client certificates are accepted.
    pub certificates: Vec<Certificate>,
}

/// An issuer of tokens.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenIssuer {
    /// How it is called in logs.
    pub name: String,
    /// What its tokens look like.
    #[serde(default)]
    pub kind: TokenKind,
    /// What `iss` has to be, for the standard kind.
    pub issuer: Option<String>,
    /// Whom tokens must be for.
    pub audience: String,
    /// Address of its JWK set.
    pub keys_url: Option<String>,
    /// File with its JWK set, in place of an address.
    pub keys_file: Option<String>,
    /// What it may sign with.
    #[serde(default = "TokenAlgorithm::all")]
    pub algorithms: Vec<TokenAlgorithm>,
    /// The one tenant that it speaks for; absent: tokens name a tenant, and carry their permissions.
    pub tenant: Option<TenantId>,
    /// What its tokens may do, where it speaks for one tenant.
    #[serde(default)]
    pub permissions: Vec<String>,
}

/// What tokens look like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// JSON Web Tokens with `iss`.
    #[default]
    Standard,
    /// Backstage's tokens between plugins.
    Backstage,
}

/// Signature algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenAlgorithm {
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// P-256.
    #[serde(rename = "ES256")]
    Es256,
    /// RSA of 2,048 bits or more.
    #[serde(rename = "RS256")]
    Rs256,
}

impl TokenAlgorithm {
    fn all() -> Vec<Self> {
        vec![Self::EdDsa, Self::Es256, Self::Rs256]
    }
}

impl Identity {
    pub(super) fn problems(&self, declared: &BTreeSet<&TenantId>, wrong: &mut impl FnMut(&str, &str)) {
        if self.leeway_s > LEEWAY_S_MAX {
            wrong("identity.leeway_s", "more than five minutes: mend the clocks instead");
        }
        if !(60..=LIFETIME_S_MAX).contains(&self.lifetime_max_s) {
            wrong("identity.lifetime_max_s", "not within a minute and a day");
        }
        let mut names = BTreeSet::new();
        for (index, issuer) in self.issuers.iter().enumerate() {
            let mut wrong =
                |key: &str, problem: &str| wrong(&format!("identity.issuers[{index}].{key}"), problem);
            let fits = (1..=NAME_BYTES_MAX).contains(&issuer.name.len());
            if !fits || !names.insert(&issuer.name) {
                wrong(
                    "name",
                    "empty, above 64 bytes, or that of an issuer above: names tell issuers apart in logs and audit",
                );
            }
            issuer.problems(declared, &mut wrong);
        }
        for (index, certificate) in self.certificates.iter().enumerate() {
            let mut wrong =
                |key: &str, problem: &str| wrong(&format!("identity.certificates[{index}].{key}"), problem);
            certificate.problems(declared, &mut wrong);
            let mut above = self.certificates.iter().take(index);
            if above.any(|other| other.name == certificate.name || other.is_told_by_the_same(certificate)) {
                wrong("name", "a certificate above has this name, or this mark: each names one bearer");
            }
        }
    }
}

impl TokenIssuer {
    fn problems(&self, declared: &BTreeSet<&TenantId>, wrong: &mut impl FnMut(&str, &str)) {
        let named = self.issuer.as_ref().is_some_and(|issuer| !issuer.is_empty());
        match self.kind {
            TokenKind::Standard if !named => wrong("issuer", "missing: the text that `iss` has to be"),
            TokenKind::Backstage if self.issuer.is_some() => {
                wrong("issuer", "Backstage's tokens name no issuer: leave it out");
            }
            TokenKind::Backstage if self.tenant.is_none() => {
                wrong(
                    "tenant",
                    "missing: Backstage's tokens name no tenant, so each Backstage speaks for one",
                );
            }
            TokenKind::Standard | TokenKind::Backstage => {}
        }
        if self.audience.is_empty() {
            wrong("audience", "empty: a token for anybody would open the API");
        }
        if self.keys_url.is_some() == self.keys_file.is_some() {
            wrong("keys_url", "exactly one of keys_url and keys_file tells where its keys are");
        }
        if self.algorithms.is_empty() {
            wrong("algorithms", "empty: name at least one of EdDSA, ES256, RS256");
        }
        match &self.tenant {
            Some(tenant) if !declared.contains(tenant) => wrong("tenant", "not declared below `tenants`"),
            Some(_) if self.permissions.is_empty() => {
                wrong(
                    "permissions",
                    "empty: its tokens could do nothing; catalog:read is what a Backstage needs",
                );
            }
            None if !self.permissions.is_empty() => {
                wrong(
                    "permissions",
                    "without a tenant, tokens carry their own: leave it out, or name a tenant",
                );
            }
            Some(_) | None => {}
        }
    }
}
