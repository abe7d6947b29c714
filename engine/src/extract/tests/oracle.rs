//! Backstage's rules for entities, written down from its documentation and its validators, as an oracle for tests.
//!
//! Must never share a function with the code that it judges.

use std::collections::HashSet;

use serde_json::{Map, Value};

/// Everything that is wrong with an entity; empty when Backstage takes it.
pub(crate) fn violations(body: &[u8]) -> Vec<String> {
    let Ok(Value::Object(entity)) = serde_json::from_slice::<Value>(body) else {
        return vec!["not an object".to_owned()];
    };
    let mut wrong = Vec::new();
    let mut rule = |holds: bool, what: String| {
        if !holds {
            wrong.push(what);
        }
    };
    rule(body.len() <= 64 * 1024, "above 64 KiB".to_owned());
    let text =
        |map: &Map<String, Value>, key: &str| map.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    let empty = Map::new();
    let object = |map: &Map<String, Value>, key: &str| map.get(key).and_then(Value::as_object).cloned();
    let meta = object(&entity, "metadata").unwrap_or_default();
    let spec = object(&entity, "spec").unwrap_or_default();
    let kind = text(&entity, "kind");
    let api_version = text(&entity, "apiVersion");

    rule(prefixed(&api_version, letters_and_digits) && api_version.contains('/'), "apiVersion".to_owned());
    rule(letters_and_digits(&kind) && kind.starts_with(|c: char| c.is_ascii_alphabetic()), "kind".to_owned());
    let name = text(&meta, "name");
    rule(object_name(&name) && !name.contains(|c: char| c.is_ascii_uppercase()), format!("name {name:?}"));
    rule(dns_label(&text(&meta, "namespace")), "namespace".to_owned());

    let annotations = object(&meta, "annotations").unwrap_or_default();
    for (key, value) in &annotations {
        rule(prefixed(key, object_name), format!("annotation key {key:?}"));
        rule(value.as_str().is_some_and(|v| !v.is_empty() && v.len() <= 1024), format!("annotation {key:?}"));
    }
    for key in ["backstage.io/managed-by-location", "backstage.io/managed-by-origin-location"] {
        rule(location(&text(&annotations, key)), format!("{key} missing or no type:target"));
    }
    for key in ["backstage.io/source-location", "backstage.io/techdocs-ref"] {
        rule(
            annotations.get(key).is_none_or(|v| v.as_str().is_some_and(|v| v.starts_with("url:http"))),
            key.to_owned(),
        );
    }
    for (key, value) in object(&meta, "labels").as_ref().unwrap_or(&empty) {
        rule(prefixed(key, object_name), format!("label key {key:?}"));
        rule(value.as_str().is_some_and(|v| v.is_empty() || object_name(v)), format!("label {key:?}"));
    }
    let list = |map: &Map<String, Value>, key: &str| map.get(key).and_then(Value::as_array).cloned();
    let tags = list(&meta, "tags").unwrap_or_default();
    for value in &tags {
        rule(value.as_str().is_some_and(tag), format!("tag {value}"));
    }
    rule(
        tags.iter().map(Value::to_string).collect::<HashSet<_>>().len() == tags.len(),
        "a tag twice".to_owned(),
    );
    for link in list(&meta, "links").unwrap_or_default() {
        let url = link.get("url").and_then(Value::as_str).unwrap_or("");
        rule(url::Url::parse(url).is_ok_and(|url| url.scheme().starts_with("http")), format!("link {url:?}"));
        rule(
            link.get("title").and_then(Value::as_str).is_some_and(|t| !t.trim().is_empty()),
            "link title".to_owned(),
        );
    }
    rule(!text(&spec, "type").is_empty(), "spec.type".to_owned());
    rule(reference(&text(&spec, "owner")), format!("owner {:?}", text(&spec, "owner")));
    let depends_on = list(&spec, "dependsOn").unwrap_or_default();
    for target in &depends_on {
        let target = target.as_str().unwrap_or("");
        rule(target.contains(':') && reference(target), format!("dependsOn {target:?}"));
    }
    if kind == "Resource" {
        rule(api_version == "backstage.io/v1alpha1", "apiVersion of a Resource".to_owned());
        let volatile = ["state-version", "last-updated", "resource-count"];
        rule(
            !volatile.iter().any(|k| annotations.contains_key(&format!("terraform.io/{k}"))),
            "volatile".to_owned(),
        );
    }
    wrong
}

fn letters_and_digits(text: &str) -> bool {
    (1..=63).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_alphanumeric())
}

/// `sequences of [a-zA-Z0-9] separated by any of [-_.], at most 63 characters in total`.
pub(crate) fn object_name(text: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    (1..=63).contains(&text.len())
        && ends(text.chars().next())
        && ends(text.chars().last())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

/// `sequences of [a-z0-9] separated by [-], at most 63 characters in total`.
fn dns_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text
            .split('-')
            .all(|p| !p.is_empty() && p.chars().all(|c| c.is_ascii_digit() || c.is_ascii_lowercase()))
}

fn prefixed(text: &str, suffix: impl Fn(&str) -> bool) -> bool {
    match text.split('/').collect::<Vec<_>>().as_slice() {
        [name] => suffix(name),
        [prefix, name] => prefix.len() <= 253 && prefix.split('.').all(dns_label) && suffix(name),
        _ => false,
    }
}

/// `sequences of [a-z0-9+#:] separated by [-], at most 63 characters in total`.
pub(crate) fn tag(text: &str) -> bool {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+#:".contains(c);
    (1..=63).contains(&text.len()) && text.split('-').all(|part| !part.is_empty() && part.chars().all(fine))
}

fn location(text: &str) -> bool {
    text.split_once(':').is_some_and(|(kind, target)| letters_and_digits(kind) && !target.is_empty())
}

/// `[kind:][namespace/]name`.
pub(crate) fn reference(text: &str) -> bool {
    let (kind, rest) = text.split_once(':').map_or((None, text), |(kind, rest)| (Some(kind), rest));
    let (namespace, name) = rest.split_once('/').map_or((None, rest), |(ns, name)| (Some(ns), name));
    kind.is_none_or(letters_and_digits) && namespace.is_none_or(dns_label) && object_name(name)
}
