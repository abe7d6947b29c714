//! A run from the empty database to the report.
//!
//! Must never report a figure of a run in which a connection was not there.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _};
use hdrhistogram::Histogram;
use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::database::{self, Buckets};
use super::feed::{self, Read};
use super::mix::Reader;
use super::seed::Seeded;
use super::site::Site;
use super::timetable::{self, Seen};

/// Connections that are opened at once.
const OPENING_AT_ONCE: usize = 128;
/// Files beside the connections: the runtime's, pipes, Kafka.
const OTHER_FILES: u64 = 500;

/// What to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The program.
    pub binary: PathBuf,
    /// Where its configuration and its log go; made when missing.
    pub folder: PathBuf,
    /// Connections that are held open.
    pub connections: u32,
    /// Requests a second.
    pub rps: u32,
    /// How long.
    pub seconds: u32,
    /// Tenants; connections are spread over them evenly.
    pub tenants: u32,
    /// Entities of all tenants together; at least as many as tenants.
    pub entities: u32,
    /// Entities of the first tenant, whose feed is read as a whole; at most a half of all.
    pub largest: u32,
    /// Draws who asks what.
    pub seed: u64,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Report {
    /// Answers that are not what they must be.
    pub errors: u64,
    /// Of these, answers with something of another tenant.
    pub foreign: u64,
    /// Whether what must be is met: 200 ms, 100 ms, 5 s, 20 ms, no error, all connections there at the end.
    pub met: bool,
    /// The line.
    pub line: Value,
}

/// Runs it; `step` hears what is done.
///
/// # Errors
/// When a server does not come up, a connection cannot be opened, or the feed is not whole.
pub async fn run(plan: &Plan, step: &(dyn Fn(&str) + Sync)) -> Result<Report> {
    ensure!(plan.tenants > 1 && plan.largest <= plan.entities / 2, "the largest tenant has at most a half");
    ensure!(plan.entities - plan.largest >= plan.tenants, "every tenant has an entity");
    raise_file_limit(u64::from(plan.connections) + OTHER_FILES)?;
    // For the client of probes and scrapes. That one is chosen already is no error.
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    let (tenants, entities) = (u64::from(plan.tenants), u64::from(plan.entities));
    let tenants = Seeded::all(tenants, entities, u64::from(plan.largest));
    let site = Site::start(&plan.binary, &plan.folder, tenants, plan.connections, step).await?;
    let before_bytes = site.replica.resident_bytes();
    step("opening connections");
    let begin = Instant::now();
    let readers = open(&site, plan.connections).await?;
    let opened_s = begin.elapsed().as_secs_f64();
    step("keeping the timetable");
    let before = scrape(&site).await?;
    let requests = u64::from(plan.rps) * u64::from(plan.seconds);
    let seen = timetable::keep(&readers, plan.rps, requests, plan.seed).await?;
    let (after, load) = (scrape(&site).await?, load_average());
    let mut open_at_end = 0;
    for reader in &readers {
        open_at_end += u64::from(reader.lock().await.is_open());
    }
    let after_bytes = site.replica.resident_bytes();
    step("reading the largest feed");
    let largest = site.tenants.first().zip(site.keys.first()).context("there is no tenant")?;
    let read = feed::read(site.port, largest.1, largest.0).await?;
    let settings = site.settings().await?;
    drop(readers);
    site.stop().await;
    let figures = Figures {
        seen: &seen,
        read: &read,
        database: database::between(&before, &after),
        open_at_end,
        opened_s,
        memory_bytes: (before_bytes, after_bytes),
        settings,
        load,
    };
    Ok(figures.report(plan))
}

/// One reader a connection; the tenants in turn.
async fn open(site: &Site, connections: u32) -> Result<Vec<Arc<Mutex<Reader>>>> {
    let whose = site.tenants.iter().zip(&site.keys).cycle();
    let opening = futures_util::stream::iter((0..u64::from(connections)).zip(whose));
    let opening = opening
        .map(|(number, (tenant, key))| Reader::open(site.port, key, tenant, number.wrapping_mul(7919)));
    opening
        .buffer_unordered(OPENING_AT_ONCE)
        .map_ok(|reader| Arc::new(Mutex::new(reader)))
        .try_collect()
        .await
}

async fn scrape(site: &Site) -> Result<Buckets> {
    let page = site.replica.metrics().await.context("the program's metrics do not answer")?;
    let buckets = database::buckets(&page);
    ensure!(!buckets.is_empty(), "the program tells nothing about its database");
    Ok(buckets)
}

/// As many files as this process may have; the program inherits the limit.
fn raise_file_limit(wanted: u64) -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    if let Some(most) = limit.maximum {
        ensure!(
            most >= wanted,
            "this process may open {most} files, and needs {wanted}: raise the hard limit"
        );
    }
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).context("cannot raise the limit of open files")
}

struct Figures<'a> {
    seen: &'a Seen,
    read: &'a Read,
    database: Buckets,
    open_at_end: u64,
    opened_s: f64,
    memory_bytes: (Option<u64>, Option<u64>),
    settings: Vec<(String, String)>,
    load: String,
}

impl Figures<'_> {
    fn report(&self, plan: &Plan) -> Report {
        let errors: u64 = self.seen.wrong.values().sum();
        let (p95_ms, snapshot_s) = (ms(&self.seen.latency_us, 95.0), self.read.snapshot.as_secs_f64());
        let delta_ms = ms(&self.read.delta_us, 95.0);
        let db_p95_ms = database::percentile_s(&database::together(&self.database), 95).map(|s| s * 1e3);
        let all_open = self.open_at_end == u64::from(plan.connections);
        let quick = p95_ms < 200.0 && db_p95_ms.is_some_and(|ms| ms < 100.0);
        let met = errors == 0 && all_open && quick && snapshot_s <= 5.0 && delta_ms <= 20.0;
        let line = json!({
            "connections": self.open_at_end,
            "rps": round(per_second(self.seen.latency_us.len(), self.seen.took.as_secs_f64())),
            "p50_ms": round(ms(&self.seen.latency_us, 50.0)),
            "p95_ms": round(p95_ms),
            "p99_ms": round(ms(&self.seen.latency_us, 99.0)),
            "errors": errors,
            "db_p95_ms": db_p95_ms.map(round),
            "met": met,
            "max_ms": round(ms(&self.seen.latency_us, 100.0)),
            "snapshot_s": round(snapshot_s),
            "snapshot_pages": self.read.snapshot_pages,
            "delta_page_p50_ms": round(ms(&self.read.delta_us, 50.0)),
            "delta_page_p95_ms": round(delta_ms),
            "delta_pages": self.read.delta_us.len(),
            "by_request_p95_ms": self.by_ask(),
            "by_question_p95_ms": self.by_operation(),
            "errors_by_kind": self.seen.wrong.iter().map(|(wrong, count)| (wrong.name().to_owned(), json!(count)))
                .collect::<Map<_, _>>(),
            "opened_per_second": round(per_second(u64::from(plan.connections), self.opened_s)),
            "resident_mib_before_and_after": [mib(self.memory_bytes.0), mib(self.memory_bytes.1)],
            "tenants": plan.tenants, "entities": plan.entities, "largest": plan.largest,
            "seconds": plan.seconds, "seed": plan.seed,
            "settings": self.settings.iter().map(|(name, value)| (name.clone(), json!(value))).collect::<Map<_, _>>(),
            "load": self.load,
        });
        let foreign = self.seen.wrong.get(&super::answer::Wrong::Foreign).copied().unwrap_or(0);
        Report { errors, foreign, met, line }
    }

    fn by_ask(&self) -> Map<String, Value> {
        let of = self.seen.by_ask.iter();
        of.map(|(ask, latency)| (ask.name().to_owned(), json!(round(ms(latency, 95.0))))).collect()
    }

    fn by_operation(&self) -> Map<String, Value> {
        let of = self.database.iter();
        of.map(|(operation, buckets)| {
            let p95 = database::percentile_s(buckets, 95).map(|s| round(s * 1e3));
            (operation.clone(), json!(p95))
        })
        .collect()
    }
}

fn ms(latency_us: &Histogram<u64>, percent: f64) -> f64 {
    float(latency_us.value_at_percentile(percent)) / 1e3
}

fn per_second(count: u64, seconds: f64) -> f64 {
    float(count) / seconds.max(f64::EPSILON)
}

fn float(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn mib(bytes: Option<u64>) -> Option<u64> {
    bytes.map(|bytes| bytes >> 20)
}

/// A figure says little on a machine that has other things to do.
fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}
