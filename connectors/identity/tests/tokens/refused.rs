//! What must not be let in: each token is wrong in one way.

use jsonwebtoken::{Algorithm as Jwa, EncodingKey};
use serde_json::{Value, json};
use terrasift_identity::{Algorithm, IssuerKind, Refused, Verifier};

use crate::press::{
    AUDIENCE, ISSUER, NOW, Pair, backstage, claims, document, encoded, issuer, now, pair, verifier, with,
    without,
};

/// Keys of one issuer, the verifier that knows them, and a stranger's key.
struct World {
    _folder: tempfile::TempDir,
    verifier: Verifier,
    pairs: [Pair; 3],
    stranger: Pair,
    other: Pair,
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let pairs = [pair("ed", Algorithm::EdDsa), pair("es", Algorithm::Es256), pair("rs", Algorithm::Rs256)];
    let other = pair("other", Algorithm::EdDsa);
    let plugin = pair("plugin", Algorithm::Es256);
    std::fs::write(file("login"), document(&pairs.each_ref().map(|pair| pair.public()))).unwrap();
    std::fs::write(file("other"), document(&[other.public()])).unwrap();
    std::fs::write(file("plugin"), document(&[plugin.public()])).unwrap();
    let mut second = issuer(&file("other"));
    second.kind = IssuerKind::Standard { issuer: "https://other.example".to_owned() };
    second.algorithms = vec![Algorithm::Es256];
    let verifier =
        verifier(vec![issuer(&file("login")), second, backstage("stage", &file("plugin"), "globex")]);
    World { _folder: folder, verifier, pairs, stranger: pair("ed", Algorithm::EdDsa), other }
}

async fn check(world: &World, name: &str, token: &str, expected: Refused) {
    let answer = world.verifier.verify(token, now()).await;
    assert_eq!(answer.map(|identity| identity.subject), Err(expected), "{name}");
}

#[tokio::test]
async fn claims_that_do_not_fit_are_refused() {
    let world = world();
    let cases: Vec<(&str, Value, Refused)> = vec![
        ("another issuer", with("iss", json!("https://nobody.example")), Refused::UnknownIssuer),
        ("an issuer with a slash more", with("iss", json!(format!("{ISSUER}/"))), Refused::UnknownIssuer),
        ("an issuer in capitals", with("iss", json!(ISSUER.to_uppercase())), Refused::UnknownIssuer),
        ("several issuers", with("iss", json!([ISSUER])), Refused::Malformed),
        ("no issuer", without("iss"), Refused::UnknownIssuer),
        ("no issuer, as null", with("iss", Value::Null), Refused::UnknownIssuer),
        ("another audience", with("aud", json!("other")), Refused::NotProven),
        ("an audience that begins alike", with("aud", json!("terrasift-other")), Refused::NotProven),
        ("no audience", without("aud"), Refused::NotProven),
        ("an empty list of audiences", with("aud", json!([])), Refused::NotProven),
        ("an audience that is no text", with("aud", json!(1)), Refused::NotProven),
        ("no end", without("exp"), Refused::NotProven),
        ("an end that is text", with("exp", json!((NOW + 600).to_string())), Refused::NotProven),
        ("an end that is null", with("exp", Value::Null), Refused::NotProven),
        ("over", with("exp", json!(NOW - 30)), Refused::Dates),
        ("over for years", with("exp", json!(0)), Refused::Dates),
        ("over before time began", with("exp", json!(-1)), Refused::NotProven),
        ("more than an hour", with("exp", json!(NOW + 3_631)), Refused::Dates),
        ("for ever", with("exp", json!(1e300)), Refused::NotProven),
        ("not yet", with("nbf", json!(NOW + 31)), Refused::Dates),
        ("made tomorrow", with("iat", json!(NOW + 86_400)), Refused::Dates),
        ("a beginning that is text", with("nbf", json!("now")), Refused::NotProven),
        ("no sender", without("sub"), Refused::NotProven),
        ("an empty sender", with("sub", json!("")), Refused::Incomplete),
        ("a sender of several lines", with("sub", json!("alice\nroot: admin")), Refused::Incomplete),
        ("a sender that is long", with("sub", json!("a".repeat(257))), Refused::Incomplete),
        ("a sender that is a number", with("sub", json!(1)), Refused::NotProven),
        ("no tenant", without("tenant_id"), Refused::Incomplete),
        ("a tenant that is none", with("tenant_id", json!("ACME; DROP")), Refused::Incomplete),
        ("two tenants", with("tenant_id", json!(["acme", "globex"])), Refused::NotProven),
        ("no slug", without("tenant_slug"), Refused::Incomplete),
        ("a slug that is none", with("tenant_slug", json!("../acme")), Refused::Incomplete),
        ("permissions that are text", with("permissions", json!("catalog:read")), Refused::NotProven),
        ("permissions that are null", with("permissions", Value::Null), Refused::NotProven),
    ];
    for (name, claims, expected) in cases {
        for pair in &world.pairs {
            check(&world, name, &pair.token(&claims), expected).await;
        }
    }
    let twice = r#"{"iss":"https://nobody.example","iss":"https://issuer.example","aud":"terrasift","sub":"a","exp":1800000600}"#;
    check(
        &world,
        "an issuer named twice",
        &world.pairs[0].token_of(&world.pairs[0].header().to_string(), twice),
        Refused::Malformed,
    )
    .await;
}

#[tokio::test]
async fn headers_that_ask_for_something_else_are_refused() {
    let world = world();
    let [ed, es, _] = &world.pairs;
    let changed = |name: &str, value: Value| {
        let mut header = ed.header();
        header[name] = value;
        header
    };
    let cases: Vec<(&str, Value, Refused)> = vec![
        ("no signature wanted", changed("alg", json!("none")), Refused::Malformed),
        ("no signature wanted, in capitals", changed("alg", json!("NONE")), Refused::Malformed),
        ("a shared secret", changed("alg", json!("HS256")), Refused::Malformed),
        ("an algorithm in small letters", changed("alg", json!("eddsa")), Refused::Malformed),
        (
            "an algorithm of the family that nobody allowed",
            changed("alg", json!("ES384")),
            Refused::Malformed,
        ),
        ("a padding that nobody allowed", changed("alg", json!("PS256")), Refused::Malformed),
        ("a list of algorithms", changed("alg", json!(["EdDSA"])), Refused::Malformed),
        ("another key's algorithm", changed("alg", json!("ES256")), Refused::UnknownKey),
        ("an unknown key", changed("kid", json!("nobody")), Refused::UnknownKey),
        ("no key", changed("kid", Value::Null), Refused::Malformed),
        ("a key by path", changed("kid", json!("../../ed")), Refused::UnknownKey),
        ("a key by query", changed("kid", json!("ed' OR '1'='1")), Refused::UnknownKey),
        ("a key that is a number", changed("kid", json!(1)), Refused::Malformed),
        ("what must be understood", changed("crit", json!(["exp"])), Refused::Malformed),
        ("nothing that must be understood", changed("crit", json!([])), Refused::Malformed),
        ("a body that is not encoded", changed("b64", json!(false)), Refused::Malformed),
        ("a body that is packed", changed("zip", json!("DEF")), Refused::Malformed),
        ("another kind of token", changed("typ", json!("logout+jwt")), Refused::UnknownIssuer),
        (
            "a plugin's token that names an issuer",
            changed("typ", json!("vnd.backstage.plugin")),
            Refused::UnknownIssuer,
        ),
    ];
    for (name, header, expected) in cases {
        check(&world, name, &ed.token_with(&header, &claims()), expected).await;
    }
    // Where keys come from is not a token's business: these are ignored, and the signature is not the named key's.
    for (name, value) in [
        ("jwk", world.stranger.public()),
        ("jku", json!("http://127.0.0.1:9/keys")),
        ("x5u", json!("http://127.0.0.1:9/chain")),
        ("x5c", json!(["MIIB"])),
    ] {
        check(&world, name, &world.stranger.token_with(&changed(name, value), &claims()), Refused::NotProven)
            .await;
    }
    let twice = r#"{"alg":"none","alg":"EdDSA","kid":"ed"}"#;
    check(&world, "an algorithm named twice", &ed.token_of(twice, &claims().to_string()), Refused::Malformed)
        .await;
    // The public key as a shared secret: known to everybody.
    let public = serde_json::to_vec(&es.public()).unwrap();
    let forged =
        Pair { id: "es".to_owned(), algorithm: Jwa::HS256, private: EncodingKey::from_secret(&public) };
    check(&world, "a public key as a secret", &forged.token(&claims()), Refused::Malformed).await;
}

#[tokio::test]
async fn signatures_that_are_not_the_issuers_are_refused() {
    let world = world();
    for pair in &world.pairs {
        let token = pair.token(&claims());
        let [header, body, signature]: [&str; 3] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
        let other = encoded(&with("sub", json!("mallory")).to_string());
        let flipped =
            signature.strip_prefix('A').map_or_else(|| format!("A{signature}"), |rest| format!("B{rest}"));
        let flipped = &flipped[..signature.len()];
        let cases: Vec<(&str, String, Refused)> = vec![
            ("other claims", format!("{header}.{other}.{signature}"), Refused::NotProven),
            ("another signature", format!("{header}.{body}.{flipped}"), Refused::NotProven),
            (
                "a cut signature",
                format!("{header}.{body}.{}", &signature[..signature.len() - 4]),
                Refused::NotProven,
            ),
            ("a long signature", format!("{header}.{body}.{signature}AAAA"), Refused::NotProven),
            ("a signature of zeros", format!("{header}.{body}.{}", "A".repeat(86)), Refused::NotProven),
            ("a signature that is none", format!("{header}.{body}.!!!!"), Refused::NotProven),
            ("no signature", format!("{header}.{body}."), Refused::Malformed),
            ("two parts", format!("{header}.{body}"), Refused::Malformed),
            ("four parts", format!("{token}.{signature}"), Refused::Malformed),
            (
                "five parts, encrypted",
                format!("{header}.{body}.{signature}.{body}.{signature}"),
                Refused::Malformed,
            ),
            ("padding", format!("{header}=.{body}.{signature}"), Refused::Malformed),
            ("the other alphabet", format!("{header}.{body}+/.{signature}"), Refused::Malformed),
            ("a space before", format!(" {token}"), Refused::Malformed),
            ("a line after", format!("{token}\n"), Refused::NotProven),
            ("nothing", String::new(), Refused::Malformed),
            ("points", "..".to_owned(), Refused::Malformed),
            ("a list for claims", pair.token_of(&pair.header().to_string(), "[]"), Refused::Malformed),
            ("too long", pair.token(&with("groups", json!("g".repeat(9_000)))), Refused::Malformed),
        ];
        for (name, token, expected) in cases {
            check(&world, &format!("{} {name}", pair.id), &token, expected).await;
        }
    }
    check(&world, "a stranger's key of the same id", &world.stranger.token(&claims()), Refused::NotProven)
        .await;
    check(&world, "another issuer's key", &world.other.token(&claims()), Refused::UnknownKey).await;
    let theirs = with("iss", json!("https://other.example"));
    check(
        &world,
        "an algorithm that this issuer may not use",
        &world.other.token(&theirs),
        Refused::UnknownIssuer,
    )
    .await;
    let mut header = world.pairs[1].header();
    header["typ"] = json!("vnd.backstage.plugin");
    let plugin = json!({"sub": "catalog", "aud": AUDIENCE, "exp": NOW + 60});
    check(
        &world,
        "a plugin's token by the login's key",
        &world.pairs[1].token_with(&header, &plugin),
        Refused::UnknownKey,
    )
    .await;
}
