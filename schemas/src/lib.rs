//! What crosses a process boundary: ids, events, rules, detections, entities, the feed, configuration.
//!
//! Owns the shapes and their validation. Must never read a file, a clock, the network or the environment.

pub mod catalog;
pub mod config;
pub mod contract;
pub mod detection;
pub mod event;
pub mod feed;
pub mod ids;
pub mod rules;
pub mod sanitized;
pub mod trace;
pub mod workspace;

pub use ids::{
    EntityRef, IdError, OrganizationName, PipelineVersion, RunId, StateVersionId, TenantId, TenantSlug,
    WorkspaceId,
};
pub use sanitized::{FromCatalog, Sanitized};
pub use trace::TraceParent;
