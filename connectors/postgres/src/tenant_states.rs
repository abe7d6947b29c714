//! How tenants stand: suspended or not, erased; written by the owner, looked at by everybody who serves.
//!
//! What a process saw last holds until it sees something else: a database that is away lifts no suspension.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::{PoisonError, RwLock};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use terrasift_schemas::{TenantId, TenantSlug};
use time::OffsetDateTime;

use crate::error::wrap;
use crate::{Auditor, Store, StoreError, StoreErrorKind, stored};

/// Who was suspended when this process looked last.
#[derive(Default)]
pub(crate) struct Suspended(RwLock<BTreeSet<TenantId>>);

/// What a look found that was not so before.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct StatesChanged {
    /// Suspended since the last look.
    pub suspended: Vec<TenantId>,
    /// Not suspended any more.
    pub resumed: Vec<TenantId>,
}

/// A tenant as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantEntry {
    /// For ever.
    pub id: TenantId,
    /// Its name in addresses; none when it is erased.
    pub slug: Option<TenantSlug>,
    /// How it stands.
    pub state: TenantState,
    /// Since when it is as it is; none: it was never suspended.
    pub changed_at: Option<OffsetDateTime>,
    /// Workspaces that the catalog shows.
    pub workspaces: i64,
    /// Live entities.
    pub entities: i64,
}

/// How a tenant stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantState {
    /// It is served.
    Active,
    /// Its events wait, and nobody of it is let in.
    Suspended,
    /// Its erasure was begun, and did not end yet.
    Erasing,
    /// Nothing is left but this and the security audit.
    Erased,
}

impl TenantState {
    const ALL: [Self; 4] = [Self::Active, Self::Suspended, Self::Erasing, Self::Erased];

    /// As it is shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Erasing => "erasing",
            Self::Erased => "erased",
        }
    }
}

type TenantColumns = (String, Option<String>, String, Option<OffsetDateTime>, i64, i64);

impl Store {
    /// Looks who is suspended, over all tenants; from here on [`Store::is_suspended`] answers by it.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer: what was seen last holds.
    pub async fn look_for_suspended(&self) -> Result<StatesChanged, StoreError> {
        let found: Vec<String> = self
            .looking(|conn| {
                Box::pin(async move {
                    sqlx::query_scalar("SELECT tenant_id FROM suspended_tenants()")
                        .fetch_all(conn)
                        .await
                        .map_err(wrap("look for suspended tenants"))
                })
            })
            .await?;
        let now =
            found.iter().map(|id| stored::id(TenantId::parse, id)).collect::<Result<BTreeSet<_>, _>>()?;
        let mut held = self.suspended().0.write().unwrap_or_else(PoisonError::into_inner);
        let changed = StatesChanged {
            suspended: now.difference(&held).cloned().collect(),
            resumed: held.difference(&now).cloned().collect(),
        };
        *held = now;
        Ok(changed)
    }

    /// Whether the tenant was suspended at the last look. Asks nobody.
    #[must_use]
    pub fn is_suspended(&self, tenant: &TenantId) -> bool {
        self.suspended().0.read().unwrap_or_else(PoisonError::into_inner).contains(tenant)
    }
}

impl Auditor {
    /// All tenants, by id, also those that are erased.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn tenants(&self) -> Result<Vec<TenantEntry>, StoreError> {
        let mut connection = self.connection().await?;
        let rows: Vec<TenantColumns> = sqlx::query_as(
            "SELECT coalesce(t.tenant_id, x.tenant_id), t.slug,
                    CASE WHEN x.ended_at IS NOT NULL THEN 'erased' WHEN x.tenant_id IS NOT NULL THEN 'erasing'
                         ELSE coalesce(s.state, 'active') END,
                    coalesce(x.ended_at, x.begun_at, s.changed_at),
                    (SELECT count(*) FROM workspaces w WHERE w.tenant_id = t.tenant_id AND w.serial IS NOT NULL),
                    (SELECT count(*) FROM entities e WHERE e.tenant_id = t.tenant_id AND e.deleted_at IS NULL)
             FROM tenants t FULL JOIN erased_tenants x ON x.tenant_id = t.tenant_id
             LEFT JOIN tenant_states s ON s.tenant_id = t.tenant_id ORDER BY 1",
        )
        .fetch_all(&mut connection)
        .await
        .map_err(wrap("list the tenants"))?;
        // What was read is told, whether or not the goodbye arrives.
        let _ = connection.close().await;
        rows.into_iter()
            .map(|(id, slug, state, changed_at, workspaces, entities)| {
                let unknown = || StoreError::new(StoreErrorKind::Corrupt, "a tenant's state is not known");
                Ok(TenantEntry {
                    id: stored::id(TenantId::parse, &id)?,
                    slug: slug.map(|slug| stored::id(TenantSlug::parse, &slug)).transpose()?,
                    state: TenantState::ALL.into_iter().find(|s| s.as_str() == state).ok_or_else(unknown)?,
                    changed_at,
                    workspaces,
                    entities,
                })
            })
            .collect()
    }
}

/// Held by whoever declares tenants (shared), by whoever begins to erase one or changes its state (alone), until the end of the
/// transaction: see `declare_tenants`.
pub(crate) const HOLD_LIVES: &str = "SELECT pg_advisory_xact_lock(20261126, 18)";

/// A connection as the owner of the tables.
pub(crate) async fn as_owner(owner_url: &str) -> Result<PgConnection, StoreError> {
    let options = PgConnectOptions::from_str(owner_url)
        .map_err(wrap("read the database address: expected postgres://user:password@host:port/database"))?
        .application_name("terrasift tenant")
        .options([("statement_timeout", "30s"), ("lock_timeout", "10s")])
        .disable_statement_logging();
    let mut conn = options.connect().await.map_err(wrap("connect to the database as the owner"))?;
    let owner: bool = sqlx::query_scalar(
        "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'tenants'::regclass",
    )
    .fetch_one(&mut conn)
    .await
    .map_err(wrap("see whose the tables are: is the schema migrated?"))?;
    if owner {
        return Ok(conn);
    }
    let what = "postgres.owner_url has to name the owner of the tables, terrasift_owner";
    Err(StoreError::new(StoreErrorKind::Refused, what))
}

/// Suspends a tenant or lifts that, as the owner of the tables. False: it was so before.
///
/// # Errors
/// `Invalid` when the tenant is not declared, or is being erased; `Refused` for another role than the owner.
pub async fn set_suspended(owner_url: &str, tenant: &TenantId, suspended: bool) -> Result<bool, StoreError> {
    let mut conn = as_owner(owner_url).await?;
    let failed = wrap("change a tenant's state as the owner");
    let mut tx = conn.begin().await.map_err(&failed)?;
    sqlx::raw_sql(HOLD_LIVES).execute(&mut *tx).await.map_err(&failed)?;
    let (declared, erased): (bool, bool) = sqlx::query_as(
        "SELECT EXISTS (SELECT FROM tenants WHERE tenant_id = $1), EXISTS (SELECT FROM erased_tenants WHERE tenant_id = $1)",
    )
    .bind(tenant.as_str())
    .fetch_one(&mut *tx)
    .await
    .map_err(wrap("look for the tenant as the owner"))?;
    if erased {
        let what = "the tenant is erased, or being erased: nothing brings it back";
        return Err(StoreError::new(StoreErrorKind::Invalid, what));
    }
    if !declared {
        return Err(StoreError::new(StoreErrorKind::Invalid, "no tenant of this id is declared"));
    }
    // A tenant that was never suspended has no row, and is not made one by a resume.
    let statement = if suspended {
        "INSERT INTO tenant_states AS s (tenant_id, state) VALUES ($1, 'suspended')
         ON CONFLICT (tenant_id) DO UPDATE SET state = excluded.state, changed_at = now() WHERE s.state <> excluded.state"
    } else {
        "UPDATE tenant_states SET state = 'active', changed_at = now() WHERE tenant_id = $1 AND state <> 'active'"
    };
    let done = sqlx::query(statement).bind(tenant.as_str()).execute(&mut *tx).await.map_err(&failed)?;
    tx.commit().await.map_err(&failed)?;
    let _ = conn.close().await;
    Ok(done.rows_affected() == 1)
}
