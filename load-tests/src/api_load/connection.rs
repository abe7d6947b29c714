//! One HTTP/1.1 connection that stays: what a Backstage backend holds open.
//!
//! Must never connect again by itself: a connection that the program closed is an error.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, Request, StatusCode, header};
use bytes::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::answer::Wrong;

/// Longest wait for an answer: the program's own limit.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(30);
/// Largest answer that is read: a page of 1,000 entities of some KiB.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// A connection with a key. No `Debug`.
pub(super) struct Connection {
    sender: SendRequest<Body>,
    host: HeaderValue,
    authorization: HeaderValue,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) tag: Option<HeaderValue>,
    pub(super) body: Bytes,
}

impl Connection {
    /// Connects; nothing is sent yet.
    pub(super) async fn open(port: u16, key: &str) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let stream = TcpStream::connect(address).await.context("cannot connect to the program")?;
        stream.set_nodelay(true)?;
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.context("cannot talk to the program")?;
        // It ends with its sender, or with the program's end; which of them is seen by the next request.
        tokio::spawn(async move { drop(connection.await) });
        let mut authorization = HeaderValue::from_str(&format!("Bearer {key}"))?;
        authorization.set_sensitive(true);
        Ok(Self { sender, host: HeaderValue::from_str(&address.to_string())?, authorization })
    }

    /// Whether it is open still.
    pub(super) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Asks for a path, and reads the whole answer.
    pub(super) async fn get(&mut self, path: &str, known: Option<&HeaderValue>) -> Result<Answer, Wrong> {
        timeout(ANSWER_WAIT_MAX, self.exchange(path, known)).await.map_err(|_| Wrong::Late)?
    }

    async fn exchange(&mut self, path: &str, known: Option<&HeaderValue>) -> Result<Answer, Wrong> {
        let mut request = Request::get(path)
            .header(header::HOST, &self.host)
            .header(header::AUTHORIZATION, &self.authorization);
        if let Some(tag) = known {
            request = request.header(header::IF_NONE_MATCH, tag);
        }
        let request = request.body(Body::empty()).map_err(|_| Wrong::Shape)?;
        self.sender.ready().await.map_err(|_| Wrong::Connection)?;
        let response = self.sender.send_request(request).await.map_err(|_| Wrong::Connection)?;
        let (parts, body) = response.into_parts();
        let body = to_bytes(Body::new(body), ANSWER_BYTES_MAX).await.map_err(|_| Wrong::Connection)?;
        let tag = parts.headers.get(header::ETAG).cloned();
        Ok(Answer { status: parts.status, tag, body })
    }
}
