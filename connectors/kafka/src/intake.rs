//! What waits between the poll thread and the receiver: batches in order, assignments, faults.
//!
//! Pure. Must never grow without bound: the poll thread pauses by its load, and what a revocation makes void is dropped.

use std::collections::{HashMap, VecDeque};

use crate::{IntakeEvent, KafkaError, RawRecord, TopicPartition};

/// Most records of a batch.
pub(crate) const BATCH_RECORDS_MAX: usize = 2_000;
/// Most bytes of a batch, keys and headers included; a single larger record is a batch of its own.
pub(crate) const BATCH_BYTES_MAX: usize = 1024 * 1024;

/// Events that wait for room at the receiver.
///
/// A batch stays open while it waits, so that a slow receiver gets few large ones.
#[derive(Default)]
pub(crate) struct Backlog {
    waiting: VecDeque<IntakeEvent>,
    open: HashMap<TopicPartition, OpenBatch>,
    /// The open batches, oldest first: none starves behind a busy neighbour.
    order: VecDeque<TopicPartition>,
    held: Load,
}

#[derive(Default)]
struct OpenBatch {
    records: Vec<RawRecord>,
    bytes: usize,
}

/// What waits, in records and bytes.
#[derive(Default, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) records: usize,
    pub(crate) bytes: usize,
}

impl Load {
    fn of(records: &[RawRecord]) -> Self {
        Self { records: records.len(), bytes: records.iter().map(size).sum() }
    }
    fn add(&mut self, other: Self) {
        self.records += other.records;
        self.bytes += other.bytes;
    }
    fn remove(&mut self, other: Self) {
        self.records = self.records.saturating_sub(other.records);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }
}

impl Backlog {
    /// These partitions are ours now.
    pub(crate) fn assigned(&mut self, partitions: Vec<TopicPartition>) {
        self.seal();
        if !partitions.is_empty() {
            self.waiting.push_back(IntakeEvent::Assigned(partitions));
        }
    }

    /// These are asked back: their waiting records go, the next owner reads them again.
    pub(crate) fn void(&mut self, partitions: &[TopicPartition]) {
        self.seal();
        let held = &mut self.held;
        self.waiting.retain(|event| match event {
            IntakeEvent::Batch(records) if partitions.iter().any(|at| is_of(records, at)) => {
                held.remove(Load::of(records));
                false
            }
            _ => true,
        });
    }

    /// These are no longer ours: their waiting records go, and so does an assignment that nobody has heard of yet.
    pub(crate) fn revoked(&mut self, mut partitions: Vec<TopicPartition>) {
        self.void(&partitions);
        let mut unheard = Vec::new();
        self.waiting.retain_mut(|event| match event {
            IntakeEvent::Assigned(assigned) => {
                assigned.retain(|at| {
                    let void = partitions.contains(at);
                    if void {
                        unheard.push(at.clone());
                    }
                    !void
                });
                !assigned.is_empty()
            }
            IntakeEvent::Batch(_) | IntakeEvent::Revoked(_) | IntakeEvent::Fault(_) => true,
        });
        partitions.retain(|at| !unheard.contains(at));
        if !partitions.is_empty() {
            self.waiting.push_back(IntakeEvent::Revoked(partitions));
        }
    }

    /// A record came; records of one partition come in order.
    pub(crate) fn record(&mut self, record: RawRecord) {
        let bytes = size(&record);
        self.held.add(Load { records: 1, bytes });
        let at = TopicPartition { topic: record.topic.clone(), partition: record.partition };
        let full = self.open.get(&at).is_some_and(|batch| {
            batch.records.len() >= BATCH_RECORDS_MAX || batch.bytes.saturating_add(bytes) > BATCH_BYTES_MAX
        });
        if full {
            self.order.retain(|open| *open != at);
            self.close(&at);
        }
        let order = &mut self.order;
        let batch = self.open.entry(at).or_insert_with_key(|at| {
            order.push_back(at.clone());
            OpenBatch::default()
        });
        batch.bytes = batch.bytes.saturating_add(bytes);
        batch.records.push(record);
    }

    /// Something is wrong. One waiting fault is enough: while brokers are away there is a new one every moment.
    pub(crate) fn fault(&mut self, error: KafkaError) {
        if !self.waiting.iter().any(|event| matches!(event, IntakeEvent::Fault(_))) {
            self.waiting.push_back(IntakeEvent::Fault(error));
        }
    }

    /// Takes the oldest event; open batches come after what is closed.
    pub(crate) fn pop(&mut self) -> Option<IntakeEvent> {
        if self.waiting.is_empty()
            && let Some(at) = self.order.pop_front()
        {
            self.close(&at);
        }
        let event = self.waiting.pop_front();
        if let Some(IntakeEvent::Batch(records)) = &event {
            self.held.remove(Load::of(records));
        }
        event
    }

    /// How much waits.
    pub(crate) fn load(&self) -> Load {
        self.held
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.open.is_empty()
    }

    /// Closes the open batches: what happens next comes after them.
    fn seal(&mut self) {
        while let Some(at) = self.order.pop_front() {
            self.close(&at);
        }
    }

    fn close(&mut self, at: &TopicPartition) {
        if let Some(batch) = self.open.remove(at) {
            self.waiting.push_back(IntakeEvent::Batch(batch.records));
        }
    }
}

/// Whether a batch is of this partition. Batches are never empty and never mixed.
fn is_of(records: &[RawRecord], at: &TopicPartition) -> bool {
    records.first().is_some_and(|record| record.topic == at.topic && record.partition == at.partition)
}

/// What a record weighs in memory: value, key, headers and some room for the rest.
pub(crate) fn size(record: &RawRecord) -> usize {
    let headers: usize = record.headers.iter().map(|(name, value)| name.len() + value.len() + 48).sum();
    record.value.as_ref().map_or(0, Vec::len) + record.key.as_ref().map_or(0, Vec::len) + headers + 128
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KafkaErrorKind;

    enum Step {
        Assign(&'static [i32]),
        Revoke(&'static [i32]),
        Record(i32, i64),
        Heavy(i32, i64),
        Fault,
        /// The receiver takes this many.
        Take(usize),
    }
    use Step::{Assign, Fault, Heavy, Record, Revoke, Take};

    fn partitions(of: &[i32]) -> Vec<TopicPartition> {
        of.iter().map(|p| TopicPartition::new("t", *p)).collect()
    }

    fn record(partition: i32, offset: i64, bytes: usize) -> RawRecord {
        RawRecord {
            topic: "t".into(),
            partition,
            offset,
            key: None,
            headers: vec![],
            value: Some(vec![0; bytes]),
            timestamp_ms: None,
        }
    }

    fn show(event: &IntakeEvent) -> String {
        let numbers =
            |of: &[TopicPartition]| of.iter().map(|p| p.partition.to_string()).collect::<Vec<_>>().join(",");
        match event {
            IntakeEvent::Assigned(of) => format!("+{}", numbers(of)),
            IntakeEvent::Revoked(of) => format!("-{}", numbers(of)),
            IntakeEvent::Batch(records) => {
                let offsets: Vec<_> = records.iter().map(|r| r.offset.to_string()).collect();
                format!("{}:{}", records[0].partition, offsets.join(","))
            }
            IntakeEvent::Fault(_) => "!".into(),
        }
    }

    #[track_caller]
    fn check(steps: &[Step], expected: &str) {
        let mut backlog = Backlog::default();
        let mut got = Vec::new();
        for step in steps {
            match step {
                Assign(of) => backlog.assigned(partitions(of)),
                Revoke(of) => backlog.revoked(partitions(of)),
                Record(partition, offset) => backlog.record(record(*partition, *offset, 1)),
                Heavy(partition, offset) => {
                    backlog.record(record(*partition, *offset, BATCH_BYTES_MAX * 2 / 3))
                }
                Fault => backlog.fault(KafkaError::new(KafkaErrorKind::Unavailable, "test", "test")),
                Take(count) => got.extend((0..*count).filter_map(|_| backlog.pop()).map(|e| show(&e))),
            }
        }
        got.extend(std::iter::from_fn(|| backlog.pop()).map(|e| show(&e)));
        assert!(backlog.is_empty());
        assert_eq!(backlog.load(), Load::default());
        assert_eq!(got.join(" "), expected);
    }

    #[test]
    fn batches_hold_one_partition_in_order() {
        check(&[Assign(&[0, 1]), Record(0, 5), Record(1, 9), Record(0, 6)], "+0,1 0:5,6 1:9");
        check(&[Heavy(0, 1), Heavy(0, 2), Record(0, 3)], "0:1 0:2,3");
    }

    #[test]
    fn a_busy_partition_starves_no_other() {
        check(&[Record(1, 1), Record(0, 1), Take(1), Record(1, 2), Take(1)], "1:1 0:1 1:2");
        check(&[Record(1, 1), Heavy(1, 2), Heavy(1, 3), Record(0, 1), Heavy(1, 4)], "1:1,2 1:3 0:1 1:4");
    }

    #[test]
    fn a_batch_has_at_most_2000_records() {
        let mut backlog = Backlog::default();
        (0..4001).for_each(|offset| backlog.record(record(0, offset, 1)));
        assert_eq!(backlog.load().records, 4001);
        let sizes: Vec<usize> = std::iter::from_fn(|| backlog.pop())
            .map(|event| if let IntakeEvent::Batch(records) = event { records.len() } else { 0 })
            .collect();
        assert_eq!(sizes, [2000, 2000, 1]);
    }

    #[test]
    fn empty_lists_of_a_rebalance_say_nothing() {
        check(&[Assign(&[]), Revoke(&[]), Record(0, 1)], "0:1");
    }

    #[test]
    fn a_revocation_voids_what_waits_and_spares_the_rest() {
        check(&[Assign(&[0, 1]), Take(1), Record(0, 1), Record(1, 1), Revoke(&[0])], "+0,1 1:1 -0");
        check(
            &[Assign(&[0, 1]), Take(1), Heavy(0, 1), Heavy(0, 2), Revoke(&[0]), Record(1, 4)],
            "+0,1 -0 1:4",
        );
    }

    #[test]
    fn an_assignment_nobody_heard_of_is_revoked_in_silence() {
        check(&[Assign(&[0, 1]), Record(0, 1), Revoke(&[0, 1])], "");
        check(&[Assign(&[0, 1]), Revoke(&[0])], "+1");
        check(&[Assign(&[0]), Take(1), Revoke(&[0]), Assign(&[0]), Revoke(&[0])], "+0 -0");
        check(&[Assign(&[0]), Take(1), Revoke(&[0]), Assign(&[0]), Record(0, 3)], "+0 -0 +0 0:3");
    }

    #[test]
    fn faults_do_not_pile_up() {
        check(&[Fault, Fault, Take(1), Fault, Fault], "! !");
    }
}
