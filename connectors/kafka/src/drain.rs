//! When a partition that the group asks back may go.
//!
//! Pure. Must never hold the group up beyond its deadline: all members wait for the last one.

use std::time::Instant;

use crate::{RawRecord, TopicPartition};

/// Partitions that are asked back, all by one rebalance.
pub(crate) struct Drain {
    pub(crate) partitions: Vec<TopicPartition>,
    pub(crate) until: Instant,
}

impl Drain {
    /// `unsettled` partitions have records that were handed over and not settled. When the assignment is lost, others
    /// may work on them already: there is nothing to wait for.
    pub(crate) fn is_over(&self, now: Instant, unsettled: usize, lost: bool) -> bool {
        unsettled == 0 || lost || now >= self.until
    }

    pub(crate) fn is_of(&self, record: &RawRecord) -> bool {
        self.partitions.iter().any(|at| at.partition == record.partition && at.topic == record.topic)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_drain_ends_with_its_work_its_time_or_its_assignment() {
        let begun = Instant::now();
        let drain = Drain { partitions: vec![], until: begun + Duration::from_secs(3) };
        let cases = [
            ("nothing was handed over", 0, 0, false, true),
            ("work is left", 0, 2, false, false),
            ("the last is settled", 1, 0, false, true),
            ("just before the deadline", 2999, 1, false, false),
            ("at the deadline", 3000, 1, false, true),
            ("the session is over", 1, 1, true, true),
        ];
        for (name, after_ms, unsettled, lost, expected) in cases {
            let now = begun + Duration::from_millis(after_ms);
            assert_eq!(drain.is_over(now, unsettled, lost), expected, "{name}");
        }
    }
}
