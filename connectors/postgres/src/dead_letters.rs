//! Dead letters: what was given up, and why. Their rows are the truth; the topic is their outbox.
//!
//! Must never hold a payload, only reasons and positions.

use terrasift_schemas::{TenantId, WorkspaceId};
use time::OffsetDateTime;

use crate::error::wrap;
use crate::{
    DeadLetter, DeadLetterId, Epoch, Mark, NewDeadLetter, Store, StoreError, StoreErrorKind, UnroutedRecord,
    ledger, stored,
};

/// The contract's bound of a letter's detail.
const DETAIL_BYTES_MAX: usize = 1024;

const LETTER_COLUMNS: &str = "letter_id, workspace_id, reason, detail, attempts, topic, partition, record_offset, \
                              trace, parked_at, last_at, occurrences";

type LetterColumns = (
    i64,
    Option<String>,
    String,
    String,
    i64,
    Option<String>,
    Option<i32>,
    Option<i64>,
    Option<String>,
    OffsetDateTime,
    OffsetDateTime,
    i64,
);

impl Store {
    /// Parks a failure as a dead letter; the same transaction clears the mark, if its generation is still the served
    /// one. An open letter of the same workspace and reason is refreshed instead of doubled.
    ///
    /// # Errors
    /// `Fenced` when the epoch is gone: nothing written. `Invalid` when the tenant is not declared, or is not the
    /// mark's.
    pub async fn park(
        &self,
        letter: &NewDeadLetter,
        clear: Option<(&Mark, Epoch)>,
    ) -> Result<DeadLetterId, StoreError> {
        if clear.is_some_and(|(mark, _)| mark.tenant != letter.tenant) {
            return Err(StoreError::new(
                StoreErrorKind::Invalid,
                "the letter and the mark are of different tenants",
            ));
        }
        let clear = clear.map(|(mark, epoch)| (mark.clone(), epoch));
        let parked = letter.clone();
        self.in_tenant(&letter.tenant, move |mut tx| {
            Box::pin(async move {
                if let Some((mark, epoch)) = &clear {
                    ledger::hold_epoch(&mut tx, mark.partition, *epoch).await?;
                }
                let record = parked.record.as_ref();
                let id: i64 = sqlx::query_scalar(
                    "INSERT INTO dead_letters AS l (tenant_id, dedupe, workspace_id, reason, detail, attempts, topic,
                                                    partition, record_offset, trace)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                     ON CONFLICT (tenant_id, dedupe) WHERE discarded_at IS NULL DO UPDATE SET
                         detail = excluded.detail, attempts = excluded.attempts, topic = excluded.topic,
                         partition = excluded.partition, record_offset = excluded.record_offset,
                         trace = excluded.trace, last_at = now(), occurrences = l.occurrences + 1
                     RETURNING letter_id",
                )
                .bind(tx.tenant)
                .bind(dedupe_key(&parked))
                .bind(parked.workspace.as_ref().map(WorkspaceId::as_str))
                .bind(parked.reason.as_str())
                .bind(stored::text_in(&parked.detail, DETAIL_BYTES_MAX))
                .bind(i64::from(parked.attempts))
                .bind(record.map(|r| r.topic.as_str()))
                .bind(record.map(|r| r.partition))
                .bind(record.map(|r| r.offset))
                .bind(parked.trace.map(|t| t.to_string()))
                .fetch_one(&mut *tx.conn)
                .await
                .map_err(wrap("park a dead letter: is the tenant declared?"))?;
                if let Some((mark, _)) = clear {
                    ledger::clear(&mut tx, &[(mark.workspace, mark.generation)]).await?;
                }
                Ok(DeadLetterId(id))
            })
        })
        .await
    }

    /// Parks records that no tenant can be found for. Idempotent on the position.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn park_unrouted(&self, records: &[UnroutedRecord]) -> Result<(), StoreError> {
        let topics: Vec<String> = records.iter().map(|r| stored::text_in(&r.position.topic, 249)).collect();
        let partitions: Vec<i32> = records.iter().map(|r| r.position.partition).collect();
        let offsets: Vec<i64> = records.iter().map(|r| r.position.offset).collect();
        let reasons: Vec<&'static str> = records.iter().map(|r| r.reason.as_str()).collect();
        let details: Vec<String> =
            records.iter().map(|r| stored::text_in(&r.detail, DETAIL_BYTES_MAX)).collect();
        self.without_tenant(move |conn| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO unrouted_records (topic, partition, record_offset, reason, detail)
                     SELECT * FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::text[], $5::text[])
                     ON CONFLICT DO NOTHING",
                )
                .bind(topics)
                .bind(partitions)
                .bind(offsets)
                .bind(reasons)
                .bind(details)
                .execute(conn)
                .await
                .map_err(wrap("park records without a tenant"))?;
                Ok(())
            })
        })
        .await
    }

    /// A page of a tenant's open letters, by id; go on with the last id.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn dead_letters(
        &self,
        tenant: &TenantId,
        limit: u32,
        after: Option<DeadLetterId>,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.in_tenant(tenant, move |tx| {
            Box::pin(async move {
                let rows: Vec<LetterColumns> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
                    "SELECT {LETTER_COLUMNS} FROM dead_letters
                     WHERE tenant_id = $1 AND letter_id > $2 AND discarded_at IS NULL ORDER BY letter_id LIMIT $3"
                )))
                .bind(tx.tenant)
                .bind(after.map_or(0, |id| id.0))
                .bind(i64::from(limit))
                .fetch_all(tx.conn)
                .await
                .map_err(wrap("list the dead letters"))?;
                rows.into_iter().map(letter_out).collect()
            })
        })
        .await
    }

    /// One open letter of the tenant.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn dead_letter(
        &self,
        tenant: &TenantId,
        id: DeadLetterId,
    ) -> Result<Option<DeadLetter>, StoreError> {
        self.in_tenant(tenant, move |tx| {
            Box::pin(async move {
                let row: Option<LetterColumns> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
                    "SELECT {LETTER_COLUMNS} FROM dead_letters
                     WHERE tenant_id = $1 AND letter_id = $2 AND discarded_at IS NULL"
                )))
                .bind(tx.tenant)
                .bind(id.0)
                .fetch_optional(tx.conn)
                .await
                .map_err(wrap("read a dead letter"))?;
                row.map(letter_out).transpose()
            })
        })
        .await
    }

    /// Takes a letter out of the queue; its row stays. False when the tenant has no open letter of this id.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn discard_dead_letter(&self, tenant: &TenantId, id: DeadLetterId) -> Result<bool, StoreError> {
        self.in_tenant(tenant, move |tx| {
            Box::pin(async move {
                let done = sqlx::query(
                    "UPDATE dead_letters SET discarded_at = now()
                     WHERE tenant_id = $1 AND letter_id = $2 AND discarded_at IS NULL",
                )
                .bind(tx.tenant)
                .bind(id.0)
                .execute(tx.conn)
                .await
                .map_err(wrap("discard a dead letter"))?;
                Ok(done.rows_affected() == 1)
            })
        })
        .await
    }
}

/// One open letter a key. Without workspace and position there is only the reason.
fn dedupe_key(letter: &NewDeadLetter) -> String {
    match (&letter.workspace, &letter.record) {
        (Some(workspace), _) => format!("{workspace} {}", letter.reason.as_str()),
        (None, Some(record)) => format!("{} {} {}", record.topic, record.partition, record.offset),
        (None, None) => letter.reason.as_str().to_owned(),
    }
}

fn letter_out(columns: LetterColumns) -> Result<DeadLetter, StoreError> {
    let (
        id,
        workspace,
        reason,
        detail,
        attempts,
        topic,
        partition,
        offset,
        trace,
        parked_at,
        last_at,
        occurrences,
    ) = columns;
    Ok(DeadLetter {
        id: DeadLetterId(id),
        workspace: workspace.map(|text| stored::id(WorkspaceId::parse, &text)).transpose()?,
        reason,
        detail,
        attempts: stored::attempts_out(attempts),
        record: stored::position(topic, partition, offset),
        trace: stored::trace(trace),
        parked_at,
        last_at,
        occurrences,
    })
}
