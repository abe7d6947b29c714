//! `GET /v1/entities` and `GET /v1/entities/by-ref/{kind}/{namespace}/{name}`: look-ups of what is live.
//!
//! Must never show a tombstone or what is outside the caller's namespaces, and never tell an entity of another tenant from one that does not exist.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::response::Response;
use serde::Serialize;
use serde_json::value::RawValue;
use terrasift_schemas::EntityRef;

use crate::conditional::{json_response, json_response_tagged};
use crate::cursor::Cursor;
use crate::feed::{Reader, raw_entity, to_json};
use crate::gate::Gate;
use crate::problem::{Code, Problem};
use crate::query::ListQuery;

#[derive(Serialize)]
struct EntitiesBody {
    entities: Vec<Box<RawValue>>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// All live entities, oldest change first. An entity that changes meanwhile moves to the end and may be seen twice.
pub(crate) async fn list(State(gate): State<Arc<Gate>>, parts: Parts) -> Result<Response, Problem> {
    let reader = Reader::of(&gate, &parts)?;
    let query = ListQuery::parse(parts.uri.query(), &["cursor", "limit", "kind"])?;
    let filter = reader.filter("entities", query.kind.as_deref());
    let (at, _, found) = reader.first(filter, &query).await?;
    let cut = found.cut(query.limit);
    let next_cursor = cut.last.filter(|_| cut.has_more).map(|seq| {
        let at = Cursor { seq, snapshot_until: 0, ..at };
        gate.cursors.seal(&reader.tenant, filter, &at)
    });
    let bodies = cut.rows.into_iter().filter(|row| !row.deleted).filter_map(|row| row.body);
    let entities = bodies.map(raw_entity).collect::<Result<_, _>>()?;
    Ok(json_response(&parts.headers, to_json(&EntitiesBody { entities, next_cursor })?))
}

/// One entity, by its reference in any case.
pub(crate) async fn by_ref(
    State(gate): State<Arc<Gate>>,
    path: Result<Path<(String, String, String)>, PathRejection>,
    parts: Parts,
) -> Result<Response, Problem> {
    let reader = Reader::of(&gate, &parts)?;
    ListQuery::parse(parts.uri.query(), &[])?;
    let not_found = || Problem::new(Code::EntityNotFound, "no live entity of this tenant has this reference");
    let Path((kind, namespace, name)) = path.map_err(|_| not_found())?;
    let text = format!("{kind}:{namespace}/{name}").to_ascii_lowercase();
    // What is no reference names nothing.
    let entity_ref = EntityRef::parse(&text).map_err(|_| not_found())?;
    // What may not be seen is not there.
    if !reader.may_see(&entity_ref) {
        return Err(not_found());
    }
    let found = gate.telemetry.timed("entity", gate.doors.store.entity(&reader.tenant, &entity_ref)).await;
    let row = found.map_err(reader.failed("entity look-up"))?.ok_or_else(not_found)?;
    Ok(json_response_tagged(&parts.headers, row.body.into_bytes(), &row.digest))
}
