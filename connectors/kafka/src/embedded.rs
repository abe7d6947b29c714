//! Kafka in the process: librdkafka's mock cluster, a real TCP listener that any Kafka client can use.
//!
//! For the demo and for tests. Keeps at most 5 MiB a partition, in memory only, and proves nothing about brokers.

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use crate::{KafkaError, KafkaErrorKind, TOPICS};

/// An in-process Kafka with the three topics. Ends when dropped.
pub struct EmbeddedKafka {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl EmbeddedKafka {
    /// Starts one broker on a free port of the loopback interface and makes the topics with `partitions` each.
    ///
    /// # Errors
    /// [`KafkaErrorKind::Unavailable`] when it cannot listen; [`KafkaErrorKind::Topic`] for a bad partition count.
    pub fn start(partitions: i32) -> Result<Self, KafkaError> {
        const WHAT: &str = "cannot start the in-process kafka";
        if !(1..=1000).contains(&partitions) {
            return Err(KafkaError::new(
                KafkaErrorKind::Topic,
                WHAT,
                "partitions must be between 1 and 1000",
            ));
        }
        let cluster = MockCluster::new(1).map_err(|error| KafkaError::native(WHAT, &error))?;
        for topic in TOPICS {
            cluster.create_topic(topic, partitions, 1).map_err(|error| KafkaError::native(WHAT, &error))?;
        }
        Ok(Self { cluster })
    }

    /// `host:port` of the listener.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        self.cluster.bootstrap_servers()
    }

    /// Takes the broker off the network: clients see refused connections.
    ///
    /// # Errors
    /// [`KafkaError`] when librdkafka refuses.
    pub fn take_down(&self) -> Result<(), KafkaError> {
        self.cluster.broker_down(1).map_err(|error| KafkaError::native("cannot take the broker down", &error))
    }

    /// Brings the broker back.
    ///
    /// # Errors
    /// [`KafkaError`] when librdkafka refuses.
    pub fn bring_up(&self) -> Result<(), KafkaError> {
        self.cluster.broker_up(1).map_err(|error| KafkaError::native("cannot bring the broker up", &error))
    }
}
