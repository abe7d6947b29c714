//! Hops 4 to 6.
use terrasift_schemas::event::FailureReason;
use terrasift_schemas::{EntityRef, TenantId, WorkspaceId};
use crate::{AuditRow, ReadTicket, Store, StoreError, WorkspaceStatus};
impl Store {
    /// Draws a ticket.
    pub async fn begin_read(&self, tenant: &TenantId, workspace: &WorkspaceId) -> Result<ReadTicket, StoreError> { let _ = (tenant, workspace); todo!() }
    /// Live entities, sorted by reference.
    pub async fn known_digests(&self, tenant: &TenantId, workspace: &WorkspaceId) -> Result<Vec<(EntityRef, [u8; 32])>, StoreError> { let _ = (tenant, workspace); todo!() }
    /// Marks a workspace stale: the catalog keeps its last good entities.
    pub async fn mark_stale(&self, tenant: &TenantId, workspace: &WorkspaceId, reason: FailureReason) -> Result<(), StoreError> { let _ = (tenant, workspace, reason); todo!() }
    /// All workspaces, by id.
    pub async fn workspaces(&self, tenant: &TenantId) -> Result<Vec<WorkspaceStatus>, StoreError> { let _ = tenant; todo!() }
    /// Newest audit records of a workspace first, at most 100.
    pub async fn audit(&self, tenant: &TenantId, workspace: &WorkspaceId) -> Result<Vec<AuditRow>, StoreError> { let _ = (tenant, workspace); todo!() }
}
