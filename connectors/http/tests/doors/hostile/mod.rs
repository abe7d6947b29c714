//! Hostile senders against the real server on a socket: tables of named cases, each with the one answer that is right.
//!
//! What a client library would never send is written byte by byte. Must never accept "some error" where the answer has a code.

mod bodies;
mod cursors;
mod deliveries;
mod framing;
mod paths;
mod signatures;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use terrasift_http::{HttpConfig, TenantDoor, serve};
use terrasift_schemas::{TenantId, TenantSlug};
use terrasift_secrets::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::house::{Answer, House, house_with, router_of, sign};

const PATIENCE: Duration = Duration::from_secs(30);
/// How long a body may take that never comes whole.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Workspace of all deliveries that could become events.
pub const WORKSPACE: &str = "ws-Hostile";

/// A house behind a socket, and the same tenants behind another after their secrets changed.
pub struct Site {
    pub house: House,
    /// Tenant a has a new secret there, `{a}-none` none, `{a}-empty` an empty one.
    pub new_secret: String,
    address: SocketAddr,
    rekeyed: SocketAddr,
}

impl Site {
    pub async fn start(name: &str) -> Self {
        let config = HttpConfig { request_timeout: REQUEST_TIMEOUT, ..HttpConfig::default() };
        let house = house_with(name, config.clone(), None).await;
        let new_secret = format!("{}-after-its-rotation", house.a.secret);
        let door = |id: &str, slug: &str, secret: Option<&str>| TenantDoor {
            id: TenantId::parse(id).expect("id"),
            slug: TenantSlug::parse(slug).expect("slug"),
            webhook_secret: secret.map(|secret| Secret::new(secret.to_owned()).into()),
            webhook_sources: Vec::new(),
        };
        let (id, slug) = (house.a.id.as_str(), house.a.slug.as_str());
        let tenants = vec![
            door(id, slug, Some(&new_secret)),
            door(&format!("{id}-none"), &format!("{slug}-none"), None),
            door(&format!("{id}-empty"), &format!("{slug}-empty"), Some("")),
        ];
        let rekeyed = router_of(&format!("{name}-rekeyed"), &house.store, tenants, &config).await;
        let address = listen(house.router.clone(), config.clone()).await;
        let rekeyed = listen(rekeyed, config).await;
        Self { house, new_secret, address, rekeyed }
    }

    /// Sends the bytes on a connection of their own; `Err` when the server closed without an answer.
    pub async fn ask(&self, sent: &Sent) -> Result<Answer, Unanswered> {
        let address = if sent.to_rekeyed { self.rekeyed } else { self.address };
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        // The server may refuse, and close, before all is written.
        drop(stream.write_all(&sent.bytes).await);
        if sent.then_cut {
            drop(stream.shutdown().await);
        }
        let mut bytes = Vec::new();
        // A reset after the answer is as good as a close.
        drop(timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the server closes in time"));
        parse(&bytes)
    }
}

/// The server closed the connection without a word.
#[derive(Debug)]
pub struct Unanswered;

async fn listen(router: Router, config: HttpConfig) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(serve(listener, router, config, None, std::future::pending()));
    address
}

/// The one answer among the bytes: two would mean that a body was read as a request.
fn parse(bytes: &[u8]) -> Result<Answer, Unanswered> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or(Unanswered)?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let answers = bytes.windows(7).filter(|seven| *seven == b"HTTP/1.").count();
    assert_eq!(answers, 1, "one request, one answer");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let mut headers = axum::http::HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let name: axum::http::HeaderName = name.parse().expect("a name");
        headers.append(name, value.parse().expect("a value"));
    }
    let length = headers.get("content-length").and_then(|length| length.to_str().ok()?.parse().ok());
    let body = bytes[end + 4..].iter().copied().take(length.unwrap_or(usize::MAX)).collect();
    Ok(Answer { status: status.expect("a status"), headers, body })
}

/// What goes over the wire.
pub struct Sent {
    pub bytes: Vec<u8>,
    to_rekeyed: bool,
    then_cut: bool,
}

/// A delivery in the making: right in all that a case does not change.
#[derive(Clone)]
pub struct Post {
    line: String,
    headers: Vec<u8>,
    /// What stands where the length would, and what goes over the wire in the body's place.
    framing: Option<(String, Vec<u8>)>,
    body: Vec<u8>,
    host: bool,
    to_rekeyed: bool,
    then_cut: bool,
    keeps: bool,
}

impl Post {
    /// Unsigned, to a tenant's address.
    pub fn to(slug: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            line: format!("POST /v1/webhooks/terraform-cloud/{slug} HTTP/1.1"),
            headers: Vec::new(),
            framing: None,
            body: body.into(),
            host: true,
            to_rekeyed: false,
            then_cut: false,
            keeps: false,
        }
    }

    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.extend(name.as_bytes());
        self.headers.extend(b": ");
        self.headers.extend(value.as_ref());
        self.headers.extend(b"\r\n");
        self
    }

    /// Bytes among the headers, as they are.
    pub fn raw_header(mut self, bytes: &[u8]) -> Self {
        self.headers.extend(bytes);
        self
    }

    pub fn signature(self, value: impl AsRef<[u8]>) -> Self {
        self.header("X-TFE-Notification-Signature", value)
    }

    /// Signed as Terraform Cloud would, over the body as it is now.
    pub fn signed(self, secret: &str) -> Self {
        let signature = sign(secret, &self.body);
        self.signature(signature)
    }

    /// Another request line.
    pub fn line(mut self, line: &str) -> Self {
        line.clone_into(&mut self.line);
        self
    }

    /// Another body than the one that was signed.
    pub fn sending(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// These header lines instead of the right length, and these bytes behind the head.
    pub fn framed(mut self, lines: &str, wire: impl Into<Vec<u8>>) -> Self {
        self.framing = Some((lines.to_owned(), wire.into()));
        self
    }

    /// The sender ends its side behind the last byte.
    pub fn then_cut(mut self) -> Self {
        self.then_cut = true;
        self
    }

    /// Does not ask for the end of the connection: the server must end it by itself.
    pub fn keeping(mut self) -> Self {
        self.keeps = true;
        self
    }

    pub fn without_host(mut self) -> Self {
        self.host = false;
        self
    }

    /// To the server whose tenants have other secrets.
    pub fn at_rekeyed(mut self) -> Self {
        self.to_rekeyed = true;
        self
    }

    pub fn sent(self) -> Sent {
        let length = format!("content-length: {}\r\n", self.body.len());
        let (lines, wire) = self.framing.unwrap_or((length, self.body));
        let host = if self.host { "host: x\r\n" } else { "" };
        let close = if self.keeps { "" } else { "connection: close\r\n" };
        let mut bytes = format!("{}\r\n{host}{close}{lines}", self.line).into_bytes();
        bytes.extend(self.headers);
        bytes.extend(b"\r\n");
        bytes.extend(wire);
        Sent { bytes, to_rekeyed: self.to_rekeyed, then_cut: self.then_cut }
    }
}

/// A name, what is sent, and the answer: status with the code of a problem or the outcome of a delivery.
pub type Case = (&'static str, Post, &'static str);
