//! The TerraformWorkspace entity: the only one that carries facts that change with every apply.
//!
//! Must never carry a variable's value: key and whether it is sensitive, nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use terrasift_schemas::catalog::{API_VERSION, Entity, WORKSPACE_KIND};

use super::home::{Home, TAGS_MAX, annotate, printable, shortened, swept};
use super::naming::{self, has_marker};
use super::places::link;
use super::{StateHead, Sweep};

/// Most variables listed.
const VARIABLES_MAX: usize = 128;
/// Longest variable key, bytes.
const VARIABLE_KEY_BYTES_MAX: usize = 96;
/// Most resource types in the histogram; the rest is one sum.
const TYPES_MAX: usize = 100;
/// Most providers listed.
const PROVIDERS_MAX: usize = 32;
/// Longest resource type or provider, bytes.
const TYPE_BYTES_MAX: usize = 96;
/// Longest description, bytes.
const DESCRIPTION_BYTES_MAX: usize = 1024;
/// Longest other text, bytes.
const TEXT_BYTES_MAX: usize = 256;

/// What was counted while the state streamed by. Type and provider names are not yet swept.
#[derive(Default)]
pub(super) struct Census {
    /// Managed instances, deposed objects left out.
    pub managed: u64,
    /// Instances of data sources.
    pub data: u64,
    /// Deposed objects.
    pub deposed: u64,
    /// Managed instances by resource type.
    pub types: BTreeMap<Box<str>, u64>,
    /// Source addresses of providers.
    pub providers: BTreeSet<Box<str>>,
}

impl Census {
    /// Most types and providers held while counting; a real state has a few hundred.
    pub const HELD_MAX: usize = 4_096;

    /// Counts instances of a type; above the bound they stand in the sum only.
    pub fn count_type(&mut self, rtype: &str, instances: u64) {
        if let Some(n) = self.types.get_mut(rtype) {
            *n += instances;
        } else if self.types.len() < Self::HELD_MAX && rtype.len() <= TYPE_BYTES_MAX && printable(rtype) {
            self.types.insert(rtype.into(), instances);
        }
    }

    /// Notes the source address in a provider address (`provider["host/hashicorp/aws"].alias`, `provider.aws`).
    pub fn add_provider(&mut self, address: &str) {
        let source = match address.split_once("[\"") {
            Some((_, rest)) => rest.split('"').next(),
            None => address.rsplit("provider.").next().and_then(|rest| rest.split('.').next()),
        };
        let source =
            source.filter(|s| !s.is_empty() && s.len() <= TYPE_BYTES_MAX && !has_marker(s) && printable(s));
        if let Some(source) = source.filter(|s| !self.providers.contains(*s))
            && self.providers.len() < Self::HELD_MAX
        {
            self.providers.insert(source.into());
        }
    }

    /// The most frequent types, with `other` for the rest.
    fn histogram(&self, sweep: Sweep<'_>) -> Value {
        let mut rows: Vec<(&str, u64)> = self.types.iter().map(|(rtype, n)| (rtype.as_ref(), *n)).collect();
        rows.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let mut shown: BTreeMap<String, u64> = BTreeMap::new();
        for (rtype, n) in rows.iter().take(TYPES_MAX) {
            *shown.entry(swept(rtype, sweep)).or_default() += n;
        }
        let other = self.managed.saturating_sub(shown.values().sum());
        if other > 0 {
            *shown.entry("other".to_owned()).or_default() += other;
        }
        json!(shown)
    }

    fn providers(&self, sweep: Sweep<'_>) -> Vec<String> {
        self.providers.iter().take(PROVIDERS_MAX).map(|name| swept(name, sweep)).collect()
    }
}

/// Builds the entity.
pub(super) fn entity(home: &Home, head: StateHead<'_>, census: &Census, sweep: Sweep<'_>) -> Entity {
    let facts = &home.facts;
    let mut metadata = home.metadata(home.entity_name.clone(), &facts.name);
    metadata.description =
        facts.description.as_deref().filter(|d| !d.is_empty()).map(|d| shortened(d, DESCRIPTION_BYTES_MAX));
    let state_version = head.state_version.map(|text| swept(text, sweep));
    let state_terraform = head.terraform_version.map(|text| swept(text, sweep));
    let updated = head.created_at.map(|text| swept(text, sweep)).or_else(|| facts.updated_at.clone());
    let count = census.managed.to_string();
    // TechDocs builds a site a `techdocs-ref`: on the workspace only, not on each of its resources.
    annotate(&mut metadata, "backstage.io/techdocs-ref", home.places.source.as_deref());
    annotate(&mut metadata, "terraform.io/state-version", state_version.as_deref());
    annotate(&mut metadata, "terraform.io/last-updated", updated.as_deref());
    annotate(&mut metadata, "terraform.io/resource-count", Some(&count));
    let tags = facts.tags.iter().filter_map(|tag| naming::tag(&tag.replace('=', ":"), ""));
    metadata.tags = tags.collect::<BTreeSet<_>>().into_iter().take(TAGS_MAX).collect();
    let links = [(&home.places.page, "Terraform Cloud"), (&home.places.repository, "Repository")];
    metadata.links = links.into_iter().filter_map(|(url, title)| link(url.as_deref()?, title)).collect();

    let mut spec: BTreeMap<String, Value> = BTreeMap::new();
    let mut set = |key: &str, value: Value| spec.insert(key.to_owned(), value);
    set("type", json!("terraform-workspace"));
    set("owner", json!(home.owner));
    set("locked", json!(facts.locked));
    set("autoApply", json!(facts.auto_apply));
    set("stateSerial", json!(head.serial));
    set("resourceCount", json!(census.managed));
    set("dataSourceCount", json!(census.data));
    set("deposedCount", json!(census.deposed));
    set("resourceTypes", census.histogram(sweep));
    set("providers", json!(census.providers(sweep)));
    set("variables", variables(home));
    let texts = [
        ("lifecycle", home.profile.lifecycle.as_deref()),
        ("project", facts.project.as_deref()),
        ("terraformVersion", facts.terraform_version.as_deref().or(state_terraform.as_deref())),
        ("stateTerraformVersion", state_terraform.as_deref()),
        ("stateVersion", state_version.as_deref()),
    ];
    for (key, text) in texts {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            set(key, json!(shortened(text, TEXT_BYTES_MAX)));
        }
    }
    if let Some(system) = home.profile.system.as_deref().and_then(naming::owner) {
        set("system", json!(system));
    }
    if let Some(vcs) = vcs(home) {
        set("vcs", vcs);
    }
    Entity { api_version: API_VERSION.to_owned(), kind: WORKSPACE_KIND.to_owned(), metadata, spec }
}

fn variables(home: &Home) -> Value {
    let mut rows: Vec<&(String, bool)> = home
        .facts
        .variables
        .iter()
        .filter(|(key, _)| key.len() <= VARIABLE_KEY_BYTES_MAX && printable(key))
        .collect();
    rows.sort_unstable();
    rows.dedup();
    let row = |(key, sensitive): &(String, bool)| json!({ "key": key, "sensitive": sensitive });
    rows.into_iter().take(VARIABLES_MAX).map(row).collect()
}

fn vcs(home: &Home) -> Option<Value> {
    let facts = &home.facts;
    let mut vcs: BTreeMap<&str, String> = BTreeMap::new();
    let texts = [
        ("repository", &facts.vcs_repository),
        ("branch", &facts.vcs_branch),
        ("workingDirectory", &facts.working_directory),
    ];
    for (key, text) in texts {
        if let Some(text) = text.as_deref().filter(|text| !text.is_empty() && !has_marker(text)) {
            vcs.insert(key, shortened(text, TEXT_BYTES_MAX));
        }
    }
    if let Some(url) = &home.places.repository {
        vcs.insert("url", url.clone());
    }
    (!vcs.is_empty()).then(|| json!(vcs))
}
