//! The API's door: size, who asks, tenant, permission, rate, in this order.
//!
//! Who asks is told by the `Authorization` header alone where there is one: a key that is over is not made good by a certificate.
//! Without one, by the client's certificate; in development by a header that names the tenant. Must never tell why a key or a token was refused, and never ask the database about what cannot be a key.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use terrasift_identity::{Refused, Verifier};
use terrasift_postgres::{ApiKeyRow, CatalogVersion};
use terrasift_schemas::{TenantId, TraceParent};
use time::OffsetDateTime;

use crate::access::{Permission, Scope, allowed};
use crate::api_key::api_key_digest;
use crate::certificate::ClientCertificate;
use crate::gate::{AnsweredFor, Gate, announced_bytes};
use crate::problem::{Code, Problem, tenant_suspended};
use crate::rate_limit;
use crate::serve::Peer;
use crate::telemetry::{BackendFailed, TokenRefused};

/// Names a tenant, in development.
const DEVELOPMENT_HEADER: &str = "x-terrasift-dev-tenant";
/// What proxies add: who stands before one is not on this machine.
const PROXIED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];
/// What an API key begins with; everything else is a token, or nothing.
const KEY_PREFIX: &str = "tsk_";

/// The door of a route, with what its caller must be allowed.
#[derive(Clone)]
pub(crate) struct ApiDoor {
    pub gate: Arc<Gate>,
    pub wanted: Permission,
    /// Whether the route shows a caller of some namespaces what is in those, and no more.
    pub by_namespace: bool,
}

/// Who asks, proven.
#[derive(Clone)]
pub(crate) struct Caller {
    pub tenant: TenantId,
    /// For people: `api key`, its number and its name, `token`, its issuer and its sender, `certificate` and its name, or `development header`.
    pub name: String,
    /// How new the tenant's catalog was, where the proof told it.
    pub version: Option<CatalogVersion>,
}

/// What was granted to who asks, for routes that hand something of it on.
#[derive(Clone)]
pub(crate) struct Granted(pub Vec<String>);

/// Who asks, with what was granted.
struct Known {
    caller: Caller,
    granted: Vec<String>,
    suspended: bool,
}

/// Middleware of all API routes.
pub(crate) async fn authenticate(State(door): State<ApiDoor>, mut request: Request, next: Next) -> Response {
    let gate = &door.gate;
    if announced_bytes(request.headers()) > gate.config.api_body_limit_bytes {
        let detail = format!("a body here has at most {} bytes", gate.config.api_body_limit_bytes);
        return Problem::new(Code::BodyTooLarge, detail).into_response();
    }
    let trace = request.extensions().get::<TraceParent>().copied();
    let peer = request.extensions().get::<Peer>().cloned();
    let known = match identify(gate, request.headers(), peer, trace).await {
        Ok(known) => known,
        Err(problem) => return problem.into_response(),
    };
    let answered = AnsweredFor { tenant: known.caller.tenant.clone(), actor: known.caller.name.clone() };
    let mut response = match admit(&door, &known) {
        Ok(scope) => {
            request.extensions_mut().insert(known.caller);
            request.extensions_mut().insert(scope);
            request.extensions_mut().insert(Granted(known.granted));
            next.run(request).await
        }
        Err(response) => *response,
    };
    response.extensions_mut().insert(answered);
    response
}

async fn identify(
    gate: &Gate,
    headers: &HeaderMap,
    peer: Option<Peer>,
    trace: Option<TraceParent>,
) -> Result<Known, Problem> {
    if headers.contains_key(header::AUTHORIZATION) {
        let text = bearer(headers).ok_or_else(unauthorized)?;
        return match &gate.doors.tokens {
            Some(verifier) if !text.starts_with(KEY_PREFIX) => by_token(gate, verifier, text, trace).await,
            _ => by_key(gate, text, trace).await,
        };
    }
    let known = match peer {
        Some(peer) if gate.config.development_header && headers.contains_key(DEVELOPMENT_HEADER) => {
            by_development_header(gate, headers, &peer)
        }
        Some(Peer { certificate: Some(shown), .. }) => by_certificate(gate, &shown),
        _ => None,
    };
    known.ok_or_else(unauthorized)
}

/// The bearer of a certificate that passed the handshake, where the configuration knows it.
fn by_certificate(gate: &Gate, shown: &ClientCertificate) -> Option<Known> {
    let grant = shown.granted(&gate.doors.certificates)?;
    let name = format!("certificate {}", grant.name);
    let caller = Caller { tenant: grant.tenant.clone(), name, version: None };
    let suspended = gate.doors.store.is_suspended(&caller.tenant);
    gate.is_declared(&caller.tenant, None).then(|| Known {
        caller,
        granted: grant.permissions.clone(),
        suspended,
    })
}

/// Whoever names a declared tenant from this machine.
fn by_development_header(gate: &Gate, headers: &HeaderMap, peer: &Peer) -> Option<Known> {
    let mut values = headers.get_all(DEVELOPMENT_HEADER).iter();
    let (value, None) = (values.next()?.to_str().ok()?, values.next()) else { return None };
    if !peer.address.is_loopback() || PROXIED.iter().any(|name| headers.contains_key(*name)) {
        return None;
    }
    let tenant = TenantId::parse(value).ok().filter(|tenant| gate.is_declared(tenant, None))?;
    let granted = Permission::ALL.map(|permission| permission.name().to_owned()).to_vec();
    let suspended = gate.doors.store.is_suspended(&tenant);
    let caller = Caller { tenant, name: "development header".to_owned(), version: None };
    Some(Known { caller, granted, suspended })
}

/// One answer to everything that does not tell who asks.
fn unauthorized() -> Problem {
    let detail = "send `Authorization: Bearer …` with an api key or a token that is valid now, or show a client certificate that is known here";
    Problem::new(Code::Unauthorized, detail).with_bearer_challenge()
}

async fn by_key(gate: &Gate, text: &str, trace: Option<TraceParent>) -> Result<Known, Problem> {
    let digest = api_key_digest(&gate.doors.key_pepper, text).ok_or_else(unauthorized)?;
    let found = gate.telemetry.timed("api_key", gate.doors.store.api_key(digest)).await;
    let row = found.map_err(|error| {
        if let Some(trace) = &trace {
            BackendFailed { what: "api key look-up", error: &error, trace }.emit();
        }
        store_unavailable()
    })?;
    let now = OffsetDateTime::now_utc();
    let valid = |key: &ApiKeyRow| !key.disabled && key.expires_at.is_none_or(|expires| expires > now);
    let key = row.filter(valid).ok_or_else(unauthorized)?;
    gate.doors.key_uses.note(&key.tenant, key.id, now);
    // Two keys can have one name.
    let name = format!("api key {} {}", key.id.0, key.name);
    let caller = Caller { tenant: key.tenant, name, version: key.version };
    Ok(Known { caller, granted: key.scopes, suspended: key.suspended })
}

async fn by_token(
    gate: &Gate,
    verifier: &Verifier,
    text: &str,
    trace: Option<TraceParent>,
) -> Result<Known, Problem> {
    let refuse = |reason: Refused| {
        TokenRefused { reason, trace: trace.as_ref() }.emit(&gate.telemetry);
        match reason {
            Refused::KeysUnavailable => Problem::new(
                Code::IssuerUnavailable,
                "the keys of the token's issuer cannot be read: try again",
            )
            .retry_after(Duration::from_secs(30)),
            _ => unauthorized(),
        }
    };
    let identity = verifier.verify(text, OffsetDateTime::now_utc()).await.map_err(refuse)?;
    // Id and slug have to be of one declared tenant: a token for a tenant of before opens nothing.
    if !gate.is_declared(&identity.tenant, identity.slug.as_ref()) {
        return Err(refuse(Refused::Incomplete));
    }
    Ok(Known {
        suspended: gate.doors.store.is_suspended(&identity.tenant),
        caller: Caller {
            tenant: identity.tenant,
            name: format!("token {}", identity.subject),
            version: None,
        },
        granted: identity.permissions,
    })
}

/// How much somebody who is known may see; or that this may not be, or not now.
fn admit(door: &ApiDoor, known: &Known) -> Result<Scope, Box<Response>> {
    let ApiDoor { gate, wanted, by_namespace } = door;
    if known.suspended {
        return Err(Box::new(tenant_suspended().into_response()));
    }
    let refused = |detail| Box::new(Problem::new(Code::ScopeMissing, detail).into_response());
    let wanted_name = wanted.name();
    let scope = match allowed(&known.granted, *wanted) {
        None => {
            return Err(refused(format!(
                "this route needs `{wanted_name}`: use a key or a token that has it"
            )));
        }
        Some(Scope::Namespaces(_)) if !by_namespace => {
            let detail =
                format!("this route shows the whole tenant: it needs `{wanted_name}` without a namespace");
            return Err(refused(detail));
        }
        Some(scope) => scope,
    };
    let verdict = gate.api_buckets.take(&known.caller.tenant, gate.now(), 1);
    if !verdict.admitted {
        return Err(Box::new(rate_limit::refusal("api", gate.api_buckets.rate(), verdict)));
    }
    Ok(scope)
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
