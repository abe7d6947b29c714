//! Sanitized instances in, catalog entities out: names, references, relations, annotations.
//!
//! Must never see a raw value: its texts are redacted already, and its identities are keyed fingerprints.

use std::sync::Arc;

use terrasift_schemas::catalog::RenderedEntity;
use terrasift_schemas::workspace::WorkspaceFacts;
use terrasift_schemas::{TenantSlug, WorkspaceId};

use crate::identity::{Identity, IdentityKey};
use crate::refusal::Refusal;

mod render;
mod types;

pub use render::{ENTITY_BYTES_MAX, render};
pub use types::{TypeRule, TypeTable};

/// What a tenant's configuration says about its entities.
#[derive(Debug, Clone)]
pub struct CatalogProfile {
    /// Owner where neither tags nor the workspace name one: `[kind:][namespace/]name`.
    pub default_owner: String,
    /// Web address of Terraform Cloud, for links to workspace pages; no slash at the end.
    pub base_url: Option<String>,
    /// Tag keys that name an owner, in order of preference; compared without case.
    pub owner_tag_keys: Vec<String>,
    /// `spec.system` of all entities of the tenant.
    pub system: Option<String>,
    /// `spec.lifecycle` of all workspaces of the tenant.
    pub lifecycle: Option<String>,
}

impl Default for CatalogProfile {
    fn default() -> Self {
        Self {
            default_owner: "unknown".to_owned(),
            base_url: None,
            owner_tag_keys: ["owner", "team", "owned-by", "squad"].map(str::to_owned).to_vec(),
            system: None,
            lifecycle: None,
        }
    }
}

/// The members of a resource block beside its instances: sanitized text.
#[derive(Clone, Copy)]
pub struct ResourceHeader<'a> {
    /// Module address; `None` in the root module.
    pub module: Option<&'a str>,
    /// `managed` or `data`.
    pub mode: &'a str,
    /// Terraform resource type.
    pub rtype: &'a str,
    /// Name in the configuration.
    pub name: &'a str,
    /// Provider address as the state spells it.
    pub provider: &'a str,
}

/// What the head of the state says: sanitized text. All default: a workspace without any state.
#[derive(Clone, Copy, Default)]
pub struct StateHead<'a> {
    /// Serial of the state; 0 without a state.
    pub serial: u64,
    /// Terraform version that wrote the state.
    pub terraform_version: Option<&'a str>,
    /// `sv-…`, where known.
    pub state_version: Option<&'a str>,
    /// RFC 3339 time of the state version, where known.
    pub created_at: Option<&'a str>,
}

/// The last sweep: `Some(replacement)` when the text holds a secret that was learned after the text was kept.
pub type Sweep<'a> = &'a mut dyn FnMut(&str) -> Option<String>;

/// Collects what becomes entities while a state streams by.
pub struct Extractor {
    managed: u64,
}

impl Extractor {
    /// An extractor for one sift of one workspace's state. `identity` is the tenant's key.
    #[must_use]
    pub fn new(
        _types: Arc<TypeTable>,
        _profile: CatalogProfile,
        _slug: &TenantSlug,
        _workspace: &WorkspaceId,
        _identity: &IdentityKey,
    ) -> Self {
        Self { managed: 0 }
    }

    /// Optional hint, before a resource's first instance, when its mode and type stand before its instances.
    /// Returns whether the instances are wanted: if not, their bytes and identities need not be made
    /// ([`Self::count_instance`] is enough).
    pub fn resource_begin(&mut self, _mode: &str, _rtype: &str) -> bool {
        true
    }

    /// Counts an instance whose bytes are not wanted. Deposed objects count apart.
    pub fn count_instance(&mut self, _deposed: bool) {}

    /// One instance object of the current resource: redacted JSON bytes and its keyed identity.
    ///
    /// # Errors
    /// `TooLarge` when what is kept passes 64 MiB, `NotJson` when the bytes are no object.
    pub fn instance(
        &mut self,
        _sanitized: &[u8],
        _identity: Identity,
        _deposed: bool,
    ) -> Result<(), Refusal> {
        Ok(())
    }

    /// The current resource ends; `identity` is [`IdentityKey::resource`] of its raw address.
    ///
    /// # Errors
    /// `TooLarge` when what is kept passes 64 MiB.
    pub fn resource_end(&mut self, _header: ResourceHeader<'_>, _identity: Identity) -> Result<(), Refusal> {
        Ok(())
    }

    /// Bytes that are kept now, estimated.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        0
    }

    /// Managed resource instances so far, deposed objects left out, on the allow-list or not.
    #[must_use]
    pub fn resource_count(&self) -> u64 {
        self.managed
    }

    /// Sweeps every kept text, then renders the TerraformWorkspace and its Resources, sorted by reference.
    ///
    /// # Errors
    /// `TooLarge` when the entities pass 64 MiB, `DuplicateMember` when an instance stands twice in the state.
    pub fn finish(
        self,
        _facts: &WorkspaceFacts,
        _head: StateHead<'_>,
        _sweep: Sweep<'_>,
    ) -> Result<Vec<RenderedEntity>, Refusal> {
        Ok(Vec::new())
    }
}
