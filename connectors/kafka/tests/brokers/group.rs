//! Members of a group: sharing, draining, static names.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use terrasift_kafka::{Consumer, IntakeEvent, KafkaConfig, KafkaErrorKind};
use tokio::sync::mpsc::Receiver;

use crate::world::{Member, World, send, within};

/// Short sessions and quick heartbeats: rebalances are noticed by heartbeats.
const QUICK: [(&str, &str); 1] = [("heartbeat.interval.ms", "200")];

pub async fn two_members_share_the_partitions_and_every_record_reaches_one(mut world: World) {
    let topic = world.topic(6).await;
    let producer = world.producer();
    let quick = world.config(&QUICK);
    let (mut a, mut b) = (Member::default(), Member::default());
    let (consumer_a, mut events_a) = Consumer::start(&quick, &[topic], 4).expect("first");
    send(&producer, topic, 0..600, 60).await;
    within("the first member to read all", async {
        while a.values.len() < 600 {
            a.take(&consumer_a, events_a.recv().await);
        }
    })
    .await;
    assert_eq!(a.owned.len(), 6);

    let (consumer_b, mut events_b) = Consumer::start(&quick, &[topic], 4).expect("second");
    let mut sent = 600;
    within("an even share", async {
        while a.owned.len() != 3 || b.owned.len() != 3 {
            tokio::select! {
                event = events_a.recv() => a.take(&consumer_a, event),
                event = events_b.recv() => b.take(&consumer_b, event),
                // Records keep coming during the rebalance.
                () = send(&producer, topic, sent..sent + 1, 60) => sent += 1,
            }
        }
    })
    .await;
    send(&producer, topic, sent..sent + 600, 60).await;
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
    send(&producer, topic, sent..sent + 60, 60).await;
    within("the second to read on", async {
        while (sent..sent + 60).any(|number| !b.values.contains(&number.to_string())) {
            b.take(&consumer_b, events_b.recv().await);
        }
    })
    .await;
    within("the end", consumer_b.stop()).await;
}

pub async fn what_is_asked_back_is_settled_before_it_goes(mut world: World) {
    let topic = world.topic(4).await;
    let producer = world.producer();
    let mut quick = world.config(&QUICK);
    quick.drain = Duration::from_secs(40);
    let (mut a, mut b) = (Member::default(), Member::default());
    let (consumer_a, mut events_a) = Consumer::start(&quick, &[topic], 4).expect("first");
    send(&producer, topic, 0..400, 40).await;
    let mut open = Vec::new();
    within("the first member to read all", async {
        while a.values.len() < 400 {
            open.extend(a.note(events_a.recv().await));
        }
    })
    .await;

    // The second joins; the group is stable again when the first knows what it has to give up. It still works on all.
    let (consumer_b, mut events_b) = Consumer::start(&quick, &[topic], 4).expect("second");
    let watcher = watcher(&world);
    within("both members", async {
        while members(&watcher, &quick.group) != ("Stable".to_owned(), 2) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(events_a.try_recv().is_err(), "nothing is taken away while it is worked on");
    assert!(events_b.try_recv().is_err(), "nor given to another");
    open.iter().for_each(|(at, next)| consumer_a.settle(at, *next));
    share(&mut a, (&consumer_a, &mut events_a), &mut b, (&consumer_b, &mut events_b), 4).await;
    send(&producer, topic, 400..800, 40).await;
    within("the rest to arrive", async {
        while a.values.union(&b.values).count() < 800 {
            tokio::select! {
                event = events_a.recv() => a.take(&consumer_a, event),
                event = events_b.recv() => b.take(&consumer_b, event),
            }
        }
    })
    .await;
    assert!(a.values.is_disjoint(&b.values) && a.repeated + b.repeated == 0, "a record came twice");
    within("the end", async { tokio::join!(consumer_a.stop(), consumer_b.stop()) }).await;
}

fn watcher(world: &World) -> BaseConsumer {
    rdkafka::ClientConfig::new().set("bootstrap.servers", world.bootstrap()).create().expect("watcher")
}

/// State and size of a group.
fn members(watcher: &BaseConsumer, group: &str) -> (String, usize) {
    let groups = watcher.fetch_group_list(Some(group), Duration::from_secs(10)).expect("groups");
    groups.groups().first().map(|found| (found.state().to_owned(), found.members().len())).unwrap_or_default()
}

pub async fn a_member_that_settles_nothing_holds_the_group_up_for_its_drain_only(mut world: World) {
    const DRAIN: Duration = Duration::from_secs(4);
    let topic = world.topic(2).await;
    let producer = world.producer();
    let mut quick = world.config(&QUICK);
    quick.drain = DRAIN;
    let (mut a, mut b) = (Member::default(), Member::default());
    let (consumer_a, mut events_a) = Consumer::start(&quick, &[topic], 4).expect("first");
    send(&producer, topic, 0..100, 40).await;
    within("the first member to read all", async {
        while a.values.len() < 100 {
            a.note(events_a.recv().await);
        }
    })
    .await;
    let begun = Instant::now();
    let (consumer_b, mut events_b) = Consumer::start(&quick, &[topic], 4).expect("second");
    within("the first to give one up", async {
        while a.owned.len() == 2 {
            a.note(events_a.recv().await);
        }
    })
    .await;
    let held_up = begun.elapsed();
    assert!(held_up >= DRAIN, "given up after {held_up:?}, while it was worked on");
    within("the second to read it again", async {
        while b.values.is_empty() {
            b.note(events_b.recv().await);
        }
    })
    .await;
    assert!(b.values.is_subset(&a.values), "what was not settled comes again");
    within("the end", async { tokio::join!(consumer_a.stop(), consumer_b.stop()) }).await;
}

type Running<'a> = (&'a Consumer, &'a mut Receiver<IntakeEvent>);

/// Lets two members read and settle until each owns half.
async fn share(
    a: &mut Member,
    (on_a, at_a): Running<'_>,
    b: &mut Member,
    (on_b, at_b): Running<'_>,
    all: usize,
) {
    within("an even share", async {
        while a.owned.len() != all / 2 || b.owned.len() != all / 2 {
            tokio::select! {
                event = at_a.recv() => a.take(on_a, event),
                event = at_b.recv() => b.take(on_b, event),
            }
        }
    })
    .await;
}

fn named(config: &KafkaConfig, name: &str) -> KafkaConfig {
    let mut config = config.clone();
    config.instance_id = Some(name.to_owned());
    config
}

pub async fn a_static_member_comes_back_and_moves_no_partition(mut world: World) {
    let topic = world.topic(4).await;
    let producer = world.producer();
    let quick = world.config(&QUICK);
    let (mut a, mut b) = (Member::default(), Member::default());
    let (consumer_a, mut events_a) = Consumer::start(&named(&quick, "a"), &[topic], 4).expect("first");
    let (consumer_b, mut events_b) = Consumer::start(&named(&quick, "b"), &[topic], 4).expect("second");
    share(&mut a, (&consumer_a, &mut events_a), &mut b, (&consumer_b, &mut events_b), 4).await;
    let (of_a, of_b) = (a.owned.clone(), b.owned.clone());

    within("the first to stop", consumer_a.stop()).await;
    assert_eq!(members(&watcher(&world), &quick.group), ("Stable".to_owned(), 2), "it stays a member");
    send(&producer, topic, 0..200, 40).await;
    let mut again = Member::default();
    let (consumer_a, mut events_a) = Consumer::start(&named(&quick, "a"), &[topic], 4).expect("first again");
    within("all records to arrive", async {
        while again.values.len() + b.values.len() < 200 {
            tokio::select! {
                event = events_a.recv() => again.take(&consumer_a, event),
                event = events_b.recv() => {
                    assert!(matches!(event, Some(IntakeEvent::Batch(_))), "a partition moved");
                    b.take(&consumer_b, event);
                }
            }
        }
    })
    .await;
    assert_eq!((&again.owned, &b.owned), (&of_a, &of_b), "each has what it had");
    assert!(again.values.is_disjoint(&b.values) && !again.values.is_empty());
    within("the end", async { tokio::join!(consumer_a.stop(), consumer_b.stop()) }).await;
}

pub async fn a_second_process_of_one_name_ends_the_first(mut world: World) {
    let topic = world.topic(2).await;
    let quick = named(&world.config(&QUICK), "only");
    let (first, mut events) = Consumer::start(&quick, &[topic], 4).expect("first");
    let mut member = Member::default();
    within("the first to own all", async {
        while member.owned.len() < 2 {
            member.note(events.recv().await);
        }
    })
    .await;
    let (second, mut events_of_second) = Consumer::start(&quick, &[topic], 4).expect("second");
    let fault = within("the first to be told", async {
        loop {
            match events.recv().await {
                Some(IntakeEvent::Fault(error)) => break error,
                Some(_) => {}
                None => panic!("ended without a word"),
            }
        }
    })
    .await;
    assert_eq!(fault.kind(), KafkaErrorKind::Fatal, "{fault}");
    within("the first to end", async { while events.recv().await.is_some() {} }).await;
    let mut heir = Member::default();
    within("the second to own all", async {
        while heir.owned.len() < 2 {
            heir.note(events_of_second.recv().await);
        }
    })
    .await;
    within("the end", async { tokio::join!(first.stop(), second.stop()) }).await;
}
