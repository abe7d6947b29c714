//! The `RateLimit` and `RateLimit-Policy` headers (draft-ietf-httpapi-ratelimit-headers) and the 429 that carries them.

use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};

use crate::problem::{Code, Problem, whole_seconds};
use crate::token_bucket::{Rate, Verdict};

/// Adds both headers.
pub(crate) fn add_headers(headers: &mut HeaderMap, policy: &'static str, rate: Rate, verdict: Verdict) {
    let quota = format!("\"{policy}\";q={};w={}", rate.capacity, whole_seconds(rate.window));
    let left = format!("\"{policy}\";r={};t={}", verdict.remaining, whole_seconds(verdict.wait));
    for (name, value) in [("ratelimit-policy", quota), ("ratelimit", left)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}

/// The 429.
pub(crate) fn refusal(policy: &'static str, rate: Rate, verdict: Verdict) -> Response {
    let detail = "this tenant is above its rate: try again after `Retry-After` seconds";
    let mut response = Problem::new(Code::RateLimited, detail).retry_after(verdict.wait).into_response();
    add_headers(response.headers_mut(), policy, rate, verdict);
    response
}
