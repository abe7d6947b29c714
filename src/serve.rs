//! `terrasift serve`: production.
//!
//! Must never start on a configuration that is not whole.

use std::net::{IpAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use ipnet::IpNet;
use terrasift_actors::Failpoints;
use terrasift_engine::extract::{CatalogProfile, TypeTable};
use terrasift_http::{HttpConfig, Rate};
use terrasift_kafka::{ClientCertificate, KafkaConfig, Login, Security};
use terrasift_schemas::config::{Config, Http, Kafka, Role};
use terrasift_secrets::SecretBook;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use url::Url;

use crate::app::{App, Listeners, RedisSettings, Settings, TenantSettings};
use crate::cache::CacheSettings;
use crate::identity;
use crate::rule_file::book::RuleBook;
use crate::{certificates, config, logging, secrets};

const HOUR: Duration = Duration::from_secs(3_600);

/// Arguments of `serve`.
#[derive(Args)]
pub struct ServeArguments {
    /// Configuration file; keys that it leaves out have their defaults
    #[arg(long, value_name = "FILE", required_unless_present = "print_default_config")]
    config: Option<PathBuf>,
    /// What this process does, instead of the file's `roles`
    #[arg(long, value_enum, value_delimiter = ',')]
    roles: Vec<RoleArgument>,
    /// Print the commented default configuration and end
    #[arg(long)]
    print_default_config: bool,
    /// Die, panic or hang at a point, to see what becomes of it: POINT=ACTION:PASSAGE
    #[cfg(debug_assertions)]
    #[arg(long = "failpoint", value_name = "POINT=ACTION:PASSAGE", hide = true)]
    failpoints: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleArgument {
    Api,
    Worker,
    Webhook,
}

impl From<RoleArgument> for Role {
    fn from(role: RoleArgument) -> Self {
        match role {
            RoleArgument::Api => Self::Api,
            RoleArgument::Worker => Self::Worker,
            RoleArgument::Webhook => Self::Webhook,
        }
    }
}

/// Serves until a signal comes or a part gives up.
#[expect(clippy::print_stdout, reason = "the command line's own voice")]
pub fn run(arguments: ServeArguments) -> anyhow::Result<ExitCode> {
    if arguments.print_default_config {
        print!("{}", config::DEFAULT);
        return Ok(ExitCode::SUCCESS);
    }
    let path = arguments.config.context("--config is missing")?;
    let mut config = config::load(&path)?;
    if !arguments.roles.is_empty() {
        config.roles = arguments.roles.into_iter().map(Role::from).collect();
    }
    logging::to_stderr()?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        let book = secrets::open(&config).await?;
        #[cfg_attr(not(debug_assertions), expect(unused_mut, reason = "only test builds have failpoints"))]
        let mut settings = resolve(&config, book)?;
        #[cfg(debug_assertions)]
        {
            settings.failpoints = Failpoints::arm(&arguments.failpoints)?;
        }
        serve(settings, &config.http).await
    })
}

async fn serve(settings: Settings, http: &Http) -> anyhow::Result<ExitCode> {
    let bind = async |key: &str, listen: &str| {
        TcpListener::bind(listen).await.with_context(|| format!("{key}: cannot listen on {listen}"))
    };
    let listen = &http.listen;
    let mut listeners = Listeners { doors: bind("http.listen", listen).await?, operations: None };
    if http.development_header {
        only_on_loopback(listeners.doors.local_addr().context("http.listen")?.ip())?;
        tracing::warn!("the development header opens the API as any tenant");
    }
    if let Some(operations) = &http.operations_listen {
        listeners.operations = Some(bind("http.operations_listen", operations).await?);
    }
    let mut app = App::start(settings, listeners).await?;
    tracing::info!(listen, "serving");
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let ended = tokio::select! {
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
        why = app.ended() => Some(why),
    };
    tracing::info!("stopping");
    app.stop().await;
    if let Some(why) = ended {
        bail!(why);
    }
    Ok(ExitCode::SUCCESS)
}

fn redis(
    redis: &terrasift_schemas::config::Redis,
    book: &SecretBook,
) -> anyhow::Result<Option<RedisSettings>> {
    let Some(reference) = &redis.url else { return Ok(None) };
    Ok(Some(RedisSettings {
        url: secrets::current(book, "redis.url", reference)?,
        prefix: redis.prefix.clone(),
        replicas_max: redis.replicas_max,
    }))
}

/// Puts every secret in place.
///
/// # Errors
/// Names the place in the file and the reference, never a value.
pub fn resolve(config: &Config, book: SecretBook) -> anyhow::Result<Settings> {
    let secret = |place: &str, reference: &str| secrets::current(&book, place, reference);
    let key = |place: &str, reference: &str| config::key(place, &secret(place, reference)?.now());
    let tenants = tenants(config, &book)?;
    let address: Url =
        config.terraform_cloud.address.parse().context("terraform_cloud.address is not a URL")?;
    let types = config.catalog.types.iter().map(|(rtype, kind)| (rtype.clone(), kind.clone())).collect();
    Ok(Settings {
        roles: config.roles.clone(),
        http: http(config)?,
        tls: certificates::read(config, &book)?,
        kafka: kafka(&config.kafka, &book)?,
        kafka_partitions: config.kafka.partitions,
        kafka_replication: config.kafka.replication,
        database_url: secret("postgres.url", &config.postgres.url)?,
        database_connections_max: config.postgres.connections_max,
        auditor_url: config
            .postgres
            .auditor_url
            .as_ref()
            .map(|reference| secret("postgres.auditor_url", reference))
            .transpose()?,
        redis: redis(&config.redis, &book)?,
        cache: CacheSettings::new(
            config,
            CacheSettings::reference(config).map(|reference| secret("cache.url", reference)).transpose()?,
        ),
        address,
        allow_private_downloads: config.terraform_cloud.allow_private_downloads,
        allow_http: config.terraform_cloud.allow_http,
        identity_key: key("keys.identity", &config.keys.identity)?,
        hash_key: key("keys.hash", &config.keys.hash)?,
        cursor_key: key("keys.cursor", &config.keys.cursor)?,
        key_pepper: key("keys.api_key_pepper", &config.keys.api_key_pepper)?,
        tokens: identity::verifier(&config.identity)?,
        client_certificates: identity::certificates(&config.identity)?,
        audit_signing: (config.keys.audit_signing.as_ref())
            .map(|reference| key("keys.audit_signing", reference))
            .transpose()?,
        limits: config.limits.clone(),
        rules: RuleBook::open(
            config.rules_file.as_deref().map(Path::new),
            config
                .tenants
                .iter()
                .filter_map(|tenant| Some((tenant.id.clone(), tenant.rules_file.as_ref()?.into()))),
        )?,
        types: TypeTable::builtin().with_types(types),
        profile: CatalogProfile {
            default_owner: config.catalog.default_owner.clone(),
            owner_tag_keys: config.catalog.owner_tags.clone(),
            base_url: Some(config.terraform_cloud.address.trim_end_matches('/').to_owned()),
            ..CatalogProfile::default()
        },
        tenants,
        secrets: Some((book, Duration::from_secs(config.secrets.refresh_s))),
        failpoints: Failpoints::default(),
    })
}

fn tenants(config: &Config, book: &SecretBook) -> anyhow::Result<Vec<TenantSettings>> {
    let mut tenants = Vec::with_capacity(config.tenants.len());
    for (index, tenant) in config.tenants.iter().enumerate() {
        let place = |key: &str| format!("tenants[{index}].{key}");
        let tokens = tenant.tokens.iter().enumerate();
        let tokens =
            tokens.map(|(n, token)| secrets::current(book, &place(&format!("tokens[{n}]")), &token.secret));
        let webhook_secret = tenant.webhook_secret.as_ref();
        tenants.push(TenantSettings {
            id: tenant.id.clone(),
            slug: tenant.slug(),
            organizations: tenant.organizations.clone(),
            tokens: tokens.collect::<anyhow::Result<_>>()?,
            rotations: tenant.tokens.iter().map(|token| token.rotation).collect(),
            weight: tenant.weight,
            webhook_secret: webhook_secret
                .map(|r| secrets::current(book, &place("webhook_secret"), r))
                .transpose()?,
            webhook_sources: networks(&place("webhook_sources"), &tenant.webhook_sources)?,
            default_owner: tenant.default_owner.clone(),
        });
    }
    Ok(tenants)
}

/// The doors' limits.
fn http(config: &Config) -> anyhow::Result<HttpConfig> {
    let http = &config.http;
    if http.development_header {
        let listen = http.listen.to_socket_addrs().context("http.listen is not an address:port")?;
        listen.map(|address| address.ip()).try_for_each(only_on_loopback)?;
    }
    Ok(HttpConfig {
        max_connections: http.connections_max,
        development_header: http.development_header,
        trusted_proxies: networks("http.trusted_proxies", &http.trusted_proxies)?,
        webhook_rate: Rate { capacity: config.limits.tenant_webhooks_per_hour, window: HOUR },
        prices: config.prices.clone(),
        upstream_requests_per_second: config.limits.tenant_requests_per_second,
        ..HttpConfig::default()
    })
}

/// Networks as `192.0.2.0/24`, or single addresses.
fn networks(place: &str, declared: &[String]) -> anyhow::Result<Vec<IpNet>> {
    let parsed = declared.iter().enumerate().map(|(index, text)| {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok();
        // Addresses of clients are compared in their shortest form, where these would never be met.
        let mapped = |network: &IpNet| match network {
            IpNet::V4(_) => false,
            IpNet::V6(network) => network.addr().to_ipv4_mapped().is_some(),
        };
        let network = network.filter(|network| !mapped(network)).with_context(|| {
            format!("{place}[{index}]: not a network such as 192.0.2.0/24 or 2001:db8::/32, or an address")
        })?;
        if network.prefix_len() == 0 {
            bail!("{place}[{index}]: all addresses there are: leave the key out if that is meant");
        }
        Ok(network.trunc())
    });
    parsed.collect()
}

/// Whoever reaches the development header is whom he wants to be.
fn only_on_loopback(listen: IpAddr) -> anyhow::Result<()> {
    if !listen.to_canonical().is_loopback() {
        bail!(
            "http.development_header: anybody who reaches http.listen would be any tenant: \
             listen on 127.0.0.1, or leave it false"
        );
    }
    Ok(())
}

fn kafka(kafka: &Kafka, book: &SecretBook) -> anyhow::Result<KafkaConfig> {
    let secret = |key: &str, reference: &Option<String>| {
        let place = format!("kafka.security.{key}");
        reference.as_ref().map(|reference| secrets::current(book, &place, reference)).transpose()
    };
    let security = &kafka.security;
    let mut connection = KafkaConfig::new(&kafka.bootstrap, &kafka.group, "terrasift");
    connection.instance_id = kafka.instance_id.clone();
    connection.drain = Duration::from_millis(kafka.drain_ms);
    connection.properties = kafka.properties.clone();
    connection.security = Security {
        protocol: security.protocol,
        ca_file: security.ca_file.clone(),
        certificate: security
            .certificate_file
            .clone()
            .zip(secret("key", &security.key)?)
            .map(|(file, key)| ClientCertificate { file, key: key.now() }),
        login: security
            .username
            .clone()
            .zip(secret("password", &security.password)?)
            .map(|(username, password)| Login { mechanism: security.mechanism, username, password }),
    };
    Ok(connection)
}
