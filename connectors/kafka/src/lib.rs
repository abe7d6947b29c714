//! Kafka: a producer that is sure, a consumer that never stops polling, and an in-process listener for demo and tests.
//!
//! Owns topics, offsets and rebalances. Must never read what a record means, nor put a record's key, headers or value
//! into an error or a log: they belong to tenants.

mod config;
mod consumer;
mod drain;
mod embedded;
mod error;
mod intake;
mod journal;
mod listener;
mod login;
mod polling;
mod private;
mod producer;
mod progress;
mod record;
mod topic_check;
mod topics;

pub use config::{ClientCertificate, KafkaConfig, Login, Security};
pub use consumer::{Consumer, IntakeEvent};
pub use embedded::EmbeddedKafka;
pub use error::{KafkaError, KafkaErrorKind};
pub use private::{ClusterPlan, PrivateKafka};
pub use producer::Producer;
pub use record::{RawRecord, TopicPartition};
pub use topic_check::TopicMismatch;
pub use topics::{DEAD_LETTER_RETENTION, EVENT_RETENTION, TOPICS, check_topics, durability, ensure_topics};
