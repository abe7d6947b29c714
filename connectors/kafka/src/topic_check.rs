//! Whether a topic that exists is as it must be, and how to mend it.
//!
//! Pure. Must never ask for a change that loses records.

use std::collections::BTreeMap;
use std::fmt;

/// A topic that exists and differs from what is documented or configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicMismatch {
    /// Which.
    pub topic: &'static str,
    /// What is, what should be, and how to mend it.
    pub problem: String,
}

impl fmt::Display for TopicMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "topic {}: {}", self.topic, self.problem)
    }
}

/// What a topic should be.
pub(crate) struct Expected {
    pub(crate) topic: &'static str,
    pub(crate) partitions: usize,
    pub(crate) replication: usize,
    pub(crate) retention_ms: u128,
}

/// What a topic is. `settings` is empty where brokers do not tell.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) partitions: usize,
    /// Of the partition with the fewest.
    pub(crate) replication: usize,
    pub(crate) settings: BTreeMap<String, String>,
}

/// In-sync replicas that a topic with so many replicas should insist on: one fewer, so that the loss of one stops nothing.
pub(crate) fn in_sync_min(replication: usize) -> usize {
    replication.saturating_sub(1).clamp(1, 2)
}

/// All that differs. More partitions than configured are fine: topics grow.
pub(crate) fn compare(expected: &Expected, found: &Found) -> Vec<TopicMismatch> {
    let mut problems = Vec::new();
    if found.partitions < expected.partitions {
        problems.push(format!(
            "has {} partitions, configured are {}: add some (`kafka-topics.sh --alter --partitions {}`), or lower kafka.partitions",
            found.partitions, expected.partitions, expected.partitions
        ));
    }
    if found.replication < expected.replication {
        problems.push(format!(
            "has {} replicas, configured are {}: reassign its partitions (`kafka-reassign-partitions.sh`), or lower kafka.replication",
            found.replication, expected.replication
        ));
    }
    let mut setting = |name: &str, fits: &dyn Fn(&str) -> bool, wanted: &str, why: &str| {
        if let Some(value) = found.settings.get(name).filter(|value| !fits(value)) {
            problems.push(format!(
                "{name} is {value}, {why}: set it (`kafka-configs.sh --alter --entity-type topics --add-config {name}={wanted}`)"
            ));
        }
    };
    let retention = expected.retention_ms.to_string();
    setting("retention.ms", &|value| value == retention, &retention, "which is not the documented retention");
    setting(
        "cleanup.policy",
        &|value| value == "delete",
        "delete",
        "so that events of one workspace replace each other",
    );
    setting(
        "unclean.leader.election.enable",
        &|value| value == "false",
        "false",
        "so that acknowledged records can be lost",
    );
    let in_sync = in_sync_min(found.replication);
    setting(
        "min.insync.replicas",
        &|value| value.parse().is_ok_and(|value: usize| value >= in_sync),
        &in_sync.to_string(),
        "so that a record counts as sent with fewer copies than one may lose",
    );
    problems.into_iter().map(|problem| TopicMismatch { topic: expected.topic, problem }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mismatch_is_told_with_its_mend() {
        const DAY: &str = "86400000";
        let expected = Expected { topic: "t", partitions: 24, replication: 3, retention_ms: 86_400_000 };
        /// Name, partitions, replicas, settings; texts of which each is told.
        type Case =
            (&'static str, usize, usize, &'static [(&'static str, &'static str)], &'static [&'static str]);
        let cases: [Case; 11] = [
            ("as documented", 24, 3, &[("retention.ms", DAY), ("min.insync.replicas", "2")], &[]),
            ("brokers that tell nothing", 24, 3, &[], &[]),
            ("grown", 48, 3, &[], &[]),
            ("few partitions", 6, 3, &[], &["has 6 partitions, configured are 24", "--partitions 24"]),
            ("few replicas", 24, 1, &[("min.insync.replicas", "1")], &["has 1 replicas, configured are 3"]),
            ("short retention", 24, 3, &[("retention.ms", "1000")], &["--add-config retention.ms=86400000"]),
            ("for ever", 24, 3, &[("retention.ms", "-1")], &["retention.ms is -1"]),
            ("compacted", 24, 3, &[("cleanup.policy", "compact")], &["cleanup.policy=delete"]),
            ("unclean", 24, 3, &[("unclean.leader.election.enable", "true")], &["records can be lost"]),
            ("one copy counts", 24, 3, &[("min.insync.replicas", "1")], &["min.insync.replicas=2"]),
            ("two at once", 1, 3, &[("retention.ms", "5")], &["has 1 partitions", "retention.ms is 5"]),
        ];
        for (name, partitions, replication, settings, texts) in &cases {
            let settings = settings.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            let found = Found { partitions: *partitions, replication: *replication, settings };
            let told: Vec<String> = compare(&expected, &found).iter().map(ToString::to_string).collect();
            let all = told.join("\n");
            assert!(texts.iter().all(|text| all.contains(text)), "{name}: {all}");
            assert_eq!(told.is_empty(), texts.is_empty(), "{name}: {all}");
        }
    }
}
