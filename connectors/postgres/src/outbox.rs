//! The outbox of dead letters: which are to be announced, which retries are to be sent, and what was.
//!
//! At least once: a letter that was sent and not noted is sent again, with the same id. Must never hand a letter to two
//! callers at once, nor note as sent what came after.

use terrasift_schemas::TenantId;

use crate::dead_letters::{LETTER_COLUMNS, LetterRow, letter_out};
use crate::error::wrap;
use crate::{OutboxLetter, Store, StoreError, stored};

impl Store {
    /// Takes up to `at_most` letters with something to send, of all tenants. Each is this caller's for 30 s at least, and
    /// comes again, ever later, until it is sent or was tried 300 times (a day of brokers that do not answer).
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn claim_outbox(&self, at_most: u32) -> Result<Vec<OutboxLetter>, StoreError> {
        self.without_tenant(move |conn| {
            Box::pin(async move {
                let rows: Vec<LetterRow> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
                    "SELECT {LETTER_COLUMNS} FROM claim_outbox($1)"
                )))
                .bind(i64::from(at_most))
                .fetch_all(conn)
                .await
                .map_err(wrap("claim the outbox"))?;
                rows.into_iter()
                    .map(|row| {
                        let tenant = stored::id(TenantId::parse, &row.tenant_id)?;
                        Ok(OutboxLetter { tenant, letter: letter_out(row)? })
                    })
                    .collect()
            })
        })
        .await
    }

    /// Notes what of a claimed letter was sent. A failure or a retry that came since stays to be sent.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer: it will be sent again.
    pub async fn outbox_sent(
        &self,
        sent: &OutboxLetter,
        announced: bool,
        retried: bool,
    ) -> Result<(), StoreError> {
        let (id, occurrences, retries) = (sent.letter.id.0, sent.letter.occurrences, sent.letter.retries);
        self.in_tenant(&sent.tenant, move |tx| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE dead_letters SET announce_due = announce_due AND NOT ($3 AND occurrences = $4),
                                             retry_due = retry_due AND NOT ($5 AND retries = $6)
                     WHERE tenant_id = $1 AND letter_id = $2",
                )
                .bind(tx.tenant)
                .bind(id)
                .bind(announced)
                .bind(occurrences)
                .bind(retried)
                .bind(retries)
                .execute(tx.conn)
                .await
                .map_err(wrap("note what the outbox sent"))?;
                Ok(())
            })
        })
        .await
    }
}
