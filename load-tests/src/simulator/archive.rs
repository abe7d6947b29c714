//! Owns the archive: the second origin, where states are downloaded by signed, short-lived URLs without a bearer token.
//! It must never serve a state for a URL that it did not sign.

use super::Shared;
use super::config::StateSource;
use super::faults::{FaultKind, Point};
use super::world::StateVersion;
use crate::generator::StateStream;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;

type Chunks = std::pin::Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

fn signature(seed: u64, workspace: &str, version: &str, expires_ms: i128) -> String {
    // INVARIANT: HMAC takes keys of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(&seed.to_le_bytes()).expect("any key length");
    mac.update(format!("{workspace}/{version}/{expires_ms}").as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

fn now_ms() -> i128 {
    OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000
}

/// A download URL. `expired`: one that no longer works.
pub(crate) fn signed_url(shared: &Shared, workspace: &str, version: &str, expired: bool) -> String {
    let lifetime = i128::try_from(shared.config.url_lifetime.as_millis()).unwrap_or(i128::MAX / 2);
    let expires = if expired { now_ms() - 1_000 } else { now_ms() + lifetime };
    let proof = signature(shared.config.seed, workspace, version, expires);
    format!("{}/v1/object/{workspace}/{version}/{expires}/{proof}", shared.archive_origin)
}

/// `GET /v1/object/{workspace}/{version}/{expires}/{proof}`.
pub(crate) async fn download(
    State(shared): State<Arc<Shared>>,
    Path((workspace, version, expires, proof)): Path<(String, String, String, String)>,
) -> Response {
    let expires_ms: i128 = expires.parse().unwrap_or(0);
    if proof != signature(shared.config.seed, &workspace, &version, expires_ms) || expires_ms <= now_ms() {
        return (StatusCode::FORBIDDEN, "the link is not valid, or no longer").into_response();
    }
    let (found, fault) = {
        let mut world = shared.world();
        let fault = world.faults.take(Point::Download, &workspace);
        let found = world
            .workspaces
            .get(&workspace)
            .and_then(|it| it.versions.iter().find(|other| other.id == version))
            .cloned();
        (found, fault)
    };
    let Some(found) = found else { return StatusCode::NOT_FOUND.into_response() };
    answer(&found, fault).await
}

async fn answer(version: &StateVersion, fault: Option<FaultKind>) -> Response {
    match fault {
        Some(FaultKind::DownloadStatus { code }) => {
            return StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response();
        }
        Some(FaultKind::RedirectToPrivate) => {
            return (StatusCode::FOUND, [(header::LOCATION, "http://10.0.0.1/v1/object/state")])
                .into_response();
        }
        Some(FaultKind::EmptyBody) => return (StatusCode::OK, Body::empty()).into_response(),
        Some(FaultKind::DownloadGarbage) => {
            return ([(header::CONTENT_TYPE, "application/octet-stream")], "no state").into_response();
        }
        Some(FaultKind::DownloadNotJson) => {
            return ([(header::CONTENT_TYPE, "text/html")], "<html><body>maintenance</body></html>")
                .into_response();
        }
        _ => {}
    }
    let (chunks, bytes): (Chunks, Option<u64>) = match &version.source {
        StateSource::Generated(spec) => {
            (Box::pin(stream::iter(StateStream::new(spec.clone()).map(Ok))), version.bytes())
        }
        StateSource::File(path) => match tokio::fs::read(path).await {
            Ok(bytes) => {
                let length = u64::try_from(bytes.len()).ok();
                (Box::pin(stream::iter([Ok(Bytes::from(bytes))])), length)
            }
            Err(_) => return StatusCode::NOT_FOUND.into_response(),
        },
    };
    let (chunks, length) = disturbed(chunks, bytes, fault);
    let mut response = Response::new(Body::from_stream(chunks));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/octet-stream"));
    if let Some(length) = length {
        response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    }
    response
}

/// The body and its announced length under a fault that lets it start.
fn disturbed(chunks: Chunks, bytes: Option<u64>, fault: Option<FaultKind>) -> (Chunks, Option<u64>) {
    match fault {
        Some(FaultKind::Truncated) => {
            let half = bytes.unwrap_or(100_000) / 2;
            let half = usize::try_from(half).unwrap_or(usize::MAX);
            let cut = chunks.scan(half, |left, chunk| {
                let taken = (*left > 0).then(|| {
                    chunk.map(|mut chunk| {
                        chunk.truncate(*left);
                        *left -= chunk.len();
                        chunk
                    })
                });
                std::future::ready(taken)
            });
            (Box::pin(cut.chain(late(Err(aborted())))), bytes)
        }
        Some(FaultKind::WrongContentLength) => {
            (Box::pin(chunks.chain(late(Ok(Bytes::new())))), Some(bytes.unwrap_or(1_000_000) + 1_000))
        }
        Some(FaultKind::SlowBody { pause_ms }) => {
            let slow = chunks.then(move |chunk| async move {
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
                chunk
            });
            (Box::pin(slow), bytes)
        }
        _ => (chunks, bytes),
    }
}

fn aborted() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "cut by order")
}

/// An item that comes one turn later, so that what stands before it is sent before the connection breaks.
fn late(item: io::Result<Bytes>) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::once(async move {
        tokio::task::yield_now().await;
        item
    })
}
