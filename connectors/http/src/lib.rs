//! HTTP: the webhook door and the Backstage-facing API.
//!
//! `serve` (connections) → `gate` (limits, headers, log, metric) → `router` → `webhook` | `auth` → `feed`, `stream`,
//! `entities`, `resources`, `status`, `timeline`, `usage`, `audit`, `dead_letters`. `openapi` describes them and `reference` shows that. Beside them `attempt` and `audit_trail` record who asked for what. What can be decided without a socket is a pure module with a table of tests: `notification`, `cursor`,
//! `query`, `token_bucket`, `access`, `api_key`, `mac`, `conditional`. Must never log a URL, a body or a header's value, answer
//! across tenants, or accept an event that is not in Kafka.

mod access;
mod admin_keys;
mod api_key;
mod attempt;
mod audit;
mod audit_trail;
mod auth;
mod cached;
mod certificate;
mod conditional;
mod config;
mod cursor;
mod dead_letters;
mod entities;
mod feed;
mod gate;
mod key_uses;
mod keys;
mod mac;
mod notification;
mod openapi;
mod operations;
mod problem;
mod query;
mod rate_limit;
mod readiness;
mod reference;
mod resources;
mod router;
mod serve;
mod silence;
mod source;
mod status;
mod stream;
mod telemetry;
mod timeline;
mod tls;
mod token_bucket;
mod usage;
mod webhook;

pub use access::{CATALOG_READ, Grant, Permission};
pub use admin_keys::OVERLAP_HOURS_MAX;
pub use api_key::{api_key_digest, fresh_api_key, mint_api_key};
pub use audit::AuditBody;
pub use audit_trail::{AuditTrail, TrailWriter};
pub use cached::Cache;
pub use certificate::{CertificateGrant, CertificateMark};
pub use config::{Doors, HttpConfig, HttpError, Routes, TenantDoor};
pub use dead_letters::DeadLetterBody;
pub use key_uses::KeyUses;
pub use keys::ApiKeyBody;
pub use openapi::openapi;
pub use problem::Code;
pub use query::{LIMIT_DEFAULT, LIMIT_MAX, WAIT_SECONDS_MAX};
pub use readiness::Readiness;
pub use router::{Door, RouteDoor, route_doors, router, routers_apart};
pub use serve::serve;
pub use tls::{ClientAuthority, Tls, TlsError, TlsMaterial};
pub use token_bucket::Rate;
