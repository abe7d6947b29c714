//! Hop 8.
use std::time::Duration;
use terrasift_schemas::{EntityRef, TenantId};
use crate::{ChangeRow, EntityRow, FeedHead, Store, StoreError};
impl Store {
    /// The end of the feed. An undeclared tenant is `Invalid`.
    pub async fn feed_head(&self, tenant: &TenantId) -> Result<FeedHead, StoreError> { let _ = tenant; todo!() }
    /// Changes after a position, in order.
    pub async fn changes(&self, tenant: &TenantId, after_seq: i64, limit: u32, kind: Option<&str>) -> Result<Vec<ChangeRow>, StoreError> { let _ = (tenant, after_seq, limit, kind); todo!() }
    /// One live entity.
    pub async fn entity(&self, tenant: &TenantId, entity_ref: &EntityRef) -> Result<Option<EntityRow>, StoreError> { let _ = (tenant, entity_ref); todo!() }
    /// Waits until the feed is past `after_seq` or the timeout is over; the head's position then.
    pub async fn wait_for_change(&self, tenant: &TenantId, after_seq: i64, timeout: Duration) -> Result<i64, StoreError> { let _ = (tenant, after_seq, timeout); todo!() }
}
