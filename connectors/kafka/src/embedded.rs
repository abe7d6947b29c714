//! Kafka in the process: librdkafka's mock cluster, a real TCP listener that any Kafka client can use.
//!
//! For the demo and for tests. Keeps at most 5 MiB a partition, in memory only, and proves nothing about brokers.

use std::sync::mpsc;
use std::thread::JoinHandle;

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use crate::{KafkaError, KafkaErrorKind, TOPICS};

/// An in-process Kafka with the three topics. Ends when dropped.
///
/// librdkafka's cluster must stay on one thread, so it gets its own.
pub struct EmbeddedKafka {
    bootstrap: String,
    orders: Option<mpsc::SyncSender<Order>>,
    thread: Option<JoinHandle<()>>,
}

enum Order {
    Down(mpsc::SyncSender<Result<(), KafkaError>>),
    Up(mpsc::SyncSender<Result<(), KafkaError>>),
}

const WHAT: &str = "cannot run the in-process kafka";

impl EmbeddedKafka {
    /// Starts one broker on a free port of the loopback interface and makes the topics with `partitions` each.
    ///
    /// # Errors
    /// [`KafkaErrorKind::Unavailable`] when it cannot listen; [`KafkaErrorKind::Topic`] for a bad partition count.
    pub fn start(partitions: i32) -> Result<Self, KafkaError> {
        if !(1..=1000).contains(&partitions) {
            return Err(KafkaError::new(
                KafkaErrorKind::Topic,
                WHAT,
                "partitions must be between 1 and 1000",
            ));
        }
        let (orders, inbox) = mpsc::sync_channel(1);
        let (ready, started) = mpsc::sync_channel(1);
        let run = move || match build(partitions) {
            Ok(cluster) => {
                if ready.send(Ok(cluster.bootstrap_servers())).is_ok() {
                    obey(&cluster, &inbox);
                }
            }
            // Who asked may be gone: then nobody is left to tell.
            Err(error) => drop(ready.send(Err(error))),
        };
        let thread = std::thread::Builder::new()
            .name("embedded-kafka".into())
            .spawn(run)
            .map_err(|_| KafkaError::new(KafkaErrorKind::Unavailable, WHAT, "no thread to be had"))?;
        let bootstrap = started.recv().map_err(|_| gone())??;
        Ok(Self { bootstrap, orders: Some(orders), thread: Some(thread) })
    }

    /// `host:port` of the listener.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        self.bootstrap.clone()
    }

    /// Takes the broker off the network: clients see refused connections.
    ///
    /// # Errors
    /// [`KafkaError`] when librdkafka refuses.
    pub fn take_down(&self) -> Result<(), KafkaError> {
        self.order(Order::Down)
    }

    /// Brings the broker back, with all its records.
    ///
    /// # Errors
    /// [`KafkaError`] when librdkafka refuses.
    pub fn bring_up(&self) -> Result<(), KafkaError> {
        self.order(Order::Up)
    }

    fn order(
        &self,
        order: impl FnOnce(mpsc::SyncSender<Result<(), KafkaError>>) -> Order,
    ) -> Result<(), KafkaError> {
        let (reply, answer) = mpsc::sync_channel(1);
        let orders = self.orders.as_ref().ok_or_else(gone)?;
        orders.send(order(reply)).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?
    }
}

impl Drop for EmbeddedKafka {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported already.
            let _ = thread.join();
        }
    }
}

fn gone() -> KafkaError {
    KafkaError::new(KafkaErrorKind::Fatal, WHAT, "its thread has ended")
}

type Cluster = MockCluster<'static, DefaultProducerContext>;

fn build(partitions: i32) -> Result<Cluster, KafkaError> {
    let cluster = MockCluster::new(1).map_err(|error| KafkaError::native(WHAT, &error))?;
    for topic in TOPICS {
        cluster.create_topic(topic, partitions, 1).map_err(|error| KafkaError::native(WHAT, &error))?;
    }
    Ok(cluster)
}

fn obey(cluster: &Cluster, inbox: &mpsc::Receiver<Order>) {
    // Ends when the owner drops the sender.
    while let Ok(order) = inbox.recv() {
        let (result, reply) = match order {
            Order::Down(reply) => (cluster.broker_down(1), reply),
            Order::Up(reply) => (cluster.broker_up(1), reply),
        };
        let _ = reply.send(result.map_err(|error| KafkaError::native(WHAT, &error)));
    }
}
