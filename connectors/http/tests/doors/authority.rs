//! Authorities for the tests: what they issue to servers and clients, good and bad.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use sha2::{Digest, Sha256};
use terrasift_http::{CertificateGrant, CertificateMark, ClientAuthority, TlsMaterial};
use terrasift_schemas::TenantId;
use terrasift_secrets::Secret;
use time::OffsetDateTime;

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::make("authority"));
static STRANGER: LazyLock<Authority> = LazyLock::new(|| Authority::make("stranger"));
static IMPOSTOR: LazyLock<Authority> = LazyLock::new(|| Authority::make("authority"));
static PINNED: LazyLock<Bearer> = LazyLock::new(self_signed);

/// Issues certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

/// A certificate with its key.
pub struct Bearer {
    certificate: CertificateDer<'static>,
    pem: String,
    key: KeyPair,
}

/// The one that servers and clients believe.
pub fn authority() -> &'static Authority {
    &AUTHORITY
}

/// One that nobody believes.
pub fn stranger() -> &'static Authority {
    &STRANGER
}

/// One that has the name of the one that is believed.
pub fn impostor() -> &'static Authority {
    &IMPOSTOR
}

/// A certificate that nobody issued but its bearer.
pub fn pinned() -> &'static Bearer {
    &PINNED
}

/// What the tests' houses grant to certificates.
pub fn grants(a: &TenantId, b: &TenantId) -> Vec<CertificateGrant> {
    let grant = |name: &str, mark, tenant: &TenantId, permission: &str| CertificateGrant {
        name: name.to_owned(),
        mark,
        tenant: tenant.clone(),
        permissions: vec![permission.to_owned()],
    };
    let fingerprint = Sha256::digest(&pinned().certificate).into();
    vec![
        grant("service a", CertificateMark::Uri(format!("spiffe://example/{a}")), a, "catalog:read"),
        grant("service b", CertificateMark::Uri(format!("spiffe://example/{b}")), b, "catalog:read"),
        grant("host a", CertificateMark::Dns(format!("{a}.example")), a, "audit:read"),
        grant("pinned", CertificateMark::Fingerprint(fingerprint), a, "catalog:admin"),
    ]
}

pub fn for_clients(names: Vec<SanType>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.subject_alt_names = names;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

pub fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().expect("a uri"))
}

pub fn dns(text: &str) -> SanType {
    SanType::DnsName(text.try_into().expect("a name"))
}

/// Days from now.
pub fn days(days: i64) -> OffsetDateTime {
    OffsetDateTime::now_utc() + time::Duration::days(days)
}

fn self_signed() -> Bearer {
    let key = KeyPair::generate().expect("key");
    let certificate = for_clients(vec![dns("pinned.example")]).self_signed(&key).expect("certificate");
    Bearer { certificate: certificate.der().clone(), pem: certificate.pem(), key }
}

impl Authority {
    fn make(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("key");
        let certificate = params.self_signed(&key).expect("certificate");
        let (pem, certificate) = (certificate.pem(), certificate.der().clone());
        Self { issuer: Issuer::new(params, key), certificate, pem }
    }

    pub fn issue(&self, params: &CertificateParams) -> Bearer {
        let key = KeyPair::generate().expect("key");
        let certificate = params.signed_by(&key, &self.issuer).expect("certificate");
        Bearer { certificate: certificate.der().clone(), pem: certificate.pem(), key }
    }

    /// What a server on this machine shows.
    pub fn server(&self) -> Bearer {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("params");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(&params)
    }
}

/// What a server is started with; `required` where it asks its clients for certificates.
pub fn material(server: &Bearer, required: Option<bool>) -> TlsMaterial {
    let certificates = format!("{}{}", authority().pem, pinned().pem).into_bytes();
    TlsMaterial {
        certificate: server.pem.clone().into_bytes(),
        key: Secret::new(server.key.serialize_pem()),
        clients: required.map(|required| ClientAuthority { certificates, required }),
    }
}

/// A client that believes the authority, and shows a certificate if it has one.
pub fn client(bearer: Option<&Bearer>, version: &'static SupportedProtocolVersion) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(authority().certificate.clone()).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .expect("a version")
        .with_root_certificates(roots);
    Arc::new(match bearer {
        None => builder.with_no_client_auth(),
        Some(bearer) => {
            let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(bearer.key.serialize_der()));
            builder.with_client_auth_cert(vec![bearer.certificate.clone()], key).expect("a certificate")
        }
    })
}

/// What a handshake may take in these tests.
pub const HANDSHAKE: Duration = Duration::from_millis(700);
