//! A client of the brokers for whoever looks at the engine from outside: sends records, grows and empties topics, reads what a
//! group has committed.
//!
//! Must never use the engine's own clients or types: records are rendered as the contract documents them.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

/// The topic whose partitions decide who works on a workspace.
pub const STATE_UPDATED: &str = "terraform-state-updated";
/// All topics of the contract.
pub const TOPICS: [&str; 3] = ["terraform-workspace-discovered", STATE_UPDATED, "sanitization-failed"];

const ANSWER_WAIT: Duration = Duration::from_secs(5);
const SEND_WAIT: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Longest wait until deleted topics are gone.
const EMPTY_WAIT: Duration = Duration::from_secs(20);

/// A client. No `Debug`.
pub struct BrokerClient {
    producer: FutureProducer,
    admin: AdminClient<DefaultClientContext>,
    group: std::sync::Arc<BaseConsumer>,
}

/// Where a record was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentRecord {
    /// From 0.
    pub partition: i32,
    /// From 0.
    pub offset: i64,
}

impl BrokerClient {
    /// A client that can read what `group` has committed.
    ///
    /// # Errors
    /// When librdkafka refuses.
    pub fn new(bootstrap: &str, group: &str) -> Result<Self> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", bootstrap).set("log_level", "0");
        config.set("reconnect.backoff.ms", "50").set("reconnect.backoff.max.ms", "500");
        let admin = config.create().context("cannot make an admin client")?;
        let mut producer = config.clone();
        producer.set("acks", "all").set("enable.idempotence", "true").set("linger.ms", "0");
        // Java's, as every producer of these topics has to: a key on two partitions has two owners.
        producer.set("partitioner", "murmur2_random");
        let producer = producer.create().context("cannot make a producer")?;
        let group = config
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .create()
            .context("cannot make a consumer")?;
        Ok(Self { producer, admin, group: std::sync::Arc::new(group) })
    }

    /// Sends a record, and waits until the in-sync replicas have it.
    ///
    /// # Errors
    /// When that takes longer than a minute.
    pub async fn send(
        &self,
        topic: &str,
        key: &str,
        headers: &[(&str, &str)],
        value: &[u8],
    ) -> Result<SentRecord> {
        let mut all = OwnedHeaders::new();
        for (name, value) in headers {
            all = all.insert(Header { key: name, value: Some(*value) });
        }
        let record = FutureRecord::to(topic).key(key).payload(value).headers(all);
        let sent = self.producer.send(record, SEND_WAIT).await.map_err(|(error, _)| error)?;
        Ok(SentRecord { partition: sent.partition, offset: sent.offset })
    }

    /// Deletes the topics of the contract and waits until they are gone: the next start of the program makes them anew.
    ///
    /// # Errors
    /// When a broker refuses, or they do not go.
    pub async fn delete_topics(&self) -> Result<()> {
        for result in self.admin.delete_topics(&TOPICS, &options()).await? {
            match result {
                Ok(_) | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition)) => {}
                Err((topic, code)) => bail!("cannot delete topic {topic}: {code}"),
            }
        }
        let deadline = tokio::time::Instant::now() + EMPTY_WAIT;
        while !self.partitions().await?.is_empty() {
            if tokio::time::Instant::now() > deadline {
                bail!("deleted topics do not go");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Partitions of the topics of the contract that are there.
    ///
    /// # Errors
    /// When no broker answers.
    pub async fn partitions(&self) -> Result<BTreeMap<&'static str, usize>> {
        let client = std::sync::Arc::clone(&self.group);
        let asking = move || -> Result<_, KafkaError> {
            let all = client.fetch_metadata(None, ANSWER_WAIT)?;
            let known =
                |name: &&str| all.topics().iter().find(|t| t.name() == *name).map(|t| t.partitions().len());
            Ok(TOPICS.into_iter().filter_map(|name| Some((name, known(&name)?))).collect())
        };
        Ok(tokio::task::spawn_blocking(asking).await??)
    }

    /// Grows the topic of states to so many partitions.
    ///
    /// # Errors
    /// When a broker refuses.
    pub async fn grow(&self, partitions: usize) -> Result<()> {
        let results = self
            .admin
            .create_partitions(&[NewPartitions::new(STATE_UPDATED, partitions)], &options())
            .await?;
        results
            .into_iter()
            .try_for_each(|result| result.map(drop).map_err(|(_, code)| anyhow!("cannot grow: {code}")))
    }

    /// What the group has committed of the topic of states, by partition; nothing where it has committed nothing.
    ///
    /// # Errors
    /// When no broker answers in time.
    pub async fn committed(&self, partitions: i32) -> Result<BTreeMap<i32, i64>> {
        let client = std::sync::Arc::clone(&self.group);
        let asking = move || -> Result<_, KafkaError> {
            let mut list = TopicPartitionList::new();
            for partition in 0..partitions {
                list.add_partition(STATE_UPDATED, partition);
            }
            let committed = client.committed_offsets(list, ANSWER_WAIT)?;
            let known = |offset| if let Offset::Offset(offset) = offset { Some(offset) } else { None };
            let elements = committed.elements();
            Ok(elements.iter().filter_map(|at| Some((at.partition(), known(at.offset())?))).collect())
        };
        Ok(tokio::task::spawn_blocking(asking).await??)
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(ANSWER_WAIT)).request_timeout(Some(ANSWER_WAIT))
}
