//! Makes keys and tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm as Jwa, EncodingKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::rand_core::OsRng;
use serde_json::{Value, json};
use terrasift_identity::{Algorithm, Issuer, IssuerKind, KeysAt, Limits, Trust, Verifier};
use terrasift_schemas::TenantId;
use time::OffsetDateTime;

pub const ISSUER: &str = "https://issuer.example";
pub const AUDIENCE: &str = "terrasift";
/// All tokens are judged at this second.
pub const NOW: i64 = 1_800_000_000;
pub const LIMITS: Limits = Limits { leeway_s: 30, lifetime_max_s: 3_600 };

/// What stands before the seed in the smallest PKCS #8 document of an Ed25519 key (RFC 8410, 7).
const ED25519_PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// A key pair with its id.
pub struct Pair {
    pub id: String,
    pub algorithm: Jwa,
    pub private: EncodingKey,
}

pub fn pair(id: &str, algorithm: Algorithm) -> Pair {
    let random = SystemRandom::new();
    let (algorithm, private) = match algorithm {
        Algorithm::EdDsa => {
            let mut seed = [0; 32];
            random.fill(&mut seed).unwrap();
            (Jwa::EdDSA, EncodingKey::from_ed_der(&[&ED25519_PKCS8[..], &seed].concat()))
        }
        Algorithm::Es256 => {
            let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
            (Jwa::ES256, EncodingKey::from_ec_der(der.as_ref()))
        }
        Algorithm::Rs256 => (Jwa::RS256, rsa_key(2_048)),
    };
    Pair { id: id.to_owned(), algorithm, private }
}

pub fn rsa_key(bits: usize) -> EncodingKey {
    let key = rsa::RsaPrivateKey::new(&mut OsRng, bits).unwrap();
    EncodingKey::from_rsa_der(key.to_pkcs1_der().unwrap().as_bytes())
}

impl Pair {
    pub fn public(&self) -> Value {
        let mut key =
            serde_json::to_value(Jwk::from_encoding_key(&self.private, self.algorithm).unwrap()).unwrap();
        key["kid"] = json!(self.id);
        key["use"] = json!("sig");
        key
    }

    /// Signs any text.
    pub fn sign(&self, text: &str) -> String {
        jsonwebtoken::crypto::sign(text.as_bytes(), &self.private, self.algorithm).unwrap()
    }

    pub fn header(&self) -> Value {
        let algorithm = serde_json::to_value(self.algorithm).unwrap();
        json!({"alg": algorithm, "kid": self.id, "typ": "JWT"})
    }

    /// A token of these claims.
    pub fn token(&self, claims: &Value) -> String {
        self.token_with(&self.header(), claims)
    }

    pub fn token_with(&self, header: &Value, claims: &Value) -> String {
        self.token_of(&header.to_string(), &claims.to_string())
    }

    pub fn token_of(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", encoded(header), encoded(claims));
        let signature = self.sign(&signed);
        format!("{signed}.{signature}")
    }
}

pub fn encoded(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

pub fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": NOW + 600, "iat": NOW - 10,
        "tenant_id": "acme", "tenant_slug": "acme", "permissions": ["catalog:read"],
    })
}

/// Claims with one other.
pub fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

pub fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

pub fn document(keys: &[Value]) -> String {
    json!({"keys": keys}).to_string()
}

/// An issuer of all tenants, its keys in a file.
pub fn issuer(file: &std::path::Path) -> Issuer {
    Issuer {
        name: "login".to_owned(),
        kind: IssuerKind::Standard { issuer: ISSUER.to_owned() },
        audience: AUDIENCE.to_owned(),
        keys: KeysAt::File(file.to_owned()),
        algorithms: Algorithm::ALL.to_vec(),
        trust: Trust::All,
    }
}

/// A Backstage of one tenant.
pub fn backstage(name: &str, file: &std::path::Path, tenant: &str) -> Issuer {
    Issuer {
        name: name.to_owned(),
        kind: IssuerKind::Backstage,
        trust: Trust::One {
            tenant: TenantId::parse(tenant).unwrap(),
            permissions: vec!["catalog:read".to_owned()],
        },
        ..issuer(file)
    }
}

pub fn verifier(issuers: Vec<Issuer>) -> Verifier {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Verifier::new(issuers, LIMITS, tls).unwrap()
}

pub fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(NOW).unwrap()
}
