//! `GET /v1/runs` and `GET /v1/security-audit`: what happened, newest first.
//!
//! Pages go on by the moment of their last entry. Must never show another tenant's, which the policies see to, nor more of a request
//! than its audit holds.

use std::sync::Arc;

use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use terrasift_postgres::{OwnTrailRow, RunRow, StoreError, TimePosition};
use terrasift_schemas::{RunId, StateVersionId, WorkspaceId};
use time::OffsetDateTime;

use crate::conditional::json_response;
use crate::cursor::{Cursor, FilterHash};
use crate::feed::{Reader, to_json};
use crate::gate::Gate;
use crate::openapi::{Answer, Moment, Operation, schema_of};
use crate::problem::{Code, Problem};
use crate::query::{
    CURSOR, LIMIT, LIMIT_DEFAULT, Parameter, SINCE, Shape, WORKSPACE, limit, moment, parameters, workspace,
};

/// Outcomes of the security audit.
const OUTCOMES: &[&str] = &["ok", "denied", "cross_tenant", "invalid", "failed", "abandoned", "gap"];
const OUTCOME: Parameter =
    Parameter { name: "outcome", about: "Only records with this outcome", shape: Shape::Word(OUTCOMES) };

pub(crate) const RUNS: Operation = Operation {
    id: "listRuns",
    summary: "The runs that led to what the catalog shows or showed, newest first",
    about: "",
    query: &[CURSOR, LIMIT, WORKSPACE],
    body: None,
    answer: Answer::Tagged(schema_of::<RunsBody>),
    problems: &[],
};

pub(crate) const SECURITY_AUDIT: Operation = Operation {
    id: "listSecurityAudit",
    summary: "Who asked for what of this tenant, and what came of it, newest first",
    about: "Attempts that proved no tenant are nobody's and not in it.",
    query: &[CURSOR, LIMIT, OUTCOME, SINCE],
    body: None,
    answer: Answer::Tagged(schema_of::<SecurityAuditBody>),
    problems: &[],
};

/// A run of Terraform Cloud whose state was synced.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Run")]
struct RunBody {
    run: RunId,
    workspace: WorkspaceId,
    /// Serial of its state.
    serial: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_version: Option<StateVersionId>,
    /// When the catalog showed it.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "Moment")]
    synced_at: OffsetDateTime,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RunsPage")]
struct RunsBody {
    runs: Vec<RunBody>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A record of the security audit.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SecurityRecord")]
struct SecurityRecordBody {
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "Moment")]
    at: OffsetDateTime,
    /// Who: a key or a token by its name, a person at the command line.
    actor: String,
    /// Method, or command.
    action: String,
    /// Route, with numbers in it.
    resource: String,
    outcome: String,
    /// Status, or code of the problem.
    code: String,
    trace_id: String,
    /// Address of the client; empty where it is not known, and for the command line.
    client: String,
}

impl From<OwnTrailRow> for SecurityRecordBody {
    fn from(row: OwnTrailRow) -> Self {
        Self {
            at: row.at,
            actor: row.actor,
            action: row.action,
            resource: row.resource,
            outcome: row.outcome,
            code: row.code,
            trace_id: row.trace,
            client: row.client,
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SecurityAuditPage")]
struct SecurityAuditBody {
    records: Vec<SecurityRecordBody>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// What a list by time is asked for.
#[derive(Default)]
struct TimeQuery {
    cursor: Option<String>,
    limit: u32,
    workspace: Option<WorkspaceId>,
    outcome: Option<String>,
    since: Option<OffsetDateTime>,
}

impl TimeQuery {
    fn parse(query: Option<&str>, known: &[Parameter]) -> Result<Self, Problem> {
        let mut parsed = Self { limit: LIMIT_DEFAULT, ..Self::default() };
        for (name, value) in parameters(query, known)? {
            match name {
                "cursor" => parsed.cursor = Some(value.into_owned()),
                "limit" => parsed.limit = limit(&value)?,
                "workspace" => parsed.workspace = Some(workspace(&value)?),
                "since" => parsed.since = Some(moment(&value)?),
                _ => {
                    let known = OUTCOMES.contains(&&*value);
                    let detail = "`outcome` is ok, denied, cross_tenant, invalid, failed, abandoned or gap";
                    let value = known.then(|| value.into_owned());
                    parsed.outcome = Some(value.ok_or_else(|| Problem::new(Code::FilterInvalid, detail))?);
                }
            }
        }
        Ok(parsed)
    }

    /// A cursor goes on with the list and the filter it came from only.
    fn hash(&self, list: &str) -> FilterHash {
        let since = self.since.map(|at| at.unix_timestamp_nanos().to_string()).unwrap_or_default();
        let workspace = self.workspace.as_ref().map(WorkspaceId::as_str).unwrap_or_default();
        let outcome = self.outcome.as_deref().unwrap_or_default();
        // None of the parts holds a blank.
        FilterHash::of(list, Some(&format!("{workspace} {outcome} {since}")))
    }

    fn from(&self, reader: &Reader<'_>, list: &str) -> Result<Option<TimePosition>, Problem> {
        let opened = self.cursor.as_deref().map(|text| reader.open(self.hash(list), text)).transpose()?;
        let position = |cursor: Cursor| {
            let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(cursor.seq) * 1_000);
            at.map(|at| TimePosition { at, shown: cursor.snapshot_until })
                .map_err(|_| Problem::new(Code::CursorInvalid, "`cursor` is not one of this list"))
        };
        opened.map(position).transpose()
    }

    /// Cuts what was read, one more than a page, into a page; and where the next one begins.
    fn page<T>(
        &self,
        reader: &Reader<'_>,
        list: &str,
        rows: &mut Vec<T>,
        from: Option<TimePosition>,
        at: impl Fn(&T) -> OffsetDateTime,
    ) -> Option<String> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        if rows.len() <= limit {
            return None;
        }
        rows.truncate(limit);
        let next = next(&rows.iter().map(at).collect::<Vec<_>>(), from)?;
        // Postgres counts in microseconds.
        let seq = i64::try_from(next.at.unix_timestamp_nanos() / 1_000).ok()?;
        let cursor = Cursor { epoch: 0, seq, snapshot_until: next.shown };
        Some(reader.gate.cursors.seal(&reader.tenant, self.hash(list), &cursor))
    }
}

/// Where a list stands after a page that began at `from`: at the moment of its last entry, behind all of that moment that were shown.
fn next(page: &[OffsetDateTime], from: Option<TimePosition>) -> Option<TimePosition> {
    let last = *page.last()?;
    let shown = page.iter().rev().take_while(|at| **at == last).count();
    let before = from.filter(|from| from.at == last).map_or(0, |from| from.shown);
    Some(TimePosition { at: last, shown: i64::try_from(shown).ok()? + before })
}

pub(crate) async fn runs(State(gate): State<Arc<Gate>>, parts: Parts) -> Result<Response, Problem> {
    let reader = Reader::of(&gate, &parts)?;
    let query = TimeQuery::parse(parts.uri.query(), RUNS.query)?;
    let from = query.from(&reader, "runs")?;
    let question = gate.doors.store.runs(&reader.tenant, query.workspace.as_ref(), from, query.limit + 1);
    let mut rows = gate.telemetry.timed("runs", question).await.map_err(reader.failed("runs"))?;
    let next_cursor = query.page(&reader, "runs", &mut rows, from, |row| row.synced_at);
    let runs = rows.iter().map(run).collect::<Result<_, _>>().map_err(reader.failed("runs"))?;
    Ok(json_response(&parts.headers, to_json(&RunsBody { runs, next_cursor })?))
}

fn run(row: &RunRow) -> Result<RunBody, StoreError> {
    let (run, workspace, state_version) = row.ids()?;
    Ok(RunBody { run, workspace, serial: row.serial, state_version, synced_at: row.synced_at })
}

pub(crate) async fn security_audit(State(gate): State<Arc<Gate>>, parts: Parts) -> Result<Response, Problem> {
    let reader = Reader::of(&gate, &parts)?;
    let query = TimeQuery::parse(parts.uri.query(), SECURITY_AUDIT.query)?;
    let from = query.from(&reader, "security-audit")?;
    let outcome = query.outcome.as_deref();
    let question = gate.doors.store.own_trail(&reader.tenant, outcome, query.since, from, query.limit + 1);
    let found = gate.telemetry.timed("security_audit", question).await;
    let mut rows = found.map_err(reader.failed("security audit"))?;
    let next_cursor = query.page(&reader, "security-audit", &mut rows, from, |row| row.at);
    let records = rows.into_iter().map(SecurityRecordBody::from).collect();
    Ok(json_response(&parts.headers, to_json(&SecurityAuditBody { records, next_cursor })?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(second).unwrap()
    }

    #[test]
    fn a_list_by_time_goes_on_behind_all_of_a_moment_that_were_shown() {
        let position = |second, shown| Some(TimePosition { at: at(second), shown });
        for (page, from, expected) in [
            (&[5, 4, 3][..], None, position(3, 1)),
            (&[5, 4, 4], None, position(4, 2)),
            (&[4, 4, 4], position(4, 2), position(4, 5)),
            (&[4, 4, 3], position(4, 2), position(3, 1)),
            (&[3, 3], position(4, 2), position(3, 2)),
            (&[], position(4, 2), None),
        ] {
            let page: Vec<_> = page.iter().map(|second| at(*second)).collect();
            assert_eq!(next(&page, from), expected, "{page:?}");
        }
    }
}
