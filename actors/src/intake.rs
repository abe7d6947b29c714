//! The intake: turns batches of records into durable dirty marks, then lets their offsets settle (hops 1 and 2).
//!
//! Each partition's batches come in order, and a batch is settled only when each of its records is a mark, a forwarded
//! event or a dead letter (invariant 2). Must never wait for a sync: ten events are one mark, and a wait for the budget
//! never pins a partition.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use terrasift_engine::identity::IdentityKey;
use terrasift_kafka::{Consumer, IntakeEvent, KafkaError, KafkaErrorKind, RawRecord, TopicPartition};
use terrasift_postgres::{Epoch, NewMark, Store, StoreError, StoreErrorKind, UnroutedRecord};
use terrasift_schemas::TenantId;
use terrasift_schemas::event::{
    DiscoverySource, Envelope, Event, FailureReason, Priority, RecordPosition, RecordView,
    STATE_UPDATED_TOPIC, StateUpdated, WORKSPACE_DISCOVERED_TOPIC, WorkspaceDiscovered, decode,
};
use time::OffsetDateTime;

use crate::dead_letters::SOURCE;
use crate::served::{Claim, Ownership, Served, Told};
use crate::services::{Services, TenantMeans};
use crate::tenants::TenantsMsg;

/// Tries of one ledger statement before the intake gives the partition's batch back by crashing.
const TRIES_MAX: u32 = 8;
const RETRY_WAIT_MIN: Duration = Duration::from_millis(100);
const RETRY_WAIT_MAX: Duration = Duration::from_secs(10);
/// How often it is seen whether partitions are still ours: how long one stands still that somebody claimed late.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Claims of one partition for one batch before it is given back by crashing.
const CLAIMS_MAX: u32 = 5;
/// Longest handling of one event: ledger retries and back-off included.
const EVENT_WAIT_MAX: Duration = Duration::from_secs(240);

/// Messages to the intake.
pub enum IntakeMsg {
    /// The consumer has something; it waits for the reply before it hands over the next.
    Event(IntakeEvent, ractor::RpcReplyPort<()>),
    /// The consumer's channel has ended.
    Ended,
    /// Time to see whether what the group gave us is ours in the ledger, too.
    Look,
}

/// The actor.
pub struct Intake;

/// What it works with.
pub struct IntakeArguments {
    pub(crate) services: Arc<Services>,
    pub(crate) tenants: ActorRef<TenantsMsg>,
    pub(crate) means: Vec<Arc<TenantMeans>>,
}

/// Its state.
pub struct IntakeState {
    services: Arc<Services>,
    tenants: ActorRef<TenantsMsg>,
    means: HashMap<TenantId, Arc<TenantMeans>>,
    consumer: Option<Consumer>,
    epochs: HashMap<i32, Epoch>,
}

impl Actor for Intake {
    type Msg = IntakeMsg;
    type State = IntakeState;
    type Arguments = IntakeArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        arguments: IntakeArguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        let IntakeArguments { services, tenants, means } = arguments;
        let means = means.into_iter().map(|means| (means.id.clone(), means)).collect();
        let topics = [STATE_UPDATED_TOPIC, WORKSPACE_DISCOVERED_TOPIC];
        let (consumer, mut events) =
            Consumer::start(&services.kafka, &topics, services.limits.intake_queue_batches)?;
        let myself_too = myself.clone();
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                // One event at a time: what is not handled stays in the bounded channel, and the consumer pauses.
                let handled = myself.call(|reply| IntakeMsg::Event(event, reply), Some(EVENT_WAIT_MAX)).await;
                if !matches!(handled, Ok(ractor::rpc::CallResult::Success(()))) {
                    break;
                }
            }
            let _ = myself.cast(IntakeMsg::Ended);
        });
        myself_too.send_interval(LOOK_EVERY, || IntakeMsg::Look);
        Ok(IntakeState { services, tenants, means, consumer: Some(consumer), epochs: HashMap::new() })
    }

    async fn handle(
        &self,
        _myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let (event, reply) = match message {
            IntakeMsg::Event(event, reply) => (event, reply),
            IntakeMsg::Look => return state.look().await,
            IntakeMsg::Ended => {
                return Err(
                    "the consumer has ended: brokers unreachable for good, or its thread crashed".into()
                );
            }
        };
        match event {
            IntakeEvent::Assigned(partitions) => state.assigned(&partitions).await?,
            IntakeEvent::Revoked(partitions) => state.revoked(&partitions)?,
            IntakeEvent::Batch(records) => state.batch(records).await?,
            IntakeEvent::Fault(error) => state.fault(error)?,
        }
        let _ = reply.send(());
        Ok(())
    }

    async fn post_stop(
        &self,
        _myself: ActorRef<Self::Msg>,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        if let Some(consumer) = state.consumer.take() {
            consumer.stop().await;
        }
        Ok(())
    }
}

impl IntakeState {
    async fn assigned(&mut self, partitions: &[TopicPartition]) -> Result<(), ActorProcessingErr> {
        for partition in partitions.iter().filter(|p| p.topic == STATE_UPDATED_TOPIC) {
            self.services.failpoints.pass("before-claim").await;
            self.claim(partition).await?;
        }
        Ok(())
    }

    /// Makes a partition ours in the ledger, and its marks our work. One that the group has taken back meanwhile is another's:
    /// claiming it would fence its owner.
    async fn claim(&mut self, partition: &TopicPartition) -> Result<(), ActorProcessingErr> {
        if !self.holds(partition) {
            return Ok(());
        }
        let number = partition.partition;
        let claim = |store: Store| async move { store.claim_partition(number).await };
        let epoch = self.retry("claim a partition", claim).await?;
        self.services.failpoints.pass("after-claim").await;
        self.epochs.insert(number, epoch);
        self.tenants.cast(TenantsMsg::Gained(number, epoch))?;
        Ok(())
    }

    fn holds(&self, partition: &TopicPartition) -> bool {
        self.consumer.as_ref().is_some_and(|consumer| consumer.holds(partition))
    }

    /// Claims anew what the group says is ours and the ledger says is not: somebody claimed it late, when it was ours already
    /// (a process that was halted in between). He hears from the group that he lost it; without us nobody would work on it.
    async fn look(&mut self) -> Result<(), ActorProcessingErr> {
        let known = match self.services.store.partition_epochs(self.epochs.keys().copied().collect()).await {
            Ok(known) => known,
            // The next look is soon.
            Err(error) => {
                self.services.telemetry.ledger_retried("look at the epochs", &error, 1);
                return Ok(());
            }
        };
        for (number, epoch) in known {
            if self.epochs.get(&number).is_some_and(|ours| *ours != epoch) {
                self.services.telemetry.claimed_anew(number);
                self.claim(&TopicPartition::new(STATE_UPDATED_TOPIC, number)).await?;
            }
        }
        Ok(())
    }

    fn revoked(&mut self, partitions: &[TopicPartition]) -> Result<(), ActorProcessingErr> {
        for partition in partitions.iter().filter(|p| p.topic == STATE_UPDATED_TOPIC) {
            self.epochs.remove(&partition.partition);
            self.tenants.cast(TenantsMsg::Lost(partition.partition))?;
        }
        Ok(())
    }

    /// Brokers that are away come back, and librdkafka goes on by itself: the partitions that we hold are not worth giving
    /// up for that, and what runs needs no brokers. Only what a new client has to mend crashes.
    fn fault(&self, error: KafkaError) -> Result<(), ActorProcessingErr> {
        match error.kind() {
            KafkaErrorKind::Unavailable | KafkaErrorKind::Full | KafkaErrorKind::Topic => {
                self.services.telemetry.brokers_failed(&error);
                Ok(())
            }
            KafkaErrorKind::Refused
            | KafkaErrorKind::Configuration
            | KafkaErrorKind::Unauthorized
            | KafkaErrorKind::Fatal => Err(error.into()),
        }
    }

    async fn batch(&mut self, records: Vec<RawRecord>) -> Result<(), ActorProcessingErr> {
        let Some(last) = records.last() else { return Ok(()) };
        let partition = TopicPartition::new(&last.topic, last.partition);
        let next_offset = last.offset + 1;
        let mut sorted = sort(&records, &self.services.served);
        let mut unchanged = 0;
        if partition.topic == STATE_UPDATED_TOPIC {
            let Some(served) = self.marked(&partition, &mut sorted).await? else {
                return Ok(());
            };
            unchanged = served;
        } else {
            self.forward(&sorted.discovered).await?;
        }
        self.reject(&sorted.rejected).await?;
        let telemetry = &self.services.telemetry;
        telemetry.records(&partition.topic, "accepted", records.len() - sorted.rejected.len() - unchanged);
        telemetry.records(&partition.topic, "unchanged", unchanged);
        telemetry.records(&partition.topic, "rejected", sorted.rejected.len());
        self.services.failpoints.pass("after-marks").await;
        if let Some(consumer) = &self.consumer {
            consumer.settle(&partition, next_offset);
        }
        Ok(())
    }

    /// Takes out what the catalog shows already: its effect is durable, so it needs no mark. How many. What this process
    /// does not know is asked of the database, once a workspace.
    async fn drop_served(&self, under: Ownership, marks: &mut Vec<Wanted>) -> Result<usize, StoreError> {
        let before = marks.len();
        let mut unknown = HashSet::new();
        marks.retain(|wanted| match self.told(under, wanted) {
            Told::Served => false,
            Told::Other => true,
            Told::Unknown => {
                unknown.insert((wanted.mark.tenant.clone(), wanted.mark.workspace.clone()));
                true
            }
        });
        if unknown.is_empty() {
            return Ok(before - marks.len());
        }
        let unknown: Vec<_> = unknown.into_iter().collect();
        let unknown = &unknown;
        let read = |store: Store| async move { store.served_versions(unknown).await };
        for (tenant, workspace, known) in self.retry("read what is served", read).await? {
            self.services.served.note(&tenant, &workspace, under, &known);
        }
        marks.retain(|wanted| self.told(under, wanted) != Told::Served);
        Ok(before - marks.len())
    }

    /// What is known about the state that a record tells of. A record that does not say which is always new.
    fn told(&self, under: Ownership, wanted: &Wanted) -> Told {
        let mark = &wanted.mark;
        let (Some(claim), Some(means)) = (&wanted.claim, self.means.get(&mark.tenant)) else {
            return Told::Other;
        };
        let lineage_of = |raw: &str| IdentityKey::new(means.identity_key).lineage(raw);
        let pipeline = means.pipeline.now().version;
        self.services.served.told((&mark.tenant, &mark.workspace), under, pipeline, claim, lineage_of)
    }

    /// Takes out what is served, and makes marks of the rest durable, if need be after a claim. How many were served; nothing
    /// when the partition is no longer ours: its next owner reads the batch again, and it must not be settled.
    async fn marked(
        &mut self,
        partition: &TopicPartition,
        sorted: &mut Sorted,
    ) -> Result<Option<usize>, ActorProcessingErr> {
        let mut served = 0;
        for _ in 0..CLAIMS_MAX {
            let Some(epoch) = self.epochs.get(&partition.partition).copied() else { return Ok(None) };
            let under = Ownership { partition: partition.partition, epoch };
            served += self.drop_served(under, &mut sorted.marks).await?;
            if self.mark(partition, epoch, sorted).await? {
                return Ok(Some(served));
            }
            if !self.holds(partition) {
                return Ok(None);
            }
            self.services.telemetry.claimed_anew(partition.partition);
            self.claim(partition).await?;
        }
        Err("a partition is claimed by another again and again: do two processes have one instance id?"
            .into())
    }

    /// Makes marks durable and hands them to their tenants. False when the partition is no longer ours.
    async fn mark(
        &self,
        partition: &TopicPartition,
        epoch: Epoch,
        sorted: &Sorted,
    ) -> Result<bool, ActorProcessingErr> {
        if sorted.marks.is_empty() {
            return Ok(true);
        }
        let marks: Vec<NewMark> = sorted.marks.iter().map(|wanted| wanted.mark.clone()).collect();
        let number = partition.partition;
        let marks = &marks;
        self.services.failpoints.pass("before-marks").await;
        let mark = |store: Store| async move { store.mark_dirty(number, epoch, marks).await };
        let marked = self.retry("mark workspaces", mark).await;
        let marked = match marked {
            Ok(marked) => marked,
            Err(error) if error.kind() == StoreErrorKind::Fenced => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let unknown: Vec<UnroutedRecord> = marked
            .unknown_tenants
            .iter()
            .filter_map(|index| sorted.marks.get(*index))
            .map(|wanted| UnroutedRecord {
                position: RecordPosition {
                    topic: partition.topic.clone(),
                    partition: partition.partition,
                    offset: wanted.offset,
                },
                reason: FailureReason::UnknownTenant,
                detail: "the tenant is not declared here: add it to the configuration, or stop its producer"
                    .to_owned(),
            })
            .collect();
        self.reject(&unknown).await?;
        self.tenants.cast(TenantsMsg::Marked(marked.marks, epoch))?;
        Ok(true)
    }

    /// A discovered workspace becomes an event on the topic whose partitions decide who works on it.
    async fn forward(
        &self,
        discovered: &[(WorkspaceDiscovered, Envelope)],
    ) -> Result<(), ActorProcessingErr> {
        let now = OffsetDateTime::from(SystemTime::now());
        for (data, envelope) in discovered {
            let priority = match data.source {
                DiscoverySource::Manual => Priority::High,
                DiscoverySource::Webhook => Priority::Normal,
                DiscoverySource::GithubScan | DiscoverySource::Reconcile => Priority::Low,
            };
            let update = Envelope {
                id: format!("{}-state", envelope.id),
                source: SOURCE.to_owned(),
                time: Some(now),
                trace: envelope.trace,
                event: Event::StateUpdated(StateUpdated {
                    tenant: data.tenant.clone(),
                    workspace: data.workspace.clone(),
                    run: None,
                    time: envelope.time.unwrap_or(now),
                    priority,
                    state_version: None,
                    lineage: None,
                    serial: None,
                }),
            };
            self.services.producer.send(&update.encode()?).await?;
        }
        self.services.telemetry.records(STATE_UPDATED_TOPIC, "forwarded", discovered.len());
        Ok(())
    }

    async fn reject(&self, rejected: &[UnroutedRecord]) -> Result<(), ActorProcessingErr> {
        if !rejected.is_empty() {
            self.retry("park records", |store| async move { store.park_unrouted(rejected).await }).await?;
        }
        Ok(())
    }

    /// Tries a statement of the ledger until it succeeds, is fenced, or failed too often.
    async fn retry<T, Statement: Future<Output = Result<T, StoreError>>>(
        &self,
        what: &'static str,
        statement: impl Fn(Store) -> Statement,
    ) -> Result<T, StoreError> {
        let mut wait = RETRY_WAIT_MIN;
        let mut attempt = 0;
        loop {
            attempt += 1;
            match statement(self.services.store.clone()).await {
                Err(error) if error.is_transient() && attempt < TRIES_MAX => {
                    self.services.telemetry.ledger_retried(what, &error, attempt);
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(RETRY_WAIT_MAX);
                }
                result => return result,
            }
        }
    }
}

/// A batch's records by what has to be done with them.
#[derive(Default)]
struct Sorted {
    marks: Vec<Wanted>,
    discovered: Vec<(WorkspaceDiscovered, Envelope)>,
    rejected: Vec<UnroutedRecord>,
}

/// A workspace that a record asks for.
struct Wanted {
    mark: NewMark,
    offset: i64,
    /// What it says about the state, where it does.
    claim: Option<Claim>,
}

fn sort(records: &[RawRecord], served: &Served) -> Sorted {
    let mut sorted = Sorted::default();
    for record in records {
        let view = RecordView {
            topic: &record.topic,
            key: record.key.as_deref(),
            headers: &record.headers,
            value: record.value.as_deref(),
        };
        match decode(view) {
            Ok(envelope) => match envelope.event {
                Event::StateUpdated(data) => sorted.marks.push(Wanted {
                    claim: served.claim(&data),
                    mark: NewMark {
                        tenant: data.tenant,
                        workspace: data.workspace,
                        since: data.time,
                        priority: data.priority,
                        trace: envelope.trace,
                        event_id: envelope.id,
                    },
                    offset: record.offset,
                }),
                Event::WorkspaceDiscovered(ref data) => sorted.discovered.push((data.clone(), envelope)),
                Event::SanitizationFailed(_) => (),
            },
            Err(reason) => sorted.rejected.push(UnroutedRecord {
                position: RecordPosition {
                    topic: record.topic.clone(),
                    partition: record.partition,
                    offset: record.offset,
                },
                reason: FailureReason::InvalidRecord,
                detail: reason.to_string(),
            }),
        }
    }
    sorted
}
