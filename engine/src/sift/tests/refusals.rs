//! Every bad input has one outcome, whatever the chunks.

use super::{instance, redact_in, state};
use crate::refusal::RefusalKind::{self, *};

fn check(name: &str, bytes: &[u8], wanted: RefusalKind) {
    let rules = super::rules();
    let mut seen = None;
    for lengths in [&[usize::MAX][..], &[1], &[63], &[64, 1, 200]] {
        if bytes.len() > 1_000_000 && lengths == [1] {
            continue;
        }
        let refusal = redact_in(&rules, bytes, lengths).err().unwrap_or_else(|| panic!("{name}: accepted"));
        assert_eq!(refusal.kind, wanted, "{name}: {refusal}");
        let seen = seen.get_or_insert_with(|| refusal.clone());
        assert_eq!(&refusal, seen, "{name}: depends on the chunks");
    }
}

#[test]
fn what_is_no_json_is_refused() {
    let cases: &[(&str, &[u8], RefusalKind)] = &[
        ("empty", b"", Empty),
        ("white space", b" \n\t ", Empty),
        ("a word", b"nonsense", NotJson),
        ("html", b"<html></html>", NotJson),
        ("a byte order mark", b"\xef\xbb\xbf{\"version\":4}", NotJson),
        ("utf-16", b"\xff\xfe{\x00", NotJson),
        ("cut after the brace", b"{", Truncated),
        ("cut in a key", b"{\"vers", Truncated),
        ("cut in a number", b"{\"version\":4", Truncated),
        ("cut in a literal", b"{\"outputs\":nul", Truncated),
        ("cut before the end", b"{\"version\":4,\"resources\":[]", Truncated),
        ("trailing brace", b"{\"version\":4}}", TrailingBytes),
        ("trailing document", b"{\"version\":4}\n{\"version\":4}", TrailingBytes),
        ("trailing NUL", b"{\"version\":4}\0", TrailingBytes),
        ("trailing comma", b"{\"version\":4,}", NotJson),
        ("missing comma", b"{\"version\":4 \"serial\":1}", NotJson),
        ("missing colon", b"{\"version\" 4}", NotJson),
        ("single quotes", b"{'version':4}", NotJson),
        ("a comment", b"{/* */\"version\":4}", NotJson),
        ("leading zero", b"{\"version\":04}", NotJson),
        ("a bare word", b"{\"version\":four}", NotJson),
        ("NaN", b"{\"version\":4,\"x\":NaN}", NotJson),
        ("brackets do not match", b"{\"version\":4,\"x\":[1}]}", NotJson),
        ("array closed by brace", b"{\"version\":4,\"resources\":[}", NotJson),
        ("trailing comma in resources", b"{\"version\":4,\"resources\":[{},]}", NotJson),
        ("form feed between tokens", b"{\x0c\"version\":4}", NotJson),
        ("NUL between tokens", b"{\0\"version\":4}", NotJson),
        ("line feed in a string", b"{\"version\":4,\"x\":\"a\nb\"}", NotJson),
        ("unknown escape", b"{\"version\":4,\"x\":\"\\x41\"}", NotJson),
        ("short escape", b"{\"version\":4,\"x\":\"\\u12\"}", NotJson),
        ("invalid UTF-8 in a value", b"{\"version\":4,\"x\":\"\xff\"}", InvalidText),
        ("invalid UTF-8 in a key", b"{\"version\":4,\"\xc3\":1}", InvalidText),
        ("overlong UTF-8", b"{\"version\":4,\"x\":\"\xc0\xaf\"}", InvalidText),
        ("encoded surrogate", b"{\"version\":4,\"x\":\"\xed\xa0\x80\"}", InvalidText),
        ("escaped high surrogate", b"{\"version\":4,\"x\":\"\\ud800\"}", InvalidText),
        ("escaped low surrogate", b"{\"version\":4,\"x\":\"\\udc00\"}", InvalidText),
        ("high surrogate before a letter", b"{\"version\":4,\"x\":\"\\ud83dab\"}", InvalidText),
        ("two high surrogates", b"{\"version\":4,\"x\":\"\\ud83d\\ud83d\"}", InvalidText),
        ("half a pair in a key", b"{\"version\":4,\"\\ud83d\":1}", InvalidText),
    ];
    for (name, bytes, wanted) in cases {
        check(name, bytes, *wanted);
    }
}

#[test]
fn what_is_json_but_no_state_v4_is_refused() {
    let cases: &[(&str, &str, RefusalKind)] = &[
        ("an array", "[1,2]", NotAStateV4),
        ("a string", "\"state\"", NotAStateV4),
        ("a number", "42", NotAStateV4),
        ("null", "null", NotAStateV4),
        ("an empty object", "{}", NotAStateV4),
        ("no version", r#"{"resources":[]}"#, NotAStateV4),
        ("version 3", r#"{"version":3,"modules":[]}"#, NotAStateV4),
        ("version 3, sorted", r#"{"modules":[{"path":["root"]}],"version":3}"#, NotAStateV4),
        ("version 1", r#"{"version":1}"#, NotAStateV4),
        ("version 5", r#"{"version":5}"#, NotAStateV4),
        ("version 4.0", r#"{"version":4.0}"#, NotAStateV4),
        ("version as text", r#"{"version":"4"}"#, NotAStateV4),
        ("version null", r#"{"version":null}"#, NotAStateV4),
        ("a plan", r#"{"format_version":"1.2","planned_values":{}}"#, NotAStateV4),
        ("show -json", r#"{"format_version":"1.0","values":{"root_module":{}}}"#, NotAStateV4),
        ("an empty show -json", r#"{"format_version":"1.0"}"#, NotAStateV4),
        ("resources is a text", r#"{"version":4,"resources":"x"}"#, NotAStateV4),
        ("resources is an object", r#"{"version":4,"resources":{}}"#, NotAStateV4),
        ("a resource is a number", r#"{"version":4,"resources":[1]}"#, NotAStateV4),
        ("an instance is a text", r#"{"version":4,"resources":[{"instances":["x"]}]}"#, NotAStateV4),
        ("an output is a text", r#"{"version":4,"outputs":{"a":"x"}}"#, NotAStateV4),
    ];
    for (name, text, wanted) in cases {
        check(name, text.as_bytes(), *wanted);
    }
}

#[test]
fn members_that_decide_may_stand_once_only() {
    let resource = |members: &str| state(&format!("[{{{members}}}]"), "{}");
    let cases = [
        ("version", r#"{"version":4,"version":4}"#.to_owned()),
        ("resources", r#"{"version":4,"resources":[],"resources":[]}"#.to_owned()),
        ("resources, escaped", r#"{"version":4,"resources":[],"\u0072esources":[]}"#.to_owned()),
        ("outputs", r#"{"version":4,"outputs":{},"outputs":{}}"#.to_owned()),
        ("lineage", r#"{"version":4,"lineage":"a","lineage":"b"}"#.to_owned()),
        ("instances", resource(r#""instances":[],"instances":[]"#)),
        ("type", resource(r#""type":"a","type":"b""#)),
        ("attributes", instance(r#""attributes":{},"attributes":{}"#)),
        ("sensitive_attributes", instance(r#""sensitive_attributes":[],"sensitive_attributes":[]"#)),
        (
            "sensitive_attributes, escaped",
            instance(r#""sensitive_attributes":[],"sensitive\u005fattributes":[]"#),
        ),
        ("sensitive", state("[]", r#"{"a":{"value":1,"sensitive":true,"sensitive":false}}"#)),
    ];
    for (name, text) in cases {
        check(name, text.as_bytes(), DuplicateMember);
    }
}

#[test]
fn nesting_is_bounded() {
    let nest = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    check("bare", nest(10_000).as_bytes(), TooDeep);
    check(
        "in an attribute",
        instance(&format!(r#""attributes":{{"a":{}}}"#, nest(10_000))).as_bytes(),
        TooDeep,
    );
    check("in an unknown member", format!(r#"{{"version":4,"x":{}}}"#, nest(10_000)).as_bytes(), TooDeep);
    check("objects", format!(r#"{{"version":4,"x":{}"#, r#"{"a":"#.repeat(10_000)).as_bytes(), TooDeep);
    check("cut", &b"[".repeat(10_000), TooDeep);
    let fits = instance(&format!(r#""attributes":{{"a":{}}}"#, nest(400)));
    assert!(super::redact(fits.as_bytes()).is_ok());
}

#[test]
fn every_cut_of_a_state_is_refused() {
    let text = instance(r#""attributes":{"a":"b\u0041","n":[1,null]},"sensitive_attributes":[]"#);
    let rules = super::rules();
    for cut in 0..text.len() {
        let refusal = redact_in(&rules, &text.as_bytes()[..cut], &[usize::MAX]).err();
        let kind = refusal.unwrap_or_else(|| panic!("cut at {cut}: accepted")).kind;
        assert_eq!(kind, if cut == 0 { Empty } else { Truncated }, "cut at {cut}");
    }
}

#[test]
fn a_refusal_says_where_and_never_what() {
    let text = instance(r#""attributes":{"password":"hunter2hunter2" "b":1}"#);
    let refusal = super::redact(text.as_bytes()).expect_err("a comma is missing");
    let place = text.find("\"b\":1").expect("there");
    assert_eq!(refusal.offset, u64::try_from(place).expect("small"));
    assert!(!refusal.to_string().contains("hunter2"));
}
