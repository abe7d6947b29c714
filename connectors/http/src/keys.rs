//! API keys as they are shown. Must never show a digest, and a key's text once only: to whoever issues it.

use schemars::JsonSchema;
use serde::Serialize;
use terrasift_postgres::{ApiKeyEntry, ApiKeyId};
use time::OffsetDateTime;

use crate::openapi::Moment;

/// A key as it is shown, here and by `terrasift key`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ApiKey")]
pub struct ApiKeyBody {
    id: i64,
    name: String,
    /// `valid`, `expired` or `revoked`.
    state: &'static str,
    scopes: Vec<String>,
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "Moment")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Moment>")]
    expires_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Moment>")]
    revoked_at: Option<OffsetDateTime>,
    /// Up to two minutes late.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Moment>")]
    last_used_at: Option<OffsetDateTime>,
    /// The key that it was made for by a rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<i64>,
}

impl ApiKeyBody {
    /// As it stands now.
    #[must_use]
    pub fn at(entry: ApiKeyEntry, now: OffsetDateTime) -> Self {
        let state = match (entry.revoked_at, entry.expires_at) {
            (Some(_), _) => "revoked",
            (None, Some(at)) if at <= now => "expired",
            _ => "valid",
        };
        Self {
            id: entry.id.0,
            name: entry.name,
            state,
            scopes: entry.scopes,
            created_at: entry.created_at,
            expires_at: entry.expires_at,
            revoked_at: entry.revoked_at,
            last_used_at: entry.last_used_at,
            replaces: entry.replaces.map(|ApiKeyId(id)| id),
        }
    }

    /// Its state, as it is shown.
    #[must_use]
    pub fn state(&self) -> &'static str {
        self.state
    }
}
