//! The one door to a tenant's rows: a transaction that has its tenant set and cannot be half-dropped.
//!
//! Must never hand out a connection without a tenant to code that reads tenant tables, nor run begin…commit in the
//! caller's task: a future that is dropped between the two would leave an open transaction, with its tenant, on a
//! connection that goes back to the pool (sqlx #4385, #4393).

use std::future::Future;
use std::pin::Pin;

use sqlx::PgConnection;
use terrasift_schemas::TenantId;

use crate::error::wrap;
use crate::{Store, StoreError, StoreErrorKind};

/// What runs inside a transaction.
pub(crate) type Work<'c, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'c>>;

/// An open transaction of one tenant.
pub(crate) struct TenantTx<'c> {
    /// The connection, inside the transaction.
    pub conn: &'c mut PgConnection,
    /// The tenant that is set: statements name it too, so that partitions are pruned.
    pub tenant: &'c str,
}

impl Store {
    /// Runs `work` in a transaction of `tenant` and commits; an error rolls back. Dropping the returned future does
    /// not stop the transaction: it runs to its end in its own task.
    pub(crate) async fn in_tenant<T, F>(&self, tenant: &TenantId, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(TenantTx<'c>) -> Work<'c, T> + Send + 'static,
    {
        let pool = self.pool().clone();
        let tenant = tenant.clone();
        detached(async move {
            let mut tx = pool.begin().await.map_err(wrap("begin a transaction"))?;
            sqlx::query("SELECT set_config('app.tenant', $1, true)")
                .bind(tenant.as_str())
                .execute(&mut *tx)
                .await
                .map_err(wrap("set the tenant"))?;
            let done = work(TenantTx { conn: &mut tx, tenant: tenant.as_str() }).await;
            match done {
                Ok(value) => tx.commit().await.map_err(wrap("commit a transaction")).map(|()| value),
                Err(error) => {
                    // The first error is what matters; a failed rollback closes the connection.
                    let _ = tx.rollback().await;
                    Err(error)
                }
            }
        })
        .await
    }

    /// Runs one statement that acts before a tenant is known, through the SECURITY DEFINER functions only.
    pub(crate) async fn without_tenant<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, T> + Send + 'static,
    {
        let pool = self.pool().clone();
        detached(async move {
            let mut conn = pool.acquire().await.map_err(wrap("get a connection"))?;
            work(&mut conn).await
        })
        .await
    }
}

async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(panicked_or_shut_down) => match panicked_or_shut_down.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(StoreError::new(StoreErrorKind::Unavailable, "the runtime is shutting down")),
        },
    }
}
