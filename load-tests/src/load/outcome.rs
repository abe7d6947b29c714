//! What came of a run: by phase, and second by second.
//!
//! Latency is from the time at which an event was meant to be sent, so that a producer that was held up hides nothing
//! (coordinated omission). Must never leave out an event that was not seen.

use std::collections::BTreeMap;

use anyhow::Result;
use hdrhistogram::Histogram;
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use super::scenario::Scenario;
use super::visible::Arrived;

/// Longest latency that is told apart, in microseconds: an hour.
const LATENCY_US_MAX: u64 = 3_600_000_000;
/// Percentiles of the plots, in a hundred.
const PLOTTED: [f64; 12] = [0.0, 25.0, 50.0, 75.0, 90.0, 95.0, 98.0, 99.0, 99.5, 99.9, 99.99, 100.0];

/// What came of a phase.
#[derive(Debug, Clone, Serialize)]
pub struct PhaseOutcome {
    /// Its name.
    pub name: String,
    /// How long events were sent.
    pub seconds: f64,
    /// Events that are on the topic.
    pub sent: u64,
    /// Events that were due and could not be sent.
    pub not_sent: u64,
    /// Events that the feed shows.
    pub visible: u64,
    /// From the intended time to the feed, in milliseconds.
    pub latency_ms: Latency,
    /// The same without the first tenant, which is the noisy one where there is one.
    pub others_latency_ms: Latency,
    /// Percentile and milliseconds.
    pub distribution: Vec<(f64, f64)>,
}

/// Percentiles in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Latency {
    /// In the middle.
    pub p50: f64,
    /// Nine of ten are below.
    pub p90: f64,
    /// 99 of a hundred.
    pub p99: f64,
    /// 999 of a thousand.
    pub p999: f64,
    /// The longest.
    pub max: f64,
}

/// One second of a run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Sample {
    /// Seconds since the run began.
    pub second: u64,
    /// Events that were meant for this second.
    pub due: u64,
    /// Events that became visible in this second.
    pub visible: u64,
    /// Of the events that were meant for this second, in milliseconds; 0 when none is visible.
    pub p50_ms: f64,
    /// The same.
    pub p99_ms: f64,
    /// Resident bytes of each replica.
    pub resident_bytes: Vec<u64>,
}

/// What came of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Which scenario.
    pub scenario: Scenario,
    /// By phase.
    pub phases: Vec<PhaseOutcome>,
    /// Second by second.
    pub samples: Vec<Sample>,
    /// What made things durable, as the servers tell it.
    pub settings: Value,
}

struct Record {
    name: String,
    began: Option<Instant>,
    ended: Option<Instant>,
    sent: u64,
    not_sent: u64,
    noisy: Histogram<u64>,
    others: Histogram<u64>,
}

#[derive(Default)]
struct Second {
    due: u64,
    visible: u64,
    /// Milliseconds.
    latencies: Vec<u32>,
    resident: Vec<u64>,
}

/// Gathers.
pub(super) struct Recorder {
    began: Instant,
    phases: Vec<Record>,
    seconds: BTreeMap<u64, Second>,
}

impl Recorder {
    pub(super) fn new(scenario: &Scenario, began: Instant) -> Result<Self> {
        let record = |name: &String| {
            let histogram = || Histogram::new_with_bounds(1, LATENCY_US_MAX, 3);
            Ok(Record {
                name: name.clone(),
                began: None,
                ended: None,
                sent: 0,
                not_sent: 0,
                noisy: histogram()?,
                others: histogram()?,
            })
        };
        let phases = scenario.phases.iter().map(|phase| record(&phase.name)).collect::<Result<_>>()?;
        Ok(Self { began, phases, seconds: BTreeMap::new() })
    }

    pub(super) fn phase_begins(&mut self, number: usize, now: Instant) {
        if let Some(phase) = self.phases.get_mut(number) {
            phase.began.get_or_insert(now);
        }
    }

    pub(super) fn phase_ends(&mut self, number: usize, now: Instant) {
        if let Some(phase) = self.phases.get_mut(number) {
            phase.ended = Some(now);
        }
    }

    pub(super) fn sent(&mut self, phase: usize, _tenant: usize, intended: Instant) {
        self.second(intended).due += 1;
        if let Some(phase) = self.phases.get_mut(phase) {
            phase.sent += 1;
        }
    }

    pub(super) fn not_sent(&mut self, phase: usize, _tenant: usize, intended: Instant) {
        self.second(intended).due += 1;
        if let Some(phase) = self.phases.get_mut(phase) {
            phase.not_sent += 1;
        }
    }

    pub(super) fn arrived(&mut self, one: &Arrived) {
        let latency = one.seen.saturating_duration_since(one.intended);
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX).clamp(1, LATENCY_US_MAX);
        self.second(one.seen).visible += 1;
        self.second(one.intended).latencies.push(u32::try_from(latency.as_millis()).unwrap_or(u32::MAX));
        if let Some(phase) = self.phases.get_mut(one.phase) {
            let histogram = if one.tenant == 0 { &mut phase.noisy } else { &mut phase.others };
            histogram.saturating_record(micros);
        }
    }

    pub(super) fn resident(&mut self, bytes: &[u64], now: Instant) {
        self.second(now).resident = bytes.to_vec();
    }

    pub(super) fn arrived_in_all(&self) -> u64 {
        self.phases.iter().map(|phase| phase.noisy.len() + phase.others.len()).sum()
    }

    fn second(&mut self, at: Instant) -> &mut Second {
        self.seconds.entry(at.saturating_duration_since(self.began).as_secs()).or_default()
    }

    pub(super) fn outcome(&self, scenario: &Scenario, settings: Value) -> Outcome {
        Outcome {
            scenario: scenario.clone(),
            phases: self.phases.iter().map(phase_outcome).collect(),
            samples: self.seconds.iter().map(|(second, of)| sample(*second, of)).collect(),
            settings,
        }
    }
}

fn phase_outcome(record: &Record) -> PhaseOutcome {
    let mut all = record.others.clone();
    // The same bounds: nothing is left out.
    let _ = all.add(&record.noisy);
    let seconds = match (record.began, record.ended) {
        (Some(began), Some(ended)) => ended.saturating_duration_since(began).as_secs_f64(),
        _ => 0.0,
    };
    PhaseOutcome {
        name: record.name.clone(),
        seconds,
        sent: record.sent,
        not_sent: record.not_sent,
        visible: all.len(),
        latency_ms: latency(&all),
        others_latency_ms: latency(&record.others),
        distribution: PLOTTED.iter().map(|percent| (*percent, at(&all, *percent))).collect(),
    }
}

fn latency(histogram: &Histogram<u64>) -> Latency {
    Latency {
        p50: at(histogram, 50.0),
        p90: at(histogram, 90.0),
        p99: at(histogram, 99.0),
        p999: at(histogram, 99.9),
        max: at(histogram, 100.0),
    }
}

fn at(histogram: &Histogram<u64>, percent: f64) -> f64 {
    let micros = histogram.value_at_quantile(percent / 100.0);
    f64::from(u32::try_from(micros).unwrap_or(u32::MAX)) / 1e3
}

fn sample(second: u64, of: &Second) -> Sample {
    let mut sorted = of.latencies.clone();
    sorted.sort_unstable();
    let part = |hundredths: usize| {
        let place = (sorted.len() * hundredths / 100).min(sorted.len().saturating_sub(1));
        sorted.get(place).map_or(0.0, |ms| f64::from(*ms))
    };
    Sample {
        second,
        due: of.due,
        visible: of.visible,
        p50_ms: part(50),
        p99_ms: part(99),
        resident_bytes: of.resident.clone(),
    }
}
