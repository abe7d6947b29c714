//! Vault (and OpenBao): a field of a secret in the KV engine, over its HTTP API.
//!
//! Logs in once, keeps its token for two thirds of its life, and logs in anew when Vault refuses it. Must never follow a redirect:
//! the token would go along.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::Url;
use zeroize::Zeroizing;

use crate::error::Refusal;
use crate::reference::VaultName;
use crate::{Secret, SecretError, SecretErrorKind, SecretRef, local, transport};

/// Vault's own bound of an entry is 1 MiB; JSON may double it.
const ANSWER_BYTES_MAX: usize = 2 * 1024 * 1024;
/// A token that was given to us is renewed this often, so that a periodic one lives as long as we do.
const RENEW_EVERY: Duration = Duration::from_secs(600);

/// Version of the KV engine; each mount has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KvVersion {
    /// Without versions.
    V1,
    /// With versions; the latest is read.
    V2,
}

/// Who we are to Vault. Holds references and names, no value.
#[derive(Debug, Clone)]
pub enum VaultLogin {
    /// A token that somebody else looks after.
    Token(SecretRef),
    /// A pod's service account.
    Kubernetes {
        /// Where the auth method is mounted, usually `kubernetes`.
        mount: String,
        /// Role in Vault.
        role: String,
        /// File with the service account's token; Kubernetes changes it.
        token_file: PathBuf,
    },
    /// A role for machines.
    AppRole {
        /// Where the auth method is mounted, usually `approle`.
        mount: String,
        /// Id of the role.
        role_id: String,
        /// Its secret id.
        secret_id: SecretRef,
    },
}

/// How to reach Vault. No `Debug`: it has a TLS configuration in it.
#[derive(Clone)]
pub struct VaultConfig {
    /// Scheme, host and port.
    pub address: Url,
    /// Namespace (Vault Enterprise, OpenBao).
    pub namespace: Option<String>,
    /// PEM of the authorities that Vault's certificate comes from; absent: those of the system.
    pub authorities: Option<Vec<u8>>,
    /// Of the mounts that references name.
    pub kv: KvVersion,
    /// Who we are.
    pub login: VaultLogin,
}

/// A client.
pub(crate) struct Vault {
    config: VaultConfig,
    http: reqwest::Client,
    token: Mutex<Option<Token>>,
}

#[derive(Clone)]
struct Token {
    value: Secret,
    /// When to log in or to renew.
    due: Instant,
}

type Answer = (StatusCode, Zeroizing<Vec<u8>>);

const AWAY: Refusal = (
    SecretErrorKind::Unavailable,
    "vault does not answer: look at secrets.vault.address and at vault itself",
);
const NOT_UNDERSTOOD: Refusal = (
    SecretErrorKind::Unavailable,
    "what answers is not vault's KV engine: look at secrets.vault.address and kv_version",
);
const DENIED: Refusal =
    (SecretErrorKind::Refused, "vault denies it: the policy of our token must allow to read this path");
const LOGIN_DENIED: Refusal = (
    SecretErrorKind::Refused,
    "vault does not let us in: look at how secrets.vault logs in, and at that role in vault",
);
const NOT_THERE: Refusal =
    (SecretErrorKind::Missing, "vault has nothing there, or its latest version is deleted");

impl Vault {
    pub(crate) fn new(
        config: VaultConfig,
        tls: &rustls::ClientConfig,
        wait: Duration,
    ) -> Result<Self, SecretError> {
        if !transport::is_safe(&config.address) {
            return Err(SecretError::configuration(
                "secrets.vault.address: https://host:port; http only to this machine",
            ));
        }
        let mut tls = match &config.authorities {
            Some(authorities) => transport::tls_of(authorities)?,
            None => tls.clone(),
        };
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut headers = HeaderMap::new();
        // Vault refuses requests without it where it listens as an agent.
        headers.insert("x-vault-request", HeaderValue::from_static("true"));
        if let Some(namespace) = &config.namespace {
            let namespace = HeaderValue::from_str(namespace)
                .map_err(|_| SecretError::configuration("secrets.vault.namespace: no header can carry it"))?;
            headers.insert("x-vault-namespace", namespace);
        }
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .default_headers(headers)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(wait)
            .timeout(wait)
            .build()
            .map_err(|_| SecretError::configuration("cannot build the http client for vault"))?;
        Ok(Self { config, http, token: Mutex::default() })
    }

    /// Reads a field. A refused token is replaced once: it may have ended.
    pub(crate) async fn read(&self, name: &VaultName) -> Result<Zeroizing<String>, Refusal> {
        let (token, fresh) = self.token().await?;
        let first = self.get(name, &token).await?;
        let (status, body) = if first.0 == StatusCode::FORBIDDEN && !fresh {
            self.forget(&token).await;
            let (token, _) = self.token().await?;
            self.get(name, &token).await?
        } else {
            first
        };
        match status {
            StatusCode::OK => self.field(name, &body),
            StatusCode::FORBIDDEN => Err(DENIED),
            StatusCode::NOT_FOUND => Err(NOT_THERE),
            status => Err(failure(status)),
        }
    }

    async fn get(&self, name: &VaultName, token: &Secret) -> Result<Answer, Refusal> {
        let VaultName { mount, path, .. } = name;
        let mut segments = vec![mount.as_str()];
        segments.extend((self.config.kv == KvVersion::V2).then_some("data"));
        segments.extend(path.split('/'));
        self.ask(Method::GET, &segments, Some(token), None).await
    }

    fn field(&self, name: &VaultName, body: &[u8]) -> Result<Zeroizing<String>, Refusal> {
        let answer: Value = serde_json::from_slice(body).map_err(|_| NOT_UNDERSTOOD)?;
        let data = answer.get("data");
        let data =
            if self.config.kv == KvVersion::V2 { data.and_then(|data| data.get("data")) } else { data };
        let fields = data.and_then(Value::as_object).ok_or(NOT_UNDERSTOOD)?;
        match fields.get(&name.field) {
            Some(Value::String(value)) => Ok(Zeroizing::new(value.clone())),
            Some(_) => Err((SecretErrorKind::BadValue, "this field in vault is not a text")),
            None => Err((SecretErrorKind::Missing, "what stands there in vault has no such field")),
        }
    }

    /// Our token, and whether it was made just now. Who comes while somebody logs in waits for that login.
    async fn token(&self) -> Result<(Secret, bool), Refusal> {
        let mut held = self.token.lock().await;
        let now = Instant::now();
        if let Some(token) = held.as_mut() {
            if token.due > now {
                return Ok((token.value.clone(), false));
            }
            if matches!(self.config.login, VaultLogin::Token(_)) {
                token.due = now + RENEW_EVERY;
                self.renew(&token.value).await;
                return Ok((token.value.clone(), false));
            }
        }
        let token = self.log_in(now).await?;
        *held = Some(token.clone());
        Ok((token.value, true))
    }

    /// Gives a refused token up, unless somebody did.
    async fn forget(&self, refused: &Secret) {
        let mut held = self.token.lock().await;
        if held.as_ref().is_some_and(|token| token.value.expose() == refused.expose()) {
            *held = None;
        }
    }

    async fn log_in(&self, now: Instant) -> Result<Token, Refusal> {
        let local = |reference: &SecretRef| {
            local::resolve(reference)
                .map_err(|error| (error.kind(), "what secrets.vault logs in with cannot be read"))
        };
        let (mount, body) = match &self.config.login {
            VaultLogin::Token(reference) => {
                let text = local(reference)?;
                // Renewed with its next use: nobody knows how much of its life is left.
                return Ok(Token { value: Secret::new(text.expose().trim().to_owned()), due: now });
            }
            VaultLogin::Kubernetes { mount, role, token_file } => {
                let jwt = local(&SecretRef::File(token_file.clone()))?;
                (mount, json!({ "role": role, "jwt": jwt.expose().trim() }))
            }
            VaultLogin::AppRole { mount, role_id, secret_id } => {
                let secret_id = local(secret_id)?;
                (mount, json!({ "role_id": role_id, "secret_id": secret_id.expose().trim() }))
            }
        };
        let mut segments = vec!["auth"];
        segments.extend(mount.split('/'));
        segments.push("login");
        let (status, body) = self.ask(Method::POST, &segments, None, Some(&body)).await?;
        match status {
            StatusCode::OK => {}
            StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
                return Err(LOGIN_DENIED);
            }
            status => return Err(failure(status)),
        }
        let answer: Value = serde_json::from_slice(&body).map_err(|_| NOT_UNDERSTOOD)?;
        let auth = answer.get("auth").ok_or(NOT_UNDERSTOOD)?;
        let value = auth.get("client_token").and_then(Value::as_str).ok_or(NOT_UNDERSTOOD)?;
        // Without an end it is asked for anew as often as a given one is renewed.
        let life = auth.get("lease_duration").and_then(Value::as_u64).filter(|seconds| *seconds > 0);
        let good = life.map_or(RENEW_EVERY, |seconds| Duration::from_secs(seconds.min(86_400)) * 2 / 3);
        Ok(Token { value: Secret::new(value.to_owned()), due: now + good })
    }

    /// A token that cannot be renewed is used to its end.
    async fn renew(&self, token: &Secret) {
        let renewed =
            self.ask(Method::POST, &["auth", "token", "renew-self"], Some(token), Some(&json!({}))).await;
        if !renewed.is_ok_and(|(status, _)| status == StatusCode::OK) {
            tracing::info!("vault did not renew its token, which is used as long as it lasts");
        }
    }

    async fn ask(
        &self,
        method: Method,
        segments: &[&str],
        token: Option<&Secret>,
        body: Option<&Value>,
    ) -> Result<Answer, Refusal> {
        let mut url = self.config.address.clone();
        url.path_segments_mut().map_err(|()| AWAY)?.pop_if_empty().push("v1").extend(segments);
        let mut request = self.http.request(method, url);
        if let Some(token) = token {
            let mut header = HeaderValue::from_str(token.expose()).map_err(|_| {
                (SecretErrorKind::BadValue, "the token for vault has characters that no header can carry")
            })?;
            header.set_sensitive(true);
            request = request.header("x-vault-token", header);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let mut response = request.send().await.map_err(|_| AWAY)?;
        let status = response.status();
        let mut whole = Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(|_| AWAY)? {
            if whole.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err((SecretErrorKind::BadValue, "vault answers with more than 2 MiB"));
            }
            whole.extend_from_slice(&chunk);
        }
        Ok((status, whole))
    }
}

fn failure(status: StatusCode) -> Refusal {
    match status.as_u16() {
        503 => (SecretErrorKind::Unavailable, "vault is sealed or in maintenance: unseal it"),
        300..400 => (
            SecretErrorKind::Unavailable,
            "vault points elsewhere: secrets.vault.address must name the active node, or what balances the load",
        ),
        429 | 472 | 473 | 500.. => (SecretErrorKind::Unavailable, "vault cannot answer now"),
        _ => NOT_UNDERSTOOD,
    }
}
