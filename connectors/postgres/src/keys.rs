//! API keys and webhook deliveries.
use terrasift_schemas::TenantId;
use time::OffsetDateTime;
use crate::{ApiKeyRow, Store, StoreError};
impl Store {
    /// Finds a key by its HMAC-SHA-256 digest.
    pub async fn api_key(&self, digest: [u8; 32]) -> Result<Option<ApiKeyRow>, StoreError> { let _ = digest; todo!() }
    /// Adds a key.
    pub async fn insert_api_key(&self, tenant: &TenantId, digest: [u8; 32], name: &str, scopes: &[String], expires_at: Option<OffsetDateTime>) -> Result<(), StoreError> { let _ = (tenant, digest, name, scopes, expires_at); todo!() }
    /// Whether a delivery was recorded.
    pub async fn delivery_seen(&self, tenant: &TenantId, digest: [u8; 32]) -> Result<bool, StoreError> { let _ = (tenant, digest); todo!() }
    /// Records a delivery; false when it was there already.
    pub async fn record_delivery(&self, tenant: &TenantId, digest: [u8; 32]) -> Result<bool, StoreError> { let _ = (tenant, digest); todo!() }
}
