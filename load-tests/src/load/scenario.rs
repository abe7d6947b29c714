//! A scenario: what is loaded, how hard, and what goes on beside it. A file in `load-tests/scenarios`.
//!
//! Must never hold an address: the same scenario runs on this machine and elsewhere.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

/// A scenario.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its file's name.
    #[serde(default)]
    pub name: String,
    /// In a sentence.
    pub about: String,
    /// Organizations, each a tenant.
    pub tenants: usize,
    /// Workspaces of each.
    pub workspaces: usize,
    /// Resources of a usual state.
    pub resources: u32,
    /// Large states among the first tenant's.
    #[serde(default)]
    pub giants: Option<Giants>,
    /// Replicas of the program, where it is started here.
    pub replicas: usize,
    /// Partitions of the topics, where they are made here.
    #[serde(default = "partitions")]
    pub partitions: u16,
    /// Further records that fit nobody, in a hundred events.
    #[serde(default)]
    pub poison_percent: u32,
    /// The last replica is stopped or started again this often.
    #[serde(default)]
    pub restart_every_s: Option<u64>,
    /// Requests that the simulator allows a user in a second. The default leaves the upstream's wait out of the figures.
    #[serde(default = "unlimited")]
    pub upstream_requests_per_second: u32,
    /// Whether all tenants' tokens are one user's, and draw from one budget.
    #[serde(default)]
    pub one_user: bool,
    /// What is sent, one phase after the other.
    pub phases: Vec<Phase>,
}

/// Large states.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Giants {
    /// How many workspaces have one.
    pub workspaces: usize,
    /// How large.
    pub bytes: u64,
}

/// A part of a run with rates of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// For the report.
    pub name: String,
    /// How long.
    pub seconds: f64,
    /// Of all tenants together, the noise left out.
    pub events_per_second: f64,
    /// The first tenant sends this many times as much as each of the others.
    #[serde(default = "alike")]
    pub noisy_factor: f64,
}

fn partitions() -> u16 {
    8
}

fn unlimited() -> u32 {
    100_000
}

fn alike() -> f64 {
    1.0
}

impl Scenario {
    /// Reads one.
    ///
    /// # Errors
    /// When the file cannot be read, or is no scenario.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut scenario: Self =
            serde_norway::from_str(&text).with_context(|| format!("{} is no scenario", path.display()))?;
        scenario.name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        scenario.check().with_context(|| path.display().to_string())?;
        Ok(scenario)
    }

    fn check(&self) -> Result<()> {
        ensure!((1..=10_000).contains(&self.tenants), "tenants: expected 1 to 10000");
        ensure!((1..=100_000).contains(&self.workspaces), "workspaces: expected 1 to 100000");
        ensure!((1..=16).contains(&self.replicas), "replicas: expected 1 to 16");
        ensure!(!self.phases.is_empty(), "phases: expected at least one");
        for phase in &self.phases {
            let fits = phase.seconds > 0.0 && phase.events_per_second > 0.0 && phase.noisy_factor > 0.0;
            ensure!(fits, "phase {}: expected times and rates above 0", phase.name);
        }
        Ok(())
    }

    /// Events a second of a tenant in a phase.
    #[must_use]
    pub fn rate(&self, phase: &Phase, tenant: usize) -> f64 {
        let tenants = u32::try_from(self.tenants).unwrap_or(u32::MAX);
        let usual = phase.events_per_second / f64::from(tenants);
        if tenant == 0 { usual * phase.noisy_factor } else { usual }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_that_is_shipped_can_be_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let mut names: Vec<String> = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let scenario = Scenario::read(&entry.unwrap().path()).unwrap();
            names.push(scenario.name);
        }
        names.sort_unstable();
        let expected = ["burst", "giant-states", "noisy-neighbour", "poison", "rebalance", "steady"];
        assert_eq!(names, expected);
    }

    #[test]
    fn noise_is_one_tenants_alone() {
        let phase = Phase { name: "p".into(), seconds: 1.0, events_per_second: 10.0, noisy_factor: 100.0 };
        let text = "about: a\ntenants: 10\nworkspaces: 1\nresources: 1\nreplicas: 1\nphases: []";
        let scenario: Scenario = serde_norway::from_str(text).unwrap();
        assert!(scenario.check().is_err(), "no phase");
        assert_eq!((scenario.rate(&phase, 0), scenario.rate(&phase, 1)), (100.0, 1.0));
    }
}
