//! `/healthz`, `/readyz`, `/metrics`: for probes and scrapers.
//!
//! `healthz` must never depend on Kafka or the database: a restart mends neither.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus::{Encoder, TEXT_FORMAT, TextEncoder};
use schemars::JsonSchema;
use serde_json::json;

use crate::gate::Gate;
use crate::openapi::{Answer, Operation, schema_of};
use crate::problem::{Code, Problem};
use crate::serve::Draining;

#[derive(JsonSchema)]
#[expect(dead_code, reason = "the shape of what is written below")]
struct Health {
    /// `alive` or `ready`.
    status: String,
}

pub(crate) const HEALTHZ: Operation = Operation {
    id: "isAlive",
    summary: "Whether the process is alive",
    about: "",
    query: &[],
    body: None,
    answer: Answer::Fresh(schema_of::<Health>),
    problems: &[],
};

pub(crate) const READYZ: Operation = Operation {
    id: "isReady",
    summary: "Whether the process can serve",
    about: "`reasons` of the problem names what is missing.",
    query: &[],
    body: None,
    answer: Answer::Fresh(schema_of::<Health>),
    problems: &[Code::NotReady],
};

pub(crate) const METRICS: Operation = Operation {
    id: "readMetrics",
    summary: "Metrics in Prometheus' text format",
    about: "",
    query: &[],
    body: None,
    answer: Answer::Text(TEXT_FORMAT),
    problems: &[],
};

pub(crate) async fn healthz() -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(json!({"status": "alive"}))).into_response()
}

pub(crate) async fn readyz(State(gate): State<Arc<Gate>>, draining: Draining) -> Response {
    let mut reasons =
        gate.doors.readiness.reasons(gate.routes, &gate.doors.store, &gate.doors.producer).await;
    if draining.has_begun() {
        reasons.push("draining");
    }
    if reasons.is_empty() {
        return ([(header::CACHE_CONTROL, "no-store")], Json(json!({"status": "ready"}))).into_response();
    }
    Problem::new(Code::NotReady, "`reasons` names what is missing").with_reasons(reasons).into_response()
}

pub(crate) async fn metrics(State(gate): State<Arc<Gate>>) -> Response {
    let mut text = Vec::new();
    match TextEncoder::new().encode(&gate.doors.registry.gather(), &mut text) {
        Ok(()) => {
            ([(header::CONTENT_TYPE, TEXT_FORMAT), (header::CACHE_CONTROL, "no-store")], text).into_response()
        }
        Err(_) => Problem::new(Code::Internal, "the metrics cannot be written").into_response(),
    }
}
