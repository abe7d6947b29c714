//! What the tests stand on: the cluster, tenants with keys and entities, requests, and what arrives in Kafka.

use std::future::Future;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::{Digest, Sha256, Sha512};
use terrasift_http::{
    AuditTrail, CATALOG_READ, Cache, Doors, HttpConfig, KeyUses, Readiness, Routes, TenantDoor, TrailWriter,
    api_key_digest, mint_api_key, router,
};
use terrasift_kafka::{Consumer, EmbeddedKafka, IntakeEvent, KafkaConfig, Producer, RawRecord};
use terrasift_postgres::{
    ApiKeyId, CheckpointSigner, CommitOutcome, Epoch, KnownVersion, PrivatePostgres, Store, TenantRow,
    WorkspaceCommit, migrate,
};
use terrasift_redis::{CacheStore, MemoryCache, Ttls};
use terrasift_schemas::catalog::RenderedEntity;
use terrasift_schemas::detection::Report;
use terrasift_schemas::event::STATE_UPDATED_TOPIC;
use terrasift_schemas::{EntityRef, PipelineVersion, RunId, Sanitized, TenantId, TenantSlug, WorkspaceId};
use terrasift_secrets::Secret;
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;
use tower::ServiceExt;

use crate::authority::grants;
use crate::press::press;

pub const PEPPER: [u8; 32] = [11; 32];
pub const CURSOR_KEY: [u8; 32] = [12; 32];
pub const SIGNING_KEY: [u8; 32] = [13; 32];
const PATIENCE: Duration = Duration::from_secs(60);

/// One runtime for all tests: the pool and the consumer live longer than a test.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("runtime"));
static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();

pub struct Cluster {
    pub store: Store,
    pub producer: Producer,
    pub epoch: Epoch,
    records: Arc<Mutex<Vec<RawRecord>>>,
    postgres: PrivatePostgres,
    _kafka: EmbeddedKafka,
    _consumer: Consumer,
}

pub fn run(test: impl Future<Output = ()>) {
    run_within(PATIENCE * 4, test);
}

pub fn run_within(longest: Duration, test: impl Future<Output = ()>) {
    RUNTIME.block_on(async { tokio::time::timeout(longest, test).await.expect("the test ends in time") });
}

pub async fn cluster() -> &'static Cluster {
    CLUSTER.get_or_init(start).await
}

async fn start() -> Cluster {
    let postgres = PrivatePostgres::start(None).await.expect("postgres");
    migrate(&postgres.owner_url()).await.expect("migrations");
    let store = Store::connect(&postgres.app_url(), 16).await.expect("store");
    let epoch = store.claim_partition(0).await.expect("partition");
    let kafka = EmbeddedKafka::start(3).expect("kafka");
    let config = KafkaConfig::new(&kafka.bootstrap(), "doors", "doors");
    let producer = Producer::new(&config).expect("producer");
    let (consumer, mut events) = Consumer::start(&config, &[STATE_UPDATED_TOPIC], 64).expect("consumer");
    let records = Arc::new(Mutex::new(Vec::new()));
    let arrived = Arc::clone(&records);
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            if let IntakeEvent::Batch(batch) = event {
                arrived.lock().expect("records").extend(batch);
            }
        }
    });
    Cluster { store, producer, epoch, records, postgres, _kafka: kafka, _consumer: consumer }
}

impl Cluster {
    /// Where the auditor finds a database.
    pub fn auditor_url(&self, database: &str) -> String {
        self.postgres.auditor_url().replacen("/terrasift?", &format!("/{database}?"), 1)
    }

    /// Where the owner finds a database.
    pub fn owner_url(&self, database: &str) -> String {
        self.postgres.owner_url().replacen("/terrasift?", &format!("/{database}?"), 1)
    }

    /// Waits until the last record of `key` has the id `last`; all records of the key up to it.
    pub async fn records_of(&self, key: &str, last: impl Fn(&RawRecord) -> bool) -> Vec<RawRecord> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let found: Vec<_> = {
                let records = self.records.lock().expect("records");
                records
                    .iter()
                    .filter(|record| record.key.as_deref() == Some(key.as_bytes()))
                    .cloned()
                    .collect()
            };
            if found.iter().any(&last) {
                return found;
            }
            assert!(tokio::time::Instant::now() < deadline, "in vain waited for a record");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A tenant of a test.
pub struct Tenant {
    pub id: TenantId,
    pub slug: String,
    pub secret: String,
    pub key: String,
}

/// A router with two tenants, `{name}-a` and `{name}-b`.
pub struct House {
    pub router: Router,
    pub registry: prometheus::Registry,
    pub readiness: Arc<Readiness>,
    pub key_uses: KeyUses,
    pub a: Tenant,
    pub b: Tenant,
    pub store: Store,
    pub epoch: Epoch,
    pub trail: AuditTrail,
    doors: Doors,
}

pub async fn house(name: &str) -> House {
    house_with(name, HttpConfig::default(), None).await
}

pub async fn house_with(name: &str, config: HttpConfig, producer: Option<Producer>) -> House {
    let cluster = cluster().await;
    let (house, writer) = build(name, config, producer, cluster.store.clone(), cluster.epoch).await;
    tokio::spawn(writer.run());
    house
}

/// The same in a database of its own.
pub async fn house_in(name: &str, database: &str) -> House {
    let (house, writer) = house_unwritten(name, database).await;
    tokio::spawn(writer.run());
    house
}

/// The same, with who writes its security audit.
pub async fn house_unwritten(name: &str, database: &str) -> (House, TrailWriter) {
    house_unwritten_with(name, database, HttpConfig::default()).await
}

pub async fn house_unwritten_with(name: &str, database: &str, config: HttpConfig) -> (House, TrailWriter) {
    let (owner, app) = cluster().await.postgres.create_database(database).await.expect("database");
    migrate(&owner).await.expect("migrations");
    let store = Store::connect(&app, 4).await.expect("store");
    let epoch = store.claim_partition(0).await.expect("partition");
    build(name, config, None, store, epoch).await
}

/// The doors of other tenants over the same store.
pub async fn router_of(name: &str, store: &Store, tenants: Vec<TenantDoor>, config: &HttpConfig) -> Router {
    let (trail, writer, registry) = audited(name, store);
    tokio::spawn(writer.run());
    let doors = Doors {
        trail,
        key_uses: KeyUses::default(),
        certificates: Vec::new(),
        store: store.clone(),
        cache: Some(memory_cache()),
        producer: cluster().await.producer.clone(),
        tenants,
        cursor_key: CURSOR_KEY,
        key_pepper: PEPPER,
        tokens: None,
        registry,
        readiness: Arc::new(Readiness::new(&[])),
    };
    router(doors, Routes { api: true, webhook: true }, config).expect("router")
}

/// All doors are tried with it: what they answer is the same.
pub fn memory_cache() -> Cache {
    let store: Arc<dyn CacheStore> = Arc::new(MemoryCache::new(16 << 20));
    Cache { store, key: [3; 32], ttls: Ttls::default() }
}

fn audited(name: &str, store: &Store) -> (AuditTrail, TrailWriter, prometheus::Registry) {
    let registry = prometheus::Registry::new();
    let signer = CheckpointSigner::new(&SIGNING_KEY).expect("a key");
    let segment = <[u8; 32]>::from(Sha256::digest(name))[..16].try_into().expect("16 bytes");
    let (trail, writer) = AuditTrail::new(store.clone(), segment, Some(signer), &registry).expect("trail");
    (trail, writer, registry)
}

async fn build(
    name: &str,
    config: HttpConfig,
    producer: Option<Producer>,
    store: Store,
    epoch: Epoch,
) -> (House, TrailWriter) {
    let (a, b) = (tenant(name, "a"), tenant(name, "b"));
    let rows =
        [&a, &b].map(|t| TenantRow { id: t.id.clone(), slug: TenantSlug::parse(&t.slug).expect("slug") });
    store.declare_tenants(&rows).await.expect("tenants");
    for tenant in [&a, &b] {
        add_key(&store, &tenant.id, &tenant.key, &[CATALOG_READ.name()], None).await;
    }
    let readiness = Arc::new(Readiness::new(&["consumer_unassigned"]));
    let tenants = [&a, &b].map(|t| TenantDoor {
        id: t.id.clone(),
        slug: TenantSlug::parse(&t.slug).expect("slug"),
        webhook_secret: Some(Secret::new(t.secret.clone()).into()),
        webhook_sources: Vec::new(),
    });
    let (trail, writer, registry) = audited(name, &store);
    let key_uses = KeyUses::default();
    let doors = Doors {
        trail: trail.clone(),
        key_uses: key_uses.clone(),
        store: store.clone(),
        cache: Some(memory_cache()),
        producer: producer.unwrap_or(cluster().await.producer.clone()),
        tenants: tenants.into(),
        cursor_key: CURSOR_KEY,
        key_pepper: PEPPER,
        tokens: Some(Arc::clone(&press().verifier)),
        certificates: grants(&a.id, &b.id),
        registry: registry.clone(),
        readiness: Arc::clone(&readiness),
    };
    let router = router(doors.clone(), Routes { api: true, webhook: true }, &config).expect("router");
    (House { router, registry, readiness, key_uses, a, b, store, epoch, trail, doors }, writer)
}

fn tenant(name: &str, which: &str) -> Tenant {
    let id = format!("{name}-{which}");
    let mut random = [0; 24];
    random.copy_from_slice(&Sha256::digest(&id)[..24]);
    Tenant {
        slug: format!("{id}-slug"),
        secret: format!("toxic-{id}"),
        key: mint_api_key(random).expose().to_owned(),
        id: TenantId::parse(&id).expect("tenant id"),
    }
}

pub async fn add_key(
    store: &Store,
    tenant: &TenantId,
    key: &str,
    scopes: &[&str],
    expires: Option<time::OffsetDateTime>,
) -> ApiKeyId {
    let digest = api_key_digest(&PEPPER, key).expect("a key");
    let scopes: Vec<_> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    store.insert_api_key(tenant, digest, "test", &scopes, expires).await.expect("key").id
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// `200 accepted`: status with the outcome of a delivery or the code of a problem.
    pub fn summary(&self) -> String {
        let json = self.json();
        let word = json["code"].as_str().or(json["outcome"].as_str()).unwrap_or_default();
        format!("{} {word}", self.status.as_u16()).trim().to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

pub async fn answer_of(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.expect("infallible");
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 64 << 20).await.expect("body").to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

impl House {
    /// What stands behind the doors, for another router.
    pub fn doors(&self, registry: prometheus::Registry) -> Doors {
        Doors { registry, ..self.doors.clone() }
    }

    /// What another router answers to tenant a: status and code.
    pub async fn ask_of(&self, router: &Router, path: &str) -> String {
        let request = Request::get(path).header("authorization", format!("Bearer {}", self.a.key));
        answer_of(router, request.body(Body::empty()).expect("request")).await.summary()
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        answer_of(&self.router, request).await
    }

    pub async fn get_as(&self, tenant: &Tenant, uri: &str) -> Answer {
        self.get_with(&tenant.key, uri, &[]).await
    }

    pub async fn get(&self, uri: &str) -> Answer {
        self.get_as(&self.a, uri).await
    }

    pub async fn get_with(&self, key: &str, uri: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(uri).header("authorization", format!("Bearer {key}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::empty()).expect("request")).await
    }

    /// Posts without a body, with a key.
    pub async fn post_with(&self, key: &str, uri: &str) -> Answer {
        let request = Request::post(uri).header("authorization", format!("Bearer {key}"));
        self.send(request.body(Body::empty()).expect("request")).await
    }

    /// Posts a delivery signed by tenant a to another router.
    pub async fn deliver_to(&self, router: &Router, body: &str) -> Answer {
        let request = Request::post(format!("/v1/webhooks/terraform-cloud/{}", self.a.slug))
            .header("X-TFE-Notification-Signature", sign(&self.a.secret, body.as_bytes()));
        answer_of(router, request.body(Body::from(body.to_owned())).expect("request")).await
    }

    /// Posts a delivery with the given signature header, if any.
    pub async fn post(&self, slug: &str, body: impl Into<Body>, signature: Option<&str>) -> Answer {
        let mut request = Request::post(format!("/v1/webhooks/terraform-cloud/{slug}"));
        if let Some(signature) = signature {
            request = request.header("X-TFE-Notification-Signature", signature);
        }
        self.send(request.body(body.into()).expect("request")).await
    }

    /// Posts a delivery signed by tenant a.
    pub async fn deliver(&self, body: &str) -> Answer {
        self.post(&self.a.slug, body.to_owned(), Some(&sign(&self.a.secret, body.as_bytes()))).await
    }

    /// Commits entities of workspace `ws-A`: names to upsert, names to remove.
    pub async fn commit(&self, tenant: &Tenant, serial: i64, upserts: &[(&str, &str)], removals: &[&str]) {
        self.commit_found(tenant, serial, upserts, removals, Report::default()).await;
    }

    /// The same, with what the sanitizer found.
    pub async fn commit_found(
        &self,
        tenant: &Tenant,
        serial: i64,
        upserts: &[(&str, &str)],
        removals: &[&str],
        report: Report,
    ) {
        let upserts = upserts.iter().map(|(kind, name)| entity(tenant, kind, name, serial)).collect();
        let removals = removals.iter().map(|name| entity_ref(tenant, "Resource", name)).collect();
        self.commit_rendered(tenant, "ws-A", serial, upserts, removals, report).await;
    }

    /// The same with entities as they are, of any workspace; the run is named after the serial.
    pub async fn commit_rendered(
        &self,
        tenant: &Tenant,
        workspace: &str,
        serial: i64,
        upserts: Vec<Sanitized<RenderedEntity>>,
        removals: Vec<EntityRef>,
        report: Report,
    ) {
        let workspace = WorkspaceId::parse(workspace).expect("workspace");
        let ticket = self.store.begin_read(&tenant.id, &workspace).await.expect("ticket");
        let commit = WorkspaceCommit {
            workspace,
            partition: 0,
            epoch: self.epoch,
            mark_generation: 0,
            read_seq: ticket.read_seq,
            basis: ticket.basis,
            version: KnownVersion {
                lineage: [1; 16],
                serial,
                pipeline: PipelineVersion(1),
                state_version: None,
            },
            upserts,
            removals,
            report,
            resource_count: 1,
            bytes_in: 100,
            run: RunId::parse(&format!("run-{serial}")).ok(),
            trace: None,
        };
        let outcomes = self.store.commit(&tenant.id, vec![commit]).await.expect("commit");
        assert!(matches!(outcomes[..], [CommitOutcome::Applied { .. }]), "{outcomes:?}");
    }
}

pub fn entity_ref(tenant: &Tenant, kind: &str, name: &str) -> EntityRef {
    EntityRef::parse(&format!("{}:{}/{name}", kind.to_lowercase(), tenant.slug)).expect("reference")
}

fn entity(tenant: &Tenant, kind: &str, name: &str, serial: i64) -> Sanitized<RenderedEntity> {
    let body = format!(
        r#"{{"kind":"{kind}","metadata":{{"name":"{name}","namespace":"{}"}},"spec":{{"serial":{serial}}}}}"#,
        tenant.slug
    );
    let resource_type = (kind == "Resource").then_some("aws_instance");
    rendered(tenant, kind, name, resource_type, body)
}

/// An entity of any body.
#[allow(clippy::disallowed_methods, reason = "the tests' entities never held a secret")]
pub fn rendered(
    tenant: &Tenant,
    kind: &str,
    name: &str,
    resource_type: Option<&str>,
    body: String,
) -> Sanitized<RenderedEntity> {
    Sanitized::seal(RenderedEntity {
        entity_ref: entity_ref(tenant, kind, name),
        kind: kind.to_owned(),
        resource_type: resource_type.map(str::to_owned),
        digest: Sha256::digest(&body).into(),
        body: body.into_bytes(),
    })
}

/// The signature as Terraform Cloud makes it.
pub fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha512>::new_from_slice(secret.as_bytes()).expect("key");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

/// A v1 payload of one notification.
pub fn payload(workspace: &str, run: &str, trigger: &str, status: &str) -> String {
    serde_json::json!({
        "payload_version": 1, "notification_configuration_id": "nc-AeUQ2zfKZzW9TiGZ",
        "run_url": "https://app.terraform.io/app/acme-org/w/runs/run-A", "run_id": run, "run_message": "m",
        "run_created_at": "2026-01-25T18:34:00.000Z", "run_created_by": "u", "workspace_id": workspace,
        "workspace_name": "w", "organization_name": "somebody-elses",
        "notifications": [{"message": "Run Applied", "trigger": trigger, "run_status": status,
            "run_updated_at": "2026-01-25T18:37:04.000Z", "run_updated_by": "u"}],
    })
    .to_string()
}
