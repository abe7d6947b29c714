//! What a run came to: one line of JSON.

use serde::Serialize;

/// The result of one row with one seed.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The row.
    pub row: &'static str,
    /// Its seed.
    pub seed: u64,
    /// Events that were sent, and changes that no event told of.
    pub events: usize,
    /// Workspaces, entities and records that the catalog does not show as it should.
    pub lost: usize,
    /// Effects that happened more than once.
    pub doubled: usize,
    /// Steps back.
    pub stale: usize,
    /// Planted secrets that were found outside.
    pub canaries: usize,
    /// Planted secrets that stand in the memory of a worker with nothing to do; absent where nobody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_memory: Option<usize>,
    /// Records whose offset was committed before their work was durable.
    pub offset_above_work: usize,
    /// From the fault's end until everything sent before it was visible.
    pub recovered_s: f64,
}

impl Report {
    /// Whether nothing went wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let held = self.in_memory.unwrap_or(0);
        self.lost + self.doubled + self.stale + self.canaries + held + self.offset_above_work == 0
    }
}
