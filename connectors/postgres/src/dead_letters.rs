//! Dead letters: what was given up, why, and what became of it. Their rows are the truth; the topic is their outbox
//! (`outbox.rs`).
//!
//! Must never hold a payload, only reasons and positions, nor give a letter's retry a second effect.

use terrasift_schemas::event::FailureReason;
use terrasift_schemas::{TenantId, WorkspaceId};
use time::OffsetDateTime;

use crate::error::wrap;
use crate::tenant_tx::TenantTx;
use crate::{
    DeadLetter, DeadLetterFilter, DeadLetterId, Decided, Decision, Epoch, LetterState, LetterVerdict, Mark,
    NewDeadLetter, Store, StoreError, StoreErrorKind, UnroutedRecord, ledger, stored,
};

/// The contract's bound of a letter's detail.
const DETAIL_BYTES_MAX: usize = 1024;
/// Names of people and keys; longer ones are cut.
const BY_BYTES_MAX: usize = 256;
/// Who closes a letter by succeeding.
const SYNC: &str = "sync";

/// The columns of [`LetterRow`].
pub(crate) const LETTER_COLUMNS: &str = "tenant_id, letter_id, state, workspace_id, reason, detail, attempts, topic, partition, record_offset, trace, \
     parked_at, last_at, occurrences, retries, retried_at, retried_by, settled_at, settled_by, announce_due, retry_due";

/// A letter as it stands.
#[derive(sqlx::FromRow)]
pub(crate) struct LetterRow {
    pub tenant_id: String,
    letter_id: i64,
    state: String,
    workspace_id: Option<String>,
    reason: String,
    detail: String,
    attempts: i64,
    topic: Option<String>,
    partition: Option<i32>,
    record_offset: Option<i64>,
    trace: Option<String>,
    parked_at: OffsetDateTime,
    last_at: OffsetDateTime,
    occurrences: i64,
    retries: i64,
    retried_at: Option<OffsetDateTime>,
    retried_by: Option<String>,
    settled_at: Option<OffsetDateTime>,
    settled_by: Option<String>,
    announce_due: bool,
    retry_due: bool,
}

/// What somebody wants done with a letter.
#[derive(Clone, Copy)]
enum Wish {
    Retry,
    Discard,
}

impl Store {
    /// Parks a failure as a dead letter; the same transaction clears the mark, if its generation is still the served
    /// one. A letter of the same workspace and reason that is not settled is opened again instead of doubled. The same
    /// row tells the outbox to announce it.
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
                     ON CONFLICT (tenant_id, dedupe) WHERE settled_at IS NULL DO UPDATE SET
                         state = 'open', announce_due = true, outbox_attempts = 0, outbox_after = now(),
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

    /// A page of a tenant's letters, by id; go on with the last id.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn dead_letters(
        &self,
        tenant: &TenantId,
        filter: &DeadLetterFilter,
        after: Option<DeadLetterId>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let filter = filter.clone();
        self.reading(tenant, move |tx| {
            Box::pin(async move {
                let rows: Vec<LetterRow> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
                    "SELECT {LETTER_COLUMNS} FROM dead_letters
                     WHERE tenant_id = $1 AND letter_id > $2 AND ($3::text IS NULL OR state = $3)
                       AND ($4::text IS NULL OR reason = $4) AND ($5::text IS NULL OR workspace_id = $5)
                       AND ($6::timestamptz IS NULL OR last_at >= $6)
                     ORDER BY letter_id LIMIT $7"
                )))
                .bind(tx.tenant)
                .bind(after.map_or(0, |id| id.0))
                .bind(filter.state.map(LetterState::as_str))
                .bind(filter.reason.map(FailureReason::as_str))
                .bind(filter.workspace.as_ref().map(WorkspaceId::as_str))
                .bind(filter.since)
                .bind(i64::from(limit))
                .fetch_all(tx.conn)
                .await
                .map_err(wrap("list the dead letters"))?;
                rows.into_iter().map(letter_out).collect()
            })
        })
        .await
    }

    /// One letter of the tenant, whatever its state.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn dead_letter(
        &self,
        tenant: &TenantId,
        id: DeadLetterId,
    ) -> Result<Option<DeadLetter>, StoreError> {
        self.reading(tenant, move |mut tx| Box::pin(async move { read(&mut tx, id, "").await })).await
    }

    /// Has the letter's workspace synced anew: the outbox sends one event for it. Asked again before the retry has
    /// failed, nothing more is sent. `None`: the tenant has no letter of this id.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer: nothing, or all of it, was done, and it may be asked again.
    pub async fn retry_dead_letter(
        &self,
        tenant: &TenantId,
        id: DeadLetterId,
        by: &str,
    ) -> Result<Option<Decided>, StoreError> {
        self.decide(tenant, id, by, Wish::Retry).await
    }

    /// Takes a letter out of the queue; its row stays. `None`: the tenant has no letter of this id.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer: nothing, or all of it, was done, and it may be asked again.
    pub async fn discard_dead_letter(
        &self,
        tenant: &TenantId,
        id: DeadLetterId,
        by: &str,
    ) -> Result<Option<Decided>, StoreError> {
        self.decide(tenant, id, by, Wish::Discard).await
    }

    async fn decide(
        &self,
        tenant: &TenantId,
        id: DeadLetterId,
        by: &str,
        wish: Wish,
    ) -> Result<Option<Decided>, StoreError> {
        let by = stored::text_in(by, BY_BYTES_MAX);
        self.in_tenant(tenant, move |mut tx| {
            Box::pin(async move {
                // Locked: of two who ask at once, one does it, and the other finds it done.
                let Some(letter) = read(&mut tx, id, "FOR UPDATE").await? else { return Ok(None) };
                let verdict = judge(wish, &letter);
                let change = match (verdict, wish) {
                    (LetterVerdict::Done, Wish::Retry) => {
                        "state = 'retried', retried_at = now(), retried_by = $3, retries = retries + 1,
                         retry_due = true, outbox_attempts = 0, outbox_after = now()"
                    }
                    (LetterVerdict::Done, Wish::Discard) => {
                        "state = 'discarded', settled_at = now(), settled_by = $3, retry_due = false"
                    }
                    // Asked again for what the outbox has given up: the same event is tried anew.
                    (LetterVerdict::Already, Wish::Retry) if letter.retry_due => {
                        "outbox_attempts = 0, retried_by = coalesce(retried_by, $3)"
                    }
                    _ => return Ok(Some(Decided { verdict, letter })),
                };
                let row: LetterRow = sqlx::query_as(sqlx::AssertSqlSafe(format!(
                    "UPDATE dead_letters SET {change} WHERE tenant_id = $1 AND letter_id = $2
                     RETURNING {LETTER_COLUMNS}"
                )))
                .bind(tx.tenant)
                .bind(id.0)
                .bind(by)
                .fetch_one(&mut *tx.conn)
                .await
                .map_err(wrap("decide about a dead letter"))?;
                Ok(Some(Decided { verdict, letter: letter_out(row)? }))
            })
        })
        .await
    }
}

async fn read(
    tx: &mut TenantTx<'_>,
    id: DeadLetterId,
    lock: &'static str,
) -> Result<Option<DeadLetter>, StoreError> {
    let row: Option<LetterRow> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT {LETTER_COLUMNS} FROM dead_letters WHERE tenant_id = $1 AND letter_id = $2 {lock}"
    )))
    .bind(tx.tenant)
    .bind(id.0)
    .fetch_optional(&mut *tx.conn)
    .await
    .map_err(wrap("read a dead letter"))?;
    row.map(letter_out).transpose()
}

/// Whether a wish is granted.
fn judge(wish: Wish, letter: &DeadLetter) -> LetterVerdict {
    match (wish, letter.state) {
        (Wish::Discard, LetterState::Discarded) | (Wish::Retry, LetterState::Retried) => {
            LetterVerdict::Already
        }
        (_, LetterState::Discarded | LetterState::Closed) => LetterVerdict::Settled,
        (Wish::Retry, _) if letter.workspace.is_none() => LetterVerdict::NoWorkspace,
        (_, LetterState::Open | LetterState::Retried) => LetterVerdict::Done,
    }
}

/// Closes what is not settled of workspaces that were synced. Before their marks are cleared, as `park` does: the two
/// take their locks in one order.
pub(crate) async fn close(tx: &mut TenantTx<'_>, workspaces: &[&str]) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE dead_letters SET state = 'closed', settled_at = now(), settled_by = $3, retry_due = false
         WHERE tenant_id = $1 AND workspace_id = ANY ($2) AND settled_at IS NULL",
    )
    .bind(tx.tenant)
    .bind(workspaces)
    .bind(SYNC)
    .execute(&mut *tx.conn)
    .await
    .map_err(wrap("close the dead letters"))?;
    Ok(())
}

/// One open letter a key. Without workspace and position there is only the reason.
fn dedupe_key(letter: &NewDeadLetter) -> String {
    match (&letter.workspace, &letter.record) {
        (Some(workspace), _) => format!("{workspace} {}", letter.reason.as_str()),
        (None, Some(record)) => format!("{} {} {}", record.topic, record.partition, record.offset),
        (None, None) => letter.reason.as_str().to_owned(),
    }
}

pub(crate) fn letter_out(row: LetterRow) -> Result<DeadLetter, StoreError> {
    let decision = |at: Option<OffsetDateTime>, by: Option<String>| {
        at.map(|at| Decision { at, by: by.unwrap_or_default() })
    };
    Ok(DeadLetter {
        id: DeadLetterId(row.letter_id),
        state: LetterState::from_code(&row.state)
            .ok_or_else(|| StoreError::new(StoreErrorKind::Corrupt, "a dead letter's state is unknown"))?,
        workspace: row.workspace_id.map(|text| stored::id(WorkspaceId::parse, &text)).transpose()?,
        reason: row.reason,
        detail: row.detail,
        attempts: stored::attempts_out(row.attempts),
        record: stored::position(row.topic, row.partition, row.record_offset),
        trace: stored::trace(row.trace),
        parked_at: row.parked_at,
        last_at: row.last_at,
        occurrences: row.occurrences,
        retries: row.retries,
        retried: decision(row.retried_at, row.retried_by),
        settled: decision(row.settled_at, row.settled_by),
        announce_due: row.announce_due,
        retry_due: row.retry_due,
    })
}
