//! The directory of tenants: routes marks to them and restarts one that crashes.
//!
//! A restarted tenant has an empty schedule, so its marks are read back from the ledger. Must never route a mark to
//! another tenant than its own (invariant 7).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use terrasift_postgres::{Epoch, Mark};
use terrasift_schemas::TenantId;

use crate::byte_budget::ByteBudget;
use crate::rate_budget::RateBudgetMsg;
use crate::restart::{AfterCrash, RestartLimits, RestartPolicy};
use crate::services::{Services, TenantMeans};
use crate::tenant::schedule::OwnedMark;
use crate::tenant::{Tenant, TenantArguments, TenantMsg};
use crate::writer::WriterMsg;

/// Marks read back at once.
const PAGE: u32 = 1000;
/// Memory that marks on their way to a tenant may take: 20,000 marks of this size.
const MARK_BYTES: usize = 512;
const MARK_BUDGET_BYTES: usize = 20_000 * MARK_BYTES;
/// Longest wait for that memory; tenants take marks in within microseconds.
const MARK_WAIT_MAX: Duration = Duration::from_secs(30);
/// A tenant that crashes more often takes the worker down: something is wrong with all of it.
const TENANT_RESTARTS: RestartLimits = RestartLimits {
    crashes_max: 5,
    window: Duration::from_secs(60),
    delay_min: Duration::from_millis(200),
    delay_max: Duration::from_secs(10),
};

/// Messages to the directory.
pub enum TenantsMsg {
    /// We own a partition now: its marks are read back.
    Gained(i32, Epoch),
    /// Another replica owns it.
    Lost(i32),
    /// New marks of a partition that we own.
    Marked(Vec<Mark>, Epoch),
    /// A crashed tenant's delay is over.
    Restart(TenantId),
}

/// The actor.
pub struct Tenants;

/// What it works with.
pub struct TenantsArguments {
    pub(crate) services: Arc<Services>,
    pub(crate) tenants: Vec<Arc<TenantMeans>>,
    pub(crate) budget: ActorRef<RateBudgetMsg>,
    pub(crate) writer: ActorRef<WriterMsg>,
}

/// Its state.
pub struct TenantsState {
    arguments: TenantsArguments,
    actors: HashMap<TenantId, ActorRef<TenantMsg>>,
    names: HashMap<ActorId, TenantId>,
    crashes: HashMap<TenantId, RestartPolicy>,
    partitions: BTreeMap<i32, Epoch>,
    marks: ByteBudget,
}

impl Actor for Tenants {
    type Msg = TenantsMsg;
    type State = TenantsState;
    type Arguments = TenantsArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        arguments: TenantsArguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        let mut state = TenantsState {
            arguments,
            actors: HashMap::new(),
            names: HashMap::new(),
            crashes: HashMap::new(),
            partitions: BTreeMap::new(),
            marks: ByteBudget::new(MARK_BUDGET_BYTES),
        };
        for means in state.arguments.tenants.clone() {
            state.start(&myself, means).await?;
        }
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            TenantsMsg::Gained(partition, epoch) => {
                state.partitions.insert(partition, epoch);
                state.read_back(partition, epoch, None).await?;
            }
            TenantsMsg::Lost(partition) => {
                state.partitions.remove(&partition);
                for tenant in state.actors.values() {
                    let _ = tenant.cast(TenantMsg::PartitionLost(partition));
                }
            }
            TenantsMsg::Marked(marks, epoch) => state.route(marks, epoch).await?,
            TenantsMsg::Restart(tenant) => {
                let means = state.arguments.tenants.iter().find(|means| means.id == tenant).cloned();
                if let Some(means) = means {
                    state.start(&myself, means).await?;
                    for (partition, epoch) in state.partitions.clone() {
                        state.read_back(partition, epoch, Some(&tenant)).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let (SupervisionEvent::ActorFailed(cell, _) | SupervisionEvent::ActorTerminated(cell, ..)) = &event
        else {
            return Ok(());
        };
        let Some(tenant) = state.names.remove(&cell.get_id()) else { return Ok(()) };
        state.actors.remove(&tenant);
        let policy =
            state.crashes.entry(tenant.clone()).or_insert_with(|| RestartPolicy::new(TENANT_RESTARTS));
        match policy.crashed(Instant::now()) {
            AfterCrash::RestartAfter(wait) => {
                state.arguments.services.telemetry.crashed("tenant", Some(&tenant), true);
                myself.send_after(wait, move || TenantsMsg::Restart(tenant));
                Ok(())
            }
            AfterCrash::GiveUp => {
                state.arguments.services.telemetry.crashed("tenant", Some(&tenant), false);
                Err("a tenant crashed too often".into())
            }
        }
    }
}

impl TenantsState {
    async fn start(
        &mut self,
        myself: &ActorRef<TenantsMsg>,
        means: Arc<TenantMeans>,
    ) -> Result<(), ActorProcessingErr> {
        let arguments = TenantArguments {
            services: Arc::clone(&self.arguments.services),
            means: Arc::clone(&means),
            budget: self.arguments.budget.clone(),
            writer: self.arguments.writer.clone(),
        };
        let (actor, _) = Actor::spawn_linked(None, Tenant, arguments, myself.get_cell()).await?;
        self.names.insert(actor.get_id(), means.id.clone());
        self.actors.insert(means.id.clone(), actor);
        Ok(())
    }

    /// Reads a partition's marks back from the ledger, page by page.
    async fn read_back(
        &self,
        partition: i32,
        epoch: Epoch,
        only: Option<&TenantId>,
    ) -> Result<(), ActorProcessingErr> {
        let store = &self.arguments.services.store;
        let mut after = None;
        loop {
            let mut page = store.load_marks(partition, after, PAGE).await?;
            let full = u32::try_from(page.len()).is_ok_and(|len| len >= PAGE);
            after = page.last().map(|mark| (mark.tenant.clone(), mark.workspace.clone()));
            page.retain(|mark| only.is_none_or(|only| mark.tenant == *only));
            self.route(page, epoch).await?;
            if !full {
                return Ok(());
            }
        }
    }

    /// Hands marks to their tenants. A tenant that is down gets them when it is back: they are durable.
    async fn route(&self, marks: Vec<Mark>, epoch: Epoch) -> Result<(), ActorProcessingErr> {
        let mut by_tenant: HashMap<TenantId, Vec<OwnedMark>> = HashMap::new();
        for mark in marks {
            by_tenant.entry(mark.tenant.clone()).or_default().push(OwnedMark { mark, epoch });
        }
        for (tenant, marks) in by_tenant {
            let Some(actor) = self.actors.get(&tenant) else { continue };
            let permit = self.marks.acquire(marks.len() * MARK_BYTES, MARK_WAIT_MAX).await?;
            let _ = actor.cast(TenantMsg::Marked(marks, permit));
        }
        Ok(())
    }
}
