//! Which tenants are suspended: written by the owner, looked at by everybody who serves.
//!
//! What a process saw last holds until it sees something else: a database that is away lifts no suspension.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::{PoisonError, RwLock};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};
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
    /// Its name in addresses.
    pub slug: TenantSlug,
    /// Whether it is suspended.
    pub suspended: bool,
    /// Since when it is as it is; none: it was never suspended.
    pub changed_at: Option<OffsetDateTime>,
    /// Workspaces that the catalog shows.
    pub workspaces: i64,
    /// Live entities.
    pub entities: i64,
}

type TenantColumns = (String, String, bool, Option<OffsetDateTime>, i64, i64);

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
    /// All tenants, by id.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn tenants(&self) -> Result<Vec<TenantEntry>, StoreError> {
        let mut connection = self.connection().await?;
        let rows: Vec<TenantColumns> = sqlx::query_as(
            "SELECT t.tenant_id, t.slug, coalesce(s.state = 'suspended', false), s.changed_at,
                    (SELECT count(*) FROM workspaces w WHERE w.tenant_id = t.tenant_id AND w.serial IS NOT NULL),
                    (SELECT count(*) FROM entities e WHERE e.tenant_id = t.tenant_id AND e.deleted_at IS NULL)
             FROM tenants t LEFT JOIN tenant_states s ON s.tenant_id = t.tenant_id ORDER BY t.tenant_id",
        )
        .fetch_all(&mut connection)
        .await
        .map_err(wrap("list the tenants"))?;
        // What was read is told, whether or not the goodbye arrives.
        let _ = connection.close().await;
        rows.into_iter()
            .map(|(id, slug, suspended, changed_at, workspaces, entities)| {
                Ok(TenantEntry {
                    id: stored::id(TenantId::parse, &id)?,
                    slug: stored::id(TenantSlug::parse, &slug)?,
                    suspended,
                    changed_at,
                    workspaces,
                    entities,
                })
            })
            .collect()
    }
}

/// Suspends a tenant or lifts that, as the owner of the tables. False: it was so before.
///
/// # Errors
/// `Invalid` when the tenant is not declared; `Refused` for another role than the owner.
pub async fn set_suspended(owner_url: &str, tenant: &TenantId, suspended: bool) -> Result<bool, StoreError> {
    let options = PgConnectOptions::from_str(owner_url)
        .map_err(wrap("read the database address: expected postgres://user:password@host:port/database"))?
        .application_name("terrasift tenant")
        .options([("statement_timeout", "30s"), ("lock_timeout", "10s")])
        .disable_statement_logging();
    let mut conn = options.connect().await.map_err(wrap("connect to the database as the owner"))?;
    let declared: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM tenants WHERE tenant_id = $1)")
        .bind(tenant.as_str())
        .fetch_one(&mut conn)
        .await
        .map_err(wrap("look for the tenant as the owner"))?;
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
    let done = sqlx::query(statement)
        .bind(tenant.as_str())
        .execute(&mut conn)
        .await
        .map_err(wrap("change a tenant's state as the owner"))?;
    let _ = conn.close().await;
    Ok(done.rows_affected() == 1)
}
