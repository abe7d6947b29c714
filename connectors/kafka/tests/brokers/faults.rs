//! Brokers that go away and come back.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use terrasift_kafka::{Consumer, IntakeEvent, KafkaErrorKind, Producer};

use crate::world::{Broker, World, encoded, read, send, text, within};

impl Broker {
    fn take_down(&mut self) {
        match self {
            Self::Embedded(kafka) => kafka.as_ref().expect("started").take_down().expect("down"),
            Self::Alone(kafka) => kafka.kill(0).expect("killed"),
            Self::Shared(..) => panic!("others use this broker"),
        }
    }

    async fn bring_up(&mut self) {
        match self {
            Self::Embedded(kafka) => kafka.as_ref().expect("started").bring_up().expect("up"),
            Self::Alone(kafka) => kafka.restart(0).await.expect("restarted"),
            Self::Shared(..) => panic!("others use this broker"),
        }
    }
}

pub async fn a_broker_that_is_away_is_an_error_in_time_and_no_secret_is_told(mut world: World) {
    let topic = world.topic(1).await;
    let producer = Producer::new(&world.config(&[("message.timeout.ms", "1500")])).expect("producer");
    // A broker that has just started on a busy machine may take longer than this producer waits.
    within("the first record", async {
        while producer.send(&encoded(topic, "acme/ws-1", "before")).await.is_err() {}
    })
    .await;
    producer.ready(Duration::from_secs(5)).await.expect("ready");

    world.broker.take_down();
    let started = Instant::now();
    let error = producer.send(&encoded(topic, "acme/ws-toxic", "toxic")).await.expect_err("no broker");
    assert_eq!(error.kind(), KafkaErrorKind::Unavailable);
    assert!(started.elapsed() < Duration::from_secs(10), "bounded");
    assert!(!format!("{error} {error:?}").contains("toxic"));
    let error = producer.ready(Duration::from_millis(500)).await.expect_err("not ready");
    assert_eq!(error.kind(), KafkaErrorKind::Unavailable);

    world.broker.bring_up().await;
    within("the broker to be back", async {
        while producer.send(&encoded(topic, "acme/ws-1", "after")).await.is_err() {}
    })
    .await;
}

pub async fn a_consumer_outlives_its_broker(mut world: World) {
    let topic = world.topic(1).await;
    let producer = world.producer();
    let quick = world.config(&[("reconnect.backoff.max.ms", "200")]);
    let (consumer, mut events) = Consumer::start(&quick, &[topic], 8).expect("consumer");
    send(&producer, topic, 0..10, 3).await;
    read(&mut events, |records| records.len() == 10).await;

    world.broker.take_down();
    let fault = within("a fault", async {
        loop {
            if let Some(IntakeEvent::Fault(error)) = events.recv().await {
                break error;
            }
        }
    })
    .await;
    assert_eq!(fault.kind(), KafkaErrorKind::Unavailable);
    world.broker.bring_up().await;
    let reading = async {
        let mut values = BTreeSet::new();
        while values.len() < 10 {
            if let Some(IntakeEvent::Batch(records)) = events.recv().await {
                values.extend(records.iter().map(text).filter(|value| value.len() == 2));
            }
        }
    };
    let sending = async {
        for number in 10..20 {
            while producer.send(&encoded(topic, "acme/ws-1", &number.to_string())).await.is_err() {}
        }
    };
    within("records after the outage", async { tokio::join!(reading, sending) }).await;
    within("the end", consumer.stop()).await;
}
