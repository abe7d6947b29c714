//! The three topics: made when missing, left alone when there.
//!
//! Must never change or delete a topic that exists: its owner may have reasons.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::error::RDKafkaErrorCode;
use terrasift_schemas::event::{SANITIZATION_FAILED_TOPIC, STATE_UPDATED_TOPIC, WORKSPACE_DISCOVERED_TOPIC};

use crate::journal::Journal;
use crate::{KafkaConfig, KafkaError, KafkaErrorKind};

/// Every topic of the contract.
pub const TOPICS: [&str; 3] = [WORKSPACE_DISCOVERED_TOPIC, STATE_UPDATED_TOPIC, SANITIZATION_FAILED_TOPIC];
/// Retention of the two event topics: 7 days.
pub const EVENT_RETENTION: Duration = Duration::from_secs(7 * 24 * 3600);
/// Retention of the dead letters: 30 days.
pub const DEAD_LETTER_RETENTION: Duration = Duration::from_secs(30 * 24 * 3600);

/// Longest wait for the brokers, for each of the two steps.
const ADMIN_WAIT: Duration = Duration::from_secs(15);
const WHAT: &str = "cannot make sure of the topics";

/// Makes those of the three topics that are missing, with their retention, and leaves those that exist as they are.
///
/// # Errors
/// [`KafkaError`] when no broker answers within 15 s, or one refuses.
pub async fn ensure_topics(
    config: &KafkaConfig,
    partitions: i32,
    replication: i32,
) -> Result<(), KafkaError> {
    let admin: AdminClient<Journal> = config
        .client(&[], &[])
        .create_with_context(Journal)
        .map_err(|error| KafkaError::native(WHAT, &error))?;
    // librdkafka's metadata call blocks its thread.
    let listed = tokio::task::spawn_blocking(move || missing(&admin).map(|missing| (admin, missing))).await;
    let (admin, missing) =
        listed.map_err(|_| KafkaError::new(KafkaErrorKind::Fatal, WHAT, "the check was aborted"))??;
    if missing.is_empty() {
        return Ok(());
    }
    let event_ms = EVENT_RETENTION.as_millis().to_string();
    let letter_ms = DEAD_LETTER_RETENTION.as_millis().to_string();
    let topics: Vec<NewTopic<'_>> = missing
        .iter()
        .map(|name| {
            let retention = if *name == SANITIZATION_FAILED_TOPIC { &letter_ms } else { &event_ms };
            NewTopic::new(name, partitions, TopicReplication::Fixed(replication))
                .set("retention.ms", retention)
        })
        .collect();
    let options = AdminOptions::new().operation_timeout(Some(ADMIN_WAIT)).request_timeout(Some(ADMIN_WAIT));
    let results =
        admin.create_topics(&topics, &options).await.map_err(|error| KafkaError::native(WHAT, &error))?;
    for result in results {
        match result {
            // Another replica may have been faster.
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) => return Err(KafkaError::code(WHAT, code)),
        }
    }
    Ok(())
}

fn missing(admin: &AdminClient<Journal>) -> Result<Vec<&'static str>, KafkaError> {
    // All topics are asked for: asking for one by name can create it, with the broker's defaults.
    let metadata =
        admin.inner().fetch_metadata(None, ADMIN_WAIT).map_err(|error| KafkaError::native(WHAT, &error))?;
    let there = |name: &str| metadata.topics().iter().any(|topic| topic.name() == name);
    Ok(TOPICS.into_iter().filter(|name| !there(name)).collect())
}
