//! The consumer: polls on its own thread, hands over batches, never stops polling.

use tokio::sync::mpsc;

use crate::{KafkaConfig, KafkaError, KafkaErrorKind, RawRecord, TopicPartition};

/// What the consumer hands over, in order.
pub enum IntakeEvent {
    /// These partitions are ours from now on. Their records follow.
    Assigned(Vec<TopicPartition>),
    /// These partitions are no longer ours.
    Revoked(Vec<TopicPartition>),
    /// Records of one partition in order: at most 500, at most 1 MiB (or one larger record).
    Batch(Vec<RawRecord>),
    /// Something is wrong; the consumer goes on.
    Fault(KafkaError),
}

/// A running consumer.
pub struct Consumer {}

impl Consumer {
    /// Joins the group and starts to poll. At most `queue` events wait in the receiver.
    ///
    /// # Errors
    /// [`KafkaErrorKind::Configuration`] when a property is not accepted.
    pub fn start(
        config: &KafkaConfig,
        topics: &[&str],
        queue: usize,
    ) -> Result<(Self, mpsc::Receiver<IntakeEvent>), KafkaError> {
        let _ = (config, topics, queue);
        Err(KafkaError::new(KafkaErrorKind::Fatal, "cannot start the consumer", "not built yet"))
    }

    /// Everything of the partition below `next_offset` is finished.
    pub fn settle(&self, partition: &TopicPartition, next_offset: i64) {
        let _ = (partition, next_offset);
    }

    /// How many records wait behind the settled offsets.
    #[must_use]
    pub fn lag(&self) -> Vec<(TopicPartition, i64)> {
        Vec::new()
    }

    /// Commits what is settled, leaves the group and ends the thread.
    pub async fn stop(self) {}
}
