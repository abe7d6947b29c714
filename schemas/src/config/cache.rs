//! `cache:` what the API keeps of what it read.

use serde::{Deserialize, Serialize};

/// Longest that anything is kept: what nobody reads any more is to give its room back within a day.
const TTL_S_MAX: u64 = 86_400;

/// `cache:`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// Whether anything is kept.
    pub enabled: bool,
    /// Reference to the address of a Redis that replicas share it in; absent: each keeps its own in memory.
    #[serde(default)]
    pub url: Option<String>,
    /// Seconds that an entity is kept, and what is counted of entities.
    pub entity_s: u64,
    /// Seconds that the status of workspaces is kept.
    pub workspace_s: u64,
    /// MiB in this process, without `url`.
    pub memory_mib: usize,
}

impl Cache {
    pub(super) fn problems(&self, wrong: &mut impl FnMut(&str, &str)) {
        for (place, seconds) in [("cache.entity_s", self.entity_s), ("cache.workspace_s", self.workspace_s)] {
            if !(1..=TTL_S_MAX).contains(&seconds) {
                wrong(place, "not within 1 and 86400");
            }
        }
        if self.memory_mib == 0 {
            wrong("cache.memory_mib", "too small: to keep nothing, set cache.enabled to false");
        }
    }
}
