//! How to reach the brokers.
//!
//! Owns what Terrasift fixes about every client. Must never print the properties: they may hold passwords.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;

/// Where the brokers are and who we are. No `Debug`: the properties may hold passwords.
#[derive(Clone)]
pub struct KafkaConfig {
    /// `host:port[,host:port…]`; several brokers survive the loss of one.
    pub bootstrap: String,
    /// Consumer group: the workers of one deployment share it.
    pub group: String,
    /// Shows in the brokers' logs and quotas.
    pub client_id: String,
    /// Further librdkafka properties, such as TLS and SASL. They win over our defaults, not over what correctness
    /// rests on (offset store, commits, idempotence, assignment).
    pub properties: BTreeMap<String, String>,
}

impl KafkaConfig {
    /// A configuration without further properties.
    #[must_use]
    pub fn new(bootstrap: &str, group: &str, client_id: &str) -> Self {
        Self {
            bootstrap: bootstrap.to_owned(),
            group: group.to_owned(),
            client_id: client_id.to_owned(),
            properties: BTreeMap::new(),
        }
    }

    /// librdkafka's configuration: `defaults`, then the user's properties, then `fixed`.
    pub(crate) fn client(&self, defaults: &[(&str, &str)], fixed: &[(&str, &str)]) -> ClientConfig {
        let mut client = ClientConfig::new();
        for (name, value) in defaults {
            client.set(*name, *value);
        }
        for (name, value) in &self.properties {
            client.set(name, value);
        }
        for (name, value) in fixed {
            client.set(*name, *value);
        }
        client.set("bootstrap.servers", &self.bootstrap).set("client.id", &self.client_id);
        client
    }
}
