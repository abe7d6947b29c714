//! A run: phase after phase, with what goes on beside them.
//!
//! Must never end while events are on their way and there is time for them.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, interval};

use super::driver::Driver;
use super::local::Local;
use super::scenario::Scenario;

/// Wait between two looks at memory and restarts.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Runs all phases against a world on this machine: memory is noted, and the last replica comes and goes where the scenario
/// says so.
///
/// # Errors
/// When a producer crashes or a replica does not start.
pub async fn run(local: &mut Local, driver: &Driver, scenario: &Scenario) -> Result<()> {
    for phase in 0..scenario.phases.len() {
        tokio::select! {
            ran = driver.run_phase(phase) => ran?,
            beside = beside(local, driver, scenario) => beside?,
        }
    }
    Ok(())
}

/// Never ends by itself, but for an error.
async fn beside(local: &mut Local, driver: &Driver, scenario: &Scenario) -> Result<()> {
    let mut look = interval(LOOK_EVERY);
    let mut restarted = Instant::now();
    loop {
        look.tick().await;
        driver.note_resident(&local.resident_bytes());
        let due =
            scenario.restart_every_s.is_some_and(|every| restarted.elapsed() >= Duration::from_secs(every));
        if due && let Some(replica) = local.replicas.last_mut() {
            if replica.runs() {
                replica.stop().await;
            } else {
                replica.start(&[])?;
            }
            restarted = Instant::now();
        }
    }
}
