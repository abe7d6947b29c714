//! States with marks, private blobs and odd orders, and what becomes of them.

use super::{instance, redact, state};

/// Output, then the report, as text.
fn shown(text: &str) -> String {
    let (out, report) = redact(text.as_bytes()).unwrap_or_else(|refusal| panic!("{refusal}"));
    let out = String::from_utf8(out).expect("UTF-8");
    serde_json::from_str::<serde_json::Value>(&out).expect("JSON");
    let mut shown = out;
    for d in &report.detections {
        shown.push_str(&format!("\n{} {} {}", d.rule, d.pointer, d.bytes));
    }
    shown
}

#[test]
fn marks_redact_what_they_name() {
    let text = instance(
        r#""attributes":{"id":"i-1","secret":"alpha beta gamma","list":[{"k":"one word"},{"k":"two words"}],"map":{"a/b":"three words","c":"stays"},"n":12345,"t":true,"z":null},
"sensitive_attributes":[
 [{"type":"get_attr","value":"secret"}],
 [{"type":"get_attr","value":"list"},{"type":"index","value":{"value":1,"type":"number"}},{"type":"get_attr","value":"k"}],
 [{"type":"get_attr","value":"map"},{"type":"index","value":{"value":"a/b","type":"string"}}],
 [{"type":"get_attr","value":"n"}],[{"type":"get_attr","value":"t"}],[{"type":"get_attr","value":"z"}]]"#,
    );
    insta::assert_snapshot!(shown(&text));
}

#[test]
fn marks_may_stand_before_the_attributes_and_members_in_any_order() {
    let text = r#"{
  "resources": [
    {
      "instances": [
        {
          "sensitive_attributes": [[{"value": "secret", "type": "get_attr"}]],
          "attributes": {"secret": "alpha beta gamma", "copy": "so: alpha beta gamma!"},
          "private": "bm90aGluZw=="
        }
      ],
      "mode": "managed", "name": "one", "provider": "p", "type": "t"
    }
  ],
  "outputs": {"shown": {"type": "string", "value": "fine"}, "hidden": {"value": ["delta epsilon"], "sensitive": true, "type": ["list", "string"]}},
  "lineage": "d8a9d9f4-4b8e-9c1f-6b0e-0d6c2c7f4a11", "serial": 1, "terraform_version": "1.11.4",
  "version": 4
}
"#;
    insta::assert_snapshot!(shown(text));
}

#[test]
fn a_dynamic_wrapper_keeps_its_marks() {
    let text = instance(
        r#""attributes":{"input":{"value":{"password":"alpha beta gamma","user":"app"},"type":["object",{"password":"string","user":"string"}]}},
"sensitive_attributes":[[{"type":"get_attr","value":"input"},{"type":"get_attr","value":"password"}]]"#,
    );
    insta::assert_snapshot!(shown(&text));
}

#[test]
fn marks_that_are_not_understood_hide_the_whole_tree() {
    let text = instance(
        r#""attributes":{"a":"one word","b":{"c":["two words",3]},"d":true,"e":null,"f":""},"sensitive_attributes":[["a.b"]],"dependencies":["aws_thing.two"]"#,
    );
    insta::assert_snapshot!(shown(&text));
}

#[test]
fn escapes_are_seen_through_and_kept_outside_of_spans() {
    let text = instance(
        r#""attributes":{"secret":"t\u00f6p \"\u0073ecret\" \ud83d\ude00","copy":"\u0041\/: t\u00f6p \"secret\" \ud83d\ude00 \\ \u0042"},
"sensitive_attributes":[[{"type":"get_attr","value":"secret"}]]"#,
    );
    insta::assert_snapshot!(shown(&text));
}

#[test]
fn numbers_and_white_space_stay_byte_for_byte() {
    let text = instance(
        "\"attributes\" : {\r\n\t\"big\": 123456789012345678901234567890.5e999 ,\"neg\":-0.0, \"dup\":1,\"dup\":2 }",
    );
    let (out, report) = redact(text.as_bytes()).expect("a state");
    assert_eq!(String::from_utf8(out).expect("UTF-8"), text);
    assert!(report.detections.is_empty() && report.counts.is_empty());
}

#[test]
fn flat_attributes_of_old_providers_are_redacted_by_mark() {
    let text = instance(
        r#""attributes_flat":{"id":"i-1","user.#":"1","user.0.name":"app","user.0.word":"alpha beta"},"sensitive_attributes":[[{"type":"get_attr","value":"user"}]]"#,
    );
    insta::assert_snapshot!(shown(&text));
}

#[test]
fn check_results_and_unknown_members_pass() {
    let mut text = state("null", "null");
    text = text.replace(
        r#""check_results":null"#,
        r#""check_results":[{"object_kind":"var","config_addr":"var.a","status":"pass","objects":null}],"later":{"a":[1]}"#,
    );
    let (out, _) = redact(text.as_bytes()).expect("a state");
    assert_eq!(String::from_utf8(out).expect("UTF-8"), text);
}

#[test]
fn keys_that_are_data_get_ordinals_and_pointers_follow() {
    let text = instance(
        r#""index_key":"ann@acme-mail.com","attributes":{"grants":{"ann@acme-mail.com":"read","bob@acme-mail.com":{"note":"mail bob@acme-mail.com, \"twice\" \u0062ob@acme-mail.com"},"other":1}}"#,
    );
    insta::assert_snapshot!(shown(&text));
}

#[test]
fn index_keys_stay_unique_and_a_deposed_object_shares_its_own() {
    let text = state(
        r#"[{"mode":"managed","type":"t","name":"n","provider":"p","instances":[
{"index_key":"ann@acme-mail.com","attributes":{}},
{"index_key":"bob@acme-mail.com","attributes":{}},
{"index_key":"ann@acme-mail.com","deposed":"00000001","attributes":{}},
{"index_key":"plain","attributes":{}},{"index_key":3,"attributes":{}}]}]"#,
        "{}",
    );
    insta::assert_snapshot!(shown(&text));
}

#[test]
fn sensitive_keys_reach_down_to_every_leaf() {
    let text = instance(
        r#""attributes":{"password":"blue whale","nested":{"master_password":{"current":"red fox","old":["grey wolf",""],"set":true,"at":null}}}"#,
    );
    insta::assert_snapshot!(shown(&text));
}

#[test]
fn only_the_span_goes_from_a_longer_text() {
    let text = instance(
        r##""attributes":{"dsn":"postgres:\/\/app:s3cr\u0065t-W0rd@db.internal.example:5432\/app?x=\"1\"","script":"#!/bin/sh\nexport DB_PASSWORD='correct-h0rse'\necho \u00e9\n"}"##,
    );
    insta::assert_snapshot!(shown(&text));
}

#[test]
fn a_copy_before_its_mark_is_found_in_two_passes() {
    let text = state(
        r#"[{"mode":"managed","type":"t","name":"n","provider":"p","instances":[{"attributes":{"word":"quiet river stone"},"sensitive_attributes":[[{"type":"get_attr","value":"word"}]]}]}]"#,
        r#"{"copy":{"value":"it is <quiet river stone>","type":"string"}}"#,
    );
    insta::assert_snapshot!(shown(&text));
}
