//! What may be kept in a cache, and how new what is shown is.
//!
//! Must never let a transaction change what is shown of a workspace without moving the number that says so.

use terrasift_schemas::{FromCatalog, TenantId};

use crate::error::wrap;
use crate::tenant_tx::TenantTx;
use crate::{EntityRow, ResourceTypeCount, Store, StoreError, WorkspaceStatus, commit};

impl FromCatalog for EntityRow {}
impl FromCatalog for ResourceTypeCount {}
impl FromCatalog for WorkspaceStatus {}

/// How new what is shown of a tenant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CatalogVersion {
    /// Generation of the numbers: of another one, nothing can be compared.
    pub epoch: i64,
    /// Moves with each change of an entity.
    pub entities: i64,
    /// Moves with each change of what is shown of a workspace.
    pub workspaces: i64,
}

pub(crate) type VersionColumns = (Option<i64>, Option<i64>, Option<i64>);

pub(crate) fn version(columns: VersionColumns) -> Option<CatalogVersion> {
    let (Some(epoch), Some(entities), Some(workspaces)) = columns else { return None };
    Some(CatalogVersion { epoch, entities, workspaces })
}

/// Says that a workspace is shown otherwise, and no entity. The last that its transaction locks.
pub(crate) async fn show_otherwise(tx: &mut TenantTx<'_>) -> Result<(), StoreError> {
    commit::advance_head(tx, 0).await.map(drop)
}

impl Store {
    /// How new what is shown of a tenant is; `None` where it is not declared. What is read after it was asked for is as new at least.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn catalog_version(&self, tenant: &TenantId) -> Result<Option<CatalogVersion>, StoreError> {
        let tenant = tenant.clone();
        self.looking(move |conn| {
            let tenant = tenant.clone();
            Box::pin(async move {
                let row: Option<VersionColumns> =
                    sqlx::query_as("SELECT feed_epoch, seq, workspaces_seq FROM catalog_version($1)")
                        .bind(tenant.as_str())
                        .fetch_optional(conn)
                        .await
                        .map_err(wrap("read how new the catalog is"))?;
                Ok(row.and_then(version))
            })
        })
        .await
    }
}
