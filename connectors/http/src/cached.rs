//! What the API reads through the cache: an entity by its reference, the types of resources, the status of workspaces.
//!
//! How new an answer must be is read in the same request: with the key's look-up, or asked for. Must never keep what keys open, nor
//! anything that these numbers do not cover: dead letters, runs, audit, the feed.

use std::sync::Arc;

use terrasift_postgres::{CatalogVersion, EntityRow, ResourceTypeCount, StoreError, WorkspaceStatus};
use terrasift_redis::{CacheStore, Fresh, ReadThrough, Thing, Ttl, Ttls};
use terrasift_schemas::{EntityRef, FromCatalog, WorkspaceId};

use crate::feed::Reader;
use crate::problem::Problem;
use crate::telemetry::Telemetry;

/// Where what was read lately is kept. No Debug: it holds a key.
#[derive(Clone)]
pub struct Cache {
    /// Redis, or memory.
    pub store: Arc<dyn CacheStore>,
    /// Binds entries to their tenants; the same on all replicas that share the store.
    pub key: [u8; 32],
    /// How long entries are kept, at most.
    pub ttls: Ttls,
}

/// Reads of the catalog, through the cache where there is one.
pub(crate) type Reads = ReadThrough<StoreError>;

pub(crate) fn reads(cache: &Cache, telemetry: &Telemetry) -> Reads {
    let counter = telemetry.cache_reads.clone();
    ReadThrough::new(Arc::clone(&cache.store), cache.key, cache.ttls, move |kind, outcome| {
        counter.with_label_values(&[kind, outcome.as_str()]).inc();
    })
}

/// One read: its label, which one, how long it is kept, and which number says how new it is.
struct What {
    kind: &'static str,
    name: String,
    ttl: Ttl,
    seq: fn(CatalogVersion) -> i64,
}

impl What {
    fn of_entities(kind: &'static str, name: &str) -> Self {
        Self { kind, name: name.to_owned(), ttl: Ttl::Entity, seq: |version| version.entities }
    }

    fn of_workspaces(kind: &'static str, name: &str) -> Self {
        Self { kind, name: name.to_owned(), ttl: Ttl::Workspace, seq: |version| version.workspaces }
    }
}

impl Reader<'_> {
    /// A live entity.
    pub(crate) async fn entity(&self, entity_ref: &EntityRef) -> Result<Option<Arc<EntityRow>>, Problem> {
        let (store, tenant, wanted) =
            (self.gate.doors.store.clone(), self.tenant.clone(), entity_ref.clone());
        let load = async move { store.entity(&tenant, &wanted).await };
        self.through(What::of_entities("entity", entity_ref.as_str()), load).await
    }

    /// How many live resources of each type there are.
    pub(crate) async fn resource_types(&self) -> Result<Arc<Vec<ResourceTypeCount>>, Problem> {
        let (store, tenant) = (self.gate.doors.store.clone(), self.tenant.clone());
        let load = async move { store.resource_types(&tenant).await.map(Some) };
        Ok(self.through(What::of_entities("resource_types", ""), load).await?.unwrap_or_default())
    }

    /// How one workspace stands.
    pub(crate) async fn workspace(&self, id: &WorkspaceId) -> Result<Option<Arc<WorkspaceStatus>>, Problem> {
        let (store, tenant, wanted) = (self.gate.doors.store.clone(), self.tenant.clone(), id.clone());
        let load = async move { store.workspace(&tenant, &wanted).await };
        self.through(What::of_workspaces("workspace", id.as_str()), load).await
    }

    /// How all workspaces stand.
    pub(crate) async fn workspaces(&self) -> Result<Arc<Vec<WorkspaceStatus>>, Problem> {
        let (store, tenant) = (self.gate.doors.store.clone(), self.tenant.clone());
        let load = async move { store.workspaces(&tenant).await.map(Some) };
        Ok(self.through(What::of_workspaces("workspaces", ""), load).await?.unwrap_or_default())
    }

    async fn through<T: FromCatalog>(
        &self,
        what: What,
        load: impl Future<Output = Result<Option<T>, StoreError>> + Send + 'static,
    ) -> Result<Option<Arc<T>>, Problem> {
        let kind = what.kind;
        let load = self.gate.telemetry.timed_apart(kind, load);
        let reads = self.gate.reads.as_ref();
        let version = match reads {
            None => None,
            Some(_) => self.version().await?,
        };
        let (Some(reads), Some(version)) = (reads, version) else {
            return Ok(load.await.map_err(self.failed(kind))?.map(Arc::new));
        };
        let fresh = Fresh { epoch: version.epoch, seq: (what.seq)(version) };
        let thing = Thing { tenant: self.tenant.clone(), kind, name: what.name, ttl: what.ttl };
        reads.read(thing, fresh, load).await.map_err(|error| self.failed_with(kind, &error))
    }

    /// How new the tenant's catalog was in this request.
    async fn version(&self) -> Result<Option<CatalogVersion>, Problem> {
        if self.version.is_some() {
            return Ok(self.version);
        }
        let question = self.gate.doors.store.catalog_version(&self.tenant);
        let found = self.gate.telemetry.timed("catalog_version", question).await;
        found.map_err(self.failed("catalog version"))
    }
}
