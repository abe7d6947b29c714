//! What all entities of one workspace share: namespace, names, places, owner, common annotations.
//!
//! Must never hold a text that the last sweep has not seen, nor a fact that changes with every apply.

use std::collections::BTreeMap;

use terrasift_schemas::catalog::{Metadata, WORKSPACE_KIND};
use terrasift_schemas::workspace::WorkspaceFacts;

use super::naming::{self, has_marker};
use super::places::Places;
use super::{CatalogProfile, Sweep};
use crate::identity::Identity;

/// Longest title, bytes; a longer one is cut.
const TITLE_BYTES_MAX: usize = 256;
/// Longest annotation value, bytes; a longer one is dropped.
const ANNOTATION_BYTES_MAX: usize = 1024;
/// Most tags of an entity.
pub(super) const TAGS_MAX: usize = 32;

/// See the module.
pub(super) struct Home {
    pub facts: WorkspaceFacts,
    pub profile: CatalogProfile,
    pub slug: String,
    pub workspace_id: String,
    /// Name of the TerraformWorkspace entity.
    pub entity_name: String,
    pub owner: String,
    pub places: Places,
}

impl Home {
    /// From the core's redacted facts; sweeps each text first.
    pub fn new(
        facts: &WorkspaceFacts,
        profile: CatalogProfile,
        slug: &str,
        workspace_id: &str,
        identity: Identity,
        sweep: Sweep<'_>,
    ) -> Self {
        let facts = swept_facts(facts, sweep);
        let places = Places::of(&facts, profile.base_url.as_deref(), slug, workspace_id);
        let tags = facts.tags.iter().filter_map(|tag| tag.split_once([':', '=']));
        let owner = owner_of(tags, &profile)
            .or_else(|| naming::owner(&profile.default_owner))
            .unwrap_or_else(|| "unknown".to_owned());
        Self {
            entity_name: naming::workspace_name(slug, &facts.name, identity),
            facts,
            profile,
            slug: slug.to_owned(),
            workspace_id: workspace_id.to_owned(),
            owner,
            places,
        }
    }

    /// Reference of the TerraformWorkspace entity.
    pub fn workspace_ref(&self) -> String {
        format!("{}:{}/{}", WORKSPACE_KIND.to_ascii_lowercase(), self.slug, self.entity_name)
    }

    /// Metadata with the annotations that every entity of the workspace carries.
    pub fn metadata(&self, name: String, title: &str) -> Metadata {
        let mut metadata = Metadata {
            name,
            namespace: self.slug.clone(),
            title: Some(shortened(title, TITLE_BYTES_MAX)).filter(|title| !title.is_empty()),
            description: None,
            annotations: BTreeMap::new(),
            labels: BTreeMap::new(),
            tags: Vec::new(),
            links: Vec::new(),
        };
        let places = &self.places;
        let organization = Some(self.facts.organization.as_str());
        let pairs = [
            ("backstage.io/managed-by-location", Some(places.managed_by.as_str())),
            ("backstage.io/managed-by-origin-location", Some(places.managed_by.as_str())),
            ("backstage.io/source-location", places.source.as_deref()),
            ("github.com/project-slug", places.github_slug.as_deref()),
            ("terraform.io/organization", organization),
            ("terraform.io/workspace-id", Some(self.workspace_id.as_str())),
            ("terraform/organization", organization),
            ("terraform/workspaces", Some(self.facts.name.as_str())),
        ];
        for (key, value) in pairs {
            annotate(&mut metadata, key, value);
        }
        metadata
    }
}

/// Adds an annotation, unless its value is empty, redacted, above 1 KiB or holds control characters.
pub(super) fn annotate(metadata: &mut Metadata, key: &str, value: Option<&str>) {
    if let Some(value) =
        value.filter(|v| !v.is_empty() && v.len() <= ANNOTATION_BYTES_MAX && !has_marker(v) && printable(v))
    {
        metadata.annotations.insert(key.to_owned(), value.to_owned());
    }
}

/// The owner that tags name, by the profile's keys in their order.
pub(super) fn owner_of<'t>(
    tags: impl Iterator<Item = (&'t str, &'t str)> + Clone,
    profile: &CatalogProfile,
) -> Option<String> {
    profile.owner_tag_keys.iter().find_map(|key| {
        let mut named = tags.clone().filter(|(tag, _)| tag.eq_ignore_ascii_case(key));
        named.find_map(|(_, value)| naming::owner(value))
    })
}

/// The text after the last sweep.
pub(super) fn swept(text: &str, sweep: Sweep<'_>) -> String {
    sweep(text).unwrap_or_else(|| text.to_owned())
}

/// Whether no control character stands in the text: JSON spends six bytes on each.
pub(super) fn printable(text: &str) -> bool {
    !text.contains(char::is_control)
}

/// At most `max` bytes, cut on a character boundary, control characters as spaces.
pub(super) fn shortened(text: &str, max: usize) -> String {
    let text = text.replace(char::is_control, " ");
    if text.len() <= max {
        return text;
    }
    let ellipsis = '…';
    let end = (0..=max - ellipsis.len_utf8()).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}{ellipsis}", text.get(..end).unwrap_or_default())
}

fn swept_facts(facts: &WorkspaceFacts, sweep: Sweep<'_>) -> WorkspaceFacts {
    let mut text = |text: &str| swept(text, sweep);
    let name = text(&facts.name);
    let organization = text(&facts.organization);
    let mut maybe = |value: &Option<String>| value.as_deref().map(&mut text);
    WorkspaceFacts {
        name,
        organization,
        description: maybe(&facts.description),
        terraform_version: maybe(&facts.terraform_version),
        locked: facts.locked,
        auto_apply: facts.auto_apply,
        vcs_repository: maybe(&facts.vcs_repository),
        vcs_branch: maybe(&facts.vcs_branch),
        vcs_url: maybe(&facts.vcs_url),
        working_directory: maybe(&facts.working_directory),
        project: maybe(&facts.project),
        updated_at: maybe(&facts.updated_at),
        html_url: maybe(&facts.html_url),
        tags: facts.tags.iter().map(|tag| text(tag)).collect(),
        variables: facts.variables.iter().map(|(key, sensitive)| (text(key), *sensitive)).collect(),
    }
}
