//! Reads a JWK set (RFC 7517): which of its keys may check signatures, and with what.
//!
//! Must never take more keys than a bound, a key without an id, or one that says it is for something else.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use serde::Deserialize;

use crate::Algorithm;

/// Keys of one issuer. Rotation shows two or three; Backstage keeps one for each hour of a few.
const KEYS_MAX: usize = 64;
/// Longest id of a key.
const KEY_ID_BYTES_MAX: usize = 256;
/// Bounds of an RSA modulus in bytes: below 2,048 bits it is too weak (NIST SP 800-131A), above 8,192 it costs too much to check.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// Keys by id and algorithm.
pub(crate) type KeySet = HashMap<(String, Algorithm), DecodingKey>;

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

/// The keys of a document that can be used; those that cannot are left out, as RFC 7517, 5 asks. `None`: it is no JWK set, or holds too many.
pub(crate) fn read(document: &[u8]) -> Option<KeySet> {
    let document: Document = serde_json::from_slice(document).ok()?;
    if document.keys.len() > KEYS_MAX {
        return None;
    }
    let mut keys = KeySet::new();
    let mut twice = Vec::new();
    for key in document.keys {
        let Some((id, key)) = serde_json::from_value(key).ok().and_then(|jwk| usable(&jwk)) else { continue };
        if keys.insert(id.clone(), key).is_some() {
            twice.push(id);
        }
    }
    // Which of the two is meant, nobody can tell.
    for id in twice {
        keys.remove(&id);
    }
    Some(keys)
}

fn usable(jwk: &Jwk) -> Option<((String, Algorithm), DecodingKey)> {
    let common = &jwk.common;
    let id = common.key_id.as_ref().filter(|id| !id.is_empty() && id.len() <= KEY_ID_BYTES_MAX)?;
    let for_signatures = common.public_key_use.as_ref().is_none_or(|of| *of == PublicKeyUse::Signature);
    let verifies = common.key_operations.as_ref().is_none_or(|all| all.contains(&KeyOperations::Verify));
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => Algorithm::EdDsa,
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Algorithm::Es256,
        AlgorithmParameters::RSA(key) => {
            let modulus = URL_SAFE_NO_PAD.decode(&key.n).ok()?;
            let significant = modulus.iter().skip_while(|byte| **byte == 0).count();
            MODULUS_BYTES.contains(&significant).then_some(Algorithm::Rs256)?
        }
        _ => return None,
    };
    let named = common.key_algorithm.is_none_or(|named| named.to_string() == algorithm.name());
    if !(for_signatures && verifies && named) {
        return None;
    }
    Some(((id.clone(), algorithm), DecodingKey::from_jwk(jwk).ok()?))
}
