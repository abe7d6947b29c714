//! The private cluster itself: it loses a node, and goes with its owner.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use terrasift_kafka::{ClusterPlan, Consumer, KafkaConfig, KafkaErrorKind, PrivateKafka, Producer};

use crate::world::{Member, encoded, within};

const TOPIC: &str = "replicated";

/// kill -9 of one node, SIGSTOP of another: what was acknowledged is read, by a consumer that lives through all of it.
pub async fn loses_one_and_no_record(libs: &Path) {
    let begun = Instant::now();
    let mut kafka = PrivateKafka::start(ClusterPlan::new(libs, 3)).await.expect("three nodes");
    println!("three nodes started ({} ms); {}", begun.elapsed().as_millis(), kafka.durability());
    let admin: AdminClient<DefaultClientContext> =
        rdkafka::ClientConfig::new().set("bootstrap.servers", kafka.bootstrap()).create().unwrap();
    let topic = NewTopic::new(TOPIC, 6, TopicReplication::Fixed(3));
    let made = admin.create_topics([&topic], &AdminOptions::new()).await.unwrap();
    assert!(made.iter().all(Result::is_ok), "{made:?}");

    let mut config = KafkaConfig::new(&kafka.bootstrap(), "cluster", "terrasift-test");
    for (name, value) in
        [("message.timeout.ms", "60000"), ("socket.timeout.ms", "4000"), ("reconnect.backoff.max.ms", "500")]
    {
        config.properties.insert(name.into(), value.into());
    }
    let producer = Producer::new(&config).unwrap();
    let (consumer, mut events) = Consumer::start(&config, &[TOPIC], 8).unwrap();
    let mut member = Member::default();
    let mut sent = 0;
    for fault in ["none", "kill -9", "back", "SIGSTOP", "SIGCONT"] {
        match fault {
            "kill -9" => kafka.kill(0).unwrap(),
            "back" => kafka.restart(0).await.expect("it comes back"),
            "SIGSTOP" => kafka.suspend(1).unwrap(),
            "SIGCONT" => kafka.resume(1).unwrap(),
            _ => {}
        }
        let since = Instant::now();
        within(fault, async {
            let target = sent + 120;
            while sent < target {
                let record = encoded(TOPIC, &format!("acme/ws-{}", sent % 60), &sent.to_string());
                producer.send(&record).await.expect("two of three nodes take it");
                sent += 1;
            }
            while (0..sent).any(|number| !member.values.contains(&number.to_string())) {
                match events.recv().await {
                    // While a node is away its connections fail; the consumer goes on by itself.
                    Some(terrasift_kafka::IntakeEvent::Fault(error)) => {
                        assert_eq!(error.kind(), KafkaErrorKind::Unavailable, "{error}");
                    }
                    event => member.take(&consumer, event),
                }
            }
        })
        .await;
        println!("{fault}: 120 records sent and read ({} ms)", since.elapsed().as_millis());
    }
    within("the end of the consumer", consumer.stop()).await;
    let (stopping, data_dir) = (Instant::now(), kafka.data_dir().to_owned());
    within("a clean stop", kafka.stop()).await;
    println!("three nodes stopped ({} ms)", stopping.elapsed().as_millis());
    assert!(!data_dir.exists());
}

pub async fn refusals(nowhere: &Path) {
    for nodes in [0, 2, 3] {
        let error = PrivateKafka::start(ClusterPlan::new(nowhere, nodes)).await.err().expect("refused");
        assert_eq!(error.kind(), KafkaErrorKind::Configuration, "{error}");
    }
}

/// Tells the child of [`goes_with_its_owner`] where to say that it is ready.
const HOME: &str = "TERRASIFT_TEST_HOME";

pub async fn hold(libs: &Path) {
    #[expect(clippy::disallowed_methods, reason = "the parent process hands it over")]
    let home = PathBuf::from(std::env::var_os(HOME).expect("run by its parent only"));
    let kafka = PrivateKafka::start(ClusterPlan::new(libs, 1)).await.unwrap();
    std::fs::write(home.join("ready.part"), kafka.bootstrap()).unwrap();
    std::fs::rename(home.join("ready.part"), home.join("ready")).unwrap();
    std::future::pending::<()>().await;
}

/// A process that is killed runs no destructor: its broker must go all the same.
pub fn goes_with_its_owner(libs: &Path) {
    let home = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "holds_a_broker"])
        .env(HOME, home.path())
        .env("TERRASIFT_KAFKA_LIBS", libs)
        .env("TMPDIR", home.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait("the child has a broker", || home.path().join("ready").exists());
    let bootstrap = std::fs::read_to_string(home.path().join("ready")).unwrap();
    let answers = || std::net::TcpStream::connect(&bootstrap).is_ok();
    assert!(answers());
    child.kill().unwrap();
    child.wait().unwrap();
    wait("the broker is gone", || !answers());
}

#[expect(clippy::disallowed_methods, reason = "polls another process, bounded")]
fn wait(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
