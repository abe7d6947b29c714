//! `http:` where the doors listen, and what they speak.
//!
//! Must never hold a key: it is a reference.

use serde::{Deserialize, Serialize};

/// Longest time between two looks at the certificates.
const RELOAD_S_MAX: u64 = 3_600;

/// `http:`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// `address:port`.
    pub listen: String,
    /// `address:port` of probes and metrics, without TLS; absent: they are where the rest is.
    pub operations_listen: Option<String>,
    /// Connections at once.
    pub connections_max: usize,
    /// Networks of proxies that are believed about where a request came from (`X-Forwarded-For`).
    pub trusted_proxies: Vec<String>,
    /// Whether `X-Terrasift-Dev-Tenant` opens the API as any tenant; only where `listen` is a loopback address.
    pub development_header: bool,
    /// Absent: plain HTTP.
    pub tls: Option<HttpTls>,
}

/// `http.tls:`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpTls {
    /// File of our own certificate and its chain, PEM.
    pub certificate_file: String,
    /// Reference to its private key, PEM without a password.
    pub key: String,
    /// File of the authorities that clients' certificates come from, PEM; absent: clients are not asked for one.
    #[serde(default)]
    pub client_ca_file: Option<String>,
    /// Whether a client may come without a certificate.
    #[serde(default)]
    pub client_certificates: ClientCertificates,
    /// Seconds between two looks at the files.
    #[serde(default = "ten")]
    pub reload_s: u64,
}

/// Whether clients have to show a certificate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientCertificates {
    /// Who shows none can still show a key or a token.
    #[default]
    Optional,
    /// Who shows none is refused in the handshake.
    Required,
}

fn ten() -> u64 {
    10
}

impl Http {
    pub(super) fn problems(&self, wrong: &mut impl FnMut(&str, &str)) {
        if self.connections_max == 0 {
            wrong("http.connections_max", "too small: compare with the commented default configuration");
        }
        if self.operations_listen.as_ref() == Some(&self.listen) {
            wrong("http.operations_listen", "the same as http.listen: give it another port, or leave it out");
        }
        let Some(tls) = &self.tls else { return };
        if !(1..=RELOAD_S_MAX).contains(&tls.reload_s) {
            wrong("http.tls.reload_s", "not within 1 and 3600");
        }
        if tls.client_certificates == ClientCertificates::Required && tls.client_ca_file.is_none() {
            wrong(
                "http.tls.client_ca_file",
                "missing: it names who may issue the certificates that are required",
            );
        }
    }
}
