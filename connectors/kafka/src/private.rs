//! A private Apache Kafka for tests, faults and load: real brokers in KRaft mode, one or three nodes, own ports on
//! 127.0.0.1, gone with their owner.
//!
//! Must never be reachable from another machine, or outlive this process. Must never be weaker than it says: what makes
//! a record durable here stands in [`PrivateKafka::durability`].

mod node;
mod properties;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaError as Native;
use tempfile::TempDir;
use terrasift_schemas::config::{KafkaProtocol, SaslMechanism};
use terrasift_secrets::Secret;
use tokio::time::Instant;

use crate::{KafkaError, KafkaErrorKind};
use node::{Java, Node};

/// Longest wait until all nodes answer. One takes 3 s on an idle core; three share the cores, with whatever else runs.
const START_PATIENCE: Duration = Duration::from_secs(90);
/// Longest wait for one answer of a broker while it starts.
const ANSWER_WAIT: Duration = Duration::from_millis(250);
/// Wait between two answers that do not name all nodes yet.
const ANSWER_GAP: Duration = Duration::from_millis(30);
/// Starts before giving up: somebody may take a free port before the broker does.
const STARTS_MAX: u32 = 3;
const WHAT: &str = "cannot run the private kafka";

/// What to start. No `Debug`: users have passwords.
#[derive(Clone)]
pub struct ClusterPlan {
    /// The folder with the jars: `make kafka-jars` fills it.
    pub libs: PathBuf,
    /// One or three; three survive the loss of one.
    pub nodes: u16,
    /// Protocols with listeners of their own, beside the plain one.
    pub listeners: Vec<KafkaProtocol>,
    /// Further properties of every broker; they win.
    pub properties: BTreeMap<String, String>,
    /// Users that SCRAM knows. Their passwords are seen in the list of processes for a second: for tests only.
    pub scram_users: Vec<(SaslMechanism, String, Secret)>,
}

impl ClusterPlan {
    /// Plain listeners only.
    #[must_use]
    pub fn new(libs: &Path, nodes: u16) -> Self {
        Self {
            libs: libs.to_owned(),
            nodes,
            listeners: vec![],
            properties: BTreeMap::new(),
            scram_users: vec![],
        }
    }
}

/// A running cluster. Dropping it kills the brokers; [`PrivateKafka::stop`] shuts them down clean. If this process is
/// killed, they notice and go too.
pub struct PrivateKafka {
    // Fields drop in order: the processes first, then their directory.
    nodes: Vec<Node>,
    plan: ClusterPlan,
    java: Java,
    data: TempDir,
}

impl PrivateKafka {
    /// Formats a temporary directory, starts the nodes and waits until each of them answers.
    ///
    /// # Errors
    /// [`KafkaErrorKind::Configuration`] when Java or the jars are missing or the plan makes no sense,
    /// [`KafkaErrorKind::Unavailable`] when a broker does not come up: with the line of its log that says why.
    pub async fn start(plan: ClusterPlan) -> Result<Self, KafkaError> {
        if ![1, 3].contains(&plan.nodes) {
            return Err(refused("a cluster has one node or three"));
        }
        let java = Java::find(&plan.libs)?;
        let mut start = 1;
        loop {
            let mut cluster = Self::spawn(plan.clone(), java.clone()).await?;
            match cluster.answering().await {
                Ok(()) => return Ok(cluster),
                Err(Trouble::Ended(_)) if start < STARTS_MAX => start += 1,
                Err(Trouble::Ended(error) | Trouble::Late(error)) => return Err(error),
            }
        }
    }

    async fn spawn(plan: ClusterPlan, java: Java) -> Result<Self, KafkaError> {
        let data = tempfile::Builder::new()
            .prefix("terrasift-kafka-")
            .tempdir()
            .map_err(|error| failed(format!("cannot make a temporary directory: {}", error.kind())))?;
        let layouts = properties::layouts(&plan, data.path(), &free_ports(&plan)?);
        let scram = plan.scram_users.clone();
        let starting = tokio::task::spawn_blocking(move || {
            let nodes = layouts.into_iter().map(|layout| Node::start(layout, &java, &scram));
            nodes.collect::<Result<Vec<_>, _>>().map(|nodes| (nodes, java))
        });
        let (nodes, java) = starting.await.map_err(|_| failed("the runtime is shutting down"))??;
        Ok(Self { nodes, plan, java, data })
    }

    /// `host:port` of each node, for clients without TLS and SASL.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        self.bootstrap_of(KafkaProtocol::Plaintext)
    }

    /// `host:port` of each node, for clients of a protocol that the plan lists.
    #[must_use]
    pub fn bootstrap_of(&self, protocol: KafkaProtocol) -> String {
        let addresses = self.nodes.iter().filter_map(|node| node.layout.ports.get(&protocol));
        addresses.map(|port| format!("127.0.0.1:{port}")).collect::<Vec<_>>().join(",")
    }

    /// Where the nodes keep their files and logs.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.data.path()
    }

    /// What makes a record durable here, to be printed beside figures.
    #[must_use]
    pub fn durability(&self) -> String {
        format!(
            "nodes={} replication={} min.insync.replicas={} acks=all log.flush.interval.messages=none (Kafka's default: \
             replicas, then the system's write-back)",
            self.plan.nodes,
            self.plan.nodes,
            properties::in_sync_min(self.plan.nodes)
        )
    }

    /// Kills a node (from 0) as `kill -9` does, and waits until it is gone. Nothing when it is down.
    ///
    /// # Errors
    /// [`KafkaErrorKind::Configuration`] when there is no such node.
    pub fn kill(&mut self, node: usize) -> Result<(), KafkaError> {
        self.node(node)?.kill();
        Ok(())
    }

    /// Halts a node (SIGSTOP): it keeps its connections and answers nothing.
    ///
    /// # Errors
    /// [`KafkaErrorKind::Unavailable`] when it is down.
    pub fn suspend(&mut self, node: usize) -> Result<(), KafkaError> {
        self.node(node)?.signal("STOP")
    }

    /// Lets a suspended node go on (SIGCONT).
    ///
    /// # Errors
    /// [`KafkaErrorKind::Unavailable`] when it is down.
    pub fn resume(&mut self, node: usize) -> Result<(), KafkaError> {
        self.node(node)?.signal("CONT")
    }

    /// Starts a killed node again, with its files and its ports, and waits until all nodes that should run answer.
    ///
    /// # Errors
    /// [`KafkaErrorKind::Unavailable`] when it does not come up.
    pub async fn restart(&mut self, node: usize) -> Result<(), KafkaError> {
        let java = self.java.clone();
        let mut start = 1;
        loop {
            self.node(node)?.spawn(&java)?;
            match self.answering().await {
                Ok(()) => return Ok(()),
                Err(Trouble::Ended(_)) if start < STARTS_MAX => start += 1,
                Err(Trouble::Ended(error) | Trouble::Late(error)) => return Err(error),
            }
        }
    }

    /// Shuts all nodes down clean, within 15 s, and waits for it; the files go too.
    pub async fn stop(mut self) {
        // Ends are waited for in a blocking way.
        let stopping = tokio::task::spawn_blocking(move || {
            self.nodes.iter_mut().for_each(Node::ask_to_stop);
            self.nodes.iter_mut().for_each(Node::wait);
        });
        let _ = stopping.await;
    }

    fn node(&mut self, node: usize) -> Result<&mut Node, KafkaError> {
        self.nodes.get_mut(node).ok_or_else(|| refused("there is no such node"))
    }

    /// Waits until a broker names as many nodes as run.
    async fn answering(&mut self) -> Result<(), Trouble> {
        let probe = Arc::new(probe(&self.bootstrap()).map_err(Trouble::Late)?);
        let deadline = Instant::now() + START_PATIENCE;
        while Instant::now() < deadline {
            let mut ended =
                self.nodes.iter_mut().filter_map(|node| node.has_ended().then(|| node.last_words()));
            if let Some(words) = ended.next() {
                return Err(Trouble::Ended(failed(format!("a broker ended at once: {words}"))));
            }
            let running = self.nodes.iter().filter(|node| node.runs()).count();
            let client = Arc::clone(&probe);
            let asking = move || client.fetch_metadata(None, ANSWER_WAIT).map(|all| all.brokers().len());
            match tokio::task::spawn_blocking(asking).await {
                Ok(Ok(named)) if named >= running => return Ok(()),
                _ => tokio::time::sleep(ANSWER_GAP).await,
            }
        }
        let words = self.nodes.first().map(Node::last_words).unwrap_or_default();
        Err(Trouble::Late(failed(format!("the brokers do not answer within {START_PATIENCE:?}: {words}"))))
    }
}

/// Why a cluster does not answer.
enum Trouble {
    /// A broker ended: it may find its port taken.
    Ended(KafkaError),
    Late(KafkaError),
}

fn failed(reason: impl Into<String>) -> KafkaError {
    KafkaError::new(KafkaErrorKind::Unavailable, WHAT, reason)
}

fn refused(reason: impl Into<String>) -> KafkaError {
    KafkaError::new(KafkaErrorKind::Configuration, WHAT, reason)
}

/// Says nothing: refused connections are what one sees of a broker that starts.
struct Silent;

impl ClientContext for Silent {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}
    fn error(&self, _: Native, _: &str) {}
}

impl ConsumerContext for Silent {}

fn probe(bootstrap: &str) -> Result<BaseConsumer<Silent>, KafkaError> {
    ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("reconnect.backoff.ms", "20")
        .set("reconnect.backoff.max.ms", "100")
        .create_with_context(Silent)
        .map_err(|error| KafkaError::native(WHAT, &error))
}

/// Ports that are free now, one for each listener of each node and one more a node for the controllers.
fn free_ports(plan: &ClusterPlan) -> Result<Vec<u16>, KafkaError> {
    let count = usize::from(plan.nodes) * (2 + plan.listeners.len());
    let taken = || failed("cannot find a free port on 127.0.0.1");
    // All are held until the last is found, so that no two are the same.
    let held = (0..count).map(|_| TcpListener::bind(("127.0.0.1", 0)).map_err(|_| taken()));
    let held = held.collect::<Result<Vec<_>, _>>()?;
    held.iter().map(|held| held.local_addr().map(|at| at.port()).map_err(|_| taken())).collect()
}

/// Path of a program, asked of the shell: configuration alone may look at the environment.
fn on_search_path(program: &str) -> Option<PathBuf> {
    let command = format!("command -v {program}");
    let output = Command::new("sh").args(["-c", &command]).stdin(Stdio::null()).output().ok()?;
    std::fs::canonicalize(String::from_utf8(output.stdout).ok()?.trim()).ok()
}
