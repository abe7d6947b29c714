//! Writes the security audit: appends through the ledger's functions; and the owner's part: months made ahead, old ones dropped.
//!
//! Must never write in the transaction of what it records: that may be rolled back. Must never change a record.

use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use time::OffsetDateTime;

use super::{Chain, Checkpoint, CheckpointSigner, TrailEntry, TrailRecord};
use crate::error::wrap;
use crate::{Store, StoreError};

/// Months for which partitions are made ahead. Later records go to the default partition.
const MONTHS_AHEAD: i32 = 2;

/// Columns of records, one list each: how a batch goes in one statement.
#[derive(Default)]
struct Columns {
    numbers: Vec<i64>,
    ats: Vec<OffsetDateTime>,
    texts: [Vec<String>; 8],
    previouses: Vec<Vec<u8>>,
    hashes: Vec<Vec<u8>>,
}

impl Columns {
    fn of(records: &[TrailRecord]) -> Self {
        let mut columns = Self::default();
        for record in records {
            columns.numbers.push(record.number);
            columns.ats.push(record.at);
            let texts = [
                &record.tenant,
                &record.actor,
                &record.action,
                &record.resource,
                &record.outcome,
                &record.code,
                &record.trace,
                &record.client,
            ];
            for (column, text) in columns.texts.iter_mut().zip(texts) {
                column.push(text.clone());
            }
            columns.previouses.push(record.previous.clone());
            columns.hashes.push(record.hash.clone());
        }
        columns
    }
}

impl Store {
    /// Appends records of one segment, of whatever tenants. Sent again, it adds nothing: whoever does not know what became of a batch
    /// sends the same one.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer: perhaps they were written.
    pub async fn append_trail(&self, records: &[TrailRecord]) -> Result<(), StoreError> {
        let Some(segment) = records.first().map(|record| record.segment.clone()) else { return Ok(()) };
        let columns = Columns::of(records);
        self.without_tenant(move |conn| {
            Box::pin(async move {
                let mut append = sqlx::query(
                    "SELECT append_security_audit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
                )
                .bind(segment)
                .bind(columns.numbers)
                .bind(columns.ats);
                for texts in columns.texts {
                    append = append.bind(texts);
                }
                let append = append.bind(columns.previouses).bind(columns.hashes);
                append.execute(conn).await.map(drop).map_err(wrap("append to the security audit"))
            })
        })
        .await
    }

    /// Adds a signed checkpoint. Sent again, it adds nothing.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn append_checkpoint(&self, checkpoint: Checkpoint) -> Result<(), StoreError> {
        self.without_tenant(move |conn| {
            Box::pin(async move {
                sqlx::query("SELECT append_security_checkpoint($1, $2, $3, $4, $5, $6)")
                    .bind(checkpoint.segment)
                    .bind(checkpoint.number)
                    .bind(checkpoint.at)
                    .bind(checkpoint.hash)
                    .bind(checkpoint.closes)
                    .bind(checkpoint.signature)
                    .execute(conn)
                    .await
                    .map(drop)
                    .map_err(wrap("add a checkpoint of the security audit"))
            })
        })
        .await
    }
}

/// Writes entries in a segment of their own, and closes it: for a command that does one thing and ends.
///
/// # Errors
/// As [`Store::append_trail`].
pub async fn record_alone(
    store: &Store,
    random: [u8; 16],
    signer: Option<&CheckpointSigner>,
    entries: Vec<TrailEntry>,
) -> Result<(), StoreError> {
    let mut chain = Chain::new(random);
    let Some(at) = entries.last().map(|entry| entry.at) else { return Ok(()) };
    let records: Vec<TrailRecord> = entries.into_iter().map(|entry| chain.link(entry)).collect();
    store.append_trail(&records).await?;
    match signer {
        Some(signer) => store.append_checkpoint(signer.sign(&chain, at, true)).await,
        None => Ok(()),
    }
}

/// Makes the partitions of the coming months, as the owner.
pub(crate) async fn prepare(owner: &mut PgConnection) -> Result<(), StoreError> {
    let prepare = sqlx::query("SELECT prepare_security_audit($1)").bind(MONTHS_AHEAD);
    prepare.execute(owner).await.map(drop).map_err(wrap("make the months of the security audit"))
}

/// Makes the partitions of the coming months and drops those that ended more than `keep_months` months ago, as the owner: how many.
///
/// # Errors
/// `Unavailable` when the database does not answer, `Refused` for anybody but the owner.
pub async fn retire_trail(owner_url: &str, keep_months: i32) -> Result<i32, StoreError> {
    let options = PgConnectOptions::from_str(owner_url)
        .map_err(wrap("read the database address: expected postgres://user:password@host:port/database"))?
        .application_name("terrasift audit retire")
        .disable_statement_logging();
    let mut conn =
        PgConnection::connect_with(&options).await.map_err(wrap("connect to the database as the owner"))?;
    prepare(&mut conn).await?;
    let retire = sqlx::query_scalar("SELECT retire_security_audit($1)").bind(keep_months);
    let retired = retire.fetch_one(&mut conn).await.map_err(wrap("drop old months of the security audit"));
    let _ = conn.close().await;
    retired
}
