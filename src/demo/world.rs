//! The demo's world: every real part, started in order and stopped in the opposite one.
//!
//! Must never write a secret to disk but the planted ones and the keys of its own API, and those only where the user
//! asked for it.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use tempfile::TempDir;
use terrasift_actors::{Failpoints, SyncEnded};
use terrasift_engine::extract::{CatalogProfile, TypeTable};
use terrasift_http::HttpConfig;
use terrasift_kafka::{EmbeddedKafka, KafkaConfig};
use terrasift_load_tests::generator::Canary;
use terrasift_load_tests::simulator::{Simulator, SimulatorConfig, WorkspaceInfo};
use terrasift_postgres::PrivatePostgres;
use terrasift_schemas::config::{Config, Role};
use terrasift_schemas::{OrganizationName, TenantId, TenantSlug};
use terrasift_secrets::Secret;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::broadcast;

use super::DemoArguments;
use crate::app::{App, Listeners, Settings, TenantSettings};
use crate::cache::CacheSettings;
use crate::rule_file::book::RuleBook;
use crate::{app, key, logging};

/// Partitions of the demo's topics: enough to see that order does not depend on them.
const PARTITIONS: i32 = 8;

/// A tenant of the demo, with what a visitor needs to try things. No Debug: it holds keys.
pub struct DemoTenant {
    pub id: TenantId,
    pub api_key: Secret,
    pub webhook_secret: Secret,
    pub terraform_token: String,
}

/// Everything that runs.
pub struct World {
    pub app: App,
    pub simulator: Arc<Simulator>,
    pub postgres: PrivatePostgres,
    pub kafka: KafkaConfig,
    pub tenants: Vec<DemoTenant>,
    pub workspaces: Vec<WorkspaceInfo>,
    /// `http://127.0.0.1:port` of the API.
    pub origin: String,
    pub http: reqwest::Client,
    pub log: PathBuf,
    // Dropped after Postgres has stopped.
    _broker: EmbeddedKafka,
    _data: Option<TempDir>,
}

impl World {
    /// Starts all parts. The receiver tells of every sync: the first one can end only seconds later, when the consumer
    /// has joined its group.
    pub async fn start(arguments: &DemoArguments) -> anyhow::Result<(Self, broadcast::Receiver<SyncEnded>)> {
        let (folder, data) = data_folder(arguments.data.as_deref())?;
        let log = folder.join("terrasift.log");
        logging::to_file(&log)?;
        let simulator_config = match &arguments.states {
            Some(states) => SimulatorConfig::from_states_dir(states, usize::from(arguments.tenants))
                .with_context(|| format!("--states: cannot list {}", states.display()))?,
            None => SimulatorConfig::demo(
                usize::from(arguments.tenants),
                usize::from(arguments.workspaces),
                arguments.seed,
            ),
        };
        let simulator = Simulator::start(simulator_config).await.context("cannot start the simulator")?;
        let broker =
            EmbeddedKafka::start(PARTITIONS).context("cannot start the in-process Kafka listener")?;
        let postgres =
            PrivatePostgres::start(Some(folder.join("postgres"))).await.context("cannot start Postgres")?;
        terrasift_postgres::migrate(&postgres.owner_url()).await.context("cannot create the schema")?;
        let listener = TcpListener::bind(arguments.listen)
            .await
            .with_context(|| format!("--listen: cannot listen on {}", arguments.listen))?;
        let origin = format!("http://{}", listener.local_addr()?);
        let mut settings = settings(arguments, &simulator, &postgres, &broker)?;
        let kafka = settings.kafka.clone();
        // Before the engine runs: its first sync would take every connection and core.
        let tenants = tenants(&mut settings, &simulator).await?;
        let app = App::start(settings, Listeners { doors: listener, operations: None }).await?;
        let reports = app.telemetry.watch();
        let world = Self {
            app,
            workspaces: simulator.workspaces(),
            simulator: Arc::new(simulator),
            postgres,
            kafka,
            tenants,
            origin,
            http: reqwest::Client::builder().no_proxy().build().context("cannot make an HTTP client")?,
            log,
            _broker: broker,
            _data: data,
        };
        Ok((world, reports))
    }

    /// All planted secrets, written to a file if asked for.
    pub async fn canaries(&self, file: Option<&Path>) -> anyhow::Result<Vec<Canary>> {
        let simulator = Arc::clone(&self.simulator);
        let canaries = tokio::task::spawn_blocking(move || simulator.canaries()).await?;
        if let Some(path) = file {
            let write = || -> anyhow::Result<()> {
                let mut out = std::io::BufWriter::new(std::fs::File::create(path)?);
                for canary in &canaries {
                    serde_json::to_writer(&mut out, canary)?;
                    out.write_all(b"\n")?;
                }
                Ok(out.flush()?)
            };
            write().with_context(|| format!("--canaries: cannot write {}", path.display()))?;
        }
        Ok(canaries)
    }

    /// A key of each tenant, readable by this user alone. The file is there at once and whole, so that a program can wait
    /// for it.
    pub fn write_keys(&self, file: &Path) -> anyhow::Result<()> {
        let write = || -> anyhow::Result<()> {
            let folder = file.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
            // Made with mode 0600.
            let mut out = tempfile::NamedTempFile::new_in(folder)?;
            for tenant in &self.tenants {
                let key = tenant.api_key.expose();
                let line =
                    serde_json::json!({ "tenant": tenant.id.as_str(), "url": self.origin, "key": key });
                writeln!(out, "{line}")?;
            }
            out.persist(file)?;
            Ok(())
        };
        write().with_context(|| format!("--keys: cannot write {}", file.display()))
    }

    /// The tenant that an organization of the simulator belongs to.
    pub fn tenant_of(&self, organization: &str) -> Option<&DemoTenant> {
        self.tenants.iter().find(|tenant| tenant.id.as_str() == organization)
    }

    /// Stops all parts.
    pub async fn stop(self) {
        self.app.stop().await;
        if let Some(simulator) = Arc::into_inner(self.simulator) {
            simulator.shutdown().await;
        }
        self.postgres.stop().await;
    }
}

/// Resolves on Ctrl-C or a termination signal.
pub async fn interrupted() -> anyhow::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}

fn data_folder(wanted: Option<&Path>) -> anyhow::Result<(PathBuf, Option<TempDir>)> {
    match wanted {
        Some(folder) => {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("--data: cannot create {}", folder.display()))?;
            let folder =
                folder.canonicalize().with_context(|| format!("--data: cannot use {}", folder.display()))?;
            Ok((folder, None))
        }
        None => {
            // Postgres may run as another user than we do, and has to pass through to its own folder.
            let data = tempfile::Builder::new()
                .prefix("terrasift-demo-")
                .permissions(std::fs::Permissions::from_mode(0o711))
                .tempdir()
                .context("cannot make a temporary folder")?;
            Ok((data.path().to_owned(), Some(data)))
        }
    }
}

fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| anyhow::anyhow!("the operating system gives no random bytes"))?;
    Ok(bytes)
}

/// Declares the tenants and gives each a key to look with.
async fn tenants(settings: &mut Settings, simulator: &Simulator) -> anyhow::Result<Vec<DemoTenant>> {
    let store = app::connect(settings).await?;
    let mut tenants = Vec::new();
    let scopes = key::scopes();
    for (tenant, organization) in settings.tenants.iter().zip(simulator.organizations()) {
        let webhook_secret = tenant.webhook_secret.as_ref().context("a demo tenant has a webhook")?.now();
        let (_, api_key) =
            key::issue(&store, &settings.key_pepper, &tenant.id, "demo", &scopes, None).await?;
        let terraform_token = organization.token;
        tenants.push(DemoTenant { id: tenant.id.clone(), api_key, webhook_secret, terraform_token });
    }
    store.close().await;
    Ok(tenants)
}

fn settings(
    arguments: &DemoArguments,
    simulator: &Simulator,
    postgres: &PrivatePostgres,
    broker: &EmbeddedKafka,
) -> anyhow::Result<Settings> {
    let mut tenants = Vec::new();
    for organization in simulator.organizations() {
        tenants.push(TenantSettings {
            id: TenantId::parse(&organization.name)?,
            slug: TenantSlug::parse(&organization.name)?,
            organizations: vec![OrganizationName::parse(&organization.name)?],
            tokens: vec![Secret::new(organization.token).into()],
            rotations: vec![None],
            weight: 1,
            webhook_secret: Some(Secret::new(hex::encode(random::<24>()?)).into()),
            webhook_sources: Vec::new(),
            default_owner: None,
        });
    }
    let defaults: Config = crate::config::defaults()?;
    let cache = CacheSettings::new(&defaults, None);
    let mut limits = defaults.limits;
    limits.tenant_requests_per_second = arguments.tenant_requests_per_second;
    // With `--data` the names of entities must not change from run to run; a demo's world is its seed.
    let mut identity_key = [0; 32];
    identity_key[..8].copy_from_slice(&arguments.seed.to_be_bytes());
    Ok(Settings {
        roles: vec![Role::Api, Role::Worker, Role::Webhook],
        http: HttpConfig::default(),
        tls: None,
        kafka: KafkaConfig::new(&broker.bootstrap(), "terrasift-demo", "terrasift"),
        kafka_partitions: PARTITIONS,
        kafka_replication: 1,
        database_url: Secret::new(postgres.app_url()).into(),
        database_connections_max: defaults.postgres.connections_max,
        auditor_url: Some(Secret::new(postgres.auditor_url()).into()),
        redis: None,
        cache,
        address: simulator.api_origin().parse().context("the simulator's address is no URL")?,
        allow_private_downloads: true,
        allow_http: true,
        identity_key,
        hash_key: random()?,
        cursor_key: random()?,
        key_pepper: random()?,
        tokens: None,
        client_certificates: Vec::new(),
        audit_signing: Some(random()?),
        limits,
        rules: RuleBook::open(None, [])?,
        // The generator keys these by e-mail address: a demo without them would show no address with a redaction in it.
        types: TypeTable::builtin().with_types(vec![("aws_cognito_user".to_owned(), "user".to_owned())]),
        profile: CatalogProfile {
            default_owner: defaults.catalog.default_owner,
            owner_tag_keys: defaults.catalog.owner_tags,
            base_url: Some(simulator.api_origin().to_owned()),
            ..CatalogProfile::default()
        },
        tenants,
        secrets: None,
        failpoints: Failpoints::default(),
    })
}
