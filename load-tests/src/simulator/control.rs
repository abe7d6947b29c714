//! Owns `/_sim/…`: what a person or a test orders from outside. It must never be mistaken for Terraform Cloud's API: no token, other
//! bodies.

use super::config::{StateSource, WorkspaceSpec};
use super::faults::Fault;
use super::{Shared, Simulator};
use crate::generator::{StateSize, StateSpec};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

pub(crate) fn router() -> axum::Router<Arc<Shared>> {
    axum::Router::new()
        .route("/_sim/faults", post(add_fault).delete(clear_faults))
        .route("/_sim/workspaces", get(list_workspaces).post(add_workspace))
        .route("/_sim/workspaces/{id}", axum::routing::delete(remove_workspace))
        .route("/_sim/workspaces/{id}/bump", post(bump))
        .route("/_sim/workspaces/{id}/notify", post(notify))
        .route("/_sim/canaries", get(canaries))
}

async fn add_fault(State(shared): State<Arc<Shared>>, Json(fault): Json<Fault>) -> StatusCode {
    shared.world().faults.add(fault);
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.world().faults.clear();
    StatusCode::NO_CONTENT
}

async fn list_workspaces(State(shared): State<Arc<Shared>>) -> Response {
    let list: Vec<_> = Simulator::list(&shared)
        .into_iter()
        .map(|it| json!({"id": it.id, "name": it.name, "organization": it.organization}))
        .collect();
    Json(list).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewWorkspace {
    organization: String,
    name: String,
    seed: u64,
    #[serde(default = "usual_bytes")]
    bytes: u64,
}

fn usual_bytes() -> u64 {
    60_000
}

async fn add_workspace(State(shared): State<Arc<Shared>>, Json(new): Json<NewWorkspace>) -> Response {
    let spec = StateSpec::new(new.seed, StateSize::Bytes(new.bytes));
    let workspace = WorkspaceSpec {
        name: new.name,
        state: Some(StateSource::Generated(spec)),
        repository: None,
        tags: Vec::new(),
    };
    match shared.world().add_workspace(&new.organization, workspace) {
        Some(id) => (StatusCode::CREATED, Json(json!({"id": id}))).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn remove_workspace(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> StatusCode {
    if shared.world().remove_workspace(&id) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct BumpOrder {
    new_lineage: bool,
}

async fn bump(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    order: Option<Json<BumpOrder>>,
) -> Response {
    let new_lineage = order.is_some_and(|Json(order)| order.new_lineage);
    match Simulator::bump_in(&shared, &id, new_lineage) {
        Ok(bumped) => Json(json!({
            "workspace_id": bumped.workspace_id,
            "state_version_id": bumped.state_version_id,
            "serial": bumped.serial,
            "lineage": bumped.lineage,
            "run_id": bumped.run_id,
        }))
        .into_response(),
        Err(reason) => (StatusCode::NOT_FOUND, reason.to_string()).into_response(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NotifyOrder {
    trigger: String,
    run_status: String,
    run_id: Option<String>,
}

impl Default for NotifyOrder {
    fn default() -> Self {
        Self { trigger: "run:completed".to_owned(), run_status: "applied".to_owned(), run_id: None }
    }
}

async fn notify(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    order: Option<Json<NotifyOrder>>,
) -> Response {
    let order = order.map(|Json(order)| order).unwrap_or_default();
    let sent =
        Simulator::notify_in(&shared, &id, order.run_id.as_deref(), &order.trigger, &order.run_status).await;
    match sent {
        Ok(deliveries) => {
            let told: Vec<_> = deliveries
                .iter()
                .map(|it| json!({"configuration_id": it.configuration_id, "status": it.status}))
                .collect();
            Json(told).into_response()
        }
        Err(reason) => (StatusCode::NOT_FOUND, reason.to_string()).into_response(),
    }
}

async fn canaries(State(shared): State<Arc<Shared>>) -> Response {
    let mut lines = String::new();
    for canary in Simulator::canaries_in(&shared) {
        lines.push_str(&serde_json::to_string(&canary).unwrap_or_default());
        lines.push('\n');
    }
    lines.into_response()
}
