//! Whether a document is a state v4 at all.
//!
//! Must never look at anything that is data.

use crate::json::{Member, Node, Value};

/// Keys of the top that only other documents have.
const STRANGERS: [&str; 7] = [
    "planned_values",
    "resource_changes",
    "prior_state",
    "output_changes",
    "values",
    "modules",
    "format_version",
];

const HEAD: [&str; 7] =
    ["version", "serial", "lineage", "terraform_version", "resources", "outputs", "check_results"];
const RESOURCE: [&str; 6] = ["mode", "type", "name", "module", "provider", "instances"];
const INSTANCE: [&str; 6] =
    ["attributes", "attributes_flat", "sensitive_attributes", "private", "index_key", "deposed"];
const OUTPUT: [&str; 3] = ["value", "type", "sensitive"];

/// Whether it is one.
pub fn is_state(document: &str, top: &Value) -> bool {
    let Some(members) = object(top, &HEAD) else { return false };
    let four =
        members.iter().any(|m| m.key.text == "version" && is_four(&document[m.value.from..m.value.to]));
    four && members.iter().all(|m| {
        !STRANGERS.contains(&m.key.text.as_str())
            && match m.key.text.as_str() {
                "resources" => list(&m.value, is_resource),
                "outputs" => {
                    matches!(m.value.node, Node::Null)
                        || object(&m.value, &[])
                            .is_some_and(|all| all.iter().all(|o| object(&o.value, &OUTPUT).is_some()))
                }
                "check_results" => list(&m.value, |_| true),
                _ => true,
            }
    })
}

fn is_four(raw: &str) -> bool {
    raw == "4"
}

fn is_resource(resource: &Value) -> bool {
    object(resource, &RESOURCE).is_some_and(|members| {
        members
            .iter()
            .filter(|m| m.key.text == "instances")
            .all(|m| list(&m.value, |instance| object(instance, &INSTANCE).is_some()))
    })
}

/// A list of such items; Terraform writes `null` for an empty one.
fn list(value: &Value, item: impl Fn(&Value) -> bool) -> bool {
    match &value.node {
        Node::Null => true,
        Node::List(items) => items.iter().all(item),
        _ => false,
    }
}

/// The members of an object in which none of these keys stands twice.
fn object<'v>(value: &'v Value, once: &[&str]) -> Option<&'v [Member]> {
    let Node::Object(members) = &value.node else { return None };
    let count = |key: &str| members.iter().filter(|m| m.key.text == key).count();
    once.iter().all(|key| count(key) < 2).then_some(members)
}
