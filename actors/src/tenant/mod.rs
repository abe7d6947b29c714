//! A tenant: schedules its dirty workspaces, runs a bounded number of syncs, keeps its breaker, passivates the idle.
//!
//! The order is [`schedule`]'s, the breaker [`Breaker`]'s. Must never let one workspace's crash reach another
//! (invariants 5 and 8), nor run a workspace twice at once.

pub mod schedule;

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use terrasift_postgres::NewDeadLetter;
use terrasift_schemas::WorkspaceId;
use terrasift_schemas::event::FailureReason;
use time::OffsetDateTime;

use crate::breaker::{Breaker, Pass};
use crate::byte_budget::BytePermit;
use crate::heartbeat::Heartbeat;
use crate::rate_budget::RateBudgetMsg;
use crate::restart::{AfterCrash, RestartLimits, RestartPolicy};
use crate::services::{Services, TenantMeans};
use crate::tenant::schedule::{OwnedMark, Schedule};
use crate::workspace::{Workspace, WorkspaceArguments, WorkspaceMsg};
use crate::writer::WriterMsg;

/// A crashing workspace is tried again this often before its event is parked.
const WORKSPACE_RESTARTS: RestartLimits = RestartLimits {
    crashes_max: 3,
    window: Duration::from_secs(300),
    delay_min: Duration::from_secs(1),
    delay_max: Duration::from_secs(30),
};

/// Idle workspace actors that a tenant keeps, younger ones too: each takes some 10 KB, and starting one takes microseconds.
const IDLE_MAX: usize = 64;
/// Marks of a suspended tenant wait; so often it is looked whether it still is, in memory.
const SUSPENDED_LOOK: Duration = Duration::from_secs(1);
/// Shortest wait between two looks for stuck syncs.
const LOOK_MIN: Duration = Duration::from_millis(200);

/// Messages to a tenant.
pub enum TenantMsg {
    /// Marks to schedule, with the memory permit of the message.
    Marked(Vec<OwnedMark>, BytePermit),
    /// A workspace has ended its sync.
    Settled {
        /// Which.
        workspace: WorkspaceId,
        /// Its mark, if it has to be tried later.
        again: Option<OwnedMark>,
        /// What the sync says about the upstream, if anything.
        upstream_ok: Option<bool>,
    },
    /// Another replica owns this partition now.
    PartitionLost(i32),
    /// Time has passed.
    Tick,
}

/// The actor.
pub struct Tenant;

/// What it works with.
#[derive(Clone)]
pub struct TenantArguments {
    pub(crate) services: Arc<Services>,
    pub(crate) means: Arc<TenantMeans>,
    pub(crate) budget: ActorRef<RateBudgetMsg>,
    pub(crate) writer: ActorRef<WriterMsg>,
}

struct Child {
    actor: ActorRef<WorkspaceMsg>,
    heartbeat: Arc<Heartbeat>,
    /// What it runs, until it settles.
    running: Option<OwnedMark>,
    idle_since: Instant,
}

/// Its state.
pub struct TenantState {
    arguments: TenantArguments,
    schedule: Schedule,
    breaker: Breaker,
    children: HashMap<WorkspaceId, Child>,
    /// Whose sync ended when, oldest first.
    idle: VecDeque<(Instant, WorkspaceId)>,
    names: HashMap<ActorId, WorkspaceId>,
    crashes: HashMap<WorkspaceId, RestartPolicy>,
    wakes_at: Option<Instant>,
    /// How the tenant's workspaces are marked; unknown until the upstream was tried.
    marked_stale: Option<bool>,
}

impl Actor for Tenant {
    type Msg = TenantMsg;
    type State = TenantState;
    type Arguments = TenantArguments;

    async fn pre_start(
        &self,
        _myself: ActorRef<Self::Msg>,
        arguments: TenantArguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(TenantState {
            arguments,
            schedule: Schedule::default(),
            breaker: Breaker::new(RandomState::new().hash_one(0)),
            children: HashMap::new(),
            idle: VecDeque::new(),
            names: HashMap::new(),
            crashes: HashMap::new(),
            wakes_at: None,
            marked_stale: None,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let now = OffsetDateTime::from(SystemTime::now());
        match message {
            TenantMsg::Marked(marks, _permit) => {
                marks.into_iter().for_each(|mark| state.schedule.offer(mark, now))
            }
            TenantMsg::Settled { workspace, again, upstream_ok } => {
                state.settled(&workspace, again, upstream_ok, now);
                state.crashes.remove(&workspace);
                state.mark(upstream_ok).await;
            }
            TenantMsg::PartitionLost(partition) => state.schedule.forget_partition(partition),
            TenantMsg::Tick => {
                state.wakes_at = None;
                state.end_stuck();
            }
        }
        state.run(&myself, now).await
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let (cell, crashed) = match &event {
            SupervisionEvent::ActorFailed(cell, _) => (cell, true),
            SupervisionEvent::ActorTerminated(cell, ..) => (cell, false),
            _ => return Ok(()),
        };
        let Some(workspace) = state.names.remove(&cell.get_id()) else { return Ok(()) };
        let Some(child) = state.children.remove(&workspace) else { return Ok(()) };
        // A passivated child ends without running; whatever else ends while it runs has crashed.
        if crashed || child.running.is_some() {
            state.crashed(&workspace, child.running).await;
        }
        let now = OffsetDateTime::from(SystemTime::now());
        state.run(&myself, now).await
    }
}

impl TenantState {
    fn settled(
        &mut self,
        workspace: &WorkspaceId,
        again: Option<OwnedMark>,
        upstream_ok: Option<bool>,
        now: OffsetDateTime,
    ) {
        if let Some(child) = self.children.get_mut(workspace) {
            child.running = None;
            child.idle_since = Instant::now();
            self.idle.push_back((child.idle_since, workspace.clone()));
        }
        let was_open = self.breaker.is_open();
        match upstream_ok {
            Some(true) => self.breaker.succeeded(),
            Some(false) => self.breaker.failed(Instant::now()),
            None => self.breaker.unknown(),
        }
        if self.breaker.is_open() != was_open {
            self.arguments.services.telemetry.upstream.breaker(&self.arguments.means.id, !was_open);
        }
        self.schedule.settled(workspace, again, now);
    }

    /// Marks the workspaces stale while the breaker is open, and fresh when the upstream answers again. What fails is tried
    /// again with the next sync that ends: the breaker's probes see to one.
    async fn mark(&mut self, upstream_ok: Option<bool>) {
        let stale = self.breaker.is_open();
        // Only what was tried tells anything, and a process that starts knows nothing of marks before it.
        if self.marked_stale == Some(stale) || (!stale && upstream_ok != Some(true)) {
            return;
        }
        let (services, tenant) = (&self.arguments.services, &self.arguments.means.id);
        let reason = FailureReason::UpstreamFailed;
        let marked = match stale {
            true => services.store.mark_tenant_stale(tenant, reason).await,
            false => services.store.mark_tenant_fresh(tenant, reason).await,
        };
        match marked {
            Ok(workspaces) => {
                self.marked_stale = Some(stale);
                if workspaces > 0 {
                    services.telemetry.upstream.marked(tenant, stale, workspaces);
                }
            }
            Err(error) => services.telemetry.upstream.mark_failed(tenant, &error),
        }
    }

    /// A workspace's actor crashed: later again, or its event is parked. Its neighbours do not notice.
    async fn crashed(&mut self, workspace: &WorkspaceId, running: Option<OwnedMark>) {
        let Some(owned) = running else { return };
        let policy =
            self.crashes.entry(workspace.clone()).or_insert_with(|| RestartPolicy::new(WORKSPACE_RESTARTS));
        let decision = policy.crashed(Instant::now());
        let means = &self.arguments.means;
        let restarts = decision != AfterCrash::GiveUp;
        self.arguments.services.telemetry.crashed("workspace", Some(&means.id), restarts);
        let now = OffsetDateTime::from(SystemTime::now());
        let later = |wait: Duration| {
            let mut again = owned.clone();
            again.mark.not_before = Some(now + wait);
            Some(again)
        };
        let again = match decision {
            AfterCrash::RestartAfter(wait) => later(wait),
            AfterCrash::GiveUp => {
                self.crashes.remove(workspace);
                let letter = NewDeadLetter {
                    tenant: means.id.clone(),
                    workspace: Some(workspace.clone()),
                    reason: FailureReason::Panicked,
                    detail: "the sync crashed too often: see the log of this worker around this time"
                        .to_owned(),
                    attempts: WORKSPACE_RESTARTS.crashes_max + 1,
                    record: None,
                    trace: owned.mark.trace,
                };
                let store = &self.arguments.services.store;
                let parked = store.park(&letter, Some((&owned.mark, owned.epoch))).await;
                // Not parked means not durable: the mark stands, so it is tried again.
                parked.err().and_then(|_| later(WORKSPACE_RESTARTS.delay_max))
            }
        };
        self.settled(workspace, again, None, now);
    }

    /// Starts what may run, stops what is idle, and sets the next timer.
    async fn run(
        &mut self,
        myself: &ActorRef<TenantMsg>,
        now: OffsetDateTime,
    ) -> Result<(), ActorProcessingErr> {
        let mut wake = self.schedule.next_due().map(|due| Instant::now() + unsigned(due - now));
        while self.schedule.running() < self.arguments.services.limits.tenant_syncs_max {
            if self.schedule.waiting() == 0 {
                break;
            }
            if self.arguments.services.store.is_suspended(&self.arguments.means.id) {
                wake = earlier(wake, Some(Instant::now() + SUSPENDED_LOOK));
                break;
            }
            if let Pass::NotBefore(until) = self.breaker.ask(Instant::now()) {
                wake = earlier(wake, until);
                break;
            }
            let Some(mark) = self.schedule.start_next(now) else {
                // Nothing is due: the probe was not used.
                self.breaker.unknown();
                break;
            };
            self.start(myself, mark).await?;
        }
        wake = earlier(wake, self.passivate());
        wake = earlier(wake, self.next_look());
        self.arguments.services.telemetry.waiting(&self.arguments.means.id, self.schedule.waiting());
        if let Some(at) = wake
            && self.wakes_at.is_none_or(|known| at < known)
        {
            self.wakes_at = Some(at);
            myself.send_after(at.saturating_duration_since(Instant::now()), || TenantMsg::Tick);
        }
        Ok(())
    }

    async fn start(
        &mut self,
        myself: &ActorRef<TenantMsg>,
        mark: OwnedMark,
    ) -> Result<(), ActorProcessingErr> {
        let workspace = mark.mark.workspace.clone();
        if !self.children.contains_key(&workspace) {
            let arguments = WorkspaceArguments {
                services: Arc::clone(&self.arguments.services),
                means: Arc::clone(&self.arguments.means),
                workspace: workspace.clone(),
                tenant: myself.clone(),
                budget: self.arguments.budget.clone(),
                writer: self.arguments.writer.clone(),
                heartbeat: Arc::default(),
            };
            let heartbeat = Arc::clone(&arguments.heartbeat);
            let (actor, _) = Actor::spawn_linked(None, Workspace, arguments, myself.get_cell()).await?;
            self.names.insert(actor.get_id(), workspace.clone());
            self.children.insert(
                workspace.clone(),
                Child { actor, heartbeat, running: None, idle_since: Instant::now() },
            );
        }
        let Some(child) = self.children.get_mut(&workspace) else { return Ok(()) };
        child.running = Some(mark.clone());
        // If it has just died, its supervision event is on the way and settles this mark as a crash.
        let _ = child.actor.cast(WorkspaceMsg::Sync(mark));
        Ok(())
    }

    /// Ends what makes no progress. Its end is a crash to us as any other: tried again later, or given up.
    fn end_stuck(&self) {
        let (services, now) = (&self.arguments.services, Instant::now());
        let stuck = |child: &&Child| {
            child.running.is_some() && child.heartbeat.silent_for(now) >= services.limits.stuck_after
        };
        for child in self.children.values().filter(stuck) {
            services.telemetry.stuck(&self.arguments.means.id);
            child.actor.kill();
            // Told once, unless it does not go.
            child.heartbeat.beat();
        }
    }

    /// When the next running sync could be stuck.
    fn next_look(&self) -> Option<Instant> {
        let (now, after) = (Instant::now(), self.arguments.services.limits.stuck_after);
        let running = self.children.values().filter(|child| child.running.is_some());
        // Not at once: one that was ended a moment ago may still be on its way out.
        running.map(|child| now + after.saturating_sub(child.heartbeat.silent_for(now)).max(LOOK_MIN)).min()
    }

    /// Stops what has been idle long enough, and the longest idle when too many are; returns when the next one will have been.
    fn passivate(&mut self) -> Option<Instant> {
        let after = self.arguments.services.limits.passivate_after;
        let now = Instant::now();
        while let Some((since, workspace)) = self.idle.front() {
            let child = self.children.get(workspace);
            // One that has run since then stands further behind.
            let idles = child.is_some_and(|child| child.running.is_none() && child.idle_since == *since);
            let due = *since + after;
            if idles && due > now && self.idle.len() <= IDLE_MAX {
                return Some(due);
            }
            let Some((_, workspace)) = self.idle.pop_front() else { break };
            if idles && let Some(child) = self.children.remove(&workspace) {
                self.names.remove(&child.actor.get_id());
                child.actor.stop(Some("idle".to_owned()));
            }
        }
        None
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn unsigned(duration: time::Duration) -> Duration {
    Duration::try_from(duration).unwrap_or_default()
}
