//! One request as the security audit sees it: who, what, of what, and what came of it.
//!
//! Must never take into a record what a client chose freely: of a path only ids that are numbers, and names of declared tenants.

use axum::http::StatusCode;
use axum::response::Response;
use terrasift_postgres::{TrailEntry, TrailOutcome};
use terrasift_schemas::TraceParent;
use time::OffsetDateTime;

use crate::audit_trail::AuditTrail;
use crate::gate::AnsweredFor;
use crate::problem::ProblemCode;

/// Routes that tell how the process is and what the API is like: nobody's data.
const OPERATIONS: [&str; 5] = ["/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"];
/// Below it, who asks is not told by a key.
const WEBHOOKS: &str = "/v1/webhooks/";

/// Marks a response: it was refused because what was sent is another tenant's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CrossedTenants;

/// Marks a response: what was asked for made something of this number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Made(pub i64);

/// A request that is being answered. Dropped before that, as happens when its client goes away, it is recorded as abandoned.
pub(crate) struct Attempt {
    trail: AuditTrail,
    entry: Option<TrailEntry>,
    changes: bool,
}

impl Attempt {
    /// Begins; nothing for routes that no audit is kept of.
    pub(crate) fn begin(
        trail: &AuditTrail,
        method: &'static str,
        route: &str,
        resource: String,
        trace: &TraceParent,
        client: String,
    ) -> Option<Self> {
        if OPERATIONS.contains(&route) {
            return None;
        }
        let changes = !matches!(method, "GET" | "HEAD" | "OPTIONS") && !route.starts_with(WEBHOOKS);
        let entry = TrailEntry {
            at: OffsetDateTime::now_utc(),
            tenant: None,
            actor: String::new(),
            action: method.to_owned(),
            resource,
            outcome: TrailOutcome::Abandoned,
            code: String::new(),
            trace: trace.trace_id(),
            client,
        };
        Some(Self { trail: trail.clone(), entry: Some(entry), changes })
    }

    /// Takes down what came of it.
    pub(crate) fn ended(mut self, response: &Response) -> Self {
        let Some(entry) = &mut self.entry else { return self };
        let (status, extensions) = (response.status(), response.extensions());
        entry.at = OffsetDateTime::now_utc();
        entry.outcome = match extensions.get::<CrossedTenants>() {
            Some(CrossedTenants) => TrailOutcome::CrossTenant,
            None => outcome(status),
        };
        entry.code = extensions
            .get::<ProblemCode>()
            .map_or_else(|| status.as_u16().to_string(), |code| code.0.as_str().to_owned());
        if let Some(Made(number)) = extensions.get::<Made>() {
            entry.resource = format!("{} as {number}", entry.resource);
        }
        if let Some(AnsweredFor { tenant, actor }) = extensions.get::<AnsweredFor>() {
            entry.tenant = Some(tenant.clone());
            entry.actor.clone_from(actor);
        }
        self
    }

    /// Records it. A refusal, and what may have changed something, is written before the answer goes out.
    pub(crate) async fn record(mut self) {
        let Some(entry) = self.entry.take() else { return };
        let refused = matches!(entry.outcome, TrailOutcome::Denied | TrailOutcome::CrossTenant);
        if refused || self.changes {
            self.trail.note_at_once(entry).await;
        } else {
            self.trail.note(entry);
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(entry) = self.entry.take() {
            self.trail.note(entry);
        }
    }
}

fn outcome(status: StatusCode) -> TrailOutcome {
    match status.as_u16() {
        ..400 => TrailOutcome::Ok,
        401 | 403 | 429 => TrailOutcome::Denied,
        400..500 => TrailOutcome::Invalid,
        500.. => TrailOutcome::Failed,
    }
}

/// The route with its ids in place, where they are numbers or, by `is_slug`, names of declared tenants; nothing else of the path.
pub(crate) fn resource(route: &str, path: &str, is_slug: impl Fn(&str) -> bool) -> String {
    let parts = route.split('/').zip(path.split('/')).map(|(part, given)| {
        let number = part == "{id}"
            && !given.is_empty()
            && given.len() < 20
            && given.bytes().all(|b| b.is_ascii_digit());
        let slug = part == "{tenant_slug}" && is_slug(given);
        if number || slug { given } else { part }
    });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_path_only_numbers_and_declared_tenants_are_kept() {
        for (route, path, expected) in [
            ("/v1/entities", "/v1/entities", "/v1/entities"),
            ("/v1/dead-letters/{id}/retry", "/v1/dead-letters/47/retry", "/v1/dead-letters/47/retry"),
            ("/v1/dead-letters/{id}", "/v1/dead-letters/tsk_secret", "/v1/dead-letters/{id}"),
            ("/v1/audit/{id}", "/v1/audit/99999999999999999999", "/v1/audit/{id}"),
            ("/v1/audit/{id}", "/v1/audit/", "/v1/audit/{id}"),
            ("/v1/webhooks/tfc/{tenant_slug}", "/v1/webhooks/tfc/acme", "/v1/webhooks/tfc/acme"),
            ("/v1/webhooks/tfc/{tenant_slug}", "/v1/webhooks/tfc/tsk_x", "/v1/webhooks/tfc/{tenant_slug}"),
            ("/v1/by-ref/{kind}/{name}", "/v1/by-ref/a/tsk_x", "/v1/by-ref/{kind}/{name}"),
            ("unmatched", "/tsk_x", "unmatched"),
        ] {
            assert_eq!(resource(route, path, |slug| slug == "acme"), expected, "{path}");
        }
    }

    #[test]
    fn statuses_are_outcomes() {
        for (status, expected) in [
            (200, TrailOutcome::Ok),
            (304, TrailOutcome::Ok),
            (400, TrailOutcome::Invalid),
            (401, TrailOutcome::Denied),
            (403, TrailOutcome::Denied),
            (404, TrailOutcome::Invalid),
            (429, TrailOutcome::Denied),
            (500, TrailOutcome::Failed),
            (503, TrailOutcome::Failed),
        ] {
            assert_eq!(outcome(StatusCode::from_u16(status).unwrap()), expected, "{status}");
        }
    }
}
