//! The wiring: settings in, a running Terrasift out. Shared by `serve` and `demo`.
//!
//! Must never decide anything that a crate should decide.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use hmac::{Hmac, KeyInit, Mac};
use ipnet::IpNet;
use sha2::Sha256;
use terrasift_actors::{
    AccountGate, ByteBudget, CurrentPipeline, Failpoints, Served, Services, Telemetry, TenantMeans,
    TokenRotation, Worker, WorkerLimits,
};
use terrasift_engine::extract::{CatalogProfile, TypeTable};
use terrasift_http::{
    AuditTrail, CertificateGrant, Doors, HttpConfig, KeyUses, Readiness, Routes, TenantDoor, Tls, TrailWriter,
};
use terrasift_identity::Verifier;
use terrasift_kafka::{KafkaConfig, Producer, TopicMismatch, check_topics, ensure_topics};
use terrasift_postgres::{Auditor, CheckpointSigner, Store, TenantRow};
use terrasift_redis::{ANSWER_WAIT_MAX, MemoryBudget, RateLimits, RedisBudget, RedisConfig, RequestBudget};
use terrasift_schemas::config::{Limits, Role, Rotation};
use terrasift_schemas::{OrganizationName, TenantId, TenantSlug};
use terrasift_secrets::{CurrentSecret, SecretBook};
use terrasift_terraform_cloud::{Client, ClientConfig};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use url::Url;

use crate::beside::reload::Reload;
use crate::beside::rotation::{RedisUser, SecretTelemetry, SecretWatch};
use crate::beside::{leaks, reload, suspension};
use crate::cache::CacheSettings;
use crate::certificates::Certificates;
use crate::rule_file::book::RuleBook;

/// The consumer has joined its group.
const CONSUMER_FLAG: &str = "consumer_unassigned";
/// Time for the last records of the security audit. Requests are over by then.
const TRAIL_ENDS_WITHIN: Duration = Duration::from_secs(10);

/// Everything that a running Terrasift needs, with the secrets in place. No Debug.
pub struct Settings {
    pub roles: Vec<Role>,
    pub http: HttpConfig,
    /// What TLS is spoken with; without it, HTTP is plain.
    pub tls: Option<Certificates>,
    pub kafka: KafkaConfig,
    pub kafka_partitions: i32,
    pub kafka_replication: i32,
    pub database_url: CurrentSecret,
    pub database_connections_max: u32,
    /// As whom leaks between tenants are looked for; without it nobody looks.
    pub auditor_url: Option<CurrentSecret>,
    /// Where replicas share the rate budget; without it, it is in memory.
    pub redis: Option<RedisSettings>,
    /// What the API keeps of what it read.
    pub cache: CacheSettings,
    pub address: Url,
    pub allow_private_downloads: bool,
    pub allow_http: bool,
    pub identity_key: [u8; 32],
    pub hash_key: [u8; 32],
    pub cursor_key: [u8; 32],
    pub key_pepper: [u8; 32],
    /// Checks tokens; without it, API keys alone open the API.
    pub tokens: Option<Arc<Verifier>>,
    /// Whose client certificates open the API.
    pub client_certificates: Vec<CertificateGrant>,
    /// Signs checkpoints of the security audit.
    pub audit_signing: Option<[u8; 32]>,
    pub limits: Limits,
    pub rules: RuleBook,
    pub types: TypeTable,
    pub profile: CatalogProfile,
    pub tenants: Vec<TenantSettings>,
    /// All secrets, and how often they are read again; without it none rotates.
    pub secrets: Option<(SecretBook, Duration)>,
    /// Armed by tests only.
    pub failpoints: Failpoints,
}

/// Where is listened.
pub struct Listeners {
    pub doors: TcpListener,
    /// Of probes and metrics, where they stand apart.
    pub operations: Option<TcpListener>,
}

/// How to reach Redis. No Debug: the address can hold a password.
pub struct RedisSettings {
    pub url: CurrentSecret,
    pub prefix: String,
    pub replicas_max: usize,
}

/// A tenant with its secrets in place. No Debug.
pub struct TenantSettings {
    pub id: TenantId,
    pub slug: TenantSlug,
    pub organizations: Vec<OrganizationName>,
    pub tokens: Vec<CurrentSecret>,
    /// When each token has to be replaced.
    pub rotations: Vec<Option<Rotation>>,
    pub weight: u32,
    pub webhook_secret: Option<CurrentSecret>,
    /// Where its deliveries may come from; empty: from anywhere.
    pub webhook_sources: Vec<IpNet>,
    pub default_owner: Option<String>,
}

/// A running Terrasift.
pub struct App {
    pub store: Store,
    pub telemetry: Telemetry,
    worker: Option<Worker>,
    /// Write when keys were used, look after certificates and suspensions; beside a worker, after the rule files, and for leaks.
    beside: Vec<JoinHandle<()>>,
    http: JoinHandle<()>,
    key_uses: KeyUses,
    /// Writes the security audit, until the doors are gone.
    trail: JoinHandle<()>,
    stop_http: watch::Sender<bool>,
}

impl App {
    /// Starts what the roles ask for, and serves.
    pub async fn start(mut settings: Settings, listeners: Listeners) -> anyhow::Result<Self> {
        let registry = prometheus::Registry::new();
        let telemetry = Telemetry::new(&registry).context("cannot register metrics")?;
        let rotated = SecretTelemetry::new(&registry).context("cannot register metrics")?;
        let store = connect(&mut settings).await?;
        ensure_topics(&settings.kafka, settings.kafka_partitions, settings.kafka_replication)
            .await
            .context("cannot reach Kafka, or create its topics: check kafka.bootstrap and kafka.security")?;
        // Beside the start: what it tells is for a person, and brokers may take their time.
        tokio::spawn(tell_mismatches(
            settings.kafka.clone(),
            settings.kafka_partitions,
            settings.kafka_replication,
        ));
        let producer = Producer::new(&settings.kafka).context("cannot make a Kafka producer")?;
        let readiness = Arc::new(Readiness::new(&[CONSUMER_FLAG]));
        let (trail, writer) = audit_trail(&settings, &store, &registry)?;
        let key_uses = KeyUses::default();
        let (cache, cache_user) = settings.cache.open(&settings.cursor_key)?;
        let doors = Doors {
            trail,
            key_uses: key_uses.clone(),
            store: store.clone(),
            cache,
            producer: producer.clone(),
            tenants: settings.tenants.iter().map(door).collect(),
            cursor_key: settings.cursor_key,
            key_pepper: settings.key_pepper,
            tokens: settings.tokens.clone(),
            certificates: settings.client_certificates.clone(),
            registry,
            readiness: Arc::clone(&readiness),
        };
        let mut beside = vec![tokio::spawn(key_uses.clone().run(store.clone()))];
        let tls = match settings.tls.take() {
            None => None,
            Some(certificates) => {
                let tls = certificates.tls(&settings.http, &doors)?;
                beside.push(tokio::spawn(certificates.watch(tls.clone())));
                Some(tls)
            }
        };
        let (requests, redis) = request_budget(&settings)?;
        let rotation = settings.secrets.take().map(|(book, every)| {
            let redis = redis.into_iter().chain(cache_user).collect();
            SecretWatch::new(book, every, rotated, store.clone(), settings.database_url.clone(), redis)
        });
        let (stop_http, stopping) = watch::channel(false);
        let http = serve_http(&settings, doors, listeners, tls, stopping)?;
        let trail = tokio::spawn(writer.run());
        let mut worker = None;
        if settings.roles.contains(&Role::Worker) {
            beside.extend(look_for_leaks(&settings, &telemetry)?);
            let (started, reload) = start_worker(settings, requests, &store, &producer, &telemetry).await?;
            worker = Some(started);
            beside.push(tokio::spawn(reload.run()));
        }
        let signals = worker.as_ref().map(Worker::signals);
        beside.push(tokio::spawn(suspension::watch(store.clone(), signals)));
        beside.extend(rotation.map(|rotation| tokio::spawn(rotation.run())));
        readiness.set(CONSUMER_FLAG, true);
        Ok(Self { store, telemetry, worker, beside, http, key_uses, trail, stop_http })
    }

    /// Waits until a part has ended that should not.
    pub async fn ended(&mut self) -> &'static str {
        let http = &mut self.http;
        match &mut self.worker {
            Some(worker) => tokio::select! {
                () = worker.ended() => "the worker gave up: see the log for what crashed",
                _ = http => "the HTTP server ended",
            },
            None => {
                let _ = http.await;
                "the HTTP server ended"
            }
        }
    }

    /// Stops: first no new work, then drain, then the doors.
    pub async fn stop(self) {
        for task in &self.beside {
            task.abort();
        }
        if let Some(worker) = self.worker {
            worker.stop().await;
        }
        self.stop_http.send_replace(true);
        let _ = self.http.await;
        self.key_uses.write(&self.store).await;
        if tokio::time::timeout(TRAIL_ENDS_WITHIN, self.trail).await.is_err() {
            tracing::error!("the security audit was not written to its end");
        }
        self.store.close().await;
    }
}

async fn tell_mismatches(kafka: KafkaConfig, partitions: i32, replication: i32) {
    match check_topics(&kafka, partitions, replication).await {
        Ok(mismatches) => {
            for TopicMismatch { topic, problem } in mismatches {
                tracing::warn!(topic, problem, "a topic is not as documented or configured");
            }
        }
        Err(error) => tracing::info!(%error, "the topics are not checked"),
    }
}

fn door(tenant: &TenantSettings) -> TenantDoor {
    TenantDoor {
        id: tenant.id.clone(),
        slug: tenant.slug.clone(),
        webhook_secret: tenant.webhook_secret.clone(),
        webhook_sources: tenant.webhook_sources.clone(),
    }
}

/// The security audit of this process: where records go, and who writes them.
fn audit_trail(
    settings: &Settings,
    store: &Store,
    registry: &prometheus::Registry,
) -> anyhow::Result<(AuditTrail, TrailWriter)> {
    let mut segment = [0; 16];
    getrandom::fill(&mut segment).map_err(|_| anyhow::anyhow!("the system gives no randomness"))?;
    let signer = settings
        .audit_signing
        .as_ref()
        .map(CheckpointSigner::new)
        .transpose()
        .context("keys.audit_signing")?;
    if signer.is_none() {
        tracing::warn!("the security audit is not signed: set keys.audit_signing");
    }
    Ok(AuditTrail::new(store.clone(), segment, signer, registry)?)
}

/// Connects to the database, and declares the tenants there. Those that were erased are left out from here on.
pub async fn connect(settings: &mut Settings) -> anyhow::Result<Store> {
    let store =
        Store::connect(settings.database_url.now().expose().trim(), settings.database_connections_max)
            .await
            .context("cannot connect to Postgres: check postgres.url, and run `terrasift migrate` once")?;
    let rows: Vec<TenantRow> =
        settings.tenants.iter().map(|t| TenantRow { id: t.id.clone(), slug: t.slug.clone() }).collect();
    let erased = store.declare_tenants(&rows).await.context("cannot declare the tenants in Postgres")?;
    for tenant in &erased {
        tracing::error!(%tenant, "the tenant was erased, and nothing of it is started: take it out of the configuration");
    }
    settings.tenants.retain(|tenant| !erased.contains(&tenant.id));
    store.look_for_suspended().await.context("cannot read which tenants are suspended")?;
    Ok(store)
}

fn serve_http(
    settings: &Settings,
    doors: Doors,
    listeners: Listeners,
    tls: Option<Tls>,
    stopping: watch::Receiver<bool>,
) -> anyhow::Result<JoinHandle<()>> {
    let routes =
        Routes { api: settings.roles.contains(&Role::Api), webhook: settings.roles.contains(&Role::Webhook) };
    let config = settings.http.clone();
    let stops = |mut stopping: watch::Receiver<bool>| async move {
        // An error means that the app is gone: then it is over, too.
        drop(stopping.wait_for(|stopping| *stopping).await);
    };
    let Some(operations) = listeners.operations else {
        let router = terrasift_http::router(doors, routes, &config)?;
        return Ok(tokio::spawn(async move {
            terrasift_http::serve(listeners.doors, router, config, tls, stops(stopping)).await;
        }));
    };
    let (router, inner) = terrasift_http::routers_apart(doors, routes, &config)?;
    Ok(tokio::spawn(async move {
        let outside =
            terrasift_http::serve(listeners.doors, router, config.clone(), tls, stops(stopping.clone()));
        tokio::join!(outside, terrasift_http::serve(operations, inner, config, None, stops(stopping)));
    }))
}

/// Starts to look for leaks between tenants, where there is an auditor.
fn look_for_leaks(settings: &Settings, telemetry: &Telemetry) -> anyhow::Result<Option<JoinHandle<()>>> {
    let Some(url) = &settings.auditor_url else { return Ok(None) };
    Auditor::new(url.now().expose()).context("postgres.auditor_url")?;
    let every = Duration::from_secs(settings.limits.leak_look_s);
    Ok(Some(tokio::spawn(leaks::watch(url.clone(), every, telemetry.clone()))))
}

async fn start_worker(
    settings: Settings,
    requests: Arc<dyn RequestBudget>,
    store: &Store,
    producer: &Producer,
    telemetry: &Telemetry,
) -> anyhow::Result<(Worker, Reload)> {
    let limits = &settings.limits;
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let services = Services {
        store: store.clone(),
        producer: producer.clone(),
        kafka: settings.kafka.clone(),
        requests,
        bytes: ByteBudget::new(limits.memory_mib.saturating_mul(1024 * 1024)),
        cpus: Arc::new(Semaphore::new(cpus)),
        served: Served::default(),
        limits: WorkerLimits {
            tenant_syncs_max: limits.tenant_syncs_max,
            passivate_after: Duration::from_secs(limits.passivate_after_s),
            stuck_after: Duration::from_secs(limits.stuck_after_s),
            reconcile_every: Duration::from_secs(limits.reconcile_every_s),
            ..WorkerLimits::default()
        },
        telemetry: telemetry.clone(),
        failpoints: settings.failpoints.clone(),
    };
    let (book, types) = (settings.rules, Arc::new(settings.types));
    let every = Duration::from_secs(limits.rules_reload_s);
    let mut means = Vec::with_capacity(settings.tenants.len());
    for tenant in settings.tenants {
        let mut config = ClientConfig::new(settings.address.clone(), tenant.tokens);
        config.allow_private_downloads = settings.allow_private_downloads;
        config.allow_http = settings.allow_http;
        let client = Client::new(config)
            .with_context(|| format!("tenant {}: cannot reach Terraform Cloud", tenant.id))?;
        let pipeline = reload::pipeline(store, &tenant.id, book.rules(&tenant.id), &types)
            .await
            .with_context(|| format!("tenant {}: cannot number its rule set in Postgres", tenant.id))?;
        let mut profile = settings.profile.clone();
        profile.default_owner = tenant.default_owner.unwrap_or(profile.default_owner);
        let hash_key = derive(&settings.hash_key, "hash", &tenant.id);
        let mut taint_key = [0; 16];
        taint_key.copy_from_slice(&derive(&settings.hash_key, "taint", &tenant.id)[..16]);
        means.push(Arc::new(TenantMeans {
            identity_key: derive(&settings.identity_key, "identity", &tenant.id),
            hash_key,
            taint_key,
            id: tenant.id,
            slug: tenant.slug,
            organizations: tenant.organizations,
            client,
            weight: tenant.weight,
            account: AccountGate::default(),
            rotations: tenant.rotations.iter().map(|rotation| rotation.map(token_rotation)).collect(),
            pipeline: CurrentPipeline::new(pipeline),
            profile,
        }));
    }
    let worker = Worker::start(Arc::new(services), means.clone()).await?;
    let (store, telemetry, signals) = (store.clone(), telemetry.clone(), worker.signals());
    let reload = Reload { book, every, store, types, telemetry, tenants: means, worker: signals };
    Ok((worker, reload))
}

/// The budget of requests, and who is told when Redis' address changes.
type Requests = (Arc<dyn RequestBudget>, Option<RedisUser>);

/// The budget of requests to Terraform Cloud: shared in Redis where there is one.
fn request_budget(settings: &Settings) -> anyhow::Result<Requests> {
    let limits = RateLimits {
        user_requests_per_second: settings.limits.user_requests_per_second,
        tenant_requests_per_second: settings.limits.tenant_requests_per_second,
        tenant_burst: settings.limits.tenant_burst,
        ..RateLimits::default()
    };
    let Some(redis) = &settings.redis else { return Ok((Arc::new(MemoryBudget::new(limits)), None)) };
    let mut replica = [0; 8];
    getrandom::fill(&mut replica).map_err(|_| anyhow::anyhow!("the system gives no randomness"))?;
    let config = RedisConfig {
        address: redis.url.now().expose().trim().to_owned(),
        prefix: redis.prefix.clone(),
        replica: hex::encode(replica),
        replicas_max: redis.replicas_max,
        answer_wait_max: ANSWER_WAIT_MAX,
    };
    let shared = Arc::new(RedisBudget::new(config, limits).context("redis.url")?);
    let told = Arc::clone(&shared);
    let user = RedisUser::new("redis.url", redis.url.clone(), move |address| told.take_address(address));
    Ok((shared, Some(user)))
}

fn token_rotation(rotation: Rotation) -> TokenRotation {
    let Rotation { issued, rotate_every_days, warn_before_days } = rotation;
    TokenRotation { issued, every_days: rotate_every_days, warn_before_days }
}

/// A tenant's key from the common one: HMAC-SHA-256 over purpose and tenant, so that no two tenants are linkable.
fn derive(key: &[u8; 32], purpose: &str, tenant: &TenantId) -> [u8; 32] {
    // INVARIANT: HMAC takes keys of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(tenant.as_str().as_bytes());
    mac.finalize().into_bytes().into()
}
