//! How to reach the brokers, and who we are to them.
//!
//! Owns what Terrasift fixes about every client. Must never print a password or the properties.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;
use terrasift_schemas::config::{KafkaProtocol, SaslMechanism};
use terrasift_secrets::{CurrentSecret, Secret};

/// Drain of a configuration that does not say.
const DRAIN: Duration = Duration::from_secs(3);
/// How late a client sees that a topic has more partitions: one small request in that time.
const METADATA_REFRESH_MS: &str = "30000";

/// Where the brokers are and who we are. No `Debug`: it holds passwords.
#[derive(Clone)]
pub struct KafkaConfig {
    /// `host:port[,host:port…]`; several brokers survive the loss of one.
    pub bootstrap: String,
    /// Consumer group: the workers of one deployment share it.
    pub group: String,
    /// Shows in the brokers' logs and quotas.
    pub client_id: String,
    /// Static membership: unique in the group, the same after a restart.
    pub instance_id: Option<String>,
    /// Before a partition is given up, what was handed over is settled, for at most so long.
    pub drain: Duration,
    /// Encryption and authentication.
    pub security: Security,
    /// Further librdkafka properties. They win over our defaults, not over what correctness rests on (offset store,
    /// commits, idempotence, assignment), nor over `security`.
    pub properties: BTreeMap<String, String>,
}

/// Encryption and authentication. The default has neither. No `Debug`: it holds passwords.
#[derive(Clone, Default)]
pub struct Security {
    /// What of it is used.
    pub protocol: KafkaProtocol,
    /// PEM file of the authorities that brokers' certificates come from; absent: the system's.
    pub ca_file: Option<String>,
    /// Where brokers ask for a certificate.
    pub certificate: Option<ClientCertificate>,
    /// Where brokers ask for a name.
    pub login: Option<Login>,
}

/// A client's certificate. No `Debug`: it holds a key.
#[derive(Clone)]
pub struct ClientCertificate {
    /// PEM file of the certificate and its chain.
    pub file: String,
    /// Its private key, PEM without a password.
    pub key: Secret,
}

/// A name and a password. No `Debug`.
#[derive(Clone)]
pub struct Login {
    /// How the password is shown.
    pub mechanism: SaslMechanism,
    /// Name.
    pub username: String,
    /// Password, as it is now.
    pub password: CurrentSecret,
}

impl Security {
    /// Nothing without encryption and names: then `properties` may have something else.
    fn properties<'a>(&'a self, password: Option<&'a Secret>) -> Vec<(&'static str, &'a str)> {
        let mut properties = match self.protocol {
            KafkaProtocol::Plaintext => return vec![],
            KafkaProtocol::Ssl => vec![("security.protocol", "ssl")],
            KafkaProtocol::SaslPlaintext => vec![("security.protocol", "sasl_plaintext")],
            KafkaProtocol::SaslSsl => vec![("security.protocol", "sasl_ssl")],
        };
        properties.extend(self.ca_file.as_deref().map(|file| ("ssl.ca.location", file)));
        if let Some(certificate) = &self.certificate {
            properties.push(("ssl.certificate.location", &certificate.file));
            properties.push(("ssl.key.pem", certificate.key.expose()));
        }
        if let Some(login) = &self.login {
            properties.push(("sasl.mechanism", login.mechanism.name()));
            properties.push(("sasl.username", &login.username));
            properties.extend(password.map(|password| ("sasl.password", password.expose())));
        }
        properties
    }
}

impl KafkaConfig {
    /// A configuration without encryption, names and further properties.
    #[must_use]
    pub fn new(bootstrap: &str, group: &str, client_id: &str) -> Self {
        Self {
            bootstrap: bootstrap.to_owned(),
            group: group.to_owned(),
            client_id: client_id.to_owned(),
            instance_id: None,
            drain: DRAIN,
            security: Security::default(),
            properties: BTreeMap::new(),
        }
    }

    /// librdkafka's configuration: `defaults`, then the user's properties, then security and `fixed`.
    pub(crate) fn client(&self, defaults: &[(&str, &str)], fixed: &[(&str, &str)]) -> ClientConfig {
        let mut client = ClientConfig::new();
        client.set("topic.metadata.refresh.interval.ms", METADATA_REFRESH_MS);
        for (name, value) in defaults {
            client.set(*name, *value);
        }
        for (name, value) in &self.properties {
            client.set(name, value);
        }
        let password = self.security.login.as_ref().map(|login| login.password.now());
        for (name, value) in self.security.properties(password.as_ref()).iter().chain(fixed) {
            client.set(*name, *value);
        }
        client.set("bootstrap.servers", &self.bootstrap).set("client.id", &self.client_id);
        client
    }
}
