//! One world for all cases: the parts as the binary wires them, with limits that keep a test short.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use terrasift_actors::{
    AccountGate, ByteBudget, CurrentPipeline, Failpoints, Served, Services, SyncEnd, SyncEnded, Telemetry,
    TenantMeans, TokenRotation, Worker, WorkerLimits,
};
use terrasift_engine::detect::RuleSet;
use terrasift_engine::extract::{CatalogProfile, TypeTable};
use terrasift_engine::sift::Pipeline;
use terrasift_kafka::{
    Consumer, EmbeddedKafka, IntakeEvent, KafkaConfig, Producer, RawRecord, ensure_topics,
};
use terrasift_load_tests::generator::{StateSize, StateSpec};
use terrasift_load_tests::simulator::{
    OrganizationSpec, Simulator, SimulatorConfig, StateSource, WorkspaceSpec,
};
use terrasift_postgres::{
    ChangeRow, DeadLetter, DeadLetterFilter, LetterState, PrivatePostgres, Store, TenantRow,
};
use terrasift_redis::{MemoryBudget, RateLimits};
use terrasift_schemas::event::{EncodedRecord, Envelope, Event, FailureReason, Priority, StateUpdated};
use terrasift_schemas::{OrganizationName, PipelineVersion, TenantId, TenantSlug, TraceParent, WorkspaceId};
use terrasift_secrets::Secret;
use terrasift_terraform_cloud::{Client, ClientConfig};
use time::OffsetDateTime;
use tokio::sync::{Semaphore, broadcast};

/// Longest wait for any condition.
const WAIT_MAX: Duration = Duration::from_secs(90);

/// Partitions of each topic.
const PARTITIONS: usize = 4;

pub struct World {
    tenants: Vec<TenantId>,
    pub store: Store,
    pub simulator: Simulator,
    producer: Producer,
    telemetry: Telemetry,
    registry: prometheus::Registry,
    worker: Worker,
    postgres: PrivatePostgres,
    broker: EmbeddedKafka,
}

/// The tenant of a case, and its workspaces.
pub struct Scene<'a> {
    pub world: &'a World,
    pub tenant: TenantId,
    pub workspaces: Vec<WorkspaceId>,
    pub reports: broadcast::Receiver<SyncEnded>,
}

impl World {
    /// The cases reconcile by hand, by events.
    pub async fn start(tenants: &[&str]) -> Self {
        Self::reconciling(tenants, Duration::from_secs(3600)).await
    }

    /// A world that looks for what no event told this often.
    pub async fn reconciling(tenants: &[&str], reconcile_every: Duration) -> Self {
        let organizations = tenants.iter().enumerate().map(|(at, name)| organization(at, name)).collect();
        let simulator = Simulator::start(SimulatorConfig::new(7, organizations)).await.expect("simulator");
        let broker = EmbeddedKafka::start(4).expect("kafka");
        let postgres = PrivatePostgres::start(None).await.expect("postgres");
        terrasift_postgres::migrate(&postgres.owner_url()).await.expect("schema");
        let store = Store::connect(&postgres.app_url(), 12).await.expect("store");
        let means: Vec<_> = tenants.iter().map(|name| means(name, &simulator)).collect();
        let rows: Vec<_> =
            means.iter().map(|m| TenantRow { id: m.id.clone(), slug: m.slug.clone() }).collect();
        store.declare_tenants(&rows).await.expect("tenants");
        let kafka = KafkaConfig::new(&broker.bootstrap(), "hops", "hops");
        ensure_topics(&kafka, 4, 1).await.expect("topics");
        let producer = Producer::new(&kafka).expect("producer");
        let registry = prometheus::Registry::new();
        let telemetry = Telemetry::new(&registry).expect("metrics");
        let services = Services {
            failpoints: Failpoints::default(),
            store: store.clone(),
            producer: producer.clone(),
            kafka,
            requests: Arc::new(MemoryBudget::new(RateLimits {
                tenant_requests_per_second: 25.0,
                tenant_burst: 25,
                ..RateLimits::default()
            })),
            bytes: ByteBudget::new(128 * 1024 * 1024),
            cpus: Arc::new(Semaphore::new(2)),
            served: Served::default(),
            limits: WorkerLimits { reconcile_every, ..WorkerLimits::default() },
            telemetry: telemetry.clone(),
        };
        let worker = Worker::start(Arc::new(services), means).await.expect("worker");
        let tenants = rows.into_iter().map(|row| row.id).collect();
        Self { tenants, store, simulator, producer, telemetry, registry, worker, postgres, broker }
    }

    pub async fn stop(self) {
        self.worker.stop().await;
        // What was granted is counted when the worker stops, if not before.
        for tenant in self.tenants {
            let used = self.store.upstream_use(&tenant).await.expect("counted");
            let sent = self.simulator.request_count(&format!("user-{tenant}"));
            let counted = used.this_hour + used.last_hour;
            assert!(
                counted > 0 && counted >= i64::try_from(sent).expect("few"),
                "{tenant}: {counted} of {sent}"
            );
        }
        self.store.close().await;
        self.simulator.shutdown().await;
        self.postgres.stop().await;
    }

    /// The scene of a case, after its tenant's first sync.
    pub async fn scene(&self, name: &str) -> Scene<'_> {
        let workspaces = self.simulator.workspaces().into_iter().filter(|it| it.organization == name);
        let mut scene = Scene {
            world: self,
            tenant: TenantId::parse(name).expect("tenant"),
            workspaces: workspaces.map(|it| WorkspaceId::parse(&it.id).expect("workspace")).collect(),
            reports: self.reports(),
        };
        // No sync ends before the consumer has joined its group, which takes seconds: no report is missed.
        let mut waiting: HashSet<WorkspaceId> = scene.workspaces.iter().cloned().collect();
        let first_sync = async {
            while !waiting.is_empty() {
                let report = scene.reports.recv().await.expect("the worker runs");
                waiting.remove(&report.workspace);
            }
        };
        tokio::time::timeout(WAIT_MAX, first_sync).await.expect("the first sync ends in time");
        scene
    }

    pub fn reports(&self) -> broadcast::Receiver<SyncEnded> {
        self.telemetry.watch()
    }

    /// The sum of a metric over the series that have both labels' values; 0 where there is none.
    pub fn metric(&self, name: &str, tenant: &str, label: &str) -> f64 {
        let families = self.registry.gather();
        let series = families.iter().filter(|family| family.name() == name).flat_map(|f| f.get_metric());
        let has = |series: &&prometheus::proto::Metric| {
            [tenant, label].iter().all(|value| series.get_label().iter().any(|pair| pair.value() == *value))
        };
        series.filter(has).map(|s| s.get_counter().get_value() + s.get_gauge().get_value()).sum()
    }

    /// How many records that stand on a topic now count. A sentinel behind them tells where now is, on each partition.
    /// `reader` is the name of a group that nobody had.
    pub async fn records_of(
        &self,
        reader: &str,
        topic: &'static str,
        counts: impl Fn(&RawRecord) -> bool,
    ) -> usize {
        let end = format!("end-{reader}-");
        let mut ends = HashSet::new();
        for number in 0..1_000 {
            let record = EncodedRecord {
                topic,
                key: format!("{end}{number}"),
                headers: Vec::new(),
                value: Vec::new(),
            };
            ends.insert(self.producer.send(&record).await.expect("sent").partition);
            if ends.len() == PARTITIONS {
                break;
            }
        }
        assert_eq!(ends.len(), PARTITIONS, "keys spread over the partitions");
        let config = KafkaConfig::new(&self.broker.bootstrap(), reader, reader);
        let (consumer, mut events) = Consumer::start(&config, &[topic], 64).expect("consumer");
        let mut count = 0;
        let read = async {
            while !ends.is_empty() {
                if let IntakeEvent::Batch(batch) = events.recv().await.expect("the consumer runs") {
                    for record in &batch {
                        count += usize::from(counts(record));
                        if record.key.as_deref().is_some_and(|key| key.starts_with(end.as_bytes())) {
                            ends.remove(&record.partition);
                        }
                    }
                }
            }
        };
        tokio::time::timeout(WAIT_MAX, read).await.expect("the topic is read in time");
        consumer.stop().await;
        count
    }

    pub async fn send(&self, record: &EncodedRecord) {
        self.producer.send(record).await.expect("sent");
    }
}

impl Scene<'_> {
    /// An event for a workspace of this tenant.
    pub fn event(&self, workspace: &WorkspaceId, id: &str) -> EncodedRecord {
        event(&self.tenant, workspace, id)
    }

    pub async fn send(&self, workspace: &WorkspaceId, id: &str) {
        self.world.send(&self.event(workspace, id)).await;
    }

    /// How the next sync of a workspace ends. No case is about the store: a sync that finds no connection in time, as it
    /// may on a busy machine, is tried again and counts then.
    pub async fn next_end(&mut self, workspace: &WorkspaceId) -> SyncEnd {
        let busy = SyncEnd::Deferred(FailureReason::StorageFailed);
        self.next_end_that(workspace, |end| end != busy).await
    }

    /// How the next sync of a workspace ends, of those that count.
    pub async fn next_end_that(
        &mut self,
        workspace: &WorkspaceId,
        counts: impl Fn(SyncEnd) -> bool,
    ) -> SyncEnd {
        let wait = async {
            loop {
                let report = self.reports.recv().await.expect("the worker runs");
                if report.workspace == *workspace && counts(report.end) {
                    return report.end;
                }
            }
        };
        tokio::time::timeout(WAIT_MAX, wait).await.expect("the sync ends in time")
    }

    /// Workspaces that the catalog serves.
    pub async fn served(&self) -> usize {
        let statuses = self.world.store.workspaces(&self.tenant).await.expect("statuses");
        statuses.iter().filter(|status| status.version.is_some()).count()
    }

    /// Why each workspace is stale, if it is.
    pub async fn stale(&self) -> Vec<Option<String>> {
        let statuses = self.world.store.workspaces(&self.tenant).await.expect("statuses");
        statuses.into_iter().map(|status| status.stale).collect()
    }

    pub async fn head(&self) -> i64 {
        self.world.store.feed_head(&self.tenant).await.expect("head").seq
    }

    pub async fn changes_after(&self, seq: i64) -> Vec<ChangeRow> {
        self.world.store.changes(&self.tenant, seq, 1000, None).await.expect("changes").1
    }

    pub async fn serial(&self, workspace: &WorkspaceId) -> i64 {
        let statuses = self.world.store.workspaces(&self.tenant).await.expect("statuses");
        let version = statuses.into_iter().find(|s| s.workspace == *workspace).and_then(|s| s.version);
        version.map_or(-1, |version| version.serial)
    }

    pub async fn letters(&self) -> BTreeMap<String, String> {
        self.all_letters()
            .await
            .into_iter()
            .filter(|letter| letter.state == LetterState::Open)
            .map(|l| (l.workspace.map_or(String::new(), |w| w.to_string()), l.reason))
            .collect()
    }

    /// Letters in every state.
    pub async fn all_letters(&self) -> Vec<DeadLetter> {
        let every = DeadLetterFilter::default();
        self.world.store.dead_letters(&self.tenant, &every, None, 100).await.expect("letters")
    }

    /// Waits for a condition.
    pub async fn until(&self, what: &str, mut holds: impl AsyncFnMut(&Self) -> bool) {
        let wait = async {
            while !holds(self).await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        assert!(tokio::time::timeout(WAIT_MAX, wait).await.is_ok(), "waited in vain for {what}");
    }
}

pub fn event(tenant: &TenantId, workspace: &WorkspaceId, id: &str) -> EncodedRecord {
    let now = OffsetDateTime::from(SystemTime::now());
    let event = Event::StateUpdated(StateUpdated {
        tenant: tenant.clone(),
        workspace: workspace.clone(),
        run: None,
        time: now,
        priority: Priority::Normal,
        state_version: None,
        lineage: None,
        serial: None,
    });
    let trace = Some(TraceParent::from_random([3; 24]));
    Envelope { id: id.to_owned(), source: "/hops".into(), time: Some(now), trace, event }
        .encode()
        .expect("encodes")
}

fn organization(at: usize, name: &str) -> OrganizationSpec {
    let workspaces = (0..3)
        .map(|n| WorkspaceSpec {
            name: format!("{name}-{n}"),
            state: Some(StateSource::Generated(StateSpec::new(
                u64::try_from(at * 10 + n).expect("small"),
                StateSize::Resources(20),
            ))),
            repository: None,
            tags: Vec::new(),
        })
        .collect();
    OrganizationSpec {
        name: name.to_owned(),
        workspaces,
        token: format!("token-{name}"),
        user: format!("user-{name}"),
    }
}

fn means(name: &str, simulator: &Simulator) -> Arc<TenantMeans> {
    let mut tokens = vec![Secret::new(format!("token-{name}"))];
    let mut rotations = vec![None];
    if name == super::cases::FALLBACK {
        tokens.insert(0, Secret::new("nobody-knows-this-token".to_owned()));
        let issued = time::macros::date!(2020 - 01 - 01);
        rotations.insert(0, Some(TokenRotation { issued, every_days: 90, warn_before_days: 14 }));
    }
    let mut config = ClientConfig::new(simulator.api_origin().parse().expect("url"), tokens);
    config.allow_http = true;
    // The archive is on loopback; the guard against private addresses has a tenant of its own.
    config.allow_private_downloads = name != super::cases::GUARDED;
    let rules = RuleSet::builtin();
    Arc::new(TenantMeans {
        id: TenantId::parse(name).expect("tenant"),
        slug: TenantSlug::parse(name).expect("slug"),
        organizations: vec![OrganizationName::parse(name).expect("organization")],
        client: Client::new(config).expect("client"),
        weight: 1,
        account: AccountGate::default(),
        rotations,
        pipeline: CurrentPipeline::new(Arc::new(Pipeline {
            rules,
            types: Arc::new(TypeTable::builtin()),
            version: PipelineVersion(1),
        })),
        profile: CatalogProfile::default(),
        identity_key: [1; 32],
        hash_key: [2; 32],
        taint_key: [3; 16],
    })
}
