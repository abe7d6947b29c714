//! Sanitized instances in, catalog entities out: names, references, relations, annotations.
//!
//! Must never see a raw value: its texts are redacted already, and its identities are keyed fingerprints.

use std::collections::HashMap;
use std::mem::size_of;
use std::sync::Arc;

use terrasift_schemas::catalog::RenderedEntity;
use terrasift_schemas::workspace::WorkspaceFacts;
use terrasift_schemas::{TenantSlug, WorkspaceId};

use crate::identity::{Identity, IdentityKey};
use crate::refusal::{Refusal, RefusalKind};

mod home;
mod naming;
mod places;
mod publish;
mod render;
mod resource;
mod summary;
mod types;
mod workspace;

#[cfg(test)]
mod tests;

use summary::{Summary, config_address};
use workspace::Census;

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

/// Most bytes kept while a state streams by, and most bytes of entities that leave: the design's bound for what is
/// swept once more before the commit.
pub const MEMORY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// An instance that may become an entity.
struct Kept {
    /// Within its resource.
    identity: Identity,
    summary: Summary,
    /// Indexes into [`Extractor::addresses`].
    dependencies: Vec<u32>,
}

impl Kept {
    fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.summary.memory_bytes() + self.dependencies.len() * size_of::<u32>()
    }
}

/// A listed resource with its instances. Redacted text, not yet swept.
struct Block {
    module: Box<str>,
    rtype: Box<str>,
    name: Box<str>,
    identity: Identity,
    instances: Vec<Kept>,
}

/// Collects what becomes entities while a state streams by.
pub struct Extractor {
    types: Arc<TypeTable>,
    profile: CatalogProfile,
    slug: TenantSlug,
    workspace: WorkspaceId,
    /// The workspace's key, derived from the tenant's.
    key: IdentityKey,
    /// Whether the current resource said early that it is not wanted.
    unwanted: bool,
    /// Instances of the current resource, deposed ones left out.
    current: u64,
    /// Deposed objects of the current resource.
    deposed: u64,
    pending: Vec<Kept>,
    blocks: Vec<Block>,
    /// Dependency addresses without instance keys → index: states repeat them with each instance.
    addresses: HashMap<Box<str>, u32>,
    census: Census,
    memory_bytes: usize,
}

impl Extractor {
    /// An extractor for one sift of one workspace's state. `identity` is the tenant's key.
    #[must_use]
    pub fn new(
        types: Arc<TypeTable>,
        profile: CatalogProfile,
        slug: &TenantSlug,
        workspace: &WorkspaceId,
        identity: &IdentityKey,
    ) -> Self {
        Self {
            types,
            profile,
            slug: slug.clone(),
            workspace: workspace.clone(),
            key: identity.for_workspace(workspace),
            unwanted: false,
            current: 0,
            deposed: 0,
            pending: Vec::new(),
            blocks: Vec::new(),
            addresses: HashMap::new(),
            census: Census::default(),
            memory_bytes: 0,
        }
    }

    /// Optional hint, before a resource's first instance, when its mode and type stand before its instances.
    /// Returns whether the instances are wanted: if not, their bytes and identities need not be made
    /// ([`Self::count_instance`] is enough).
    pub fn resource_begin(&mut self, mode: &str, rtype: &str) -> bool {
        self.unwanted = mode != "managed" || self.types.get(rtype).is_none();
        !self.unwanted
    }

    /// Counts an instance whose bytes are not wanted. Deposed objects count apart.
    pub fn count_instance(&mut self, deposed: bool) {
        if deposed {
            self.deposed += 1;
        } else {
            self.current += 1;
        }
    }

    /// One instance object of the current resource: redacted JSON bytes and its keyed identity.
    ///
    /// # Errors
    /// `TooLarge` when what is kept passes [`MEMORY_BYTES_MAX`], `NotJson` when the bytes are no object.
    pub fn instance(&mut self, sanitized: &[u8], identity: Identity, deposed: bool) -> Result<(), Refusal> {
        self.count_instance(deposed);
        if deposed || self.unwanted {
            return Ok(());
        }
        let mut summary = Summary::parse(sanitized)?;
        let mut dependencies = Vec::new();
        for address in std::mem::take(&mut summary.dependencies) {
            dependencies.extend(self.intern(address));
        }
        let kept = Kept { identity, summary, dependencies };
        self.memory_bytes += kept.memory_bytes();
        self.pending.push(kept);
        self.bounded()
    }

    /// The current resource ends; `identity` is [`IdentityKey::resource`] of its raw address.
    ///
    /// # Errors
    /// `TooLarge` when what is kept passes [`MEMORY_BYTES_MAX`].
    pub fn resource_end(&mut self, header: ResourceHeader<'_>, identity: Identity) -> Result<(), Refusal> {
        let (current, deposed) = (std::mem::take(&mut self.current), std::mem::take(&mut self.deposed));
        let instances = std::mem::take(&mut self.pending);
        self.unwanted = false;
        if header.mode == "managed" {
            self.census.managed += current;
            self.census.deposed += deposed;
            if current > 0 {
                self.census.count_type(header.rtype, current);
            }
        } else {
            self.census.data += current + deposed;
        }
        self.census.add_provider(header.provider);
        if header.mode != "managed" || self.types.get(header.rtype).is_none() {
            self.memory_bytes -= instances.iter().map(Kept::memory_bytes).sum::<usize>();
            return Ok(());
        }
        if instances.is_empty() {
            return Ok(());
        }
        let module = header.module.unwrap_or_default();
        self.memory_bytes += size_of::<Block>() + module.len() + header.rtype.len() + header.name.len();
        self.blocks.push(Block {
            module: module.into(),
            rtype: header.rtype.into(),
            name: header.name.into(),
            identity,
            instances,
        });
        self.bounded()
    }

    /// Bytes that are kept now, estimated.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// Managed resource instances so far, deposed objects left out, on the allow-list or not.
    #[must_use]
    pub fn resource_count(&self) -> u64 {
        self.census.managed
    }

    /// Sweeps every kept text, then renders the TerraformWorkspace and its Resources, sorted by reference.
    ///
    /// # Errors
    /// `TooLarge` when the entities pass [`MEMORY_BYTES_MAX`], `DuplicateMember` when an instance stands twice in the
    /// state (Terraform refuses such a state too).
    pub fn finish(
        self,
        facts: &WorkspaceFacts,
        head: StateHead<'_>,
        sweep: Sweep<'_>,
    ) -> Result<Vec<RenderedEntity>, Refusal> {
        publish::publish(self, facts, head, sweep)
    }

    /// Index of a dependency's address; `None` when its type is not listed, so that it can never resolve.
    fn intern(&mut self, address: Box<str>) -> Option<u32> {
        if let Some(index) = self.addresses.get(&address) {
            return Some(*index);
        }
        let mut parts = address.rsplit('.').skip(1);
        self.types.get(parts.next()?)?;
        if parts.next() == Some("data") {
            return None;
        }
        let index = u32::try_from(self.addresses.len()).ok()?;
        self.memory_bytes += address.len() + size_of::<(Box<str>, u32)>() * 2;
        self.addresses.insert(address, index);
        Some(index)
    }

    fn bounded(&self) -> Result<(), Refusal> {
        if self.memory_bytes <= MEMORY_BYTES_MAX {
            return Ok(());
        }
        Err(Refusal {
            kind: RefusalKind::TooLarge,
            offset: 0,
            detail: "listed resources need more than 64 MiB; take resource types off the list or split the workspace",
        })
    }
}

impl Block {
    /// Address as Terraform spells it among dependencies.
    fn config_address(&self) -> String {
        let dot = if self.module.is_empty() { "" } else { "." };
        format!("{}{dot}{}.{}", config_address(&self.module), self.rtype, self.name)
    }
}
