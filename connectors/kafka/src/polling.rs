//! The poll thread: polls without ever stopping, pauses when the receiver is full, stores what is settled.
//!
//! Must never wait for the receiver: a consumer that does not poll is thrown out of its group.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError as Native;
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::statistics::Statistics;
use rdkafka::{ClientContext, Offset, TopicPartitionList};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::intake::{self, Backlog, Load};
use crate::{IntakeEvent, KafkaError, KafkaErrorKind, RawRecord, TopicPartition, journal};

/// Longest wait in a poll: how late a settled offset is stored and an order to stop is seen.
const POLL_WAIT: Duration = Duration::from_millis(100);
/// Wait in a poll while the receiver is full: how late it is seen that there is room again.
const FULL_POLL_WAIT: Duration = Duration::from_millis(10);
/// Most records taken before they are handed over.
const CYCLE_RECORDS_MAX: usize = 500;
/// Pauses when so much waits beyond the receiver's queue: the bound of what waits, give or take one record.
const PAUSE_AT: Load = Load { records: 2000, bytes: 4 * intake::BATCH_BYTES_MAX };
/// Resumes at or below. Every pause throws away what was fetched ahead and costs a round trip or two, so that few long
/// ones are better than many short ones.
const RESUME_AT: Load = Load { records: 500, bytes: intake::BATCH_BYTES_MAX };
const WHAT: &str = "cannot consume from kafka";

/// What the poll thread and the [`crate::Consumer`] share.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) stop: AtomicBool,
    progress: Mutex<HashMap<TopicPartition, Progress>>,
    lag: Mutex<Vec<(TopicPartition, i64)>>,
}

/// How far an assigned partition is; offsets of the next record, 0 before the first.
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

    fn handed(&self, last: &RawRecord) {
        let at = TopicPartition { topic: last.topic.clone(), partition: last.partition };
        if let Some(progress) = held(&self.progress).get_mut(&at) {
            progress.handed = progress.handed.max(last.offset + 1);
        }
    }

    /// Gives librdkafka what was settled since the last time; it commits that every second, on revocation and at the end.
    fn store<C: ConsumerContext>(&self, consumer: &BaseConsumer<C>) {
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
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A rebalance, as the callback saw it.
enum Change {
    Assigned(Vec<TopicPartition>),
    Revoked(Vec<TopicPartition>),
    Failed(KafkaError),
}

/// Listens to librdkafka. Its callbacks run inside of `poll`, on the poll thread.
pub(crate) struct Listener {
    shared: Arc<Shared>,
    changes: Mutex<Vec<Change>>,
}

impl Listener {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, changes: Mutex::new(Vec::new()) }
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
        *held(&self.shared.lag) = lag;
    }
}

impl ConsumerContext for Listener {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let change = match rebalance {
            Rebalance::Assign(list) => {
                let partitions = partitions(list);
                let mut progress = held(&self.shared.progress);
                for at in &partitions {
                    progress.insert(at.clone(), Progress::default());
                }
                Change::Assigned(partitions)
            }
            Rebalance::Revoke(list) => {
                // What is settled goes along with the commit that the revocation makes.
                self.shared.store(consumer);
                let partitions = partitions(list);
                let mut progress = held(&self.shared.progress);
                for at in &partitions {
                    progress.remove(at);
                }
                Change::Revoked(partitions)
            }
            Rebalance::Error(error) => Change::Failed(KafkaError::native(WHAT, error)),
        };
        held(&self.changes).push(change);
    }
}

fn partitions(list: &TopicPartitionList) -> Vec<TopicPartition> {
    list.elements().iter().map(|element| TopicPartition::new(element.topic(), element.partition())).collect()
}

/// Why the thread ends.
enum End {
    /// The receiver is gone, or told us to stop.
    Asked,
    /// librdkafka has given this consumer up.
    Fatal,
}

/// The poll thread's own state.
pub(crate) struct Poller {
    consumer: BaseConsumer<Listener>,
    shared: Arc<Shared>,
    events: mpsc::Sender<IntakeEvent>,
    backlog: Backlog,
    assigned: HashSet<TopicPartition>,
    paused: HashSet<TopicPartition>,
}

impl Poller {
    pub(crate) fn new(
        consumer: BaseConsumer<Listener>,
        shared: Arc<Shared>,
        events: mpsc::Sender<IntakeEvent>,
    ) -> Self {
        Self {
            consumer,
            shared,
            events,
            backlog: Backlog::default(),
            assigned: HashSet::new(),
            paused: HashSet::new(),
        }
    }

    /// Polls until told to stop. Dropping the consumer afterwards commits what is settled and leaves the group.
    pub(crate) fn run(mut self) {
        loop {
            match self.cycle() {
                Ok(()) => {}
                Err(End::Asked) => break,
                Err(End::Fatal) => {
                    // No group membership is at stake any more: waiting is fine, and the receiver learns why.
                    while let Some(event) = self.backlog.pop() {
                        if self.events.blocking_send(event).is_err() {
                            break;
                        }
                    }
                    break;
                }
            }
        }
        self.shared.store(&self.consumer);
    }

    fn cycle(&mut self) -> Result<(), End> {
        if self.shared.stop.load(Ordering::Relaxed) {
            return Err(End::Asked);
        }
        self.collect()?;
        self.deliver()?;
        self.regulate();
        self.shared.store(&self.consumer);
        Ok(())
    }

    /// Takes what has come, up to the bounds of a cycle.
    fn collect(&mut self) -> Result<(), End> {
        let mut wait = if self.backlog.is_empty() { POLL_WAIT } else { FULL_POLL_WAIT };
        for _ in 0..CYCLE_RECORDS_MAX {
            if exceeds(self.backlog.load(), PAUSE_AT) {
                self.regulate();
            }
            let polled = self.consumer.poll(wait).map(|result| result.map(|message| raw(&message)));
            self.apply_changes();
            match polled {
                None => break,
                Some(Ok(record)) => self.backlog.record(record),
                Some(Err(error)) => {
                    self.fail(&error)?;
                    break;
                }
            }
            wait = Duration::ZERO;
        }
        Ok(())
    }

    fn apply_changes(&mut self) {
        let changes = std::mem::take(&mut *held(&self.consumer.context().changes));
        for change in changes {
            match change {
                Change::Assigned(partitions) => {
                    self.assigned.extend(partitions.iter().cloned());
                    // librdkafka remembers a pause beyond a revocation; an assignment starts running.
                    if self.consumer.resume(&list(&partitions)).is_err() {
                        self.paused.extend(partitions.iter().cloned());
                    }
                    self.backlog.assigned(partitions);
                }
                Change::Revoked(partitions) => {
                    self.assigned.retain(|at| !partitions.contains(at));
                    self.paused.retain(|at| !partitions.contains(at));
                    self.backlog.revoked(partitions);
                }
                Change::Failed(error) => self.backlog.fault(error),
            }
        }
    }

    fn fail(&mut self, error: &Native) -> Result<(), End> {
        if let Native::MessageConsumptionFatal(code) = error {
            let reason = format!("{code:?}");
            self.backlog.fault(KafkaError::new(KafkaErrorKind::Fatal, WHAT, reason));
            return Err(End::Fatal);
        }
        if !matches!(error, Native::PartitionEOF(_) | Native::NoMessageReceived) {
            self.backlog.fault(KafkaError::native(WHAT, error));
        }
        Ok(())
    }

    /// Hands over as much as the receiver takes now.
    fn deliver(&mut self) -> Result<(), End> {
        loop {
            let permit = match self.events.try_reserve() {
                Ok(permit) => permit,
                Err(TrySendError::Full(())) => return Ok(()),
                Err(TrySendError::Closed(())) => return Err(End::Asked),
            };
            let Some(event) = self.backlog.pop() else { return Ok(()) };
            if let IntakeEvent::Batch(records) = &event
                && let Some(last) = records.last()
            {
                // Before it is sent: the receiver may settle at once.
                self.shared.handed(last);
            }
            permit.send(event);
        }
    }

    /// Pauses what is assigned when too much waits, resumes it when most of that is gone.
    fn regulate(&mut self) {
        let load = self.backlog.load();
        if exceeds(load, PAUSE_AT) {
            let running: Vec<_> = self.assigned.difference(&self.paused).cloned().collect();
            if !running.is_empty() && self.consumer.pause(&list(&running)).is_ok() {
                self.paused.extend(running);
            }
        } else if !self.paused.is_empty() && !exceeds(load, RESUME_AT) {
            let paused: Vec<_> = self.paused.iter().cloned().collect();
            if self.consumer.resume(&list(&paused)).is_ok() {
                self.paused.clear();
            }
        }
    }
}

fn exceeds(load: Load, limit: Load) -> bool {
    load.records > limit.records || load.bytes > limit.bytes
}

fn list(partitions: &[TopicPartition]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for at in partitions {
        list.add_partition(&at.topic, at.partition);
    }
    list
}

fn raw(message: &BorrowedMessage<'_>) -> RawRecord {
    let headers = message.headers().map(|headers| {
        let pair = |header: rdkafka::message::Header<'_, &[u8]>| {
            (header.key.to_owned(), header.value.unwrap_or_default().to_vec())
        };
        headers.iter().map(pair).collect()
    });
    RawRecord {
        topic: message.topic().to_owned(),
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().map(<[u8]>::to_vec),
        headers: headers.unwrap_or_default(),
        value: message.payload().map(<[u8]>::to_vec),
        timestamp_ms: message.timestamp().to_millis(),
    }
}
