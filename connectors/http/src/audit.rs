//! `GET /v1/audit` and `GET /v1/audit/{id}`: what the sanitizer found in each state, by rule, path and count.
//!
//! Must never show a value (the store holds none), and never tell another tenant's record from one that does not exist.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use terrasift_postgres::{AuditFilter, AuditFinding, AuditRow};
use terrasift_schemas::detection::{Action, Category};
use terrasift_schemas::{PipelineVersion, RunId, StateVersionId, WorkspaceId};
use time::OffsetDateTime;

use crate::conditional::json_response;
use crate::cursor::{Cursor, FilterHash};
use crate::feed::{Reader, to_json};
use crate::gate::Gate;
use crate::openapi::{Answer, Moment, Operation, schema_of};
use crate::problem::{Code, Problem};
use crate::query::{
    CURSOR, LIMIT, LIMIT_DEFAULT, ListQuery, Parameter, SINCE, Shape, UNTIL, WORKSPACE, limit, moment,
    parameters, workspace,
};

const RULE: Parameter = Parameter {
    name: "rule",
    about: "Only states in which this rule found something",
    shape: Shape::Text("^[a-z0-9-]{1,64}$"),
};
const CATEGORY: Parameter = Parameter {
    name: "category",
    about: "Only states in which something of this category was found",
    shape: Shape::Word(&["pii", "credential", "infrastructure"]),
};
const PARAMETERS: &[Parameter] = &[CURSOR, LIMIT, WORKSPACE, RULE, CATEGORY, SINCE, UNTIL];

pub(crate) const LIST: Operation = Operation {
    id: "listSanitizations",
    summary: "What the sanitizer found in each state, newest first",
    about: "By rule and count, never by value; the paths stand in the single record.",
    query: PARAMETERS,
    body: None,
    answer: Answer::Tagged(schema_of::<AuditListBody>),
    problems: &[],
};

pub(crate) const BY_ID: Operation = Operation {
    id: "readSanitization",
    summary: "What the sanitizer found in one state, and where",
    about: "Paths are RFC 6901 pointers into the sanitized state.",
    query: &[],
    body: None,
    answer: Answer::Tagged(schema_of::<AuditBody>),
    problems: &[Code::AuditNotFound],
};

/// Ids of rules are kebab-case of at most 64 characters.
const RULE_BYTES_MAX: usize = 64;

/// An audit record as it is shown, here and by `terrasift audit`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Sanitization")]
pub struct AuditBody {
    id: i64,
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "Moment")]
    at: OffsetDateTime,
    workspace: WorkspaceId,
    serial: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_version: Option<StateVersionId>,
    pipeline_version: PipelineVersion,
    /// Number of the tenant's rule set.
    rule_set: i64,
    counts: BTreeMap<Category, u64>,
    /// Detections that are counted but not among the findings.
    truncated: u64,
    #[schemars(with = "Vec<FindingShape>")]
    findings: Vec<AuditFinding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<RunId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
}

/// What one rule did in one state.
#[derive(JsonSchema)]
#[schemars(rename = "Finding")]
#[expect(dead_code, reason = "stands for the store's type, which knows no schemas")]
struct FindingShape {
    /// Id of the rule.
    rule: String,
    category: Category,
    action: Action,
    /// How often, among the listed detections.
    count: u64,
    /// Pointers into the sanitized state; lists leave them out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pointers: Vec<String>,
}

impl From<AuditRow> for AuditBody {
    fn from(row: AuditRow) -> Self {
        Self {
            id: row.id,
            at: row.at,
            workspace: row.workspace,
            serial: row.version.serial,
            state_version: row.version.state_version,
            pipeline_version: row.version.pipeline,
            rule_set: row.version.pipeline.rule_set(),
            counts: row.counts,
            truncated: row.truncated,
            findings: row.findings,
            run: row.run,
            trace_id: row.trace.map(|trace| trace.trace_id()),
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SanitizationsPage")]
struct AuditListBody {
    audit: Vec<AuditBody>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// What a list is asked for.
#[derive(Debug, PartialEq, Eq)]
struct AuditQuery {
    cursor: Option<String>,
    limit: u32,
    filter: AuditFilter,
}

impl AuditQuery {
    fn parse(query: Option<&str>) -> Result<Self, Problem> {
        let mut parsed = Self { cursor: None, limit: LIMIT_DEFAULT, filter: AuditFilter::default() };
        let invalid = |detail: &'static str| Problem::new(Code::FilterInvalid, detail);
        for (name, value) in parameters(query, PARAMETERS)? {
            let filter = &mut parsed.filter;
            match name {
                "cursor" => parsed.cursor = Some(value.into_owned()),
                "limit" => parsed.limit = limit(&value)?,
                "workspace" => filter.workspace = Some(workspace(&value)?),
                "rule" => {
                    let kebab = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
                    if !(1..=RULE_BYTES_MAX).contains(&value.len()) || !value.bytes().all(kebab) {
                        return Err(invalid("`rule` is the id of a rule: `terrasift rules list` shows them"));
                    }
                    filter.rule = Some(value.into_owned());
                }
                "category" => {
                    let all = [Category::Pii, Category::Credential, Category::Infrastructure];
                    let found = all.into_iter().find(|category| category.as_str() == value);
                    let detail = "`category` is pii, credential or infrastructure";
                    filter.category = Some(found.ok_or_else(|| invalid(detail))?);
                }
                "since" => filter.since = Some(moment(&value)?),
                _ => filter.until = Some(moment(&value)?),
            }
        }
        Ok(parsed)
    }

    /// A cursor goes on with the filter it came from only.
    fn hash(&self) -> FilterHash {
        let AuditFilter { workspace, rule, category, since, until } = &self.filter;
        let time = |at: &Option<OffsetDateTime>| at.map(|at| at.unix_timestamp_nanos().to_string());
        let parts = [
            workspace.as_ref().map(|id| id.as_str().to_owned()),
            rule.clone(),
            category.map(|category| category.as_str().to_owned()),
            time(since),
            time(until),
        ];
        // None of the parts holds a blank.
        FilterHash::of("audit", Some(&parts.map(Option::unwrap_or_default).join(" ")))
    }
}

/// The tenant's audit records, newest first, without pointers.
pub(crate) async fn list(State(gate): State<Arc<Gate>>, parts: Parts) -> Result<Response, Problem> {
    let reader = Reader::of(&gate, &parts)?;
    let query = AuditQuery::parse(parts.uri.query())?;
    let hash = query.hash();
    let before = query.cursor.as_deref().map(|text| reader.open(hash, text)).transpose()?;
    let before = before.map(|cursor| cursor.seq);
    let question = gate.doors.store.audit(&reader.tenant, &query.filter, before, query.limit + 1);
    let found = gate.telemetry.timed("audit", question).await;
    let mut rows = found.map_err(reader.failed("audit records"))?;
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows.last().filter(|_| has_more).map(|last| {
        gate.cursors.seal(&reader.tenant, hash, &Cursor { epoch: 0, seq: last.id, snapshot_until: 0 })
    });
    let audit = rows.into_iter().map(AuditBody::from).collect();
    Ok(json_response(&parts.headers, to_json(&AuditListBody { audit, next_cursor })?))
}

/// One audit record, with its pointers.
pub(crate) async fn by_id(
    State(gate): State<Arc<Gate>>,
    path: Result<Path<i64>, PathRejection>,
    parts: Parts,
) -> Result<Response, Problem> {
    let reader = Reader::of(&gate, &parts)?;
    ListQuery::parse(parts.uri.query(), &[])?;
    let not_found = || Problem::new(Code::AuditNotFound, "no audit record of this tenant has this id");
    let Path(id) = path.map_err(|_| not_found())?;
    let found = gate.telemetry.timed("audit_record", gate.doors.store.audit_record(&reader.tenant, id)).await;
    let row = found.map_err(reader.failed("audit record"))?.ok_or_else(not_found)?;
    Ok(json_response(&parts.headers, to_json(&AuditBody::from(row))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_parse_whole_or_not_at_all() {
        let code = |query: &str| AuditQuery::parse(Some(query)).map(drop).map_err(|problem| problem.code());
        for (query, expected) in [
            ("", Ok(())),
            ("workspace=ws-a&rule=email&category=pii&since=2026-01-31T12:00:00Z&limit=5", Ok(())),
            ("until=2026-01-31T12:00:00%2B02:00", Ok(())),
            ("workspace=a%20b", Err(Code::FilterInvalid)),
            ("workspace=", Err(Code::FilterInvalid)),
            ("rule=E-Mail", Err(Code::FilterInvalid)),
            ("rule=", Err(Code::FilterInvalid)),
            ("category=PII", Err(Code::FilterInvalid)),
            ("since=yesterday", Err(Code::FilterInvalid)),
            ("since=2026-01-31", Err(Code::FilterInvalid)),
            ("limit=0", Err(Code::LimitOutOfRange)),
            ("tenant=globex", Err(Code::QueryParameterUnknown)),
            ("rule=a&rule=b", Err(Code::QueryParameterRepeated)),
        ] {
            assert_eq!(code(query), expected, "{query}");
        }
    }

    #[test]
    fn each_filter_has_a_hash_of_its_own() {
        let queries = [
            "",
            "workspace=ws-a",
            "rule=pii",
            "category=pii",
            "since=2026-01-31T12:00:00Z",
            "until=2026-01-31T12:00:00Z",
        ];
        let hashes: Vec<_> = queries.iter().map(|q| AuditQuery::parse(Some(q)).unwrap().hash()).collect();
        for (at, hash) in hashes.iter().enumerate() {
            assert!(!hashes[..at].contains(hash), "{}", queries[at]);
        }
    }
}
