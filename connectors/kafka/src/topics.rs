//! The three topics: made when missing, checked when there.
//!
//! Must never change or delete a topic that exists: its owner may have reasons.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;
use terrasift_schemas::event::{SANITIZATION_FAILED_TOPIC, STATE_UPDATED_TOPIC, WORKSPACE_DISCOVERED_TOPIC};

use crate::{KafkaConfig, KafkaError};

/// Every topic of the contract.
pub const TOPICS: [&str; 3] = [WORKSPACE_DISCOVERED_TOPIC, STATE_UPDATED_TOPIC, SANITIZATION_FAILED_TOPIC];
/// Retention of the two event topics: 7 days.
pub const EVENT_RETENTION: Duration = Duration::from_secs(7 * 24 * 3600);
/// Retention of the dead letters: 30 days.
pub const DEAD_LETTER_RETENTION: Duration = Duration::from_secs(30 * 24 * 3600);

/// Longest wait for the brokers.
const ADMIN_WAIT: Duration = Duration::from_secs(15);

/// Makes the topics that are missing, and leaves those that exist as they are.
///
/// # Errors
/// [`KafkaError`] when no broker answers within 15 s, or one refuses.
pub async fn ensure_topics(
    config: &KafkaConfig,
    partitions: i32,
    replication: i32,
) -> Result<(), KafkaError> {
    const WHAT: &str = "cannot make the topics";
    let admin: AdminClient<DefaultClientContext> =
        config.client(&[], &[]).create().map_err(|error| KafkaError::native(WHAT, &error))?;
    let event_ms = EVENT_RETENTION.as_millis().to_string();
    let letter_ms = DEAD_LETTER_RETENTION.as_millis().to_string();
    let topics = TOPICS.map(|name| {
        let retention = if name == SANITIZATION_FAILED_TOPIC { &letter_ms } else { &event_ms };
        NewTopic::new(name, partitions, TopicReplication::Fixed(replication)).set("retention.ms", retention)
    });
    let options = AdminOptions::new().operation_timeout(Some(ADMIN_WAIT)).request_timeout(Some(ADMIN_WAIT));
    let results =
        admin.create_topics(&topics, &options).await.map_err(|error| KafkaError::native(WHAT, &error))?;
    for result in results {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) => return Err(KafkaError::code(WHAT, code)),
        }
    }
    Ok(())
}
