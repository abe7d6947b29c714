//! Dead letters.
use terrasift_schemas::TenantId;
use crate::{DeadLetter, DeadLetterId, Epoch, Mark, NewDeadLetter, Store, StoreError, UnroutedRecord};
impl Store {
    /// Parks; the same transaction clears the mark. A stale epoch is `Fenced`.
    pub async fn park(&self, letter: &NewDeadLetter, clear: Option<(&Mark, Epoch)>) -> Result<DeadLetterId, StoreError> { let _ = (letter, clear); todo!() }
    /// Records without a tenant; idempotent on position.
    pub async fn park_unrouted(&self, records: &[UnroutedRecord]) -> Result<(), StoreError> { let _ = records; todo!() }
    /// Open letters by id.
    pub async fn dead_letters(&self, tenant: &TenantId, limit: u32, after: Option<DeadLetterId>) -> Result<Vec<DeadLetter>, StoreError> { let _ = (tenant, limit, after); todo!() }
    /// One open letter.
    pub async fn dead_letter(&self, tenant: &TenantId, id: DeadLetterId) -> Result<Option<DeadLetter>, StoreError> { let _ = (tenant, id); todo!() }
    /// Discards; false when there is no open letter of this id.
    pub async fn discard_dead_letter(&self, tenant: &TenantId, id: DeadLetterId) -> Result<bool, StoreError> { let _ = (tenant, id); todo!() }
}
