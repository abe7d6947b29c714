//! Records as they come from a broker.
//!
//! Raw: what is inside belongs to a tenant, so there is no `Debug`.

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// Topic.
    pub topic: String,
    /// Partition, from 0.
    pub partition: i32,
}

impl TopicPartition {
    /// Names a partition.
    #[must_use]
    pub fn new(topic: &str, partition: i32) -> Self {
        Self { topic: topic.to_owned(), partition }
    }
}

/// A record, undecoded.
#[derive(Clone)]
pub struct RawRecord {
    /// Topic.
    pub topic: String,
    /// Partition, from 0.
    pub partition: i32,
    /// Offset, from 0.
    pub offset: i64,
    /// Key, where there is one.
    pub key: Option<Vec<u8>>,
    /// Headers in order; names can repeat; a header without a value has an empty one.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Milliseconds since the epoch, by the producer's or the broker's clock.
    pub timestamp_ms: Option<i64>,
}
