//! Hop 8: the change feed by keyset, and waking who waits for it.
//!
//! Must never show a position before everything below it is visible: the tenant head's lock sees to that. Hints only
//! wake: what counts is what the database says, asked by one waiter at a time for all who wait.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use terrasift_schemas::{EntityRef, TenantId};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::error::wrap;
use crate::{ChangeRow, EntityRow, FeedHead, Store, StoreError, StoreErrorKind, stored};

/// Between two looks at the heads of all tenants that are waited for, together: as long as a commit of another process can stay
/// unnoticed where few are, and where many are.
const HEAD_POLL_MIN: Duration = Duration::from_millis(20);
const HEAD_POLL_MAX: Duration = Duration::from_millis(250);
/// What a tenant more adds, so that a look over many of them does not come as often as one over few.
const HEAD_POLL_SHARE: Duration = Duration::from_micros(250);

/// No caller waits longer: doors have timeouts far below.
const WAIT_MAX: Duration = Duration::from_secs(3_600);

pub(crate) type PageColumns = (i64, i64, Option<i64>, Option<String>, Option<bool>, Option<String>);

/// The newest positions this process knows of, a tenant each. Bounded by the declared tenants: only who has a head gets
/// an entry.
#[derive(Default)]
pub(crate) struct FeedHints {
    tenants: Mutex<HashMap<TenantId, Arc<TenantHint>>>,
    /// Held by the one waiter that looks for all waiters of all tenants: when the last look was.
    looked: tokio::sync::Mutex<Option<Instant>>,
}

struct TenantHint {
    seq: watch::Sender<i64>,
    /// Who waits for this tenant.
    waiting: AtomicU32,
}

/// One more waits for a tenant, until it is dropped.
struct Waiting<'h>(&'h TenantHint);

impl<'h> Waiting<'h> {
    fn begin(hint: &'h TenantHint) -> Self {
        hint.waiting.fetch_add(1, Ordering::Relaxed);
        Self(hint)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl FeedHints {
    fn of(&self, tenant: &TenantId) -> Arc<TenantHint> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Arc::new(TenantHint { seq: watch::Sender::new(0), waiting: AtomicU32::new(0) });
        tenants.entry(tenant.clone()).or_insert_with(fresh).clone()
    }

    /// Wakes who waits for something after a smaller position.
    pub(crate) fn raise(&self, tenant: &TenantId, seq: i64) {
        self.of(tenant).raise(seq);
    }

    fn waited_for(&self) -> Vec<TenantId> {
        let tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = tenants.iter().filter(|(_, hint)| hint.waiting.load(Ordering::Relaxed) > 0);
        waiting.map(|(tenant, _)| tenant.clone()).collect()
    }

    /// Waits for the turn to look, then until a look is due, then looks for all. Who is woken meanwhile leaves the turn, and
    /// the time of the look, to the next one.
    async fn look(&self, store: &Store) -> Result<(), StoreError> {
        let mut looked = self.looked.lock().await;
        let tenants = u32::try_from(self.waited_for().len()).unwrap_or(u32::MAX);
        let pause = HEAD_POLL_SHARE.saturating_mul(tenants).clamp(HEAD_POLL_MIN, HEAD_POLL_MAX);
        if let Some(last) = *looked {
            tokio::time::sleep_until(last + pause).await;
        }
        let heads = store.feed_heads(&self.waited_for()).await;
        *looked = Some(Instant::now());
        for (tenant, seq) in heads? {
            self.raise(&tenant, seq);
        }
        Ok(())
    }
}

impl TenantHint {
    fn raise(&self, seq: i64) {
        self.seq.send_if_modified(|known| {
            let newer = seq > *known;
            *known = seq.max(*known);
            newer
        });
    }
}

impl Store {
    /// The end of a tenant's feed.
    ///
    /// # Errors
    /// `Invalid` when the tenant is not declared.
    pub async fn feed_head(&self, tenant: &TenantId) -> Result<FeedHead, StoreError> {
        self.reading(tenant, move |tx| {
            Box::pin(async move {
                let row: Option<(i64, i64)> =
                    sqlx::query_as("SELECT feed_epoch, seq FROM tenant_heads WHERE tenant_id = $1")
                        .bind(tx.tenant)
                        .fetch_optional(tx.conn)
                        .await
                        .map_err(wrap("read the feed's head"))?;
                let (epoch, seq) = row.ok_or_else(undeclared)?;
                Ok(FeedHead { epoch, seq })
            })
        })
        .await
    }

    /// The ends of these tenants' feeds.
    async fn feed_heads(&self, tenants: &[TenantId]) -> Result<Vec<(TenantId, i64)>, StoreError> {
        let wanted: Vec<String> = tenants.iter().map(|tenant| tenant.as_str().to_owned()).collect();
        let rows: Vec<(String, i64)> = self
            .looking(move |conn| {
                let wanted = wanted.clone();
                Box::pin(async move {
                    sqlx::query_as("SELECT tenant_id, seq FROM feed_heads($1)")
                        .bind(wanted)
                        .fetch_all(conn)
                        .await
                        .map_err(wrap("read the feeds' heads"))
                })
            })
            .await?;
        rows.into_iter().map(|(tenant, seq)| Ok((stored::id(TenantId::parse, &tenant)?, seq))).collect()
    }

    /// The newest change of each entity whose last change lies after `after_seq`, in order, tombstones included; and the feed's end
    /// at the same moment. `kind` is the PascalCase spelling.
    ///
    /// # Errors
    /// `Invalid` when the tenant is not declared.
    pub async fn changes(
        &self,
        tenant: &TenantId,
        after_seq: i64,
        limit: u32,
        kind: Option<&str>,
    ) -> Result<(FeedHead, Vec<ChangeRow>), StoreError> {
        let (tenant, kind) = (tenant.clone(), kind.map(|k| stored::text_in(k, 256)));
        self.looking(move |conn| {
            let (tenant, kind) = (tenant.clone(), kind.clone());
            Box::pin(async move {
                let rows: Vec<PageColumns> = sqlx::query_as(
                    "SELECT feed_epoch, head, change_seq, entity_ref, deleted, body FROM feed_page($1, $2, $3, $4)",
                )
                .bind(tenant.as_str())
                .bind(after_seq)
                .bind(i64::from(limit))
                .bind(kind)
                .fetch_all(conn)
                .await
                .map_err(wrap("read the feed"))?;
                let head =
                    rows.first().map(|row| FeedHead { epoch: row.0, seq: row.1 }).ok_or_else(undeclared)?;
                let changes = rows.into_iter().filter_map(|row| change(row).transpose());
                Ok((head, changes.collect::<Result<_, StoreError>>()?))
            })
        })
        .await
    }

    /// A live entity.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn entity(
        &self,
        tenant: &TenantId,
        entity_ref: &EntityRef,
    ) -> Result<Option<EntityRow>, StoreError> {
        let entity_ref = entity_ref.clone();
        self.reading(tenant, move |tx| {
            Box::pin(async move {
                let row: Option<(String, Vec<u8>, i64)> = sqlx::query_as(
                    "SELECT body, digest, change_seq FROM entities
                     WHERE tenant_id = $1 AND entity_ref = $2 AND deleted_at IS NULL",
                )
                .bind(tx.tenant)
                .bind(entity_ref.as_str())
                .fetch_optional(tx.conn)
                .await
                .map_err(wrap("read an entity"))?;
                row.map(|(body, digest, seq)| Ok(EntityRow { body, digest: stored::bytes(digest)?, seq }))
                    .transpose()
            })
        })
        .await
    }

    /// Waits until the feed's end is past `head`, which was read, or until `timeout` (at most an hour); the end's position then. A
    /// commit in this process wakes at once, one of another process within a quarter of a second at most.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn wait_for_change(
        &self,
        tenant: &TenantId,
        head: FeedHead,
        timeout: Duration,
    ) -> Result<i64, StoreError> {
        let deadline = Instant::now() + timeout.min(WAIT_MAX);
        let hint = self.hints().of(tenant);
        let _waiting = Waiting::begin(&hint);
        let mut known = hint.seq.subscribe();
        hint.raise(head.seq);
        loop {
            let seq = *known.borrow_and_update();
            if seq > head.seq {
                return Ok(seq);
            }
            tokio::select! {
                () = tokio::time::sleep_until(deadline) => return Ok(seq),
                // The sender lives in `hint`: it cannot be gone.
                _ = known.changed() => {}
                looked = self.hints().look(self) => looked?,
            }
        }
    }
}

/// The change of a row; a feed that has none after the position is one row without.
pub(crate) fn change(columns: PageColumns) -> Result<Option<ChangeRow>, StoreError> {
    let (_, _, Some(seq), Some(text), Some(deleted), body) = columns else { return Ok(None) };
    Ok(Some(ChangeRow { seq, entity_ref: stored::entity_ref(&text)?, deleted, body }))
}

pub(crate) fn undeclared() -> StoreError {
    StoreError::new(StoreErrorKind::Invalid, "the tenant is not declared: add it to the configuration")
}
