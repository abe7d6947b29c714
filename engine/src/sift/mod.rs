//! State bytes in, redacted bytes or sanitized entities out.
//!
//! Owns the walk over a unit's spans and what is decided for each leaf. Must never show a raw value in an error or report.

use std::sync::Arc;

use terrasift_schemas::detection::Report;
use terrasift_schemas::catalog::RenderedEntity;
use terrasift_schemas::workspace::WorkspaceFacts;
use terrasift_schemas::{PipelineVersion, Sanitized, TenantId, TenantSlug, WorkspaceId};

use crate::detect::{HashKey, RuleSet};
use crate::extract::{CatalogProfile, TypeTable};
use crate::refusal::{Refusal, RefusalKind};
use crate::taint::Taint;

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

const SKELETON: Refusal = Refusal { kind: RefusalKind::Undecidable, offset: 0, detail: "not built yet" };

/// First of two passes: learns what is secret.
pub struct TaintPass {
    taint: Taint,
}

impl TaintPass {
    /// A pass under these rules; `key` keys the fingerprints.
    #[must_use]
    pub fn new(_rules: &Arc<RuleSet>, key: [u8; 16]) -> Self {
        Self { taint: Taint::new(key) }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// A [`Refusal`] as soon as the bytes cannot become a state v4.
    pub fn push(&mut self, _chunk: &[u8]) -> Result<(), Refusal> {
        Err(SKELETON)
    }

    /// Ends the input.
    ///
    /// # Errors
    /// A [`Refusal`] when the state is incomplete.
    pub fn finish(self) -> Result<Taint, Refusal> {
        Ok(self.taint)
    }
}

/// Redacts a state, bytes to bytes.
pub struct Redactor {}

impl Redactor {
    /// Second of two passes: `taint` knows every secret of the state already.
    #[must_use]
    pub fn new(_rules: &Arc<RuleSet>, _taint: Taint, _hash_key: HashKey) -> Self {
        Self {}
    }

    /// One pass only: secrets are known from their first mark on.
    #[must_use]
    pub fn forward(rules: &Arc<RuleSet>, taint_key: [u8; 16], hash_key: HashKey) -> Self {
        Self::new(rules, Taint::new(taint_key), hash_key)
    }

    /// Takes the next bytes, appends what is decided to `out`.
    ///
    /// # Errors
    /// A [`Refusal`]; what was written to `out` before stays written, so a caller tells by the exit code.
    pub fn push(&mut self, _chunk: &[u8], _out: &mut Vec<u8>) -> Result<(), Refusal> {
        Err(SKELETON)
    }

    /// Ends the input.
    ///
    /// # Errors
    /// A [`Refusal`] when the state is incomplete.
    pub fn finish(self, _out: &mut Vec<u8>) -> Result<Report, Refusal> {
        Err(SKELETON)
    }
}

/// The catalog's way: one forward pass, extraction, a last sweep over what leaves.
pub struct StateSift {}

impl StateSift {
    /// A sift of one state.
    #[must_use]
    pub fn new(_pipeline: &Arc<Pipeline>, _job: SiftJob) -> Self {
        Self {}
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// A [`Refusal`]; nothing of the state may be used then.
    pub fn push(&mut self, _chunk: &[u8]) -> Result<(), Refusal> {
        Err(SKELETON)
    }

    /// Ends the input.
    ///
    /// # Errors
    /// A [`Refusal`]; nothing of the state may be used then.
    pub fn finish(self) -> Result<SiftedState, Refusal> {
        Err(SKELETON)
    }

    /// Bytes held now: what the byte budget is charged with.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        0
    }
}

/// A workspace without any state: only its `TerraformWorkspace` entity.
///
/// # Errors
/// A [`Refusal`] when the facts cannot be rendered.
pub fn sift_stateless(_pipeline: &Arc<Pipeline>, _job: SiftJob) -> Result<SiftedState, Refusal> {
    Err(SKELETON)
}
