//! The first full sync, watched from outside: the engine's reports and the feed are joined a workspace.
//!
//! Done when each workspace stands in the feed or is parked, and each applied sync has been seen.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::Context;
use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use terrasift_actors::{SyncEnd, SyncEnded};
use terrasift_schemas::TenantId;
use terrasift_schemas::detection::Category;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::follow::{self, Followers, Seen};
use super::world::World;

/// Latencies above this count as this.
const LATENCY_MS_MAX: u64 = 3_600_000;

/// What the demo has seen so far.
pub struct Watched {
    pub reports: broadcast::Receiver<SyncEnded>,
    pub followers: Followers,
    /// From an event's time to its entities in the feed, in milliseconds.
    pub latency_ms: Histogram<u64>,
    started: Instant,
    /// How long the first sync took.
    pub took: Duration,
    pub states: u64,
    pub bytes: u64,
    pub detections: BTreeMap<Category, u64>,
    pub parked: BTreeMap<&'static str, u64>,
    entities: HashMap<TenantId, usize>,
    /// Event times of syncs whose entity was not yet seen, and times of entities whose sync was not yet reported.
    events: HashMap<String, Instant>,
    sightings: HashMap<String, Instant>,
    settled: HashSet<String>,
}

/// An event whose entities stand in the feed.
pub struct Arrived {
    pub workspace: String,
    pub latency: Duration,
}

impl Watched {
    fn new(world: &World, reports: broadcast::Receiver<SyncEnded>) -> anyhow::Result<Self> {
        Ok(Self {
            reports,
            followers: follow::start(world),
            latency_ms: Histogram::new_with_bounds(1, LATENCY_MS_MAX, 3)
                .context("cannot make a histogram")?,
            started: Instant::now(),
            took: Duration::ZERO,
            states: 0,
            bytes: 0,
            detections: BTreeMap::new(),
            parked: BTreeMap::new(),
            entities: HashMap::new(),
            events: HashMap::new(),
            sightings: HashMap::new(),
            settled: HashSet::new(),
        })
    }

    /// Entities in the feed now.
    pub fn entities(&self) -> usize {
        self.entities.values().sum()
    }

    /// Takes in a report of the engine.
    pub fn report(&mut self, sync: &SyncEnded) -> Option<Arrived> {
        let workspace = sync.workspace.to_string();
        self.bytes += sync.bytes_in;
        self.states += u64::from(sync.bytes_in > 0);
        for (category, count) in &sync.detections {
            *self.detections.entry(*category).or_default() += count;
        }
        match sync.end {
            SyncEnd::Applied => {
                let event = Instant::now().checked_sub(sync.age).unwrap_or(self.started);
                match self.sightings.remove(&workspace) {
                    Some(seen) => return Some(self.arrived(workspace, event, seen)),
                    None => drop(self.events.insert(workspace, event)),
                }
            }
            SyncEnd::Parked(reason) => {
                *self.parked.entry(reason.as_str()).or_default() += 1;
                self.settled.insert(workspace);
            }
            SyncEnd::Unchanged
            | SyncEnd::Stale
            | SyncEnd::Suspected
            | SyncEnd::Removed
            | SyncEnd::Fenced
            | SyncEnd::Deferred(_) => (),
        }
        None
    }

    /// Takes in a page of the feed.
    pub fn sight(&mut self, seen: Seen) -> Vec<Arrived> {
        self.entities.insert(seen.tenant, seen.entities);
        let mut arrived = Vec::new();
        for workspace in seen.workspaces {
            self.settled.insert(workspace.clone());
            match self.events.remove(&workspace) {
                Some(event) => arrived.push(self.arrived(workspace, event, seen.at)),
                None => drop(self.sightings.insert(workspace, seen.at)),
            }
        }
        arrived
    }

    fn arrived(&mut self, workspace: String, event: Instant, seen: Instant) -> Arrived {
        let latency = seen.saturating_duration_since(event);
        let ms = u64::try_from(latency.as_millis()).unwrap_or(LATENCY_MS_MAX).clamp(1, LATENCY_MS_MAX);
        self.latency_ms.saturating_record(ms);
        Arrived { workspace, latency }
    }
}

/// Watches until the first sync is whole.
pub async fn first_sync(
    world: &World,
    reports: broadcast::Receiver<SyncEnded>,
    with_bar: bool,
) -> anyhow::Result<Watched> {
    let mut watched = Watched::new(world, reports)?;
    let total = world.workspaces.len();
    let target = if with_bar { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(u64::try_from(total).ok(), target);
    if let Ok(style) =
        ProgressStyle::with_template("first sync {bar:40} {pos}/{len} workspaces · {msg} · {elapsed}")
    {
        bar.set_style(style);
    }
    let whole = |watched: &Watched| {
        world.workspaces.iter().all(|it| watched.settled.contains(&it.id)) && watched.events.is_empty()
    };
    while !whole(&watched) {
        tokio::select! {
            report = watched.reports.recv() => match report {
                Ok(sync) => drop(watched.report(&sync)),
                Err(RecvError::Lagged(_)) => tracing::warn!("reports were lost: the summary counts too little"),
                Err(RecvError::Closed) => anyhow::bail!("the engine stopped: see the log"),
            },
            seen = watched.followers.seen.recv() => match seen {
                Some(seen) => drop(watched.sight(seen)),
                None => anyhow::bail!("the feed's followers stopped"),
            },
        }
        bar.set_position(u64::try_from(watched.settled.len()).unwrap_or(0));
        bar.set_message(format!("{} entities", watched.entities()));
    }
    bar.finish_and_clear();
    watched.took = watched.started.elapsed();
    Ok(watched)
}
