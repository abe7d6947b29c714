//! The store: a pool of the application role.
use terrasift_schemas::TenantId;
use crate::{StoreError, TenantRow};

/// Brings the schema up to date, as the owner.
pub async fn migrate(owner_url: &str) -> Result<(), StoreError> { let _ = owner_url; todo!() }

/// The store, as the application role. Cheap to clone.
#[derive(Clone)]
pub struct Store {}

impl Store {
    /// Connects as the application role.
    pub async fn connect(app_url: &str, max_connections: u32) -> Result<Self, StoreError> { let _ = (app_url, max_connections); todo!() }
    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> { todo!() }
    /// Declares tenants: idempotent, slugs may change (also swap).
    pub async fn declare_tenants(&self, tenants: &[TenantRow]) -> Result<(), StoreError> { let _ = tenants; todo!() }
    /// Closes the pool.
    pub async fn close(&self) { let _: Option<TenantId> = None; todo!() }
}
