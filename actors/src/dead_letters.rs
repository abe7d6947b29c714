//! Dead letters: the row in Postgres is their truth, the topic its outbox.
//!
//! Must never carry more than ids, a code and a constant text.

use std::time::SystemTime;

use terrasift_postgres::{Epoch, Mark, NewDeadLetter, StoreError};
use terrasift_schemas::event::{Envelope, Event, SANITIZATION_FAILED_TOPIC, SanitizationFailed};
use time::OffsetDateTime;

use crate::services::Services;

/// `source` of the events that Terrasift itself produces.
pub(crate) const SOURCE: &str = "/terrasift";

/// Stores a dead letter, clears the mark that led to it in the same transaction, and announces it on the topic.
///
/// # Errors
/// When the row could not be stored; the mark stands then.
pub(crate) async fn park(
    services: &Services,
    letter: &NewDeadLetter,
    clear: Option<(&Mark, Epoch)>,
) -> Result<(), StoreError> {
    let id = services.store.park(letter, clear).await?;
    let now = OffsetDateTime::from(SystemTime::now());
    let envelope = Envelope {
        id: format!("{}-{}-{}", letter.tenant, id.0, letter.attempts),
        source: SOURCE.to_owned(),
        time: Some(now),
        trace: letter.trace,
        event: Event::SanitizationFailed(SanitizationFailed {
            tenant: Some(letter.tenant.clone()),
            workspace: letter.workspace.clone(),
            reason: letter.reason,
            detail: letter.detail.clone(),
            attempts: letter.attempts,
            record: letter.record.clone(),
            time: now,
        }),
    };
    let sent = match envelope.encode() {
        Ok(record) => services.producer.send(&record).await.map(drop).map_err(|error| error.to_string()),
        Err(_) => Err("the dead letter cannot be encoded".to_owned()),
    };
    match sent {
        Ok(()) => services.telemetry.records(SANITIZATION_FAILED_TOPIC, "published", 1),
        Err(error) => services.telemetry.letter_not_published(&letter.tenant, &NotPublished(error)),
    }
    Ok(())
}

/// Why a dead letter's record was not published.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NotPublished(String);
