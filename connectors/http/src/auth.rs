//! The API's door: size, API key, tenant, scope, rate, in this order.
//!
//! Must never tell why a key was refused, and never ask the database about what cannot be a key.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use terrasift_postgres::ApiKeyRow;
use terrasift_schemas::{TenantId, TraceParent};
use time::OffsetDateTime;

use crate::api_key::api_key_digest;
use crate::gate::{AnsweredFor, Gate, announced_bytes};
use crate::problem::{Code, Problem};
use crate::rate_limit;
use crate::telemetry::BackendFailed;

/// Scope of everything that reads the catalog and how it stands.
pub const CATALOG_READ_SCOPE: &str = "catalog:read";
/// Scope of everything that reads the sanitizer's audit.
pub const AUDIT_READ_SCOPE: &str = "audit:read";

/// Scope of everything that reads dead letters.
pub const DEAD_LETTERS_READ_SCOPE: &str = "dead-letters:read";
/// Scope of everything that decides about dead letters.
pub const DEAD_LETTERS_WRITE_SCOPE: &str = "dead-letters:write";

/// The door of some routes, with the scope that opens it.
#[derive(Clone)]
pub(crate) struct ApiDoor {
    pub gate: Arc<Gate>,
    pub scope: &'static str,
}

/// Who asks, proven.
#[derive(Clone)]
pub(crate) struct Caller {
    pub tenant: TenantId,
    /// For people: whose key it is.
    pub key_name: String,
}

/// Middleware of all API routes.
pub(crate) async fn authenticate(
    State(ApiDoor { gate, scope }): State<ApiDoor>,
    mut request: Request,
    next: Next,
) -> Response {
    if announced_bytes(request.headers()) > gate.config.api_body_limit_bytes {
        let detail = format!("a body here has at most {} bytes", gate.config.api_body_limit_bytes);
        return Problem::new(Code::BodyTooLarge, detail).into_response();
    }
    let trace = request.extensions().get::<TraceParent>().copied();
    let key = match find_key(&gate, request.headers(), trace).await {
        Ok(key) => key,
        Err(problem) => return problem.into_response(),
    };
    let tenant = key.tenant.clone();
    let mut response = match refusal(&gate, &key, scope) {
        None => {
            request.extensions_mut().insert(Caller { tenant: key.tenant, key_name: key.name });
            next.run(request).await
        }
        Some(response) => response,
    };
    response.extensions_mut().insert(AnsweredFor(tenant));
    response
}

async fn find_key(
    gate: &Gate,
    headers: &HeaderMap,
    trace: Option<TraceParent>,
) -> Result<ApiKeyRow, Problem> {
    let refused = || {
        let detail = "send `Authorization: Bearer tsk_…` with an api key that is valid now";
        Problem::new(Code::Unauthorized, detail).with_bearer_challenge()
    };
    let digest =
        bearer(headers).and_then(|text| api_key_digest(&gate.doors.key_pepper, text)).ok_or_else(refused)?;
    let found = gate.telemetry.timed("api_key", gate.doors.store.api_key(digest)).await;
    let row = found.map_err(|error| {
        if let Some(trace) = &trace {
            BackendFailed { what: "api key look-up", error: &error, trace }.emit();
        }
        store_unavailable()
    })?;
    let now = OffsetDateTime::now_utc();
    row.filter(|key| !key.disabled && key.expires_at.is_none_or(|expires| expires > now)).ok_or_else(refused)
}

/// What a known key may not do, or not now.
fn refusal(gate: &Gate, key: &ApiKeyRow, wanted: &str) -> Option<Response> {
    if !key.scopes.iter().any(|scope| scope == wanted) {
        let detail = format!("this route needs the scope `{wanted}`: issue a key that has it");
        return Some(Problem::new(Code::ScopeMissing, detail).into_response());
    }
    let verdict = gate.api_buckets.take(&key.tenant, gate.now(), 1);
    (!verdict.admitted).then(|| rate_limit::refusal("api", gate.api_buckets.rate(), verdict))
}

/// The token of the one `Authorization: Bearer` header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, None) = (values.next()?.to_str().ok()?, values.next()) else { return None };
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

/// The problem of every failed query. Which failure it was stands in the log.
pub(crate) fn store_unavailable() -> Problem {
    Problem::new(Code::StoreUnavailable, "the database did not answer: try again")
        .retry_after(Duration::from_secs(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bearer_header_is_wanted() {
        let cases: [(&[&str], Option<&str>); 9] = [
            (&["Bearer abc"], Some("abc")),
            (&["bearer abc"], Some("abc")),
            (&["Bearer  abc"], Some(" abc")),
            (&["Basic abc"], None),
            (&["Bearer"], None),
            (&["abc"], None),
            (&[""], None),
            (&[], None),
            (&["Bearer abc", "Bearer abc"], None),
        ];
        for (values, expected) in cases {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, value.parse().unwrap());
            }
            assert_eq!(bearer(&headers), expected, "{values:?}");
        }
    }
}
