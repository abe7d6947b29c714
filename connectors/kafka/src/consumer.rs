//! The consumer: member of a group, hands over batches, commits what is settled.
//!
//! Must never commit an offset that was not settled: what is read and not finished is read again after a crash.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use tokio::sync::{mpsc, oneshot};

use crate::listener::Listener;
use crate::login::CurrentLogin;
use crate::polling::Poller;
use crate::progress::Shared;
use crate::{KafkaConfig, KafkaError, KafkaErrorKind, RawRecord, TopicPartition};

/// Longest wait for the last commit and the farewell to the group.
const STOP_WAIT: Duration = Duration::from_secs(15);

/// What the consumer hands over, in order.
pub enum IntakeEvent {
    /// These partitions are ours from now on. Their records follow, from the last commit on.
    Assigned(Vec<TopicPartition>),
    /// These partitions are no longer ours; settling them has no effect any more. Before that, the consumer waited for
    /// what it had handed over of them to be settled, for at most [`KafkaConfig::drain`].
    Revoked(Vec<TopicPartition>),
    /// Records of one partition in order: at most 2,000, at most 1 MiB (or one larger record); never empty.
    Batch(Vec<RawRecord>),
    /// Something is wrong. The consumer goes on by itself, unless the kind is [`KafkaErrorKind::Fatal`]: then the
    /// receiver ends after it and a new consumer is due.
    Fault(KafkaError),
}

/// A running consumer. Dropping it stops it without waiting; [`Consumer::stop`] waits.
pub struct Consumer {
    shared: Arc<Shared>,
    ended: oneshot::Receiver<()>,
}

impl Consumer {
    /// Joins the group and starts to poll on a thread of its own. At most `queue` (at least 1) events wait in the
    /// receiver; when it is full the partitions are paused, and polling goes on.
    ///
    /// # Errors
    /// [`KafkaErrorKind::Configuration`] when a property is not accepted.
    pub fn start(
        config: &KafkaConfig,
        topics: &[&str],
        queue: usize,
    ) -> Result<(Self, mpsc::Receiver<IntakeEvent>), KafkaError> {
        const WHAT: &str = "cannot start the kafka consumer";
        let defaults = [
            ("session.timeout.ms", "10000"),
            ("heartbeat.interval.ms", "3000"),
            ("auto.commit.interval.ms", "1000"),
            ("fetch.wait.max.ms", "100"),
            // Bounds of what librdkafka fetches ahead, for a partition and in all.
            ("max.partition.fetch.bytes", "1048576"),
            ("queued.max.messages.kbytes", "16384"),
            ("statistics.interval.ms", "5000"),
        ];
        let mut fixed = vec![
            ("group.id", config.group.as_str()),
            ("partition.assignment.strategy", "cooperative-sticky"),
            ("auto.offset.reset", "earliest"),
            // Only what is settled is stored, and only what is stored is committed.
            ("enable.auto.offset.store", "false"),
            ("enable.auto.commit", "true"),
            ("enable.partition.eof", "false"),
            ("allow.auto.create.topics", "false"),
        ];
        fixed.extend(config.instance_id.as_deref().map(|id| ("group.instance.id", id)));
        let shared = Arc::new(Shared::default());
        let login = CurrentLogin::new(config.security.login.clone());
        let consumer: BaseConsumer<Listener> = config
            .client(&defaults, &fixed)
            .create_with_context(Listener::new(Arc::clone(&shared)))
            .map_err(|error| KafkaError::native(WHAT, &error))?;
        consumer.subscribe(topics).map_err(|error| KafkaError::native(WHAT, &error))?;
        let (events, receiver) = mpsc::channel(queue.max(1));
        let (end, ended) = oneshot::channel();
        let poller = Poller::new(consumer, login, Arc::clone(&shared), events, config.drain);
        std::thread::Builder::new()
            .name("kafka-poll".into())
            .spawn(move || {
                poller.run();
                // Nobody waits when the consumer was dropped.
                let _ = end.send(());
            })
            .map_err(|_| KafkaError::new(KafkaErrorKind::Unavailable, WHAT, "no thread to be had"))?;
        Ok((Self { shared, ended }, receiver))
    }

    /// Everything of the partition below `next_offset` is finished. Committed within about a second; a hint, since effects
    /// are guarded elsewhere. Without effect for a partition that is not assigned (any more), for offsets that were not
    /// handed over, and backwards.
    pub fn settle(&self, partition: &TopicPartition, next_offset: i64) {
        self.shared.settle(partition, next_offset);
    }

    /// Whether the group has given us this partition, as far as we have heard: ahead of the events that tell of it.
    #[must_use]
    pub fn holds(&self, partition: &TopicPartition) -> bool {
        self.shared.holds(partition)
    }

    /// How many records of each assigned partition are not settled yet; at most some 5 s old, sorted.
    #[must_use]
    pub fn lag(&self) -> Vec<(TopicPartition, i64)> {
        self.shared.lag()
    }

    /// Commits what is settled, leaves the group and ends the thread; waits for that, at most 15 s. A static member does not
    /// leave: until its session times out, its partitions wait for it.
    pub async fn stop(mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if tokio::time::timeout(STOP_WAIT, &mut self.ended).await.is_err() {
            tracing::warn!(
                "the kafka consumer did not end in time: records since the last commit will come again"
            );
        }
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}
