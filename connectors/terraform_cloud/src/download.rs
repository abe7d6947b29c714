//! Downloads: redirects by hand with the guard at each hop, then a stream whose length is checked.
//!
//! Must never send the token along a redirect, buffer more than a chunk, or call a cut stream finished.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, LOCATION};
use tokio::time::Instant;
use url::Url;

use crate::client::{self, Client};
use crate::guard::{self, Policy};
use crate::{DownloadUrl, FailureKind, TfcError};

/// Most redirects that are followed.
const REDIRECTS_MAX: usize = 3;
const WHAT: &str = "download a state";

/// A download under way. Dropping it closes the connection.
pub struct Download {
    response: Response,
    declared: Option<u64>,
    received: u64,
    read_idle: Duration,
    deadline: Instant,
    finished: bool,
}

impl Download {
    /// The length that the server declared, in bytes.
    #[must_use]
    pub fn declared_bytes(&self) -> Option<u64> {
        self.declared
    }

    /// The next chunk, of any size above 0; `None` when all of it was received and its length is right.
    ///
    /// # Errors
    /// [`FailureKind::Truncated`], [`FailureKind::Timeout`]: nothing of what came before may be used then.
    pub async fn next_chunk(&mut self) -> Result<Option<Bytes>, TfcError> {
        if self.finished {
            return Ok(None);
        }
        loop {
            let until = self.deadline.min(Instant::now() + self.read_idle);
            let chunk = match tokio::time::timeout_at(until, self.response.chunk()).await {
                Err(_) => return Err(failed(FailureKind::Timeout)),
                // The connection ended before the body did, or broke: either way a part is missing.
                Ok(Err(_)) => return Err(failed(FailureKind::Truncated)),
                Ok(Ok(chunk)) => chunk,
            };
            let Some(chunk) = chunk else {
                self.finished = true;
                let complete = self.declared.is_none_or(|declared| declared == self.received);
                return if complete { Ok(None) } else { Err(failed(FailureKind::Truncated)) };
            };
            self.received = self.received.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
            if self.declared.is_some_and(|declared| self.received > declared) {
                return Err(failed(FailureKind::Truncated));
            }
            if !chunk.is_empty() {
                return Ok(Some(chunk));
            }
        }
    }
}

fn failed(kind: FailureKind) -> TfcError {
    TfcError::new(kind, WHAT)
}

pub(crate) async fn open(client: &Client, url: &DownloadUrl) -> Result<Download, TfcError> {
    let timeouts = client.config().timeouts;
    let deadline = Instant::now() + timeouts.download;
    let opened = tokio::time::timeout(timeouts.request, follow(client, url)).await;
    let response = opened.map_err(|_| failed(FailureKind::Timeout))??;
    // What is encoded has another length than declared, and is no JSON.
    if response.headers().get(CONTENT_ENCODING).is_some_and(|encoding| encoding.as_bytes() != b"identity") {
        return Err(failed(FailureKind::BadBody));
    }
    // A page for people is a gateway's or a maintenance's, and passes; what claims to be a state and is none does not.
    if is_page(&response) {
        return Err(failed(FailureKind::BadBody));
    }
    let declared = response.content_length();
    Ok(Download { response, declared, received: 0, read_idle: timeouts.read_idle, deadline, finished: false })
}

fn is_page(response: &Response) -> bool {
    let media = response.headers().get(CONTENT_TYPE).map(|media| media.as_bytes());
    media.is_some_and(|media| media.get(..9).is_some_and(|start| start.eq_ignore_ascii_case(b"text/html")))
}

async fn follow(client: &Client, url: &DownloadUrl) -> Result<Response, TfcError> {
    let config = client.config();
    let policy = Policy { private: config.allow_private_downloads, http: config.allow_http };
    let mut url = url.resolve(&config.address).ok_or_else(|| failed(FailureKind::BadBody))?;
    for hop in 0..=REDIRECTS_MAX {
        // The API's own origin is trusted by configuration: an Enterprise often stands in a private network.
        let own = url.origin() == config.address.origin();
        let allowed = if own { guard::has_allowed_shape(&url, policy) } else { guard::may_ask(&url, policy) };
        if !allowed {
            return Err(failed(FailureKind::GuardRefused));
        }
        let response = client.send(WHAT, url.clone(), hop == 0).await?;
        url = match response.status().as_u16() {
            200 => return Ok(response),
            301 | 302 | 303 | 307 | 308 => next_hop(&url, response.headers())?,
            403 | 404 | 410 => return Err(failed(FailureKind::Expired)),
            _ => return Err(failed(client::failure(response.status(), response.headers()))),
        };
    }
    Err(failed(FailureKind::GuardRefused))
}

fn next_hop(from: &Url, headers: &HeaderMap) -> Result<Url, TfcError> {
    let bad = || failed(FailureKind::BadBody);
    let location = headers.get(LOCATION).ok_or_else(bad)?;
    let location = std::str::from_utf8(location.as_bytes()).map_err(|_| bad())?;
    let to = from.join(location).map_err(|_| bad())?;
    // A step down from https to http would show the signed URL and the state to the network.
    if from.scheme() == "https" && to.scheme() != "https" {
        return Err(failed(FailureKind::GuardRefused));
    }
    Ok(to)
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn check(from: &str, location: &'static [u8], expected: Result<&str, FailureKind>) {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, HeaderValue::from_bytes(location).expect("a value"));
        let got = next_hop(&from.parse().expect("an address"), &headers);
        let got = got.as_ref().map(Url::as_str).map_err(TfcError::kind);
        assert_eq!(got, expected, "{from} to {}", String::from_utf8_lossy(location));
    }

    #[test]
    fn a_redirect_never_steps_down_from_https() {
        use FailureKind::{BadBody, GuardRefused};
        let from = "https://archivist.terraform.io/v1/object?sig=1";
        let cases: [(&[u8], Result<&str, FailureKind>); 13] = [
            (b"/v2", Ok("https://archivist.terraform.io/v2")),
            (b"//other.example/x", Ok("https://other.example/x")),
            (b"https://other.example/x", Ok("https://other.example/x")),
            (b"http://archivist.terraform.io/v2", Err(GuardRefused)),
            (b"HTTP://archivist.terraform.io/v2", Err(GuardRefused)),
            (b"http:\\\\archivist.terraform.io/v2", Err(GuardRefused)),
            (b"ftp://archivist.terraform.io/v2", Err(GuardRefused)),
            (b"file:///etc/passwd", Err(GuardRefused)),
            (b"javascript:alert(1)", Err(GuardRefused)),
            (b"data:text/plain,x", Err(GuardRefused)),
            (b"ws://archivist.terraform.io/", Err(GuardRefused)),
            (b"https://[", Err(BadBody)),
            (b"https://\xff\xfe/", Err(BadBody)),
        ];
        for (location, expected) in cases {
            check(from, location, expected);
        }
        check("http://a.example/", b"http://b.example/", Ok("http://b.example/"));
        check("http://a.example/", b"https://b.example/", Ok("https://b.example/"));
    }
}
