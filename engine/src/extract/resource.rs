//! The Resource entity of one managed instance.
//!
//! Must never carry a fact that changes with every apply (serial, state version, times): each apply would re-emit it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use terrasift_schemas::catalog::{BACKSTAGE_API_VERSION, Entity, RESOURCE_KIND};

use super::Sweep;
use super::home::{Home, TAGS_MAX, annotate, owner_of, shortened, swept};
use super::naming;
use super::places::{endpoint_host, link};
use super::render::RESOURCE_TYPE_ANNOTATION;
use super::summary::{Slot, Summary};

/// Longest `spec.type`, bytes.
const SPEC_TYPE_BYTES_MAX: usize = 63;

/// The annotation that a slot becomes; endpoint and page are derived.
const SLOT_ANNOTATIONS: [(Slot, &str); 7] = [
    (Slot::Id, "terraform.io/resource-id"),
    (Slot::Arn, "terraform.io/resource-arn"),
    (Slot::Name, "terraform.io/resource-name"),
    (Slot::Namespace, "terraform.io/resource-namespace"),
    (Slot::Region, "terraform.io/region"),
    (Slot::Engine, "terraform.io/engine"),
    (Slot::Version, "terraform.io/engine-version"),
];

/// One instance, named, with its relations resolved.
pub(super) struct Instance<'a> {
    /// Entity name.
    pub name: String,
    /// Swept address, `module.m.type.name[key]`.
    pub address: String,
    /// Swept resource type.
    pub rtype: &'a str,
    /// `spec.type` by the table.
    pub spec_type: &'a str,
    /// Not yet swept.
    pub summary: &'a Summary,
    /// References of what it depends on, sorted.
    pub depends_on: Vec<String>,
}

/// Builds the entity.
pub(super) fn entity(home: &Home, instance: Instance<'_>, sweep: Sweep<'_>) -> Entity {
    let tags: Vec<(String, String)> =
        instance.summary.tags.iter().map(|(key, value)| (swept(key, sweep), swept(value, sweep))).collect();
    let pairs = tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));

    let mut metadata = home.metadata(instance.name, &instance.address);
    metadata.description =
        Some(shortened(&format!("{} in workspace {}", instance.rtype, home.facts.name), 256));
    annotate(&mut metadata, RESOURCE_TYPE_ANNOTATION, Some(instance.rtype));
    annotate(&mut metadata, "terraform.io/resource-address", Some(&instance.address));
    for (slot, key) in SLOT_ANNOTATIONS {
        let value = instance.summary.attribute(slot).map(|text| swept(text, sweep));
        annotate(&mut metadata, key, value.as_deref());
    }
    let endpoint = instance.summary.attribute(Slot::Endpoint).map(|text| swept(text, sweep));
    annotate(
        &mut metadata,
        "terraform.io/endpoint-host",
        endpoint.as_deref().and_then(endpoint_host).as_deref(),
    );
    let page = instance.summary.attribute(Slot::Page).map(|text| swept(text, sweep));
    metadata.links.extend(page.as_deref().and_then(|page| link(page, "Web page")));

    let provider = instance.rtype.split('_').next().and_then(naming::label);
    let environment = pairs
        .clone()
        .find(|(key, _)| ["env", "environment", "stage"].iter().any(|name| key.eq_ignore_ascii_case(name)));
    let environment = environment.and_then(|(_, value)| naming::label(value));
    for (key, value) in [("terrasift.io/provider", provider), ("terrasift.io/environment", environment)] {
        metadata.labels.extend(value.map(|value| (key.to_owned(), value)));
    }
    let backstage_tags: BTreeSet<String> =
        pairs.clone().filter_map(|(key, value)| naming::tag(key, value)).collect();
    metadata.tags = backstage_tags.into_iter().take(TAGS_MAX).collect();

    // The workspace first: Backstage's built-in processor knows `dependsOn` for Resource, and nothing nearer to
    // "managed by" (`system` would show the workspace as a System).
    let depends_on: Vec<String> = std::iter::once(home.workspace_ref()).chain(instance.depends_on).collect();
    let mut spec: BTreeMap<String, Value> = BTreeMap::new();
    spec.insert("type".to_owned(), json!(shortened(instance.spec_type, SPEC_TYPE_BYTES_MAX)));
    spec.insert(
        "owner".to_owned(),
        json!(owner_of(pairs, &home.profile).unwrap_or_else(|| home.owner.clone())),
    );
    spec.insert("dependsOn".to_owned(), json!(depends_on));
    if let Some(system) = home.profile.system.as_deref().and_then(naming::owner) {
        spec.insert("system".to_owned(), json!(system));
    }
    Entity { api_version: BACKSTAGE_API_VERSION.to_owned(), kind: RESOURCE_KIND.to_owned(), metadata, spec }
}
