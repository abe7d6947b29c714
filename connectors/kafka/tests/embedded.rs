//! The producer and the consumer against the in-process Kafka.
//!
//! Proves our side of the protocol: order, settling, pausing, rebalances. Proves nothing about real brokers.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::{Duration, Instant};

use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use terrasift_kafka::{
    Consumer, EmbeddedKafka, IntakeEvent, KafkaConfig, KafkaErrorKind, Producer, RawRecord, TopicPartition,
    ensure_topics,
};
use terrasift_schemas::event::{EncodedRecord, STATE_UPDATED_TOPIC as TOPIC};
use tokio::sync::mpsc::Receiver;

/// Longest wait for anything: joining the group takes the in-process broker 3 s.
const PATIENCE: Duration = Duration::from_secs(60);

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("in vain waited for {what}"))
}

fn config(kafka: &EmbeddedKafka, properties: &[(&str, &str)]) -> KafkaConfig {
    let mut config = KafkaConfig::new(&kafka.bootstrap(), "terrasift-test", "terrasift-test");
    config.properties = properties.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    config
}

fn encoded(key: &str, value: &str) -> EncodedRecord {
    EncodedRecord {
        topic: TOPIC,
        key: key.to_owned(),
        headers: vec![("ce_id", value.to_owned()), ("content-type", "application/json".to_owned())],
        value: value.as_bytes().to_vec(),
    }
}

/// Sends `count` records concurrently over `keys` keys; the value is the number.
async fn send(producer: &Producer, numbers: std::ops::Range<usize>, keys: usize) {
    let sends: Vec<_> = numbers
        .map(|number| {
            let producer = producer.clone();
            let record = encoded(&format!("acme/ws-{}", number % keys), &number.to_string());
            tokio::spawn(async move { producer.send(&record).await })
        })
        .collect();
    for sent in sends {
        sent.await.expect("sender").expect("sent");
    }
}

fn text(record: &RawRecord) -> String {
    String::from_utf8(record.value.clone().expect("value")).expect("text")
}

/// Takes batches until `enough` says so; checks that offsets go up without a gap in each partition.
async fn read(
    events: &mut Receiver<IntakeEvent>,
    mut enough: impl FnMut(&[RawRecord]) -> bool,
) -> Vec<RawRecord> {
    let mut records: Vec<RawRecord> = Vec::new();
    let mut next: BTreeMap<i32, i64> = BTreeMap::new();
    while !enough(&records) {
        match within("records", events.recv()).await.expect("the consumer runs") {
            IntakeEvent::Batch(batch) => {
                for record in batch {
                    let expected = next.entry(record.partition).or_insert(record.offset);
                    assert_eq!(
                        record.offset, *expected,
                        "partition {}: lost or out of order",
                        record.partition
                    );
                    *expected += 1;
                    records.push(record);
                }
            }
            IntakeEvent::Revoked(_) => panic!("thrown out of the group"),
            IntakeEvent::Fault(error) => panic!("fault: {error}"),
            IntakeEvent::Assigned(_) => {}
        }
    }
    records
}

#[tokio::test]
async fn records_come_in_order_with_key_headers_and_value() {
    let kafka = EmbeddedKafka::start(3).expect("kafka");
    let producer = Producer::new(&config(&kafka, &[])).expect("producer");
    let mut sent = BTreeMap::new();
    for number in 0..200 {
        let record = encoded(&format!("acme/ws-{}", number % 7), &number.to_string());
        let at = producer.send(&record).await.expect("sent");
        assert_eq!(at.topic, TOPIC);
        sent.insert((at.partition, at.offset), record);
    }
    let (consumer, mut events) = Consumer::start(&config(&kafka, &[]), &[TOPIC], 8).expect("consumer");
    let records = read(&mut events, |records| records.len() == sent.len()).await;
    for record in &records {
        let original = &sent[&(record.partition, record.offset)];
        assert!(record.key.as_deref() == Some(original.key.as_bytes()), "key");
        assert!(record.value.as_deref() == Some(&original.value[..]), "value");
        let headers: Vec<_> =
            original.headers.iter().map(|(n, v)| ((*n).to_owned(), v.as_bytes().to_vec())).collect();
        assert!(record.headers == headers, "headers");
        assert!(record.timestamp_ms.is_some_and(|ms| ms > 0), "time");
        assert_eq!(record.topic, TOPIC);
    }
    within("the end", consumer.stop()).await;
}

#[tokio::test]
async fn tombstones_null_keys_and_odd_headers_come_through() {
    let kafka = EmbeddedKafka::start(1).expect("kafka");
    let raw: FutureProducer =
        rdkafka::ClientConfig::new().set("bootstrap.servers", kafka.bootstrap()).create().expect("producer");
    let tombstone = FutureRecord::<str, [u8]>::to(TOPIC).key("acme/ws-1");
    raw.send(tombstone, PATIENCE).await.expect("tombstone");
    let keyless = FutureRecord::<str, str>::to(TOPIC).payload("x");
    raw.send(keyless, PATIENCE).await.expect("keyless");
    let headers = OwnedHeaders::new()
        .insert(Header { key: "twice", value: Some("1") })
        .insert(Header { key: "twice", value: Some("2") })
        .insert(Header { key: "none", value: None::<&str> })
        .insert(Header { key: "bytes", value: Some(&[0xff_u8, 0][..]) });
    raw.send(FutureRecord::<str, str>::to(TOPIC).key("").payload("").headers(headers), PATIENCE)
        .await
        .expect("odd");

    let (consumer, mut events) = Consumer::start(&config(&kafka, &[]), &[TOPIC], 8).expect("consumer");
    let records = read(&mut events, |records| records.len() == 3).await;
    assert!(records[0].value.is_none() && records[0].key.as_deref() == Some(b"acme/ws-1"), "tombstone");
    assert!(records[1].key.is_none() && records[1].value.as_deref() == Some(b"x"), "null key");
    let expected: [(&str, &[u8]); 4] =
        [("twice", b"1"), ("twice", b"2"), ("none", b""), ("bytes", &[0xff, 0])];
    let got: Vec<_> =
        records[2].headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    assert!(got == expected, "headers in order, repeated, without value, no text");
    within("the end", consumer.stop()).await;
}

#[tokio::test]
async fn a_restart_resumes_at_what_was_settled_and_never_beyond() {
    let kafka = EmbeddedKafka::start(1).expect("kafka");
    let producer = Producer::new(&config(&kafka, &[])).expect("producer");
    send(&producer, 0..100, 5).await;
    let at = TopicPartition::new(TOPIC, 0);

    let read_from = async |settle: &[i64]| {
        let (consumer, mut events) = Consumer::start(&config(&kafka, &[]), &[TOPIC], 8).expect("consumer");
        let records = read(&mut events, |records| records.last().is_some_and(|r| r.offset == 99)).await;
        settle.iter().for_each(|offset| consumer.settle(&at, *offset));
        consumer.settle(&TopicPartition::new(TOPIC, 7), 50);
        within("the end", consumer.stop()).await;
        records[0].offset
    };
    // Few rounds: joining a group that was left takes the in-process broker 9 s.
    assert_eq!(read_from(&[60, 50]).await, 0, "nothing was settled yet");
    assert_eq!(read_from(&[40, 1000]).await, 60, "resumes at the low-water mark, which never goes backwards");

    send(&producer, 100..110, 5).await;
    let (consumer, mut events) = Consumer::start(&config(&kafka, &[]), &[TOPIC], 8).expect("consumer");
    let records = read(&mut events, |records| records.last().is_some_and(|r| r.offset == 109)).await;
    assert_eq!(records[0].offset, 100, "never beyond what was handed over");
    within("the end", consumer.stop()).await;
}

#[tokio::test]
async fn a_full_queue_pauses_without_loss_disorder_or_eviction() {
    let kafka = EmbeddedKafka::start(3).expect("kafka");
    let producer = Producer::new(&config(&kafka, &[])).expect("producer");
    // Whoever stops polling for 4 s is thrown out. Joining takes 3 s, so it cannot be less.
    let strict = [
        ("session.timeout.ms", "4000"),
        ("heartbeat.interval.ms", "500"),
        ("max.poll.interval.ms", "4000"),
        ("fetch.wait.max.ms", "20"),
    ];
    let (consumer, mut events) = Consumer::start(&config(&kafka, &strict), &[TOPIC], 1).expect("consumer");
    let mut sent = 0;
    send(&producer, 0..3000, 50).await;
    sent += 3000;
    let assigned = within("the assignment", events.recv()).await;
    assert!(matches!(assigned, Some(IntakeEvent::Assigned(of)) if of.len() == 3));

    // Nobody reads for two poll intervals, while records keep coming.
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(8) {
        send(&producer, sent..sent + 20, 50).await;
        sent += 20;
    }
    // Then a slow reader: every batch fills the queue anew, so that it pauses and resumes many times.
    let mut numbers = BTreeSet::new();
    let records = read(&mut events, |records| records.len() == sent).await;
    for record in &records {
        assert!(numbers.insert(text(record)), "handed over twice");
    }
    assert_eq!(numbers.len(), sent);
    within("the end", consumer.stop()).await;
}

/// What one member of the group has seen.
#[derive(Default)]
struct Member {
    owned: BTreeSet<i32>,
    values: BTreeSet<String>,
}

impl Member {
    /// Takes an event, checking that the sequence makes sense; settles what it reads.
    fn take(&mut self, consumer: &Consumer, event: Option<IntakeEvent>) {
        match event.expect("the consumer runs") {
            IntakeEvent::Assigned(of) => {
                assert!(!of.is_empty());
                of.iter().for_each(|p| assert!(self.owned.insert(p.partition), "assigned twice"));
            }
            IntakeEvent::Revoked(of) => {
                assert!(!of.is_empty());
                of.iter().for_each(|p| assert!(self.owned.remove(&p.partition), "revoked what was not ours"));
            }
            IntakeEvent::Batch(records) => {
                let last = records.last().expect("no empty batches");
                assert!(self.owned.contains(&last.partition), "records of a partition that is not ours");
                consumer.settle(&TopicPartition::new(&last.topic, last.partition), last.offset + 1);
                self.values.extend(records.iter().map(text));
            }
            IntakeEvent::Fault(error) => panic!("fault: {error}"),
        }
    }
}

#[tokio::test]
async fn two_members_share_the_partitions_and_every_record_reaches_one() {
    let kafka = EmbeddedKafka::start(6).expect("kafka");
    let producer = Producer::new(&config(&kafka, &[])).expect("producer");
    let quick = config(&kafka, &[("heartbeat.interval.ms", "200")]);
    let (mut a, mut b) = (Member::default(), Member::default());
    let (consumer_a, mut events_a) = Consumer::start(&quick, &[TOPIC], 4).expect("first");
    send(&producer, 0..600, 60).await;
    within("the first member to read all", async {
        while a.values.len() < 600 {
            a.take(&consumer_a, events_a.recv().await);
        }
    })
    .await;
    assert_eq!(a.owned.len(), 6);

    let (consumer_b, mut events_b) = Consumer::start(&quick, &[TOPIC], 4).expect("second");
    let mut sent = 600;
    within("an even share", async {
        while a.owned.len() != 3 || b.owned.len() != 3 {
            tokio::select! {
                event = events_a.recv() => a.take(&consumer_a, event),
                event = events_b.recv() => b.take(&consumer_b, event),
                // Records keep coming during the rebalance.
                () = send(&producer, sent..sent + 1, 60) => sent += 1,
            }
        }
    })
    .await;
    send(&producer, sent..sent + 600, 60).await;
    sent += 600;
    within("all records to arrive", async {
        while a.values.union(&b.values).count() < sent {
            tokio::select! {
                event = events_a.recv() => a.take(&consumer_a, event),
                event = events_b.recv() => b.take(&consumer_b, event),
            }
        }
    })
    .await;
    assert!(a.owned.is_disjoint(&b.owned));

    within("the first to leave", consumer_a.stop()).await;
    within("the second to own all", async {
        while b.owned.len() < 6 {
            b.take(&consumer_b, events_b.recv().await);
        }
    })
    .await;
    send(&producer, sent..sent + 60, 60).await;
    within("the second to read on", async {
        while (sent..sent + 60).any(|number| !b.values.contains(&number.to_string())) {
            b.take(&consumer_b, events_b.recv().await);
        }
    })
    .await;
    within("the end", consumer_b.stop()).await;
}

#[tokio::test]
async fn a_broker_that_is_away_is_an_error_in_time_and_no_secret_is_told() {
    let kafka = EmbeddedKafka::start(1).expect("kafka");
    let producer = Producer::new(&config(&kafka, &[("message.timeout.ms", "1500")])).expect("producer");
    producer.send(&encoded("acme/ws-1", "before")).await.expect("sent");
    producer.ready(Duration::from_secs(5)).await.expect("ready");

    kafka.take_down().expect("down");
    let started = Instant::now();
    let error = producer.send(&encoded("acme/ws-toxic", "toxic")).await.expect_err("no broker");
    assert_eq!(error.kind(), KafkaErrorKind::Unavailable);
    assert!(started.elapsed() < Duration::from_secs(10), "bounded");
    assert!(!format!("{error} {error:?}").contains("toxic"));
    let error = producer.ready(Duration::from_millis(500)).await.expect_err("not ready");
    assert_eq!(error.kind(), KafkaErrorKind::Unavailable);

    kafka.bring_up().expect("up");
    within("the broker to be back", async {
        while producer.send(&encoded("acme/ws-1", "after")).await.is_err() {}
    })
    .await;
}

#[tokio::test]
async fn a_consumer_outlives_its_broker() {
    let kafka = EmbeddedKafka::start(1).expect("kafka");
    let producer = Producer::new(&config(&kafka, &[])).expect("producer");
    let quick = config(&kafka, &[("reconnect.backoff.max.ms", "200")]);
    let (consumer, mut events) = Consumer::start(&quick, &[TOPIC], 8).expect("consumer");
    send(&producer, 0..10, 3).await;
    read(&mut events, |records| records.len() == 10).await;

    kafka.take_down().expect("down");
    let fault = within("a fault", async {
        loop {
            if let Some(IntakeEvent::Fault(error)) = events.recv().await {
                break error;
            }
        }
    })
    .await;
    assert_eq!(fault.kind(), KafkaErrorKind::Unavailable);
    kafka.bring_up().expect("up");
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
            while producer.send(&encoded("acme/ws-1", &number.to_string())).await.is_err() {}
        }
    };
    within("records after the outage", async { tokio::join!(reading, sending) }).await;
    within("the end", consumer.stop()).await;
}

#[tokio::test]
async fn existing_topics_are_left_alone_and_bad_settings_are_named() {
    let kafka = EmbeddedKafka::start(2).expect("kafka");
    ensure_topics(&config(&kafka, &[]), 12, 1).await.expect("all there");

    assert_eq!(EmbeddedKafka::start(0).err().map(|e| e.kind()), Some(KafkaErrorKind::Topic));
    for properties in [("no.such.property", "toxic"), ("linger.ms", "toxic")] {
        let error = Producer::new(&config(&kafka, &[properties])).err().expect("refused");
        assert_eq!(error.kind(), KafkaErrorKind::Configuration);
        let text = format!("{error} {error:?}");
        assert!(text.contains(properties.0), "names the property: {text}");
        assert!(!text.contains("toxic"), "never its value");
    }
}

#[tokio::test]
async fn a_dropped_receiver_ends_the_consumer() {
    let kafka = EmbeddedKafka::start(1).expect("kafka");
    let (consumer, events) = Consumer::start(&config(&kafka, &[]), &[TOPIC], 1).expect("consumer");
    drop(events);
    within("the end", consumer.stop()).await;
}
