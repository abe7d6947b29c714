//! A topic that gets more partitions while records come and go.

use rdkafka::admin::{AdminOptions, NewPartitions};
use terrasift_kafka::{Consumer, Producer};

use crate::world::{Member, World, send, within};

/// Clients look for new partitions every 30 s; here more often.
const ALERT: [(&str, &str); 1] = [("topic.metadata.refresh.interval.ms", "300")];

pub async fn new_partitions_are_served_under_load(mut world: World) {
    let topic = world.topic(2).await;
    let producer = Producer::new(&world.config(&ALERT)).expect("producer");
    let (consumer, mut events) = Consumer::start(&world.config(&ALERT), &[topic], 4).expect("consumer");
    let mut member = Member::default();
    let mut sent = 0;
    within("the first partitions", async {
        while member.owned.len() < 2 {
            member.take(&consumer, events.recv().await);
        }
    })
    .await;
    let grown = world.admin().create_partitions([&NewPartitions::new(topic, 6)], &AdminOptions::new()).await;
    assert!(grown.expect("asked").iter().all(Result::is_ok));
    within("all six partitions to be served", async {
        while member.owned.len() < 6 {
            tokio::select! {
                event = events.recv() => member.take(&consumer, event),
                () = send(&producer, topic, sent..sent + 20, 200) => sent += 20,
            }
        }
    })
    .await;
    // The producer spreads its keys anew when it has noticed, too: until the newest partition gets one.
    within("a record in the newest partition", async {
        loop {
            let number = sent.to_string();
            let record = crate::world::encoded(topic, &format!("acme/ws-{number}"), &number);
            sent += 1;
            if producer.send(&record).await.expect("sent").partition == 5 {
                break;
            }
        }
    })
    .await;
    // Sends that `select!` left behind may have sent a number without counting it: those are further ones.
    within("every record to arrive", async {
        while (0..sent).any(|number| !member.values.contains(&number.to_string())) {
            member.take(&consumer, events.recv().await);
        }
    })
    .await;
    within("the end", consumer.stop()).await;
}
