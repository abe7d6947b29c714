//! What the actors share: connectors, budgets, pools and each tenant's means. Wired once, by the binary.
//!
//! Must never be global: whoever needs it is handed it.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use terrasift_engine::detect::HashKey;
use terrasift_engine::extract::CatalogProfile;
use terrasift_engine::sift::{Pipeline, TenantKeys};
use terrasift_kafka::{KafkaConfig, Producer};
use terrasift_postgres::Store;
use terrasift_redis::RequestBudget;
use terrasift_schemas::{OrganizationName, TenantId, TenantSlug};
use terrasift_terraform_cloud::Client;
use tokio::sync::Semaphore;

use crate::byte_budget::ByteBudget;
use crate::failpoints::Failpoints;
use crate::served::Served;
use crate::telemetry::Telemetry;
use crate::token_rotation::TokenRotation;

/// Bounds of the worker; each is configuration.
#[derive(Debug, Clone, Copy)]
pub struct WorkerLimits {
    /// Syncs of one tenant at once.
    pub tenant_syncs_max: usize,
    /// An idle workspace actor is stopped after this long.
    pub passivate_after: Duration,
    /// A running sync that makes no progress for so long is stuck: it is ended, as a crash is.
    pub stuck_after: Duration,
    /// Time between two full reconciliations of a tenant.
    pub reconcile_every: Duration,
    /// Postgres transactions of the writer at once.
    pub transactions_max: usize,
    /// Batches of records that wait for the ledger.
    pub intake_queue_batches: usize,
}

impl Default for WorkerLimits {
    fn default() -> Self {
        Self {
            tenant_syncs_max: 4,
            passivate_after: Duration::from_secs(30),
            stuck_after: Duration::from_secs(300),
            reconcile_every: Duration::from_secs(3600),
            transactions_max: 4,
            intake_queue_batches: 8,
        }
    }
}

/// Everything outside, and the budgets over it.
pub struct Services {
    /// Catalog, ledger, dead letters.
    pub store: Store,
    /// To the topics.
    pub producer: Producer,
    /// How the intake reaches the brokers.
    pub kafka: KafkaConfig,
    /// Requests to Terraform Cloud, alone or shared with all replicas.
    pub requests: Arc<dyn RequestBudget>,
    /// Memory in flight.
    pub bytes: ByteBudget,
    /// Engine work at once: as many as there are cores.
    pub cpus: Arc<Semaphore>,
    /// What the catalog is known to show.
    pub served: Served,
    /// Bounds.
    pub limits: WorkerLimits,
    /// Log lines, metrics and reports.
    pub telemetry: Telemetry,
    /// Where tests make things go wrong; in production none.
    pub failpoints: Failpoints,
}

/// The pipeline that new syncs take; a sync keeps the one it began with.
pub struct CurrentPipeline(RwLock<Arc<Pipeline>>);

impl CurrentPipeline {
    /// Begins with this one.
    #[must_use]
    pub fn new(pipeline: Arc<Pipeline>) -> Self {
        Self(RwLock::new(pipeline))
    }

    /// The one that holds now.
    #[must_use]
    pub fn now(&self) -> Arc<Pipeline> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From here on another one holds.
    pub fn replace(&self, pipeline: Arc<Pipeline>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = pipeline;
    }
}

/// Held while a tenant's account is read.
pub type AccountGate = tokio::sync::Mutex<Option<Instant>>;

/// A tenant's means. No Debug: it holds keys.
pub struct TenantMeans {
    /// Who.
    pub id: TenantId,
    /// Namespace of its entities.
    pub slug: TenantSlug,
    /// Organizations that the reconciler enumerates.
    pub organizations: Vec<OrganizationName>,
    /// Terraform Cloud as this tenant.
    pub client: Client,
    /// Its share of a user's budget among the tenants of that user, at least 1.
    pub weight: u32,
    /// Its account is asked for by one at a time, and after a failure not before this instant.
    pub account: AccountGate,
    /// When its tokens have to be replaced, in the order of the client's tokens.
    pub rotations: Vec<Option<TokenRotation>>,
    /// Rules and types, as they are now.
    pub pipeline: CurrentPipeline,
    /// How its entities look.
    pub profile: CatalogProfile,
    /// Never rotates.
    pub identity_key: [u8; 32],
    /// For the `hash` action.
    pub hash_key: [u8; 32],
    /// For the fingerprints of known secrets.
    pub taint_key: [u8; 16],
}

impl TenantMeans {
    /// The keys of one job.
    #[must_use]
    pub fn keys(&self) -> TenantKeys {
        TenantKeys {
            identity_key: self.identity_key,
            hash_key: HashKey::new(self.hash_key),
            taint_key: self.taint_key,
        }
    }
}
