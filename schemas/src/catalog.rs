//! Backstage's entity model, as much of it as Terrasift emits
//! (<https://backstage.io/docs/features/software-catalog/descriptor-format>).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::EntityRef;

/// apiVersion of Terrasift's own kinds.
pub const API_VERSION: &str = "terrasift.io/v1alpha1";
/// apiVersion of Backstage's built-in kinds.
pub const BACKSTAGE_API_VERSION: &str = "backstage.io/v1alpha1";
/// Kind of the entity that stands for a workspace.
pub const WORKSPACE_KIND: &str = "TerraformWorkspace";
/// Kind of the entity that stands for an infrastructure resource.
pub const RESOURCE_KIND: &str = "Resource";

/// A Backstage entity. Fields serialize in a fixed order, so equal entities have equal bytes (and digests).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entity {
    /// `terrasift.io/v1alpha1` or `backstage.io/v1alpha1`.
    pub api_version: String,
    /// PascalCase kind.
    pub kind: String,
    /// Name, namespace, annotations.
    pub metadata: Metadata,
    /// Kind-specific part, with sorted keys.
    pub spec: BTreeMap<String, serde_json::Value>,
}

/// `metadata` of an entity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// At most 63 of `[A-Za-z0-9-_.]`, alphanumeric at both ends; Terrasift emits lower case only.
    pub name: String,
    /// Lower-case DNS label: the tenant's slug.
    pub namespace: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Annotations by Backstage's key format.
    pub annotations: BTreeMap<String, String>,
    /// Labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub labels: BTreeMap<String, String>,
    /// Tags: lower case, `[a-z0-9+#-:]`, at most 63.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub tags: Vec<String>,
    /// Links.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub links: Vec<Link>,
}

/// A link of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// Absolute URL.
    pub url: String,
    /// For people.
    pub title: String,
}

/// An entity as it leaves the engine: identity, bytes and digest together, so that nothing is serialized twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedEntity {
    /// Lower-case reference.
    pub entity_ref: EntityRef,
    /// Kind in its PascalCase spelling, a plain column of the store.
    pub kind: String,
    /// Terraform resource type, for kind Resource: a plain column of the store.
    pub resource_type: Option<String>,
    /// The entity as compact JSON.
    pub body: Vec<u8>,
    /// SHA-256 of `body`.
    pub digest: [u8; 32],
}
