//! What a token says, before and after its signature was checked.
//!
//! Must never be believed before [`Verifier`](crate::Verifier) has checked the signature; until then it only chooses whom to ask.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The part of a header that matters. What is not known is no harm, but for `crit`, which asks not to be ignored (RFC 7515, 4.1.11).
#[derive(Deserialize)]
pub(crate) struct Header {
    pub alg: String,
    pub kid: Option<String>,
    pub typ: Option<String>,
    pub crit: Option<serde_json::Value>,
    pub b64: Option<bool>,
    pub zip: Option<serde_json::Value>,
}

/// Whom a token names as its issuer, without being believed.
#[derive(Deserialize)]
pub(crate) struct Named {
    pub iss: Option<String>,
}

/// A token's claims (RFC 7519, 4.1, and ours). Dates are seconds since 1970, possibly with a fraction.
#[derive(Deserialize)]
pub(crate) struct Claims {
    pub sub: String,
    pub exp: f64,
    pub nbf: Option<f64>,
    pub iat: Option<f64>,
    pub tenant_id: Option<String>,
    pub tenant_slug: Option<String>,
    #[serde(default)]
    pub permissions: Vec<String>,
}

/// The header and whom it names, of three parts in base64url.
pub(crate) fn unproven(token: &str) -> Option<(Header, Named)> {
    let mut parts = token.split('.');
    let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || signature.is_empty() {
        return None;
    }
    Some((decoded(header)?, decoded(claims)?))
}

fn decoded<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
