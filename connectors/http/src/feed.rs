//! `GET /v1/changes` and `GET /v1/snapshot`: the newest change of each entity, in the order of the tenant's feed.
//!
//! A reader without a cursor starts at the beginning; up to the head of that moment (`snapshot_until` in the cursor)
//! tombstones are left out, because the reader never had those entities. An entity that changes while it is read moves
//! behind that head and comes later, so nothing is lost and nothing is seen twice in one state. Must never move a
//! cursor past a position that was not read: sequences are allocated under the tenant's lock, so all below a head are
//! visible.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Serialize;
use serde_json::value::RawValue;
use terrasift_postgres::{CatalogVersion, ChangeRow, FeedHead, StoreError};
use terrasift_schemas::feed::{ChangeKind, ChangesPage};
use terrasift_schemas::{EntityRef, TenantId, TraceParent};
use tokio::time::Instant;

use crate::access::Scope;
use crate::auth::{Caller, store_unavailable};
use crate::conditional::json_response;
use crate::cursor::{Cursor, CursorFault, FilterHash};
use crate::gate::Gate;
use crate::openapi::{Answer, Operation, schema_of};
use crate::problem::{Code, Problem};
use crate::query::{CURSOR, KIND, LIMIT, ListQuery, WAIT};
use crate::serve::Draining;
use crate::telemetry::{BackendFailed, CrossTenantAttempt};

pub(crate) const CHANGES: Operation = Operation {
    id: "listChanges",
    summary: "The newest change of each entity, in the order of the tenant's feed",
    about: "Without a cursor it begins with all there is. Everything that was committed before a page was read is in it or behind its cursor; \
        an entity stands in a page at most once, in its newest state. `has_more` false says that the end was reached: go on with \
        `next_cursor` and `wait`. 410 `cursor_expired` says that the feed was rebuilt: begin without a cursor, and replace what you have.",
    query: &[CURSOR, LIMIT, WAIT, KIND],
    body: None,
    answer: Answer::Tagged(schema_of::<ChangesPage>),
    problems: &[Code::CursorExpired],
};

pub(crate) const SNAPSHOT: Operation = Operation {
    id: "readSnapshot",
    summary: "All live entities, as of the moment when reading began",
    about: "The last page's `next_cursor` goes on at `/v1/changes`.",
    query: &[CURSOR, LIMIT, KIND],
    body: None,
    answer: Answer::Tagged(schema_of::<ChangesPage>),
    problems: &[Code::CursorExpired],
};

/// One API request of one tenant: what every handler needs to read for it.
pub(crate) struct Reader<'a> {
    pub gate: &'a Gate,
    pub tenant: TenantId,
    pub trace: TraceParent,
    pub scope: Scope,
    /// How new the tenant's catalog was, where the proof of who asks told it.
    pub version: Option<CatalogVersion>,
}

/// Rows as they were read, in order, up to one more than a page holds. What of them the caller may see is decided where they are
/// cut into a page, and nowhere else.
pub(crate) struct Found {
    rows: Vec<ChangeRow>,
    scope: Scope,
}

/// What of the rows fits a page and may be seen.
pub(crate) struct Cut {
    pub rows: Vec<ChangeRow>,
    /// Position of the last row that was read for the page, seen or not.
    pub last: Option<i64>,
    pub has_more: bool,
}

impl Found {
    /// Rows that were read for somebody.
    pub(crate) fn of(reader: &Reader<'_>, rows: Vec<ChangeRow>) -> Self {
        Self { rows, scope: reader.scope.clone() }
    }

    /// Forgets what lies behind a position.
    fn up_to(&mut self, seq: i64) {
        self.rows.retain(|row| row.seq <= seq);
    }

    pub(crate) fn cut(self, limit: u32) -> Cut {
        let Self { mut rows, scope } = self;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().map(|row| row.seq);
        rows.retain(|row| scope.shows(&row.entity_ref));
        Cut { rows, last, has_more }
    }
}

impl<'a> Reader<'a> {
    /// The request's reader; without the door's mark there is none, and nothing is read.
    pub(crate) fn of(gate: &'a Gate, parts: &Parts) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Caller>();
        let trace = parts.extensions.get::<TraceParent>();
        let scope = parts.extensions.get::<Scope>();
        let (Some(caller), Some(trace), Some(scope)) = (caller, trace, scope) else {
            return Err(Problem::new(Code::Internal, "the route has no door"));
        };
        Ok(Self {
            gate,
            tenant: caller.tenant.clone(),
            trace: *trace,
            scope: scope.clone(),
            version: caller.version,
        })
    }

    /// What a list's cursors are bound to: its filter, and how much of it the caller may see.
    pub(crate) fn filter(&self, list: &str, kind: Option<&str>) -> FilterHash {
        FilterHash::of(list, kind).within(&self.scope)
    }

    /// The same for a list with filters of its own.
    pub(crate) fn narrowed(&self, filter: FilterHash) -> FilterHash {
        filter.within(&self.scope)
    }

    /// Whether the caller may see an entity.
    pub(crate) fn may_see(&self, entity: &EntityRef) -> bool {
        self.scope.shows(entity)
    }

    /// Logs a failed query and makes its problem.
    pub(crate) fn failed(&self, what: &'static str) -> impl Fn(StoreError) -> Problem {
        move |error| self.failed_with(what, &error)
    }

    /// The same for an error that others got, too.
    pub(crate) fn failed_with(&self, what: &'static str, error: &StoreError) -> Problem {
        BackendFailed { what, error, trace: &self.trace }.emit();
        store_unavailable()
    }

    /// Opens a cursor; another tenant's is an attempt that security hears of.
    pub(crate) fn open(&self, filter: FilterHash, text: &str) -> Result<Cursor, Problem> {
        self.gate.cursors.open(&self.tenant, filter, text).map_err(|fault| match fault {
            CursorFault::OtherFilter => {
                let detail = "a cursor goes on with the route, the filters and the namespaces that it came from: start without a cursor";
                Problem::new(Code::CursorFilterChanged, detail)
            }
            CursorFault::Invalid => invalid_cursor(),
            CursorFault::OtherTenant => {
                CrossTenantAttempt { tenant: &self.tenant, what: "cursor", trace: &self.trace }
                    .emit(&self.gate.telemetry);
                invalid_cursor().of_another_tenant()
            }
        })
    }

    /// Reads from the cursor's position, or from the beginning: where that is, the feed's end at that moment, and one row more than
    /// the page holds, where there are so many.
    pub(crate) async fn first(
        &self,
        filter: FilterHash,
        query: &ListQuery,
    ) -> Result<(Cursor, FeedHead, Found), Problem> {
        let opened = query.cursor.as_deref().map(|text| self.open(filter, text)).transpose()?;
        let (head, rows) = self.rows(opened.as_ref().map_or(0, |cursor| cursor.seq), query).await?;
        let Some(cursor) = opened else {
            return Ok((Cursor { epoch: head.epoch, seq: 0, snapshot_until: head.seq }, head, rows));
        };
        self.still_holds(Some(cursor), head)?;
        Ok((cursor, head, rows))
    }

    /// Refuses a cursor of a feed that is no more. Positions ahead of the head come from a database that was restored since: they would
    /// skip what is written next.
    pub(crate) fn still_holds(&self, opened: Option<Cursor>, head: FeedHead) -> Result<(), Problem> {
        match opened {
            Some(cursor)
                if cursor.epoch != head.epoch
                    || cursor.seq > head.seq
                    || cursor.snapshot_until > head.seq =>
            {
                let detail =
                    "the feed was rebuilt since: start again without a cursor, and replace what you have";
                Err(Problem::new(Code::CursorExpired, detail))
            }
            _ => Ok(()),
        }
    }

    pub(crate) async fn rows(&self, after: i64, query: &ListQuery) -> Result<(FeedHead, Found), Problem> {
        let store = &self.gate.doors.store;
        let question = store.changes(&self.tenant, after, query.limit + 1, query.kind.as_deref());
        let answer = self.gate.telemetry.timed("changes", question).await;
        let (head, rows) = answer.map_err(self.failed("feed page"))?;
        Ok((head, Found::of(self, rows)))
    }
}

fn invalid_cursor() -> Problem {
    let detail = "`cursor` is not one that this server gave to this tenant: pass `next_cursor` on unchanged";
    Problem::new(Code::CursorInvalid, detail)
}

/// Rows that fit a page, where the reader stands after them, and whether more is there.
pub(crate) struct Page {
    pub rows: Vec<ChangeRow>,
    pub at: Cursor,
    pub has_more: bool,
}

/// Cuts what was read (one row more than `limit` was asked for) into a page. `upto` is how far everything was read if
/// the rows are all; rows behind it are not looked at.
pub(crate) fn page(found: Found, limit: u32, from: Cursor, upto: i64) -> Page {
    let Cut { mut rows, last, has_more } = found.cut(limit);
    let last = last.unwrap_or(from.seq);
    let seq = if has_more { last } else { last.max(upto).max(from.seq) };
    rows.retain(|row| !row.deleted || row.seq > from.snapshot_until);
    Page { rows, at: Cursor { seq, ..from }, has_more }
}

pub(crate) async fn changes(
    State(gate): State<Arc<Gate>>,
    draining: Draining,
    parts: Parts,
) -> Result<Response, Problem> {
    let reader = Reader::of(&gate, &parts)?;
    let query = ListQuery::parse(parts.uri.query(), CHANGES.query)?;
    let filter = reader.filter("changes", query.kind.as_deref());
    let (mut at, mut head, mut rows) = reader.first(filter, &query).await?;
    let deadline = Instant::now() + query.wait.min(gate.config.long_poll_max);
    let page = loop {
        let page = page(rows, query.limit, at, head.seq);
        let left = deadline.saturating_duration_since(Instant::now());
        if !page.rows.is_empty() || page.has_more || left.is_zero() || draining.has_begun() {
            break page;
        }
        at = page.at;
        wait(&reader, head, left, &draining).await?;
        (head, rows) = reader.rows(at.seq, &query).await?;
    };
    render(&reader, filter, page, &parts)
}

async fn wait(
    reader: &Reader<'_>,
    head: FeedHead,
    left: Duration,
    draining: &Draining,
) -> Result<(), Problem> {
    tokio::select! {
        waited = reader.gate.doors.store.wait_for_change(&reader.tenant, head, left) => {
            waited.map(drop).map_err(reader.failed("feed wait"))
        }
        () = draining.begins() => Ok(()),
    }
}

pub(crate) async fn snapshot(State(gate): State<Arc<Gate>>, parts: Parts) -> Result<Response, Problem> {
    let reader = Reader::of(&gate, &parts)?;
    let query = ListQuery::parse(parts.uri.query(), SNAPSHOT.query)?;
    // The same filter as the changes': the last page's cursor goes on there.
    let filter = reader.filter("changes", query.kind.as_deref());
    let (at, _, mut rows) = reader.first(filter, &query).await?;
    rows.up_to(at.snapshot_until);
    let page = page(rows, query.limit, at, at.snapshot_until);
    render(&reader, filter, page, &parts)
}

/// `schemas::feed::ChangesPage` without a second parse of the entities.
#[derive(Serialize)]
struct PageBody {
    changes: Vec<ChangeBody>,
    next_cursor: String,
    has_more: bool,
}

#[derive(Serialize)]
pub(crate) struct ChangeBody {
    seq: i64,
    change: ChangeKind,
    entity_ref: EntityRef,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity: Option<Box<RawValue>>,
}

fn render(reader: &Reader<'_>, filter: FilterHash, page: Page, parts: &Parts) -> Result<Response, Problem> {
    let next_cursor = reader.gate.cursors.seal(&reader.tenant, filter, &page.at);
    let changes = page.rows.into_iter().map(change_body).collect::<Result<_, _>>()?;
    let body = PageBody { changes, next_cursor, has_more: page.has_more };
    Ok(json_response(&parts.headers, to_json(&body)?))
}

pub(crate) fn change_body(row: ChangeRow) -> Result<ChangeBody, Problem> {
    let change = if row.deleted { ChangeKind::Remove } else { ChangeKind::Upsert };
    let entity = row.body.filter(|_| !row.deleted).map(raw_entity).transpose()?;
    Ok(ChangeBody { seq: row.seq, change, entity_ref: row.entity_ref, entity })
}

/// An entity as it is stored. The store holds what the engine rendered: anything else is our fault.
pub(crate) fn raw_entity(body: String) -> Result<Box<RawValue>, Problem> {
    RawValue::from_string(body).map_err(|_| Problem::new(Code::Internal, "a stored entity is not json"))
}

pub(crate) fn to_json<T: Serialize>(body: &T) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(body).map_err(|_| Problem::new(Code::Internal, "the answer cannot be written"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: Cursor = Cursor { epoch: 1, seq: 10, snapshot_until: 20 };

    fn row(seq: i64, deleted: bool) -> ChangeRow {
        let entity_ref = EntityRef::parse(&format!("resource:acme/r{seq}")).unwrap();
        ChangeRow { seq, entity_ref, deleted, body: (!deleted).then(|| "{}".to_owned()) }
    }

    fn check(name: &str, rows: &[(i64, bool)], limit: u32, upto: i64, expected: (&[i64], i64, bool)) {
        let rows = rows.iter().map(|(seq, deleted)| row(*seq, *deleted)).collect();
        let got = page(Found { rows, scope: Scope::All }, limit, FROM, upto);
        let seqs: Vec<_> = got.rows.iter().map(|row| row.seq).collect();
        assert_eq!((&seqs[..], got.at.seq, got.has_more), expected, "{name}");
        assert_eq!((got.at.epoch, got.at.snapshot_until), (1, 20), "{name}");
    }

    #[test]
    fn a_page_moves_exactly_as_far_as_was_read() {
        check("nothing new", &[], 2, 10, (&[], 10, false));
        check("nothing of this kind", &[], 2, 19, (&[], 19, false));
        check("a head from before", &[], 2, 4, (&[], 10, false));
        check("all", &[(11, false), (12, false)], 2, 12, (&[11, 12], 12, false));
        check("more is there", &[(11, false), (12, false), (13, false)], 2, 40, (&[11, 12], 12, true));
        check("written after the head was read", &[(11, false), (15, false)], 2, 12, (&[11, 15], 15, false));
        check("old tombstones say nothing", &[(11, true), (20, true), (21, true)], 9, 21, (&[21], 21, false));
        check(
            "a page of old tombstones still moves",
            &[(11, true), (12, true), (13, false)],
            2,
            40,
            (&[], 12, true),
        );
    }
}
