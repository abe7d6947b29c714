//! The row about effects: states go the whole way, from an event on the topic to entities and audit rows in Postgres.
//!
//! Must never count an entity that the database does not hold.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::{Map, json};
use terrasift_actors::{SyncEnd, SyncEnded, WorkerLimits};
use terrasift_load_tests::generator::{StateSize, StateSpec, StateStream};
use tokio::sync::broadcast;

use crate::row::Measured;
use crate::upstream::{Shown, Upstream};
use crate::world::{self, Servers};

/// Resources of a state.
const RESOURCES: u32 = 40;
/// Generations after which every resource has changed once.
const ALL_CHANGED: u32 = 16;
/// Longest wait for a round.
const ROUND_WAIT_MAX: Duration = Duration::from_secs(600);

/// Two rounds over `states` workspaces: first all entities are new, then all have changed. The second one counts.
pub async fn entities(libs: &Path, states: usize) -> anyhow::Result<Measured> {
    let servers = Servers::start(libs, 8).await?;
    let upstream = Upstream::start().await?;
    show(&upstream, states, 0)?;
    servers.send((0..states).map(|number| world::event(number, number, false))).await?;
    let limits = WorkerLimits { tenant_syncs_max: 16, ..WorkerLimits::default() };
    let running = servers.worker(&upstream, limits).await?;
    let mut reports = running.telemetry.watch();
    let (last, new, _) = round(&mut reports, states).await?;
    let new_per_s = f64::from(new) / (last - servers.claimed_at().await?);
    let live = servers.ask("SELECT count(*) FROM entities WHERE deleted_at IS NULL").await?;
    ensure!(live == new.to_string(), "the database holds {live} entities, {new} were told");
    show(&upstream, states, ALL_CHANGED)?;
    let begin = world::now();
    servers.send((0..states).map(|number| world::event(number, states + number, false))).await?;
    let (last, upserts, removals) = round(&mut reports, states).await?;
    let seconds = last - begin;
    let audits = servers.ask("SELECT count(*) FROM sanitization_audit_log").await?;
    ensure!(audits == (2 * states).to_string(), "{audits} audit rows of {states} states in two rounds");
    let changed = f64::from(upserts + removals);
    let mut details = Map::new();
    details.insert("states".into(), json!(states));
    details.insert("changed".into(), json!(upserts));
    details.insert("removed".into(), json!(removals));
    details.insert("seconds".into(), json!(seconds));
    details.insert("new_per_s".into(), json!(new_per_s));
    details.insert("states_per_s".into(), json!(f64::from(u32::try_from(states)?) / seconds));
    details.insert("audit_rows".into(), json!(audits));
    servers.finish(running, changed / seconds, details).await
}

/// Generated beforehand: what renders them would take the cores.
fn show(upstream: &Upstream, states: usize, generation: u32) -> anyhow::Result<()> {
    for number in 0..states {
        let serial = u64::from(generation) + 1;
        let seed = u64::try_from(number)?;
        let spec = StateSpec { generation, serial, ..StateSpec::new(seed, StateSize::Resources(RESOURCES)) };
        let document = Arc::new(StateStream::new(spec).flatten().collect());
        let state_version = format!("sv-{number}g{generation}");
        upstream.work.show(world::workspace(number)?.as_str(), Shown { state_version, serial, document });
    }
    Ok(())
}

/// Waits until each workspace had its sync; when the last one ended, entities written, entities removed.
async fn round(
    reports: &mut broadcast::Receiver<SyncEnded>,
    states: usize,
) -> anyhow::Result<(f64, u32, u32)> {
    let begin = Instant::now();
    let (mut done, mut upserts, mut removals) = (0, 0, 0);
    while done < states {
        ensure!(begin.elapsed() < ROUND_WAIT_MAX, "not done within {ROUND_WAIT_MAX:?}");
        let report = tokio::time::timeout(ROUND_WAIT_MAX, reports.recv()).await??;
        match report.end {
            SyncEnd::Applied => {
                done += 1;
                upserts += u32::try_from(report.upserts)?;
                removals += u32::try_from(report.removals)?;
            }
            // A second event of the same state.
            SyncEnd::Unchanged => (),
            end => anyhow::bail!("a sync ended {end:?}"),
        }
    }
    Ok((world::now(), upserts, removals))
}
