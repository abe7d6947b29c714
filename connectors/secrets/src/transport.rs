//! How sources outside this machine are asked.
//!
//! Must never send a credential in clear over a network.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use url::{Host, Url};

use crate::SecretError;

/// Whether credentials may go there: over TLS, or to an agent on this machine.
pub(crate) fn is_safe(address: &Url) -> bool {
    let plain = address.username().is_empty() && address.password().is_none();
    let loopback = match address.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    plain
        && match address.scheme() {
            "https" => address.host().is_some(),
            "http" => loopback,
            _ => false,
        }
}

/// TLS that believes these authorities and no other.
pub(crate) fn tls_of(authorities: &[u8]) -> Result<rustls::ClientConfig, SecretError> {
    let refuse = || SecretError::configuration("the file of authorities holds no certificates in PEM");
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authorities) {
        roots.add(certificate.map_err(|_| refuse())?).map_err(|_| refuse())?;
    }
    if roots.is_empty() {
        return Err(refuse());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    // INVARIANT: ring implements the cipher suites of TLS 1.2 and 1.3, which is all that can be missing here
    let builder = builder.expect("ring speaks the default protocol versions");
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go_over_tls_or_to_this_machine() {
        let cases = [
            ("https://vault.example:8200", true),
            ("https://10.0.0.1/", true),
            ("http://127.0.0.1:8200", true),
            ("http://[::1]:8200", true),
            ("http://localhost:8200", true),
            ("http://vault.example:8200", false),
            ("http://10.0.0.1", false),
            ("http://localhost.example", false),
            ("https://user:word@vault.example", false),
            ("unix:/run/vault.sock", false),
        ];
        for (text, safe) in cases {
            assert_eq!(is_safe(&text.parse().expect(text)), safe, "{text}");
        }
    }
}
