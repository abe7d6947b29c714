//! The book: what is read at the start, and again and again.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use terrasift_secrets::SecretErrorKind::{Missing, Unavailable};
use terrasift_secrets::{
    Declared, Happened, KvVersion, SecretBook, SecretRef, Sources, SourcesConfig, Taken, VaultConfig,
    VaultLogin,
};

use crate::server::{Answer, Server};
use crate::{CANARY, config, told, write};

const OVERLAP: Duration = Duration::from_secs(3_600);

fn declared(place: &str, reference: &str, taken: Taken) -> Declared {
    Declared { place: place.into(), reference: reference.into(), taken }
}

fn happened(seen: &[terrasift_secrets::Seen]) -> Vec<(String, &'static str)> {
    let name = |seen: &terrasift_secrets::Seen| match &seen.happened {
        Happened::Rotated => "rotated",
        Happened::Ignored => "ignored",
        Happened::Failed(error) => {
            told(&seen.reference, error);
            "failed"
        }
        Happened::Recovered => "recovered",
    };
    seen.iter().map(|seen| (seen.place.clone(), name(seen))).collect()
}

#[tokio::test]
async fn what_rotates_is_seen_by_who_holds_it_and_what_may_not_rotate_stays() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let file = |name: &str, text: &str| format!("file:{}", write(at, name, text).display());
    let (token, key) = (file("token", "toxic-a"), file("key", "toxic-key"));
    let places = vec![
        declared("tokens[0]", &token, Taken::Always),
        declared("tokens[1]", &token, Taken::Always),
        declared("keys.identity", &key, Taken::AtStart),
        declared("path", "env:PATH", Taken::Always),
    ];
    let sources = Sources::new(config()).unwrap();
    let mut book = SecretBook::open(sources, OVERLAP, places).await.ok().unwrap();
    assert_eq!(book.places().count(), 3, "one reference is read once");
    let (held, identity) = (book.current(&token).unwrap(), book.current(&key).unwrap());
    assert!(book.look(true).await.is_empty(), "nothing has changed");

    write(at, "token", "toxic-b");
    write(at, "key", "toxic-other");
    let expected = [("tokens[0]".to_owned(), "rotated"), ("keys.identity".to_owned(), "ignored")];
    assert_eq!(happened(&book.look(false).await), expected);
    assert_eq!(held.now().expose(), "toxic-b");
    assert_eq!(identity.now().expose(), "toxic-key");
    assert!(book.look(false).await.is_empty(), "told once");
    let accepted: Vec<_> = held.accepted(Instant::now()).iter().map(|s| s.expose().to_owned()).collect();
    assert_eq!(accepted, ["toxic-b", "toxic-a"]);

    // Gone, empty or too long: the value from before stays.
    for text in [None, Some(""), Some("\0"), Some(&*"x".repeat(70_000))] {
        match text {
            Some(text) => drop(write(at, "token", text)),
            None => std::fs::remove_file(at.join("token")).unwrap(),
        }
        assert_eq!(happened(&book.look(false).await), [("tokens[0]".to_owned(), "failed")]);
        assert_eq!(held.now().expose(), "toxic-b");
        assert!(book.failing() == 1 && book.failing_for(Instant::now()).is_some());
    }
    write(at, "token", "toxic-b");
    assert_eq!(happened(&book.look(false).await), [("tokens[0]".to_owned(), "recovered")]);
    assert!(book.failing() == 0 && book.failing_for(Instant::now()).is_none());
    write(at, "token", "toxic-a");
    assert_eq!(happened(&book.look(false).await), [("tokens[0]".to_owned(), "rotated")]);
    assert_eq!(held.now().expose(), "toxic-a");
    assert!(!format!("{:?}", book.look(true).await).contains(CANARY));
}

#[tokio::test]
async fn a_source_that_goes_down_keeps_the_values_and_who_doubts_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let state = Arc::new(Mutex::new(Some("toxic-1")));
    let held = Arc::clone(&state);
    let server = Server::start(move |_| match *held.lock().unwrap() {
        Some(value) => Answer::Json(200, json!({ "data": { "data": { "token": value } } })),
        None => Answer::Json(503, json!({ "errors": ["Vault is sealed"] })),
    })
    .await;
    let token = SecretRef::File(write(folder.path(), "vault-token", "hvs.toxic"));
    let vault = VaultConfig {
        address: server.address.clone(),
        namespace: None,
        authorities: None,
        kv: KvVersion::V2,
        login: VaultLogin::Token(token),
    };
    let sources = || Sources::new(SourcesConfig { vault: Some(vault.clone()), ..config() }).unwrap();
    let reference = "vault:secret/a#token";
    let places = || vec![declared("tokens[0]", reference, Taken::Always)];
    let mut book = SecretBook::open(sources(), OVERLAP, places()).await.ok().unwrap();
    let secret = book.current(reference).unwrap();

    *state.lock().unwrap() = None;
    assert_eq!(happened(&book.look(true).await), [("tokens[0]".to_owned(), "failed")]);
    let first = book.failing_for(Instant::now()).unwrap();
    assert_eq!(happened(&book.look(true).await), [("tokens[0]".to_owned(), "failed")]);
    assert!(book.failing_for(Instant::now()).unwrap() >= first, "the age is that of the first failure");
    assert_eq!(secret.now().expose(), "toxic-1");
    let asked = server.asked().len();
    assert!(book.look(false).await.is_empty());
    assert_eq!(server.asked().len(), asked, "a look at files asks nobody");

    *state.lock().unwrap() = Some("toxic-2");
    secret.doubt();
    tokio::time::timeout(Duration::from_secs(10), book.doubted()).await.expect("the doubt is heard");
    let expected = [("tokens[0]".to_owned(), "recovered"), ("tokens[0]".to_owned(), "rotated")];
    assert_eq!(happened(&book.look(true).await), expected);
    assert_eq!(secret.now().expose(), "toxic-2");

    // At the start there is no value from before: all that cannot be read is told at once.
    *state.lock().unwrap() = None;
    let mut all = places();
    all.push(declared("keys.hash", "env:TERRASIFT_TEST_NEVER_SET", Taken::AtStart));
    all.push(declared("keys.cursor", "toxic-pasted", Taken::AtStart));
    let unread = SecretBook::open(sources(), OVERLAP, all).await.err().unwrap();
    let mut told: Vec<_> = unread.iter().map(|unread| (unread.place.as_str(), unread.error.kind())).collect();
    told.sort_by_key(|(place, _)| *place);
    let pasted = terrasift_secrets::SecretErrorKind::BadReference;
    assert_eq!(told, [("keys.cursor", pasted), ("keys.hash", Missing), ("tokens[0]", Unavailable)]);
    let text = format!("{unread:?}");
    assert!(!text.contains(CANARY) && text.contains("TERRASIFT_TEST_NEVER_SET"), "{text}");
}
