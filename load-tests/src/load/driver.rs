//! The driver: a producer a tenant that keeps to its timetable whatever happens, and readers of the feeds.
//!
//! Must never let a slow answer move the next event.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::outcome::{Outcome, Recorder};
use super::scenario::{Phase, Scenario};
use super::target::Target;
use super::visible::{self, Ledger, Pending};
use crate::cluster::{BrokerClient, STATE_UPDATED};

/// Sends under way at most; what is due beyond that is counted as not sent. A minute of a broker that takes nothing.
const UNDER_WAY_MAX: usize = 20_000;
const ANSWER_WAIT: Duration = Duration::from_secs(30);
/// Wait between two looks at what has arrived.
const LOOK_GAP: Duration = Duration::from_millis(20);

/// A running driver. Dropped, it stops.
pub struct Driver {
    shared: Arc<Shared>,
    phases: Vec<Phase>,
    scenario: Scenario,
    _followers: JoinSet<()>,
}

struct Shared {
    target: Target,
    ledger: Ledger,
    broker: BrokerClient,
    http: reqwest::Client,
    recorder: Mutex<Recorder>,
    under_way: AtomicUsize,
}

impl Shared {
    fn record<T>(&self, f: impl FnOnce(&mut Recorder) -> T) -> T {
        f(&mut self.recorder.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take_arrived(&self) {
        let arrived = self.ledger.take_arrived();
        self.record(|recorder| arrived.iter().for_each(|one| recorder.arrived(one)));
    }
}

impl Driver {
    /// Starts to follow all feeds; sends nothing yet.
    ///
    /// # Errors
    /// When there can be no client.
    pub fn start(target: Target, scenario: Scenario) -> Result<Self> {
        let shared = Arc::new(Shared {
            ledger: Ledger::default(),
            broker: BrokerClient::new(&target.broker, "terrasift-load")?,
            http: reqwest::Client::builder().no_proxy().timeout(ANSWER_WAIT).build()?,
            recorder: Mutex::new(Recorder::new(&scenario, Instant::now())?),
            under_way: AtomicUsize::new(0),
            target,
        });
        let mut followers = JoinSet::new();
        for tenant in 0..shared.target.tenants.len() {
            let shared = Arc::clone(&shared);
            followers.spawn(async move {
                // Ends when the driver is dropped.
                let _ = visible::follow(&shared.target, tenant, &shared.ledger).await;
            });
        }
        Ok(Self { shared, phases: scenario.phases.clone(), scenario, _followers: followers })
    }

    /// Waits until every workspace stands in a feed.
    ///
    /// # Errors
    /// When that takes longer than `wait`.
    pub async fn first_sync(&self, wait: Duration) -> Result<()> {
        let all: usize = self.shared.target.workspaces.iter().map(Vec::len).sum();
        let deadline = Instant::now() + wait;
        while self.shared.ledger.workspaces_shown() < all {
            let shown = self.shared.ledger.workspaces_shown();
            ensure!(
                Instant::now() < deadline,
                "{shown} of {all} workspaces stand in the feed after {wait:?}"
            );
            tokio::time::sleep(LOOK_GAP).await;
        }
        Ok(())
    }

    /// Runs one phase: everything that is due in it is sent, or tried to.
    ///
    /// # Errors
    /// When a producer crashes.
    pub async fn run_phase(&self, number: usize) -> Result<()> {
        let phase = self.phases.get(number).context("there is no such phase")?;
        let begin = Instant::now();
        self.shared.record(|recorder| recorder.phase_begins(number, begin));
        let mut producers = JoinSet::new();
        for tenant in 0..self.shared.target.tenants.len() {
            let (shared, phase) = (Arc::clone(&self.shared), phase.clone());
            let (rate, poison) = (self.scenario.rate(&phase, tenant), self.scenario.poison_percent);
            producers.spawn(async move {
                produce(&shared, number, tenant, rate, phase.seconds, poison, begin).await
            });
        }
        while !producers.is_empty() {
            tokio::select! {
                ended = producers.join_next() => if let Some(ended) = ended { ended.context("a producer crashed")?; },
                () = tokio::time::sleep(LOOK_GAP) => self.shared.take_arrived(),
            }
        }
        self.shared.record(|recorder| recorder.phase_ends(number, Instant::now()));
        Ok(())
    }

    /// Sends one event of each workspace now, as part of a phase.
    ///
    /// # Errors
    /// When a send crashes.
    pub async fn send_all(&self, number: usize) -> Result<()> {
        let mut sends = JoinSet::new();
        let intended = Instant::now();
        self.shared.record(|recorder| recorder.phase_begins(number, intended));
        for (tenant, workspaces) in self.shared.target.workspaces.iter().enumerate() {
            for workspace in workspaces {
                let (shared, workspace) = (Arc::clone(&self.shared), workspace.clone());
                sends.spawn(async move { send(&shared, number, tenant, &workspace, intended).await });
            }
        }
        while let Some(ended) = sends.join_next().await {
            ended.context("a send crashed")?;
        }
        Ok(())
    }

    /// Waits until nothing is on its way, for at most `wait`; how many events still are.
    pub async fn drain(&self, wait: Duration) -> usize {
        let deadline = Instant::now() + wait;
        loop {
            self.shared.take_arrived();
            let waiting = self.shared.ledger.waiting() + self.shared.under_way.load(Ordering::Relaxed);
            if waiting == 0 || Instant::now() > deadline {
                return waiting;
            }
            tokio::time::sleep(LOOK_GAP).await;
        }
    }

    /// Notes how much memory the replicas take.
    pub fn note_resident(&self, bytes: &[u64]) {
        self.shared.record(|recorder| recorder.resident(bytes, Instant::now()));
    }

    /// Events that the feed has shown so far.
    #[must_use]
    pub fn arrived(&self) -> u64 {
        self.shared.take_arrived();
        self.shared.record(|recorder| recorder.arrived_in_all())
    }

    /// What came of it so far.
    #[must_use]
    pub fn outcome(&self, settings: Value) -> Outcome {
        self.shared.take_arrived();
        self.shared.record(|recorder| recorder.outcome(&self.scenario, settings))
    }
}

/// One tenant's timetable.
async fn produce(
    shared: &Arc<Shared>,
    phase: usize,
    tenant: usize,
    rate: f64,
    seconds: f64,
    poison_percent: u32,
    begin: Instant,
) {
    let workspaces = shared.target.workspaces.get(tenant).map_or(&[][..], Vec::as_slice);
    let gap = Duration::from_secs_f64(1.0 / rate);
    // Tenants do not march in step.
    let first = gap.mul_f64(f64::from(u32::try_from(tenant % 97).unwrap_or(0)) / 97.0);
    let mut sends = JoinSet::new();
    for number in 0_u32.. {
        let due = first + gap * number;
        if due.as_secs_f64() >= seconds {
            break;
        }
        let intended = begin + due;
        tokio::time::sleep_until(intended).await;
        let at = usize::try_from(number).unwrap_or(0).wrapping_mul(7919);
        let Some(workspace) = workspaces.get(at % workspaces.len().max(1)).cloned() else { break };
        let poisoned = number.wrapping_mul(61) % 100 < poison_percent;
        if shared.under_way.load(Ordering::Relaxed) >= UNDER_WAY_MAX {
            shared.record(|recorder| recorder.not_sent(phase, tenant, intended));
            continue;
        }
        let shared = Arc::clone(shared);
        sends.spawn(async move {
            if poisoned {
                // What fits nobody is parked: nobody waits for it.
                let _ = shared.broker.send(STATE_UPDATED, &workspace, &[], b"no event").await;
            }
            send(&shared, phase, tenant, &workspace, intended).await;
        });
        while sends.try_join_next().is_some() {}
    }
    // The phase ends when its time is over, not when its answers are there.
    tokio::time::sleep_until(begin + Duration::from_secs_f64(seconds)).await;
    sends.detach_all();
}

/// Changes a state and tells of it.
async fn send(shared: &Shared, phase: usize, tenant: usize, workspace: &str, intended: Instant) {
    shared.under_way.fetch_add(1, Ordering::Relaxed);
    let sent = tell(shared, phase, tenant, workspace, intended).await;
    shared.under_way.fetch_sub(1, Ordering::Relaxed);
    shared.record(|recorder| match sent {
        Ok(()) => recorder.sent(phase, tenant, intended),
        Err(_) => recorder.not_sent(phase, tenant, intended),
    });
}

async fn tell(
    shared: &Shared,
    phase: usize,
    tenant: usize,
    workspace: &str,
    intended: Instant,
) -> Result<()> {
    let url = format!("{}/_sim/workspaces/{workspace}/bump", shared.target.simulator);
    let bumped: Value = shared.http.post(url).send().await?.error_for_status()?.json().await?;
    let version = bumped["state_version_id"].as_str().context("the simulator tells no version")?;
    let pending = Pending { state_version: version.to_owned(), intended, phase, tenant };
    // Before it is sent: it can be seen at once.
    shared.ledger.expect(workspace, pending);
    let name = shared.target.tenants.get(tenant).map(|tenant| tenant.tenant.as_str()).unwrap_or_default();
    let now = OffsetDateTime::now_utc().format(&Rfc3339)?;
    let id = format!("load-{version}");
    let value = json!({
        "tenant": name,
        "workspace": workspace,
        "run": bumped["run_id"],
        "time": now,
        "priority": "normal",
    });
    let headers = [
        ("ce_specversion", "1.0"),
        ("ce_id", id.as_str()),
        ("ce_source", "/load"),
        ("ce_type", "io.terrasift.state.updated.v1"),
        ("ce_time", now.as_str()),
        ("content-type", "application/json"),
    ];
    let key = format!("{name}/{workspace}");
    let appended = shared.broker.send(STATE_UPDATED, &key, &headers, value.to_string().as_bytes()).await;
    if let Err(error) = appended {
        shared.ledger.give_up(workspace, version);
        return Err(error);
    }
    Ok(())
}
