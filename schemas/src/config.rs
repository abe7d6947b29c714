//! Configuration: the file's shape, and the checks that a shape cannot express.
//!
//! Secrets stand here as references (`env:NAME`, `vault:PATH#FIELD`), never as values. Must never read a file or the
//! environment: the binary does.

mod cache;
mod certificate;
mod http;
mod identity;
mod secrets;
mod token;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ids::{OrganizationName, TenantId, TenantSlug};
pub use cache::Cache;
pub use certificate::Certificate;
pub use http::{ClientCertificates, Http, HttpTls};
pub use identity::{Identity, TokenAlgorithm, TokenIssuer, TokenKind};
pub use secrets::{GoogleSecretManager, Secrets, Vault, VaultAppRole, VaultKubernetes};
pub use token::{Rotation, Token};

/// Longest time between two looks at the rule files.
const RULES_RELOAD_S_MAX: u64 = 3_600;

/// Most webhook events of a tenant in an hour: what can be counted with each of them.
const WEBHOOKS_PER_HOUR_MAX: u32 = 100_000;
/// Largest weight of a tenant: the turns of the others come that much later.
const WEIGHT_MAX: u32 = 100;
/// Longest drain: far below librdkafka's `max.poll.interval.ms`, after which a member is thrown out.
const DRAIN_MS_MAX: u64 = 60_000;
/// Properties of librdkafka that are secrets and that `kafka.security` has by reference.
const SECRET_PROPERTIES: [&str; 4] =
    ["sasl.password", "ssl.key.pem", "ssl.key.password", "ssl.keystore.password"];

/// The whole file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What this process does.
    pub roles: Vec<Role>,
    /// Webhooks and API.
    pub http: Http,
    /// Brokers.
    pub kafka: Kafka,
    /// Database.
    pub postgres: Postgres,
    /// What replicas share.
    pub redis: Redis,
    /// What the API keeps of what it read.
    pub cache: Cache,
    /// Upstream.
    pub terraform_cloud: TerraformCloud,
    /// Where references lead.
    pub secrets: Secrets,
    /// Terrasift's own keys.
    pub keys: Keys,
    /// Whose tokens open the API.
    pub identity: Identity,
    /// Bounds.
    pub limits: Limits,
    /// How entities look.
    pub catalog: Catalog,
    /// YAML rule file that all tenants share; absent: the built-in rules.
    pub rules_file: Option<String>,
    /// What is charged for; absent: usage is told without cost.
    pub prices: Option<Prices>,
    /// Who is served.
    pub tenants: Vec<Tenant>,
}

/// `prices:`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// Such as `EUR`.
    pub currency: String,
    /// For a state that is sanitized.
    pub per_state: f64,
    /// For 10⁹ bytes of states.
    pub per_gigabyte: f64,
    /// For a workspace that is kept for 30 days.
    pub per_workspace_month: f64,
}

/// What a process does; the three scale apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Serves the feed.
    Api,
    /// Consumes the topics and syncs.
    Worker,
    /// Takes webhooks in.
    Webhook,
}

/// `kafka:`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kafka {
    /// `host:port,host:port`.
    pub bootstrap: String,
    /// Consumer group.
    pub group: String,
    /// Partitions of each topic, when Terrasift creates them.
    pub partitions: i32,
    /// Replicas of each partition, when Terrasift creates them.
    pub replication: i32,
    /// Name of this process in the group, unique in it and the same after a restart (static membership).
    #[serde(default)]
    pub instance_id: Option<String>,
    /// Milliseconds for what was handed over to be settled, before a partition goes to another worker.
    pub drain_ms: u64,
    /// Whom we talk to, and who we are.
    pub security: KafkaSecurity,
    /// Passed on to librdkafka as they are.
    #[serde(default)]
    pub properties: std::collections::BTreeMap<String, String>,
}

/// `kafka.security:`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaSecurity {
    /// Encrypted or not, with names or without.
    pub protocol: KafkaProtocol,
    /// File of the authorities that the brokers' certificates come from; absent: the system's.
    #[serde(default)]
    pub ca_file: Option<String>,
    /// File of our own certificate and its chain; absent: the brokers do not ask for one.
    #[serde(default)]
    pub certificate_file: Option<String>,
    /// Reference to the private key of that certificate, PEM without a password.
    #[serde(default)]
    pub key: Option<String>,
    /// How the password is shown.
    pub mechanism: SaslMechanism,
    /// Our name.
    #[serde(default)]
    pub username: Option<String>,
    /// Reference to our password.
    #[serde(default)]
    pub password: Option<String>,
}

/// How a connection to a broker is made; Kafka's names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KafkaProtocol {
    /// Neither encrypted nor authenticated.
    #[default]
    Plaintext,
    /// TLS.
    Ssl,
    /// A name and a password, not encrypted.
    SaslPlaintext,
    /// A name and a password over TLS.
    SaslSsl,
}

impl KafkaProtocol {
    /// Whether brokers want a name and a password.
    #[must_use]
    pub fn has_names(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub fn is_encrypted(self) -> bool {
        matches!(self, Self::Ssl | Self::SaslSsl)
    }
}

/// How a password is shown to a broker; Kafka's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SaslMechanism {
    /// As it is.
    #[serde(rename = "PLAIN")]
    Plain,
    /// By challenge and response.
    #[serde(rename = "SCRAM-SHA-256")]
    ScramSha256,
    /// By challenge and response.
    #[serde(rename = "SCRAM-SHA-512")]
    ScramSha512,
}

impl SaslMechanism {
    /// Kafka's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

impl Kafka {
    fn problems(&self, wrong: &mut impl FnMut(&str, &str)) {
        let security = &self.security;
        if self.drain_ms > DRAIN_MS_MAX {
            wrong("kafka.drain_ms", "more than a minute: the whole group waits for it");
        }
        if security.protocol.has_names() && (security.username.is_none() || security.password.is_none()) {
            wrong("kafka.security", "this protocol wants a username and a password: set both");
        }
        if !security.protocol.has_names() && security.password.is_some() {
            wrong("kafka.security.protocol", "would not use the password: sasl_ssl or sasl_plaintext does");
        }
        if security.certificate_file.is_some() != security.key.is_some() {
            wrong("kafka.security", "certificate_file and key belong together: set both or neither");
        }
        let files = security.ca_file.is_some() || security.certificate_file.is_some();
        if !security.protocol.is_encrypted() && files {
            wrong("kafka.security.protocol", "would not use the certificates: ssl or sasl_ssl does");
        }
        for name in self.properties.keys().filter(|name| SECRET_PROPERTIES.contains(&name.as_str())) {
            wrong(
                &format!("kafka.properties.{name}"),
                "a secret in clear: kafka.security takes a reference instead",
            );
        }
    }
}

/// `postgres:`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Postgres {
    /// Reference to the address as the application role.
    pub url: String,
    /// Reference to the address as the owner; used by `terrasift migrate` only.
    pub owner_url: String,
    /// Reference to the address as the auditor; absent: nobody looks for leaks between tenants.
    pub auditor_url: Option<String>,
    /// Connections of this process.
    pub connections_max: u32,
}

/// `redis:`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    /// Reference to the address; absent: the rate budget is in memory, for one worker a Terraform Cloud user.
    pub url: Option<String>,
    /// Before all keys.
    pub prefix: String,
    /// Most workers there will ever be.
    pub replicas_max: usize,
}

/// `terraform_cloud:`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerraformCloud {
    /// Address of the API.
    pub address: String,
    /// Whether downloads may come from private addresses (Terraform Enterprise inside a network).
    pub allow_private_downloads: bool,
    /// Whether plain http is allowed (tests and demo).
    pub allow_http: bool,
}

/// `keys:` references to 32 bytes in hex each.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Names and references of entities come from it: it never rotates, or a catalog would be deleted and recreated.
    pub identity: String,
    /// For the `hash` action and the fingerprints of known secrets.
    pub hash: String,
    /// Signs cursors of the feed.
    pub cursor: String,
    /// Pepper of API keys.
    pub api_key_pepper: String,
    /// Signs checkpoints of the security audit.
    pub audit_signing: Option<String>,
}

/// `limits:`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Memory for states and entities in flight, in MiB.
    pub memory_mib: usize,
    /// Syncs of one tenant at once.
    pub tenant_syncs_max: usize,
    /// Requests to Terraform Cloud in any sliding second for one user, at least 2: one is kept for asking whose a token is.
    pub user_requests_per_second: usize,
    /// Sustained requests to Terraform Cloud per second for one tenant.
    pub tenant_requests_per_second: f64,
    /// Requests a tenant may send at once after a pause.
    pub tenant_burst: u32,
    /// Webhook events of one tenant in any hour, over all replicas.
    pub tenant_webhooks_per_hour: u32,
    /// Seconds between two full reconciliations.
    pub reconcile_every_s: u64,
    /// Seconds between two looks at the rule files.
    pub rules_reload_s: u64,
    /// Seconds after which an idle workspace's actor is stopped.
    pub passivate_after_s: u64,
    /// Seconds after which a sync without progress is ended, and tried again as after a crash.
    pub stuck_after_s: u64,
    /// Seconds between two looks for leaks between tenants.
    pub leak_look_s: u64,
}

/// `catalog:`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// Owner of what has no owner by its tags.
    pub default_owner: String,
    /// Tag keys that name an owner, in order.
    pub owner_tags: Vec<String>,
    /// Further resource types that become entities: type and Backstage `spec.type`.
    #[serde(default)]
    pub types: std::collections::BTreeMap<String, String>,
}

/// One of `tenants:`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// For ever.
    pub id: TenantId,
    /// In URLs and namespaces; absent: the id.
    #[serde(default)]
    pub slug: Option<TenantSlug>,
    /// Organizations in Terraform Cloud.
    pub organizations: Vec<OrganizationName>,
    /// The primary token and its fallbacks.
    pub tokens: Vec<Token>,
    /// Its share of a Terraform Cloud user's requests among the tenants of that user.
    #[serde(default = "one")]
    pub weight: u32,
    /// Reference to the secret of its webhooks; absent: its webhook endpoint refuses everything.
    #[serde(default)]
    pub webhook_secret: Option<String>,
    /// Networks that its webhooks may come from; empty: from anywhere.
    #[serde(default)]
    pub webhook_sources: Vec<String>,
    /// YAML rule file of its own, on top of the one that all share.
    #[serde(default)]
    pub rules_file: Option<String>,
    /// Instead of the common default.
    #[serde(default)]
    pub default_owner: Option<String>,
}

fn one() -> u32 {
    1
}

impl Tenant {
    /// The slug, or the id where none is set.
    #[must_use]
    pub fn slug(&self) -> TenantSlug {
        // INVARIANT: ids and slugs have the same shape.
        self.slug
            .clone()
            .unwrap_or_else(|| TenantSlug::parse(self.id.as_str()).expect("an id is a valid slug"))
    }
}

/// A thing that is wrong in the file: where, what, how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ConfigProblem {
    /// Path of the key, for example `tenants[1].id`.
    pub place: String,
    /// What is wrong and how to mend it; never a value.
    pub problem: String,
}

impl Config {
    /// Checks what the shape cannot express. All problems, not only the first.
    #[must_use]
    pub fn problems(&self) -> Vec<ConfigProblem> {
        let mut problems = Vec::new();
        let mut wrong = |place: &str, problem: &str| {
            problems.push(ConfigProblem { place: place.to_owned(), problem: problem.to_owned() });
        };
        if self.roles.is_empty() {
            wrong("roles", "empty: name at least one of api, worker, webhook");
        }
        let limits = &self.limits;
        let bounds = [
            ("postgres.connections_max", self.postgres.connections_max >= 2),
            ("limits.memory_mib", limits.memory_mib >= 16),
            ("limits.tenant_syncs_max", limits.tenant_syncs_max >= 1),
            ("limits.user_requests_per_second", limits.user_requests_per_second >= 2),
            ("limits.tenant_requests_per_second", limits.tenant_requests_per_second > 0.0),
            ("limits.tenant_burst", limits.tenant_burst >= 1),
            ("limits.tenant_webhooks_per_hour", limits.tenant_webhooks_per_hour >= 1),
            ("limits.reconcile_every_s", limits.reconcile_every_s >= 1),
            ("limits.rules_reload_s", limits.rules_reload_s >= 1),
            ("limits.stuck_after_s", limits.stuck_after_s >= 1),
            ("limits.leak_look_s", limits.leak_look_s >= 1),
            ("redis.replicas_max", self.redis.replicas_max >= 1),
            ("kafka.partitions", self.kafka.partitions >= 1),
            ("kafka.replication", self.kafka.replication >= 1),
        ];
        for (place, fits) in bounds {
            if !fits {
                wrong(place, "too small: compare with the commented default configuration");
            }
        }
        if limits.tenant_webhooks_per_hour > WEBHOOKS_PER_HOUR_MAX {
            wrong(
                "limits.tenant_webhooks_per_hour",
                "above 100000: each event counts those of the hour before",
            );
        }
        if limits.rules_reload_s > RULES_RELOAD_S_MAX {
            wrong(
                "limits.rules_reload_s",
                "more than an hour: changed rules are to be noticed while they matter",
            );
        }
        self.http.problems(&mut wrong);
        self.cache.problems(&mut wrong);
        self.kafka.problems(&mut wrong);
        self.secrets.problems(&mut wrong);
        if self.redis.url.is_some() && self.redis.replicas_max >= limits.user_requests_per_second {
            wrong(
                "redis.replicas_max",
                "not below limits.user_requests_per_second: while Redis is away not each worker could have a slot",
            );
        }
        if self.redis.prefix.is_empty() || self.redis.prefix.contains(['{', '}']) {
            wrong(
                "redis.prefix",
                "empty, or with braces: they would decide on which node of a cluster keys lie",
            );
        }
        let declared = self.tenants.iter().map(|tenant| &tenant.id).collect();
        self.identity.problems(&declared, &mut wrong);
        let asked = self.http.tls.as_ref().is_some_and(|tls| tls.client_ca_file.is_some());
        if !self.identity.certificates.is_empty() && !asked {
            wrong(
                "identity.certificates",
                "clients are asked for no certificate: http.tls.client_ca_file names who may issue them",
            );
        }
        self.tenant_problems(&mut wrong);
        problems
    }

    fn tenant_problems(&self, wrong: &mut impl FnMut(&str, &str)) {
        let (mut ids, mut slugs) = (BTreeSet::new(), BTreeSet::new());
        for (index, tenant) in self.tenants.iter().enumerate() {
            if !ids.insert(tenant.id.clone()) {
                wrong(
                    &format!("tenants[{index}].id"),
                    "a tenant with this id is declared above: ids are unique",
                );
            }
            if !slugs.insert(tenant.slug()) {
                wrong(
                    &format!("tenants[{index}].slug"),
                    "a tenant with this slug is declared above: slugs are unique",
                );
            }
            if !(1..=WEIGHT_MAX).contains(&tenant.weight) {
                wrong(&format!("tenants[{index}].weight"), "not within 1 and 100");
            }
            for (n, rotation) in tenant.tokens.iter().enumerate().filter_map(|(n, t)| Some((n, t.rotation?)))
            {
                if rotation.rotate_every_days == 0 || rotation.warn_before_days >= rotation.rotate_every_days
                {
                    wrong(
                        &format!("tenants[{index}].tokens[{n}]"),
                        "rotate_every_days is to be at least 1, and more than warn_before_days",
                    );
                }
            }
            if tenant.tokens.is_empty() {
                wrong(
                    &format!("tenants[{index}].tokens"),
                    "empty: a tenant needs at least one token reference",
                );
            }
        }
    }
}
