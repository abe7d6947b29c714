//! The front of every request: trace, time limit, security headers, log and metric; and the bodies of webhooks.
//!
//! Must never buffer more than its limits, whoever sends, and never let an answer out without its headers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use ipnet::IpNet;
use terrasift_schemas::{TenantId, TenantSlug, TraceParent};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::attempt::{Attempt, resource};
use crate::cached::{Reads, reads};
use crate::config::{Doors, HttpConfig, HttpError, Routes, TenantDoor};
use crate::cursor::CursorKey;
use crate::problem::{Code, Problem, ProblemCode};
use crate::reference::Reference;
use crate::router::CHANGES_ROUTE;
use crate::serve::Peer;
use crate::source::source;
use crate::telemetry::{RequestAnswered, Telemetry};
use crate::token_bucket::TenantBuckets;

/// Bodies above this are rare (a notification has 1 to 4 KiB), so only [`LARGE_BODIES_MAX`] may be in memory at once.
const SMALL_BODY_BYTES: usize = 16 * 1024;
/// With bodies of 1 MiB: 64 MiB at most.
const LARGE_BODIES_MAX: usize = 64;
/// Bytes of a too large body that are read and thrown away, so that a client that still writes gets to read its 413
/// instead of a connection reset.
const DISCARD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What all routes share.
pub(crate) struct Gate {
    pub doors: Doors,
    pub config: HttpConfig,
    pub routes: Routes,
    pub cursors: CursorKey,
    pub telemetry: Telemetry,
    pub webhook_buckets: TenantBuckets,
    pub api_buckets: TenantBuckets,
    pub reference: Reference,
    /// Reads through the cache, where there is one.
    pub reads: Option<Reads>,
    slugs: HashMap<String, usize>,
    large_bodies: Semaphore,
    started: Instant,
}

/// Whom a response was made for: how a handler tells the observing middleware.
#[derive(Clone)]
pub(crate) struct AnsweredFor {
    pub tenant: TenantId,
    /// For people: whose key it was, or what signed.
    pub actor: String,
}

impl Gate {
    pub(crate) fn new(doors: Doors, routes: Routes, config: HttpConfig) -> Result<Self, HttpError> {
        let mut slugs = HashMap::with_capacity(doors.tenants.len());
        for (at, tenant) in doors.tenants.iter().enumerate() {
            if slugs.insert(tenant.slug.as_str().to_owned(), at).is_some() {
                return Err(HttpError::DuplicateSlug(tenant.slug.clone()));
            }
        }
        let telemetry = Telemetry::new(&doors.registry)?;
        Ok(Self {
            cursors: CursorKey::new(doors.cursor_key),
            reads: doors.cache.as_ref().map(|cache| reads(cache, &telemetry)),
            telemetry,
            webhook_buckets: TenantBuckets::new(config.webhook_rate),
            api_buckets: TenantBuckets::new(config.api_rate),
            reference: Reference::new(),
            slugs,
            large_bodies: Semaphore::new(LARGE_BODIES_MAX),
            started: Instant::now(),
            doors,
            config,
            routes,
        })
    }

    pub(crate) fn tenant_of_slug(&self, slug: &str) -> Option<&TenantDoor> {
        self.slugs.get(slug).and_then(|at| self.doors.tenants.get(*at))
    }

    /// Whether a tenant of this id is declared, under this slug where one is given.
    pub(crate) fn is_declared(&self, id: &TenantId, slug: Option<&TenantSlug>) -> bool {
        match slug {
            Some(slug) => self.tenant_of_slug(slug.as_str()).is_some_and(|door| door.id == *id),
            None => self.doors.tenants.iter().any(|door| door.id == *id),
        }
    }

    /// Time since the start, for the token buckets.
    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Reads a body of at most `limit` bytes.
    pub(crate) async fn read_body(
        &self,
        headers: &HeaderMap,
        body: Body,
        limit: usize,
    ) -> Result<Vec<u8>, Problem> {
        let too_large = || Problem::new(Code::BodyTooLarge, format!("a body here has at most {limit} bytes"));
        let announced = announced_bytes(headers);
        if announced > DISCARD_BYTES_MAX || (announced > limit && headers.contains_key(header::EXPECT)) {
            return Err(too_large());
        }
        let (mut kept, mut seen, mut permit) = (Vec::new(), 0_usize, None);
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk =
                chunk.map_err(|_| Problem::new(Code::BodyUnreadable, "the body ended before its length"))?;
            seen = seen.saturating_add(chunk.len());
            if seen > DISCARD_BYTES_MAX {
                break;
            }
            if seen > limit || announced > limit {
                kept = Vec::new();
                continue;
            }
            if seen > SMALL_BODY_BYTES && permit.is_none() {
                permit = Some(self.large_bodies.try_acquire().map_err(|_| {
                    let detail = "too many large bodies are being read: try again";
                    Problem::new(Code::Overloaded, detail).retry_after(Duration::from_secs(1))
                })?);
            }
            kept.extend_from_slice(&chunk);
        }
        if seen > limit { Err(too_large()) } else { Ok(kept) }
    }
}

/// What `Content-Length` says; 0 when it is not there (chunked bodies are counted as they come).
pub(crate) fn announced_bytes(headers: &HeaderMap) -> usize {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    length.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The outermost middleware.
pub(crate) async fn observe(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    let method = method_label(request.method());
    let trace = trace_of(request.headers());
    let resource = resource(route, request.uri().path(), |slug| gate.tenant_of_slug(slug).is_some());
    let client = client(&request, &gate.config.trusted_proxies);
    let attempt = Attempt::begin(&gate.doors.trail, method, route, resource, &trace, client);
    request.extensions_mut().insert(trace);
    let long_poll = if route == CHANGES_ROUTE { gate.config.long_poll_max } else { Duration::ZERO };
    gate.telemetry.in_flight.inc();
    let _leaves = InFlight(&gate);
    let answer = timeout(gate.config.request_timeout.saturating_add(long_poll), next.run(request)).await;
    let mut response = answer.unwrap_or_else(|_| {
        Problem::new(Code::RequestTimeout, "the request was not whole or not answered in time")
            .into_response()
    });
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // The page for people has its own, which allows its style.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static("default-src 'none'"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    RequestAnswered {
        route,
        method,
        status: response.status().as_u16(),
        code: response.extensions().get::<ProblemCode>().map_or("", |code| code.0.as_str()),
        tenant: response.extensions().get::<AnsweredFor>().map(|answered| &answered.tenant),
        trace: &trace,
        took: started.elapsed(),
    }
    .emit(&gate.telemetry);
    let attempt = attempt.map(|attempt| attempt.ended(&response));
    if let Some(attempt) = attempt {
        attempt.record().await;
    }
    response
}

/// Where a request comes from, for the audit; empty where a trusted proxy says something that is no address.
fn client(request: &Request, trusted: &[IpNet]) -> String {
    let peer = request.extensions().get::<Peer>();
    let from = peer.and_then(|peer| source(peer.address, request.headers(), trusted));
    from.map(|from| from.to_string()).unwrap_or_default()
}

/// Counts a request out again, also when its client goes away and the future is dropped.
struct InFlight<'a>(&'a Gate);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.telemetry.in_flight.dec();
    }
}

/// The caller's trace, or a new one: a broken header is no reason to refuse an event.
fn trace_of(headers: &HeaderMap) -> TraceParent {
    let given = headers.get("traceparent").and_then(|value| value.to_str().ok());
    given
        .and_then(|text| TraceParent::parse(text).ok())
        .unwrap_or_else(|| TraceParent::from_random(rand::random()))
}

/// Methods are the client's to choose: unknown ones share a label.
fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
