//! The demo's summary: figures that were seen, for people or as one line of JSON.

use std::collections::BTreeMap;

use serde::Serialize;
use terrasift_schemas::detection::Category;

use super::sync::Watched;
use super::world::World;

/// The summary of the first full sync.
#[derive(Serialize)]
pub struct Summary {
    tenants: usize,
    workspaces: usize,
    /// State files that were streamed.
    states: u64,
    /// Bytes of state that were streamed.
    bytes: u64,
    /// Entities in the feed.
    entities: usize,
    detections: BTreeMap<Category, u64>,
    event_to_feed_ms: Latency,
    /// Syncs that ended as dead letters, by reason.
    parked: BTreeMap<&'static str, u64>,
    seconds: f64,
    canaries_planted: usize,
    canaries_found: usize,
}

#[derive(Serialize)]
struct Latency {
    p50: u64,
    p99: u64,
}

impl Summary {
    /// Sums up.
    pub fn new(world: &World, watched: &Watched, planted: usize, found: usize) -> Self {
        Self {
            tenants: world.tenants.len(),
            workspaces: world.workspaces.len(),
            states: watched.states,
            bytes: watched.bytes,
            entities: watched.entities(),
            detections: watched.detections.clone(),
            event_to_feed_ms: Latency {
                p50: watched.latency_ms.value_at_quantile(0.5),
                p99: watched.latency_ms.value_at_quantile(0.99),
            },
            parked: watched.parked.clone(),
            seconds: watched.took.as_secs_f64(),
            canaries_planted: planted,
            canaries_found: found,
        }
    }

    /// Prints it to standard output.
    #[expect(clippy::print_stdout, reason = "the command line's own voice")]
    pub fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            println!("{}", serde_json::to_string(self)?);
            return Ok(());
        }
        let detections: Vec<String> =
            self.detections.iter().map(|(c, n)| format!("{n} {}", c.as_str())).collect();
        println!("{} tenants, {} workspaces, {} states", self.tenants, self.workspaces, self.states);
        println!("  {:>9} bytes of state streamed in {:.1} s", self.bytes, self.seconds);
        println!("  {:>9} entities in the feed", self.entities);
        println!("  redacted: {}", detections.join(", "));
        println!(
            "  event → feed: p50 {} ms, p99 {} ms",
            self.event_to_feed_ms.p50, self.event_to_feed_ms.p99
        );
        for (reason, count) in &self.parked {
            println!("  parked for review: {count} ({reason})");
        }
        println!("  planted secrets: {}, found outside: {}", self.canaries_planted, self.canaries_found);
        Ok(())
    }
}
