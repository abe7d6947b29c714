//! What a node of the private cluster is told: ports, quorum, durability, and what makes tests quick.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use terrasift_schemas::config::KafkaProtocol;

use super::ClusterPlan;

/// Any: 16 bytes in base64, the same on all nodes.
pub(super) const CLUSTER_ID: &str = "dGVycmFzaWZ0LWthZmthMQ";

/// Where a node lives and what its file of properties says. No `Debug`: properties can hold passwords.
pub(super) struct Layout {
    /// From 1.
    pub(super) id: u16,
    pub(super) dir: PathBuf,
    /// Of clients, by protocol.
    pub(super) ports: BTreeMap<KafkaProtocol, u16>,
    pub(super) properties: String,
}

/// In-sync replicas without which `acks=all` refuses: two of three.
pub(super) fn in_sync_min(nodes: u16) -> u16 {
    nodes.min(2)
}

/// One layout a node; `free` has a port for each listener of each node, and for each controller.
pub(super) fn layouts(plan: &ClusterPlan, data: &Path, free: &[u16]) -> Vec<Layout> {
    let protocols: Vec<KafkaProtocol> =
        std::iter::once(KafkaProtocol::Plaintext).chain(plan.listeners.iter().copied()).collect();
    let nodes: Vec<&[u16]> = free.chunks(protocols.len() + 1).collect();
    let controller = |ports: &[u16]| ports.last().copied().unwrap_or_default();
    let voters: Vec<String> = (1..)
        .zip(&nodes)
        .map(|(id, ports): (u16, _)| format!("{id}@127.0.0.1:{}", controller(ports)))
        .collect();
    let layout = |(id, ports): (u16, &&[u16])| {
        let dir = data.join(format!("node-{id}"));
        let ports_of_clients: BTreeMap<_, _> = protocols.iter().copied().zip(ports.iter().copied()).collect();
        let mut all = fixed(plan.nodes);
        all.insert("node.id".into(), id.to_string());
        all.insert("log.dirs".into(), dir.join("data").display().to_string());
        all.insert("controller.quorum.voters".into(), voters.join(","));
        let addresses =
            ports_of_clients.iter().map(|(protocol, port)| format!("{}://127.0.0.1:{port}", name(*protocol)));
        let addresses = addresses.collect::<Vec<_>>().join(",");
        all.insert("listeners".into(), format!("{addresses},CONTROLLER://127.0.0.1:{}", controller(ports)));
        all.insert("advertised.listeners".into(), addresses);
        all.extend(plan.properties.clone());
        let properties = all.iter().fold(String::new(), |mut text, (name, value)| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name}={value}");
            text
        });
        Layout { id, dir, ports: ports_of_clients, properties }
    };
    (1..).zip(&nodes).map(layout).collect()
}

/// A listener is named after its protocol, as Kafka's own map has it.
fn name(protocol: KafkaProtocol) -> &'static str {
    match protocol {
        KafkaProtocol::Plaintext => "PLAINTEXT",
        KafkaProtocol::Ssl => "SSL",
        KafkaProtocol::SaslPlaintext => "SASL_PLAINTEXT",
        KafkaProtocol::SaslSsl => "SASL_SSL",
    }
}

fn fixed(nodes: u16) -> BTreeMap<String, String> {
    let (replicas, in_sync) = (nodes.to_string(), in_sync_min(nodes).to_string());
    let pairs = [
        ("process.roles", "broker,controller"),
        ("controller.listener.names", "CONTROLLER"),
        (
            "listener.security.protocol.map",
            "PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
        ),
        ("inter.broker.listener.name", "PLAINTEXT"),
        // Durability. `log.flush.*` stays at Kafka's default: a record counts when the in-sync replicas have it, and
        // the system writes it back. What a killed process had written survives it.
        ("default.replication.factor", &replicas),
        ("min.insync.replicas", &in_sync),
        ("offsets.topic.replication.factor", &replicas),
        ("transaction.state.log.replication.factor", &replicas),
        ("transaction.state.log.min.isr", &in_sync),
        ("share.coordinator.state.topic.replication.factor", &replicas),
        ("share.coordinator.state.topic.min.isr", &in_sync),
        ("unclean.leader.election.enable", "false"),
        ("auto.create.topics.enable", "false"),
        // Quick tests: few internal partitions, no wait for further members, short sessions where a client asks for them.
        ("offsets.topic.num.partitions", "4"),
        ("transaction.state.log.num.partitions", "4"),
        ("group.initial.rebalance.delay.ms", "0"),
        ("group.min.session.timeout.ms", "1000"),
        // How soon the others notice that a node is gone, and how long one that was killed waits until it may come back.
        ("broker.session.timeout.ms", "4000"),
        ("broker.heartbeat.interval.ms", "500"),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_has_ports_of_its_own_and_knows_all_voters() {
        let mut plan = ClusterPlan::new(Path::new("libs"), 3);
        plan.listeners = vec![KafkaProtocol::SaslSsl];
        plan.properties.insert("auto.create.topics.enable".into(), "true".into());
        let layouts = layouts(&plan, Path::new("data"), &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(layouts.len(), 3);
        for (layout, expected) in layouts.iter().zip([[1, 2, 3], [4, 5, 6], [7, 8, 9]]) {
            assert_eq!(layout.ports[&KafkaProtocol::Plaintext], expected[0]);
            assert_eq!(layout.ports[&KafkaProtocol::SaslSsl], expected[1]);
            let [plain, secure, controller] = expected;
            for line in [
                "controller.quorum.voters=1@127.0.0.1:3,2@127.0.0.1:6,3@127.0.0.1:9".to_owned(),
                format!(
                    "listeners=PLAINTEXT://127.0.0.1:{plain},SASL_SSL://127.0.0.1:{secure},CONTROLLER://127.0.0.1:{controller}"
                ),
                "min.insync.replicas=2".to_owned(),
                // The plan wins, and says it once.
                "auto.create.topics.enable=true".to_owned(),
            ] {
                assert_eq!(layout.properties.lines().filter(|l| **l == line).count(), 1, "{line}");
            }
        }
    }
}
