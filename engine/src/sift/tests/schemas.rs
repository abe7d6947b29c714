//! What providers' schemas mark, where a state does not; and how Terraform's functions spell what is marked.

use super::{redact, state};

fn shown(text: &str) -> String {
    String::from_utf8(redact(text.as_bytes()).expect("a state").0).expect("UTF-8")
}

/// A state of a version of Terraform, with one resource of a type and one that says it again.
fn written(version: &str, resource_type: &str, attributes: &str, copy: &str) -> String {
    let resources = format!(
        r#"[{{"mode":"managed","type":"{resource_type}","name":"one","provider":"p","instances":[{{"schema_version":0,"attributes":{attributes},"sensitive_attributes":[]}}]}},{{"mode":"managed","type":"t","name":"two","provider":"p","instances":[{{"attributes":{{"note":"{copy}"}}}}]}}]"#
    );
    state(&resources, "{}").replace("1.11.4", version)
}

#[test]
fn what_a_schema_marks_goes_and_its_copies_go() {
    for (version, resource_type, attributes, goes) in [
        ("1.5.7", "random_password", r#"{"length":12,"result":"Pickle3207#"}"#, true),
        ("1.11.4", "random_password", r#"{"length":12,"result":"Pickle3207#"}"#, true),
        ("1.5.7", "helm_release", r#"{"set_sensitive":[{"name":"x","value":"Pickle3207#"}]}"#, true),
        ("1.5.7", "somecloud_secret_v2", r#"{"data":{"a":"Pickle3207#"}}"#, true),
        ("1.5.7", "aws_ssm_parameter", r#"{"value":"Pickle3207#"}"#, true),
        // Here the state's own marks tell.
        ("1.11.4", "aws_ssm_parameter", r#"{"value":"Pickle3207#"}"#, false),
        ("1.5.7", "aws_thing", r#"{"result":"Pickle3207#"}"#, false),
    ] {
        let out = shown(&written(version, resource_type, attributes, "see Pickle3207# there"));
        assert_eq!(out.contains("Pickle3207#"), !goes, "{version} {resource_type}: {out}");
        assert!(!goes || out.contains("see [REDACTED:credential] there"), "{out}");
    }
}

#[test]
fn copies_are_found_as_jsonencode_and_urlencode_spell_them() {
    for copy in [r#"{\"a\": \"q7\\u003cW2k\\u0026x9\"}"#, "https://h.test/?x=q7%3CW2k%26x9&y=1"] {
        let out = shown(&written("1.11.4", "random_password", r#"{"result":"q7<W2k&x9"}"#, copy));
        let told = out.contains("u003cW2k") || out.contains("%3CW2k");
        assert!(!told && out.contains("[REDACTED:credential]"), "{out}");
    }
}
