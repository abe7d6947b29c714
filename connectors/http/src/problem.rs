//! RFC 9457 problem details: every error body and every HTTP status code of Terrasift stands here.
//!
//! Codes are API: they are never renamed. Must never carry a value that a client sent.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::attempt::CrossedTenants;

/// Answer of a request that was done.
pub const OK: StatusCode = StatusCode::OK;
/// Answer of a request that made something.
pub const CREATED: StatusCode = StatusCode::CREATED;
/// Answer of a webhook whose event is in Kafka.
pub const ACCEPTED: StatusCode = StatusCode::ACCEPTED;
/// Answer of a conditional request whose content did not change.
pub const NOT_MODIFIED: StatusCode = StatusCode::NOT_MODIFIED;

/// Declares the codes in one table: variant, status, code, title.
macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident, $status:ident, $code:literal, $title:literal;)*) => {
        /// What went wrong, as a stable code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// Every code, for tables and documents.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The HTTP status.
            #[must_use]
            pub fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            /// The code as it stands in `code` and in metrics.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

codes! {
    /// Signature, API key or token absent, malformed, unknown, expired: deliberately one code.
    Unauthorized, UNAUTHORIZED, "unauthorized", "authentication failed";
    /// Key or token lack the permission.
    ScopeMissing, FORBIDDEN, "scope_missing", "the api key or token does not allow this";
    /// A key would open more than who asks for it may do.
    ScopeEscalation, FORBIDDEN, "scope_escalation", "a key opens no more than who asks for it";
    /// Signed by the tenant, but sent from where it does not send from.
    SourceNotAllowed, FORBIDDEN, "source_not_allowed", "deliveries do not come from this address";
    /// An operator has suspended the tenant.
    TenantSuspended, FORBIDDEN, "tenant_suspended", "the tenant is suspended";
    /// The keys that would prove a token cannot be read.
    IssuerUnavailable, SERVICE_UNAVAILABLE, "issuer_unavailable", "the issuer of the token does not answer";
    /// No such route.
    RouteNotFound, NOT_FOUND, "route_not_found", "no such route";
    /// No such entity in this tenant.
    EntityNotFound, NOT_FOUND, "entity_not_found", "no such entity";
    /// No such workspace in this tenant.
    WorkspaceNotFound, NOT_FOUND, "workspace_not_found", "no such workspace";
    /// No such audit record in this tenant.
    AuditNotFound, NOT_FOUND, "audit_not_found", "no such audit record";
    /// No such dead letter in this tenant.
    DeadLetterNotFound, NOT_FOUND, "dead_letter_not_found", "no such dead letter";
    /// The letter is discarded or closed.
    DeadLetterSettled, CONFLICT, "dead_letter_settled", "the dead letter is settled";
    /// The letter names no workspace.
    DeadLetterNotRetryable, CONFLICT, "dead_letter_not_retryable", "the dead letter cannot be retried";
    /// No such key in this tenant.
    KeyNotFound, NOT_FOUND, "key_not_found", "no such api key";
    /// What is asked for is no key: its name, its scopes, its days.
    KeyInvalid, BAD_REQUEST, "key_invalid", "what is asked for is no api key";
    /// `Idempotency-Key` is none.
    IdempotencyKeyInvalid, BAD_REQUEST, "idempotency_key_invalid", "the idempotency key is not valid";
    /// The same request issued a key before, whose text is told to nobody again.
    KeyIssuedBefore, CONFLICT, "key_issued_before", "this request issued a key before";
    /// The key was rotated before.
    KeyRotatedBefore, CONFLICT, "key_rotated_before", "the key was rotated before";
    /// The key is revoked or expired.
    KeyOver, CONFLICT, "key_over", "the key is revoked or expired";
    /// The tenant has as many valid keys as it may have.
    KeysTooMany, CONFLICT, "keys_too_many", "too many valid keys";
    /// The route exists, the method does not.
    MethodNotAllowed, METHOD_NOT_ALLOWED, "method_not_allowed", "method not allowed";
    /// A body above the limit.
    BodyTooLarge, PAYLOAD_TOO_LARGE, "body_too_large", "the body is too large";
    /// A body that ended early or could not be read.
    BodyUnreadable, BAD_REQUEST, "body_unreadable", "the body could not be read";
    /// A signed body that is no JSON object.
    PayloadInvalid, BAD_REQUEST, "payload_invalid", "the payload is not a json object";
    /// A signed body with more notifications than one delivery may hold.
    TooManyNotifications, BAD_REQUEST, "too_many_notifications", "too many notifications in one payload";
    /// A query parameter that the route does not know.
    QueryParameterUnknown, BAD_REQUEST, "query_parameter_unknown", "unknown query parameter";
    /// A query parameter given twice.
    QueryParameterRepeated, BAD_REQUEST, "query_parameter_repeated", "query parameter given twice";
    /// `limit` is no number within its range.
    LimitOutOfRange, BAD_REQUEST, "limit_out_of_range", "limit is out of range";
    /// `wait` is no number within its range.
    WaitOutOfRange, BAD_REQUEST, "wait_out_of_range", "wait is out of range";
    /// `kind` is no kind.
    KindInvalid, BAD_REQUEST, "kind_invalid", "kind is not a kind";
    /// A filter of a list that is none.
    FilterInvalid, BAD_REQUEST, "filter_invalid", "a filter is not valid";
    /// A cursor that this server did not issue to this tenant, or that is cut or changed.
    CursorInvalid, BAD_REQUEST, "cursor_invalid", "the cursor is not valid";
    /// A cursor that was issued for another filter or another list.
    CursorFilterChanged, BAD_REQUEST, "cursor_filter_changed", "the cursor belongs to another filter";
    /// A cursor from before the feed was rebuilt.
    CursorExpired, GONE, "cursor_expired", "the cursor has expired";
    /// Above the tenant's rate.
    RateLimited, TOO_MANY_REQUESTS, "rate_limited", "too many requests";
    /// The request took too long to arrive or to be answered.
    RequestTimeout, REQUEST_TIMEOUT, "request_timeout", "the request took too long";
    /// Kafka does not take the event now.
    EventBusUnavailable, SERVICE_UNAVAILABLE, "event_bus_unavailable", "events cannot be accepted now";
    /// The database does not answer now.
    StoreUnavailable, SERVICE_UNAVAILABLE, "store_unavailable", "the catalog cannot be read now";
    /// This replica is at one of its limits.
    Overloaded, SERVICE_UNAVAILABLE, "overloaded", "too busy now";
    /// Readiness: something that serving needs is missing.
    NotReady, SERVICE_UNAVAILABLE, "not_ready", "not ready to serve";
    /// Our fault.
    Internal, INTERNAL_SERVER_ERROR, "internal_error", "internal error";
}

/// One problem, ready to be sent.
#[derive(Debug, Clone)]
pub struct Problem {
    code: Code,
    detail: String,
    retry_after: Option<Duration>,
    challenge: bool,
    reasons: Vec<&'static str>,
    crossed: bool,
    key: Option<i64>,
}

/// The code of a response that is a problem: how the observing middleware learns of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProblemCode(pub Code);

impl Problem {
    /// A problem with what happened, where, and how to mend it. `detail` must not quote the client.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            retry_after: None,
            challenge: false,
            reasons: Vec::new(),
            crossed: false,
            key: None,
        }
    }

    /// Names the key that it is about by its number (the extension member `key`).
    #[must_use]
    pub fn about_key(mut self, id: i64) -> Self {
        self.key = Some(id);
        self
    }

    /// Tells when to try again (rounded up to whole seconds, at least 1).
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Adds the `WWW-Authenticate: Bearer` challenge that RFC 6750 asks for.
    #[must_use]
    pub fn with_bearer_challenge(mut self) -> Self {
        self.challenge = true;
        self
    }

    /// Adds machine-readable reasons (the extension member `reasons`).
    #[must_use]
    pub fn with_reasons(mut self, reasons: Vec<&'static str>) -> Self {
        self.reasons = reasons;
        self
    }

    /// Marks it for the security audit: what was sent is another tenant's. The answer does not tell.
    #[must_use]
    pub(crate) fn of_another_tenant(mut self) -> Self {
        self.crossed = true;
        self
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }
}

/// What everybody of a suspended tenant is told, who has proven to be one.
pub(crate) fn tenant_suspended() -> Problem {
    Problem::new(
        Code::TenantSuspended,
        "an operator has suspended the tenant: nothing of it is served or taken",
    )
}

/// Whole seconds, rounded up, at least 1: what `Retry-After` wants.
pub(crate) fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0)).max(1)
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.code.status();
        let mut body = json!({
            "type": format!("urn:terrasift:problem:{}", self.code.as_str()),
            "title": self.code.title(),
            "status": status.as_u16(),
            "code": self.code.as_str(),
            "detail": self.detail,
        });
        if !self.reasons.is_empty() {
            body["reasons"] = json!(self.reasons);
        }
        if let Some(key) = self.key {
            body["key"] = json!(key);
        }
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"terrasift\""));
        }
        if let Some(after) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(after)));
        }
        response.extensions_mut().insert(ProblemCode(self.code));
        if self.crossed {
            response.extensions_mut().insert(CrossedTenants);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_statuses_are_errors() {
        for (at, code) in Code::ALL.iter().enumerate() {
            assert!(code.status().is_client_error() || code.status().is_server_error(), "{code:?}");
            assert!(Code::ALL[..at].iter().all(|other| other.as_str() != code.as_str()), "{code:?} twice");
        }
    }

    #[test]
    fn retry_after_is_rounded_up() {
        let cases = [(0, 1), (1, 1), (999, 1), (1_000, 1), (1_001, 2), (3_600_000, 3_600)];
        for (millis, seconds) in cases {
            assert_eq!(whole_seconds(Duration::from_millis(millis)), seconds, "{millis} ms");
        }
    }
}
