//! Listens to librdkafka: its callbacks run inside of `poll`, on the poll thread.
//!
//! Must never wait: what a rebalance asks back is noted, and given up by the poll thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, RebalanceProtocol};
use rdkafka::error::KafkaError as Native;
use rdkafka::statistics::Statistics;
use rdkafka::types::RDKafkaRespErr as Response;
use rdkafka::{ClientContext, TopicPartitionList};

use crate::polling::list;
use crate::progress::{Shared, held};
use crate::{KafkaError, TopicPartition, journal};

const WHAT: &str = "cannot take part in a rebalance of the kafka group";

/// A rebalance, as the callback saw it.
pub(crate) enum Change {
    Assigned(Vec<TopicPartition>),
    /// Still ours, until [`Listener::give_up`].
    AskedBack(Vec<TopicPartition>),
    /// No longer ours.
    Revoked(Vec<TopicPartition>),
    Failed(KafkaError),
}

/// The consumer's context.
pub(crate) struct Listener {
    shared: Arc<Shared>,
    changes: Mutex<Vec<Change>>,
    closing: AtomicBool,
}

impl Listener {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, changes: Mutex::new(Vec::new()), closing: AtomicBool::new(false) }
    }

    /// Takes what has changed since the last time.
    pub(crate) fn changes(&self) -> Vec<Change> {
        std::mem::take(&mut *held(&self.changes))
    }

    /// The poll thread ends: nothing drains any more.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    /// Gives partitions up. What is settled goes along with the commit that librdkafka makes then.
    pub(crate) fn give_up(&self, consumer: &BaseConsumer<Self>, partitions: &[TopicPartition]) {
        self.shared.store(consumer);
        self.shared.forget(partitions);
        self.unassign(consumer, &list(partitions));
    }

    fn unassign(&self, consumer: &BaseConsumer<Self>, partitions: &TopicPartitionList) {
        let done = match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_unassign(partitions),
            RebalanceProtocol::None | RebalanceProtocol::Eager => consumer.unassign(),
        };
        self.note_failure(done);
    }

    fn assign(&self, consumer: &BaseConsumer<Self>, partitions: &TopicPartitionList) {
        let done = match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_assign(partitions),
            RebalanceProtocol::None | RebalanceProtocol::Eager => consumer.assign(partitions),
        };
        self.note_failure(done);
    }

    fn note_failure(&self, done: Result<(), Native>) {
        if let Err(error) = done {
            held(&self.changes).push(Change::Failed(KafkaError::native(WHAT, &error)));
        }
    }
}

impl ClientContext for Listener {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, _: &str) {
        journal::line(level, facility);
    }

    fn error(&self, error: Native, _: &str) {
        journal::failure(&error);
    }

    fn stats(&self, statistics: Statistics) {
        let mut lag = Vec::new();
        for (name, topic) in &statistics.topics {
            for (number, partition) in &topic.partitions {
                // -1 stands for all partitions together; negative offsets mean "not known".
                if *number < 0 || !partition.desired || partition.hi_offset < 0 {
                    continue;
                }
                let done =
                    partition.stored_offset.max(partition.committed_offset).max(partition.lo_offset).max(0);
                lag.push((TopicPartition::new(name, *number), (partition.hi_offset - done).max(0)));
            }
        }
        lag.sort();
        self.shared.set_lag(lag);
    }
}

impl ConsumerContext for Listener {
    /// Instead of rdkafka's own, which gives everything up at once.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, response: Response, asked: &mut TopicPartitionList) {
        let partitions = partitions(asked);
        let change = match response {
            Response::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                self.shared.begin(&partitions);
                self.assign(consumer, asked);
                Change::Assigned(partitions)
            }
            Response::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => {
                if self.closing.load(Ordering::Relaxed) || consumer.assignment_lost() {
                    self.give_up(consumer, &partitions);
                    Change::Revoked(partitions)
                } else {
                    Change::AskedBack(partitions)
                }
            }
            other => Change::Failed(KafkaError::code(WHAT, other.into())),
        };
        held(&self.changes).push(change);
    }
}

fn partitions(list: &TopicPartitionList) -> Vec<TopicPartition> {
    list.elements().iter().map(|element| TopicPartition::new(element.topic(), element.partition())).collect()
}
