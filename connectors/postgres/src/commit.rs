//! Hop 7.
use terrasift_schemas::TenantId;
use crate::{CommitOutcome, Store, StoreError, WorkspaceCommit};
impl Store {
    /// Commits workspaces of one tenant in one transaction; outcomes in the order of the input.
    pub async fn commit(&self, tenant: &TenantId, commits: Vec<WorkspaceCommit>) -> Result<Vec<CommitOutcome>, StoreError> { let _ = (tenant, commits); todo!() }
}
