//! When which connection asks what: rounds in which each connection has one turn, in a drawn order.
//!
//! Must never wait for an answer before the next question: the timetable stands before the run begins.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow};
use hdrhistogram::Histogram;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::answer::Wrong;
use super::mix::{Ask, Reader};
use crate::generator::Dice;

/// Latencies up to this are told apart: what takes longer counts as this.
const LATENCY_MAX_US: u64 = 120_000_000;

/// What the readers saw.
pub(super) struct Seen {
    pub(super) latency_us: Histogram<u64>,
    pub(super) by_ask: BTreeMap<Ask, Histogram<u64>>,
    pub(super) wrong: BTreeMap<Wrong, u64>,
    pub(super) took: Duration,
}

impl Seen {
    fn new() -> Result<Self> {
        let (by_ask, wrong) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { latency_us: histogram()?, by_ask, wrong, took: Duration::ZERO })
    }

    fn note(&mut self, done: Done) -> Result<()> {
        let latency = u64::try_from(done.latency.as_micros()).unwrap_or(u64::MAX).clamp(1, LATENCY_MAX_US);
        self.latency_us.record(latency)?;
        let of = match self.by_ask.entry(done.ask) {
            std::collections::btree_map::Entry::Occupied(of) => of.into_mut(),
            std::collections::btree_map::Entry::Vacant(of) => of.insert(histogram()?),
        };
        of.record(latency)?;
        if let Err(wrong) = done.outcome {
            *self.wrong.entry(wrong).or_default() += 1;
        }
        Ok(())
    }
}

/// A histogram of microseconds.
pub(super) fn histogram() -> Result<Histogram<u64>> {
    Histogram::new_with_bounds(1, LATENCY_MAX_US, 3).map_err(|_| anyhow!("no histogram of these bounds"))
}

struct Done {
    ask: Ask,
    latency: Duration,
    outcome: Result<(), Wrong>,
}

/// Sends `requests` at `per_second`, whatever becomes of them, and waits for all answers.
pub(super) async fn keep(
    readers: &[Arc<Mutex<Reader>>],
    per_second: u32,
    requests: u64,
    seed: u64,
) -> Result<Seen> {
    let (mut seen, mut running) = (Seen::new()?, JoinSet::new());
    let mut dice = Dice::new(seed, 81, 0, 0);
    let mut round: Vec<usize> = Vec::new();
    let every = Duration::from_secs(1) / per_second.max(1);
    let begin = Instant::now();
    let mut intended = begin;
    for _ in 0..requests {
        if round.is_empty() {
            round = shuffled(readers.len(), &mut dice);
        }
        let Some(reader) = round.pop().and_then(|at| readers.get(at)).cloned() else { break };
        let (ask, draw) = (Ask::draw(&mut dice), dice.next());
        sleep_until(intended).await;
        running.spawn(async move {
            let outcome = reader.lock().await.ask(ask, draw).await;
            Done { ask, latency: intended.elapsed(), outcome }
        });
        intended += every;
        while let Some(done) = running.try_join_next() {
            seen.note(done?)?;
        }
    }
    while let Some(done) = running.join_next().await {
        seen.note(done?)?;
    }
    seen.took = begin.elapsed();
    Ok(seen)
}

fn shuffled(count: usize, dice: &mut Dice) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        let bound = u32::try_from(last + 1).unwrap_or(u32::MAX);
        order.swap(last, usize::try_from(dice.below(bound)).unwrap_or(0));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_has_each_connection_once() {
        let mut order = shuffled(1_000, &mut Dice::new(1, 81, 0, 0));
        assert_ne!(order, (0..1_000).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..1_000).collect::<Vec<_>>());
    }
}
