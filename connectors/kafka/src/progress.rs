//! How far each assigned partition is: handed over, settled, stored. Shared by the poll thread and the consumer.
//!
//! Must never let an offset be stored beyond what was settled, nor settle beyond what was handed over.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::{Offset, TopicPartitionList};

use crate::{RawRecord, TopicPartition};

/// What the poll thread and the [`crate::Consumer`] share.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) stop: AtomicBool,
    progress: Mutex<HashMap<TopicPartition, Progress>>,
    lag: Mutex<Vec<(TopicPartition, i64)>>,
}

/// Offsets of the next record, 0 before the first.
#[derive(Default, Clone, Copy)]
struct Progress {
    handed: i64,
    settled: i64,
    stored: i64,
}

impl Shared {
    /// Notes what is finished: never beyond what was handed over in this assignment, never backwards.
    pub(crate) fn settle(&self, at: &TopicPartition, next_offset: i64) {
        if let Some(progress) = held(&self.progress).get_mut(at) {
            progress.settled = progress.settled.max(next_offset.min(progress.handed));
        }
    }

    pub(crate) fn lag(&self) -> Vec<(TopicPartition, i64)> {
        held(&self.lag).clone()
    }

    pub(crate) fn set_lag(&self, lag: Vec<(TopicPartition, i64)>) {
        *held(&self.lag) = lag;
    }

    pub(crate) fn handed(&self, last: &RawRecord) {
        let at = TopicPartition { topic: last.topic.clone(), partition: last.partition };
        if let Some(progress) = held(&self.progress).get_mut(&at) {
            progress.handed = progress.handed.max(last.offset + 1);
        }
    }

    /// Whether this partition is assigned, as far as we have heard.
    pub(crate) fn holds(&self, at: &TopicPartition) -> bool {
        held(&self.progress).contains_key(at)
    }

    /// How many of these partitions have records that were handed over and not settled.
    pub(crate) fn unsettled(&self, partitions: &[TopicPartition]) -> usize {
        let progress = held(&self.progress);
        let open = |at: &&TopicPartition| progress.get(at).is_some_and(|p| p.settled < p.handed);
        partitions.iter().filter(open).count()
    }

    pub(crate) fn begin(&self, partitions: &[TopicPartition]) {
        let mut progress = held(&self.progress);
        for at in partitions {
            progress.insert(at.clone(), Progress::default());
        }
    }

    pub(crate) fn forget(&self, partitions: &[TopicPartition]) {
        let mut progress = held(&self.progress);
        for at in partitions {
            progress.remove(at);
        }
    }

    /// Gives librdkafka what was settled since the last time; it commits that every second, on revocation and at the end.
    pub(crate) fn store<C: ConsumerContext>(&self, consumer: &BaseConsumer<C>) {
        for (at, progress) in held(&self.progress).iter_mut() {
            if progress.settled > progress.stored {
                let mut offsets = TopicPartitionList::new();
                let offset = Offset::Offset(progress.settled);
                let stored = offsets
                    .add_partition_offset(&at.topic, at.partition, offset)
                    .and_then(|()| consumer.store_offsets(&offsets));
                // A refusal means that the partition is on its way out: its next owner reads from the last commit.
                if stored.is_ok() {
                    progress.stored = progress.settled;
                }
            }
        }
    }
}

/// A panic elsewhere leaves these maps whole: every change to them is one assignment.
pub(crate) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
