//! Certificates of clients: what of one names its bearer, and whose it is by the configuration.
//!
//! That it comes from a known authority, is valid now and meant for clients was checked in the handshake. Must never believe the subject's
//! common name, nor a wildcard.

use rustls::pki_types::CertificateDer;
use rustls_webpki::EndEntityCert;
use sha2::{Digest, Sha256};
use terrasift_schemas::TenantId;

/// What of a client's certificate can name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientCertificate {
    /// SHA-256 of the whole certificate.
    fingerprint: [u8; 32],
    /// Names of hosts, lower-case.
    hosts: Vec<String>,
    uris: Vec<String>,
}

/// What a client's certificate has to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateMark {
    /// This SHA-256.
    Fingerprint([u8; 32]),
    /// This name of a host among its alternative names; in any case, never by a wildcard.
    Dns(String),
    /// This URI among its alternative names, to the letter.
    Uri(String),
}

/// Whose certificates open the API, as whom.
#[derive(Debug, Clone)]
pub struct CertificateGrant {
    /// How the bearer is called in the audit.
    pub name: String,
    /// What tells it.
    pub mark: CertificateMark,
    /// The tenant that it speaks for.
    pub tenant: TenantId,
    /// What it may do.
    pub permissions: Vec<String>,
}

impl ClientCertificate {
    /// Reads a certificate that passed the handshake. What cannot be read has no names.
    pub(crate) fn read(der: &CertificateDer<'_>) -> Self {
        let fingerprint = Sha256::digest(der).into();
        let Ok(parsed) = EndEntityCert::try_from(der) else {
            return Self { fingerprint, hosts: Vec::new(), uris: Vec::new() };
        };
        Self {
            fingerprint,
            hosts: parsed.valid_dns_names().map(str::to_ascii_lowercase).collect(),
            uris: parsed.valid_uri_names().map(str::to_owned).collect(),
        }
    }

    /// What was granted to its bearer: by its fingerprint, or else by a name. Where names of two grants are in it, it is nobody's.
    pub(crate) fn granted<'g>(&self, grants: &'g [CertificateGrant]) -> Option<&'g CertificateGrant> {
        let exact = grants.iter().find(|grant| grant.mark == CertificateMark::Fingerprint(self.fingerprint));
        exact.or_else(|| {
            let mut named = grants.iter().filter(|grant| self.has_name(&grant.mark));
            let one = named.next()?;
            named.next().is_none().then_some(one)
        })
    }

    fn has_name(&self, mark: &CertificateMark) -> bool {
        match mark {
            CertificateMark::Fingerprint(_) => false,
            CertificateMark::Dns(host) => self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host)),
            CertificateMark::Uri(uri) => self.uris.iter().any(|own| own == uri),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(name: &str, mark: CertificateMark) -> CertificateGrant {
        let tenant = TenantId::parse("acme").unwrap();
        CertificateGrant { name: name.to_owned(), mark, tenant, permissions: Vec::new() }
    }

    /// Name, fingerprint, hosts, URIs, and whose it is.
    type Case = (&'static str, u8, &'static [&'static str], &'static [&'static str], Option<&'static str>);

    #[test]
    fn a_certificate_is_whose_fingerprint_it_has_or_whose_one_name() {
        let grants = [
            grant("pinned", CertificateMark::Fingerprint([7; 32])),
            grant("host", CertificateMark::Dns("Backstage.acme.example".into())),
            grant("service", CertificateMark::Uri("spiffe://acme/backstage".into())),
        ];
        let cases: [Case; 12] = [
            ("nothing", 1, &[], &[], None),
            ("the fingerprint", 7, &[], &[], Some("pinned")),
            ("the fingerprint before names", 7, &["backstage.acme.example"], &[], Some("pinned")),
            ("the host", 1, &["backstage.acme.example"], &[], Some("host")),
            ("the host among others", 1, &["a.example", "backstage.acme.example"], &[], Some("host")),
            ("a wildcard over the host", 1, &["*.acme.example"], &[], None),
            ("below the host", 1, &["x.backstage.acme.example"], &[], None),
            ("the host as a uri", 1, &[], &["backstage.acme.example"], None),
            ("the uri", 1, &[], &["spiffe://acme/backstage"], Some("service")),
            ("the uri in another case", 1, &[], &["spiffe://ACME/backstage"], None),
            ("below the uri", 1, &[], &["spiffe://acme/backstage/x"], None),
            ("names of two", 1, &["backstage.acme.example"], &["spiffe://acme/backstage"], None),
        ];
        for (name, fingerprint, hosts, uris, expected) in cases {
            let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            let certificate =
                ClientCertificate { fingerprint: [fingerprint; 32], hosts: own(hosts), uris: own(uris) };
            assert_eq!(certificate.granted(&grants).map(|grant| grant.name.as_str()), expected, "{name}");
        }
    }

    #[test]
    fn what_is_no_certificate_has_no_names() {
        let read = ClientCertificate::read(&CertificateDer::from(b"garbage".to_vec()));
        assert_eq!((read.hosts.len(), read.uris.len()), (0, 0));
    }
}
