//! What this process knows the catalog to show: a record about it needs no mark (hop 2).
//!
//! An entry holds under the epoch that it was noted under, and only there: whoever loses a partition and gets it back
//! knows nothing of it. Must never be ahead of the catalog: it is noted after a commit, and forgotten before the next.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};

use terrasift_postgres::{Epoch, KnownVersion};
use terrasift_schemas::event::StateUpdated;
use terrasift_schemas::{PipelineVersion, TenantId, WorkspaceId};

/// Entries of each of the two generations: some 60 MiB when both are full.
const GENERATION_MAX: usize = 500_000;

/// What a record says about the state that it tells of.
pub(crate) struct Claim {
    state_version: Option<u64>,
    lineage: Option<(u64, String)>,
    serial: Option<i64>,
}

/// What is known about a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// The catalog shows it, or something newer of its lineage.
    Served,
    /// The catalog shows something else.
    Other,
    /// Nothing is known.
    Unknown,
}

/// The ownership under which something is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ownership {
    pub(crate) partition: i32,
    pub(crate) epoch: Epoch,
}

/// A version that was served, in 56 bytes: there can be a million of them.
struct Entry {
    under: Ownership,
    lineage: [u8; 16],
    serial: i64,
    pipeline: PipelineVersion,
    /// Keyed hash of the id; 0 where none is known.
    state_version: u64,
    /// Keyed hash of the raw lineage, once it was seen to be this one; 0 before. Spares a HMAC a record.
    lineage_text: u64,
}

/// The versions that are known to be served. Two generations: when the younger is full, the older one is forgotten.
pub struct Served {
    hasher: RandomState,
    generations: Mutex<[HashMap<u64, Entry>; 2]>,
    generation_max: usize,
}

impl Default for Served {
    fn default() -> Self {
        Self::bounded(GENERATION_MAX)
    }
}

impl Served {
    fn bounded(generation_max: usize) -> Self {
        Self { hasher: RandomState::new(), generations: Mutex::default(), generation_max }
    }

    /// What a record says of its state; `None` when it says nothing that could be compared.
    pub(crate) fn claim(&self, data: &StateUpdated) -> Option<Claim> {
        let serial = data.serial.and_then(|serial| i64::try_from(serial).ok());
        let state_version = data.state_version.as_ref().map(|id| self.fingerprint(id.as_str()));
        let lineage = data
            .lineage
            .as_ref()
            .filter(|_| serial.is_some())
            .map(|raw| (self.fingerprint(raw), raw.clone()));
        (state_version.is_some() || lineage.is_some()).then_some(Claim { state_version, lineage, serial })
    }

    /// Whether what a record tells is served already, through `pipeline`. `lineage_of` makes a raw lineage comparable.
    pub(crate) fn told(
        &self,
        (tenant, workspace): (&TenantId, &WorkspaceId),
        under: Ownership,
        pipeline: PipelineVersion,
        claim: &Claim,
        lineage_of: impl Fn(&str) -> [u8; 16],
    ) -> Told {
        let key = self.key(tenant, workspace);
        let mut generations = self.generations();
        let [young, old] = &mut *generations;
        let Some(entry) = young.get_mut(&key).or_else(|| old.get_mut(&key)) else { return Told::Unknown };
        if entry.under != under {
            return Told::Unknown;
        }
        if entry.pipeline != pipeline {
            return Told::Other;
        }
        if claim.state_version.is_some_and(|id| id == entry.state_version) {
            return Told::Served;
        }
        let (Some((text, raw)), Some(serial)) = (&claim.lineage, claim.serial) else { return Told::Other };
        if entry.lineage_text != *text && entry.lineage == lineage_of(raw) {
            entry.lineage_text = *text;
        }
        match entry.lineage_text == *text && serial <= entry.serial {
            true => Told::Served,
            false => Told::Other,
        }
    }

    /// The catalog shows this.
    pub(crate) fn note(
        &self,
        tenant: &TenantId,
        workspace: &WorkspaceId,
        under: Ownership,
        known: &KnownVersion,
    ) {
        let entry = Entry {
            under,
            lineage: known.lineage,
            serial: known.serial,
            pipeline: known.pipeline,
            state_version: known.state_version.as_ref().map_or(0, |id| self.fingerprint(id.as_str())),
            lineage_text: 0,
        };
        let key = self.key(tenant, workspace);
        let mut generations = self.generations();
        let [young, old] = &mut *generations;
        old.remove(&key);
        if young.len() >= self.generation_max && !young.contains_key(&key) {
            *old = std::mem::take(young);
        }
        young.insert(key, entry);
    }

    /// The catalog may come to show something else.
    pub(crate) fn forget(&self, tenant: &TenantId, workspace: &WorkspaceId) {
        let key = self.key(tenant, workspace);
        for generation in &mut *self.generations() {
            generation.remove(&key);
        }
    }

    /// A panic elsewhere leaves the maps whole: each change to them is one insertion or removal.
    fn generations(&self) -> MutexGuard<'_, [HashMap<u64, Entry>; 2]> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Never 0, which stands for nothing.
    fn fingerprint(&self, text: &str) -> u64 {
        self.hasher.hash_one(text) | 1
    }

    fn key(&self, tenant: &TenantId, workspace: &WorkspaceId) -> u64 {
        self.hasher.hash_one((tenant.as_str(), workspace.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use terrasift_schemas::StateVersionId;
    use terrasift_schemas::event::Priority;
    use time::OffsetDateTime;

    use super::*;

    const OURS: Ownership = Ownership { partition: 3, epoch: Epoch(7) };
    const PIPELINE: PipelineVersion = PipelineVersion(2);

    fn ids(workspace: &str) -> (TenantId, WorkspaceId) {
        (TenantId::parse("acme").unwrap(), WorkspaceId::parse(workspace).unwrap())
    }

    fn record(state_version: Option<&str>, lineage: Option<&str>, serial: Option<u64>) -> StateUpdated {
        let (tenant, workspace) = ids("ws-0000000000000001");
        StateUpdated {
            tenant,
            workspace,
            run: None,
            time: OffsetDateTime::UNIX_EPOCH,
            priority: Priority::Normal,
            state_version: state_version.map(|id| StateVersionId::parse(id).unwrap()),
            lineage: lineage.map(str::to_owned),
            serial,
        }
    }

    /// Stands for the HMAC.
    fn lineage_of(raw: &str) -> [u8; 16] {
        [raw.as_bytes().first().copied().unwrap_or_default(); 16]
    }

    #[test]
    fn only_what_the_catalog_shows_under_this_epoch_and_pipeline_is_served() {
        use Told::{Other, Served as Is, Unknown};
        let served = Served::default();
        let (tenant, workspace) = ids("ws-0000000000000001");
        let known = KnownVersion {
            lineage: lineage_of("l"),
            serial: 5,
            pipeline: PIPELINE,
            state_version: Some(StateVersionId::parse("sv-0000000000000001").unwrap()),
        };
        served.note(&tenant, &workspace, OURS, &known);
        let elsewhere = Ownership { partition: 4, ..OURS };
        let later = Ownership { epoch: Epoch(8), ..OURS };
        let (same, other) = (Some("sv-0000000000000001"), Some("sv-0000000000000002"));
        let cases = [
            ("the same state version", record(same, None, None), OURS, PIPELINE, Some(Is)),
            ("another state version", record(other, None, Some(5)), OURS, PIPELINE, Some(Other)),
            ("the same serial", record(None, Some("l"), Some(5)), OURS, PIPELINE, Some(Is)),
            ("an older serial", record(None, Some("l"), Some(4)), OURS, PIPELINE, Some(Is)),
            ("a newer serial", record(None, Some("l"), Some(6)), OURS, PIPELINE, Some(Other)),
            ("another lineage", record(None, Some("m"), Some(5)), OURS, PIPELINE, Some(Other)),
            ("a serial alone", record(None, None, Some(5)), OURS, PIPELINE, None),
            ("a lineage alone", record(None, Some("l"), None), OURS, PIPELINE, None),
            ("nothing", record(None, None, None), OURS, PIPELINE, None),
            ("newer rules", record(same, None, None), OURS, PipelineVersion(3), Some(Other)),
            ("another partition", record(same, None, None), elsewhere, PIPELINE, Some(Unknown)),
            ("a later epoch", record(same, None, None), later, PIPELINE, Some(Unknown)),
        ];
        for (name, record, under, pipeline, expected) in &cases {
            let claim = served.claim(record);
            let told =
                |claim: &Claim| served.told((&tenant, &workspace), *under, *pipeline, claim, lineage_of);
            assert_eq!(claim.as_ref().map(told), *expected, "{name}");
            // The second time the lineage is compared by its text.
            assert_eq!(claim.as_ref().map(told), *expected, "{name}, again");
        }
        served.forget(&tenant, &workspace);
        let claim = served.claim(&record(same, None, None)).unwrap();
        let told = served.told((&tenant, &workspace), OURS, PIPELINE, &claim, lineage_of);
        assert_eq!(told, Unknown, "forgotten");
    }

    #[test]
    fn the_older_half_is_forgotten_when_there_is_too_much() {
        let served = Served::bounded(2);
        let known = KnownVersion { lineage: [1; 16], serial: 1, pipeline: PIPELINE, state_version: None };
        let workspaces = ["ws-a", "ws-b", "ws-c", "ws-d", "ws-e"].map(ids);
        for (tenant, workspace) in &workspaces {
            served.note(tenant, workspace, OURS, &known);
        }
        let claim = served.claim(&record(None, Some("l"), Some(1))).unwrap();
        let knows = |(tenant, workspace): &(TenantId, WorkspaceId)| {
            served.told((tenant, workspace), OURS, PIPELINE, &claim, |_| [1; 16]) == Told::Served
        };
        assert_eq!(workspaces.each_ref().map(knows), [false, false, true, true, true]);
    }
}
