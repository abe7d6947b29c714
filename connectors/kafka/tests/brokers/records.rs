//! Records and offsets: order, content, settling, pausing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use terrasift_kafka::{Consumer, IntakeEvent, TopicPartition};

use crate::world::{PATIENCE, World, encoded, read, send, text, within};

pub async fn records_come_in_order_with_key_headers_and_value(mut world: World) {
    let topic = world.topic(3).await;
    let producer = world.producer();
    let mut sent = BTreeMap::new();
    for number in 0..200 {
        let record = encoded(topic, &format!("acme/ws-{}", number % 7), &number.to_string());
        let at = producer.send(&record).await.expect("sent");
        assert_eq!(at.topic, topic);
        sent.insert((at.partition, at.offset), record);
    }
    let (consumer, mut events) = Consumer::start(&world.config(&[]), &[topic], 8).expect("consumer");
    let records = read(&mut events, |records| records.len() == sent.len()).await;
    for record in &records {
        let original = &sent[&(record.partition, record.offset)];
        assert!(record.key.as_deref() == Some(original.key.as_bytes()), "key");
        assert!(record.value.as_deref() == Some(&original.value[..]), "value");
        let headers: Vec<_> =
            original.headers.iter().map(|(n, v)| ((*n).to_owned(), v.as_bytes().to_vec())).collect();
        assert!(record.headers == headers, "headers");
        assert!(record.timestamp_ms.is_some_and(|ms| ms > 0), "time");
        assert_eq!(record.topic, topic);
    }
    within("the end", consumer.stop()).await;
}

pub async fn tombstones_null_keys_and_odd_headers_come_through(mut world: World) {
    let topic = world.topic(1).await;
    let raw: FutureProducer =
        rdkafka::ClientConfig::new().set("bootstrap.servers", world.bootstrap()).create().expect("producer");
    let tombstone = FutureRecord::<str, [u8]>::to(topic).key("acme/ws-1");
    raw.send(tombstone, PATIENCE).await.expect("tombstone");
    let keyless = FutureRecord::<str, str>::to(topic).payload("x");
    raw.send(keyless, PATIENCE).await.expect("keyless");
    let headers = OwnedHeaders::new()
        .insert(Header { key: "twice", value: Some("1") })
        .insert(Header { key: "twice", value: Some("2") })
        .insert(Header { key: "none", value: None::<&str> })
        .insert(Header { key: "bytes", value: Some(&[0xff_u8, 0][..]) });
    raw.send(FutureRecord::<str, str>::to(topic).key("").payload("").headers(headers), PATIENCE)
        .await
        .expect("odd");

    let (consumer, mut events) = Consumer::start(&world.config(&[]), &[topic], 8).expect("consumer");
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

pub async fn a_restart_resumes_at_what_was_settled_and_never_beyond(mut world: World) {
    let topic = world.topic(1).await;
    let producer = world.producer();
    send(&producer, topic, 0..100, 5).await;
    let at = TopicPartition::new(topic, 0);

    let read_from = async |settle: &[i64]| {
        let (consumer, mut events) = Consumer::start(&world.config(&[]), &[topic], 8).expect("consumer");
        let records = read(&mut events, |records| records.last().is_some_and(|r| r.offset == 99)).await;
        settle.iter().for_each(|offset| consumer.settle(&at, *offset));
        consumer.settle(&TopicPartition::new(topic, 7), 50);
        within("the end", consumer.stop()).await;
        records[0].offset
    };
    // Few rounds: joining a group that was left takes the in-process broker 9 s.
    assert_eq!(read_from(&[60, 50]).await, 0, "nothing was settled yet");
    assert_eq!(read_from(&[40, 1000]).await, 60, "resumes at the low-water mark, which never goes backwards");

    send(&producer, topic, 100..110, 5).await;
    let (consumer, mut events) = Consumer::start(&world.config(&[]), &[topic], 8).expect("consumer");
    let records = read(&mut events, |records| records.last().is_some_and(|r| r.offset == 109)).await;
    assert_eq!(records[0].offset, 100, "never beyond what was handed over");
    within("the end", consumer.stop()).await;
}

pub async fn a_full_queue_pauses_without_loss_disorder_or_eviction(mut world: World) {
    let topic = world.topic(3).await;
    let producer = world.producer();
    // Whoever stops polling for 4 s is thrown out. Joining takes the in-process listener 3 s, so it cannot be less.
    let strict = [
        ("session.timeout.ms", "4000"),
        ("heartbeat.interval.ms", "500"),
        ("max.poll.interval.ms", "4000"),
        ("fetch.wait.max.ms", "20"),
    ];
    let (consumer, mut events) = Consumer::start(&world.config(&strict), &[topic], 1).expect("consumer");
    let mut sent = 0;
    // More than may wait.
    send(&producer, topic, 0..24_000, 50).await;
    sent += 24_000;
    let assigned = within("the assignment", events.recv()).await;
    assert!(matches!(assigned, Some(IntakeEvent::Assigned(of)) if of.len() == 3));

    // Nobody reads for two poll intervals, while records keep coming.
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(8) {
        send(&producer, topic, sent..sent + 20, 50).await;
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

pub async fn a_dropped_receiver_ends_the_consumer(mut world: World) {
    let topic = world.topic(1).await;
    let (consumer, events) = Consumer::start(&world.config(&[]), &[topic], 1).expect("consumer");
    drop(events);
    within("the end", consumer.stop()).await;
}
