//! What is kept of one instance: index key, a few attributes, tags, dependencies.
//!
//! One pass with serde_json: what is not kept is skipped without a tree, so memory does not grow with the instance.
//! Must never keep a whole attribute tree, nor decide what an attribute means for the catalog.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use crate::refusal::{Refusal, RefusalKind};

/// Longest copied attribute, bytes; a longer one is dropped.
pub(super) const ATTRIBUTE_BYTES_MAX: usize = 1024;
/// Most tags kept of an instance (AWS allows 50).
const TAGS_MAX: usize = 64;
/// Longest tag key or value, bytes (AWS: 128 and 256 characters).
const TAG_BYTES_MAX: usize = 256;
/// Most dependencies read of an instance.
const DEPENDENCIES_MAX: usize = 1024;
/// Longest dependency address, bytes.
const DEPENDENCY_BYTES_MAX: usize = 1024;

/// An attribute that the catalog copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slot {
    Id,
    Arn,
    Name,
    Namespace,
    Region,
    Engine,
    Version,
    Endpoint,
    Page,
}

/// The slot that an attribute fills; of several the smallest rank wins.
fn slot(attribute: &str) -> Option<(Slot, u8)> {
    Some(match attribute {
        "id" => (Slot::Id, 0),
        "arn" => (Slot::Arn, 0),
        "name" => (Slot::Name, 0),
        "bucket" | "identifier" | "cluster_identifier" | "function_name" | "cluster_id" => (Slot::Name, 1),
        "display_name" | "domain_name" => (Slot::Name, 2),
        "namespace" => (Slot::Namespace, 0),
        "region" => (Slot::Region, 0),
        "location" => (Slot::Region, 1),
        "zone" | "availability_zone" => (Slot::Region, 2),
        "engine" => (Slot::Engine, 0),
        "runtime" | "kind" => (Slot::Engine, 1),
        "engine_version" => (Slot::Version, 0),
        "database_version" | "kubernetes_version" => (Slot::Version, 1),
        "version" => (Slot::Version, 2),
        "endpoint" => (Slot::Endpoint, 0),
        "primary_endpoint_address" | "configuration_endpoint_address" | "cluster_address" => {
            (Slot::Endpoint, 1)
        }
        "fqdn" | "dns_name" | "hostname" | "default_hostname" | "host" => (Slot::Endpoint, 2),
        "address" | "bucket_domain_name" => (Slot::Endpoint, 3),
        "html_url" | "web_url" => (Slot::Page, 0),
        _ => return None,
    })
}

/// An instance key, decoded: the last sweep would miss a secret behind JSON escapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum IndexKey {
    /// Of `count`, as it stands.
    Number(Box<str>),
    /// Of `for_each`, decoded.
    Text(Box<str>),
}

impl IndexKey {
    fn parse(raw: &str) -> Option<Self> {
        let text = scalar(raw, ATTRIBUTE_BYTES_MAX)?.into();
        Some(if raw.starts_with('"') { Self::Text(text) } else { Self::Number(text) })
    }

    /// The key's text, without quotes.
    pub fn text(&self) -> &str {
        match self {
            Self::Number(text) | Self::Text(text) => text,
        }
    }

    /// The key with another text, as Terraform spells it in addresses.
    pub fn spelled(&self, text: &str) -> String {
        match self {
            Self::Number(_) => text.to_owned(),
            Self::Text(_) => format!("\"{}\"", text.replace('\\', r"\\").replace('"', r#"\""#)),
        }
    }
}

/// What is kept of an instance. Redacted text, not yet swept.
#[derive(Default)]
pub(super) struct Summary {
    /// Instance key.
    pub index: Option<IndexKey>,
    /// Attributes by slot, with the rank of the one that fills it.
    attributes: BTreeMap<Slot, (u8, Box<str>)>,
    /// Tags and labels of the resource; an empty value for a bare tag.
    pub tags: BTreeMap<Box<str>, Box<str>>,
    /// Addresses of the resources that it depends on, without instance keys.
    pub dependencies: Vec<Box<str>>,
}

impl Summary {
    /// Reads one instance object.
    ///
    /// # Errors
    /// `NotJson` when the bytes are no JSON object: the core hands over complete instances only.
    pub fn parse(sanitized: &[u8]) -> Result<Self, Refusal> {
        let mut summary = Self::default();
        let mut deserializer = serde_json::Deserializer::from_slice(sanitized);
        let read = InstanceVisitor(&mut summary).deserialize(&mut deserializer);
        if read.and_then(|()| deserializer.end()).is_err() {
            return Err(Refusal {
                kind: RefusalKind::NotJson,
                offset: 0,
                detail: "an instance is no json object; restore the state from an older state version",
            });
        }
        Ok(summary)
    }

    /// The attribute of a slot.
    pub fn attribute(&self, slot: Slot) -> Option<&str> {
        self.attributes.get(&slot).map(|(_, text)| text.as_ref())
    }

    /// Bytes on the heap, estimated: texts, and 64 for each map entry.
    pub fn memory_bytes(&self) -> usize {
        let texts = self.attributes.values().map(|(_, text)| text.len()).sum::<usize>()
            + self.tags.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>()
            + self.index.as_ref().map_or(0, |index| index.text().len());
        texts + 64 * (self.attributes.len() + self.tags.len())
    }

    fn set(&mut self, slot: Slot, rank: u8, raw: &str) {
        if self.attributes.get(&slot).is_some_and(|(held, _)| *held <= rank) {
            return;
        }
        if let Some(text) = scalar(raw, ATTRIBUTE_BYTES_MAX).filter(|text| !text.is_empty()) {
            self.attributes.insert(slot, (rank, text.into()));
        }
    }

    fn add_tags(&mut self, raw: &str) {
        let mut add = |key: String, value: String| {
            if self.tags.len() < TAGS_MAX && !key.is_empty() {
                self.tags.entry(key.into()).or_insert_with(|| value.into());
            }
        };
        if raw.starts_with('{') {
            each_member(raw, |key, value| {
                if let (true, Some(value)) = (key.len() <= TAG_BYTES_MAX, scalar(value, TAG_BYTES_MAX)) {
                    add(key.to_owned(), value);
                }
            });
        } else {
            each_element(raw, |element| {
                if let Some(text) = scalar(element, TAG_BYTES_MAX) {
                    add(text, String::new());
                }
            });
        }
    }

    /// Kubernetes and Helm: `metadata` is a list of one object with name, namespace, labels.
    fn add_metadata(&mut self, raw: &str) {
        each_element(raw, |element| {
            each_member(element, |key, value| match key {
                "name" => self.set(Slot::Name, 3, value),
                "namespace" => self.set(Slot::Namespace, 1, value),
                "labels" => self.add_tags(value),
                _ => {}
            });
        });
    }

    fn add_dependencies(&mut self, raw: &str) {
        each_element(raw, |element| {
            if self.dependencies.len() < DEPENDENCIES_MAX
                && let Some(address) = scalar(element, DEPENDENCY_BYTES_MAX)
            {
                self.dependencies.push(config_address(&address).into());
            }
        });
    }
}

/// An address without instance keys (`module.a["x"].b.c[0]` → `module.a.b.c`): how Terraform spells dependencies.
pub(super) fn config_address(address: &str) -> String {
    let mut out = String::with_capacity(address.len());
    let (mut in_key, mut quoted, mut escaped) = (false, false, false);
    for c in address.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if in_key => quoted = !quoted,
            '[' if !in_key => in_key = true,
            ']' if in_key && !quoted => in_key = false,
            _ if !in_key => out.push(c),
            _ => {}
        }
    }
    out
}

/// The text of a string, number or boolean of at most `max` bytes; numbers keep their spelling.
fn scalar(raw: &str, max: usize) -> Option<String> {
    match raw.as_bytes().first()? {
        // Six bytes is the longest escape of one byte, so a longer token cannot fit.
        b'"' if raw.len() <= 6 * max + 2 => {
            serde_json::from_str::<String>(raw).ok().filter(|t| t.len() <= max)
        }
        b'-' | b'0'..=b'9' | b't' | b'f' if raw.len() <= max => Some(raw.to_owned()),
        _ => None,
    }
}

fn each_member(raw: &str, f: impl FnMut(&str, &str)) {
    // What is not an object has no members; the document as a whole was checked by who called.
    let _: Result<(), _> = serde_json::Deserializer::from_str(raw).deserialize_any(MemberVisitor(f));
}

fn each_element(raw: &str, f: impl FnMut(&str)) {
    let _: Result<(), _> = serde_json::Deserializer::from_str(raw).deserialize_any(ElementVisitor(f));
}

/// An object key, borrowed unless it holds escapes.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(key)))
            }
            fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct InstanceVisitor<'a>(&'a mut Summary);

impl<'de> DeserializeSeed<'de> for InstanceVisitor<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for InstanceVisitor<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an instance")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            match key.as_ref() {
                "attributes" | "attributes_flat" => map.next_value_seed(AttributesVisitor(self.0))?,
                "index_key" => {
                    self.0.index = IndexKey::parse(map.next_value::<&RawValue>()?.get());
                }
                "dependencies" => self.0.add_dependencies(map.next_value::<&RawValue>()?.get()),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

struct AttributesVisitor<'a>(&'a mut Summary);

impl<'de> DeserializeSeed<'de> for AttributesVisitor<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AttributesVisitor<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("attributes")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    /// A core that redacts all attributes at once leaves its marker.
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            match key.as_ref() {
                "tags" | "tags_all" | "labels" | "user_labels" | "effective_labels" | "resource_labels" => {
                    self.0.add_tags(map.next_value::<&RawValue>()?.get());
                }
                "metadata" => self.0.add_metadata(map.next_value::<&RawValue>()?.get()),
                key => match slot(key) {
                    Some((slot, rank)) => self.0.set(slot, rank, map.next_value::<&RawValue>()?.get()),
                    None => {
                        map.next_value::<IgnoredAny>()?;
                    }
                },
            }
        }
        Ok(())
    }
}

struct MemberVisitor<F>(F);

impl<'de, F: FnMut(&str, &str)> Visitor<'de> for MemberVisitor<F> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            (self.0)(&key, map.next_value::<&RawValue>()?.get());
        }
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(A::Error::custom("no object"))
    }
}

struct ElementVisitor<F>(F);

impl<'de, F: FnMut(&str)> Visitor<'de> for ElementVisitor<F> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        while let Some(element) = seq.next_element::<&RawValue>()? {
            (self.0)(element.get());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, slot: Slot, expected: Option<&str>) {
        let summary = Summary::parse(json.as_bytes()).unwrap_or_else(|refusal| panic!("{json}: {refusal}"));
        assert_eq!(summary.attribute(slot), expected, "{json} {slot:?}");
    }

    #[test]
    fn attributes_fill_slots_by_rank_whatever_their_order_and_shape() {
        let long = format!(r#"{{"attributes":{{"id":"{}"}}}}"#, "x".repeat(1025));
        let deep =
            format!(r#"{{"attributes":{{"x":{}1{},"id":"a"}}}}"#, "[".repeat(9_000), "]".repeat(9_000));
        let cases = [
            (r#"{"attributes":{"id":"i-1"}}"#, Slot::Id, Some("i-1")),
            (r#"{"attributes":{"id":17}}"#, Slot::Id, Some("17")),
            (r#"{"attributes":{"id":1e999}}"#, Slot::Id, Some("1e999")),
            (r#"{"attributes":{"id":null}}"#, Slot::Id, None),
            (r#"{"attributes":{"id":""}}"#, Slot::Id, None),
            (r#"{"attributes":{"id":{"a":1}}}"#, Slot::Id, None),
            (r#"{"attributes":{"\u0069d":"i\u002d1"}}"#, Slot::Id, Some("i-1")),
            (r#"{"attributes":{"location":"eu","region":"eu-west-1"}}"#, Slot::Region, Some("eu-west-1")),
            (r#"{"attributes":{"region":"eu-west-1","location":"eu"}}"#, Slot::Region, Some("eu-west-1")),
            (r#"{"attributes":{"bucket":"b"}}"#, Slot::Name, Some("b")),
            (r#"{"attributes":{"metadata":[{"name":"web","namespace":"ns"}]}}"#, Slot::Name, Some("web")),
            (r#"{"attributes":{"metadata":[{"name":"web","namespace":"ns"}]}}"#, Slot::Namespace, Some("ns")),
            (r#"{"attributes":{"metadata":"x"}}"#, Slot::Name, None),
            (r#"{"attributes":null,"attributes_flat":{"id":"old"}}"#, Slot::Id, Some("old")),
            (r#"{"attributes":"[REDACTED:credential]"}"#, Slot::Id, None),
            (r#"{}"#, Slot::Id, None),
            (&long, Slot::Id, None),
            (&deep, Slot::Id, Some("a")),
        ];
        for (json, slot, expected) in cases {
            check(json, slot, expected);
        }
    }

    #[test]
    fn index_tags_and_dependencies_are_kept_and_bounded() {
        let json = r#"{"index_key":"a\"b","attributes":{"tags":{"Owner":"net","n":3,"deep":{},"none":null},
            "tags_all":{"Owner":"other","env":"prod"},"labels":["bare"]},
            "dependencies":["aws_vpc.main","module.m[\"x.]y\"].aws_subnet.s[0]"]}"#;
        let summary = Summary::parse(json.as_bytes()).expect("an instance");
        assert_eq!(
            summary.index.as_ref().map(|index| index.spelled("a\"b\\")).as_deref(),
            Some(r#""a\"b\\""#)
        );
        assert_eq!(summary.index, Some(IndexKey::Text("a\"b".into())));
        let tags: Vec<(&str, &str)> = summary.tags.iter().map(|(k, v)| (k.as_ref(), v.as_ref())).collect();
        assert_eq!(tags, [("Owner", "net"), ("bare", ""), ("env", "prod"), ("n", "3")]);
        let dependencies: Vec<&str> = summary.dependencies.iter().map(AsRef::as_ref).collect();
        assert_eq!(dependencies, ["aws_vpc.main", "module.m.aws_subnet.s"]);

        let many: Vec<String> = (0..5_000).map(|n| format!(r#""k{n}":"v""#)).collect();
        let json = format!(r#"{{"attributes":{{"tags":{{{}}}}}}}"#, many.join(","));
        assert_eq!(Summary::parse(json.as_bytes()).map(|s| s.tags.len()).ok(), Some(TAGS_MAX));
    }

    #[test]
    fn what_is_no_object_is_refused_without_its_text() {
        for json in
            ["", "[]", "null", r#"{"attributes":{"id":"hunter2"#, r#"{"attributes":{}} x"#, r#""hunter2""#]
        {
            let refusal =
                Summary::parse(json.as_bytes()).err().unwrap_or_else(|| panic!("{json} is refused"));
            assert_eq!(refusal.kind, RefusalKind::NotJson);
            assert!(!refusal.to_string().contains("hunter2"));
        }
    }
}
