//! Whose a tenant's upstream tokens are. Must never hold a token: each is named by its fingerprint.

use terrasift_schemas::TenantId;

use crate::error::wrap;
use crate::{Store, StoreError};

impl Store {
    /// The upstream user behind a token, as somebody found it out.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn token_user(
        &self,
        tenant: &TenantId,
        fingerprint: &str,
    ) -> Result<Option<String>, StoreError> {
        let fingerprint = fingerprint.to_owned();
        self.reading(tenant, move |tx| {
            Box::pin(async move {
                sqlx::query_scalar(
                    "SELECT user_id FROM token_users WHERE tenant_id = $1 AND fingerprint = $2",
                )
                .bind(tx.tenant)
                .bind(fingerprint)
                .fetch_optional(tx.conn)
                .await
                .map_err(wrap("read whose a token is"))
            })
        })
        .await
    }

    /// Remembers whose a token is.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn remember_token_user(
        &self,
        tenant: &TenantId,
        fingerprint: &str,
        user: &str,
    ) -> Result<(), StoreError> {
        let (fingerprint, user) = (fingerprint.to_owned(), user.to_owned());
        self.in_tenant(tenant, move |tx| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO token_users (tenant_id, fingerprint, user_id) VALUES ($1, $2, $3)
                     ON CONFLICT (tenant_id, fingerprint) DO UPDATE SET user_id = excluded.user_id",
                )
                .bind(tx.tenant)
                .bind(fingerprint)
                .bind(user)
                .execute(tx.conn)
                .await
                .map_err(wrap("remember whose a token is"))?;
                Ok(())
            })
        })
        .await
    }
}
