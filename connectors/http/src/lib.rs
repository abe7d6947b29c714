//! HTTP: the webhook door and the Backstage-facing API.
//!
//! `serve` (connections) → `gate` (limits, headers, log, metric) → `router` → `webhook` | `auth` → `feed`, `entities`,
//! `status`, `audit`, `dead_letters`. Beside them `attempt` and `audit_trail` record who asked for what. What can be decided without a socket is a pure module with a table of tests: `notification`, `cursor`,
//! `query`, `token_bucket`, `access`, `api_key`, `mac`, `conditional`. Must never log a URL, a body or a header's value, answer
//! across tenants, or accept an event that is not in Kafka.

mod access;
mod api_key;
mod attempt;
mod audit;
mod audit_trail;
mod auth;
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
mod operations;
mod problem;
mod query;
mod rate_limit;
mod readiness;
mod router;
mod serve;
mod silence;
mod status;
mod telemetry;
mod token_bucket;
mod webhook;

pub use access::{CATALOG_READ, Permission};
pub use api_key::{api_key_digest, mint_api_key};
pub use audit::AuditBody;
pub use audit_trail::{AuditTrail, TrailWriter};
pub use config::{Doors, HttpConfig, HttpError, Routes, TenantDoor};
pub use dead_letters::DeadLetterBody;
pub use key_uses::KeyUses;
pub use keys::ApiKeyBody;
pub use problem::Code;
pub use query::{LIMIT_DEFAULT, LIMIT_MAX, WAIT_SECONDS_MAX};
pub use readiness::Readiness;
pub use router::{Door, RouteDoor, route_doors, router};
pub use serve::serve;
pub use token_bucket::Rate;
