//! One of `identity.certificates:` whose client certificates open the API.
//!
//! Must never trust a certificate by its common name: nobody checks those any more.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::TenantId;

/// A name fits the actor of a record of the security audit, and a line of a log.
const NAME_BYTES_MAX: usize = 64;
const SHA256_DIGITS: usize = 64;

/// A certificate, and what its bearer may do. Exactly one of the three marks.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// How its bearer is called in the audit.
    pub name: String,
    /// The tenant that it speaks for.
    pub tenant: TenantId,
    /// What it may do.
    pub permissions: Vec<String>,
    /// SHA-256 of the certificate in hex, with or without colons.
    pub fingerprint: Option<String>,
    /// A host among its subject's alternative names.
    pub dns: Option<String>,
    /// A URI among them, such as a SPIFFE id.
    pub uri: Option<String>,
}

impl Certificate {
    /// The fingerprint as 64 hex digits, if it is one.
    #[must_use]
    pub fn fingerprint_digits(&self) -> Option<String> {
        let digits = self.fingerprint.as_ref()?.replace(':', "").to_ascii_lowercase();
        let is_one = digits.len() == SHA256_DIGITS && digits.bytes().all(|b| b.is_ascii_hexdigit());
        is_one.then_some(digits)
    }

    pub(super) fn is_told_by_the_same(&self, other: &Self) -> bool {
        let marks = |certificate: &Self| {
            let dns = certificate.dns.as_ref().map(|dns| dns.to_ascii_lowercase());
            (certificate.fingerprint_digits(), dns, certificate.uri.clone())
        };
        marks(self) == marks(other)
    }

    pub(super) fn problems(&self, declared: &BTreeSet<&TenantId>, wrong: &mut impl FnMut(&str, &str)) {
        if !(1..=NAME_BYTES_MAX).contains(&self.name.len()) || self.name.chars().any(char::is_control) {
            wrong("name", "empty, above 64 bytes, or with control characters");
        }
        if !declared.contains(&self.tenant) {
            wrong("tenant", "not declared below `tenants`");
        }
        if self.permissions.is_empty() {
            wrong(
                "permissions",
                "empty: its bearer could do nothing; catalog:read is what a Backstage needs",
            );
        }
        let marks = [&self.fingerprint, &self.dns, &self.uri];
        if marks.iter().filter(|mark| mark.is_some()).count() != 1 {
            wrong("fingerprint", "exactly one of fingerprint, dns and uri tells which certificate it is");
        }
        if self.fingerprint.is_some() && self.fingerprint_digits().is_none() {
            wrong("fingerprint", "not 64 hex digits: `openssl x509 -noout -fingerprint -sha256` prints them");
        }
        if self.dns.as_ref().is_some_and(|dns| dns.is_empty() || dns.contains(['*', ' ', '/'])) {
            wrong("dns", "not the name of a host: wildcards are nobody's name");
        }
        if self.uri.as_ref().is_some_and(|uri| !uri.contains(':')) {
            wrong("uri", "not a URI, such as spiffe://example.org/backstage");
        }
    }
}
