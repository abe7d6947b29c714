//! The catalog's way: one forward pass, extraction of what is on the allow-list, a last sweep over what leaves.
//!
//! Must never hand over anything of a state that was refused: there is no result then.

use std::sync::Arc;

use terrasift_schemas::StateVersionId;
use terrasift_schemas::workspace::WorkspaceFacts;

use super::facts::sanitize_facts;
use super::listen::Listening;
use super::stream::Stream;
use super::walk::{Mode, Walk};
use super::{Pipeline, SiftJob, SiftedState};
use crate::extract::{Extractor, StateHead};
use crate::identity::IdentityKey;
use crate::refusal::{Refusal, RefusalKind};
use crate::seal::seal;
use crate::taint::Taint;

/// One state on its way into the catalog.
pub struct StateSift {
    pipeline: Arc<Pipeline>,
    facts: WorkspaceFacts,
    state_version: Option<StateVersionId>,
    stream: Stream<Listening>,
    bytes_in: u64,
}

impl StateSift {
    /// A sift of one state.
    #[must_use]
    pub fn new(pipeline: &Arc<Pipeline>, job: SiftJob) -> Self {
        let SiftJob { tenant: _, slug, workspace, facts, keys, profile, state_version } = job;
        let identity = IdentityKey::new(keys.identity_key);
        let extractor = Extractor::new(Arc::clone(&pipeline.types), profile, &slug, &workspace, &identity);
        let mode = Mode { learn: true, find: true };
        let walk = Walk::new(&pipeline.rules, Taint::new(keys.taint_key), keys.hash_key, mode);
        let stream = Stream::new(walk, Listening::new(extractor, identity));
        Self { pipeline: Arc::clone(pipeline), facts, state_version, stream, bytes_in: 0 }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// A [`Refusal`]; nothing of the state may be used then.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), Refusal> {
        self.bytes_in += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        self.stream.push(chunk)
    }

    /// Ends the input.
    ///
    /// # Errors
    /// A [`Refusal`]; nothing of the state may be used then. A state without lineage or serial is refused too: it could
    /// not be told from an older one.
    pub fn finish(mut self) -> Result<SiftedState, Refusal> {
        self.stream.finish()?;
        let head = &self.stream.listener.head;
        let (Some(lineage), Some(serial)) = (head.lineage, head.serial) else {
            let detail = "the state has no lineage or no serial; push it again with `terraform state push`";
            return Err(Refusal { kind: RefusalKind::NotAStateV4, offset: self.bytes_in, detail });
        };
        self.publish(lineage, serial)
    }

    /// Bytes held now: what the byte budget is charged with.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.stream.memory_bytes()
    }

    fn publish(self, lineage: [u8; 16], serial: u64) -> Result<SiftedState, Refusal> {
        let Stream { mut walk, listener, .. } = self.stream;
        let Listening { extractor, head, .. } = listener;
        let facts = sanitize_facts(&mut walk, &self.facts);
        let resource_count = extractor.resource_count();
        let terraform_version = head.terraform_version.map(|version| walk.sweep(&version).unwrap_or(version));
        let state_head = StateHead {
            serial,
            terraform_version: terraform_version.as_deref(),
            state_version: self.state_version.as_ref().map(StateVersionId::as_str),
            created_at: None,
        };
        let entities = extractor.finish(&facts, state_head, &mut |text| walk.sweep(text))?;
        Ok(SiftedState {
            entities: entities.into_iter().map(seal).collect(),
            lineage,
            serial,
            resource_count,
            report: walk.tally.into_report(),
            bytes_in: self.bytes_in,
            pipeline: self.pipeline.version,
        })
    }
}

/// A workspace without any state: only its `TerraformWorkspace` entity.
///
/// # Errors
/// A [`Refusal`] when the facts cannot be rendered.
pub fn sift_stateless(pipeline: &Arc<Pipeline>, job: SiftJob) -> Result<SiftedState, Refusal> {
    StateSift::new(pipeline, job).publish([0; 16], 0)
}

impl Walk {
    /// The text without copies of secrets; `None` when it has none. What leaves is swept when all secrets are known.
    pub(super) fn sweep(&mut self, text: &str) -> Option<String> {
        if self.taint.is_empty() {
            return None;
        }
        self.copies.find(&self.taint, text, &mut self.found);
        if self.found.is_empty() {
            return None;
        }
        let mut out = Vec::with_capacity(text.len());
        let mut copied = 0;
        for (start, end) in &self.found {
            out.extend_from_slice(&text.as_bytes()[copied..*start]);
            let rule = self.rules.taint_rule();
            self.rules.replacement(rule, &text[*start..*end], &self.hash_key, &mut out);
            copied = *end;
        }
        out.extend_from_slice(&text.as_bytes()[copied..]);
        Some(String::from_utf8_lossy(&out).into_owned())
    }
}
