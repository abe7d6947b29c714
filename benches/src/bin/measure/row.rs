//! The rows of issue 4's table of measures, and how one is told: a line of JSON.
//!
//! Must never round a figure towards its target.

use std::io::Write;

use serde_json::{Map, Value, json};

/// Which side of a target is good.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// Less than the target, or it.
    Less,
    /// More than the target, or it.
    More,
}

/// A row: what is measured, and what it shall be.
pub struct Row {
    /// What `ROW=` names.
    pub name: &'static str,
    /// What the value counts.
    pub unit: &'static str,
    /// Has to be met.
    pub must: f64,
    /// Shall be met.
    pub aim: f64,
    /// Which side is good.
    pub better: Better,
    /// In a few words.
    pub about: &'static str,
}

/// All rows, in the order of the table.
pub const ROWS: &[Row] = &[
    Row {
        name: "one-partition",
        unit: "s",
        must: 1.0,
        aim: 0.35,
        better: Better::Less,
        about: "10,000 messages of 0 to 5 ms on one partition, 1,000 keys, at most 100 at once",
    },
    Row {
        name: "unchanged",
        unit: "records/s",
        must: 50_000.0,
        aim: 300_000.0,
        better: Better::More,
        about: "records that change nothing: their serial is served already",
    },
    Row {
        name: "entities",
        unit: "entities/s",
        must: 3_000.0,
        aim: 12_000.0,
        better: Better::More,
        about: "changed entities committed to Postgres with their states' audit rows",
    },
    Row {
        name: "latency",
        unit: "ms",
        must: 150.0,
        aim: 50.0,
        better: Better::Less,
        about: "99th percentile from an event's intended time to the feed at half load, upstream wait excluded",
    },
    Row {
        name: "failover",
        unit: "s",
        must: 5.0,
        aim: 3.5,
        better: Better::Less,
        about: "replica killed until its partitions are served again; the session timeout is 3 s",
    },
    Row {
        name: "idle",
        unit: "bytes",
        must: 1e9,
        aim: 512e6,
        better: Better::Less,
        about: "resident memory with 1,000,000 known workspaces, idle, each of which had an event in this process",
    },
    Row {
        name: "noisy",
        unit: "%",
        must: 50.0,
        aim: 10.0,
        better: Better::Less,
        about: "how much the others' 99th percentile grows beside a tenant that sends 100 times as much, under the default budgets",
    },
    Row {
        name: "soak",
        unit: "%",
        must: 10.0,
        aim: 5.0,
        better: Better::Less,
        about: "how far resident memory strays from its middle at 10 times what the upstream lets through",
    },
    Row {
        name: "budget",
        unit: "requests too many",
        must: 0.0,
        aim: 0.0,
        better: Better::Less,
        about: "requests above 30 in the busiest sliding second at the simulator: 4 replicas, kills, a backlog",
    },
];

/// What a row came to.
pub struct Measured {
    /// In the row's unit.
    pub value: f64,
    /// The settings that it was measured under, as the servers tell them.
    pub settings: Value,
    /// Further figures.
    pub details: Map<String, Value>,
}

impl Row {
    /// Whether a value is on the good side of a target.
    fn meets(&self, value: f64, target: f64) -> bool {
        match self.better {
            Better::Less => value <= target,
            Better::More => value >= target,
        }
    }

    /// Tells what it came to, as one line of JSON on standard output; whether what must be is met.
    pub fn tell(&self, measured: Measured) -> anyhow::Result<bool> {
        let met = self.meets(measured.value, self.must);
        let mut line = json!({
            "row": self.name,
            "value": measured.value,
            "unit": self.unit,
            "must": self.must,
            "aim": self.aim,
            "met": met,
            "aim_met": self.meets(measured.value, self.aim),
            "load": load(),
            "settings": measured.settings,
        });
        if let Value::Object(line) = &mut line {
            line.extend(measured.details);
        }
        writeln!(std::io::stdout(), "{line}")?;
        Ok(met)
    }
}

/// The machine's load averages: a figure says little on a machine that has other things to do.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_met_on_its_good_side_and_exactly() {
        let cases = [("one-partition", 1.0, true), ("one-partition", 1.01, false)];
        let more = [("unchanged", 50_000.0, true), ("unchanged", 49_999.0, false)];
        for (name, value, met) in cases.into_iter().chain(more) {
            let row = ROWS.iter().find(|row| row.name == name).unwrap();
            assert_eq!(row.meets(value, row.must), met, "{name} {value}");
        }
        assert!(ROWS.iter().all(|row| row.meets(row.aim, row.must)), "who meets the aim meets what must be");
    }
}
