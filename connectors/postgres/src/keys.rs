//! API keys: found by digest, listed, replaced, revoked.
//!
//! Must never see a key itself, only its digest, nor keep what it found: a key that is revoked is refused from then on.

use std::time::Duration;

use terrasift_schemas::{TenantId, TenantSlug};
use time::OffsetDateTime;

use crate::error::wrap;
use crate::tenant_tx::TenantTx;
use crate::{CatalogVersion, Store, StoreError, cached, stored};

/// A key's name is for people.
const KEY_NAME_BYTES_MAX: usize = 256;

/// The columns of [`EntryColumns`].
const ENTRY_COLUMNS: &str =
    "key_id, name, scopes, created_at, expires_at, disabled_at, last_used_at, replaces";

/// Names a key to people; it opens nothing. One of all tenants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApiKeyId(pub i64);

/// What an API key opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyRow {
    /// Tenant of the key.
    pub tenant: TenantId,
    /// Its slug now.
    pub slug: TenantSlug,
    /// Its number.
    pub id: ApiKeyId,
    /// For people.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// `None` never expires. The caller compares with its clock.
    pub expires_at: Option<OffsetDateTime>,
    /// Revoked.
    pub disabled: bool,
    /// Its tenant is suspended.
    pub suspended: bool,
    /// How new what is shown of its tenant was at this moment.
    pub version: Option<CatalogVersion>,
}

/// A key to be stored.
pub struct NewApiKey {
    /// Of the key's text.
    pub digest: [u8; 32],
    /// For people; longer than its column, it is cut.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// `None` never expires.
    pub expires_at: Option<OffsetDateTime>,
    /// SHA-256 of what names the request for it among those of the tenant.
    pub request: Option<[u8; 32]>,
}

/// What came of a request for a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyIssued {
    /// There is a new key.
    Done(ApiKeyEntry),
    /// The same request made this one before.
    Before(ApiKeyId),
    /// The tenant has as many valid keys as it may have.
    TooMany,
}

/// A key as its tenant sees it: everything but its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyEntry {
    /// Its number.
    pub id: ApiKeyId,
    /// For people.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it was issued.
    pub created_at: OffsetDateTime,
    /// `None` never expires.
    pub expires_at: Option<OffsetDateTime>,
    /// Since when it is refused.
    pub revoked_at: Option<OffsetDateTime>,
    /// When it opened something last; up to two minutes late.
    pub last_used_at: Option<OffsetDateTime>,
    /// The key that it was made for by a rotation.
    pub replaces: Option<ApiKeyId>,
}

/// What came of a rotation.
#[expect(clippy::large_enum_variant, reason = "one a rotation, and gone when it is answered")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyRotated {
    /// There is a new key, and the old one ends.
    Done {
        /// Valid at once.
        new: ApiKeyEntry,
        /// With its end.
        old: ApiKeyEntry,
    },
    /// It was rotated before: by this one.
    Before(ApiKeyId),
    /// It is revoked or expired.
    Over,
}

/// A key opened something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// Whose.
    pub tenant: TenantId,
    /// Which.
    pub key: ApiKeyId,
    /// When.
    pub at: OffsetDateTime,
}

#[derive(sqlx::FromRow)]
struct KeyColumns {
    tenant_id: String,
    slug: String,
    key_id: i64,
    name: String,
    scopes: Vec<String>,
    expires_at: Option<OffsetDateTime>,
    disabled: bool,
    suspended: bool,
    feed_epoch: Option<i64>,
    seq: Option<i64>,
    workspaces_seq: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct EntryColumns {
    key_id: i64,
    name: String,
    scopes: Vec<String>,
    created_at: OffsetDateTime,
    expires_at: Option<OffsetDateTime>,
    disabled_at: Option<OffsetDateTime>,
    last_used_at: Option<OffsetDateTime>,
    replaces: Option<i64>,
}

impl From<EntryColumns> for ApiKeyEntry {
    fn from(row: EntryColumns) -> Self {
        Self {
            id: ApiKeyId(row.key_id),
            name: row.name,
            scopes: row.scopes,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.disabled_at,
            last_used_at: row.last_used_at,
            replaces: row.replaces.map(ApiKeyId),
        }
    }
}

impl Store {
    /// Finds a key by its HMAC-SHA-256 digest, over all tenants. Revoked and expired ones are found too.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn api_key(&self, digest: [u8; 32]) -> Result<Option<ApiKeyRow>, StoreError> {
        self.looking(move |conn| {
            Box::pin(async move {
                let row: Option<KeyColumns> = sqlx::query_as(
                    "SELECT k.tenant_id, k.slug, k.key_id, k.name, k.scopes, k.expires_at, k.disabled, k.suspended,
                            v.feed_epoch, v.seq, v.workspaces_seq
                     FROM find_api_key($1) AS k LEFT JOIN LATERAL catalog_version(k.tenant_id) AS v ON true",
                )
                .bind(digest.as_slice())
                .fetch_optional(conn)
                .await
                .map_err(wrap("look an api key up"))?;
                row.map(key).transpose()
            })
        })
        .await
    }

    /// Adds a key to a tenant.
    ///
    /// # Errors
    /// `Invalid` when the digest is there already, or the tenant is not declared.
    pub async fn insert_api_key(
        &self,
        tenant: &TenantId,
        digest: [u8; 32],
        name: &str,
        scopes: &[String],
        expires_at: Option<OffsetDateTime>,
    ) -> Result<ApiKeyEntry, StoreError> {
        let new =
            NewApiKey { digest, name: name.to_owned(), scopes: scopes.to_vec(), expires_at, request: None };
        self.in_tenant(tenant, move |mut tx| Box::pin(async move { insert(&mut tx, new, None).await })).await
    }

    /// Adds a key on behalf of the tenant itself: the same request twice makes one key, and there are at most `valid_max` that are valid.
    ///
    /// # Errors
    /// `Invalid` when the digest is there already; `Conflict` when the same request is under way.
    pub async fn issue_api_key(
        &self,
        tenant: &TenantId,
        new: NewApiKey,
        valid_max: u32,
    ) -> Result<KeyIssued, StoreError> {
        self.in_tenant(tenant, move |mut tx| {
            Box::pin(async move {
                // One at a time, so that the bound holds and a request that is sent again sees what the first one made.
                sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('api keys of ' || $1, 0))")
                    .bind(tx.tenant)
                    .execute(&mut *tx.conn)
                    .await
                    .map_err(wrap("wait for who issues an api key"))?;
                let (before, valid): (Option<i64>, i64) = sqlx::query_as(
                    "SELECT min(key_id) FILTER (WHERE request = $2),
                            count(*) FILTER (WHERE disabled_at IS NULL AND (expires_at IS NULL OR expires_at > now()))
                     FROM api_keys WHERE tenant_id = $1",
                )
                .bind(tx.tenant)
                .bind(new.request.as_ref().map(<[u8; 32]>::as_slice))
                .fetch_one(&mut *tx.conn)
                .await
                .map_err(wrap("count api keys"))?;
                if let Some(before) = before {
                    return Ok(KeyIssued::Before(ApiKeyId(before)));
                }
                if valid >= i64::from(valid_max) {
                    return Ok(KeyIssued::TooMany);
                }
                insert(&mut tx, new, None).await.map(KeyIssued::Done)
            })
        })
        .await
    }

    /// A page of a tenant's keys, oldest first; `after` is the last one of the page before.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn api_keys(
        &self,
        tenant: &TenantId,
        after: Option<ApiKeyId>,
        at_most: u32,
    ) -> Result<Vec<ApiKeyEntry>, StoreError> {
        self.reading(tenant, move |tx| {
            Box::pin(async move {
                let query = format!(
                    "SELECT {ENTRY_COLUMNS} FROM api_keys WHERE tenant_id = $1 AND key_id > $2 ORDER BY key_id LIMIT $3"
                );
                let rows: Vec<EntryColumns> = sqlx::query_as(sqlx::AssertSqlSafe(query))
                    .bind(tx.tenant)
                    .bind(after.map_or(0, |id| id.0))
                    .bind(i64::from(at_most))
                    .fetch_all(tx.conn)
                    .await
                    .map_err(wrap("list api keys"))?;
                Ok(rows.into_iter().map(ApiKeyEntry::from).collect())
            })
        })
        .await
    }

    /// One key of a tenant.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn api_key_entry(
        &self,
        tenant: &TenantId,
        id: ApiKeyId,
    ) -> Result<Option<ApiKeyEntry>, StoreError> {
        self.reading(tenant, move |mut tx| Box::pin(async move { entry(&mut tx, id, "").await })).await
    }

    /// Makes a key in the place of another one, with its name and scopes, valid at once. The other one ends after `overlap`, unless it ends
    /// before. None: no key of this tenant has this id.
    ///
    /// # Errors
    /// `Invalid` when the digest is there already.
    pub async fn rotate_api_key(
        &self,
        tenant: &TenantId,
        id: ApiKeyId,
        digest: [u8; 32],
        expires_at: Option<OffsetDateTime>,
        overlap: Duration,
    ) -> Result<Option<KeyRotated>, StoreError> {
        self.in_tenant(tenant, move |mut tx| {
            Box::pin(async move {
                // Whoever rotates or revokes it at the same time waits here.
                let Some(old) = entry(&mut tx, id, "FOR NO KEY UPDATE").await? else { return Ok(None) };
                if let Some(by) = successor(&mut tx, id).await? {
                    return Ok(Some(KeyRotated::Before(by)));
                }
                let now: OffsetDateTime = sqlx::query_scalar("SELECT now()")
                    .fetch_one(&mut *tx.conn)
                    .await
                    .map_err(wrap("read the clock"))?;
                if old.revoked_at.is_some() || old.expires_at.is_some_and(|at| at <= now) {
                    return Ok(Some(KeyRotated::Over));
                }
                let (name, scopes) = (old.name.clone(), old.scopes.clone());
                let new = NewApiKey { digest, name, scopes, expires_at, request: None };
                let new = insert(&mut tx, new, Some(id)).await?;
                let ends = old.expires_at.map_or(now + overlap, |at| at.min(now + overlap));
                sqlx::query("UPDATE api_keys SET expires_at = $3 WHERE tenant_id = $1 AND key_id = $2")
                    .bind(tx.tenant)
                    .bind(id.0)
                    .bind(ends)
                    .execute(&mut *tx.conn)
                    .await
                    .map_err(wrap("end a rotated api key"))?;
                Ok(Some(KeyRotated::Done { new, old: ApiKeyEntry { expires_at: Some(ends), ..old } }))
            })
        })
        .await
    }

    /// Ends a key now: every replica refuses it from the next request on. Asked again, it changes nothing. None: no key of this tenant
    /// has this id.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer: perhaps it is revoked.
    pub async fn revoke_api_key(
        &self,
        tenant: &TenantId,
        id: ApiKeyId,
    ) -> Result<Option<ApiKeyEntry>, StoreError> {
        self.in_tenant(tenant, move |tx| {
            Box::pin(async move {
                let query = format!(
                    "UPDATE api_keys SET disabled_at = coalesce(disabled_at, now()) WHERE tenant_id = $1 AND key_id = $2
                     RETURNING {ENTRY_COLUMNS}"
                );
                let row: Option<EntryColumns> = sqlx::query_as(sqlx::AssertSqlSafe(query))
                    .bind(tx.tenant)
                    .bind(id.0)
                    .fetch_optional(tx.conn)
                    .await
                    .map_err(wrap("revoke an api key"))?;
                Ok(row.map(ApiKeyEntry::from))
            })
        })
        .await
    }

    /// Notes when keys were used last, of whatever tenants; less than a minute after what is noted, it is left out.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn note_key_uses(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
        if uses.is_empty() {
            return Ok(());
        }
        let tenants: Vec<String> = uses.iter().map(|used| used.tenant.as_str().to_owned()).collect();
        let ids: Vec<i64> = uses.iter().map(|used| used.key.0).collect();
        let ats: Vec<OffsetDateTime> = uses.iter().map(|used| used.at).collect();
        self.without_tenant(move |conn| {
            Box::pin(async move {
                sqlx::query("SELECT note_key_uses($1, $2, $3)")
                    .bind(tenants)
                    .bind(ids)
                    .bind(ats)
                    .execute(conn)
                    .await
                    .map_err(wrap("note when api keys were used"))?;
                Ok(())
            })
        })
        .await
    }
}

async fn insert(
    tx: &mut TenantTx<'_>,
    new: NewApiKey,
    replaces: Option<ApiKeyId>,
) -> Result<ApiKeyEntry, StoreError> {
    let query = format!(
        "INSERT INTO api_keys (tenant_id, digest, name, scopes, expires_at, replaces, request) VALUES ($1, $2, $3, $4, $5, $6, $7)
         RETURNING {ENTRY_COLUMNS}"
    );
    let row: EntryColumns = sqlx::query_as(sqlx::AssertSqlSafe(query))
        .bind(tx.tenant)
        .bind(new.digest.as_slice())
        .bind(stored::text_in(&new.name, KEY_NAME_BYTES_MAX))
        .bind(new.scopes)
        .bind(new.expires_at)
        .bind(replaces.map(|id| id.0))
        .bind(new.request.as_ref().map(<[u8; 32]>::as_slice))
        .fetch_one(&mut *tx.conn)
        .await
        .map_err(wrap("add an api key: is it new, and the tenant declared?"))?;
    Ok(row.into())
}

/// `lock` is one of this file's constants.
async fn entry(
    tx: &mut TenantTx<'_>,
    id: ApiKeyId,
    lock: &'static str,
) -> Result<Option<ApiKeyEntry>, StoreError> {
    let query = format!("SELECT {ENTRY_COLUMNS} FROM api_keys WHERE tenant_id = $1 AND key_id = $2 {lock}");
    let row: Option<EntryColumns> = sqlx::query_as(sqlx::AssertSqlSafe(query))
        .bind(tx.tenant)
        .bind(id.0)
        .fetch_optional(&mut *tx.conn)
        .await
        .map_err(wrap("read an api key"))?;
    Ok(row.map(ApiKeyEntry::from))
}

/// What a key was replaced by.
async fn successor(tx: &mut TenantTx<'_>, id: ApiKeyId) -> Result<Option<ApiKeyId>, StoreError> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT key_id FROM api_keys WHERE tenant_id = $1 AND replaces = $2")
            .bind(tx.tenant)
            .bind(id.0)
            .fetch_optional(&mut *tx.conn)
            .await
            .map_err(wrap("look for what an api key was replaced by"))?;
    Ok(found.map(ApiKeyId))
}

fn key(columns: KeyColumns) -> Result<ApiKeyRow, StoreError> {
    Ok(ApiKeyRow {
        tenant: stored::id(TenantId::parse, &columns.tenant_id)?,
        slug: stored::id(TenantSlug::parse, &columns.slug)?,
        id: ApiKeyId(columns.key_id),
        name: columns.name,
        scopes: columns.scopes,
        expires_at: columns.expires_at,
        disabled: columns.disabled,
        suspended: columns.suspended,
        version: cached::version((columns.feed_epoch, columns.seq, columns.workspaces_seq)),
    })
}
