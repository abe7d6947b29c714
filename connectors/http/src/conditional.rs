//! Entity tags: a page is sent once, and 304 says "as you have it" (RFC 9110, section 13).
//!
//! Pages belong to a tenant: a shared cache must never keep them. What is the same for everybody it may keep for some minutes.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::problem::{NOT_MODIFIED, OK};

/// Answers with a JSON body, or with 304 when the client has it.
pub(crate) fn json_response(request: &HeaderMap, body: Vec<u8>) -> Response {
    let digest: [u8; 32] = Sha256::digest(&body).into();
    json_response_tagged(request, body, &digest)
}

/// Answers with what is the same for everybody.
pub(crate) fn public_response(request: &HeaderMap, media: &'static str, body: Bytes) -> Response {
    let digest: [u8; 32] = Sha256::digest(&body).into();
    let mut response = tagged(request, media, body, &digest);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

/// The same with the body's SHA-256 at hand.
pub(crate) fn json_response_tagged(request: &HeaderMap, body: Vec<u8>, digest: &[u8; 32]) -> Response {
    let mut response = tagged(request, "application/json", body, digest);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("Authorization"));
    response
}

fn tagged(request: &HeaderMap, media: &'static str, body: impl IntoResponse, digest: &[u8; 32]) -> Response {
    let tag = format!("\"{}\"", hex::encode(&digest[..16]));
    let mut response = if client_has(request, &tag) {
        NOT_MODIFIED.into_response()
    } else {
        (OK, [(header::CONTENT_TYPE, HeaderValue::from_static(media))], body).into_response()
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Weak comparison, as `If-None-Match` wants it. Our tags hold neither commas nor quotes, so splitting is exact enough:
/// a foreign tag with a comma inside cannot become ours.
fn client_has(request: &HeaderMap, tag: &str) -> bool {
    let values = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|candidate| candidate == "*" || candidate.strip_prefix("W/").unwrap_or(candidate) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_none_match_compares_weakly_over_a_list() {
        let own = json_response(&HeaderMap::new(), b"{}".to_vec()).headers()[header::ETAG]
            .to_str()
            .unwrap()
            .to_owned();
        let bare = own.trim_matches('"');
        let cases = [
            (own.clone(), true),
            (format!("W/{own}"), true),
            ("*".into(), true),
            (format!("\"x\", {own} ,\"y\""), true),
            (bare.into(), false),
            ("\"x\"".into(), false),
            (String::new(), false),
            (format!("w/{own}"), false),
        ];
        for (value, unchanged) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, value.parse().unwrap());
            let response = json_response(&headers, b"{}".to_vec());
            assert_eq!(response.status() == NOT_MODIFIED, unchanged, "{value}");
            assert_eq!(response.headers()[header::ETAG], own.as_str());
            assert_eq!(response.headers()[header::CACHE_CONTROL], "private, no-cache");
        }
    }
}
