//! Reads the security audit as the auditor: filtered for people, whole and in order for export and verification.
//!
//! Must never write, nor hold more than a page of it in memory.

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection as _, FromRow, PgConnection};
use time::OffsetDateTime;

use super::verify::{ChainCheck, Retired};
use super::{Checkpoint, CheckpointKey, TrailRecord, TrailVerdict};
use crate::error::wrap;
use crate::{Auditor, StoreError};

/// Rows that are fetched at once: about a megabyte.
const PAGE: usize = 2_000;
/// A whole audit may take its time.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = '10min'; SET LOCAL timezone = 'UTC'";
const COLUMNS: &str = "SELECT segment, number, at, tenant_id, actor, action, resource, outcome, code, trace, client, previous, hash
    FROM security_audit_log
    WHERE ($1::text IS NULL OR tenant_id = $1) AND ($2::timestamptz IS NULL OR at >= $2) AND ($3::timestamptz IS NULL OR at < $3)
      AND ($4::text IS NULL OR outcome = $4) AND ($5::text IS NULL OR action = $5) AND ($6::text IS NULL OR actor = $6)
      AND ($7::text IS NULL OR client = $7)";
/// The same for whoever wants no filter.
const ALL: &str = "SELECT segment, number, at, tenant_id, actor, action, resource, outcome, code, trace, client, previous, hash
    FROM security_audit_log ORDER BY segment, number, at";

/// Which records; what is not said is all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrailFilter {
    /// Of this tenant; empty for those without one.
    pub tenant: Option<String>,
    /// At this time or later.
    pub since: Option<OffsetDateTime>,
    /// Before this time.
    pub until: Option<OffsetDateTime>,
    /// With this outcome.
    pub outcome: Option<String>,
    /// With this action.
    pub action: Option<String>,
    /// By this actor.
    pub actor: Option<String>,
    /// From this address.
    pub client: Option<String>,
}

impl Auditor {
    /// The newest records that fit, at most `limit`.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn trail(&self, filter: &TrailFilter, limit: u32) -> Result<Vec<TrailRecord>, StoreError> {
        let mut conn = self.begin().await?;
        let query = format!("{COLUMNS} ORDER BY at DESC, segment, number DESC LIMIT {limit}");
        let records = sqlx::query_as(AssertSqlSafe(query))
            .bind(&filter.tenant)
            .bind(filter.since)
            .bind(filter.until)
            .bind(&filter.outcome)
            .bind(&filter.action)
            .bind(&filter.actor)
            .bind(&filter.client)
            .fetch_all(&mut conn)
            .await
            .map_err(wrap("read the security audit"));
        let _ = conn.close().await;
        records
    }

    /// Hands out all records, or those of one tenant, by segment and number.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn export_trail(
        &self,
        tenant: Option<&str>,
        mut each: impl FnMut(TrailRecord),
    ) -> Result<(), StoreError> {
        let mut conn = self.begin().await?;
        let done = each_row(&mut conn, ALL, |record: TrailRecord| {
            if tenant.is_none_or(|tenant| record.tenant == tenant) {
                each(record);
            }
        })
        .await;
        let _ = conn.close().await;
        done
    }

    /// All checkpoints, to be kept where nobody can change them.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn checkpoints(&self) -> Result<Vec<Checkpoint>, StoreError> {
        let mut conn = self.begin().await?;
        let checkpoints = checkpoints(&mut conn).await;
        let _ = conn.close().await;
        checkpoints
    }

    /// Recomputes all chains, and compares them with their checkpoints, and with `anchors`: checkpoints that were kept outside.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer. What is wrong with the audit is no error but the verdict.
    pub async fn verify_trail(
        &self,
        keys: &[CheckpointKey],
        anchors: Vec<Checkpoint>,
    ) -> Result<TrailVerdict, StoreError> {
        let mut conn = self.begin().await?;
        let retired: Vec<(OffsetDateTime,)> = sqlx::query_as("SELECT until FROM security_audit_retired")
            .fetch_all(&mut conn)
            .await
            .map_err(wrap("read what was retired"))?;
        let retired = Retired::new(retired.into_iter().map(|(until,)| until));
        let mut known = checkpoints(&mut conn).await?;
        known.extend(anchors);
        let mut check = ChainCheck::new(keys, known, retired);
        each_row(&mut conn, ALL, |record: TrailRecord| check.take(&record)).await?;
        let _ = conn.close().await;
        Ok(check.end())
    }

    async fn begin(&self) -> Result<PgConnection, StoreError> {
        let mut conn = self.connection().await?;
        sqlx::raw_sql(BEGIN).execute(&mut conn).await.map_err(wrap("begin to read the security audit"))?;
        Ok(conn)
    }
}

async fn checkpoints(conn: &mut PgConnection) -> Result<Vec<Checkpoint>, StoreError> {
    sqlx::query_as(
        "SELECT segment, number, at, hash, closes, signature FROM security_audit_checkpoints
         ORDER BY segment, number, closes",
    )
    .fetch_all(conn)
    .await
    .map_err(wrap("read the checkpoints of the security audit"))
}

/// Reads a query's rows page by page, through a cursor of the transaction.
async fn each_row<T>(
    conn: &mut PgConnection,
    query: &'static str,
    mut each: impl FnMut(T),
) -> Result<(), StoreError>
where
    T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let failed = wrap("read the security audit");
    let declare = format!("DECLARE trail NO SCROLL CURSOR FOR {query}");
    sqlx::raw_sql(AssertSqlSafe(declare)).execute(&mut *conn).await.map_err(&failed)?;
    let fetch = format!("FETCH {PAGE} FROM trail");
    loop {
        let page: Vec<T> =
            sqlx::query_as(AssertSqlSafe(fetch.clone())).fetch_all(&mut *conn).await.map_err(&failed)?;
        let last = page.len() < PAGE;
        page.into_iter().for_each(&mut each);
        if last {
            return Ok(());
        }
    }
}
