//! A private Postgres for the demo and the tests.
use std::path::PathBuf;
use crate::StoreError;
/// A private cluster; dropping it stops it.
pub struct PrivatePostgres {}
impl PrivatePostgres {
    /// Starts a cluster in a data directory (made when missing) or a temporary one.
    pub async fn start(data_dir: Option<PathBuf>) -> Result<Self, StoreError> { let _ = data_dir; todo!() }
    /// URL of the owner of database `terrasift`: holds a password, never log it.
    #[must_use]
    pub fn owner_url(&self) -> String { todo!() }
    /// URL of the application role.
    #[must_use]
    pub fn app_url(&self) -> String { todo!() }
    /// URL of the superuser.
    #[must_use]
    pub fn superuser_url(&self) -> String { todo!() }
    /// Makes a database owned by the owner; returns (owner URL, app URL).
    pub async fn create_database(&self, name: &str) -> Result<(String, String), StoreError> { let _ = name; todo!() }
    /// Shuts down fast and clean.
    pub async fn stop(self) { todo!() }
}
