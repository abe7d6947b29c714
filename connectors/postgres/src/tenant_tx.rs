//! The one door to a tenant's rows: a transaction that has its tenant set and cannot be half-dropped.
//!
//! Must never hand out a connection without a tenant to code that reads tenant tables, nor run begin…commit in the
//! caller's task: a future that is dropped between the two would leave an open transaction, with its tenant, on a
//! connection that goes back to the pool (sqlx #4385, #4393).

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, PgConnection, PgPool, Postgres, Row as _, Transaction,
};
use terrasift_schemas::TenantId;
use tokio::time::{Instant, timeout, timeout_at};

use crate::error::wrap;
use crate::store::ACQUIRE_TIMEOUT;
use crate::{Store, StoreError, StoreErrorKind};

/// Longest transaction. Sessions bound each statement, but the server cannot tell a client that it cannot reach.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(60);

/// Whether nobody left a tenant or a transaction that began before this statement on a connection: sqlx #4385, #4393.
const IS_CLEAN: &str =
    "SELECT coalesce(current_setting('app.tenant', true), '') = '' AND now() = statement_timestamp()";

/// Class of errors that the next connection would have, too: what a statement names is not there, or not allowed.
const MISUSE: &str = "42";

/// What runs inside a transaction.
pub(crate) type Work<'c, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'c>>;

/// An open transaction of one tenant.
pub(crate) struct TenantTx<'c> {
    /// The connection, inside the transaction.
    pub conn: &'c mut PgConnection,
    /// The tenant that is set: statements name it too, so that partitions are pruned.
    pub tenant: &'c str,
}

/// What a transaction is for.
#[derive(Clone, Copy)]
enum Purpose {
    /// Ends with a commit.
    Write,
    /// Refuses to write. Nobody waits for its end: the rollback goes out with the message by which the pool looks at a
    /// connection that comes back.
    Read,
}

/// A connection of the pool. What is not sound is closed and not given back.
struct Held {
    conn: PoolConnection<Postgres>,
    sound: bool,
}

impl Held {
    async fn acquire(pool: &PgPool) -> Result<Self, StoreError> {
        let conn = pool.acquire().await.map_err(wrap("get a connection"))?;
        Ok(Self { conn, sound: false })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.sound {
            self.conn.close_on_drop();
        }
    }
}

fn no_answer() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the database does not answer in time")
}

impl Store {
    /// Runs `work` in a transaction of `tenant` and commits; an error rolls back. Dropping the returned future does
    /// not stop the transaction: it runs to its end in its own task.
    pub(crate) async fn in_tenant<T, F>(&self, tenant: &TenantId, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(TenantTx<'c>) -> Work<'c, T> + Send + 'static,
    {
        self.transaction(tenant, Purpose::Write, work).await
    }

    /// As [`Store::in_tenant`], for what only reads: two round trips instead of three, and the server refuses writes.
    pub(crate) async fn reading<T, F>(&self, tenant: &TenantId, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(TenantTx<'c>) -> Work<'c, T> + Send + 'static,
    {
        self.transaction(tenant, Purpose::Read, work).await
    }

    async fn transaction<T, F>(&self, tenant: &TenantId, purpose: Purpose, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(TenantTx<'c>) -> Work<'c, T> + Send + 'static,
    {
        let (pool, tenant) = (self.pool().clone(), tenant.clone());
        detached(async move {
            let (opening, deadline) = (opening(&tenant, purpose), Instant::now() + ACQUIRE_TIMEOUT);
            loop {
                let mut held = Held::acquire(&pool).await?;
                let begun = held.conn.begin_with(AssertSqlSafe(opening.clone()));
                let tx = match timeout_at(deadline, begun).await {
                    Ok(Ok(tx)) => tx,
                    Ok(Err(error)) => {
                        next_may_do(error)?;
                        continue;
                    }
                    Err(_) => return Err(no_answer()),
                };
                let done = timeout(ANSWER_WAIT_MAX, run(tx, tenant.as_str(), purpose, work)).await;
                held.sound = done.is_ok();
                return done.unwrap_or_else(|_| Err(no_answer()));
            }
        })
        .await
    }

    /// Runs one statement that only reads, by a function that sets its tenant itself (`feed_page`) or acts before one is known
    /// (`find_api_key`). Nobody looks at the connection first: in a transaction that was left behind, it would see the same. On a
    /// connection that is lost it is tried again.
    pub(crate) async fn looking<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut PgConnection) -> Work<'c, T> + Send + 'static,
    {
        let pool = self.pool().clone();
        detached(async move {
            let mut lost = 0;
            loop {
                let mut held = Held::acquire(&pool).await?;
                let Ok(done) = timeout(ANSWER_WAIT_MAX, work(&mut held.conn)).await else {
                    return Err(no_answer());
                };
                held.sound = done.is_ok();
                match done {
                    Err(error) if error.lost_the_connection() && lost <= pool.size() => lost += 1,
                    done => return done,
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
        bounded(self.pool(), ANSWER_WAIT_MAX, work).await
    }
}

/// Begins and sets the tenant, in one message; `enter_tenant` refuses what is not clean. A message of several statements takes no
/// parameters, and ids hold no quotes.
fn opening(tenant: &TenantId, purpose: Purpose) -> String {
    let begin = match purpose {
        Purpose::Write => "BEGIN",
        Purpose::Read => "BEGIN READ ONLY",
    };
    format!("{begin}; SELECT enter_tenant('{tenant}')")
}

async fn run<T, F>(
    mut tx: Transaction<'_, Postgres>,
    tenant: &str,
    purpose: Purpose,
    work: F,
) -> Result<T, StoreError>
where
    F: for<'c> FnOnce(TenantTx<'c>) -> Work<'c, T>,
{
    let value = work(TenantTx { conn: &mut tx, tenant }).await?;
    if let Purpose::Write = purpose {
        tx.commit().await.map_err(wrap("commit a transaction"))?;
    }
    Ok(value)
}

/// Whether another connection may do what this one would not: it is broken, or was left behind by somebody who was cancelled. What the
/// server does not have or allow, it has on none.
fn next_may_do(error: sqlx::Error) -> Result<(), StoreError> {
    if error.as_database_error().and_then(|e| e.code()).is_some_and(|code| code.starts_with(MISUSE)) {
        return Err(wrap("begin a transaction: is the schema migrated?")(error));
    }
    Ok(())
}

/// Runs `work` on a connection, for at most `wait`. One that does not answer by then is thrown away: what it was doing is
/// unknown, and a network that swallows packets would hold the next caller, too.
async fn bounded<T, F>(pool: &PgPool, wait: Duration, work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, T> + Send + 'static,
{
    let pool = pool.clone();
    detached(async move {
        let deadline = Instant::now() + ACQUIRE_TIMEOUT;
        loop {
            let mut held = Held::acquire(&pool).await?;
            match timeout_at(deadline, is_clean(&mut held.conn)).await {
                Ok(Ok(true)) => {}
                Ok(_) => continue,
                Err(_) => return Err(no_answer()),
            }
            let done = timeout(wait, work(&mut held.conn)).await;
            held.sound = done.is_ok();
            return done.unwrap_or_else(|_| Err(no_answer()));
        }
    })
    .await
}

async fn is_clean(conn: &mut PgConnection) -> Result<bool, sqlx::Error> {
    conn.fetch_one(sqlx::raw_sql(IS_CLEAN)).await?.try_get(0)
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

    fn write(tx: TenantTx<'_>) -> Work<'_, ()> {
        Box::pin(async move {
            let claim = sqlx::query("INSERT INTO reconciliations (tenant_id) VALUES ($1)").bind(tx.tenant);
            claim.execute(tx.conn).await.map(drop).map_err(wrap("write"))
        })
    }

    fn hang(conn: &mut PgConnection) -> Work<'_, ()> {
        Box::pin(async move {
            let sleep = sqlx::query("SELECT pg_sleep(20)");
            sleep.execute(conn).await.map(drop).map_err(wrap("sleep"))
        })
    }

    /// What sqlx #4385 and #4393 leave behind is made by hand here: an open transaction that the driver does not know
    /// of, and a tenant that outlives its transaction.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_spoiled_connection_is_closed_instead_of_used() {
        let cluster = PrivatePostgres::start(None).await.unwrap();
        crate::migrate(&cluster.owner_url()).await.unwrap();
        let store = Store::connect(&cluster.app_url(), 1).await.unwrap();
        let tenant = TenantId::parse("org-acme").unwrap();
        let cases = [
            ("nothing", "SELECT 1", true),
            ("an open transaction", "BEGIN", false),
            ("a tenant", "SELECT set_config('app.tenant', 'acme', false)", false),
            ("a tenant that went with its transaction", "BEGIN; SET LOCAL app.tenant = 'acme'; COMMIT", true),
            ("a transaction with a savepoint", "BEGIN; SAVEPOINT s", false),
        ];
        for opened_as in ["alone", "a reader", "a writer"] {
            for (name, left_behind, reused) in cases {
                let mut conn = store.pool().acquire().await.unwrap();
                let before = who(&mut conn).await.unwrap();
                conn.execute(sqlx::raw_sql(left_behind)).await.unwrap();
                drop(conn);
                let after = match opened_as {
                    "alone" => bounded(store.pool(), ANSWER_WAIT_MAX, who).await,
                    "a reader" => store.reading(&tenant, |tx| who(tx.conn)).await,
                    _ => store.in_tenant(&tenant, |tx| who(tx.conn)).await,
                };
                assert_eq!(before == after.unwrap(), reused, "{opened_as} after {name}");
            }
        }
        store.close().await;
        cluster.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_only_looks_takes_another_connection_than_a_spoiled_or_lost_one() {
        let cluster = PrivatePostgres::start(None).await.unwrap();
        crate::migrate(&cluster.owner_url()).await.unwrap();
        let store = Store::connect(&cluster.app_url(), 1).await.unwrap();
        let tenant = TenantId::parse("org-acme").unwrap();
        let before = bounded(store.pool(), ANSWER_WAIT_MAX, who).await.unwrap();
        let mut conn = store.pool().acquire().await.unwrap();
        conn.execute("SELECT set_config('app.tenant', 'acme', false)").await.unwrap();
        drop(conn);
        let workspace = terrasift_schemas::WorkspaceId::parse("ws-a").unwrap();
        assert!(store.known_digests(&tenant, &workspace).await.unwrap().is_empty());
        let after = bounded(store.pool(), ANSWER_WAIT_MAX, who).await.unwrap();
        assert_ne!(before, after, "closed instead of used");
        let mut superuser = PgConnection::connect(&cluster.superuser_url()).await.unwrap();
        sqlx::query("SELECT pg_terminate_backend($1)").bind(after).execute(&mut superuser).await.unwrap();
        assert!(store.known_digests(&tenant, &workspace).await.unwrap().is_empty(), "on another one");
        store.close().await;
        cluster.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_reads_cannot_write_and_leaves_no_transaction_behind() {
        let cluster = PrivatePostgres::start(None).await.unwrap();
        crate::migrate(&cluster.owner_url()).await.unwrap();
        let store = Store::connect(&cluster.app_url(), 1).await.unwrap();
        let tenant = TenantId::parse("org-acme").unwrap();
        let refused = store.reading(&tenant, write).await.unwrap_err();
        assert!(refused.to_string().contains("25006"), "{refused}");
        let before = store.reading(&tenant, |tx| who(tx.conn)).await.unwrap();
        assert_eq!(
            bounded(store.pool(), ANSWER_WAIT_MAX, who).await.unwrap(),
            before,
            "rolled back and clean"
        );
        store.close().await;
        cluster.stop().await;
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
