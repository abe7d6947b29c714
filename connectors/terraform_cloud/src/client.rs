//! The API client: one request a call, the right token, a bounded answer.
//!
//! Must never send a token anywhere but to the API's origin, follow a redirect, or retry: the caller owns the budget.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode};
use terrasift_schemas::{OrganizationName, WorkspaceId};
use url::Url;

use crate::download::{self, Download};
use crate::guard::{self, Policy};
use crate::resolver::PublicResolver;
use crate::tokens::Tokens;
use crate::wire::{self, BadBody};
use crate::{ClientConfig, DownloadUrl, FailureKind, TfcError, WorkspacePage, WorkspaceRead};

/// The API's largest page (documented).
const PAGE_SIZE: usize = 100;
/// Most bytes of an API answer: a page of 100 workspaces whose state versions list some thousand resources each.
const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;
/// A busy worker uses a connection again far sooner.
const CONNECTION_IDLE_MAX: Duration = Duration::from_secs(10);
/// How long to wait after a 429 that does not say: the limit is per second.
const RATE_LIMIT_WAIT: Duration = Duration::from_secs(1);
/// Longest wait that a 429 can ask for.
const RATE_LIMIT_WAIT_MAX: Duration = Duration::from_secs(300);

/// A Terraform Cloud client with one set of tokens. Cheap to clone; clones share connections and the token in use.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    config: ClientConfig,
    tokens: Tokens,
    /// To the API's origin.
    api: reqwest::Client,
    /// To everywhere else: look-ups judged by the guard unless private downloads are allowed.
    foreign: reqwest::Client,
}

impl Client {
    /// Builds a client; asks nothing yet.
    ///
    /// # Errors
    /// [`FailureKind::Configuration`] for an unusable address or token.
    pub fn new(config: ClientConfig) -> Result<Self, TfcError> {
        let refuse = |what| Err(TfcError::new(FailureKind::Configuration, what));
        let policy = Policy { private: true, http: config.allow_http };
        if !guard::has_allowed_shape(&config.address, policy) || config.address.host().is_none() {
            return refuse(
                "the terraform cloud address must be https://host[:port]; `allow_http` allows http",
            );
        }
        let tokens = Tokens::new(&config.tokens)?;
        let build = |builder: reqwest::ClientBuilder| {
            let what = "cannot build the http client";
            builder.build().map_err(|_| TfcError::new(FailureKind::Configuration, what))
        };
        let tls = tls();
        let api = build(base(&config, tls.clone()))?;
        let foreign = base(&config, tls);
        let foreign = if config.allow_private_downloads {
            build(foreign)?
        } else {
            build(foreign.dns_resolver(Arc::new(PublicResolver::new())))?
        };
        Ok(Self { inner: Arc::new(Inner { config, tokens, api, foreign }) })
    }

    /// The user behind the token in use, which is the key of its rate budget; `None` until [`Client::account_user`] has
    /// found it out. A fallback token can be another user's.
    #[must_use]
    pub fn known_user(&self) -> Option<Arc<str>> {
        self.inner.tokens.user(self.active_token())
    }

    /// Names the token in use without telling it: stands for its user where that cannot be known.
    #[must_use]
    pub fn token_fingerprint(&self) -> Arc<str> {
        self.inner.tokens.fingerprint(self.active_token())
    }

    /// Asks for the user behind the token in use and remembers it for that token. Where the token may not ask (404) it is
    /// its fingerprint, for good.
    ///
    /// # Errors
    /// [`TfcError`].
    pub async fn account_user(&self) -> Result<Arc<str>, TfcError> {
        const WHAT: &str = "read the account of the terraform cloud token";
        let token = self.active_token();
        let fingerprint = self.inner.tokens.fingerprint(token);
        let user = match self.get_as(WHAT, self.url(&["account", "details"]), token).await {
            Ok(body) => read(WHAT, wire::account(&body))?.into(),
            Err(error) if error.kind() == FailureKind::NotFound => Arc::clone(&fingerprint),
            Err(error) => return Err(error),
        };
        self.learn_user(&fingerprint, Arc::clone(&user));
        Ok(user)
    }

    /// Somebody found out whose the token of this fingerprint is.
    pub fn learn_user(&self, fingerprint: &str, user: Arc<str>) {
        self.inner.tokens.learn_user(fingerprint, &user);
    }

    /// One page (from 1) of an organization's workspaces with their current states, 100 a page.
    ///
    /// # Errors
    /// [`TfcError`]. An answer that is not understood in full is [`FailureKind::BadBody`], never a shorter page.
    pub async fn workspaces(
        &self,
        organization: &OrganizationName,
        page: u32,
    ) -> Result<WorkspacePage, TfcError> {
        const WHAT: &str = "list the workspaces of an organization";
        let page = page.max(1);
        let mut url = self.url(&["organizations", organization.as_str(), "workspaces"]);
        url.query_pairs_mut()
            .append_pair("page[number]", &page.to_string())
            .append_pair("page[size]", &PAGE_SIZE.to_string())
            .append_pair("include", "current_state_version");
        let body = self.get(WHAT, url).await?;
        read(WHAT, wire::page(&body, page, PAGE_SIZE))
    }

    /// A workspace, its project, its variables' keys and its current state, in one request.
    ///
    /// # Errors
    /// [`TfcError`]. An answer that does not tell the current state is [`FailureKind::BadBody`], never "no state".
    pub async fn workspace(&self, id: &WorkspaceId) -> Result<WorkspaceRead, TfcError> {
        const WHAT: &str = "read a workspace";
        let mut url = self.url(&["workspaces", id.as_str()]);
        url.query_pairs_mut().append_pair("include", "current_state_version,project,vars");
        let body = self.get(WHAT, url).await?;
        read(WHAT, wire::workspace(&body, id, &self.inner.config.address))
    }

    /// Opens a download. The token goes along only where the URL is on the API's own origin.
    ///
    /// # Errors
    /// [`TfcError`]: [`FailureKind::Expired`] asks for reading the workspace again.
    pub async fn download(&self, url: &DownloadUrl) -> Result<Download, TfcError> {
        download::open(self, url).await
    }

    /// Whether opening this download is a request to the API's own origin (Terraform Enterprise), where the rate limit counts
    /// it.
    #[must_use]
    pub fn is_own_origin(&self, url: &DownloadUrl) -> bool {
        let address = &self.inner.config.address;
        url.resolve(address).is_some_and(|url| url.origin() == address.origin())
    }

    /// Which token is in use: 0 is the primary.
    #[must_use]
    pub fn active_token(&self) -> usize {
        self.inner.tokens.active()
    }

    pub(crate) fn config(&self) -> &ClientConfig {
        &self.inner.config
    }

    /// Asks once, without following redirects. The connection is dropped with the answer.
    pub(crate) async fn send(
        &self,
        what: &'static str,
        url: Url,
        bearer: bool,
    ) -> Result<Response, TfcError> {
        self.send_as(what, url, bearer, self.active_token()).await
    }

    async fn send_as(
        &self,
        what: &'static str,
        url: Url,
        bearer: bool,
        token: usize,
    ) -> Result<Response, TfcError> {
        let inner = &*self.inner;
        let own = url.origin() == inner.config.address.origin();
        let client = if own { &inner.api } else { &inner.foreign };
        let mut request = client.get(url);
        let bearer = if bearer && own {
            // INVARIANT: `Tokens` only gives indices below the number of tokens, which is at least one
            let bearer = inner.tokens.bearer(token).expect("the index in use has a token");
            request = request.header(AUTHORIZATION, bearer.header.clone());
            Some(bearer)
        } else {
            None
        };
        let response = request.send().await.map_err(|error| TfcError::transport(what, &error))?;
        if let Some(bearer) = bearer.filter(|_| response.status() == StatusCode::UNAUTHORIZED) {
            return Err(TfcError::new(inner.tokens.refuse(token, &bearer), what));
        }
        Ok(response)
    }

    async fn get(&self, what: &'static str, url: Url) -> Result<Vec<u8>, TfcError> {
        self.get_as(what, url, self.active_token()).await
    }

    async fn get_as(&self, what: &'static str, url: Url, token: usize) -> Result<Vec<u8>, TfcError> {
        let whole = async {
            let response = self.send_as(what, url, true, token).await?;
            if response.status() != StatusCode::OK {
                return Err(TfcError::new(failure(response.status(), response.headers()), what));
            }
            body(what, response).await
        };
        match tokio::time::timeout(self.inner.config.timeouts.request, whole).await {
            Ok(answer) => answer,
            Err(_) => Err(TfcError::new(FailureKind::Timeout, what)),
        }
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.inner.config.address.clone();
        url.set_query(None);
        url.set_fragment(None);
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().extend(["api", "v2"]).extend(path);
        }
        url
    }
}

fn read<T>(what: &'static str, parsed: Result<T, BadBody>) -> Result<T, TfcError> {
    parsed.map_err(|BadBody| TfcError::new(FailureKind::BadBody, what))
}

async fn body(what: &'static str, mut response: Response) -> Result<Vec<u8>, TfcError> {
    let declared = response.content_length().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0);
    let mut body = Vec::with_capacity(declared.min(BODY_BYTES_MAX));
    let broken = |error: reqwest::Error| match TfcError::transport(what, &error).kind() {
        FailureKind::Timeout => TfcError::new(FailureKind::Timeout, what),
        _ => TfcError::new(FailureKind::Connection, what),
    };
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        let chunk: Bytes = chunk;
        if body.len() + chunk.len() > BODY_BYTES_MAX {
            return Err(TfcError::new(FailureKind::BadBody, what));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What a status that is no success means.
pub(crate) fn failure(status: StatusCode, headers: &HeaderMap) -> FailureKind {
    match status.as_u16() {
        404 => FailureKind::NotFound,
        429 => FailureKind::RateLimited(rate_limit_wait(headers)),
        status => FailureKind::Upstream(status),
    }
}

/// `X-RateLimit-Reset`: seconds until the limit opens again, with a fraction.
fn rate_limit_wait(headers: &HeaderMap) -> Duration {
    headers
        .get("x-ratelimit-reset")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.trim().parse::<f64>().ok())
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .map_or(RATE_LIMIT_WAIT, |wait| wait.min(RATE_LIMIT_WAIT_MAX))
}

fn base(config: &ClientConfig, tls: rustls::ClientConfig) -> reqwest::ClientBuilder {
    let mut headers = HeaderMap::new();
    // The length that is declared must be the length that arrives.
    headers.insert(reqwest::header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .default_headers(headers)
        .user_agent(concat!("terrasift/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .connect_timeout(config.timeouts.connect)
        // A connection's buffer holds the end of what it read last: a worker without work lets go of it.
        .pool_idle_timeout(CONNECTION_IDLE_MAX)
        // As many as a busy worker has under way: opening one costs more than asking.
        .pool_max_idle_per_host(64)
}

/// TLS with the system's roots, for every client of this process. Without any (a bare container) every `https` connection fails, and
/// says so in the log.
#[must_use]
pub fn tls() -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if added == 0 {
        tracing::warn!(
            "no CA certificates on this machine: every https connection will fail; install ca-certificates"
        );
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    // INVARIANT: ring implements the cipher suites of TLS 1.2 and 1.3, which is all that can be missing here
    let builder = builder.expect("ring speaks the default protocol versions");
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reset_header_is_read_as_float_seconds_and_bounded() {
        let cases = [
            (None, 1_000),
            (Some("0.25"), 250),
            (Some("3"), 3_000),
            (Some(" 1.5 "), 1_500),
            (Some("0"), 0),
            (Some("-1"), 1_000),
            (Some("NaN"), 1_000),
            (Some("inf"), 1_000),
            (Some("1e300"), 1_000),
            (Some("86400"), 300_000),
            (Some("soon"), 1_000),
        ];
        for (text, ms) in cases {
            let mut headers = HeaderMap::new();
            if let Some(text) = text {
                headers.insert("x-ratelimit-reset", HeaderValue::from_static(text));
            }
            assert_eq!(rate_limit_wait(&headers), Duration::from_millis(ms), "{text:?}");
        }
    }
}
