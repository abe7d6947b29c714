//! Objects of which one member tells what another is, as attributes and as JSON in a text. `§` stands for what must go.

use super::{instance, redact};

/// Looks like nothing: only its place tells.
const SECRET: &str = "winter meadow";
const MARKER: &str = "[REDACTED:credential]";

const OBJECTS: &[(&str, &str)] = &[
    (
        "a Secret of Kubernetes",
        r#"{"apiVersion":"v1","data":{"one":"§","two":"§"},"kind":"Secret","metadata":{"name":"db"}}"#,
    ),
    ("its text form", r#"{"kind":"Secret","stringData":{"conf":"§","n":"§"},"type":"Opaque"}"#),
    (
        "a list of manifests",
        r#"{"items":[{"data":{"a":"stays"},"kind":"ConfigMap"},{"data":{"a":"§"},"kind":"Secret"}],"kind":"List"}"#,
    ),
    ("a pair", r#"{"name":"db.password","value":"§"}"#),
    (
        "a pair the other way round",
        r#"{"value":"§","type":"string","list":[1,{"x":"}"}],"name":"DB_PASSWORD"}"#,
    ),
    ("pairs in a list", r#"[{"name":"MODE","value":"stays here"},{"name":"api_key","value":"§"}]"#),
    ("a pair of other words", r#"{"option_name":"MasterUserPassword","value":"§","namespace":"aws:rds"}"#),
    (
        "a private RSA key",
        r#"{"kty":"RSA","n":"public half","e":"AQAB","d":"§","p":"§","q":"§","dp":"§","dq":"§","qi":"§","kid":"k1"}"#,
    ),
    ("with more primes", r#"{"kty":"RSA","n":"public half","e":"AQAB","oth":[{"r":"§","d":"§","t":"§"}]}"#),
    (
        "a private key on a curve",
        r#"{"crv":"P-256","d":"§","kid":"k1","kty":"EC","x":"public half","y":"other half"}"#,
    ),
    ("a symmetric key", r#"{"alg":"HS256","k":"§","kty":"oct"}"#),
];

/// What stays as it is.
const STAYS: &[&str] = &[
    r#"{"apiVersion":"v1","data":{"one":"winter meadow"},"kind":"ConfigMap"}"#,
    r#"{"data":{"one":"winter meadow"},"kind":"SealedSecret"}"#,
    r#"{"d":"winter meadow","k":"winter meadow","p":"winter meadow"}"#,
    r#"{"name":"region","value":"winter meadow"}"#,
    r#"{"name":"password_policy","value":"winter meadow"}"#,
    r#"{"value":"winter meadow"}"#,
];

/// The object as an attribute and as the text of one, sanitized.
fn both(object: &str) -> [String; 2] {
    let quoted = serde_json::to_string(object).expect("JSON");
    [object, &quoted].map(|value| {
        let text = instance(&format!(r#""attributes":{{"spec":{value}}}"#));
        let (out, _) = redact(text.as_bytes()).unwrap_or_else(|refusal| panic!("{refusal}"));
        let out: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        let spec = &out["resources"][0]["instances"][0]["attributes"]["spec"];
        spec.as_str().map_or_else(|| spec.to_string(), str::to_owned)
    })
}

/// Members in the order of a map.
fn normal(json: &str) -> serde_json::Value {
    serde_json::from_str(json).expect("JSON")
}

#[test]
fn a_member_is_judged_by_what_its_siblings_say() {
    for (name, object) in OBJECTS {
        let expected = normal(&object.replace('§', MARKER));
        for got in both(&object.replace('§', SECRET)) {
            assert_eq!(normal(&got), expected, "{name}");
        }
    }
}

#[test]
fn a_member_whose_siblings_say_nothing_stays() {
    for object in STAYS {
        for got in both(object) {
            assert_eq!(normal(&got), normal(object));
        }
    }
}

/// 200,000 members that all ask, in an object that never answers: looked at once, not once each.
#[test]
fn a_hostile_object_is_asked_once() {
    let members = r#""value":1,"data":{},"d":2,"n":3,"#.repeat(50_000);
    let text = instance(&format!(r#""attributes":{{"spec":{{{members}"last":0}}}}"#));
    let (out, _) = redact(text.as_bytes()).unwrap_or_else(|refusal| panic!("{refusal}"));
    assert_eq!(out.len(), text.len());
}

/// 400 objects in each other that all ask: what is beyond the bound goes unseen.
#[test]
fn deep_questions_end() {
    let text = format!("{}{}{}", r#"{"data":"#.repeat(400), r#""x""#, r#","y":[0,0,0,0,0,0]}"#.repeat(400));
    let text = instance(&format!(r#""attributes":{{"spec":{text}}}"#));
    let (out, _) = redact(text.as_bytes()).unwrap_or_else(|refusal| panic!("{refusal}"));
    assert!(out.windows(10).any(|w| w == b"[REDACTED:"));
}

/// Found by the fuzz target: siblings, and keys in the JSON of a text, were heard in their spelling, not in their text.
#[test]
fn an_escaped_name_says_what_its_text_says() {
    for object in [
        r#"{"n\u0061me":"db_pass\u0077ord","value":"§"}"#,
        r#"{"value":"§","name":"api\u005fkey"}"#,
        r#"{"data":{"one":"§"},"k\u0069nd":"Se\u0063ret"}"#,
        r#"{"pass\u0077ord":"§"}"#,
    ] {
        let object = object.replace('§', SECRET);
        for out in both(&object) {
            assert!(!out.contains(SECRET) && out.contains(MARKER), "{out}");
        }
    }
}
