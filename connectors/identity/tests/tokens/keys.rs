//! Keys that come and go, and documents that hold more than keys.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use jsonwebtoken::Algorithm as Jwa;
use serde_json::json;
use terrasift_identity::{Algorithm, KeysAt, Refused, Verifier};
use tokio::time::advance;

use crate::press::{Pair, claims, document, issuer, now, pair, rsa_key, verifier};

async fn verify(verifier: &Verifier, pair: &Pair) -> Result<(), Refused> {
    verifier.verify(&pair.token(&claims()), now()).await.map(drop)
}

#[tokio::test(start_paused = true)]
async fn keys_rotate_without_a_restart_and_old_ones_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    let (old, new) = (pair("old", Algorithm::EdDsa), pair("new", Algorithm::Es256));
    let verifier = verifier(vec![issuer(&file)]);
    assert_eq!(verify(&verifier, &old).await, Err(Refused::KeysUnavailable), "no keys yet");
    std::fs::write(&file, document(&[old.public()])).unwrap();
    assert_eq!(verify(&verifier, &old).await, Err(Refused::KeysUnavailable), "not asked again so soon");
    advance(Duration::from_secs(31)).await;
    assert_eq!(verify(&verifier, &old).await, Ok(()));
    std::fs::write(&file, document(&[old.public(), new.public()])).unwrap();
    assert_eq!(verify(&verifier, &new).await, Err(Refused::UnknownKey), "not asked again so soon");
    advance(Duration::from_secs(31)).await;
    assert_eq!(verify(&verifier, &new).await, Ok(()), "an unknown key is asked for");
    std::fs::write(&file, document(&[new.public()])).unwrap();
    assert_eq!(verify(&verifier, &old).await, Ok(()), "what is known is not asked for");
    advance(Duration::from_secs(601)).await;
    assert_eq!(
        verify(&verifier, &old).await,
        Err(Refused::UnknownKey),
        "taken back, and noticed in ten minutes"
    );
    std::fs::remove_file(&file).unwrap();
    advance(Duration::from_secs(2_999)).await;
    assert_eq!(verify(&verifier, &new).await, Ok(()), "an issuer may be away for a while");
    advance(Duration::from_secs(602)).await;
    assert_eq!(verify(&verifier, &new).await, Err(Refused::KeysUnavailable), "but not for ever");
}

#[tokio::test]
async fn keys_that_are_for_something_else_are_not_used() {
    let (ed, es) = (pair("ed", Algorithm::EdDsa), pair("es", Algorithm::Es256));
    let weak = Pair { id: "weak".to_owned(), algorithm: Jwa::RS256, private: rsa_key(1_024) };
    let changed = |pair: &Pair, name: &str, value: serde_json::Value| {
        let mut key = pair.public();
        key[name] = value;
        key
    };
    let many: Vec<_> = (0..65).map(|number| changed(&ed, "kid", json!(number.to_string()))).collect();
    let cases = [
        ("for encryption", document(&[changed(&ed, "use", json!("enc"))]), &ed, Err(Refused::UnknownKey)),
        (
            "for signing only",
            document(&[changed(&ed, "key_ops", json!(["sign"]))]),
            &ed,
            Err(Refused::UnknownKey),
        ),
        ("for checking", document(&[changed(&ed, "key_ops", json!(["verify"]))]), &ed, Ok(())),
        (
            "for another algorithm",
            document(&[changed(&ed, "alg", json!("ES256"))]),
            &ed,
            Err(Refused::UnknownKey),
        ),
        ("of another curve", document(&[changed(&es, "crv", json!("P-384"))]), &es, Err(Refused::UnknownKey)),
        ("not on the curve", document(&[changed(&es, "x", json!("AAAA"))]), &es, Err(Refused::NotProven)),
        ("too weak", document(&[weak.public()]), &weak, Err(Refused::UnknownKey)),
        (
            "the same id twice",
            document(&[ed.public(), changed(&ed, "use", json!("sig"))]),
            &ed,
            Err(Refused::UnknownKey),
        ),
        ("beside what nobody knows", document(&[json!({"kty": "XYZ"}), json!(1), ed.public()]), &ed, Ok(())),
        ("too many", document(&many), &ed, Err(Refused::KeysUnavailable)),
        ("no set", "[]".to_owned(), &ed, Err(Refused::KeysUnavailable)),
        ("no JSON", "<html>".to_owned(), &ed, Err(Refused::KeysUnavailable)),
        (
            "too long",
            format!("{}{}", " ".repeat(600 * 1024), document(&[ed.public()])),
            &ed,
            Err(Refused::KeysUnavailable),
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (number, (name, document, pair, expected)) in cases.into_iter().enumerate() {
        let file = folder.path().join(number.to_string());
        std::fs::write(&file, document).unwrap();
        assert_eq!(verify(&verifier(vec![issuer(&file)]), pair).await, expected, "{name}");
    }
}

#[tokio::test]
async fn an_issuer_is_asked_once_whoever_sends_how_much_and_never_elsewhere() {
    let pair = Arc::new(pair("ed", Algorithm::EdDsa));
    let asked = Arc::new(AtomicUsize::new(0));
    let (counted, keys) = (Arc::clone(&asked), document(&[pair.public()]));
    let serve = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async move { keys }
    };
    let app = axum::Router::new()
        .route("/keys", get(serve.clone()))
        .route(
            "/elsewhere",
            get(|| async { (StatusCode::FOUND, [(header::LOCATION, "/keys")]).into_response() }),
        )
        .route("/broken", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .route("/endless", get(|| async { vec![b' '; 4 * 1024 * 1024] }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let at = |path: &str| {
        let mut issuer = issuer(std::path::Path::new("unused"));
        issuer.keys = KeysAt::Url(format!("{origin}{path}").parse().unwrap());
        issuer
    };
    for path in ["/elsewhere", "/broken", "/endless", "/nowhere"] {
        let answer = verify(&verifier(vec![at(path)]), &pair).await;
        assert_eq!(answer, Err(Refused::KeysUnavailable), "{path}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0, "a redirect is not followed");
    let verifier = Arc::new(verifier(vec![at("/keys")]));
    let senders: Vec<_> = (0..100)
        .map(|number| {
            let (verifier, pair) = (Arc::clone(&verifier), Arc::clone(&pair));
            tokio::spawn(async move {
                let mut header = pair.header();
                if number % 2 == 1 {
                    header["kid"] = json!(format!("invented-{number}"));
                }
                let answer = verifier.verify(&pair.token_with(&header, &claims()), now()).await.map(drop);
                assert_eq!(answer, if number % 2 == 1 { Err(Refused::UnknownKey) } else { Ok(()) });
            })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    server.abort();
}

#[test]
fn keys_are_not_read_over_a_network_without_tls() {
    let cases = [
        ("https://issuer.example/keys", true),
        ("http://127.0.0.1:7007/keys", true),
        ("http://[::1]:7007/keys", true),
        ("http://issuer.example/keys", false),
        ("http://localhost/keys", false),
        ("http://127.0.0.1.example/keys", false),
        ("ftp://issuer.example/keys", false),
    ];
    for (address, allowed) in cases {
        let mut issuer = issuer(std::path::Path::new("unused"));
        issuer.keys = KeysAt::Url(address.parse().unwrap());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        assert_eq!(Verifier::new(vec![issuer], crate::press::LIMITS, tls).is_ok(), allowed, "{address}");
    }
}
