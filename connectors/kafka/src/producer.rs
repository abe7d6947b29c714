//! The producer: a record is sent when every in-sync replica has it, once and in order, or an error says so in time.
//!
//! Must never retry beyond its bound, nor log what it sends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer as _};
use rdkafka::util::Timeout;
use terrasift_schemas::event::{EncodedRecord, RecordPosition};

use crate::journal::Journal;
use crate::login::CurrentLogin;
use crate::{KafkaConfig, KafkaError, KafkaErrorKind};

/// Longest wait for room in the local queue.
const QUEUE_WAIT: Duration = Duration::from_secs(5);

/// Wait for one answer of a broker, before another look at what is known by then.
const ANSWER_WAIT: Duration = Duration::from_secs(1);

/// Sends records. Cheap to clone; clones share one connection and one queue.
#[derive(Clone)]
pub struct Producer {
    inner: Arc<FutureProducer<Journal>>,
    journal: Journal,
    login: Arc<CurrentLogin>,
}

impl Producer {
    /// Builds a producer; does not wait for a broker.
    ///
    /// # Errors
    /// [`KafkaErrorKind::Configuration`] when a property is not accepted.
    pub fn new(config: &KafkaConfig) -> Result<Self, KafkaError> {
        let defaults = [
            // How long a record may take, all retries included: a webhook's sender waits for this.
            ("message.timeout.ms", "10000"),
            ("queue.buffering.max.messages", "20000"),
            ("queue.buffering.max.kbytes", "65536"),
            // A batch fills while the one before is on its way; 5 ms more of latency buy nothing here.
            ("linger.ms", "1"),
            // Java's default, so that a key lands on the same partition whoever sends it.
            ("partitioner", "murmur2_random"),
        ];
        let fixed = [("enable.idempotence", "true"), ("acks", "all")];
        let journal = Journal::default();
        let login = Arc::new(CurrentLogin::new(config.security.login.clone()));
        let inner: FutureProducer<Journal> = config
            .client(&defaults, &fixed)
            .create_with_context(journal.clone())
            .map_err(|error| KafkaError::native("cannot build the kafka producer", &error))?;
        Ok(Self { inner: Arc::new(inner), journal, login })
    }

    /// Sends one record and waits until all in-sync replicas have it, at most `message.timeout.ms` (10 s) and 5 s for
    /// room in the queue. Dropping the future does not take the record back.
    ///
    /// # Errors
    /// [`KafkaErrorKind::Unavailable`] when no broker took it in time: it may or may not have been written.
    pub async fn send(&self, record: &EncodedRecord) -> Result<RecordPosition, KafkaError> {
        const WHAT: &str = "cannot send a record to kafka";
        self.login.renew(self.inner.client());
        let mut headers = OwnedHeaders::new_with_capacity(record.headers.len());
        for (name, value) in &record.headers {
            headers = headers.insert(Header { key: name, value: Some(value) });
        }
        let message = FutureRecord::to(record.topic).key(&record.key).payload(&record.value).headers(headers);
        match self.inner.send(message, Timeout::After(QUEUE_WAIT)).await {
            Ok(at) => {
                self.journal.answered();
                let topic = record.topic.to_owned();
                Ok(RecordPosition { topic, partition: at.partition, offset: at.offset })
            }
            Err((error, _)) => Err(self.journal.explain(KafkaError::native(WHAT, &error))),
        }
    }

    /// Whether a broker answers within `timeout`.
    ///
    /// # Errors
    /// [`KafkaErrorKind::Unavailable`] when none does, [`KafkaErrorKind::Fatal`] when this producer is of no more use.
    pub async fn ready(&self, timeout: Duration) -> Result<(), KafkaError> {
        const WHAT: &str = "kafka is not ready";
        self.login.renew(self.inner.client());
        if self.inner.client().fatal_error().is_some() {
            return Err(KafkaError::new(KafkaErrorKind::Fatal, WHAT, "the producer has failed for good"));
        }
        let (inner, journal) = (Arc::clone(&self.inner), self.journal.clone());
        // librdkafka's call blocks its thread, and tries a refused login again until its time is over.
        let asking = move || {
            let deadline = Instant::now() + timeout;
            loop {
                let left = deadline.saturating_duration_since(Instant::now());
                match inner.client().fetch_metadata(None, left.min(ANSWER_WAIT)) {
                    Ok(_) => return Ok(()),
                    Err(error) if left <= ANSWER_WAIT || journal.distrusts() => return Err(error),
                    Err(_) => {}
                }
            }
        };
        tokio::task::spawn_blocking(asking)
            .await
            .map_err(|_| KafkaError::new(KafkaErrorKind::Fatal, WHAT, "the check was aborted"))?
            .map_err(|error| self.journal.explain(KafkaError::native(WHAT, &error)))
    }
}
