//! Google Secret Manager's `AccessSecretVersion` over REST, as documented.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use serde_json::{Value, json};
use terrasift_secrets::SecretErrorKind::{BadValue, Missing, NotConfigured, Refused, Unavailable};
use terrasift_secrets::{GoogleConfig, SecretErrorKind, SecretRef, Sources, SourcesConfig};

use crate::server::{Answer, Server};
use crate::{CANARY, Log, config, read, write};

const NAME: &str = "gcp-secret-manager:projects/p/secrets/s";

/// Castagnoli's polynomial bit by bit: nothing of the client's own.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0x82F6_3B78 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

fn payload(bytes: &[u8]) -> Value {
    payload_with(bytes, json!(crc32c(bytes).to_string()))
}

fn payload_with(bytes: &[u8], checksum: Value) -> Value {
    json!({
        "name": "projects/1/secrets/s/versions/1",
        "payload": { "data": STANDARD.encode(bytes), "dataCrc32c": checksum },
    })
}

fn failure(code: u16, status: &str) -> Answer {
    let message = format!("{CANARY}: Permission 'secretmanager.versions.access' denied");
    Answer::Json(code, json!({ "error": { "code": code, "message": message, "status": status } }))
}

/// A service account's key file, with a key of its own.
fn credentials(folder: &std::path::Path) -> SecretRef {
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
    let json = json!({
        "type": "service_account",
        "project_id": "p",
        "private_key_id": "key-1",
        "private_key": *key.to_pkcs8_pem(LineEnding::LF).unwrap(),
        "client_email": "terrasift@p.iam.gserviceaccount.com",
        "client_id": "1",
        "universe_domain": "googleapis.com",
    });
    SecretRef::File(write(folder, "credentials.json", &json.to_string()))
}

fn sources(server: &Server, credentials: SecretRef) -> Sources {
    let google = GoogleConfig { endpoint: Some(server.address.clone()), credentials: Some(credentials) };
    Sources::new(SourcesConfig { google, ..config() }).unwrap()
}

#[test]
fn the_checksum_here_has_the_published_check_value() {
    assert_eq!(crc32c(b"123456789"), 0xE306_9283);
}

#[tokio::test]
async fn the_latest_version_moves_and_a_named_one_stays() {
    let (folder, log) = (tempfile::tempdir().unwrap(), Log::default());
    let _listening = log.listen();
    let versions = Arc::new(Mutex::new(vec!["toxic-one"]));
    let held = Arc::clone(&versions);
    let server = Server::start(move |asked| {
        let held = held.lock().unwrap();
        let version = asked.path.strip_prefix("/v1/projects/p/secrets/s/versions/").unwrap();
        let value = match version.strip_suffix(":access").unwrap() {
            "latest" => held.last(),
            number => held.get(number.parse::<usize>().unwrap() - 1),
        };
        Answer::Json(200, payload(value.unwrap().as_bytes()))
    })
    .await;
    let sources = sources(&server, credentials(folder.path()));
    assert_eq!(read(&sources, NAME).await.as_deref(), Ok("toxic-one"));
    versions.lock().unwrap().push("toxic-two");
    assert_eq!(read(&sources, NAME).await.as_deref(), Ok("toxic-two"));
    assert_eq!(read(&sources, &format!("{NAME}/versions/latest")).await.as_deref(), Ok("toxic-two"));
    assert_eq!(read(&sources, &format!("{NAME}/versions/1")).await.as_deref(), Ok("toxic-one"));

    let asked = server.asked();
    let bearer = asked[0].header("authorization").strip_prefix("Bearer ").unwrap().to_owned();
    let claims = URL_SAFE_NO_PAD.decode(bearer.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["iss"], "terrasift@p.iam.gserviceaccount.com");
    let log = log.text();
    assert!(!log.is_empty(), "dependencies log at this level");
    assert!(!log.contains(CANARY) && !log.contains(&STANDARD.encode("toxic-one")), "a value in the log");
    assert!(!log.contains(&bearer), "a token in the log");
}

#[tokio::test]
async fn what_secret_manager_says_no_to_is_told_by_its_kind() {
    let folder = tempfile::tempdir().unwrap();
    let credentials = credentials(folder.path());
    let (longest, long) = (vec![b'k'; 64 * 1024], vec![b'k'; 64 * 1024 + 1]);
    let fine = payload(&longest);
    type Case = (&'static str, Box<dyn Fn() -> Answer + Send + Sync>, Option<SecretErrorKind>);
    let case = |name, answer: Box<dyn Fn() -> Answer + Send + Sync>, kind| -> Case { (name, answer, kind) };
    let json = |json: Value| -> Box<dyn Fn() -> Answer + Send + Sync> {
        Box::new(move || Answer::Json(200, json.clone()))
    };
    let wrong = payload_with(b"toxic", json!((crc32c(b"toxic") ^ 1).to_string()));
    let cases = [
        case("as long as can be", json(fine), None),
        case("permission denied", Box::new(|| failure(403, "PERMISSION_DENIED")), Some(Refused)),
        case("not found", Box::new(|| failure(404, "NOT_FOUND")), Some(Missing)),
        case("disabled", Box::new(|| failure(400, "FAILED_PRECONDITION")), Some(Refused)),
        case("unauthenticated", Box::new(|| failure(401, "UNAUTHENTICATED")), Some(Refused)),
        case("too many", Box::new(|| failure(429, "RESOURCE_EXHAUSTED")), Some(Unavailable)),
        case("away", Box::new(|| failure(503, "UNAVAILABLE")), Some(Unavailable)),
        case("wrong checksum", json(wrong), Some(BadValue)),
        case("no checksum", json(payload_with(b"toxic", Value::Null)), Some(BadValue)),
        case("too long", json(payload(&long)), Some(BadValue)),
        case("empty", json(payload(b"")), Some(BadValue)),
        case("no text", json(payload(b"toxic\xff")), Some(BadValue)),
        case("no payload", json(json!({ "name": "toxic" })), Some(Unavailable)),
        case("garbage", Box::new(|| Answer::Bytes(200, b"<html>toxic".to_vec())), Some(Unavailable)),
        case("garbage of 8 MiB", Box::new(|| Answer::Bytes(200, vec![b'['; 8 << 20])), Some(Unavailable)),
        case("a redirect", Box::new(|| Answer::Moved("http://127.0.0.1:1/".into())), Some(Unavailable)),
        case("silence", Box::new(|| Answer::Never), Some(Unavailable)),
    ];
    for (name, answer, expected) in cases {
        let server = Server::start(move |_| answer()).await;
        let sources = sources(&server, credentials.clone());
        let started = Instant::now();
        let got = read(&sources, NAME).await;
        assert_eq!(got.map(|value| value.len()).err(), expected, "{name}");
        assert!(started.elapsed() < Duration::from_secs(5), "{name}: bounded");
        assert_eq!(server.asked().len(), 1, "{name}: asked once");
    }
}

#[tokio::test]
async fn credentials_that_are_of_no_use_are_told_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|asked| match asked.header("authorization").is_empty() {
        true => failure(401, "UNAUTHENTICATED"),
        false => Answer::Json(200, payload(b"toxic")),
    })
    .await;
    let place = |name: &str| SecretRef::File(folder.path().join(name));
    assert_eq!(read(&sources(&server, place("none")), NAME).await, Err(Missing));
    for text in ["toxic", "{}", r#"{"type":"toxic"}"#, r#"{"type":"service_account"}"#] {
        let sources = sources(&server, SecretRef::File(write(folder.path(), "credentials.json", text)));
        assert_eq!(read(&sources, NAME).await, Err(BadValue), "{text}");
        // Mended where it stands.
        credentials(folder.path());
        assert_eq!(read(&sources, NAME).await.as_deref(), Ok("toxic"));
    }
    let google =
        GoogleConfig { endpoint: Some("http://10.0.0.1".parse().unwrap()), ..GoogleConfig::default() };
    let error = Sources::new(SourcesConfig { google, ..config() }).err().unwrap();
    assert_eq!(error.kind(), NotConfigured, "credentials do not cross a network in clear");
}
