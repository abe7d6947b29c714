//! `GET /v1/workspaces`, `GET /v1/workspaces/{workspace}`, `GET /v1/status`: how the syncing stands.
//!
//! Must never hold more than ids, codes, counts and times.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use terrasift_postgres::{TenantStatus, WorkspaceStatus};
use terrasift_schemas::{PipelineVersion, StateVersionId, WorkspaceId};
use time::OffsetDateTime;

use crate::conditional::json_response;
use crate::feed::{Reader, to_json};
use crate::gate::Gate;
use crate::openapi::{Answer, Moment, Operation, schema_of};
use crate::problem::{Code, Problem};
use crate::query::ListQuery;

pub(crate) const WORKSPACES: Operation = Operation {
    id: "listWorkspaces",
    summary: "How each workspace stands, by id",
    about: "",
    query: &[],
    body: None,
    answer: Answer::Tagged(schema_of::<WorkspacesBody>),
    problems: &[],
};

pub(crate) const WORKSPACE_BY_ID: Operation = Operation {
    id: "readWorkspace",
    summary: "How one workspace stands",
    about: "",
    query: &[],
    body: None,
    answer: Answer::Tagged(schema_of::<WorkspaceBody>),
    problems: &[Code::WorkspaceNotFound],
};

pub(crate) const TENANT: Operation = Operation {
    id: "readStatus",
    summary: "How the tenant stands as a whole",
    about: "",
    query: &[],
    body: None,
    answer: Answer::Tagged(schema_of::<TenantBody>),
    problems: &[],
};

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Workspaces")]
struct WorkspacesBody {
    workspaces: Vec<WorkspaceBody>,
}

/// Sync status of one workspace. Absent members are not known yet.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Workspace")]
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
    #[schemars(with = "Option<Moment>")]
    synced_at: Option<OffsetDateTime>,
    stale: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stale_reason: Option<String>,
    resource_count: i64,
    state_bytes: i64,
}

/// How a tenant stands.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Status")]
struct TenantBody {
    /// Its slug, which is its namespace.
    slug: String,
    /// Generation of its feed: another one makes all cursors void.
    feed_epoch: i64,
    /// Position of its last change.
    head: i64,
    /// Known workspaces.
    workspaces: i64,
    /// Of these: shown as stale, because upstream cannot be read.
    stale_workspaces: i64,
    /// Of these: never synced.
    waiting_workspaces: i64,
    /// When the catalog was last known to be right for some workspace.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Moment>")]
    last_synced_at: Option<OffsetDateTime>,
    /// The same for the workspace that was longest not looked at.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Moment>")]
    oldest_synced_at: Option<OffsetDateTime>,
    /// Dead letters that wait for somebody.
    open_dead_letters: i64,
}

impl From<TenantStatus> for TenantBody {
    fn from(status: TenantStatus) -> Self {
        Self {
            slug: status.slug,
            feed_epoch: status.feed_epoch,
            head: status.head,
            workspaces: status.workspaces,
            stale_workspaces: status.stale_workspaces,
            waiting_workspaces: status.waiting_workspaces,
            last_synced_at: status.last_synced_at,
            oldest_synced_at: status.oldest_synced_at,
            open_dead_letters: status.open_dead_letters,
        }
    }
}

impl From<&WorkspaceStatus> for WorkspaceBody {
    fn from(status: &WorkspaceStatus) -> Self {
        let version = status.version.as_ref();
        Self {
            workspace: status.workspace.clone(),
            serial: version.map(|version| version.serial),
            pipeline_version: version.map(|version| version.pipeline),
            rule_set: version.map(|version| version.pipeline.rule_set()),
            state_version: version.and_then(|version| version.state_version.clone()),
            synced_at: status.synced_at,
            stale: status.stale.is_some(),
            stale_reason: status.stale.clone(),
            resource_count: status.resource_count,
            state_bytes: status.bytes_in,
        }
    }
}

/// All workspaces of the tenant, by id; their number is bounded by the tenant's size (some thousand).
pub(crate) async fn workspaces(State(gate): State<Arc<Gate>>, parts: Parts) -> Result<Response, Problem> {
    let reader = Reader::of(&gate, &parts)?;
    ListQuery::parse(parts.uri.query(), &[])?;
    let workspaces = reader.workspaces().await?.iter().map(WorkspaceBody::from).collect();
    Ok(json_response(&parts.headers, to_json(&WorkspacesBody { workspaces })?))
}

/// One workspace of the tenant.
pub(crate) async fn workspace(
    State(gate): State<Arc<Gate>>,
    path: Result<Path<String>, PathRejection>,
    parts: Parts,
) -> Result<Response, Problem> {
    let reader = Reader::of(&gate, &parts)?;
    ListQuery::parse(parts.uri.query(), WORKSPACE_BY_ID.query)?;
    let not_found = || Problem::new(Code::WorkspaceNotFound, "no workspace of this tenant has this id");
    let Path(id) = path.map_err(|_| not_found())?;
    let id = WorkspaceId::parse(&id).map_err(|_| not_found())?;
    let status = reader.workspace(&id).await?.ok_or_else(not_found)?;
    Ok(json_response(&parts.headers, to_json(&WorkspaceBody::from(&*status))?))
}

/// The tenant as a whole.
pub(crate) async fn tenant(State(gate): State<Arc<Gate>>, parts: Parts) -> Result<Response, Problem> {
    let reader = Reader::of(&gate, &parts)?;
    ListQuery::parse(parts.uri.query(), TENANT.query)?;
    let found = gate.telemetry.timed("tenant_status", gate.doors.store.tenant_status(&reader.tenant)).await;
    let status = found.map_err(reader.failed("status of the tenant"))?;
    Ok(json_response(&parts.headers, to_json(&TenantBody::from(status))?))
}
