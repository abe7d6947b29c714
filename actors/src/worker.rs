//! The worker's handle: start it, watch it, stop it.
//!
//! Must never leave an actor behind when it is stopped.

use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorRef, SpawnErr};
use terrasift_schemas::TenantId;
use tokio::task::JoinHandle;

use crate::root::{Root, RootArguments, RootMsg};
use crate::services::{Services, TenantMeans};

/// Longest wait for a clean stop before the actors are killed.
const STOP_WAIT_MAX: Duration = Duration::from_secs(25);

/// A running worker.
pub struct Worker {
    root: ActorRef<RootMsg>,
    ended: JoinHandle<()>,
}

/// What a running worker is told.
#[derive(Clone)]
pub struct WorkerSignals {
    root: ActorRef<RootMsg>,
}

impl WorkerSignals {
    /// A tenant has another pipeline, or was resumed: its workspaces are listed, and those that show something older are synced anew.
    pub fn reconcile(&self, tenant: &TenantId) {
        // A worker that has ended is told nothing any more.
        let _ = self.root.cast(RootMsg::Reconcile(tenant.clone()));
    }
}

/// The worker could not be started, or ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// An actor did not start: the brokers or the database are out of reach.
    #[error("cannot start the worker: {0}")]
    Start(#[from] SpawnErr),
}

impl Worker {
    /// Starts the actors.
    ///
    /// # Errors
    /// [`WorkerError::Start`] when an actor does not start.
    pub async fn start(services: Arc<Services>, tenants: Vec<Arc<TenantMeans>>) -> Result<Self, WorkerError> {
        let (root, ended) = Actor::spawn(None, Root, RootArguments { services, tenants }).await?;
        Ok(Self { root, ended })
    }

    /// Waits until the worker has given up by itself.
    pub async fn ended(&mut self) {
        // A panic of the root is an end, too.
        let _ = (&mut self.ended).await;
    }

    /// A hand to tell the worker by, from another task.
    #[must_use]
    pub fn signals(&self) -> WorkerSignals {
        WorkerSignals { root: self.root.clone() }
    }

    /// Stops the actors: what runs is abandoned (its marks are durable), offsets are committed, the group is left.
    pub async fn stop(self) {
        // A root that has ended by itself has no children left.
        let _ = self.root.cast(RootMsg::Stop);
        if self.root.wait(Some(STOP_WAIT_MAX)).await.is_err() {
            self.root.kill();
        }
    }
}
