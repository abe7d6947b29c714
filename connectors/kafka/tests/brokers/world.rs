//! What cases share: a broker, a topic and a group of their own, senders and readers.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::metadata::MetadataTopic;
use terrasift_kafka::{
    ClusterPlan, Consumer, EmbeddedKafka, IntakeEvent, KafkaConfig, PrivateKafka, Producer, RawRecord,
    TopicPartition,
};
use terrasift_schemas::event::{EncodedRecord, STATE_UPDATED_TOPIC};
use tokio::sync::mpsc::Receiver;

/// Longest wait for anything: joining a group that was left takes the in-process listener 9 s.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("in vain waited for {what}"))
}

/// Where a case runs.
pub enum Broker {
    /// Started when the case says how many partitions it wants.
    Embedded(Option<EmbeddedKafka>),
    /// With the folder of its certificates.
    Shared(Arc<PrivateKafka>, PathBuf),
    Alone(Box<PrivateKafka>),
}

impl Broker {
    pub fn embedded() -> Self {
        Self::Embedded(None)
    }

    pub async fn alone(libs: &Path) -> Self {
        Self::Alone(Box::new(PrivateKafka::start(ClusterPlan::new(libs, 1)).await.expect("kafka")))
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Self::Embedded(_) => "in-process",
            Self::Shared(..) | Self::Alone(_) => "real",
        }
    }

    fn bootstrap(&self) -> String {
        match self {
            Self::Embedded(kafka) => kafka.as_ref().expect("ask for a topic first").bootstrap(),
            Self::Shared(kafka, _) => kafka.bootstrap(),
            Self::Alone(kafka) => kafka.bootstrap(),
        }
    }
}

/// A case's world.
pub struct World {
    pub broker: Broker,
    name: &'static str,
}

/// Whether each partition of a topic has a leader.
fn is_known(admin: &AdminClient<DefaultClientContext>, topic: &str, partitions: i32) -> bool {
    let told = admin.inner().fetch_metadata(Some(topic), Duration::from_secs(5));
    told.is_ok_and(|told| {
        let led = |topic: &MetadataTopic| topic.partitions().iter().filter(|p| p.leader() >= 0).count();
        told.topics().iter().any(|topic| i32::try_from(led(topic)) == Ok(partitions))
    })
}

impl World {
    pub fn new(broker: Broker, name: &'static str) -> Self {
        Self { broker, name: name.rsplit("::").next().unwrap_or(name) }
    }

    /// A topic with so many partitions that only this case uses. Once a case.
    pub async fn topic(&mut self, partitions: i32) -> &'static str {
        if let Broker::Embedded(kafka) = &mut self.broker {
            *kafka = Some(EmbeddedKafka::start(partitions).expect("kafka"));
            return STATE_UPDATED_TOPIC;
        }
        let topic = NewTopic::new(self.name, partitions, TopicReplication::Fixed(1));
        let admin = self.admin();
        let made = admin.create_topics([&topic], &AdminOptions::new()).await.expect("asked");
        assert!(made.iter().all(Result::is_ok), "{made:?}");
        // What is made is not known at once: a member that asked now might be told that there is no such topic.
        within("the topic to be known", async {
            while !is_known(&admin, self.name, partitions) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        self.name
    }

    pub fn admin(&self) -> AdminClient<DefaultClientContext> {
        ClientConfig::new().set("bootstrap.servers", self.broker.bootstrap()).create().expect("admin")
    }

    pub fn bootstrap(&self) -> String {
        self.broker.bootstrap()
    }

    pub fn config(&self, properties: &[(&str, &str)]) -> KafkaConfig {
        let mut config = KafkaConfig::new(&self.bootstrap(), self.name, "terrasift-test");
        // A topic was made a moment ago: a client that does not see it yet asks again soon.
        config.properties.insert("topic.metadata.refresh.fast.interval.ms".into(), "50".into());
        config.properties.extend(properties.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        config
    }

    pub fn producer(&self) -> Producer {
        Producer::new(&self.config(&[])).expect("producer")
    }
}

pub fn encoded(topic: &'static str, key: &str, value: &str) -> EncodedRecord {
    EncodedRecord {
        topic,
        key: key.to_owned(),
        headers: vec![("ce_id", value.to_owned()), ("content-type", "application/json".to_owned())],
        value: value.as_bytes().to_vec(),
    }
}

/// Sends numbers concurrently over `keys` keys; the value is the number.
pub async fn send(producer: &Producer, topic: &'static str, numbers: Range<usize>, keys: usize) {
    let sends: Vec<_> = numbers
        .map(|number| {
            let producer = producer.clone();
            let record = encoded(topic, &format!("acme/ws-{}", number % keys), &number.to_string());
            tokio::spawn(async move { producer.send(&record).await })
        })
        .collect();
    for sent in sends {
        sent.await.expect("sender").expect("sent");
    }
}

pub fn text(record: &RawRecord) -> String {
    String::from_utf8(record.value.clone().expect("value")).expect("text")
}

/// Takes batches until `enough` says so; checks that offsets go up without a gap in each partition.
pub async fn read(
    events: &mut Receiver<IntakeEvent>,
    mut enough: impl FnMut(&[RawRecord]) -> bool,
) -> Vec<RawRecord> {
    let mut records: Vec<RawRecord> = Vec::new();
    let mut next: BTreeMap<i32, i64> = BTreeMap::new();
    while !enough(&records) {
        match within("records", events.recv()).await.expect("the consumer runs") {
            IntakeEvent::Batch(batch) => {
                for record in batch {
                    let expected = next.entry(record.partition).or_insert(record.offset);
                    assert_eq!(record.offset, *expected, "partition {}: a gap", record.partition);
                    *expected += 1;
                    records.push(record);
                }
            }
            IntakeEvent::Revoked(_) => panic!("thrown out of the group"),
            IntakeEvent::Fault(error) => panic!("fault: {error}"),
            IntakeEvent::Assigned(_) => {}
        }
    }
    records
}

/// What one member of the group has seen.
#[derive(Default)]
pub struct Member {
    pub owned: BTreeSet<i32>,
    pub values: BTreeSet<String>,
    /// Records that came twice to this member.
    pub repeated: usize,
}

impl Member {
    /// Takes an event, checking that the sequence makes sense; settles what it reads.
    pub fn take(&mut self, consumer: &Consumer, event: Option<IntakeEvent>) {
        if let Some((at, next)) = self.note(event) {
            consumer.settle(&at, next);
        }
    }

    /// The same without settling: gives what there is to settle.
    pub fn note(&mut self, event: Option<IntakeEvent>) -> Option<(TopicPartition, i64)> {
        match event.expect("the consumer runs") {
            IntakeEvent::Assigned(of) => {
                assert!(!of.is_empty());
                of.iter().for_each(|p| assert!(self.owned.insert(p.partition), "assigned twice"));
            }
            IntakeEvent::Revoked(of) => {
                assert!(!of.is_empty());
                of.iter().for_each(|p| assert!(self.owned.remove(&p.partition), "revoked what was not ours"));
            }
            IntakeEvent::Batch(records) => {
                let last = records.last().expect("no empty batches");
                assert!(self.owned.contains(&last.partition), "records of a partition that is not ours");
                let settled = (TopicPartition::new(&last.topic, last.partition), last.offset + 1);
                for record in &records {
                    self.repeated += usize::from(!self.values.insert(text(record)));
                }
                return Some(settled);
            }
            IntakeEvent::Fault(error) => panic!("fault: {error}"),
        }
        None
    }
}
