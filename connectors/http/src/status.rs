//! `GET /v1/workspaces`: how the syncing stands.
//!
//! Must never hold more than ids, codes, counts and times.

use std::sync::Arc;

use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Serialize;
use terrasift_postgres::WorkspaceStatus;
use terrasift_schemas::{PipelineVersion, StateVersionId, WorkspaceId};
use time::OffsetDateTime;

use crate::conditional::json_response;
use crate::feed::{Reader, to_json};
use crate::gate::Gate;
use crate::problem::Problem;
use crate::query::ListQuery;

#[derive(Serialize)]
struct WorkspacesBody {
    workspaces: Vec<WorkspaceBody>,
}

/// Sync status of one workspace. Absent members are not known yet.
#[derive(Serialize)]
struct WorkspaceBody {
    workspace: WorkspaceId,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pipeline_version: Option<PipelineVersion>,
    /// Number of the rule set that its state was sanitized with.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_set: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_version: Option<StateVersionId>,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    synced_at: Option<OffsetDateTime>,
    stale: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stale_reason: Option<String>,
    resource_count: i64,
    state_bytes: i64,
}

impl From<WorkspaceStatus> for WorkspaceBody {
    fn from(status: WorkspaceStatus) -> Self {
        let version = status.version;
        Self {
            workspace: status.workspace,
            serial: version.as_ref().map(|version| version.serial),
            pipeline_version: version.as_ref().map(|version| version.pipeline),
            rule_set: version.as_ref().map(|version| version.pipeline.rule_set()),
            state_version: version.and_then(|version| version.state_version),
            synced_at: status.synced_at,
            stale: status.stale.is_some(),
            stale_reason: status.stale,
            resource_count: status.resource_count,
            state_bytes: status.bytes_in,
        }
    }
}

/// All workspaces of the tenant, by id; their number is bounded by the tenant's size (some thousand).
pub(crate) async fn workspaces(State(gate): State<Arc<Gate>>, parts: Parts) -> Result<Response, Problem> {
    let reader = Reader::of(&gate, &parts)?;
    ListQuery::parse(parts.uri.query(), &[])?;
    let found = gate.telemetry.timed("workspaces", gate.doors.store.workspaces(&reader.tenant)).await;
    let statuses = found.map_err(reader.failed("workspaces"))?;
    let workspaces = statuses.into_iter().map(WorkspaceBody::from).collect();
    Ok(json_response(&parts.headers, to_json(&WorkspacesBody { workspaces })?))
}
