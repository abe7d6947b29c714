//! The erasure of a tenant, as the owner of the tables: a tombstone first, then its rows in batches, its name last.
//!
//! Which tables there are is asked of the database, so that a new one is not forgotten. Each batch is a transaction of its own: wherever
//! an erasure stops, the next one goes on. Must never touch a tenant that is not suspended, nor the security audit, in whose chains the
//! records of all tenants hang together.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use terrasift_schemas::{TenantId, TenantSlug};

use crate::error::wrap;
use crate::tenant_states::{HOLD_LIVES, as_owner};
use crate::{StoreError, StoreErrorKind, stored};

/// Tables with a tenant whose rows stay: the tombstone, and the trail of what was done.
const KEPT: [&str; 2] = ["erased_tenants", "security_audit_log"];
/// What goes at the very end: until then the tenant has a name, and is suspended.
const LAST: [&str; 2] = ["tenant_states", "tenants"];
/// Rows of one transaction: some megabytes of entities, well under a second.
const BATCH_ROWS: i64 = 2_000;
/// The first place of a table.
const BEGINNING: &str = "(0,0)";
/// Bound of the column that says who asked.
const BY_BYTES_MAX: usize = 256;

const STANDING: &str = "
    SELECT t.slug, coalesce(s.state = 'suspended', false), e.tenant_id IS NOT NULL, e.ended_at IS NOT NULL
    FROM (SELECT $1::text COLLATE \"C\" AS id) AS w LEFT JOIN tenants AS t ON t.tenant_id = w.id
    LEFT JOIN tenant_states AS s ON s.tenant_id = w.id LEFT JOIN erased_tenants AS e ON e.tenant_id = w.id";

/// An erasure that was begun. Dropped or killed, it goes on where it stopped when it is begun again.
pub struct Erasure {
    conn: PgConnection,
    tenant: TenantId,
    tables: Vec<String>,
    /// The table that is being emptied.
    at: usize,
    /// Where in it the last batch ended: rows that are gone are not looked at again and again. Behind the end it begins anew, until
    /// nothing is found.
    from: String,
    removed: BTreeMap<String, u64>,
}

impl Erasure {
    /// Begins to erase a suspended tenant, or goes on: from here on nothing brings it back, and no commit of a worker that still runs
    /// is taken. `confirm` is the tenant's slug, `by` who asks for it. None: it was erased before.
    ///
    /// # Errors
    /// `Invalid` when the tenant is not declared, is not suspended, or has another slug; `Refused` for another role than the owner.
    pub async fn begin(
        owner_url: &str,
        tenant: &TenantId,
        confirm: &TenantSlug,
        by: &str,
    ) -> Result<Option<Self>, StoreError> {
        let mut conn = as_owner(owner_url).await?;
        if !entomb(&mut conn, tenant, confirm, by).await? {
            let _ = conn.close().await;
            return Ok(None);
        }
        let kept = KEPT.iter().chain(&LAST).map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let tables = sqlx::query_scalar(
            "SELECT c.relname::text FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
               AND NOT a.attisdropped AND c.relname <> ALL ($1) ORDER BY 1",
        )
        .bind(kept)
        .fetch_all(&mut conn)
        .await
        .map_err(wrap("list the tables with a tenant"))?;
        Ok(Some(Self {
            conn,
            tenant: tenant.clone(),
            tables,
            at: 0,
            from: BEGINNING.to_owned(),
            removed: BTreeMap::new(),
        }))
    }

    /// Removes one batch; false when nothing is left and the erasure has ended.
    ///
    /// # Errors
    /// `Unavailable` and `Conflict`: begin again, it goes on.
    pub async fn step(&mut self) -> Result<bool, StoreError> {
        let Some(table) = self.tables.get(self.at) else {
            self.end().await?;
            return Ok(false);
        };
        let delete = format!(
            "WITH gone AS (
                 DELETE FROM {table} WHERE tenant_id = $1 AND ctid = ANY (ARRAY(
                     SELECT ctid FROM {table} WHERE tenant_id = $1 AND ctid >= $2::text::tid LIMIT $3))
                 RETURNING ctid
             )
             SELECT count(*), max(ctid)::text FROM gone"
        );
        let (rows, reached): (i64, Option<String>) = sqlx::query_as(AssertSqlSafe(delete))
            .bind(self.tenant.as_str())
            .bind(&self.from)
            .bind(BATCH_ROWS)
            .fetch_one(&mut self.conn)
            .await
            .map_err(wrap("erase rows of a tenant as the owner"))?;
        match reached {
            Some(reached) => {
                *self.removed.entry(table.clone()).or_default() += stored::count_out(rows);
                self.from = reached;
            }
            None if self.from == BEGINNING => self.at += 1,
            None => BEGINNING.clone_into(&mut self.from),
        }
        Ok(true)
    }

    /// Rows that were removed since this erasure began or went on, by table; not those that came meanwhile and went with the tenant.
    #[must_use]
    pub fn removed(&self) -> &BTreeMap<String, u64> {
        &self.removed
    }

    /// The name goes, and with it what came meanwhile: marks of events, letters. Nothing else may be left.
    async fn end(&mut self) -> Result<(), StoreError> {
        let mut tx = self.conn.begin().await.map_err(wrap("begin to end an erasure"))?;
        let gone = sqlx::query("DELETE FROM tenants WHERE tenant_id = $1")
            .bind(self.tenant.as_str())
            .execute(&mut *tx)
            .await
            .map_err(wrap("erase a tenant's name as the owner"))?;
        let rows =
            self.tables.iter().map(|table| format!("EXISTS (SELECT FROM {table} WHERE tenant_id = $1)"));
        let left = format!("SELECT {}", rows.collect::<Vec<_>>().join(" OR "));
        let left: bool = sqlx::query_scalar(AssertSqlSafe(left))
            .bind(self.tenant.as_str())
            .fetch_one(&mut *tx)
            .await
            .map_err(wrap("look whether rows of a tenant are left"))?;
        if left {
            let what = "rows came while the tenant was erased: erase it again, it goes on";
            return Err(StoreError::new(StoreErrorKind::Conflict, what));
        }
        sqlx::query("UPDATE erased_tenants SET ended_at = now() WHERE tenant_id = $1 AND ended_at IS NULL")
            .bind(self.tenant.as_str())
            .execute(&mut *tx)
            .await
            .map_err(wrap("end an erasure"))?;
        tx.commit().await.map_err(wrap("end an erasure"))?;
        *self.removed.entry("tenants".to_owned()).or_default() += gone.rows_affected();
        Ok(())
    }
}

/// Sets the tombstone, and takes the head of the feed away: a commit that still runs is waited for, and none comes after it. False: the
/// tenant was erased before.
async fn entomb(
    conn: &mut PgConnection,
    tenant: &TenantId,
    confirm: &TenantSlug,
    by: &str,
) -> Result<bool, StoreError> {
    let refused = |what| Err(StoreError::new(StoreErrorKind::Invalid, what));
    let failed = wrap("begin to erase a tenant as the owner");
    let mut tx = conn.begin().await.map_err(&failed)?;
    sqlx::raw_sql(HOLD_LIVES).execute(&mut *tx).await.map_err(&failed)?;
    let (slug, suspended, begun, ended): (Option<String>, bool, bool, bool) =
        sqlx::query_as(STANDING).bind(tenant.as_str()).fetch_one(&mut *tx).await.map_err(&failed)?;
    if ended {
        return Ok(false);
    }
    let Some(slug) = slug else { return refused("no tenant of this id is declared") };
    if !suspended {
        return refused(
            "the tenant is not suspended: `terrasift tenant suspend` first, and export what is wanted",
        );
    }
    if slug != confirm.as_str() {
        return refused(
            "the tenant has another slug than the one that confirms: `terrasift tenant list` shows it",
        );
    }
    if !begun {
        sqlx::query("INSERT INTO erased_tenants (tenant_id, begun_by) VALUES ($1, $2)")
            .bind(tenant.as_str())
            .bind(stored::text_in(by, BY_BYTES_MAX))
            .execute(&mut *tx)
            .await
            .map_err(&failed)?;
    }
    sqlx::query("DELETE FROM tenant_heads WHERE tenant_id = $1")
        .bind(tenant.as_str())
        .execute(&mut *tx)
        .await
        .map_err(&failed)?;
    tx.commit().await.map_err(&failed)?;
    Ok(true)
}
