//! `POST /v1/webhooks/terraform-cloud/{tenant_slug}`: hop 1, from a signed notification to an event in Kafka.
//!
//! Order: size and time, signature, source, meaning, duplicates, rate, Kafka, the record of the delivery, the answer. A 2xx is
//! given only when the event is in Kafka or there is none. Must never tell whether a tenant exists, trust a name in a
//! payload, or record a delivery whose event Kafka did not take.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde_json::json;
use terrasift_postgres::DeliveryStanding;
use terrasift_schemas::event::{Envelope, Event, Priority, StateUpdated};
use terrasift_schemas::{RunId, TenantId, TraceParent, WorkspaceId};
use terrasift_secrets::Secret;
use time::OffsetDateTime;
use tokio::time::timeout;

use crate::config::TenantDoor;
use crate::gate::{AnsweredFor, Gate};
use crate::mac::terraform_cloud_signature_matches;
use crate::notification::{Meaning, NOTIFICATIONS_MAX, Unreadable, Why, read_delivery};
use crate::openapi::{Answer, Operation, schema_of};
use crate::problem::{ACCEPTED, Code, OK, Problem, tenant_suspended};
use crate::rate_limit;
use crate::serve::Peer;
use crate::source::{contains, source};
use crate::telemetry::{BackendFailed, DeliveryDecided};
use crate::token_bucket::Verdict;

/// Who asks, where the signature is right.
const SIGNER: &str = "webhook";
const SIGNATURE_HEADER: &str = "x-tfe-notification-signature";
/// Key for tenants that are not there, so that their time is that of a wrong signature.
const NOBODYS_SECRET: &[u8] = b"no tenant has this secret: its deliveries are refused whatever they say";
/// Longest wait for the record of deliveries. Without it an event is sent twice at worst, which is harmless;
/// Terraform Cloud may not try again, so the event goes first.
const STORE_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(JsonSchema)]
#[expect(dead_code, reason = "the shape of what `answer` writes")]
struct Received {
    /// `accepted`, `verified`, `ignored` or `duplicate`.
    outcome: String,
}

pub(crate) const RECEIVE: Operation = Operation {
    id: "receiveNotification",
    summary: "Takes a notification of Terraform Cloud",
    about: "The body is what Terraform Cloud sends, signed with the token of its notification configuration. 202 says that the event is in \
        Kafka; 200, that there was nothing to do: a verification, a duplicate, or something that changes no state.",
    query: &[],
    body: Some(schema_of::<serde_json::Map<String, serde_json::Value>>),
    answer: Answer::Accepted(schema_of::<Received>),
    problems: &[
        Code::BodyUnreadable,
        Code::PayloadInvalid,
        Code::TooManyNotifications,
        Code::Overloaded,
        Code::EventBusUnavailable,
    ],
};

/// How a delivery ended: its answer, and its name in metrics.
enum Outcome {
    Verified,
    Accepted(Verdict),
    Ignored(Why),
    Duplicate,
    RateLimited(Verdict),
    Refused(Problem),
}

pub(crate) async fn receive(
    State(gate): State<Arc<Gate>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let trace =
        parts.extensions.get::<TraceParent>().copied().unwrap_or_else(|| TraceParent::from_random([0; 24]));
    let body = match gate.read_body(&parts.headers, body, gate.config.webhook_body_limit_bytes).await {
        Ok(body) => body,
        Err(problem) => return answer(&gate, None, &trace, Outcome::Refused(problem)),
    };
    let claimed = path.ok().and_then(|Path(slug)| gate.tenant_of_slug(&slug));
    let Some(tenant) = signer(claimed, &parts.headers, &body) else {
        let detail = "the delivery's address or signature is wrong: compare the notification's url and token";
        return answer(&gate, None, &trace, Outcome::Refused(Problem::new(Code::Unauthorized, detail)));
    };
    if gate.doors.store.is_suspended(&tenant.id) {
        return answer(&gate, Some(&tenant.id), &trace, Outcome::Refused(tenant_suspended()));
    }
    let outcome = if may_send(&gate, tenant, &parts) {
        take(&gate, tenant, &body, &trace).await
    } else {
        let detail = "the address that this came from is not among `webhook_sources` of its tenant";
        Outcome::Refused(Problem::new(Code::SourceNotAllowed, detail))
    };
    answer(&gate, Some(&tenant.id), &trace, outcome)
}

/// Whether the tenant's deliveries may come from where this one came from.
fn may_send(gate: &Gate, tenant: &TenantDoor, parts: &Parts) -> bool {
    if tenant.webhook_sources.is_empty() {
        return true;
    }
    let peer = parts.extensions.get::<Peer>();
    let from = peer.and_then(|peer| source(peer.address, &parts.headers, &gate.config.trusted_proxies));
    from.is_some_and(|from| contains(&tenant.webhook_sources, from))
}

/// The claimed tenant, if it signed the body. Takes the same way for a tenant that is not there.
fn signer<'a>(claimed: Option<&'a TenantDoor>, headers: &HeaderMap, body: &[u8]) -> Option<&'a TenantDoor> {
    let mut signatures = headers.get_all(SIGNATURE_HEADER).iter();
    let signature = match (signatures.next(), signatures.next()) {
        (Some(one), None) => one.as_bytes(),
        _ => b"",
    };
    let secret = claimed.and_then(|tenant| tenant.webhook_secret.as_ref());
    let mut secrets = secret.map_or_else(Vec::new, |secret| secret.accepted(Instant::now()));
    secrets.retain(|secret| !secret.expose().is_empty());
    if secrets.is_empty() {
        terraform_cloud_signature_matches(NOBODYS_SECRET, body, signature);
        return None;
    }
    // Each is tried: which of them it was is nobody's business.
    let matches = |found, secret: &Secret| {
        found | terraform_cloud_signature_matches(secret.expose().as_bytes(), body, signature)
    };
    claimed.filter(|_| secrets.iter().fold(false, matches))
}

async fn take(gate: &Gate, tenant: &TenantDoor, body: &[u8], trace: &TraceParent) -> Outcome {
    let delivery = match read_delivery(body) {
        Ok(delivery) => delivery,
        Err(Unreadable::NotAnObject) => {
            return Outcome::Refused(Problem::new(
                Code::PayloadInvalid,
                "send the notification as a json object",
            ));
        }
        Err(Unreadable::TooMany) => {
            let detail = format!("a payload holds at most {NOTIFICATIONS_MAX} notifications");
            return Outcome::Refused(Problem::new(Code::TooManyNotifications, detail));
        }
    };
    let (workspace, run, time) = match delivery.meaning {
        Meaning::Verification => return Outcome::Verified,
        Meaning::Ignored(why) => return Outcome::Ignored(why),
        Meaning::StateChanged { workspace, run, time } => (workspace, run, time),
    };
    let rate = gate.webhook_buckets.rate();
    let standing = standing(gate, &tenant.id, delivery.digest, trace).await;
    if standing.is_some_and(|standing| standing.seen) {
        return Outcome::Duplicate;
    }
    let own = gate.webhook_buckets.take(&tenant.id, gate.now(), 1);
    let verdict = standing.map_or(own, |all| own.among(rate, all.recent, all.oldest_age));
    if !verdict.admitted {
        return Outcome::RateLimited(verdict);
    }
    let event = event(&tenant.id, delivery.digest, workspace, run, time, trace);
    if let Err(problem) = publish(gate, &event, trace).await {
        return Outcome::Refused(problem);
    }
    record(gate, &tenant.id, delivery.digest, trace).await;
    Outcome::Accepted(verdict)
}

/// The event. Its id is the delivery's digest, so a repeated event can be known by its id, too.
fn event(
    tenant: &TenantId,
    digest: [u8; 32],
    workspace: WorkspaceId,
    run: Option<RunId>,
    time: Option<OffsetDateTime>,
    trace: &TraceParent,
) -> Envelope {
    let now = OffsetDateTime::now_utc();
    let data = StateUpdated {
        tenant: tenant.clone(),
        workspace,
        run,
        // A time in the future would make the workspace wait behind all others.
        time: time.map_or(now, |time| time.min(now)),
        priority: Priority::Normal,
        state_version: None,
        lineage: None,
        serial: None,
    };
    Envelope {
        id: hex::encode(digest),
        source: "/v1/webhooks/terraform-cloud".to_owned(),
        time: Some(now),
        trace: Some(*trace),
        event: Event::StateUpdated(data),
    }
}

async fn publish(gate: &Gate, event: &Envelope, trace: &TraceParent) -> Result<(), Problem> {
    let record = event.encode().map_err(|_| Problem::new(Code::Internal, "the event cannot be written"))?;
    let sent = gate.doors.producer.send(&record).await;
    sent.map(drop).map_err(|error| {
        BackendFailed { what: "event publication", error: &error, trace }.emit();
        let detail = "the event was not accepted and nothing was recorded: deliver it again";
        Problem::new(Code::EventBusUnavailable, detail).retry_after(Duration::from_secs(5))
    })
}

/// How the delivery stands. When the store does not answer, it counts as new, see [`STORE_TIMEOUT`], and this replica's own count
/// alone bounds the rate.
async fn standing(
    gate: &Gate,
    tenant: &TenantId,
    digest: [u8; 32],
    trace: &TraceParent,
) -> Option<DeliveryStanding> {
    let (what, rate) = ("delivery look-up", gate.webhook_buckets.rate());
    let question = gate.doors.store.delivery_standing(tenant, digest, rate.window, rate.capacity);
    match gate.telemetry.timed("delivery_standing", timeout(STORE_TIMEOUT, question)).await {
        Ok(Ok(standing)) => return Some(standing),
        Ok(Err(error)) => BackendFailed { what, error: &error, trace }.emit(),
        Err(late) => BackendFailed { what, error: &late, trace }.emit(),
    }
    None
}

async fn record(gate: &Gate, tenant: &TenantId, digest: [u8; 32], trace: &TraceParent) {
    let what = "delivery record";
    let question = timeout(STORE_TIMEOUT, gate.doors.store.record_delivery(tenant, digest));
    match gate.telemetry.timed("record_delivery", question).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => BackendFailed { what, error: &error, trace }.emit(),
        Err(late) => BackendFailed { what, error: &late, trace }.emit(),
    }
}

fn answer(gate: &Gate, tenant: Option<&TenantId>, trace: &TraceParent, outcome: Outcome) -> Response {
    let done = |status: StatusCode, name: &'static str| {
        (name, (status, Json(json!({"outcome": name}))).into_response())
    };
    let rate = gate.webhook_buckets.rate();
    let (name, mut response) = match outcome {
        Outcome::Verified => done(OK, "verified"),
        Outcome::Duplicate => done(OK, "duplicate"),
        Outcome::Ignored(why) => {
            let (_, response) = done(OK, "ignored");
            let name = match why {
                Why::Trigger => "ignored",
                Why::NoWorkspace => "ignored_no_workspace",
            };
            (name, response)
        }
        Outcome::Accepted(verdict) => {
            let (name, mut response) = done(ACCEPTED, "accepted");
            rate_limit::add_headers(response.headers_mut(), "webhook", rate, verdict);
            (name, response)
        }
        Outcome::RateLimited(verdict) => {
            (Code::RateLimited.as_str(), rate_limit::refusal("webhook", rate, verdict))
        }
        Outcome::Refused(problem) => (problem.code().as_str(), problem.into_response()),
    };
    DeliveryDecided { tenant, outcome: name, trace }.emit(&gate.telemetry);
    if let Some(tenant) = tenant {
        response.extensions_mut().insert(AnsweredFor { tenant: tenant.clone(), actor: SIGNER.to_owned() });
    }
    response
}
