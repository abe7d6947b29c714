//! The three topics: made when missing, compared with what is documented when there.
//!
//! Must never change or delete a topic that exists: its owner may have reasons.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::error::RDKafkaErrorCode as Code;
use terrasift_schemas::event::{SANITIZATION_FAILED_TOPIC, STATE_UPDATED_TOPIC, WORKSPACE_DISCOVERED_TOPIC};
use tokio::time::Instant;

use crate::journal::Journal;
use crate::topic_check::{self, Expected, Found, TopicMismatch};
use crate::{KafkaConfig, KafkaError, KafkaErrorKind, Producer};

/// Every topic of the contract.
pub const TOPICS: [&str; 3] = [WORKSPACE_DISCOVERED_TOPIC, STATE_UPDATED_TOPIC, SANITIZATION_FAILED_TOPIC];
/// Retention of the two event topics: 7 days.
pub const EVENT_RETENTION: Duration = Duration::from_secs(7 * 24 * 3600);
/// Retention of the dead letters: 30 days.
pub const DEAD_LETTER_RETENTION: Duration = Duration::from_secs(30 * 24 * 3600);

/// Longest wait for the brokers, for each step.
const ADMIN_WAIT: Duration = Duration::from_secs(15);
/// Longest wait for the settings of the topics.
const DESCRIBE_WAIT: Duration = Duration::from_secs(5);
/// Wait between two looks whether new topics have their leaders.
const LOOK_GAP: Duration = Duration::from_millis(50);
const WHAT: &str = "cannot make sure of the topics";

/// Makes those of the three topics that are missing, with their retention, and waits until they can be used. Leaves those
/// that exist as they are: [`check_topics`] compares them.
///
/// # Errors
/// [`KafkaError`] when no broker answers within 15 s, or one refuses.
pub async fn ensure_topics(
    config: &KafkaConfig,
    partitions: i32,
    replication: i32,
) -> Result<(), KafkaError> {
    // Of an admin client nobody hears why it cannot connect; of a producer one does.
    Producer::new(config)?.ready(ADMIN_WAIT).await?;
    let (topics, found) = Topics::new(config, partitions, replication)?.look().await?;
    let missing: Vec<&str> =
        TOPICS.into_iter().filter(|name| !found.iter().any(|topic| topic.name == *name)).collect();
    if missing.is_empty() { Ok(()) } else { topics.create(&missing).await }
}

/// Compares those of the three topics that exist with what is documented and configured. Changes nothing.
///
/// # Errors
/// [`KafkaError`] when no broker answers within 15 s. Brokers that do not tell a topic's settings are no error.
pub async fn check_topics(
    config: &KafkaConfig,
    partitions: i32,
    replication: i32,
) -> Result<Vec<TopicMismatch>, KafkaError> {
    let (topics, found) = Topics::new(config, partitions, replication)?.look().await?;
    let mut found: Vec<_> = found.into_iter().map(|topic| (topic.name, topic.found)).collect();
    let mut mismatches = topics.describe(&mut found).await;
    for (topic, found) in &found {
        mismatches.extend(topic_check::compare(&topics.expected(topic), found));
    }
    Ok(mismatches)
}

/// What makes a record of `terraform-state-updated` durable, as the brokers tell it, to be printed beside figures: name and
/// value. Brokers that do not tell are no error.
///
/// # Errors
/// [`KafkaError`] when no broker answers within 15 s.
pub async fn durability(config: &KafkaConfig) -> Result<Vec<(String, String)>, KafkaError> {
    const TELLING: [&str; 4] =
        ["min.insync.replicas", "unclean.leader.election.enable", "flush.messages", "flush.ms"];
    let (topics, found) = Topics::new(config, 1, 1)?.look().await?;
    let updated = found.into_iter().filter(|topic| topic.name == STATE_UPDATED_TOPIC);
    let mut found: Vec<_> = updated.map(|topic| (topic.name, topic.found)).collect();
    topics.describe(&mut found).await;
    let mut told = vec![("acks".to_owned(), "all".to_owned())];
    for (_, found) in found {
        told.push(("partitions".to_owned(), found.partitions.to_string()));
        told.push(("replicas".to_owned(), found.replication.to_string()));
        let settings = found.settings.into_iter();
        told.extend(settings.filter(|(name, _)| TELLING.contains(&name.as_str())));
    }
    Ok(told)
}

/// One of the three topics, there.
struct There {
    name: &'static str,
    found: Found,
    /// All its partitions have leaders.
    led: bool,
}

struct Topics {
    admin: AdminClient<Journal>,
    partitions: i32,
    replication: i32,
}

impl Topics {
    fn new(config: &KafkaConfig, partitions: i32, replication: i32) -> Result<Self, KafkaError> {
        let admin = config
            .client(&[], &[])
            .create_with_context(Journal::default())
            .map_err(|error| KafkaError::native(WHAT, &error))?;
        Ok(Self { admin, partitions, replication })
    }

    fn expected(&self, topic: &'static str) -> Expected {
        let whole = |number: i32| usize::try_from(number).unwrap_or(0);
        Expected {
            topic,
            partitions: whole(self.partitions),
            replication: whole(self.replication),
            retention_ms: retention(topic).as_millis(),
        }
    }

    /// Those of the three topics that are there.
    async fn look(self) -> Result<(Self, Vec<There>), KafkaError> {
        // librdkafka's metadata call blocks its thread.
        let looking = tokio::task::spawn_blocking(move || {
            // All topics are asked for: asking for one by name can create it, with the broker's defaults.
            let metadata = self
                .admin
                .inner()
                .fetch_metadata(None, ADMIN_WAIT)
                .map_err(|error| KafkaError::native(WHAT, &error))?;
            let found = TOPICS.into_iter().filter_map(|name| {
                let topic = metadata.topics().iter().find(|topic| topic.name() == name)?;
                let partitions = topic.partitions();
                let replication = partitions.iter().map(|one| one.replicas().len()).min().unwrap_or(0);
                let led = !partitions.is_empty() && partitions.iter().all(|one| one.leader() >= 0);
                let found = Found { partitions: partitions.len(), replication, ..Found::default() };
                Some(There { name, found, led })
            });
            let found = found.collect();
            Ok((self, found))
        });
        looking.await.map_err(|_| KafkaError::new(KafkaErrorKind::Fatal, WHAT, "the check was aborted"))?
    }

    async fn create(self, missing: &[&'static str]) -> Result<(), KafkaError> {
        let (retentions, in_sync): (Vec<_>, _) = (
            missing.iter().map(|name| retention(name).as_millis().to_string()).collect(),
            topic_check::in_sync_min(usize::try_from(self.replication).unwrap_or(1)).to_string(),
        );
        let topics = missing.iter().zip(&retentions).map(|(name, retention)| {
            NewTopic::new(name, self.partitions, TopicReplication::Fixed(self.replication))
                .set("retention.ms", retention)
                .set("min.insync.replicas", &in_sync)
        });
        let topics: Vec<NewTopic<'_>> = topics.collect();
        let results = self
            .admin
            .create_topics(&topics, &options())
            .await
            .map_err(|error| KafkaError::native(WHAT, &error))?;
        for result in results {
            match result {
                // Another replica may have been faster.
                Ok(_) | Err((_, Code::TopicAlreadyExists)) => {}
                Err((_, code)) => return Err(KafkaError::code(WHAT, code)),
            }
        }
        self.wait_for(missing).await
    }

    /// A topic is made before its partitions have leaders: a consumer that came then would see it missing.
    async fn wait_for(self, missing: &[&'static str]) -> Result<(), KafkaError> {
        let deadline = Instant::now() + ADMIN_WAIT;
        let mut topics = self;
        loop {
            let found;
            (topics, found) = topics.look().await?;
            if missing.iter().all(|name| found.iter().any(|topic| topic.led && topic.name == *name)) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let why = "new topics have no leaders within 15 s: look at the brokers' logs";
                return Err(KafkaError::new(KafkaErrorKind::Unavailable, WHAT, why));
            }
            tokio::time::sleep(LOOK_GAP).await;
        }
    }

    /// Fills in the settings that brokers tell; gives those topics that we may not ask for.
    async fn describe(&self, found: &mut [(&'static str, Found)]) -> Vec<TopicMismatch> {
        if found.is_empty() {
            return vec![];
        }
        let asked: Vec<_> = found.iter().map(|(name, _)| ResourceSpecifier::Topic(name)).collect();
        let options = AdminOptions::new().request_timeout(Some(DESCRIBE_WAIT));
        let told = match self.admin.describe_configs(asked.iter(), &options).await {
            Ok(told) => told,
            Err(error) => {
                // The in-process listener cannot be asked, for one.
                let error = KafkaError::native("cannot ask for the settings of the topics", &error);
                tracing::info!(%error, "the settings of the topics are not checked");
                return vec![];
            }
        };
        let mut hidden = Vec::new();
        for ((topic, found), told) in found.iter_mut().zip(told) {
            match told {
                Ok(told) => {
                    let pairs = told.entries.into_iter();
                    found.settings = pairs.filter_map(|entry| Some((entry.name, entry.value?))).collect();
                }
                Err(_) => hidden.push(TopicMismatch {
                    topic,
                    problem: "cannot be checked: allow this user DESCRIBE_CONFIGS on it".to_owned(),
                }),
            }
        }
        hidden
    }
}

fn retention(topic: &str) -> Duration {
    if topic == SANITIZATION_FAILED_TOPIC { DEAD_LETTER_RETENTION } else { EVENT_RETENTION }
}

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(ADMIN_WAIT)).request_timeout(Some(ADMIN_WAIT))
}
