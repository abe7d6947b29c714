//! The three topics: made as documented, compared when there.

use std::time::Duration;

use rdkafka::admin::{AdminOptions, AlterConfig, ResourceSpecifier};
use terrasift_kafka::{EmbeddedKafka, KafkaErrorKind, Producer, TOPICS, check_topics, ensure_topics};
use terrasift_schemas::event::{SANITIZATION_FAILED_TOPIC, STATE_UPDATED_TOPIC};

use crate::world::World;

pub async fn topics_are_made_as_documented_and_mismatches_are_told(world: World) {
    let config = world.config(&[]);
    ensure_topics(&config, 3, 1).await.expect("made");
    let admin = world.admin();
    let metadata = admin.inner().fetch_metadata(None, Duration::from_secs(10)).expect("metadata");
    for name in TOPICS {
        let topic = metadata.topics().iter().find(|topic| topic.name() == name).expect(name);
        assert_eq!(topic.partitions().len(), 3, "{name}");
        assert!(
            topic.partitions().iter().all(|partition| partition.leader() >= 0),
            "{name} can be used at once"
        );
        let days = if name == SANITIZATION_FAILED_TOPIC { 30 } else { 7 };
        assert_eq!(
            setting(&world, name, "retention.ms").await,
            (days * 24 * 3600 * 1000_u64).to_string(),
            "{name}"
        );
    }
    assert_eq!(check_topics(&config, 3, 1).await.expect("told"), [], "made as they should be");
    assert_eq!(
        check_topics(&config, 2, 1).await.expect("told"),
        [],
        "more partitions than configured are fine"
    );

    let short = AlterConfig::new(ResourceSpecifier::Topic(STATE_UPDATED_TOPIC))
        .set("retention.ms", "60000")
        .set("cleanup.policy", "compact");
    admin.alter_configs([&short], &AdminOptions::new()).await.expect("asked")[0].as_ref().expect("altered");
    ensure_topics(&config, 12, 1).await.expect("all there");
    let told: Vec<String> =
        check_topics(&config, 12, 1).await.expect("told").iter().map(ToString::to_string).collect();
    for name in TOPICS {
        let few = format!("topic {name}: has 3 partitions, configured are 12");
        assert!(told.iter().any(|text| text.starts_with(&few)), "{told:?}");
    }
    for text in ["retention.ms is 60000", "cleanup.policy is compact"] {
        let expected = format!("topic {STATE_UPDATED_TOPIC}: {text}");
        assert!(told.iter().any(|text| text.starts_with(&expected)), "{told:?}");
    }
    assert_eq!(setting(&world, STATE_UPDATED_TOPIC, "retention.ms").await, "60000", "left alone");
}

async fn setting(world: &World, topic: &str, name: &str) -> String {
    let asked = ResourceSpecifier::Topic(topic);
    let told = world.admin().describe_configs([&asked], &AdminOptions::new()).await.expect("asked");
    let entry = told[0].as_ref().expect("told").get(name).expect(name).value.clone();
    entry.expect("a value")
}

pub async fn existing_topics_are_left_alone_and_bad_settings_are_named(mut world: World) {
    world.topic(2).await;
    if world.broker.kind() == "in-process" {
        ensure_topics(&world.config(&[]), 12, 1).await.expect("all there");
        let told = check_topics(&world.config(&[]), 12, 1).await.expect("told");
        assert_eq!(told.len(), 3, "{told:?}");
    }
    assert_eq!(EmbeddedKafka::start(0).err().map(|e| e.kind()), Some(KafkaErrorKind::Topic));
    for properties in [("no.such.property", "toxic"), ("linger.ms", "toxic")] {
        let error = Producer::new(&world.config(&[properties])).err().expect("refused");
        assert_eq!(error.kind(), KafkaErrorKind::Configuration);
        let text = format!("{error} {error:?}");
        assert!(text.contains(properties.0), "names the property: {text}");
        assert!(!text.contains("toxic"), "never its value");
    }
}
