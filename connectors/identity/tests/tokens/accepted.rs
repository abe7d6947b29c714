//! What has to be let in.

use serde_json::{Value, json};
use terrasift_identity::Algorithm;

use crate::press::{AUDIENCE, NOW, backstage, claims, document, issuer, now, pair, verifier, with, without};

#[tokio::test]
async fn tokens_of_every_algorithm_and_shape_tell_who_sent_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    let pairs = [pair("ed", Algorithm::EdDsa), pair("es", Algorithm::Es256), pair("rs", Algorithm::Rs256)];
    std::fs::write(&file, document(&pairs.each_ref().map(|pair| pair.public()))).unwrap();
    let verifier = verifier(vec![issuer(&file)]);
    let cases: [(&str, Value); 8] = [
        ("plain", claims()),
        ("several audiences", with("aud", json!(["other", AUDIENCE]))),
        ("just over, within the leeway", with("exp", json!(NOW - 29))),
        ("not yet, within the leeway", with("nbf", json!(NOW + 29))),
        ("a clock ahead of ours, within the leeway", with("iat", json!(NOW + 29))),
        ("a whole hour", with("exp", json!(NOW + 3_600))),
        ("fractions of seconds", with("exp", json!(1_800_000_000.5))),
        ("claims that nobody knows", with("groups", json!([{"a": [1, 2]}]))),
    ];
    for pair in &pairs {
        for (name, claims) in &cases {
            let identity = verifier.verify(&pair.token(claims), now()).await;
            let identity = identity.unwrap_or_else(|refused| panic!("{} {name}: {refused:?}", pair.id));
            assert_eq!(identity.tenant.as_str(), "acme", "{name}");
            assert_eq!(identity.slug.as_ref().map(|slug| slug.as_str()), Some("acme"), "{name}");
            assert_eq!(identity.subject, "login: alice", "{name}");
            assert_eq!(identity.permissions, ["catalog:read"], "{name}");
        }
        for kind in [None, Some("at+jwt"), Some("jwt")] {
            let mut header = pair.header();
            match kind {
                Some(kind) => header["typ"] = json!(kind),
                None => drop(header.as_object_mut().unwrap().remove("typ")),
            }
            assert!(verifier.verify(&pair.token_with(&header, &claims()), now()).await.is_ok(), "{kind:?}");
        }
    }
    let silent = verifier.verify(&pairs[0].token(&without("permissions")), now()).await.unwrap();
    assert!(silent.permissions.is_empty(), "who may do nothing is let in, and may do nothing");
}

#[tokio::test]
async fn a_backstage_speaks_for_its_own_tenant_whatever_its_tokens_say() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["a.json", "b.json"].map(|name| folder.path().join(name));
    let pairs = [pair("a", Algorithm::Es256), pair("b", Algorithm::Es256)];
    for (pair, file) in pairs.iter().zip(&files) {
        std::fs::write(file, document(&[pair.public()])).unwrap();
    }
    let verifier = verifier(vec![backstage("a", &files[0], "acme"), backstage("b", &files[1], "globex")]);
    for (pair, tenant) in pairs.iter().zip(["acme", "globex"]) {
        let mut header = pair.header();
        header["typ"] = json!("vnd.backstage.plugin");
        let claims = json!({
            "sub": "catalog", "aud": AUDIENCE, "iat": NOW, "exp": NOW + 3_600,
            "tenant_id": "acme", "tenant_slug": "acme", "permissions": ["catalog:admin"],
        });
        let identity = verifier.verify(&pair.token_with(&header, &claims), now()).await.unwrap();
        assert_eq!(identity.tenant.as_str(), tenant);
        assert_eq!(identity.permissions, ["catalog:read"]);
    }
}
