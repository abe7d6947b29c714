//! `GET /v1/changes/stream`: the feed as server-sent events, for who does not want to poll.
//!
//! Each event is a change, its id the cursor behind it: a browser that comes back says it as `Last-Event-ID` and misses nothing. Must
//! never hold more than a page in memory, nor outlive a long-poll or the drain.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use terrasift_postgres::ChangeRow;
use terrasift_schemas::feed::Change;
use terrasift_schemas::{TenantId, TraceParent};
use tokio::time::Instant;

use crate::access::Scope;
use crate::cursor::{Cursor, FilterHash};
use crate::feed::{Reader, change_body, page, to_json};
use crate::gate::Gate;
use crate::openapi::{Answer, Operation, schema_of};
use crate::problem::{Code, OK, Problem};
use crate::query::{CURSOR, KIND, LIMIT, ListQuery};
use crate::serve::Draining;

/// Between two signs of life: far below the idle timeouts of common proxies.
const HEARTBEAT: Duration = Duration::from_secs(15);

pub(crate) const CHANGES: Operation = Operation {
    id: "streamChanges",
    summary: "The feed as server-sent events",
    about: "Events `change` have a `Change` as data and the cursor behind it as id; `reset` says that the feed was rebuilt: begin without a \
        cursor. The stream ends by itself after a minute: come back with `Last-Event-ID`, which stands for `cursor`.",
    query: &[CURSOR, LIMIT, KIND],
    body: None,
    answer: Answer::Events(schema_of::<Change>),
    problems: &[Code::CursorExpired],
};

/// A reader of the feed between two pages.
struct Follower {
    gate: Arc<Gate>,
    tenant: TenantId,
    trace: TraceParent,
    scope: Scope,
    query: ListQuery,
    filter: FilterHash,
    at: Cursor,
    until: Instant,
    draining: Draining,
    /// Read, and not sent yet: the first page is read before the answer begins, so that what is wrong is a problem.
    ready: Option<String>,
}

pub(crate) async fn changes(
    State(gate): State<Arc<Gate>>,
    draining: Draining,
    parts: Parts,
) -> Result<Response, Problem> {
    let reader = Reader::of(&gate, &parts)?;
    let mut query = ListQuery::parse(parts.uri.query(), CHANGES.query)?;
    if let Some(last) = parts.headers.get("last-event-id").and_then(|value| value.to_str().ok()) {
        query.cursor = Some(last.to_owned());
    }
    // The same as the changes': either goes on where the other stopped.
    let filter = reader.filter("changes", query.kind.as_deref());
    let (at, head, rows) = reader.first(filter, &query).await?;
    let page = page(rows, query.limit, at, head.seq);
    let ready = events(&reader, filter, page.rows, &page.at)?;
    let Reader { tenant, trace, scope, .. } = reader;
    // Then the door looks anew at who asks: a key that was revoked opens nothing for longer than a long-poll takes.
    let until = Instant::now() + gate.config.long_poll_max;
    let (at, ready) = (page.at, Some(ready));
    let follower = Follower { gate, tenant, trace, scope, query, filter, at, until, draining, ready };
    let body = Body::from_stream(stream::unfold(follower, |mut follower| async move {
        follower.next().await.map(|text| (Ok::<_, Infallible>(text), follower))
    }));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    ];
    Ok((OK, headers, body).into_response())
}

impl Follower {
    /// The next piece of the stream; `None` ends it.
    async fn next(&mut self) -> Option<String> {
        if let Some(ready) = self.ready.take().filter(|ready| !ready.is_empty()) {
            return Some(ready);
        }
        if Instant::now() >= self.until || self.draining.has_begun() {
            return None;
        }
        let gate = Arc::clone(&self.gate);
        let (tenant, scope) = (self.tenant.clone(), self.scope.clone());
        let reader = Reader { gate: &gate, tenant, trace: self.trace, scope, version: None };
        let (head, rows) = reader.rows(self.at.seq, &self.query).await.ok()?;
        if reader.still_holds(Some(self.at), head).is_err() {
            self.until = Instant::now();
            return Some("event: reset\ndata: {}\n\n".to_owned());
        }
        let page = page(rows, self.query.limit, self.at, head.seq);
        self.at = page.at;
        if page.rows.is_empty() && !page.has_more {
            let wait = HEARTBEAT.min(self.until.saturating_duration_since(Instant::now()));
            tokio::select! {
                waited = gate.doors.store.wait_for_change(&self.tenant, head, wait) => {
                    waited.map_err(reader.failed("feed wait")).ok()?;
                }
                () = self.draining.begins() => {}
            }
            return Some(": as of now\n\n".to_owned());
        }
        events(&reader, self.filter, page.rows, &page.at).ok()
    }
}

/// The changes of a page as events. The id of the last one is where the page ends; those before it have that of their own.
fn events(
    reader: &Reader<'_>,
    filter: FilterHash,
    rows: Vec<ChangeRow>,
    end: &Cursor,
) -> Result<String, Problem> {
    let (mut text, count) = (String::new(), rows.len());
    for (number, row) in rows.into_iter().enumerate() {
        let at = if number + 1 == count { *end } else { Cursor { seq: row.seq, ..*end } };
        let id = reader.gate.cursors.seal(&reader.tenant, filter, &at);
        let body = String::from_utf8(to_json(&change_body(row)?)?)
            .map_err(|_| Problem::new(Code::Internal, "the answer cannot be written"))?;
        // JSON as it is written has no line feeds.
        text.push_str(&format!("id: {id}\nevent: change\ndata: {body}\n\n"));
    }
    Ok(text)
}
