//! `/v1/admin/keys`: a tenant's own API keys, issued, rotated and revoked by who may administer them.
//!
//! Nobody hands on more than he has. Must never show a key's text but in the one answer that made it, nor tell another tenant's key from
//! one that does not exist.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use terrasift_postgres::{ApiKeyEntry, ApiKeyId, KeyIssued, KeyRotated, NewApiKey};
use terrasift_secrets::Secret;
use time::OffsetDateTime;

use crate::access::{Grant, includes};
use crate::api_key::fresh_api_key;
use crate::attempt::Made;
use crate::auth::Granted;
use crate::conditional::json_response;
use crate::cursor::{Cursor, FilterHash};
use crate::feed::{Reader, to_json};
use crate::gate::Gate;
use crate::keys::ApiKeyBody;
use crate::openapi::{Answer, Operation, schema_of};
use crate::problem::{CREATED, Code, OK, Problem};
use crate::query::{CURSOR, LIMIT, ListQuery, Parameter};

/// A tenant has a key a program and some; what wants more is a fault.
const VALID_KEYS_MAX: u32 = 500;
/// Days that a key from here is valid at most, and unless told otherwise. Longer ones are an operator's.
const DAYS_MAX: u16 = 365;
/// Hours that both keys of a rotation are valid, unless told otherwise.
const OVERLAP_HOURS: u16 = 24;
/// Hours that both keys of a rotation are valid at most: longer, and nothing was rotated.
pub const OVERLAP_HOURS_MAX: u16 = 24 * 30;
/// Names are for people.
const NAME_CHARS_MAX: usize = 64;
/// More than there are permissions, in some namespaces each.
const SCOPES_MAX: usize = 64;
/// As the draft of the header has it: visible, and no novel.
const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
const IDEMPOTENCY_KEY: &str = "idempotency-key";

const PARAMETERS: &[Parameter] = &[CURSOR, LIMIT];

pub(crate) const LIST: Operation = Operation {
    id: "listKeys",
    summary: "API keys of the tenant, oldest first, also those that are over",
    about: "What they open, until when, when they were used last; never a key's text.",
    query: PARAMETERS,
    body: None,
    answer: Answer::Tagged(schema_of::<KeysBody>),
    problems: &[],
};

pub(crate) const ISSUE: Operation = Operation {
    id: "issueKey",
    summary: "Makes a key, and shows it this once",
    about: "It opens no more than what asks for it. Sent again with the same `Idempotency-Key`, it makes no second key: the answer is \
        `key_issued_before` with the key's number, and its text is lost: rotate it.",
    query: &[],
    body: Some(schema_of::<KeyWanted>),
    answer: Answer::Created(schema_of::<NewKeyBody>),
    problems: &[
        Code::PayloadInvalid,
        Code::BodyUnreadable,
        Code::KeyInvalid,
        Code::IdempotencyKeyInvalid,
        Code::ScopeEscalation,
        Code::KeyIssuedBefore,
        Code::KeysTooMany,
        Code::Overloaded,
    ],
};

pub(crate) const ROTATE: Operation = Operation {
    id: "rotateKey",
    summary: "Makes a key in the place of another one, shows it this once, and lets the other one end",
    about: "With the same name and scopes, which must be no more than what asks may do. Sent again, it makes no second key.",
    query: &[],
    body: Some(schema_of::<RotationWanted>),
    answer: Answer::Fresh(schema_of::<NewKeyBody>),
    problems: &[
        Code::PayloadInvalid,
        Code::BodyUnreadable,
        Code::KeyInvalid,
        Code::ScopeEscalation,
        Code::KeyNotFound,
        Code::KeyRotatedBefore,
        Code::KeyOver,
        Code::Overloaded,
    ],
};

pub(crate) const REVOKE: Operation = Operation {
    id: "revokeKey",
    summary: "Ends a key at once: every replica refuses it from the next request on",
    about: "Any key of the tenant, also the one that asks, and the last one that may administer keys: what has leaked must end. Done again, it \
        changes nothing.",
    query: &[],
    body: None,
    answer: Answer::Fresh(schema_of::<ApiKeyBody>),
    problems: &[Code::KeyNotFound],
};

/// A key that is asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "KeyWanted")]
struct KeyWanted {
    /// What the key is for.
    #[schemars(length(min = 1, max = 64))]
    name: String,
    /// What it opens, such as `catalog:read`, or `catalog:read@acme-prod` for one namespace.
    #[schemars(length(min = 1, max = 64))]
    scopes: Vec<String>,
    /// Days until it expires; 365 if it is left out.
    #[schemars(range(min = 1, max = 365))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    days: Option<u16>,
}

/// How a key is to be rotated; `{}` is as good as any.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RotationWanted")]
struct RotationWanted {
    /// Days until the new key expires; 365 if it is left out.
    #[schemars(range(min = 1, max = 365))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    days: Option<u16>,
    /// Hours that the old key stays valid, 0 ends it at once; 24 if it is left out.
    #[schemars(range(min = 0, max = 720))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    overlap_hours: Option<u16>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ApiKeysPage")]
struct KeysBody {
    keys: Vec<ApiKeyBody>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A key that was made just now.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NewApiKey")]
struct NewKeyBody<'a> {
    #[serde(flatten)]
    entry: ApiKeyBody,
    /// The key itself, in this answer only.
    key: &'a str,
}

/// The tenant's keys, oldest first.
pub(crate) async fn list(State(gate): State<Arc<Gate>>, parts: Parts) -> Result<Response, Problem> {
    let reader = Reader::of(&gate, &parts)?;
    let query = ListQuery::parse(parts.uri.query(), PARAMETERS)?;
    let hash = FilterHash::of("keys", None);
    let after = query.cursor.as_deref().map(|text| reader.open(hash, text)).transpose()?;
    let after = after.map(|cursor| ApiKeyId(cursor.seq));
    let question = gate.doors.store.api_keys(&reader.tenant, after, query.limit + 1);
    let mut entries = gate.telemetry.timed("api_keys", question).await.map_err(reader.failed("api keys"))?;
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let has_more = entries.len() > limit;
    entries.truncate(limit);
    let next_cursor = entries.last().filter(|_| has_more).map(|last| {
        gate.cursors.seal(&reader.tenant, hash, &Cursor { epoch: 0, seq: last.id.0, snapshot_until: 0 })
    });
    let now = OffsetDateTime::now_utc();
    let keys = entries.into_iter().map(|entry| ApiKeyBody::at(entry, now)).collect();
    Ok(json_response(&parts.headers, to_json(&KeysBody { keys, next_cursor })?))
}

/// Makes a key.
pub(crate) async fn issue(State(gate): State<Arc<Gate>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let reader = Reader::of(&gate, &parts)?;
    ListQuery::parse(parts.uri.query(), &[])?;
    let sent = idempotency_key(&parts.headers)?;
    let wanted: KeyWanted = read(&gate, &parts, body).await?;
    check_name(&wanted.name)?;
    check_scopes(&wanted.scopes)?;
    let expires_at = Some(ends(wanted.days)?);
    refuse_more_than_granted(&parts, &wanted.scopes)?;
    let (key, digest) = mint(&gate)?;
    let new = NewApiKey { digest, name: wanted.name, scopes: wanted.scopes, expires_at, request: sent };
    let question = gate.doors.store.issue_api_key(&reader.tenant, new, VALID_KEYS_MAX);
    let issued = gate.telemetry.timed("issue_api_key", question).await;
    match issued.map_err(reader.failed("issue of an api key"))? {
        KeyIssued::Done(entry) => shown_once(CREATED, entry, &key),
        KeyIssued::Before(id) => {
            let detail = "this request issued a key before, whose text is told to nobody again: rotate it, `key` is its number";
            Err(Problem::new(Code::KeyIssuedBefore, detail).about_key(id.0))
        }
        KeyIssued::TooMany => {
            let detail = format!("a tenant has at most {VALID_KEYS_MAX} valid keys: revoke what nobody uses");
            Err(Problem::new(Code::KeysTooMany, detail))
        }
    }
}

/// Makes a key in the place of another one.
pub(crate) async fn rotate(
    State(gate): State<Arc<Gate>>,
    path: Result<Path<i64>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let (reader, id) = asked(&gate, path, &parts)?;
    let wanted: RotationWanted = read(&gate, &parts, body).await?;
    let expires_at = Some(ends(wanted.days)?);
    let hours = wanted.overlap_hours.unwrap_or(OVERLAP_HOURS);
    if hours > OVERLAP_HOURS_MAX {
        let detail =
            format!("`overlap_hours` is at most {OVERLAP_HOURS_MAX}: longer, and nothing is rotated");
        return Err(Problem::new(Code::KeyInvalid, detail));
    }
    let failed = reader.failed("rotation of an api key");
    // What a key opens never changes, so that it can be looked at first.
    let old = gate.doors.store.api_key_entry(&reader.tenant, id).await.map_err(&failed)?;
    refuse_more_than_granted(&parts, &old.ok_or_else(not_found)?.scopes)?;
    let (key, digest) = mint(&gate)?;
    let overlap = Duration::from_secs(u64::from(hours) * 3600);
    let question = gate.doors.store.rotate_api_key(&reader.tenant, id, digest, expires_at, overlap);
    let rotated = gate.telemetry.timed("rotate_api_key", question).await.map_err(&failed)?;
    match rotated.ok_or_else(not_found)? {
        KeyRotated::Done { new, .. } => shown_once(OK, new, &key),
        KeyRotated::Before(by) => {
            let detail =
                "the key was rotated before: `key` is the number of the one in its place, rotate that one";
            Err(Problem::new(Code::KeyRotatedBefore, detail).about_key(by.0))
        }
        KeyRotated::Over => {
            Err(Problem::new(Code::KeyOver, "the key is revoked or expired: issue a new one"))
        }
    }
}

/// Ends a key.
pub(crate) async fn revoke(
    State(gate): State<Arc<Gate>>,
    path: Result<Path<i64>, PathRejection>,
    parts: Parts,
) -> Result<Response, Problem> {
    let (reader, id) = asked(&gate, path, &parts)?;
    let question = gate.doors.store.revoke_api_key(&reader.tenant, id);
    let revoked = gate.telemetry.timed("revoke_api_key", question).await;
    let entry = revoked.map_err(reader.failed("end of an api key"))?.ok_or_else(not_found)?;
    Ok(fresh(OK, to_json(&ApiKeyBody::at(entry, OffsetDateTime::now_utc()))?))
}

/// Who asks, and about which key.
fn asked<'a>(
    gate: &'a Gate,
    path: Result<Path<i64>, PathRejection>,
    parts: &Parts,
) -> Result<(Reader<'a>, ApiKeyId), Problem> {
    let reader = Reader::of(gate, parts)?;
    ListQuery::parse(parts.uri.query(), &[])?;
    let Path(id) = path.map_err(|_| not_found())?;
    Ok((reader, ApiKeyId(id)))
}

/// The body of a request.
async fn read<T: DeserializeOwned>(gate: &Gate, parts: &Parts, body: Body) -> Result<T, Problem> {
    let body = gate.read_body(&parts.headers, body, gate.config.api_body_limit_bytes).await?;
    // Serde takes an array of the members, too. What it says quotes the body.
    let object = body.trim_ascii_start().starts_with(b"{");
    object.then(|| serde_json::from_slice(&body).ok()).flatten().ok_or_else(|| {
        let detail = "the body is not the JSON object that this route wants: `/openapi.json` describes it";
        Problem::new(Code::PayloadInvalid, detail)
    })
}

/// What names a request among those of its tenant, if it has a name.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<[u8; 32]>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let bytes = value.as_bytes();
    let fits = (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&bytes.len())
        && bytes.iter().all(u8::is_ascii_graphic)
        && values.next().is_none();
    if fits {
        return Ok(Some(Sha256::digest(bytes).into()));
    }
    let detail = format!(
        "`Idempotency-Key` may stand once, with 1 to {IDEMPOTENCY_KEY_BYTES_MAX} visible ASCII characters"
    );
    Err(Problem::new(Code::IdempotencyKeyInvalid, detail))
}

fn check_name(name: &str) -> Result<(), Problem> {
    let fits = (1..=NAME_CHARS_MAX).contains(&name.chars().count())
        && !name.trim().is_empty()
        && !name.chars().any(char::is_control);
    let detail =
        || format!("`name` has 1 to {NAME_CHARS_MAX} characters, and none of them controls anything");
    fits.then_some(()).ok_or_else(|| Problem::new(Code::KeyInvalid, detail()))
}

fn check_scopes(scopes: &[String]) -> Result<(), Problem> {
    let fits =
        (1..=SCOPES_MAX).contains(&scopes.len()) && scopes.iter().all(|scope| Grant::parse(scope).is_some());
    let detail = format!(
        "`scopes` are 1 to {SCOPES_MAX} permissions such as `catalog:read`, those of the catalog also with @namespace"
    );
    fits.then_some(()).ok_or_else(|| Problem::new(Code::KeyInvalid, detail))
}

fn ends(days: Option<u16>) -> Result<OffsetDateTime, Problem> {
    let days = days.unwrap_or(DAYS_MAX);
    if (1..=DAYS_MAX).contains(&days) {
        return Ok(OffsetDateTime::now_utc() + time::Duration::days(i64::from(days)));
    }
    Err(Problem::new(Code::KeyInvalid, format!("`days` is 1 to {DAYS_MAX}")))
}

/// Whoever asks for a key gets none that opens more than he may do himself.
fn refuse_more_than_granted(parts: &Parts, scopes: &[String]) -> Result<(), Problem> {
    let granted = parts.extensions.get::<Granted>().map_or(&[][..], |granted| &granted.0);
    if scopes.iter().all(|scope| includes(granted, scope)) {
        return Ok(());
    }
    let detail = "a scope of the key is none of yours: ask with a key or a token that has all of them";
    Err(Problem::new(Code::ScopeEscalation, detail))
}

fn mint(gate: &Gate) -> Result<(Secret, [u8; 32]), Problem> {
    let internal = || Problem::new(Code::Internal, "the operating system gives no random bytes");
    fresh_api_key(&gate.doors.key_pepper).ok_or_else(internal)
}

fn shown_once(status: StatusCode, entry: ApiKeyEntry, key: &Secret) -> Result<Response, Problem> {
    let made = Made(entry.id.0);
    let entry = ApiKeyBody::at(entry, OffsetDateTime::now_utc());
    let mut response = fresh(status, to_json(&NewKeyBody { entry, key: key.expose() })?);
    response.extensions_mut().insert(made);
    Ok(response)
}

/// An answer that nobody keeps.
fn fresh(status: StatusCode, body: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, body).into_response()
}

fn not_found() -> Problem {
    Problem::new(Code::KeyNotFound, "no api key of this tenant has this number")
}
