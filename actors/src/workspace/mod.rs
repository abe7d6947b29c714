//! A workspace: keeps its syncs in order, one at a time, and settles each with its tenant.
//!
//! The sync itself is [`sync`]'s. A panic in it ends this actor only; the tenant hears of it as its supervisor
//! (invariant 8). Must never start a second sync, nor outlive its work: it is passivated when idle.

mod failure;
mod sync;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use terrasift_postgres::{Mark, NewDeadLetter};
use terrasift_schemas::WorkspaceId;
use terrasift_schemas::event::FailureReason;
use time::OffsetDateTime;

use crate::heartbeat::Heartbeat;
use crate::rate_budget::RateBudgetMsg;
use crate::retry::{self, Nature, Verdict};
use crate::services::{Services, TenantMeans};
use crate::telemetry::{SyncEnd, SyncEnded};
use crate::tenant::TenantMsg;
use crate::tenant::schedule::OwnedMark;
use crate::writer::WriterMsg;
pub(crate) use failure::SyncFailure;
use sync::Synced;

/// Messages to a workspace.
pub enum WorkspaceMsg {
    /// Bring the catalog up to date with the workspace.
    Sync(OwnedMark),
}

/// The actor.
pub struct Workspace;

/// What it works with.
#[derive(Clone)]
pub struct WorkspaceArguments {
    pub(crate) services: Arc<Services>,
    pub(crate) means: Arc<TenantMeans>,
    pub(crate) workspace: WorkspaceId,
    pub(crate) tenant: ActorRef<TenantMsg>,
    pub(crate) budget: ActorRef<RateBudgetMsg>,
    pub(crate) writer: ActorRef<WriterMsg>,
    pub(crate) heartbeat: Arc<Heartbeat>,
}

impl Actor for Workspace {
    type Msg = WorkspaceMsg;
    type State = WorkspaceArguments;
    type Arguments = WorkspaceArguments;

    async fn pre_start(
        &self,
        _myself: ActorRef<Self::Msg>,
        arguments: WorkspaceArguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(arguments)
    }

    async fn handle(
        &self,
        _myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let WorkspaceMsg::Sync(owned) = message;
        state.heartbeat.beat();
        let result = sync::run(state, &owned).await;
        state.heartbeat.beat();
        let failure = result.as_ref().err().map(ToString::to_string);
        let (end, again, upstream_ok, synced) = match result {
            Ok(synced) => (synced.end, None, Some(true), synced),
            Err(failure) => {
                let upstream_ok = failure.blames_upstream().then_some(false);
                let (end, again) = settle_failure(state, &owned, &failure).await;
                (end, again, upstream_ok, Synced::nothing(end))
            }
        };
        state.services.telemetry.sync_ended(SyncEnded {
            tenant: state.means.id.clone(),
            workspace: state.workspace.clone(),
            end,
            failure,
            bytes_in: synced.bytes_in,
            upserts: synced.upserts,
            removals: synced.removals,
            detections: synced.detections,
            age: age(owned.mark.since),
            trace: owned.mark.trace,
        });
        let workspace = state.workspace.clone();
        state.tenant.cast(TenantMsg::Settled { workspace, again, upstream_ok })?;
        Ok(())
    }
}

fn age(since: OffsetDateTime) -> Duration {
    Duration::try_from(OffsetDateTime::from(SystemTime::now()) - since).unwrap_or_default()
}

/// Makes a failure durable: a later try, or a dead letter. What cannot be made durable now is tried again anyway,
/// because its mark still stands.
async fn settle_failure(
    state: &WorkspaceArguments,
    owned: &OwnedMark,
    failure: &SyncFailure,
) -> (SyncEnd, Option<OwnedMark>) {
    let attempt = owned.mark.attempts.saturating_add(1);
    let jitter = jitter(&state.workspace, attempt);
    let verdict = match failure.wait_hint() {
        Some(wait) => Verdict::RetryAfter(wait),
        None => retry::decide(failure.nature(), attempt, jitter),
    };
    let now = OffsetDateTime::from(SystemTime::now());
    let defer = |wait: Duration| {
        let not_before = Some(now + wait);
        let mark = Mark { not_before, attempts: attempt, ..owned.mark.clone() };
        OwnedMark { mark, epoch: owned.epoch }
    };
    match verdict {
        Verdict::RetryAfter(wait) => {
            let again = defer(wait);
            let due = again.mark.not_before.unwrap_or(now);
            match state.services.store.defer_mark(&owned.mark, owned.epoch, due).await {
                Err(error) if error.kind() == terrasift_postgres::StoreErrorKind::Fenced => {
                    (SyncEnd::Fenced, None)
                }
                // An unstored wait is only a wait: the mark is read back after a crash and tried at once.
                Ok(_) | Err(_) => (SyncEnd::Deferred(failure.reason()), Some(again)),
            }
        }
        Verdict::Park => {
            let letter = NewDeadLetter {
                tenant: state.means.id.clone(),
                workspace: Some(state.workspace.clone()),
                reason: failure.reason(),
                detail: failure.to_string(),
                attempts: attempt,
                record: None,
                trace: owned.mark.trace,
            };
            state.services.failpoints.pass("before-letter").await;
            let parked = state.services.store.park(&letter, Some((&owned.mark, owned.epoch))).await;
            state.services.failpoints.pass("after-letter").await;
            match parked {
                Ok(_) => (SyncEnd::Parked(failure.reason()), None),
                Err(_) => {
                    let wait = Duration::from_secs(5);
                    (SyncEnd::Deferred(FailureReason::StorageFailed), Some(defer(wait)))
                }
            }
        }
    }
}

/// Spreads retries without a random generator: a hash of who and which attempt (FNV-1a).
fn jitter(workspace: &WorkspaceId, attempt: u32) -> u64 {
    let seed = 0xcbf2_9ce4_8422_2325 ^ u64::from(attempt);
    workspace
        .as_str()
        .bytes()
        .fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

impl SyncFailure {
    fn nature(&self) -> Nature {
        retry::nature_of(self.reason())
    }
}
