//! What the rows run in: a real broker, a real database, and the worker as the binary wires it, in this process.
//!
//! The upstream alone is simulated, and its budget says yes to everything: the rows leave the wait for it out. Must never
//! turn anything off that makes a record or a commit durable.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, ensure};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use serde_json::{Map, Value, json};
use terrasift_actors::{
    AccountGate, ByteBudget, CurrentPipeline, Failpoints, Served, Services, Telemetry, TenantMeans, Worker,
    WorkerLimits,
};
use terrasift_engine::detect::RuleSet;
use terrasift_engine::extract::{CatalogProfile, TypeTable};
use terrasift_engine::sift::Pipeline;
use terrasift_kafka::{ClusterPlan, KafkaConfig, PrivateKafka, Producer, ensure_topics};
use terrasift_postgres::{KnownVersion, PrivatePostgres, Store, TenantRow, WorkspaceCommit};
use terrasift_redis::{Ask, LeaseId, RequestBudget, UserKey, Verdict};
use terrasift_schemas::detection::Report;
use terrasift_schemas::event::{EncodedRecord, Envelope, Event, Priority, STATE_UPDATED_TOPIC, StateUpdated};
use terrasift_schemas::{PipelineVersion, StateVersionId, TenantId, TenantSlug, WorkspaceId};
use terrasift_secrets::Secret;
use terrasift_terraform_cloud::{Client, ClientConfig};
use time::OffsetDateTime;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::row::Measured;
use crate::upstream::{STATE_VERSION, Upstream};

/// The tenant of all rows.
pub const TENANT: &str = "measured";
/// The pipeline that everything went through.
pub const PIPELINE: PipelineVersion = PipelineVersion(1);
/// Workspaces that are made known in one transaction.
const KNOWN_AT_ONCE: usize = 1_000;
/// Records that are sent before their answers are waited for.
const SENT_AT_ONCE: usize = 2_000;
/// Longest wait for a program.
const PROGRAM_WAIT_MAX: Duration = Duration::from_secs(60);

/// The servers. Stopped by [`Servers::stop`]; dropped, they go too.
pub struct Servers {
    /// The broker.
    pub kafka: PrivateKafka,
    /// The database.
    pub postgres: PrivatePostgres,
    /// To the catalog.
    pub store: Store,
    /// How to reach the broker.
    pub config: KafkaConfig,
    /// To the topics.
    pub producer: Producer,
}

impl Servers {
    /// Starts one broker and a database, with the topics and the tenant.
    pub async fn start(libs: &Path, partitions: i32) -> anyhow::Result<Self> {
        let (kafka, postgres) =
            tokio::join!(PrivateKafka::start(ClusterPlan::new(libs, 1)), PrivatePostgres::start(None));
        let (kafka, postgres) =
            (kafka.context("cannot start Kafka")?, postgres.context("cannot start Postgres")?);
        terrasift_postgres::migrate(&postgres.owner_url()).await?;
        let store = Store::connect(&postgres.app_url(), 16).await?;
        let tenant = TenantRow { id: tenant()?, slug: TenantSlug::parse(TENANT)? };
        store.declare_tenants(&[tenant]).await?;
        let config = KafkaConfig::new(&kafka.bootstrap(), "measure", "measure");
        ensure_topics(&config, partitions, 1).await?;
        let producer = Producer::new(&config)?;
        Ok(Self { kafka, postgres, store, config, producer })
    }

    /// What makes things durable here, as the servers tell it.
    pub async fn settings(&self) -> anyhow::Result<Value> {
        let told = |pairs: Vec<(String, String)>| -> Value {
            pairs
                .into_iter()
                .map(|(name, value)| (name, Value::from(value)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let postgres = told(self.store.durability().await?);
        let kafka = told(terrasift_kafka::durability(&self.config).await?);
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        Ok(json!({ "postgres": postgres, "kafka": kafka, "cores": cores }))
    }

    /// Starts a worker over them, as the binary does.
    pub async fn worker(&self, upstream: &Upstream, limits: WorkerLimits) -> anyhow::Result<Running> {
        let registry = prometheus::Registry::new();
        let telemetry = Telemetry::new(&registry)?;
        let services = Services {
            store: self.store.clone(),
            producer: self.producer.clone(),
            kafka: self.config.clone(),
            requests: Arc::new(Always),
            bytes: ByteBudget::new(256 * 1024 * 1024),
            cpus: Arc::new(Semaphore::new(2)),
            served: Served::default(),
            failpoints: Failpoints::default(),
            limits,
            telemetry: telemetry.clone(),
        };
        let worker = Worker::start(Arc::new(services), vec![means(upstream)?]).await?;
        Ok(Running { worker, telemetry, registry })
    }

    /// Makes the catalog show serial 1 of these workspaces.
    pub async fn make_known(&self, count: usize) -> anyhow::Result<()> {
        let epoch = self.store.claim_partition(0).await?;
        let tenant = tenant()?;
        for first in (0..count).step_by(KNOWN_AT_ONCE) {
            let ids: Vec<WorkspaceId> =
                (first..count.min(first + KNOWN_AT_ONCE)).map(workspace).collect::<anyhow::Result<_>>()?;
            let tickets = self.store.begin_reads(&tenant, &ids).await?;
            let commits = ids.into_iter().zip(tickets).map(|(workspace, ticket)| {
                Ok(WorkspaceCommit {
                    version: version(&workspace)?,
                    workspace,
                    partition: 0,
                    epoch,
                    mark_generation: 0,
                    read_seq: ticket.read_seq,
                    basis: ticket.basis,
                    upserts: Vec::new(),
                    removals: Vec::new(),
                    report: Report::default(),
                    resource_count: 0,
                    bytes_in: 0,
                    run: None,
                    trace: None,
                })
            });
            let commits = commits.collect::<anyhow::Result<Vec<_>>>()?;
            self.store.commit(&tenant, commits).await?;
        }
        Ok(())
    }

    /// Sends records, in this order a key, and waits until all in-sync replicas have them.
    pub async fn send(
        &self,
        records: impl Iterator<Item = anyhow::Result<EncodedRecord>>,
    ) -> anyhow::Result<usize> {
        let mut sent = 0;
        let mut tasks = JoinSet::new();
        let mut batch = Vec::with_capacity(SENT_AT_ONCE);
        let mut records = records.peekable();
        while let Some(record) = records.next() {
            batch.push(record?);
            if batch.len() == SENT_AT_ONCE || records.peek().is_none() {
                let (producer, batch) = (self.producer.clone(), std::mem::take(&mut batch));
                // The next batch is made while this one is on its way.
                if let Some(done) = tasks.join_next().await {
                    sent += done??;
                }
                tasks.spawn(async move {
                    futures_util::future::try_join_all(batch.iter().map(|record| producer.send(record)))
                        .await
                        .map(|positions| positions.len())
                });
            }
        }
        while let Some(done) = tasks.join_next().await {
            sent += done??;
        }
        Ok(sent)
    }

    /// One value of the database, as the superuser: what is counted from outside.
    pub async fn ask(&self, sql: &str) -> anyhow::Result<String> {
        let asking = tokio::process::Command::new(self.postgres.program("psql"))
            .args(["-X", "-A", "-t", "-c", sql, &self.postgres.superuser_url()])
            .stdin(Stdio::null())
            .output();
        let output =
            tokio::time::timeout(PROGRAM_WAIT_MAX, asking).await.context("psql takes too long")??;
        ensure!(output.status.success(), "psql failed: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// When a partition was claimed last: before the first record is looked at.
    pub async fn claimed_at(&self) -> anyhow::Result<f64> {
        let text = self.ask("SELECT extract(epoch FROM max(claimed_at)) FROM partition_epochs").await?;
        Ok(text.parse()?)
    }

    /// Marks that stand.
    pub async fn marks(&self) -> anyhow::Result<u64> {
        Ok(self.ask("SELECT count(*) FROM dirty_marks").await?.parse()?)
    }

    /// Reads the settings back and stops all, clean.
    pub async fn finish(
        self,
        running: Running,
        value: f64,
        details: Map<String, Value>,
    ) -> anyhow::Result<Measured> {
        let settings = self.settings().await.context("cannot read the settings back")?;
        running.worker.stop().await;
        self.stop().await;
        Ok(Measured { value, settings, details })
    }

    /// Stops all, clean.
    async fn stop(self) {
        self.store.close().await;
        self.kafka.stop().await;
        self.postgres.stop().await;
    }
}

/// A running worker.
pub struct Running {
    /// Its handle.
    pub worker: Worker,
    /// Where it tells.
    pub telemetry: Telemetry,
    registry: prometheus::Registry,
}

impl Running {
    /// Records of `terraform-state-updated` that were taken in, by outcome.
    pub fn records(&self, outcome: &str) -> f64 {
        let families = self.registry.gather();
        let series = families
            .iter()
            .filter(|family| family.name() == "terrasift_records_total")
            .flat_map(|family| family.get_metric());
        let has = |series: &&prometheus::proto::Metric| {
            [STATE_UPDATED_TOPIC, outcome]
                .iter()
                .all(|value| series.get_label().iter().any(|pair| pair.value() == *value))
        };
        series.filter(has).map(|series| series.get_counter().get_value()).sum()
    }
}

/// Seconds since 1970.
pub fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// The tenant.
pub fn tenant() -> anyhow::Result<TenantId> {
    Ok(TenantId::parse(TENANT)?)
}

/// The workspace of a number.
pub fn workspace(number: usize) -> anyhow::Result<WorkspaceId> {
    Ok(WorkspaceId::parse(&format!("ws-Measured{number:08}"))?)
}

/// What is shown of it.
fn version(_: &WorkspaceId) -> anyhow::Result<KnownVersion> {
    Ok(KnownVersion {
        lineage: [7; 16],
        serial: 1,
        pipeline: PIPELINE,
        state_version: Some(StateVersionId::parse(STATE_VERSION)?),
    })
}

/// An event of a workspace; with its state version and serial, where the producer knows them.
pub fn event(number: usize, id: usize, knows: bool) -> anyhow::Result<EncodedRecord> {
    let now = OffsetDateTime::from(SystemTime::now());
    let state_version = if knows { Some(StateVersionId::parse(STATE_VERSION)?) } else { None };
    let event = Event::StateUpdated(StateUpdated {
        tenant: tenant()?,
        workspace: workspace(number)?,
        run: None,
        time: now,
        priority: Priority::Normal,
        serial: state_version.as_ref().map(|_| 1),
        state_version,
        lineage: None,
    });
    let id = format!("measure-{id}");
    Ok(Envelope { id, source: "/measure".to_owned(), time: Some(now), trace: None, event }.encode()?)
}

fn means(upstream: &Upstream) -> anyhow::Result<Arc<TenantMeans>> {
    let mut config = ClientConfig::new(upstream.origin.parse()?, vec![Secret::new("measured".to_owned())]);
    config.allow_http = true;
    config.allow_private_downloads = true;
    Ok(Arc::new(TenantMeans {
        id: tenant()?,
        slug: TenantSlug::parse(TENANT)?,
        // The reconciler has nothing to list.
        organizations: Vec::new(),
        client: Client::new(config)?,
        weight: 1,
        account: AccountGate::default(),
        rotations: vec![None],
        pipeline: CurrentPipeline::new(Arc::new(Pipeline {
            rules: RuleSet::builtin(),
            types: Arc::new(TypeTable::builtin()),
            version: PIPELINE,
        })),
        profile: CatalogProfile::default(),
        identity_key: [1; 32],
        hash_key: [2; 32],
        taint_key: [3; 16],
    }))
}

/// Resident bytes of this process.
pub fn resident_bytes() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    let kilobytes: u32 = line.split_whitespace().nth(1).context("no figure")?.parse()?;
    Ok(f64::from(kilobytes) * 1024.0)
}

/// A budget that says yes: the wait for the upstream is left out.
struct Always;

impl RequestBudget for Always {
    fn take(&self, _: Ask) -> BoxFuture<'_, Verdict> {
        ready(Verdict::Granted(LeaseId::new(0))).boxed()
    }
    fn give_back(&self, _: UserKey, _: LeaseId) -> BoxFuture<'_, ()> {
        ready(()).boxed()
    }
    fn close(&self, _: UserKey, _: Duration) -> BoxFuture<'_, ()> {
        ready(()).boxed()
    }
    fn keep(&self) -> BoxFuture<'_, ()> {
        ready(()).boxed()
    }
    fn leave(&self) -> BoxFuture<'_, ()> {
        ready(()).boxed()
    }
    fn alone(&self) -> usize {
        0
    }
}
