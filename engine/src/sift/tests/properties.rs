//! Properties of any state: chunks do not matter, a second run changes nothing, marks hide exactly what they name.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::oracle::{forced_leaves, same_shape};
use super::{redact, redact_in};

/// Words that no rule finds.
fn word() -> impl Strategy<Value = String> {
    prop::sample::select(
        &[
            "",
            "a",
            "on",
            "blue",
            "two words",
            "t\u{f6}p",
            "\u{1f600}",
            "q\"uote",
            "back\\slash",
            "line\nfeed",
            "tab\t",
        ][..],
    )
    .prop_map(str::to_owned)
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(&["alpha", "beta", "value", "type", "a/b", "m~n", "\u{e9}t\u{e9}", "x y"][..])
        .prop_map(str::to_owned)
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        word().prop_map(Value::from),
        (0u64..100).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ]
}

fn tree() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name(), inner, 0..4)
                .prop_map(|m| Value::from(m.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn step() -> impl Strategy<Value = Value> {
    prop_oneof![
        name().prop_map(|n| json!({"type": "get_attr", "value": n})),
        name().prop_map(|n| json!({"type": "index", "value": {"value": n, "type": "string"}})),
        (0u64..3).prop_map(|n| json!({"type": "index", "value": {"value": n, "type": "number"}})),
    ]
}

prop_compose! {
    fn an_instance()(
        attributes in prop::collection::btree_map(name(), tree(), 0..5),
        paths in prop::collection::vec(prop::collection::vec(step(), 1..4), 0..3),
        private in prop::option::of(Just("cHJpdmF0ZQ==")),
    ) -> Value {
        let mut instance = json!({
            "schema_version": 0,
            "attributes": attributes.into_iter().collect::<Map<_, _>>(),
            "sensitive_attributes": paths,
        });
        if let Some(private) = private {
            instance["private"] = Value::from(private);
        }
        instance
    }
}

prop_compose! {
    fn a_state()(
        instances in prop::collection::vec(prop::collection::vec(an_instance(), 0..3), 0..3),
        outputs in prop::collection::btree_map(name(), (tree(), any::<bool>()), 0..3),
    ) -> Value {
        let resources: Vec<Value> = instances
            .into_iter()
            .map(|instances| json!({
                "mode": "managed", "type": "t", "name": "n", "provider": "p", "instances": instances,
            }))
            .collect();
        let outputs: Map<String, Value> = outputs
            .into_iter()
            .map(|(name, (value, sensitive))| (name, json!({"value": value, "type": "string", "sensitive": sensitive})))
            .collect();
        json!({"version": 4, "serial": 1, "lineage": "l", "outputs": outputs, "resources": resources})
    }
}

/// Whether the oracle's simple reading of marks applies: it knows no wrappers.
fn has_value_member(state: &Value) -> bool {
    match state {
        Value::Object(members) => members
            .iter()
            .any(|(key, value)| (key == "value" && value.is_object()) || has_value_member(value)),
        Value::Array(elements) => elements.iter().any(has_value_member),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn chunks_do_not_matter(state in a_state(), pretty in any::<bool>(), lengths in prop::collection::vec(1usize..200, 1..6)) {
        let bytes = if pretty { serde_json::to_vec_pretty(&state) } else { serde_json::to_vec(&state) }.expect("JSON");
        let rules = super::rules();
        let whole = redact_in(&rules, &bytes, &[usize::MAX]);
        prop_assert_eq!(&redact_in(&rules, &bytes, &[1]), &whole);
        prop_assert_eq!(&redact_in(&rules, &bytes, &lengths), &whole);
    }

    #[test]
    fn a_second_run_changes_nothing(state in a_state()) {
        let (once, _) = redact(&serde_json::to_vec(&state).expect("JSON")).expect("a state");
        let (twice, report) = redact(&once).expect("a state");
        prop_assert_eq!(String::from_utf8(twice), String::from_utf8(once));
        prop_assert!(report.detections.is_empty(), "{:?}", report.detections);
    }

    #[test]
    fn marks_hide_what_they_name(state in a_state()) {
        let (out, report) = redact(&serde_json::to_vec(&state).expect("JSON")).expect("a state");
        let out: Value = serde_json::from_slice(&out).expect("JSON");
        prop_assert!(same_shape(&state, &out));
        let forced = forced_leaves(&state);
        for pointer in &forced {
            let leaf = out.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            prop_assert!(super::super::marker::is_marker(leaf), "{} is not redacted", pointer);
        }
        for detection in &report.detections {
            let known = forced.binary_search(&detection.pointer).is_ok();
            prop_assert!(known || detection.rule == "tainted" || has_value_member(&state), "{:?}", detection);
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(prop::sample::select(&b"{}[]:,\"\\\\u0d8 1-.eEtruefalsn\nversion4\xc3\xa9\xff"[..]), 0..200)) {
        let rules = super::rules();
        let whole = redact_in(&rules, &bytes, &[usize::MAX]);
        prop_assert_eq!(redact_in(&rules, &bytes, &[3, 1, 70]), whole);
    }

    #[test]
    fn a_flipped_byte_never_panics_and_what_is_accepted_is_json(state in a_state(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = serde_json::to_vec(&state).expect("JSON");
        let index = at.index(bytes.len());
        bytes[index] = byte;
        let ours = redact(&bytes);
        let theirs = serde_json::from_slice::<serde::de::IgnoredAny>(&bytes);
        if theirs.is_err() {
            prop_assert!(ours.is_err());
        }
        if let Ok((out, _)) = ours {
            prop_assert!(serde_json::from_slice::<Value>(&out).is_ok());
        }
    }
}
