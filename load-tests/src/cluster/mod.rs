//! The real servers around Terrasift, on this machine: Apache Kafka, Postgres and Redis, each behind a proxy that can fail, and
//! replicas of the real program in front of them. For faults and load.
//!
//! Must never replace a part by a stand-in, be reachable from another machine, or leave a process behind.
//!
//! ```no_run
//! # use terrasift_load_tests::cluster::{Cluster, ClusterPlan, DeploymentPlan};
//! # async fn example(simulator: &terrasift_load_tests::simulator::Simulator) -> anyhow::Result<()> {
//! let cluster = Cluster::start(&ClusterPlan::new("target/kafka/libs".into())).await?;
//! let plan = DeploymentPlan::new("target/debug/terrasift".into(), "target/run".into(), "run");
//! let deployment = cluster.deploy(plan, simulator).await?;
//! let mut replica = deployment.replica("a")?;
//! replica.start(&[])?;
//! replica.ready().await?;
//! replica.stop().await;
//! cluster.stop().await;
//! # Ok(())
//! # }
//! ```

mod broker;
mod deployment;
mod program;
mod proxy;
mod replica;

pub use broker::{BrokerClient, STATE_UPDATED, SentRecord, TOPICS};
pub use deployment::{Deployment, DeploymentPlan, TenantAccess};
pub(crate) use program::run_program;
pub use proxy::{FaultProxy, Weather};
pub use replica::{Replica, ReplicaPlan, free_port};

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use terrasift_kafka::PrivateKafka;
use terrasift_postgres::PrivatePostgres;
use terrasift_redis::PrivateRedis;

use crate::simulator::Simulator;

/// What to start.
#[derive(Debug, Clone)]
pub struct ClusterPlan {
    /// The folder with Kafka's jars: `make kafka-jars` fills it.
    pub kafka_libs: PathBuf,
    /// One node, which can stand behind a proxy, or three, which do not.
    pub kafka_nodes: u16,
    /// Whether a proxy that can fail stands in front of each server. It lets every byte through this process: nothing for
    /// who measures.
    pub proxies: bool,
}

impl ClusterPlan {
    /// One node of Kafka; proxies in front of all servers.
    #[must_use]
    pub fn new(kafka_libs: PathBuf) -> Self {
        Self { kafka_libs, kafka_nodes: 1, proxies: true }
    }

    /// One node of Kafka, and nothing between the servers and the program.
    #[must_use]
    pub fn direct(kafka_libs: PathBuf) -> Self {
        Self { proxies: false, ..Self::new(kafka_libs) }
    }
}

/// The proxies in front of the servers. Each has its weather.
pub struct Proxies {
    /// Where there is one node; three nodes are reached as they are.
    pub kafka: Option<FaultProxy>,
    /// In front of Postgres.
    pub postgres: FaultProxy,
    /// In front of Redis.
    pub redis: FaultProxy,
}

/// The running servers. Dropping it stops them.
pub struct Cluster {
    /// Apache Kafka; nodes can be killed, halted and started again.
    pub kafka: PrivateKafka,
    /// Postgres; can be killed and started again.
    pub postgres: PrivatePostgres,
    /// Redis; can be killed (it comes again empty) and halted.
    pub redis: PrivateRedis,
    /// In front of them, where the plan wants them.
    pub proxies: Option<Proxies>,
    kafka_address: String,
}

impl Cluster {
    /// Starts the servers, beside each other.
    ///
    /// # Errors
    /// When a server does not come up: with the reason that it gives.
    pub async fn start(plan: &ClusterPlan) -> Result<Self> {
        let kafka_proxy =
            if plan.proxies && plan.kafka_nodes == 1 { Some(FaultProxy::bind().await?) } else { None };
        let mut kafka_plan = terrasift_kafka::ClusterPlan::new(&plan.kafka_libs, plan.kafka_nodes);
        if let Some(proxy) = &kafka_proxy {
            // Clients go where a broker says it is.
            let advertised = format!("PLAINTEXT://127.0.0.1:{}", proxy.port());
            kafka_plan.properties = BTreeMap::from([("advertised.listeners".to_owned(), advertised)]);
        }
        let (kafka, postgres, redis) = tokio::join!(
            PrivateKafka::start(kafka_plan),
            PrivatePostgres::start(None),
            PrivateRedis::start(&[])
        );
        let (kafka, postgres) = (kafka.context("Kafka")?, postgres.context("Postgres")?);
        let redis = redis.context("Redis")?;
        let kafka_address = match &kafka_proxy {
            Some(proxy) => {
                proxy.forward_to(port_of(&kafka.bootstrap())?);
                format!("127.0.0.1:{}", proxy.port())
            }
            None => kafka.bootstrap(),
        };
        let proxies = if plan.proxies {
            Some(Proxies {
                kafka: kafka_proxy,
                postgres: FaultProxy::start(postgres.port()).await?,
                redis: FaultProxy::start(redis_port(&redis)?).await?,
            })
        } else {
            None
        };
        Ok(Self { kafka, postgres, redis, proxies, kafka_address })
    }

    /// Where the program finds Postgres and Redis: the proxies' ports, or the servers' own.
    fn ports(&self) -> Result<(u16, u16)> {
        Ok(match &self.proxies {
            Some(proxies) => (proxies.postgres.port(), proxies.redis.port()),
            None => (self.postgres.port(), redis_port(&self.redis)?),
        })
    }

    /// Makes a database, topics without records, and the configuration for replicas of the program: fresh, so that runs
    /// on one cluster do not see each other.
    ///
    /// # Errors
    /// When a server refuses.
    pub async fn deploy(&self, plan: DeploymentPlan, simulator: &Simulator) -> Result<Deployment> {
        Deployment::make(self, plan, simulator).await
    }

    /// `host:port` of the brokers, through the proxy where there is one.
    #[must_use]
    pub fn kafka_address(&self) -> &str {
        &self.kafka_address
    }

    /// A client of the brokers that goes round the proxy in front of them at first; brokers tell it to go through it
    /// for everything else.
    ///
    /// # Errors
    /// When librdkafka refuses.
    pub fn broker_client(&self, group: &str) -> Result<BrokerClient> {
        BrokerClient::new(&self.kafka.bootstrap(), group)
    }

    /// What makes data durable here, to be printed beside figures.
    #[must_use]
    pub fn durability(&self) -> String {
        format!(
            "kafka: {}; postgres: fsync=on full_page_writes=on synchronous_commit=on (Postgres' defaults)",
            self.kafka.durability()
        )
    }

    /// Fair weather everywhere.
    pub fn heal(&self) {
        let Some(proxies) = &self.proxies else { return };
        for proxy in proxies.kafka.iter().chain([&proxies.postgres, &proxies.redis]) {
            proxy.set(Weather::Fair);
        }
    }

    /// Stops the servers clean.
    pub async fn stop(self) {
        self.heal();
        self.kafka.stop().await;
        self.postgres.stop().await;
    }
}

fn redis_port(redis: &PrivateRedis) -> Result<u16> {
    port_of(redis.address().trim_end_matches('/'))
}

fn port_of(address: &str) -> Result<u16> {
    address.rsplit(':').next().and_then(|port| port.parse().ok()).context("an address without a port")
}
