//! Hop 2.
use terrasift_schemas::{TenantId, WorkspaceId};
use time::OffsetDateTime;
use crate::{Epoch, Mark, Marked, NewMark, Store, StoreError};
impl Store {
    /// Takes a partition of `terraform-state-updated`: bumps its epoch.
    pub async fn claim_partition(&self, partition: i32) -> Result<Epoch, StoreError> { let _ = partition; todo!() }
    /// Stores events as marks; a stale epoch is `Fenced`.
    pub async fn mark_dirty(&self, partition: i32, epoch: Epoch, marks: &[NewMark]) -> Result<Marked, StoreError> { let _ = (partition, epoch, marks); todo!() }
    /// Marks of a partition, by tenant and workspace.
    pub async fn load_marks(&self, partition: i32, after: Option<(TenantId, WorkspaceId)>, limit: u32) -> Result<Vec<Mark>, StoreError> { let _ = (partition, after, limit); todo!() }
    /// Puts a mark off; false when a newer event came.
    pub async fn defer_mark(&self, mark: &Mark, epoch: Epoch, not_before: OffsetDateTime) -> Result<bool, StoreError> { let _ = (mark, epoch, not_before); todo!() }
    /// Clears a mark; false when a newer event came.
    pub async fn clear_mark(&self, mark: &Mark, epoch: Epoch) -> Result<bool, StoreError> { let _ = (mark, epoch); todo!() }
}
