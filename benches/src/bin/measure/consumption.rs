//! Rows about consumption: many messages of few keys on one partition, records that change nothing, and what a million
//! workspaces leave behind.
//!
//! Must never start its clock after the first record was looked at, nor stop it before the last mark is gone.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use rand::RngExt;
use serde_json::{Map, json};
use terrasift_actors::{SyncEnd, WorkerLimits};
use terrasift_benches::clock::process_cpu;
use tokio::sync::broadcast::error::RecvError;

use crate::row::Measured;
use crate::upstream::Upstream;
use crate::world::{self, Running, Servers};

/// Wait between two looks at a counter.
const LOOK_GAP: Duration = Duration::from_millis(2);
/// Longest time of a row, however slow.
const ROW_WAIT_MAX: Duration = Duration::from_secs(1800);
/// No sync ended for so long: look whether all is done.
const SILENCE: Duration = Duration::from_millis(200);

/// 10,000 messages of 0 to 5 ms, 1,000 keys.
pub async fn one_partition(libs: &Path) -> anyhow::Result<Measured> {
    const MESSAGES: usize = 10_000;
    const KEYS: usize = 1_000;
    let servers = Servers::start(libs, 1).await?;
    servers.make_known(KEYS).await?;
    let upstream = Upstream::start().await?;
    let mut random = rand::rng();
    let mut work_ms = 0.0;
    let records: Vec<_> = (0..MESSAGES)
        .map(|id| {
            let key = random.random_range(0..KEYS);
            let work = Duration::from_micros(random.random_range(0..=5_000));
            work_ms += work.as_secs_f64() * 1e3;
            upstream.work.add(world::workspace(key)?.as_str(), work);
            world::event(key, id, false)
        })
        .collect();
    servers.send(records.into_iter()).await?;
    let limits = WorkerLimits { tenant_syncs_max: 100, ..WorkerLimits::default() };
    let cpu = process_cpu();
    let running = servers.worker(&upstream, limits).await?;
    let (last, syncs) = last_sync(&servers, &running, MESSAGES).await?;
    let cpu_s = process_cpu().saturating_sub(cpu).as_secs_f64();
    let seconds = last - servers.claimed_at().await?;
    ensure!(upstream.work.left() == 0, "work is left: {} messages", upstream.work.left());
    let mut details = Map::new();
    details.insert("messages".into(), json!(MESSAGES));
    details.insert("keys".into(), json!(KEYS));
    details.insert("cpu_s_of_this_process".into(), json!(cpu_s));
    details.insert("work_ms_in_all".into(), json!(work_ms.round()));
    details.insert("syncs".into(), json!(syncs));
    details.insert("upstream_answers".into(), json!(upstream.work.answers()));
    details.insert("at_once_max".into(), json!(upstream.work.at_once_max()));
    servers.finish(running, seconds, details).await
}

/// Waits until all records are taken in and no mark is left; when the last sync ended, and how many did.
async fn last_sync(servers: &Servers, running: &Running, messages: usize) -> anyhow::Result<(f64, usize)> {
    let mut reports = running.telemetry.watch();
    let (mut last, mut syncs) = (world::now(), 0);
    let messages = f64::from(u32::try_from(messages)?);
    let deadline = Instant::now() + ROW_WAIT_MAX;
    while Instant::now() < deadline {
        match tokio::time::timeout(SILENCE, reports.recv()).await {
            Ok(Ok(report)) => {
                ensure!(report.end == SyncEnd::Unchanged, "a sync ended {:?}", report.end);
                last = world::now();
                syncs += 1;
            }
            Ok(Err(RecvError::Lagged(missed))) => syncs += usize::try_from(missed)?,
            Ok(Err(RecvError::Closed)) => anyhow::bail!("the worker stopped"),
            Err(_) if running.records("accepted") >= messages && servers.marks().await? == 0 => {
                return Ok((last, syncs));
            }
            Err(_) => (),
        }
    }
    anyhow::bail!("not done within {ROW_WAIT_MAX:?}")
}

/// Records whose serial is served.
pub async fn unchanged(libs: &Path, records: usize) -> anyhow::Result<Measured> {
    const KEYS: usize = 10_000;
    const PARTITIONS: i32 = 8;
    let servers = Servers::start(libs, PARTITIONS).await?;
    servers.make_known(KEYS).await?;
    let sent = servers.send((0..records).map(|id| world::event(id % KEYS, id, true))).await?;
    ensure!(sent == records, "{sent} of {records} were sent");
    let upstream = Upstream::start().await?;
    let cpu = process_cpu();
    let running = servers.worker(&upstream, WorkerLimits::default()).await?;
    let wanted = f64::from(u32::try_from(records)?);
    let deadline = Instant::now() + ROW_WAIT_MAX;
    while running.records("unchanged") + running.records("accepted") < wanted {
        ensure!(Instant::now() < deadline, "not done within {ROW_WAIT_MAX:?}");
        tokio::time::sleep(LOOK_GAP).await;
    }
    let cpu_s = process_cpu().saturating_sub(cpu).as_secs_f64();
    let seconds = world::now() - servers.claimed_at().await?;
    let accepted = running.records("accepted");
    ensure!(accepted == 0.0, "{accepted} records were taken for changes");
    ensure!(upstream.work.answers() == 0, "the upstream was asked");
    let mut details = Map::new();
    details.insert("cpu_s_of_this_process".into(), json!(cpu_s));
    details.insert("records".into(), json!(records));
    details.insert("workspaces".into(), json!(KEYS));
    details.insert("seconds".into(), json!(seconds));
    servers.finish(running, wanted / seconds, details).await
}

/// A million workspaces, an event each, then idle.
pub async fn idle(libs: &Path, workspaces: usize) -> anyhow::Result<Measured> {
    /// Events on their way at most: a backlog would be measured instead.
    const AHEAD_MAX: usize = 10_000;
    let servers = Servers::start(libs, 8).await?;
    servers.make_known(workspaces).await?;
    let upstream = Upstream::start().await?;
    let before = world::resident_bytes()?;
    let limits = WorkerLimits { tenant_syncs_max: 64, ..WorkerLimits::default() };
    let running = servers.worker(&upstream, limits).await?;
    let begin = Instant::now();
    let mut peak = before;
    for first in (0..workspaces).step_by(AHEAD_MAX / 2) {
        let last = workspaces.min(first + AHEAD_MAX / 2);
        servers.send((first..last).map(|number| world::event(number, number, false))).await?;
        let answers = u64::try_from(last.saturating_sub(AHEAD_MAX / 2))?;
        while upstream.work.answers() < answers {
            ensure!(begin.elapsed() < ROW_WAIT_MAX, "not done within {ROW_WAIT_MAX:?}");
            tokio::time::sleep(LOOK_GAP).await;
        }
        peak = f64::max(peak, world::resident_bytes()?);
    }
    while servers.marks().await? > 0 {
        ensure!(begin.elapsed() < ROW_WAIT_MAX, "not done within {ROW_WAIT_MAX:?}");
        tokio::time::sleep(SILENCE).await;
    }
    let took = begin.elapsed().as_secs_f64();
    // Idle: as long as an actor is kept, and a little.
    tokio::time::sleep(limits.passivate_after + Duration::from_secs(5)).await;
    let resident = world::resident_bytes()?;
    let mut details = Map::new();
    details.insert("workspaces".into(), json!(workspaces));
    details.insert("syncs".into(), json!(upstream.work.answers()));
    details.insert("events_seconds".into(), json!(took));
    details.insert("before_bytes".into(), json!(before));
    details.insert("peak_bytes".into(), json!(peak));
    servers.finish(running, resident, details).await
}
