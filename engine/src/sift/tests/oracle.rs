//! A slow twin on serde_json: builds the tree, looks the marks up, and says which leaves must change.

use serde_json::Value;

/// Pointer → whether the leaf must be redacted because of a mark, `private` or a sensitive output.
pub(super) fn forced_leaves(state: &Value) -> Vec<String> {
    let mut forced = Vec::new();
    for (r, resource) in state["resources"].as_array().into_iter().flatten().enumerate() {
        for (i, instance) in resource["instances"].as_array().into_iter().flatten().enumerate() {
            let at = format!("/resources/{r}/instances/{i}");
            if let Some(private) = instance.get("private") {
                leaves(private, &format!("{at}/private"), &mut forced);
            }
            for path in instance["sensitive_attributes"].as_array().into_iter().flatten() {
                mark(
                    &instance["attributes"],
                    path.as_array().expect("a path"),
                    &format!("{at}/attributes"),
                    &mut forced,
                );
            }
        }
    }
    for (name, output) in state["outputs"].as_object().into_iter().flatten() {
        if output["sensitive"] == Value::Bool(true) {
            leaves(&output["value"], &format!("/outputs/{}/value", escape(name)), &mut forced);
        }
    }
    forced.sort();
    forced.dedup();
    forced
}

fn mark(value: &Value, path: &[Value], at: &str, forced: &mut Vec<String>) {
    let Some((step, rest)) = path.split_first() else {
        return leaves(value, at, forced);
    };
    let key = if step["type"] == "get_attr" { &step["value"] } else { &step["value"]["value"] };
    match (value, key) {
        (Value::Object(members), Value::String(name)) => {
            if let Some(child) = members.get(name) {
                mark(child, rest, &format!("{at}/{}", escape(name)), forced);
            }
        }
        (Value::Array(elements), Value::Number(index)) => {
            let index = usize::try_from(index.as_u64().expect("an index")).expect("small");
            if let Some(child) = elements.get(index) {
                mark(child, rest, &format!("{at}/{index}"), forced);
            }
        }
        // A path that does not fit the value hides all of it.
        _ => leaves(value, at, forced),
    }
}

/// Strings that are not empty, and numbers.
pub(super) fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, child) in members {
                leaves(child, &format!("{at}/{}", escape(name)), found);
            }
        }
        Value::Array(elements) => {
            for (index, child) in elements.iter().enumerate() {
                leaves(child, &format!("{at}/{index}"), found);
            }
        }
        Value::String(text) if !text.is_empty() => found.push(at.to_owned()),
        Value::Number(_) => found.push(at.to_owned()),
        _ => {}
    }
}

pub(super) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The same shape: strings stay strings, numbers stay or become markers, the rest is equal. Keys may be redacted, so
/// members are compared as they stand (`serde_json` sorts them), by number only.
pub(super) fn same_shape(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| b.get(key).is_none_or(|other| same_shape(value, other)))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_shape(a, b))
        }
        (Value::String(_), Value::String(_)) => true,
        (Value::Number(a), Value::Number(b)) => a == b,
        (Value::Number(_), Value::String(marker)) => marker.starts_with('['),
        (a, b) => a == b,
    }
}
