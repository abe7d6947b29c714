//! The one door to a tenant's rows: a transaction that has its tenant set and cannot be half-dropped.
//!
//! Must never hand out a connection without a tenant to code that reads tenant tables, nor run begin…commit in the
//! caller's task: a future that is dropped between the two would leave an open transaction, with its tenant, on a
//! connection that goes back to the pool (sqlx #4385, #4393).

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use sqlx::{Connection as _, PgConnection, PgPool};
use terrasift_schemas::TenantId;

use crate::error::wrap;
use crate::{Store, StoreError, StoreErrorKind};

/// Longest transaction. Sessions bound each statement, but the server cannot tell a client that it cannot reach.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(60);

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
        let tenant = tenant.clone();
        bounded(self.pool(), ANSWER_WAIT_MAX, move |conn| {
            Box::pin(async move {
                let mut tx = conn.begin().await.map_err(wrap("begin a transaction"))?;
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
        })
        .await
    }

    /// Runs one statement that acts before a tenant is known, through the SECURITY DEFINER functions only.
    pub(crate) async fn without_tenant<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, T> + Send + 'static,
    {
        bounded(self.pool(), ANSWER_WAIT_MAX, work).await
    }
}

/// Runs `work` on a connection, for at most `wait`. One that does not answer by then is thrown away and not given back: what
/// it was doing is unknown, and a network that swallows packets would hold the next caller, too.
async fn bounded<T, F>(pool: &PgPool, wait: Duration, work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, T> + Send + 'static,
{
    let pool = pool.clone();
    detached(async move {
        let mut conn = pool.acquire().await.map_err(wrap("get a connection"))?;
        match tokio::time::timeout(wait, work(&mut conn)).await {
            Ok(done) => done,
            Err(_) => {
                drop(conn.detach());
                Err(StoreError::new(StoreErrorKind::Unavailable, "the database does not answer in time"))
            }
        }
    })
    .await
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PrivatePostgres;

    fn who(conn: &mut PgConnection) -> Work<'_, i32> {
        Box::pin(async move {
            let pid = sqlx::query_scalar("SELECT pg_backend_pid()");
            pid.fetch_one(conn).await.map_err(wrap("ask who answers"))
        })
    }

    fn hang(conn: &mut PgConnection) -> Work<'_, ()> {
        Box::pin(async move {
            let sleep = sqlx::query("SELECT pg_sleep(20)");
            sleep.execute(conn).await.map(drop).map_err(wrap("sleep"))
        })
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_connection_that_does_not_answer_is_thrown_away() {
        let cluster = PrivatePostgres::start(None).await.unwrap();
        let store = Store::connect(&cluster.app_url(), 1).await.unwrap();
        let before = bounded(store.pool(), ANSWER_WAIT_MAX, who).await.unwrap();
        let error = bounded(store.pool(), Duration::from_millis(100), hang).await.unwrap_err();
        assert!(error.is_transient());
        assert_ne!(bounded(store.pool(), ANSWER_WAIT_MAX, who).await.unwrap(), before);
        store.close().await;
        cluster.stop().await;
    }
}
