//! The poll thread: polls without ever stopping, pauses when the receiver is full, stores what is settled, and gives a
//! partition up when what was handed over of it is settled or its time is over.
//!
//! Must never wait for the receiver: a consumer that does not poll is thrown out of its group.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError as Native;
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::drain::Drain;
use crate::intake::{self, Backlog, Load};
use crate::listener::{Change, Listener};
use crate::login::CurrentLogin;
use crate::progress::Shared;
use crate::{IntakeEvent, KafkaError, KafkaErrorKind, RawRecord, TopicPartition};

/// Longest wait in a poll: how late a settled offset is stored and an order to stop is seen.
const POLL_WAIT: Duration = Duration::from_millis(100);
/// Wait in a poll while the receiver is full or a partition drains: how late it is seen that there is room again.
const FULL_POLL_WAIT: Duration = Duration::from_millis(10);
/// Most records taken before they are handed over.
const CYCLE_RECORDS_MAX: usize = 2_000;
/// Pauses when so much waits beyond the receiver's queue: the bound of what waits, give or take one record.
const PAUSE_AT: Load = Load { records: 20_000, bytes: 8 * intake::BATCH_BYTES_MAX };
/// Resumes at or below. Every pause throws away what was fetched ahead and costs a round trip or two, so that few long
/// ones are better than many short ones.
const RESUME_AT: Load = Load { records: 10_000, bytes: 4 * intake::BATCH_BYTES_MAX };
const WHAT: &str = "cannot consume from kafka";

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
    login: CurrentLogin,
    shared: Arc<Shared>,
    events: mpsc::Sender<IntakeEvent>,
    backlog: Backlog,
    assigned: HashSet<TopicPartition>,
    paused: HashSet<TopicPartition>,
    /// How long a partition may take to drain.
    patience: Duration,
    /// What is asked back and not given up yet; a rebalance at a time, so one or none.
    drains: Vec<Drain>,
}

impl Poller {
    pub(crate) fn new(
        consumer: BaseConsumer<Listener>,
        login: CurrentLogin,
        shared: Arc<Shared>,
        events: mpsc::Sender<IntakeEvent>,
        patience: Duration,
    ) -> Self {
        Self {
            consumer,
            login,
            shared,
            events,
            backlog: Backlog::default(),
            assigned: HashSet::new(),
            paused: HashSet::new(),
            patience,
            drains: Vec::new(),
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
        // From here on nobody settles: what is still asked back goes at once, now and when the consumer is dropped.
        self.consumer.context().close();
        for drain in std::mem::take(&mut self.drains) {
            self.consumer.context().give_up(&self.consumer, &drain.partitions);
        }
    }

    fn cycle(&mut self) -> Result<(), End> {
        if self.shared.stop.load(Ordering::Relaxed) {
            return Err(End::Asked);
        }
        self.login.renew(self.consumer.client());
        self.collect()?;
        self.deliver()?;
        self.regulate();
        self.shared.store(&self.consumer);
        self.finish_drains();
        Ok(())
    }

    /// Takes what has come, up to the bounds of a cycle.
    fn collect(&mut self) -> Result<(), End> {
        let idle = self.backlog.is_empty() && self.drains.is_empty();
        let mut wait = if idle { POLL_WAIT } else { FULL_POLL_WAIT };
        for _ in 0..CYCLE_RECORDS_MAX {
            if exceeds(self.backlog.load(), PAUSE_AT) {
                self.regulate();
            }
            let polled = self.consumer.poll(wait).map(|result| result.map(|message| raw(&message)));
            self.apply_changes();
            match polled {
                None => break,
                // Asked back: its next owner reads it.
                Some(Ok(record)) if self.drains.iter().any(|drain| drain.is_of(&record)) => {}
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
        let changes = self.consumer.context().changes();
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
                Change::AskedBack(partitions) => {
                    self.assigned.retain(|at| !partitions.contains(at));
                    self.paused.retain(|at| !partitions.contains(at));
                    self.backlog.void(&partitions);
                    self.drains.push(Drain { partitions, until: Instant::now() + self.patience });
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

    /// Gives up what is settled, and what had its time.
    fn finish_drains(&mut self) {
        for drain in std::mem::take(&mut self.drains) {
            let unsettled = self.shared.unsettled(&drain.partitions);
            if drain.is_over(Instant::now(), unsettled, self.consumer.assignment_lost()) {
                if unsettled > 0 {
                    tracing::warn!(unsettled, "partitions are given up before they are drained");
                }
                self.consumer.context().give_up(&self.consumer, &drain.partitions);
                self.backlog.revoked(drain.partitions);
            } else {
                self.drains.push(drain);
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

pub(crate) fn list(partitions: &[TopicPartition]) -> TopicPartitionList {
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
