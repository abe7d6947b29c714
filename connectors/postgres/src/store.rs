//! The store: the application role's pool, the schema's migrations, and who the tenants are.
//!
//! Must never serve with a role that row-level security does not bind.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};
use terrasift_schemas::TenantId;

use crate::error::wrap;
use crate::feed::FeedHints;
use crate::tenant_states::Suspended;
use crate::{StoreError, StoreErrorKind, TenantRow, stored};

/// Waiting longer than this for a connection means that the database cannot keep up.
pub(crate) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// A connection is not older: after a rotation none with the password from before is left.
const CONNECTION_AGE_MAX: Duration = Duration::from_secs(1_800);

/// Bounds of every session. A commit of one batch takes milliseconds; what takes seconds hangs.
const SESSION: [(&str, &str); 4] = [
    ("statement_timeout", "30s"),
    ("lock_timeout", "10s"),
    ("idle_in_transaction_session_timeout", "60s"),
    ("default_transaction_isolation", "read committed"),
];

/// The store, as the application role. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    pool: PgPool,
    hints: FeedHints,
    suspended: Suspended,
}

impl Store {
    /// Connects as the application role, with at most `max_connections` connections.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer, `Refused` when the role could go round row-level security.
    pub async fn connect(app_url: &str, max_connections: u32) -> Result<Self, StoreError> {
        let options = proven(app_url).await?;
        let pool = pool_options(max_connections).connect_lazy_with(options);
        Ok(Self {
            inner: Arc::new(Inner { pool, hints: FeedHints::default(), suspended: Suspended::default() }),
        })
    }

    /// Opens connections so from now on: the address or its password has changed. Tried first; those that are open live on for at
    /// most half an hour.
    ///
    /// # Errors
    /// As [`Store::connect`]; then the address from before stays.
    pub async fn take_address(&self, app_url: &str) -> Result<(), StoreError> {
        let options = proven(app_url).await?;
        self.pool().set_connect_options(options);
        Ok(())
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// `Unavailable` when it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.without_tenant(|conn| {
            Box::pin(async move { conn.ping().await.map_err(wrap("reach the database")) })
        })
        .await
    }

    /// What makes a commit durable here, as the server tells it, to be printed beside figures: name and value.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn durability(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.without_tenant(|conn| {
            Box::pin(async move {
                sqlx::query_as(
                    "SELECT name, setting FROM pg_settings
                     WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', 'wal_sync_method', 'server_version')
                     ORDER BY name",
                )
                .fetch_all(conn)
                .await
                .map_err(wrap("read the server's settings"))
            })
        })
        .await
    }

    /// Declares tenants: idempotent; slugs may change, also swap. Hands back those that it did not declare because they are erased, or
    /// being erased: who starts tenants must leave these out.
    ///
    /// # Errors
    /// `Invalid` when two tenants would have one slug.
    pub async fn declare_tenants(&self, tenants: &[TenantRow]) -> Result<Vec<TenantId>, StoreError> {
        let ids: Vec<String> = tenants.iter().map(|t| t.id.as_str().to_owned()).collect();
        let slugs: Vec<String> = tenants.iter().map(|t| t.slug.as_str().to_owned()).collect();
        self.without_tenant(move |conn| {
            Box::pin(async move {
                let erased: Vec<String> = sqlx::query_scalar("SELECT declare_tenants($1, $2)")
                    .bind(ids)
                    .bind(slugs)
                    .fetch_all(conn)
                    .await
                    .map_err(wrap("declare the tenants: each needs an id and a slug of its own"))?;
                erased.iter().map(|id| stored::id(TenantId::parse, id)).collect()
            })
        })
        .await
    }

    /// Closes the pool, and waits for what runs.
    pub async fn close(&self) {
        self.pool().close().await;
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.inner.pool
    }

    pub(crate) fn hints(&self) -> &FeedHints {
        &self.inner.hints
    }

    pub(crate) fn suspended(&self) -> &Suspended {
        &self.inner.suspended
    }
}

/// The options of an address, after a connection with them.
async fn proven(app_url: &str) -> Result<PgConnectOptions, StoreError> {
    let options = PgConnectOptions::from_str(app_url)
        .map_err(wrap("read the database address: expected postgres://user:password@host:port/database"))?
        .application_name("terrasift")
        .options(SESSION)
        .disable_statement_logging();
    // Alone first: the pool would go on trying a database that is not there, and never say so.
    let conn = options.connect().await.map_err(wrap("connect to the database as the application role"))?;
    refuse_mighty_role(conn).await?;
    Ok(options)
}

fn pool_options(max_connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(max_connections.max(1))
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .max_lifetime(CONNECTION_AGE_MAX)
        // Whoever opens a connection looks at it: `tenant_tx`.
        .test_before_acquire(false)
}

async fn refuse_mighty_role(mut conn: PgConnection) -> Result<(), StoreError> {
    let mighty: bool = sqlx::query_scalar(
        "SELECT r.rolsuper OR r.rolbypassrls
             OR EXISTS (SELECT FROM pg_class c WHERE c.relrowsecurity AND pg_has_role(r.oid, c.relowner, 'USAGE'))
         FROM pg_roles r WHERE r.rolname = current_user",
    )
    .fetch_one(&mut conn)
    .await
    .map_err(wrap("check the application role"))?;
    let _ = conn.close().await;
    if !mighty {
        return Ok(());
    }
    Err(StoreError::new(
        StoreErrorKind::Refused,
        "the application role must not be a superuser, bypass row-level security or own the tables: connect as \
         terrasift_app",
    ))
}

/// The newest migration that this version knows, which it needs.
pub(crate) fn newest_migration() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// Brings the schema up to date, as the owner. Several callers at once wait for each other.
///
/// # Errors
/// `Unavailable` when the database does not answer; `Corrupt` when a migration fails: were the roles of
/// `bootstrap.sql` made?
pub async fn migrate(owner_url: &str) -> Result<(), StoreError> {
    let options = PgConnectOptions::from_str(owner_url)
        .map_err(wrap("read the database address: expected postgres://user:password@host:port/database"))?
        .application_name("terrasift migrate")
        .disable_statement_logging();
    let mut conn =
        PgConnection::connect_with(&options).await.map_err(wrap("connect to the database as the owner"))?;
    let migrated = MIGRATIONS.run(&mut conn).await;
    let prepared = match &migrated {
        Ok(()) => crate::trail::prepare(&mut conn).await,
        Err(_) => Ok(()),
    };
    let _ = conn.close().await;
    prepared?;
    migrated.map_err(|error| match error {
        sqlx::migrate::MigrateError::Execute(e) => wrap("look at the migrations")(e),
        sqlx::migrate::MigrateError::ExecuteMigration(e, version) => {
            wrap("migrate: run bootstrap.sql as superuser first, then migrate as terrasift_owner")(e).at_version(version)
        }
        sqlx::migrate::MigrateError::VersionMissing(version) | sqlx::migrate::MigrateError::VersionTooNew(version, _) => {
            StoreError::new(
                StoreErrorKind::Corrupt,
                format!("the database has migration {version}, which this version does not know: use a newer terrasift"),
            )
        }
        sqlx::migrate::MigrateError::VersionMismatch(version) => StoreError::new(
            StoreErrorKind::Corrupt,
            format!("migration {version} was changed after it was applied: restore the released file"),
        ),
        _ => StoreError::new(StoreErrorKind::Corrupt, "cannot migrate: the list of applied migrations is damaged"),
    })
}
