//! An issuer of tokens for the tests: one key, in a file.

use std::sync::{Arc, LazyLock};

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm as Jwa, EncodingKey, Header};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};
use terrasift_identity::{Algorithm, Issuer, IssuerKind, KeysAt, Limits, Trust, Verifier};

use crate::house::Tenant;

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "terrasift";

static PRESS: LazyLock<Press> = LazyLock::new(make);

pub struct Press {
    pub verifier: Arc<Verifier>,
    private: EncodingKey,
    _folder: tempfile::TempDir,
}

pub fn press() -> &'static Press {
    &PRESS
}

fn make() -> Press {
    let der =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).expect("key");
    let private = EncodingKey::from_ec_der(der.as_ref());
    let mut public =
        serde_json::to_value(Jwk::from_encoding_key(&private, Jwa::ES256).expect("jwk")).expect("json");
    public["kid"] = json!("one");
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("keys");
    std::fs::write(&file, json!({"keys": [public]}).to_string()).expect("keys");
    let issuer = |name: &str, issuer: &str, keys| Issuer {
        name: name.to_owned(),
        kind: IssuerKind::Standard { issuer: issuer.to_owned() },
        audience: AUDIENCE.to_owned(),
        keys: KeysAt::File(keys),
        algorithms: Algorithm::ALL.to_vec(),
        trust: Trust::All,
    };
    let issuers = vec![
        issuer("login", ISSUER, file),
        issuer("away", "https://away.example", folder.path().join("none")),
    ];
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let limits = Limits { leeway_s: 30, lifetime_max_s: 3_600 };
    let verifier = Verifier::new(issuers, limits, tls).expect("verifier");
    Press { verifier: Arc::new(verifier), private, _folder: folder }
}

impl Press {
    /// A token for a tenant, with further claims over the usual ones.
    pub fn token(&self, tenant: &Tenant, permissions: &[&str], other: Value) -> String {
        let now = time::OffsetDateTime::now_utc().unix_timestamp();
        let mut claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "iat": now, "exp": now + 600,
            "tenant_id": tenant.id.as_str(), "tenant_slug": tenant.slug, "permissions": permissions,
        });
        for (name, value) in other.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        let header = Header { kid: Some("one".to_owned()), ..Header::new(Jwa::ES256) };
        jsonwebtoken::encode(&header, &claims, &self.private).expect("token")
    }
}
