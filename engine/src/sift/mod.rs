//! State bytes in, redacted bytes or sanitized entities out.
//!
//! Owns the walk over a unit's spans and what is decided for each leaf. Must never show a raw value in an error or report.
//!
//! What a decision does to a leaf: a string keeps its quotes and loses the spans found; a number becomes a marker in
//! quotes (nothing else is valid JSON); `null`, `true`, `false` and empty strings stay even under a mark, they tell
//! no secret. A key that is itself data is rewritten and kept unique among its siblings. Under a mark, a sensitive key or
//! `private`, every leaf goes and the keys stay unless a rule finds something in them.
//!
//! `version` may be a state's last member, so output streams before it is known to be a state v4: only a `finish`
//! without refusal makes it valid. The catalog takes nothing before that.

use std::sync::Arc;

use terrasift_schemas::catalog::RenderedEntity;
use terrasift_schemas::detection::Report;
use terrasift_schemas::workspace::WorkspaceFacts;
use terrasift_schemas::{PipelineVersion, Sanitized, StateVersionId, TenantId, TenantSlug, WorkspaceId};

use crate::detect::{HashKey, RuleSet};
use crate::extract::{CatalogProfile, TypeTable};

mod between;
mod catalog;
mod echo;
mod facts;
mod follow;
mod keys;
mod kind;
mod leaf;
mod leaves;
mod listen;
mod marker;
mod marks;
mod members;
mod names;
mod notes;
mod oversize;
mod passes;
mod pending;
mod places;
mod pointer;
mod quiet;
mod replay;
mod ride;
mod roles;
mod same;
mod schema_marks;
mod siblings;
mod stream;
mod tally;
#[cfg(test)]
mod tests;
mod trail;
mod values;
mod walk;

pub use catalog::{StateSift, sift_stateless};
pub use passes::{Redactor, Survey, TaintPass};
pub use schema_marks::{of as marked_by_schema, writes_marks};

/// What all states of one pipeline version share.
pub struct Pipeline {
    /// Compiled rules.
    pub rules: Arc<RuleSet>,
    /// Which resource types become entities.
    pub types: Arc<TypeTable>,
    /// Stands in audit records and orders writes.
    pub version: PipelineVersion,
}

/// A tenant's keys. No Debug: they are secrets.
pub struct TenantKeys {
    /// Names, refs and suffixes come from it; never rotates.
    pub identity_key: [u8; 32],
    /// For the `hash` action.
    pub hash_key: HashKey,
    /// For the fingerprints of known secrets.
    pub taint_key: [u8; 16],
}

/// One state to be sifted for the catalog.
pub struct SiftJob {
    /// Whose state.
    pub tenant: TenantId,
    /// Namespace of the entities.
    pub slug: TenantSlug,
    /// Which workspace.
    pub workspace: WorkspaceId,
    /// What the API says about it, raw.
    pub facts: WorkspaceFacts,
    /// The tenant's keys.
    pub keys: TenantKeys,
    /// How entities look.
    pub profile: CatalogProfile,
    /// State version that is sifted; stands on the workspace's entity.
    pub state_version: Option<StateVersionId>,
}

/// What may leave: entities without raw values, and the figures of the audit record.
pub struct SiftedState {
    /// Sorted by ref.
    pub entities: Vec<Sanitized<RenderedEntity>>,
    /// Keyed fingerprint of the lineage.
    pub lineage: [u8; 16],
    /// Serial within the lineage.
    pub serial: u64,
    /// Resources in the state (not instances).
    pub resource_count: u64,
    /// What was found.
    pub report: Report,
    /// Bytes of state read.
    pub bytes_in: u64,
    /// Version of rules and extractor.
    pub pipeline: PipelineVersion,
}
