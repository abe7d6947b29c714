//! Vault's KV engine and its logins over HTTP, as documented.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::Method;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use terrasift_secrets::SecretErrorKind::{BadValue, Missing, NotConfigured, Refused, Unavailable};
use terrasift_secrets::{
    KvVersion, SecretErrorKind, SecretRef, Sources, SourcesConfig, VaultConfig, VaultLogin,
};
use tokio::net::TcpListener;
use url::Url;

use crate::server::{Answer, Asked, Server};
use crate::{CANARY, Log, config, read, write};

const NAME: &str = "vault:secret/terrasift/acme#token";

/// A Vault with one mount of KV v2 at `secret/`, one of KV v1 at `old/`, and three logins.
#[derive(Default)]
struct State {
    /// By path: the versions' fields; `None` is a deleted version.
    versions: BTreeMap<String, Vec<Option<Value>>>,
    tokens: Vec<String>,
    logins: usize,
    renewals: usize,
    lease_s: u64,
}

#[derive(Clone, Default)]
struct Fake(Arc<Mutex<State>>);

fn errors(code: u16, text: &str) -> Answer {
    Answer::Json(code, json!({ "errors": [text] }))
}

impl Fake {
    fn put(&self, path: &str, fields: Option<Value>) {
        self.0.lock().unwrap().versions.entry(path.to_owned()).or_default().push(fields);
    }

    /// All tokens end.
    fn revoke(&self) {
        self.0.lock().unwrap().tokens.clear();
    }

    fn logins(&self) -> usize {
        self.0.lock().unwrap().logins
    }

    fn answer(&self, asked: &Asked) -> Answer {
        let mut state = self.0.lock().unwrap();
        if asked.header("x-vault-request") != "true" {
            return errors(412, "missing header");
        }
        if let Some(login) = asked.path.strip_suffix("/login") {
            let body = &asked.body;
            let fits = match login {
                "/v1/auth/kubernetes" => body == &json!({ "role": "terrasift", "jwt": "toxic-jwt" }),
                "/v1/auth/team/approle" => body == &json!({ "role_id": "id", "secret_id": "toxic-id" }),
                _ => false,
            };
            if asked.method != Method::POST || !fits {
                return errors(400, "invalid role or secret ID: toxic");
            }
            state.logins += 1;
            let token = format!("hvs.toxic-{}", state.logins);
            state.tokens.push(token.clone());
            let auth = json!({ "client_token": token, "lease_duration": state.lease_s, "renewable": true });
            return Answer::Json(200, json!({ "auth": auth }));
        }
        if !state.tokens.iter().any(|token| token == asked.header("x-vault-token")) {
            return errors(403, "permission denied");
        }
        if asked.path == "/v1/auth/token/renew-self" {
            state.renewals += 1;
            return Answer::Json(200, json!({ "auth": {} }));
        }
        if let Some(path) = asked.path.strip_prefix("/v1/old/") {
            return match state.versions.get(path).and_then(|versions| versions.last()) {
                Some(Some(fields)) => Answer::Json(200, json!({ "data": fields })),
                _ => errors(404, ""),
            };
        }
        let Some(path) = asked.path.strip_prefix("/v1/secret/data/") else {
            return errors(403, "permission denied");
        };
        match state.versions.get(path).and_then(|versions| versions.last()) {
            Some(fields) => {
                let metadata = json!({ "version": 1, "destroyed": false });
                let code = if fields.is_some() { 200 } else { 404 };
                Answer::Json(code, json!({ "data": { "data": fields, "metadata": metadata } }))
            }
            None => errors(404, ""),
        }
    }
}

async fn serve(fake: &Fake) -> Server {
    let fake = fake.clone();
    Server::start(move |asked| fake.answer(asked)).await
}

fn vault(address: &Url, login: VaultLogin) -> VaultConfig {
    VaultConfig { address: address.clone(), namespace: None, authorities: None, kv: KvVersion::V2, login }
}

fn sources(vault: VaultConfig) -> Sources {
    Sources::new(SourcesConfig { vault: Some(vault), ..config() }).unwrap()
}

fn kubernetes(folder: &std::path::Path) -> VaultLogin {
    let token_file = write(folder, "jwt", "toxic-jwt\n");
    VaultLogin::Kubernetes { mount: "kubernetes".into(), role: "terrasift".into(), token_file }
}

#[tokio::test]
async fn the_latest_version_of_a_field_is_read_under_one_login() {
    let (folder, fake, log) = (tempfile::tempdir().unwrap(), Fake::default(), Log::default());
    let _listening = log.listen();
    let server = serve(&fake).await;
    fake.0.lock().unwrap().lease_s = 3_600;
    fake.put("terrasift/acme", Some(json!({ "token": "toxic-one", "other": 1 })));
    let sources = sources(vault(&server.address, kubernetes(folder.path())));
    assert_eq!(read(&sources, NAME).await.as_deref(), Ok("toxic-one"));
    fake.put("terrasift/acme", Some(json!({ "token": "toxic-two", "other": 1 })));
    assert_eq!(read(&sources, NAME).await.as_deref(), Ok("toxic-two"), "the version moved");
    assert_eq!(fake.logins(), 1);

    assert_eq!(read(&sources, "vault:secret/terrasift/acme#none").await, Err(Missing), "no such field");
    assert_eq!(read(&sources, "vault:secret/terrasift/acme#other").await, Err(BadValue), "a number");
    assert_eq!(read(&sources, "vault:secret/terrasift/none#token").await, Err(Missing), "no such path");
    fake.put("terrasift/acme", None);
    assert_eq!(read(&sources, NAME).await, Err(Missing), "its latest version is deleted");
    let log = log.text();
    assert!(!log.is_empty() && !log.contains(CANARY), "a value in the log");
}

#[tokio::test]
async fn a_token_that_ended_is_replaced_once() {
    let (folder, fake) = (tempfile::tempdir().unwrap(), Fake::default());
    let server = serve(&fake).await;
    fake.0.lock().unwrap().lease_s = 3_600;
    fake.put("terrasift/acme", Some(json!({ "token": "toxic" })));
    let sources = sources(vault(&server.address, kubernetes(folder.path())));
    assert_eq!(read(&sources, NAME).await.as_deref(), Ok("toxic"));
    fake.revoke();
    assert_eq!(read(&sources, NAME).await.as_deref(), Ok("toxic"), "logged in again");
    assert_eq!(fake.logins(), 2);
    let before = server.asked().len();
    assert_eq!(read(&sources, "vault:foreign/a#b").await, Err(Refused), "a policy denies it");
    assert_eq!((fake.logins(), server.asked().len() - before), (3, 3), "once, and not for ever");

    // A token of a second's life is not used in its last third.
    fake.0.lock().unwrap().lease_s = 1;
    fake.revoke();
    assert_eq!(read(&sources, NAME).await.as_deref(), Ok("toxic"));
    let (logins, started) = (fake.logins(), Instant::now());
    while fake.logins() == logins {
        assert_eq!(read(&sources, NAME).await.as_deref(), Ok("toxic"));
        assert!(started.elapsed() < Duration::from_secs(10), "it is replaced before its end");
    }
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn each_way_to_log_in_is_as_documented() {
    let (folder, fake) = (tempfile::tempdir().unwrap(), Fake::default());
    let server = serve(&fake).await;
    let at = folder.path();
    fake.put("terrasift/acme", Some(json!({ "token": "toxic" })));
    let secret_id = SecretRef::File(write(at, "secret-id", "toxic-id\n"));
    let app_role = |role_id: &str, secret_id| VaultLogin::AppRole {
        mount: "team/approle".into(),
        role_id: role_id.into(),
        secret_id,
    };
    let mut approle = vault(&server.address, app_role("id", secret_id.clone()));
    approle.namespace = Some("clients/acme".into());
    assert_eq!(read(&sources(approle), NAME).await.as_deref(), Ok("toxic"));
    let namespaces: Vec<_> =
        server.asked().iter().map(|asked| asked.header("x-vault-namespace").to_owned()).collect();
    assert_eq!(namespaces, ["clients/acme", "clients/acme"], "the login and the read");

    let other = sources(vault(&server.address, app_role("other", secret_id)));
    assert_eq!(read(&other, NAME).await, Err(Refused), "not let in");
    let gone = sources(vault(&server.address, app_role("id", SecretRef::File(at.join("none")))));
    assert_eq!(read(&gone, NAME).await, Err(Missing), "nothing to log in with");

    // A token that somebody else looks after: renewed, and read again where it stands when it is refused.
    let given = write(at, "token", "hvs.toxic-given\n");
    fake.0.lock().unwrap().tokens.push("hvs.toxic-given".into());
    let mut token = vault(&server.address, VaultLogin::Token(SecretRef::File(given)));
    token.kv = KvVersion::V1;
    let token = sources(token);
    for _ in 0..3 {
        assert_eq!(read(&token, "vault:old/terrasift/acme#token").await.as_deref(), Ok("toxic"));
    }
    assert_eq!(fake.0.lock().unwrap().renewals, 1);
    fake.revoke();
    assert_eq!(read(&token, "vault:old/terrasift/acme#token").await, Err(Refused));
    write(at, "token", "hvs.toxic-new");
    fake.0.lock().unwrap().tokens.push("hvs.toxic-new".into());
    assert_eq!(read(&token, "vault:old/terrasift/acme#token").await.as_deref(), Ok("toxic"));

    let nothing = Sources::new(config()).unwrap();
    assert_eq!(read(&nothing, NAME).await, Err(NotConfigured));
}

#[tokio::test]
async fn what_vault_says_no_to_is_told_by_its_kind() {
    let folder = tempfile::tempdir().unwrap();
    let token = SecretRef::File(write(folder.path(), "token", "hvs.toxic"));
    let huge = json!({ "data": { "data": { "token": "t".repeat(3 << 20) } } });
    let long = json!({ "data": { "data": { "token": "t".repeat(65 << 10) } } });
    type Make = Box<dyn Fn() -> Answer + Send + Sync>;
    let elsewhere = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&elsewhere);
    let other = Server::start(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Answer::Json(200, json!({ "data": { "data": { "token": "toxic" } } }))
    })
    .await;
    let to = format!("{}v1/secret/data/terrasift/acme", other.address);
    let cases: Vec<(&str, Make, SecretErrorKind)> = vec![
        ("sealed", Box::new(|| errors(503, "Vault is sealed: toxic")), Unavailable),
        ("standby", Box::new(|| errors(429, "")), Unavailable),
        ("broken", Box::new(|| errors(500, "toxic")), Unavailable),
        ("denied", Box::new(|| errors(403, "toxic")), Refused),
        ("nothing", Box::new(|| errors(404, "toxic")), Missing),
        ("a redirect", Box::new(move || Answer::Moved(to.clone())), Unavailable),
        ("garbage", Box::new(|| Answer::Bytes(200, b"<html>toxic".to_vec())), Unavailable),
        ("KV v1", Box::new(|| Answer::Json(200, json!({ "data": { "token": "toxic" } }))), Unavailable),
        ("huge", Box::new(move || Answer::Json(200, huge.clone())), BadValue),
        ("too long", Box::new(move || Answer::Json(200, long.clone())), BadValue),
        ("silence", Box::new(|| Answer::Never), Unavailable),
    ];
    for (name, answer, expected) in cases {
        let server = Server::start(move |_| answer()).await;
        let sources = sources(vault(&server.address, VaultLogin::Token(token.clone())));
        let started = Instant::now();
        assert_eq!(read(&sources, NAME).await, Err(expected), "{name}");
        assert!(started.elapsed() < Duration::from_secs(5), "{name}: bounded");
    }
    assert_eq!(elsewhere.load(Ordering::Relaxed), 0, "a token follows no redirect");
    let nobody = sources(vault(&"http://127.0.0.1:1".parse().unwrap(), VaultLogin::Token(token)));
    assert_eq!(read(&nobody, NAME).await, Err(Unavailable));
}

/// An authority, and a server with its certificate.
async fn serve_tls(fake: &Fake) -> (Url, Vec<u8>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::IpAddress("127.0.0.1".parse().unwrap())];
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
    let fake = fake.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            one_answer(&fake, &mut stream).await;
        }
    });
    (address, authority.into_bytes())
}

/// One request a connection: its token is all that matters here.
async fn one_answer(fake: &Fake, stream: &mut (impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin)) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let headers = head.lines().skip(1).filter_map(|line| line.split_once(": ")).map(|(name, value)| {
        let name: axum::http::HeaderName = name.to_lowercase().parse().unwrap();
        (name, value.parse().unwrap())
    });
    let asked = Asked { method: Method::GET, path, headers: headers.collect(), body: Value::Null };
    let Answer::Json(code, json) = fake.answer(&asked) else { return };
    let text = json.to_string();
    let head = format!("HTTP/1.1 {code} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", text.len());
    let _ = stream.write_all(format!("{head}{text}").as_bytes()).await;
    let _ = stream.shutdown().await;
}

#[tokio::test]
async fn only_the_configured_authority_is_believed() {
    let (folder, fake) = (tempfile::tempdir().unwrap(), Fake::default());
    fake.put("terrasift/acme", Some(json!({ "token": "toxic" })));
    fake.0.lock().unwrap().tokens.push("hvs.toxic".into());
    let (address, authority) = serve_tls(&fake).await;
    let token = VaultLogin::Token(SecretRef::File(write(folder.path(), "token", "hvs.toxic")));
    let with = |authorities: Option<Vec<u8>>| VaultConfig { authorities, ..vault(&address, token.clone()) };
    assert_eq!(read(&sources(with(Some(authority))), NAME).await.as_deref(), Ok("toxic"));
    assert_eq!(read(&sources(with(None)), NAME).await, Err(Unavailable));
    let (_, other) = serve_tls(&fake).await;
    assert_eq!(read(&sources(with(Some(other))), NAME).await, Err(Unavailable));
    for wrong in [&b"toxic"[..], b"", b"-----BEGIN CERTIFICATE-----\ntoxic\n-----END CERTIFICATE-----\n"] {
        let vault = Some(with(Some(wrong.to_vec())));
        let error = Sources::new(SourcesConfig { vault, ..config() }).err().unwrap();
        assert!(error.kind() == NotConfigured && !error.to_string().contains(CANARY));
    }
    let far = vault(&"http://vault.example:8200".parse().unwrap(), token.clone());
    let error = Sources::new(SourcesConfig { vault: Some(far), ..config() }).err().unwrap();
    assert_eq!(error.kind(), NotConfigured, "a token does not cross a network in clear");
}
