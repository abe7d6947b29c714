//! `/v1/dead-letters`: what was given up, and the two decisions about it: retry and discard.
//!
//! A decision is a row in Postgres; the worker's outbox does what follows, so this needs no Kafka. Must never hold more
//! than ids, codes, counts, times and names of keys, and never tell another tenant's letter from one that does not exist.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use terrasift_postgres::{
    DeadLetter, DeadLetterFilter, DeadLetterId, Decided, LetterState, LetterVerdict, StoreError,
};
use terrasift_schemas::WorkspaceId;
use terrasift_schemas::event::{FailureReason, RecordPosition};
use time::OffsetDateTime;

use crate::auth::Caller;
use crate::conditional::json_response;
use crate::cursor::{Cursor, FilterHash};
use crate::feed::{Reader, to_json};
use crate::gate::Gate;
use crate::openapi::{Answer, Moment, Operation, schema_of};
use crate::problem::{Code, OK, Problem};
use crate::query::{
    CURSOR, LIMIT, LIMIT_DEFAULT, ListQuery, Parameter, SINCE, Shape, WORKSPACE, limit, moment, parameters,
    workspace,
};
use crate::telemetry::LetterDecided;

const STATE: Parameter = Parameter {
    name: "state",
    about: "Only letters in this state; `open` if it is left out",
    shape: Shape::Word(&["open", "retried", "discarded", "closed", "all"]),
};
const REASON: Parameter = Parameter {
    name: "reason",
    about: "Only letters for this reason, such as `state_refused`",
    shape: Shape::Text("^[a-z_]{1,64}$"),
};
const PARAMETERS: &[Parameter] = &[CURSOR, LIMIT, STATE, REASON, WORKSPACE, SINCE];
const DECISION_PROBLEMS: &[Code] =
    &[Code::DeadLetterNotFound, Code::DeadLetterSettled, Code::DeadLetterNotRetryable];

pub(crate) const LIST: Operation = Operation {
    id: "listDeadLetters",
    summary: "What was given up, oldest first",
    about: "",
    query: PARAMETERS,
    body: None,
    answer: Answer::Tagged(schema_of::<DeadLettersBody>),
    problems: &[],
};

pub(crate) const BY_ID: Operation = Operation {
    id: "readDeadLetter",
    summary: "One dead letter",
    about: "",
    query: &[],
    body: None,
    answer: Answer::Tagged(schema_of::<DeadLetterBody>),
    problems: &[Code::DeadLetterNotFound],
};

pub(crate) const RETRY: Operation = Operation {
    id: "retryDeadLetter",
    summary: "Has the letter's workspace synced anew",
    about: "Done again, it changes nothing.",
    query: &[],
    body: None,
    answer: Answer::Fresh(schema_of::<DeadLetterBody>),
    problems: DECISION_PROBLEMS,
};

pub(crate) const DISCARD: Operation = Operation {
    id: "discardDeadLetter",
    summary: "Takes the letter out of the queue for good",
    about: "Done again, it changes nothing.",
    query: &[],
    body: None,
    answer: Answer::Fresh(schema_of::<DeadLetterBody>),
    problems: DECISION_PROBLEMS,
};

/// The state that stands for every state.
const ALL_STATES: &str = "all";

/// A dead letter as it is shown, here and by `terrasift dlq`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DeadLetter")]
pub struct DeadLetterBody {
    id: i64,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace: Option<WorkspaceId>,
    reason: String,
    detail: String,
    attempts: u32,
    occurrences: i64,
    retries: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<RecordPosition>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "Moment")]
    parked_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "Moment")]
    last_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Moment>")]
    retried_at: Option<OffsetDateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retried_by: Option<String>,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Moment>")]
    settled_at: Option<OffsetDateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settled_by: Option<String>,
    /// Its record is on `sanitization-failed`.
    announced: bool,
    /// Its retry waits to be sent to `terraform-state-updated`.
    retry_waits: bool,
}

impl From<DeadLetter> for DeadLetterBody {
    fn from(letter: DeadLetter) -> Self {
        let (retried_at, retried_by) = letter.retried.map(|decision| (decision.at, decision.by)).unzip();
        let (settled_at, settled_by) = letter.settled.map(|decision| (decision.at, decision.by)).unzip();
        Self {
            id: letter.id.0,
            state: letter.state.as_str(),
            workspace: letter.workspace,
            reason: letter.reason,
            detail: letter.detail,
            attempts: letter.attempts,
            occurrences: letter.occurrences,
            retries: letter.retries,
            record: letter.record,
            trace_id: letter.trace.map(|trace| trace.trace_id()),
            parked_at: letter.parked_at,
            last_at: letter.last_at,
            retried_at,
            retried_by,
            settled_at,
            settled_by,
            announced: !letter.announce_due,
            retry_waits: letter.retry_due,
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DeadLettersPage")]
struct DeadLettersBody {
    dead_letters: Vec<DeadLetterBody>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// What a list is asked for. Without `state`: what waits for somebody.
#[derive(Debug, PartialEq, Eq)]
struct LettersQuery {
    cursor: Option<String>,
    limit: u32,
    filter: DeadLetterFilter,
}

impl LettersQuery {
    fn parse(query: Option<&str>) -> Result<Self, Problem> {
        let filter = DeadLetterFilter { state: Some(LetterState::Open), ..DeadLetterFilter::default() };
        let mut parsed = Self { cursor: None, limit: LIMIT_DEFAULT, filter };
        let invalid = |detail: &'static str| move || Problem::new(Code::FilterInvalid, detail);
        for (name, value) in parameters(query, PARAMETERS)? {
            let filter = &mut parsed.filter;
            match name {
                "cursor" => parsed.cursor = Some(value.into_owned()),
                "limit" => parsed.limit = limit(&value)?,
                "state" if value == ALL_STATES => filter.state = None,
                "state" => {
                    let detail = "`state` is open, retried, discarded, closed or all";
                    filter.state = Some(LetterState::from_code(&value).ok_or_else(invalid(detail))?);
                }
                "reason" => {
                    let detail = "`reason` is the code of a failure, such as state_refused";
                    filter.reason = Some(FailureReason::from_code(&value).ok_or_else(invalid(detail))?);
                }
                "workspace" => filter.workspace = Some(workspace(&value)?),
                _ => filter.since = Some(moment(&value)?),
            }
        }
        Ok(parsed)
    }

    /// A cursor goes on with the filter it came from only.
    fn hash(&self) -> FilterHash {
        let DeadLetterFilter { state, reason, workspace, since } = &self.filter;
        let parts = [
            state.map(|state| state.as_str().to_owned()),
            reason.map(|reason| reason.as_str().to_owned()),
            workspace.as_ref().map(|id| id.as_str().to_owned()),
            since.map(|at| at.unix_timestamp_nanos().to_string()),
        ];
        // None of the parts holds a blank.
        FilterHash::of("dead-letters", Some(&parts.map(Option::unwrap_or_default).join(" ")))
    }
}

/// The tenant's dead letters, oldest first.
pub(crate) async fn list(State(gate): State<Arc<Gate>>, parts: Parts) -> Result<Response, Problem> {
    let reader = Reader::of(&gate, &parts)?;
    let query = LettersQuery::parse(parts.uri.query())?;
    let hash = query.hash();
    let after = query.cursor.as_deref().map(|text| reader.open(hash, text)).transpose()?;
    let after = after.map(|cursor| DeadLetterId(cursor.seq));
    let question = gate.doors.store.dead_letters(&reader.tenant, &query.filter, after, query.limit + 1);
    let found = gate.telemetry.timed("dead_letters", question).await;
    let mut letters = found.map_err(reader.failed("dead letters"))?;
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let has_more = letters.len() > limit;
    letters.truncate(limit);
    let next_cursor = letters.last().filter(|_| has_more).map(|last| {
        let at = Cursor { epoch: 0, seq: last.id.0, snapshot_until: 0 };
        gate.cursors.seal(&reader.tenant, hash, &at)
    });
    let dead_letters = letters.into_iter().map(DeadLetterBody::from).collect();
    Ok(json_response(&parts.headers, to_json(&DeadLettersBody { dead_letters, next_cursor })?))
}

/// One letter, whatever its state.
pub(crate) async fn by_id(
    State(gate): State<Arc<Gate>>,
    path: Result<Path<i64>, PathRejection>,
    parts: Parts,
) -> Result<Response, Problem> {
    let reader = Reader::of(&gate, &parts)?;
    ListQuery::parse(parts.uri.query(), &[])?;
    let Path(id) = path.map_err(|_| not_found())?;
    let question = gate.doors.store.dead_letter(&reader.tenant, DeadLetterId(id));
    let found = gate.telemetry.timed("dead_letter", question).await;
    let letter = found.map_err(reader.failed("dead letter"))?.ok_or_else(not_found)?;
    Ok(json_response(&parts.headers, to_json(&DeadLetterBody::from(letter))?))
}

/// Has the letter's workspace synced anew. Asked again, it answers the same and does no more.
pub(crate) async fn retry(
    State(gate): State<Arc<Gate>>,
    path: Result<Path<i64>, PathRejection>,
    parts: Parts,
) -> Result<Response, Problem> {
    let (reader, id, by) = asked(&gate, path, &parts)?;
    let question = gate.doors.store.retry_dead_letter(&reader.tenant, id, &by);
    let decided = gate.telemetry.timed("retry_dead_letter", question).await;
    answer(&reader, "retry", id, decided)
}

/// Takes a letter out of the queue.
pub(crate) async fn discard(
    State(gate): State<Arc<Gate>>,
    path: Result<Path<i64>, PathRejection>,
    parts: Parts,
) -> Result<Response, Problem> {
    let (reader, id, by) = asked(&gate, path, &parts)?;
    let question = gate.doors.store.discard_dead_letter(&reader.tenant, id, &by);
    let decided = gate.telemetry.timed("discard_dead_letter", question).await;
    answer(&reader, "discard", id, decided)
}

/// Who asks, and about which letter.
fn asked<'a>(
    gate: &'a Gate,
    path: Result<Path<i64>, PathRejection>,
    parts: &Parts,
) -> Result<(Reader<'a>, DeadLetterId, String), Problem> {
    let reader = Reader::of(gate, parts)?;
    ListQuery::parse(parts.uri.query(), &[])?;
    let Path(id) = path.map_err(|_| not_found())?;
    let by = parts.extensions.get::<Caller>().map(|caller| caller.name.clone()).unwrap_or_default();
    Ok((reader, DeadLetterId(id), by))
}

fn answer(
    reader: &Reader<'_>,
    action: &'static str,
    id: DeadLetterId,
    decided: Result<Option<Decided>, StoreError>,
) -> Result<Response, Problem> {
    let decided = decided.map_err(reader.failed("decision about a dead letter"))?;
    let outcome = match decided.as_ref().map(|decided| decided.verdict) {
        None => "not_found",
        Some(LetterVerdict::Done) => "done",
        Some(LetterVerdict::Already) => "already",
        Some(LetterVerdict::Settled | LetterVerdict::NoWorkspace) => "refused",
    };
    LetterDecided { tenant: &reader.tenant, letter: id.0, action, outcome, trace: &reader.trace }
        .emit(&reader.gate.telemetry);
    let Decided { verdict, letter } = decided.ok_or_else(not_found)?;
    match verdict {
        LetterVerdict::Done | LetterVerdict::Already => {
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ];
            Ok((OK, headers, to_json(&DeadLetterBody::from(letter))?).into_response())
        }
        LetterVerdict::Settled => {
            let detail = "the letter is discarded or closed: a new failure makes a new letter";
            Err(Problem::new(Code::DeadLetterSettled, detail))
        }
        LetterVerdict::NoWorkspace => {
            let detail = "the letter names no workspace, so there is nothing to sync: discard it";
            Err(Problem::new(Code::DeadLetterNotRetryable, detail))
        }
    }
}

fn not_found() -> Problem {
    Problem::new(Code::DeadLetterNotFound, "no dead letter of this tenant has this id")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_of_letters_parse_whole_or_not_at_all() {
        let code = |query: &str| LettersQuery::parse(Some(query)).map(drop).map_err(|problem| problem.code());
        for (query, expected) in [
            ("", Ok(())),
            ("state=all&reason=state_refused&workspace=ws-a&since=2026-01-31T12:00:00Z&limit=5", Ok(())),
            ("state=Open", Err(Code::FilterInvalid)),
            ("state=", Err(Code::FilterInvalid)),
            ("reason=poison", Err(Code::FilterInvalid)),
            ("workspace=a%20b", Err(Code::FilterInvalid)),
            ("since=yesterday", Err(Code::FilterInvalid)),
            ("limit=0", Err(Code::LimitOutOfRange)),
            ("tenant=globex", Err(Code::QueryParameterUnknown)),
            ("state=open&state=open", Err(Code::QueryParameterRepeated)),
        ] {
            assert_eq!(code(query), expected, "{query}");
        }
        let open = LettersQuery::parse(None).map(|query| query.filter.state);
        assert_eq!(open.ok(), Some(Some(LetterState::Open)));
    }

    #[test]
    fn each_filter_of_letters_has_a_hash_of_its_own() {
        let queries = [
            "",
            "state=all",
            "state=closed",
            "reason=panicked",
            "workspace=ws-a",
            "since=2026-01-31T12:00:00Z",
        ];
        let hashes: Vec<_> = queries.iter().map(|q| LettersQuery::parse(Some(q)).unwrap().hash()).collect();
        for (at, hash) in hashes.iter().enumerate() {
            assert!(!hashes[..at].contains(hash), "{}", queries[at]);
        }
    }
}
