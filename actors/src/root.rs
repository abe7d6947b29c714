//! The root: starts the worker's actors and, when one of them crashes, all of them anew.
//!
//! Everything that must survive is durable in Postgres and Kafka, so starting over is the simplest right answer; a
//! workspace's or a tenant's crash never comes this far. Must never restart for ever: it gives up, and the process ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};

use crate::dead_letters::Outbox;
use crate::intake::{Intake, IntakeArguments};
use crate::rate_budget::{RateBudget, RateBudgetArguments};
use terrasift_schemas::TenantId;

use crate::reconciler::{Reconciler, ReconcilerArguments, ReconcilerMsg};
use crate::restart::{AfterCrash, RestartLimits, RestartPolicy};
use crate::services::{Services, TenantMeans};
use crate::tenants::{Tenants, TenantsArguments};
use crate::writer::{Writer, WriterArguments};

const WORKER_RESTARTS: RestartLimits = RestartLimits {
    crashes_max: 10,
    window: Duration::from_secs(600),
    delay_min: Duration::from_millis(500),
    delay_max: Duration::from_secs(60),
};
/// Longest drain of the children before they are killed.
const STOP_WAIT_MAX: Duration = Duration::from_secs(20);

/// Messages to the root.
pub enum RootMsg {
    /// The delay after a crash is over.
    Restart,
    /// Stop the children, then yourself.
    Stop,
    /// What changed for a tenant, or was missed, is to be found now.
    Reconcile(TenantId),
}

/// The actor.
pub struct Root;

/// What it works with.
pub struct RootArguments {
    pub(crate) services: Arc<Services>,
    pub(crate) tenants: Vec<Arc<TenantMeans>>,
}

/// Its state.
pub struct RootState {
    arguments: RootArguments,
    policy: RestartPolicy,
    reconciler: ActorRef<ReconcilerMsg>,
    /// The children are being stopped, by a restart or for good: their ends are no crashes.
    stopping: bool,
}

impl Actor for Root {
    type Msg = RootMsg;
    type State = RootState;
    type Arguments = RootArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        arguments: RootArguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        let reconciler = start(&myself, &arguments).await?;
        let policy = RestartPolicy::new(WORKER_RESTARTS);
        Ok(RootState { arguments, policy, reconciler, stopping: false })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            RootMsg::Stop => {
                state.stopping = true;
                myself.stop_children_and_wait(Some("shutdown".to_owned()), Some(STOP_WAIT_MAX)).await;
                myself.stop(Some("shutdown".to_owned()));
                Ok(())
            }
            RootMsg::Reconcile(tenant) => {
                // A reconciler that is down looks at every tenant when it is started again.
                let _ = state.reconciler.cast(ReconcilerMsg::Now(tenant));
                Ok(())
            }
            RootMsg::Restart => match start(&myself, &state.arguments).await {
                Ok(reconciler) => {
                    state.reconciler = reconciler;
                    state.stopping = false;
                    Ok(())
                }
                Err(_) => crashed(&myself, state).await,
            },
        }
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        // What is stopped on purpose has not crashed.
        match event {
            SupervisionEvent::ActorFailed(..) | SupervisionEvent::ActorTerminated(..) if !state.stopping => {
                crashed(&myself, state).await
            }
            _ => Ok(()),
        }
    }
}

async fn crashed(myself: &ActorRef<RootMsg>, state: &mut RootState) -> Result<(), ActorProcessingErr> {
    state.stopping = true;
    myself.stop_children_and_wait(Some("restart".to_owned()), Some(STOP_WAIT_MAX)).await;
    let telemetry = &state.arguments.services.telemetry;
    match state.policy.crashed(Instant::now()) {
        AfterCrash::RestartAfter(wait) => {
            telemetry.crashed("worker", None, true);
            myself.send_after(wait, || RootMsg::Restart);
            Ok(())
        }
        AfterCrash::GiveUp => {
            telemetry.crashed("worker", None, false);
            Err("the worker crashed too often".into())
        }
    }
}

async fn start(
    myself: &ActorRef<RootMsg>,
    arguments: &RootArguments,
) -> Result<ActorRef<ReconcilerMsg>, ActorProcessingErr> {
    let RootArguments { services, tenants } = arguments;
    let root = myself.get_cell();
    let budget = RateBudgetArguments {
        budget: Arc::clone(&services.requests),
        store: services.store.clone(),
        telemetry: services.telemetry.clone(),
    };
    let (budget, _) = Actor::spawn_linked(None, RateBudget, budget, root.clone()).await?;
    let transactions_max = services.limits.transactions_max;
    let failpoints = services.failpoints.clone();
    let writer = WriterArguments { store: services.store.clone(), transactions_max, failpoints };
    let (writer, _) = Actor::spawn_linked(None, Writer, writer, root.clone()).await?;
    let directory = TenantsArguments {
        services: Arc::clone(services),
        tenants: tenants.clone(),
        budget: budget.clone(),
        writer,
    };
    let (directory, _) = Actor::spawn_linked(None, Tenants, directory, root.clone()).await?;
    let intake =
        IntakeArguments { services: Arc::clone(services), tenants: directory, means: tenants.clone() };
    Actor::spawn_linked(None, Intake, intake, root.clone()).await?;
    Actor::spawn_linked(None, Outbox, Arc::clone(services), root.clone()).await?;
    let reconciler = ReconcilerArguments { services: Arc::clone(services), tenants: tenants.clone(), budget };
    let (reconciler, _) = Actor::spawn_linked(None, Reconciler, reconciler, root).await?;
    Ok(reconciler)
}
