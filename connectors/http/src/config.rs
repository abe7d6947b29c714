//! What the doors need: limits, keys, tenants, connections.
//!
//! Values arrive parsed; nothing here reads a file, the environment or a clock.

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use terrasift_identity::Verifier;
use terrasift_kafka::Producer;
use terrasift_postgres::Store;
pub use terrasift_schemas::config::Prices;
use terrasift_schemas::{TenantId, TenantSlug};
use terrasift_secrets::CurrentSecret;

use crate::audit_trail::AuditTrail;
use crate::cached::Cache;
use crate::certificate::CertificateGrant;
use crate::key_uses::KeyUses;
use crate::query::WAIT_SECONDS_MAX;
use crate::readiness::Readiness;
use crate::token_bucket::Rate;

/// The limits of the doors. Everything that a stranger can make large is bounded here.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Largest webhook body, bytes.
    pub webhook_body_limit_bytes: usize,
    /// Largest body of any other request, bytes.
    pub api_body_limit_bytes: usize,
    /// Time for the head of a request to arrive whole on a connection that no valid key was sent on; also how long such a
    /// connection is kept when it is idle.
    pub header_read_timeout: Duration,
    /// How long a connection is kept that a valid key was sent on: from an answer to the next request's head.
    pub idle_timeout: Duration,
    /// Time for a request's body and its answer; long-polls get their `wait` on top.
    pub request_timeout: Duration,
    /// Time for a TLS handshake, from the connection on.
    pub handshake_timeout: Duration,
    /// Handshakes that are answered at once; others wait their turn within their time.
    pub max_handshakes: usize,
    /// Longest that a poll of the feed is held, whatever its `wait` asks for.
    pub long_poll_max: Duration,
    /// Open connections; further ones wait in the kernel's backlog.
    pub max_connections: usize,
    /// Age at which a connection is asked to close after its current answer: bounds readers that never read.
    pub connection_age_max: Duration,
    /// Time for running requests to end after the shutdown began.
    pub drain_timeout: Duration,
    /// Whether a header opens the API as any tenant, from loopback addresses. Only ever for development.
    pub development_header: bool,
    /// Who is believed about where a request came from.
    pub trusted_proxies: Vec<IpNet>,
    /// Webhook events a tenant may have published by this replica.
    pub webhook_rate: Rate,
    /// API requests a tenant may make of this replica.
    pub api_rate: Rate,
    /// What is charged; without prices, usage is told without cost.
    pub prices: Option<Prices>,
    /// Requests a second that workers send to the upstream for a tenant at most.
    pub upstream_requests_per_second: f64,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            webhook_body_limit_bytes: 1024 * 1024,
            api_body_limit_bytes: 64 * 1024,
            header_read_timeout: Duration::from_secs(10),
            // Longer than the 60 s after which common proxies give an idle connection up: who closes first should be the
            // one who sends the next request, or that request is lost.
            idle_timeout: Duration::from_secs(75),
            request_timeout: Duration::from_secs(30),
            long_poll_max: Duration::from_secs(WAIT_SECONDS_MAX),
            handshake_timeout: Duration::from_secs(10),
            // Far above what two cores sign in a round trip, and some MiB of buffers.
            max_handshakes: 256,
            // 10,000 users of the requirements, and probes, webhooks and scrapers beside them.
            max_connections: 12_000,
            connection_age_max: Duration::from_secs(15 * 60),
            drain_timeout: Duration::from_secs(20),
            development_header: false,
            trusted_proxies: Vec::new(),
            webhook_rate: Rate { capacity: 1_000, window: Duration::from_secs(3_600) },
            api_rate: Rate { capacity: 10_000, window: Duration::from_secs(10) },
            prices: None,
            upstream_requests_per_second: 5.0,
        }
    }
}

/// Which routes a process serves. Health, readiness and metrics are always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Routes {
    /// The Backstage-facing API.
    pub api: bool,
    /// The webhook endpoint.
    pub webhook: bool,
}

/// A tenant as the webhook door knows it. No `Debug`: it holds a secret.
#[derive(Clone)]
pub struct TenantDoor {
    /// The tenant.
    pub id: TenantId,
    /// Its name in the webhook's URL.
    pub slug: TenantSlug,
    /// Token of its notification configurations, as it is now; without one every delivery is refused. After a rotation the one
    /// before signs, too, until its overlap ends.
    pub webhook_secret: Option<CurrentSecret>,
    /// Where its deliveries may come from; empty: from anywhere.
    pub webhook_sources: Vec<IpNet>,
}

/// What stands behind the doors. No `Debug`: it holds keys.
#[derive(Clone)]
pub struct Doors {
    /// The catalog.
    pub store: Store,
    /// Where accepted events go.
    pub producer: Producer,
    /// Where what was read there lately is kept; without it, each request asks the catalog.
    pub cache: Option<Cache>,
    /// The declared tenants.
    pub tenants: Vec<TenantDoor>,
    /// Authenticates cursors; the same on all replicas and across restarts.
    pub cursor_key: [u8; 32],
    /// Pepper of API key digests; the same on all replicas and for ever.
    pub key_pepper: [u8; 32],
    /// Checks tokens; without it, API keys alone open the API.
    pub tokens: Option<Arc<Verifier>>,
    /// Whose client certificates open the API; who may issue them is TLS's.
    pub certificates: Vec<CertificateGrant>,
    /// Where this crate's metrics are registered, and what `/metrics` shows. One router a registry.
    pub registry: prometheus::Registry,
    /// Where requests and what came of them are recorded.
    pub trail: AuditTrail,
    /// Where the use of keys is noted.
    pub key_uses: KeyUses,
    /// What the wiring knows about being ready.
    pub readiness: Arc<Readiness>,
}

/// Why the doors cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// A metric of this name is there already: two routers share one registry.
    #[error("http metrics cannot be registered: give each router its own registry")]
    Metrics(#[source] prometheus::Error),
    /// Two tenants have one slug.
    #[error("tenant slug {0} is declared twice: slugs name webhook addresses and must be unique")]
    DuplicateSlug(TenantSlug),
}
