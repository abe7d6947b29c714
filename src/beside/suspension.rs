//! Suspended tenants while Terrasift runs: looked for again and again, told to the log and to the worker.
//!
//! Must never take a database that is away for a resume.

use std::time::Duration;

use terrasift_actors::WorkerSignals;
use terrasift_postgres::Store;
use tokio::time::{MissedTickBehavior, interval};

/// A suspension holds everywhere after so long. One statement a process, over a table with a row for who was ever suspended.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Looks; ends when it is aborted.
pub async fn watch(store: Store, worker: Option<WorkerSignals>) {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match store.look_for_suspended().await {
            Ok(changed) => {
                for tenant in &changed.suspended {
                    tracing::warn!(%tenant, "tenant suspended: nothing of it is processed, and nobody of it is let in");
                }
                for tenant in &changed.resumed {
                    tracing::info!(%tenant, "tenant resumed: its workspaces are listed");
                    if let Some(worker) = &worker {
                        worker.reconcile(tenant);
                    }
                }
            }
            Err(error) => {
                tracing::warn!(%error, "who is suspended is not known anew: what was seen last holds")
            }
        }
    }
}
