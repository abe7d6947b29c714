//! The reconciler: at start and every hour it finds what no event told: new workspaces and new state versions.
//!
//! Of all replicas one lists a tenant's workspaces at a time; where it stops, whoever comes next goes on, page by page.
//! One page of 100 workspaces carries their current state versions, so 10,000 workspaces cost 100 requests. What differs
//! from the catalog is appended to `terraform-state-updated`, where its owner works on it: also what the catalog has and no
//! list shows, whose owner asks for it by id. Must never write to the catalog itself, nor take an empty or missing page for a deletion (invariant 9).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use terrasift_postgres::{Round, RoundClaim, RoundPosition, StoreError, StoreErrorKind};
use terrasift_schemas::event::{Envelope, Event, FailureReason, Priority, STATE_UPDATED_TOPIC, StateUpdated};
use terrasift_schemas::{
    OrganizationName, PipelineVersion, StateVersionId, TenantId, TraceParent, WorkspaceId,
};
use terrasift_terraform_cloud::{FailureKind, ListedWorkspace, WorkspacePage};
use time::OffsetDateTime;

use crate::dead_letters::SOURCE;
use crate::rate_budget::{self, RateBudgetMsg};
use crate::services::{Services, TenantMeans};

/// A reconciliation that failed is tried again after this long, doubled with each further failure, not after an hour.
const RETRY_MIN: Duration = Duration::from_secs(2);
const RETRY_MAX: Duration = Duration::from_secs(60);
/// Pages of one organization: 100 workspaces each; a server that never ends its list is stopped here.
const PAGES_MAX: u32 = 1000;
/// Who does not renew its round in this time has died: how long it is held up by a crash.
const LEASE: Duration = Duration::from_secs(15);
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// Between two tenants' first rounds: a start with a thousand tenants is no stampede.
const START_APART: Duration = Duration::from_millis(20);
/// Shortest wait before a round that another replica holds is asked for again.
const WAIT_MIN: Duration = Duration::from_millis(200);

/// Messages to the reconciler.
pub enum ReconcilerMsg {
    /// It is time for this tenant (by its index), after so many failures in a row, in this round of timers.
    Due(usize, u32, u64),
    /// Its rules changed: now, and from then on as usual.
    Now(TenantId),
    /// What was wanted since then for this tenant has been done.
    Through(usize, Instant),
}

/// The actor.
pub struct Reconciler;

/// What it works with.
pub struct ReconcilerArguments {
    pub(crate) services: Arc<Services>,
    pub(crate) tenants: Vec<Arc<TenantMeans>>,
    pub(crate) budget: ActorRef<RateBudgetMsg>,
}

/// Its state.
pub struct ReconcilerState {
    arguments: ReconcilerArguments,
    /// By tenant: timers of earlier rounds mean nothing.
    rounds: Vec<u64>,
    /// By tenant: since when a round is wanted that began later; at start, and when rules change.
    wanted: Vec<Option<Instant>>,
}

impl Actor for Reconciler {
    type Msg = ReconcilerMsg;
    type State = ReconcilerState;
    type Arguments = ReconcilerArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        arguments: ReconcilerArguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        for index in 0..arguments.tenants.len() {
            let apart = START_APART.saturating_mul(u32::try_from(index).unwrap_or(u32::MAX));
            let apart = apart.min(arguments.services.limits.reconcile_every);
            myself.send_after(apart, move || ReconcilerMsg::Due(index, 0, 0));
        }
        let count = arguments.tenants.len();
        Ok(ReconcilerState { rounds: vec![0; count], wanted: vec![Some(Instant::now()); count], arguments })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let ReconcilerState { arguments, rounds, wanted } = state;
        let (index, failures, round) = match message {
            ReconcilerMsg::Due(index, failures, round) if rounds.get(index) == Some(&round) => {
                (index, failures, round)
            }
            ReconcilerMsg::Due(..) => return Ok(()),
            ReconcilerMsg::Through(index, since) => {
                if let Some(wanted) = wanted.get_mut(index).filter(|wanted| **wanted <= Some(since)) {
                    *wanted = None;
                }
                return Ok(());
            }
            ReconcilerMsg::Now(tenant) => {
                let index = arguments.tenants.iter().position(|means| means.id == tenant);
                let Some((index, round)) = index.and_then(|at| Some((at, rounds.get_mut(at)?))) else {
                    return Ok(());
                };
                *round += 1;
                wanted[index] = Some(Instant::now());
                (index, 0, *round)
            }
        };
        let Some(means) = arguments.tenants.get(index).cloned() else { return Ok(()) };
        let (services, budget) = (Arc::clone(&arguments.services), arguments.budget.clone());
        if services.store.is_suspended(&means.id) {
            // Whoever resumes it asks for a round; the timer is for one who does not.
            let every = services.limits.reconcile_every;
            myself.send_after(every, move || ReconcilerMsg::Due(index, failures, round));
            return Ok(());
        }
        let wanted = wanted[index];
        // Each tenant by itself: one whose upstream hangs does not hold up the others.
        tokio::spawn(async move {
            watch_tokens(&services, &means);
            let every = staggered(services.limits.reconcile_every, &means.id);
            // A task of its own: a panic in it is a failure as any other, and not the end of all rounds.
            let (asked, of) = (wanted, (Arc::clone(&services), Arc::clone(&means), budget));
            let turn = tokio::spawn(async move { turn(&of.0, &of.1, &of.2, asked, every).await });
            let turn = turn.await.unwrap_or_else(|crash| Err(Failure::from(crash.to_string())));
            if let Some(since) = wanted.filter(|_| matches!(turn, Ok(Turn::Listed { .. } | Turn::Done(_)))) {
                // A reconciler that has ended asks for nothing any more.
                let _ = myself.cast(ReconcilerMsg::Through(index, since));
            }
            let (next, failures) = match turn {
                Ok(Turn::Listed { listed, changed }) => {
                    // It has answered: what another replica marked before it died is fresh again, too.
                    freshen(&services, &means).await;
                    services.telemetry.reconciled(&means.id, listed, changed);
                    (every, 0)
                }
                Ok(Turn::Held(wait) | Turn::Done(wait)) => (wait.clamp(WAIT_MIN, every.max(WAIT_MIN)), 0),
                Err(error) => {
                    services.telemetry.reconcile_failed(&means.id, error.as_ref());
                    let wait = RETRY_MIN.saturating_mul(1 << failures.min(5)).min(RETRY_MAX);
                    (wait.min(every), failures.saturating_add(1))
                }
            };
            myself.send_after(next, move || ReconcilerMsg::Due(index, failures, round));
        });
        Ok(())
    }
}

/// What came of a tenant's turn.
enum Turn {
    /// A round is through.
    Listed { listed: usize, changed: usize },
    /// Another replica lists.
    Held(Duration),
    /// It is not due.
    Done(Duration),
}

/// A tenth less at most, by the tenant: those that began together do not stay together.
fn staggered(every: Duration, tenant: &TenantId) -> Duration {
    let share = tenant.as_str().bytes().fold(0u32, |sum, byte| (sum * 31 + u32::from(byte)) % 100);
    every - every / 10 * share / 100
}

/// Renews the lease of a round while it is worked on: a page can wait long for its turn in the rate budget. Ends with what
/// took the round away.
async fn keep(services: &Services, means: &TenantMeans, round: &Round) -> StoreError {
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        match services.store.keep_round(&means.id, round, None, LEASE).await {
            // A database that does not answer now may the next time, and the lease is longer than two tries.
            Ok(()) => {}
            Err(error) if error.is_transient() => {}
            Err(error) => return error,
        }
    }
}

/// Claims the tenant's round, lists, and gives the round back.
async fn turn(
    services: &Services,
    means: &TenantMeans,
    budget: &ActorRef<RateBudgetMsg>,
    wanted: Option<Instant>,
    every: Duration,
) -> Result<Turn, Failure> {
    let asked = wanted.map(|since| since.elapsed());
    let round = match services.store.claim_round(&means.id, asked, every, LEASE).await? {
        RoundClaim::Run(round) => round,
        RoundClaim::Held(wait) => return Ok(Turn::Held(wait)),
        RoundClaim::Done(wait) => return Ok(Turn::Done(wait)),
    };
    let listed = tokio::select! {
        listed = reconcile(services, means, budget, &round) => listed,
        lost = keep(services, means, &round) => Err(lost.into()),
    };
    match services.store.end_round(&means.id, &round, listed.is_ok()).await {
        // Somebody took it over: the round is theirs to end.
        Err(error) if error.kind() == StoreErrorKind::Fenced => return Ok(Turn::Held(LEASE)),
        ended => ended?,
    }
    listed.map(|(listed, changed)| Turn::Listed { listed, changed })
}

async fn freshen(services: &Services, means: &TenantMeans) {
    match services.store.mark_tenant_fresh(&means.id, FailureReason::UpstreamFailed).await {
        Ok(0) => (),
        Ok(workspaces) => services.telemetry.upstream.marked(&means.id, false, workspaces),
        Err(error) => services.telemetry.upstream.mark_failed(&means.id, &error),
    }
}

/// How a tenant's tokens stand by their policies.
fn watch_tokens(services: &Services, means: &TenantMeans) {
    let today = OffsetDateTime::from(SystemTime::now()).date();
    for (token, rotation) in means.rotations.iter().enumerate() {
        if let Some(rotation) = rotation {
            services.telemetry.upstream.token_rotation(&means.id, token, rotation, today);
        }
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn reconcile(
    services: &Services,
    means: &TenantMeans,
    budget: &ActorRef<RateBudgetMsg>,
    round: &Round,
) -> Result<(usize, usize), Failure> {
    let pipeline = means.pipeline.now().version;
    let statuses = services.store.workspaces(&means.id).await?;
    // Known and not listed so far.
    let mut missing: HashSet<WorkspaceId> = statuses
        .iter()
        .filter(|status| status.version.is_some())
        .map(|status| status.workspace.clone())
        .collect();
    let served: HashMap<WorkspaceId, Option<StateVersionId>> = statuses
        .into_iter()
        .filter_map(|status| {
            let version = status.version?;
            (version.pipeline == pipeline).then_some((status.workspace, version.state_version))
        })
        .collect();
    let (mut listed, mut changed) = (0, 0);
    // Who goes on has not seen what was listed before; and of a tenant without organizations nothing is listed, which says
    // nothing of what there is (invariant 9).
    let mut whole = round.resume.is_none() && !means.organizations.is_empty();
    for (organization, first) in from_where(&means.organizations, round.resume.as_ref()) {
        let mut page = Some(first);
        let before = listed;
        while let Some(number) = page.filter(|number| *number <= PAGES_MAX) {
            let WorkspacePage { workspaces, next_page } =
                list(services, means, budget, organization, number).await?;
            listed += workspaces.len();
            for workspace in &workspaces {
                missing.remove(&workspace.id);
                let current = workspace.state.as_ref().map(|state| &state.id);
                let known = served.get(&workspace.id);
                if known.is_none_or(|known| current.is_some() && known.as_ref() != current) {
                    announce(services, means, pipeline, workspace).await?;
                    changed += 1;
                }
            }
            page = next_page;
            if let Some(page) = page {
                let next = RoundPosition { organization: organization.clone(), page };
                services.store.keep_round(&means.id, round, Some(&next), LEASE).await?;
            }
        }
        // An organization that shows nothing, or more than is asked for, says nothing of what it does not show.
        whole &= listed > before && page.is_none();
    }
    if whole {
        for workspace in &missing {
            announce_missing(services, means, workspace).await?;
            changed += 1;
        }
    }
    Ok((listed, changed))
}

/// The organizations that are left, and the first page of each. One that is not there any more: all of them.
fn from_where<'o>(
    organizations: &'o [OrganizationName],
    resume: Option<&RoundPosition>,
) -> impl Iterator<Item = (&'o OrganizationName, u32)> {
    let at = resume.and_then(|resume| {
        Some((organizations.iter().position(|it| *it == resume.organization)?, resume.page))
    });
    let (skip, page) = at.unwrap_or((0, 1));
    organizations.iter().skip(skip).zip(std::iter::once(page).chain(std::iter::repeat(1)))
}

async fn list(
    services: &Services,
    means: &TenantMeans,
    budget: &ActorRef<RateBudgetMsg>,
    organization: &OrganizationName,
    page: u32,
) -> Result<WorkspacePage, Failure> {
    let mut tries = 0;
    loop {
        tries += 1;
        let lease = rate_budget::acquire(budget, means, services).await?;
        let token = means.client.active_token();
        let answer = means.client.workspaces(organization, page).await;
        let error = match answer {
            Ok(page) => return Ok(page),
            Err(error) => error,
        };
        match error.kind() {
            FailureKind::TokenRefused => services.telemetry.upstream.token_refused(&means.id, token),
            FailureKind::RateLimited(wait) if tries < 10 => lease.refused(wait),
            _ => return Err(error.into()),
        }
        services.telemetry.records(STATE_UPDATED_TOPIC, "list_retried", 1);
    }
}

/// A workspace whose state the catalog does not show as upstream lists it.
async fn announce(
    services: &Services,
    means: &TenantMeans,
    pipeline: PipelineVersion,
    workspace: &ListedWorkspace,
) -> Result<(), Failure> {
    let state = workspace.state.as_ref();
    let version = state.map_or("none", |state| state.id.as_str());
    // The same finding has the same id, however often it is found.
    let id = format!("reconcile-{}-{version}-{}", workspace.id, pipeline.0);
    let found = StateUpdated {
        run: state.and_then(|state| state.run.clone()),
        state_version: state.map(|state| state.id.clone()),
        serial: state.and_then(|state| u64::try_from(state.serial).ok()),
        ..wanted(means, &workspace.id)
    };
    append(services, id, found, "reconciled").await
}

/// A workspace that no list shows: its owner looks for it.
async fn announce_missing(
    services: &Services,
    means: &TenantMeans,
    workspace: &WorkspaceId,
) -> Result<(), Failure> {
    append(services, format!("reconcile-{workspace}-missing"), wanted(means, workspace), "missing").await
}

/// A workspace is to be looked at, and nothing is known of its state.
fn wanted(means: &TenantMeans, workspace: &WorkspaceId) -> StateUpdated {
    StateUpdated {
        tenant: means.id.clone(),
        workspace: workspace.clone(),
        run: None,
        time: OffsetDateTime::from(SystemTime::now()),
        priority: Priority::Low,
        state_version: None,
        lineage: None,
        serial: None,
    }
}

async fn append(
    services: &Services,
    id: String,
    found: StateUpdated,
    outcome: &'static str,
) -> Result<(), Failure> {
    let envelope = Envelope {
        id,
        source: SOURCE.to_owned(),
        time: Some(found.time),
        trace: Some(trace_of(&found.workspace, found.time)),
        event: Event::StateUpdated(found),
    };
    services.producer.send(&envelope.encode()?).await?;
    services.telemetry.records(STATE_UPDATED_TOPIC, outcome, 1);
    Ok(())
}

/// A trace of its own for each finding, from who and when: unique enough to follow, without a random generator.
fn trace_of(workspace: &WorkspaceId, now: OffsetDateTime) -> TraceParent {
    let mut bytes = [0; 24];
    let nanos = now.unix_timestamp_nanos().to_be_bytes();
    bytes[8..].copy_from_slice(&nanos);
    for (index, byte) in workspace.as_str().bytes().enumerate() {
        let slot = &mut bytes[index % 16];
        *slot = slot.rotate_left(3) ^ byte;
    }
    TraceParent::from_random(bytes)
}
