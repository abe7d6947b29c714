//! One sync, hops 4 to 7: read the workspace, stream its state through the engine, diff, commit.
//!
//! Must never hold more of a state than the engine does, nor ask Terraform Cloud without a turn in the rate budget, nor
//! take a missing answer for a deletion (invariant 9).

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use terrasift_engine::diff::{Delta, diff};
use terrasift_engine::sift::{Pipeline, SiftJob, SiftedState, StateSift, sift_stateless};
use terrasift_postgres::{
    Cleared, CommitOutcome, KnownVersion, ReadTicket, RemovalOutcome, StoreErrorKind, WorkspaceCommit,
};
use terrasift_schemas::detection::Category;
use terrasift_schemas::event::FailureReason;
use terrasift_schemas::workspace::WorkspaceFacts;
use terrasift_terraform_cloud::{Download, DownloadUrl, FailureKind, StateFacts, WorkspaceRead};

use super::{SyncFailure, WorkspaceArguments};
use crate::byte_budget::BytePermit;
use crate::rate_budget;
use crate::served::Ownership;
use crate::telemetry::SyncEnd;
use crate::tenant::schedule::OwnedMark;
use crate::writer;

/// Chunks of a download are gathered to this size before they cross to the engine's pool: amortises the hand-over.
const CHUNK_BYTES: usize = 256 * 1024;
/// Memory a sync starts with: one chunk on the way, the engine's scratch, the entities of a usual state. Whoever waits for it
/// waits in line; who has to enlarge it in the middle of a state fails when there is no more.
const START_BYTES: usize = 4 * 1024 * 1024;
/// Longest wait for memory.
const MEMORY_WAIT_MAX: Duration = Duration::from_secs(60);
/// A commit whose basis moved (another write came between) is computed anew this often.
const REBASES_MAX: u32 = 5;

/// A finished sync.
pub(super) struct Synced {
    pub(super) end: SyncEnd,
    pub(super) bytes_in: u64,
    pub(super) upserts: usize,
    pub(super) removals: usize,
    pub(super) detections: Vec<(Category, u64)>,
}

impl Synced {
    pub(super) fn nothing(end: SyncEnd) -> Self {
        Self { end, bytes_in: 0, upserts: 0, removals: 0, detections: Vec::new() }
    }
}

/// Runs one sync.
pub(super) async fn run(state: &WorkspaceArguments, owned: &OwnedMark) -> Result<Synced, SyncFailure> {
    let (store, tenant) = (&state.services.store, &state.means.id);
    // Rules that change meanwhile are the next sync's: the reconciler asks for one.
    let pipeline = state.means.pipeline.now();
    let ticket = writer::read(&state.writer, tenant, &state.workspace).await?;
    state.services.failpoints.pass("during-read").await;
    let read = match read_workspace(state).await {
        Ok(read) => read,
        Err(failure) if failure.reason() == FailureReason::WorkspaceNotFound => {
            return missing(state, owned, &ticket, failure).await;
        }
        Err(failure) => return Err(failure),
    };
    if ticket.missing {
        store.found(&owned.mark).await?;
    }
    match read.state {
        Some(facts) if is_served(&pipeline, &ticket, &facts) => clear(state, owned, &ticket).await,
        Some(facts) => {
            let mut permit = state.services.bytes.acquire(START_BYTES, MEMORY_WAIT_MAX).await?;
            let sifted = download(state, &pipeline, read.facts, &facts, &mut permit).await?;
            publish(state, owned, ticket, Some(facts), sifted, permit).await
        }
        // A workspace that had a state and now shows none is no deletion: the reconciler confirms those.
        None if ticket.known.as_ref().is_some_and(|known| known.state_version.is_some()) => {
            clear(state, owned, &ticket).await
        }
        None => {
            let permit = state.services.bytes.acquire(START_BYTES, MEMORY_WAIT_MAX).await?;
            let sifted = sift_stateless(&pipeline, job(state, read.facts, None))?;
            publish(state, owned, ticket, None, sifted, permit).await
        }
    }
}

/// Whether the catalog has this very state under this very pipeline.
fn is_served(pipeline: &Pipeline, ticket: &ReadTicket, facts: &StateFacts) -> bool {
    ticket.known.as_ref().is_some_and(|known| {
        known.state_version.as_ref() == Some(&facts.id) && known.pipeline == pipeline.version
    })
}

/// Upstream does not show the workspace: a suspicion first, a removal when it is confirmed. Without anything to remove
/// it stays a failure. Half the time between two reconciliations lies between the two answers at least: the second one
/// is that of another round.
async fn missing(
    state: &WorkspaceArguments,
    owned: &OwnedMark,
    ticket: &ReadTicket,
    failure: SyncFailure,
) -> Result<Synced, SyncFailure> {
    let apart = state.services.limits.reconcile_every / 2;
    state.services.served.forget(&state.means.id, &state.workspace);
    match state.services.store.missing(&owned.mark, owned.epoch, ticket.read_seq, apart).await {
        Ok(RemovalOutcome::Unknown) => Err(failure),
        Ok(RemovalOutcome::Suspected) => Ok(Synced::nothing(SyncEnd::Suspected)),
        Ok(RemovalOutcome::Settled) => Ok(Synced::nothing(SyncEnd::Unchanged)),
        Ok(RemovalOutcome::Removed { entities, .. }) => {
            let removals = usize::try_from(entities).unwrap_or(usize::MAX);
            Ok(Synced { removals, ..Synced::nothing(SyncEnd::Removed) })
        }
        Err(error) if error.kind() == StoreErrorKind::Fenced => Ok(Synced::nothing(SyncEnd::Fenced)),
        Err(error) => Err(error.into()),
    }
}

/// Nothing is to be written: the catalog shows what the ticket found there.
async fn clear(
    state: &WorkspaceArguments,
    owned: &OwnedMark,
    ticket: &ReadTicket,
) -> Result<Synced, SyncFailure> {
    match writer::clear(&state.writer, owned).await? {
        Cleared::Gone | Cleared::Newer => {
            if let Some(known) = ticket.known.as_ref() {
                note(state, owned, known);
            }
            Ok(Synced::nothing(SyncEnd::Unchanged))
        }
        Cleared::Fenced => Ok(Synced::nothing(SyncEnd::Fenced)),
    }
}

/// The catalog shows this, under this mark's epoch.
fn note(state: &WorkspaceArguments, owned: &OwnedMark, known: &KnownVersion) {
    let under = Ownership { partition: owned.mark.partition, epoch: owned.epoch };
    state.services.served.note(&state.means.id, &state.workspace, under, known);
}

/// A turn in the rate budget. It can take minutes, and has a bound of its own.
async fn turn(state: &WorkspaceArguments) -> Result<rate_budget::Lease, SyncFailure> {
    state.heartbeat.rest();
    let turn = rate_budget::acquire(&state.budget, &state.means, &state.services).await;
    state.heartbeat.beat();
    Ok(turn?)
}

async fn read_workspace(state: &WorkspaceArguments) -> Result<WorkspaceRead, SyncFailure> {
    loop {
        let lease = turn(state).await?;
        let token = state.means.client.active_token();
        match state.means.client.workspace(&state.workspace).await {
            Ok(read) => return Ok(read),
            // The next token is tried under a new turn; the client ends the row with `Unauthorized`.
            Err(error) if error.kind() == FailureKind::TokenRefused => {
                state.services.telemetry.upstream.token_refused(&state.means.id, token);
            }
            Err(error) => {
                match error.kind() {
                    FailureKind::RateLimited(wait) => lease.refused(wait),
                    FailureKind::Unauthorized => {
                        state.services.telemetry.upstream.token_refused(&state.means.id, token);
                    }
                    _ => (),
                }
                return Err(error.into());
            }
        }
    }
}

fn job(state: &WorkspaceArguments, facts: WorkspaceFacts, version: Option<&StateFacts>) -> SiftJob {
    let means = &state.means;
    SiftJob {
        tenant: means.id.clone(),
        slug: means.slug.clone(),
        workspace: state.workspace.clone(),
        facts,
        keys: means.keys(),
        profile: means.profile.clone(),
        state_version: version.map(|version| version.id.clone()),
    }
}

/// Streams the state through the engine, chunk by chunk on the bounded pool.
async fn download(
    state: &WorkspaceArguments,
    pipeline: &Arc<Pipeline>,
    facts: WorkspaceFacts,
    version: &StateFacts,
    permit: &mut BytePermit,
) -> Result<SiftedState, SyncFailure> {
    let url = version.download.as_ref().ok_or(SyncFailure::NotDownloadable)?;
    let mut stream = open(state, url).await?;
    let mut sift = Box::new(StateSift::new(pipeline, job(state, facts, Some(version))));
    let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
    loop {
        let next = stream.next_chunk().await?;
        let ended = next.is_none();
        state.heartbeat.beat();
        state.services.failpoints.pass("during-download").await;
        if let Some(bytes) = next {
            chunk.extend_from_slice(&bytes);
        }
        if ended || chunk.len() >= CHUNK_BYTES {
            sift = push(state, sift, chunk.split().freeze()).await?;
            state.services.bytes.enlarge(permit, CHUNK_BYTES + sift.memory_bytes())?;
        }
        if ended {
            return on_the_pool(state, move || Ok(sift.finish()?)).await;
        }
    }
}

/// Opens the download; under a turn where the API itself serves it, as Terraform Enterprise does.
async fn open(state: &WorkspaceArguments, url: &DownloadUrl) -> Result<Download, SyncFailure> {
    let client = &state.means.client;
    if !client.is_own_origin(url) {
        return Ok(client.download(url).await?);
    }
    let lease = turn(state).await?;
    let opened = client.download(url).await;
    if let Err(error) = &opened
        && let FailureKind::RateLimited(wait) = error.kind()
    {
        lease.refused(wait);
    }
    Ok(opened?)
}

async fn push(
    state: &WorkspaceArguments,
    mut sift: Box<StateSift>,
    chunk: Bytes,
) -> Result<Box<StateSift>, SyncFailure> {
    on_the_pool(state, move || {
        sift.push(&chunk)?;
        Ok(sift)
    })
    .await
}

/// Runs engine work on the blocking pool, cores-many at a time. A panic in it becomes this actor's panic.
async fn on_the_pool<T: Send + 'static>(
    state: &WorkspaceArguments,
    work: impl FnOnce() -> Result<T, SyncFailure> + Send + 'static,
) -> Result<T, SyncFailure> {
    let cpu = Arc::clone(&state.services.cpus).acquire_owned().await;
    let done = tokio::task::spawn_blocking(move || {
        let _cpu = cpu;
        work()
    });
    match done.await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Diffs against what the catalog has and commits; again when another write came between.
async fn publish(
    state: &WorkspaceArguments,
    owned: &OwnedMark,
    mut ticket: ReadTicket,
    version: Option<StateFacts>,
    sifted: SiftedState,
    permit: BytePermit,
) -> Result<Synced, SyncFailure> {
    let (store, tenant) = (&state.services.store, &state.means.id);
    let mut permit = Some(permit);
    let detections: Vec<_> =
        sifted.report.counts.iter().map(|(category, count)| (*category, *count)).collect();
    let known_version = KnownVersion {
        lineage: sifted.lineage,
        serial: i64::try_from(sifted.serial).unwrap_or(i64::MAX),
        pipeline: sifted.pipeline,
        state_version: version.as_ref().map(|version| version.id.clone()),
    };
    for _ in 0..REBASES_MAX {
        state.heartbeat.beat();
        let known = store.known_digests(tenant, &state.workspace).await?;
        let Delta { upserts, removals, .. } = diff(&known, sifted.entities.clone())?;
        let (upsert_count, removal_count) = (upserts.len(), removals.len());
        let commit = WorkspaceCommit {
            workspace: state.workspace.clone(),
            partition: owned.mark.partition,
            epoch: owned.epoch,
            mark_generation: owned.mark.generation,
            read_seq: ticket.read_seq,
            basis: ticket.basis,
            version: known_version.clone(),
            upserts,
            removals,
            report: sifted.report.clone(),
            resource_count: i64::try_from(sifted.resource_count).unwrap_or(i64::MAX),
            bytes_in: i64::try_from(sifted.bytes_in).unwrap_or(i64::MAX),
            run: version.as_ref().and_then(|version| version.run.clone()),
            trace: owned.mark.trace,
        };
        let permit = match permit.take() {
            Some(permit) => permit,
            None => state.services.bytes.acquire(START_BYTES, MEMORY_WAIT_MAX).await?,
        };
        // Before the catalog can change: what becomes of a commit may never be told.
        state.services.served.forget(tenant, &state.workspace);
        let end = match writer::commit(&state.writer, tenant, commit, permit).await? {
            CommitOutcome::Applied { .. } => SyncEnd::Applied,
            CommitOutcome::NoChange => SyncEnd::Unchanged,
            CommitOutcome::Stale => SyncEnd::Stale,
            CommitOutcome::Fenced => SyncEnd::Fenced,
            CommitOutcome::Rebase => {
                ticket.basis = writer::read(&state.writer, tenant, &state.workspace).await?.basis;
                continue;
            }
        };
        if matches!(end, SyncEnd::Applied | SyncEnd::Unchanged) {
            note(state, owned, &known_version);
        }
        let wrote = end == SyncEnd::Applied;
        return Ok(Synced {
            end,
            bytes_in: sifted.bytes_in,
            upserts: if wrote { upsert_count } else { 0 },
            removals: if wrote { removal_count } else { 0 },
            detections,
        });
    }
    Err(SyncFailure::Writer(writer::WriterFailed::NoAnswer))
}
