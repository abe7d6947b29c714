//! Rows about the whole: replicas of the real program beside real servers, loaded in open loop and read through the feed.
//!
//! Must never look into a replica: what counts is what its feed shows, what the simulator counted, what the system says.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::{Context, bail, ensure};
use serde_json::{Map, Value, json};
use terrasift_load_tests::load::{Driver, Local, LocalPlan, Phase, Scenario, run};
use tokio::time::Instant;

use crate::row::Measured;

/// Longest first sync of a row.
const FIRST_SYNC_MAX: Duration = Duration::from_secs(600);
/// Longest wait for what is on its way at the end.
const DRAIN_MAX: Duration = Duration::from_secs(60);
/// The group's session timeout, as the replicas are configured.
const SESSION_TIMEOUT_S: f64 = 3.0;
/// Wait between two looks at memory.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The documented limit of a Terraform Cloud user.
const UPSTREAM_RATE: u32 = 30;

/// Where things are.
#[derive(Clone)]
pub struct Places {
    /// The program.
    pub binary: PathBuf,
    /// Kafka's jars.
    pub kafka_libs: PathBuf,
    /// Where configuration and logs go.
    pub folder: PathBuf,
}

impl Places {
    async fn start(&self, scenario: &Scenario, limits: &[&str]) -> anyhow::Result<(Local, Driver)> {
        let plan = LocalPlan {
            binary: self.binary.clone(),
            kafka_libs: self.kafka_libs.clone(),
            folder: self.folder.join(&scenario.name),
            limits: limits.iter().map(|limit| (*limit).to_owned()).collect(),
        };
        let local = Local::start(&plan, scenario).await?;
        let driver = Driver::start(local.target().await?, scenario.clone())?;
        driver.first_sync(FIRST_SYNC_MAX).await?;
        Ok((local, driver))
    }
}

fn scenario(name: &str, tenants: usize, workspaces: usize, replicas: usize, phases: Vec<Phase>) -> Scenario {
    Scenario {
        name: name.to_owned(),
        about: String::new(),
        tenants,
        workspaces,
        resources: 20,
        giants: None,
        replicas,
        partitions: 8,
        poison_percent: 0,
        restart_every_s: None,
        upstream_requests_per_second: 100_000,
        one_user: false,
        phases,
    }
}

fn phase(name: &str, seconds: f64, events_per_second: f64, noisy_factor: f64) -> Phase {
    Phase { name: name.to_owned(), seconds, events_per_second, noisy_factor }
}

async fn finish(local: Local, value: f64, details: Vec<(&str, Value)>) -> anyhow::Result<Measured> {
    let settings = local.settings().await.context("cannot read the settings back")?;
    local.stop().await;
    let details: Map<String, Value> =
        details.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(Measured { value, settings, details })
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// What this machine can do is found out by a crowd of events at once; then half of that, steadily.
pub async fn latency(places: &Places, seconds: f64) -> anyhow::Result<Measured> {
    const TENANTS: usize = 8;
    const WORKSPACES: usize = 50;
    let phases = |rate| vec![phase("crowd", 1.0, 1.0, 1.0), phase("half", seconds, rate, 1.0)];
    let limits = ["tenant_syncs_max: 8"];
    let (local, driver) =
        places.start(&scenario("capacity", TENANTS, WORKSPACES, 2, phases(1.0)), &limits).await?;
    let begin = Instant::now();
    driver.send_all(0).await?;
    ensure!(driver.drain(DRAIN_MAX).await == 0, "the crowd did not arrive");
    let capacity = number(TENANTS * WORKSPACES) / begin.elapsed().as_secs_f64();
    drop(driver);
    let half = scenario("half", TENANTS, WORKSPACES, 2, phases(capacity / 2.0));
    let driver = Driver::start(local.target().await?, half)?;
    driver.first_sync(FIRST_SYNC_MAX).await?;
    driver.run_phase(1).await?;
    let left = driver.drain(DRAIN_MAX).await;
    ensure!(left == 0, "{left} events never arrived");
    let outcome = driver.outcome(Value::Null);
    let half = outcome.phases.get(1).context("no phase")?;
    let details = vec![
        ("capacity_per_s", json!(capacity)),
        ("events_per_s", json!(capacity / 2.0)),
        ("events", json!(half.visible)),
        ("p50_ms", json!(half.latency_ms.p50)),
        ("p999_ms", json!(half.latency_ms.p999)),
        ("max_ms", json!(half.latency_ms.max)),
    ];
    finish(local, half.latency_ms.p99, details).await
}

/// One of two replicas is killed; then every workspace has an event. When the last of them is visible, all partitions are
/// served again.
pub async fn failover(places: &Places) -> anyhow::Result<Measured> {
    const EPOCHS: &str = "SELECT partition::text, epoch::text FROM partition_epochs ORDER BY partition";
    const CLAIMED: &str = "SELECT 'claimed', extract(epoch FROM max(claimed_at))::text FROM partition_epochs";
    let plan = scenario("failover", 4, 25, 2, vec![phase("after", 1.0, 1.0, 1.0)]);
    let (mut local, driver) = places.start(&plan, &["tenant_syncs_max: 8"]).await?;
    settle(&local, EPOCHS).await?;
    let before = local.ask(EPOCHS).await?;
    let (killed, killed_at) = (Instant::now(), SystemTime::now());
    local.replicas.first_mut().context("no replica")?.kill();
    driver.send_all(0).await?;
    let left = driver.drain(DRAIN_MAX).await;
    ensure!(left == 0, "{left} events never arrived");
    let seconds = killed.elapsed().as_secs_f64();
    let after = local.ask(EPOCHS).await?;
    let moved = after.iter().filter(|row| !before.contains(row)).count();
    ensure!(moved > 0, "the killed replica had no partition");
    let killed_at = killed_at.duration_since(SystemTime::UNIX_EPOCH)?.as_secs_f64();
    let claimed: f64 = local.ask(CLAIMED).await?.first().context("no claim")?.1.parse()?;
    let details = vec![
        ("session_timeout_s", json!(SESSION_TIMEOUT_S)),
        ("claimed_s", json!(claimed - killed_at)),
        ("partitions_moved", json!(moved)),
        ("partitions", json!(after.len())),
    ];
    finish(local, seconds, details).await
}

/// Waits until no partition has moved for longer than a session: who joins late starts a rebalance of its own.
async fn settle(local: &Local, epochs: &'static str) -> anyhow::Result<()> {
    const STILL: Duration = Duration::from_secs(8);
    let deadline = Instant::now() + DRAIN_MAX;
    let (mut known, mut since) = (local.ask(epochs).await?, Instant::now());
    while since.elapsed() < STILL {
        ensure!(Instant::now() < deadline, "partitions keep moving");
        tokio::time::sleep(LOOK_EVERY).await;
        let now = local.ask(epochs).await?;
        if now != known {
            (known, since) = (now, Instant::now());
        }
    }
    Ok(())
}

/// A hundredfold neighbour: how much slower the others' 99th percentile gets, in percent, under the budgets that a tenant has
/// by default. Beside it the same without any budget, where only the machine is between them.
pub async fn noisy(places: &Places, seconds: f64) -> anyhow::Result<Measured> {
    let (local, percent, mut details) = beside_noise(places, "noisy", seconds, Some(UPSTREAM_RATE)).await?;
    let settings = local.settings().await.context("cannot read the settings back")?;
    local.stop().await;
    let (local, unlimited, more) = beside_noise(places, "noisy-unlimited", seconds, None).await?;
    local.stop().await;
    details.insert("without_budgets_percent".to_owned(), json!(unlimited));
    details.insert("without_budgets".to_owned(), Value::Object(more));
    Ok(Measured { value: percent, settings, details })
}

async fn beside_noise(
    places: &Places,
    name: &str,
    seconds: f64,
    upstream_rate: Option<u32>,
) -> anyhow::Result<(Local, f64, Map<String, Value>)> {
    let phases = vec![phase("alike", seconds, 5.0, 1.0), phase("noisy", seconds, 5.0, 100.0)];
    let mut plan = scenario(name, 10, 20, 2, phases);
    plan.upstream_requests_per_second = upstream_rate.unwrap_or(plan.upstream_requests_per_second);
    let (mut local, driver) = places.start(&plan, &[]).await?;
    run(&mut local, &driver, &plan).await?;
    let left = driver.drain(DRAIN_MAX).await;
    let outcome = driver.outcome(Value::Null);
    let (alike, noisy) =
        (outcome.phases.first().context("no phase")?, outcome.phases.get(1).context("no phase")?);
    let (before, with) = (alike.others_latency_ms.p99, noisy.others_latency_ms.p99);
    let details = json!({
        "others_p99_ms_alike": before,
        "others_p99_ms_noisy": with,
        "others_p50_ms_alike": alike.others_latency_ms.p50,
        "others_p50_ms_noisy": noisy.others_latency_ms.p50,
        "sent_noisy": noisy.sent,
        "left": left,
    });
    let Value::Object(details) = details else { bail!("no object") };
    Ok((local, (with / before - 1.0) * 100.0, details))
}

/// Ten times what the upstream lets through: how far memory strays from its middle, in percent, after a fifth of the time.
pub async fn soak(places: &Places, minutes: f64) -> anyhow::Result<Measured> {
    let seconds = minutes * 60.0;
    let overload = phase("overload", seconds, f64::from(UPSTREAM_RATE) * 10.0, 1.0);
    let mut plan = scenario("soak", 4, 100, 2, vec![overload]);
    plan.upstream_requests_per_second = UPSTREAM_RATE;
    plan.one_user = true;
    plan.resources = 10;
    let (mut local, driver) = places.start(&plan, &["tenant_requests_per_second: 30"]).await?;
    run(&mut local, &driver, &plan).await?;
    let outcome = driver.outcome(Value::Null);
    let settled = outcome.samples.iter().filter(|sample| number_of(sample.second) >= seconds / 5.0);
    let (mut strays, mut bounds): (Vec<(f64, f64)>, Vec<Value>) = (Vec::new(), Vec::new());
    let by_replica: Vec<Vec<u64>> =
        settled.map(|sample| sample.resident_bytes.clone()).filter(|of| !of.is_empty()).collect();
    for replica in 0..plan.replicas {
        let mut of: Vec<f64> =
            by_replica.iter().filter_map(|all| all.get(replica).copied().map(number_of)).collect();
        of.sort_unstable_by(f64::total_cmp);
        let (Some(least), Some(most)) = (of.first(), of.last()) else { continue };
        let middle = of.get(of.len() / 2).copied().unwrap_or(f64::NAN);
        bounds.push(json!([least, most]));
        strays.push((middle, f64::max(most / middle - 1.0, 1.0 - least / middle) * 100.0));
    }
    ensure!(strays.len() == plan.replicas, "memory was not seen");
    let worst = strays.iter().map(|stray| stray.1).fold(0.0, f64::max);
    let phase = outcome.phases.first().context("no phase")?;
    let details = vec![
        ("minutes", json!(minutes)),
        ("sent", json!(phase.sent)),
        ("not_sent", json!(phase.not_sent)),
        ("visible", json!(phase.visible)),
        ("least_and_most_bytes", json!(bounds)),
        ("middle_bytes", json!(strays.iter().map(|stray| stray.0).collect::<Vec<_>>())),
    ];
    finish(local, worst, details).await
}

/// More events than the budget has requests, over four replicas that are killed in turn: what the simulator counted.
pub async fn budget(places: &Places, minutes: f64) -> anyhow::Result<Measured> {
    const TENANTS: usize = 5;
    let seconds = minutes * 60.0;
    let backlog = phase("backlog", seconds, f64::from(UPSTREAM_RATE) * 3.0, 1.0);
    let mut plan = scenario("budget", TENANTS, 200, 4, vec![backlog]);
    plan.upstream_requests_per_second = UPSTREAM_RATE;
    plan.one_user = true;
    plan.resources = 3;
    let (mut local, driver) =
        places.start(&plan, &["tenant_requests_per_second: 30", "tenant_burst: 30"]).await?;
    let audits = "SELECT tenant_id::text, count(*)::text FROM sanitization_audit_log GROUP BY 1 ORDER BY 1";
    let (requests_before, audits_before) =
        (local.simulator.request_count("user-load"), local.ask(audits).await?);
    let begin = Instant::now();
    let mut kills = 0;
    tokio::select! {
        ran = driver.run_phase(0) => ran?,
        killed = kill_in_turn(&mut local, &driver, &mut kills) => killed?,
    }
    let took = begin.elapsed().as_secs_f64();
    let requests = local.simulator.request_count("user-load") - requests_before;
    let busiest = local.simulator.max_requests_in_any_second("user-load");
    let served: Vec<f64> = difference(&audits_before, &local.ask(audits).await?);
    let (sum, squares) = (served.iter().sum::<f64>(), served.iter().map(|of| of * of).sum::<f64>());
    let excess = busiest.saturating_sub(usize::try_from(UPSTREAM_RATE)?);
    let details = vec![
        ("minutes", json!(minutes)),
        ("busiest_second", json!(busiest)),
        ("requests_per_s", json!(number(requests) / took)),
        ("used_enough", json!(number(requests) / took >= 25.0)),
        ("kills", json!(kills)),
        ("states_by_tenant", json!(served)),
        ("jain", json!(sum * sum / (number(served.len()) * squares))),
    ];
    finish(local, number(excess), details).await
}

/// Kills one replica after the other, and starts each again. Never ends by itself, but for an error.
async fn kill_in_turn(local: &mut Local, driver: &Driver, kills: &mut usize) -> anyhow::Result<()> {
    /// Time between a kill and the next step.
    const STEP: Duration = Duration::from_secs(30);
    let mut look = tokio::time::interval(LOOK_EVERY);
    let (mut stepped, mut at) = (Instant::now(), 0_usize);
    loop {
        look.tick().await;
        driver.note_resident(&local.resident_bytes());
        if stepped.elapsed() < STEP {
            continue;
        }
        let count = local.replicas.len();
        let replica = local.replicas.get_mut(at % count).context("no replica")?;
        if replica.runs() {
            replica.kill();
            *kills += 1;
        } else {
            replica.start(&[])?;
            at += 1;
        }
        stepped = Instant::now();
    }
}

fn difference(before: &[(String, String)], after: &[(String, String)]) -> Vec<f64> {
    let count = |text: &str| text.parse::<f64>().unwrap_or(0.0);
    let known = |tenant: &str| before.iter().find(|row| row.0 == tenant).map_or(0.0, |row| count(&row.1));
    after.iter().map(|(tenant, now)| count(now) - known(tenant)).collect()
}

/// Bytes and seconds are far below 2^52.
fn number_of(count: u64) -> f64 {
    f64::from(u32::try_from(count / 1024).unwrap_or(u32::MAX)) * 1024.0
        + f64::from(u32::try_from(count % 1024).unwrap_or(0))
}
