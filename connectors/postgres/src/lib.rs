//! Postgres: the durable ledger, the catalog and its feed, under forced row-level security.
//!
//! Owns all SQL of Terrasift. Must never touch a tenant's rows outside the transaction type's one door (the auditor, who sees ids of all, reads past
//! it), print what Postgres
//! says about values, or hold a raw value of a state.

mod audit;
mod cached;
mod commit;
mod dead_letters;
mod deliveries;
mod effects;
mod erasure;
mod error;
mod feed;
mod guard;
mod keys;
mod leaks;
mod ledger;
mod lookups;
mod model;
mod outbox;
mod private;
mod reconciliations;
mod removal;
mod rule_sets;
mod store;
mod stored;
mod sync;
mod tenant_export;
mod tenant_states;
mod tenant_tx;
mod token_users;
mod trail;
mod upstream_requests;

pub use cached::CatalogVersion;
pub use deliveries::DeliveryStanding;
pub use erasure::Erasure;
pub use error::{StoreError, StoreErrorKind};
pub use keys::{ApiKeyEntry, ApiKeyId, ApiKeyRow, KeyIssued, KeyRotated, KeyUse, NewApiKey};
pub use leaks::{Auditor, Leak};
pub use lookups::{
    EntityFilter, Kept, OwnTrailRow, ResourceTypeCount, RunRow, TenantStatus, TimePosition, UsageDay,
};
pub use model::*;
pub use private::PrivatePostgres;
pub use reconciliations::{Round, RoundClaim, RoundPosition};
pub use store::{Store, migrate};
pub use tenant_export::{ExportHead, ExportPage, TenantExport};
pub use tenant_states::{StatesChanged, TenantEntry, TenantState, set_suspended};
pub use trail::{
    Chain, Checkpoint, CheckpointKey, CheckpointSigner, TrailBreak, TrailEntry, TrailFilter, TrailOutcome,
    TrailRecord, TrailVerdict, record_alone, retire_trail,
};
pub use upstream_requests::UpstreamUse;
