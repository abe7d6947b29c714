//! `GET /v1/workspaces` and `GET /v1/dead-letters`: how the syncing stands.
//!
//! Must never hold more than ids, codes, counts and times.

use std::sync::Arc;

use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Serialize;
use terrasift_postgres::{DeadLetter, DeadLetterFilter, DeadLetterId, LetterState, WorkspaceStatus};
use terrasift_schemas::event::RecordPosition;
use terrasift_schemas::{PipelineVersion, StateVersionId, WorkspaceId};
use time::OffsetDateTime;

use crate::conditional::json_response;
use crate::cursor::{Cursor, FilterHash};
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
    let statuses = gate.doors.store.workspaces(&reader.tenant).await.map_err(reader.failed("workspaces"))?;
    let workspaces = statuses.into_iter().map(WorkspaceBody::from).collect();
    Ok(json_response(&parts.headers, to_json(&WorkspacesBody { workspaces })?))
}

#[derive(Serialize)]
struct DeadLettersBody {
    dead_letters: Vec<DeadLetterBody>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct DeadLetterBody {
    id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace: Option<WorkspaceId>,
    reason: String,
    detail: String,
    attempts: u32,
    occurrences: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<RecordPosition>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    parked_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    last_at: OffsetDateTime,
}

impl From<DeadLetter> for DeadLetterBody {
    fn from(letter: DeadLetter) -> Self {
        Self {
            id: letter.id.0,
            workspace: letter.workspace,
            reason: letter.reason,
            detail: letter.detail,
            attempts: letter.attempts,
            occurrences: letter.occurrences,
            record: letter.record,
            trace_id: letter.trace.map(|trace| trace.trace_id()),
            parked_at: letter.parked_at,
            last_at: letter.last_at,
        }
    }
}

/// Open dead letters, oldest first.
pub(crate) async fn dead_letters(State(gate): State<Arc<Gate>>, parts: Parts) -> Result<Response, Problem> {
    let reader = Reader::of(&gate, &parts)?;
    let query = ListQuery::parse(parts.uri.query(), &["cursor", "limit"])?;
    let filter = FilterHash::of("dead-letters", None);
    let after = query.cursor.map(|text| reader.open(filter, &text)).transpose()?;
    let after = after.map(|cursor| DeadLetterId(cursor.seq));
    let open = DeadLetterFilter { state: Some(LetterState::Open), ..DeadLetterFilter::default() };
    let found = gate.doors.store.dead_letters(&reader.tenant, &open, after, query.limit + 1).await;
    let mut letters = found.map_err(reader.failed("dead letters"))?;
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let has_more = letters.len() > limit;
    letters.truncate(limit);
    let next_cursor = letters.last().filter(|_| has_more).map(|last| {
        let at = Cursor { epoch: 0, seq: last.id.0, snapshot_until: 0 };
        gate.cursors.seal(&reader.tenant, filter, &at)
    });
    let dead_letters = letters.into_iter().map(DeadLetterBody::from).collect();
    Ok(json_response(&parts.headers, to_json(&DeadLettersBody { dead_letters, next_cursor })?))
}
