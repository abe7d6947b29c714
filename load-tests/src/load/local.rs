//! A scenario's world on this machine: servers, simulator, replicas of the program.
//!
//! Must never turn off what makes records or commits durable.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sqlx::Connection as _;
use terrasift_kafka::KafkaConfig;

use super::scenario::Scenario;
use super::target::{Target, TenantKey};
use crate::cluster::{Cluster, ClusterPlan, Deployment, DeploymentPlan, Replica};
use crate::generator::{StateSize, StateSpec};
use crate::simulator::{OrganizationSpec, Simulator, SimulatorConfig, StateSource, WorkspaceSpec};

/// Where things are.
#[derive(Debug, Clone)]
pub struct LocalPlan {
    /// The program.
    pub binary: PathBuf,
    /// Kafka's jars.
    pub kafka_libs: PathBuf,
    /// Where configuration and logs go.
    pub folder: PathBuf,
    /// Further lines of the section `limits`.
    pub limits: Vec<String>,
}

/// The running world.
pub struct Local {
    /// The servers.
    pub cluster: Cluster,
    /// Terraform Cloud.
    pub simulator: Simulator,
    /// Database, configuration, keys.
    pub deployment: Deployment,
    /// The replicas, in their order; each is ready.
    pub replicas: Vec<Replica>,
}

impl Local {
    /// Starts everything and waits until all replicas are ready.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start(plan: &LocalPlan, scenario: &Scenario) -> Result<Self> {
        let mut config = SimulatorConfig::new(7, organizations(scenario));
        config.requests_per_second = usize::try_from(scenario.upstream_requests_per_second)?;
        let simulator = Simulator::start(config).await.context("cannot start the simulator")?;
        let cluster = Cluster::start(&ClusterPlan::direct(plan.kafka_libs.clone())).await?;
        let mut deployed = DeploymentPlan::new(plan.binary.clone(), plan.folder.clone(), "load");
        deployed.partitions = scenario.partitions;
        deployed.limits = plan.limits.clone();
        if scenario.upstream_requests_per_second > 30 {
            // The wait for the upstream is left out: budgets that never hold anything up, a replica its own.
            let rate = scenario.upstream_requests_per_second;
            deployed.redis = false;
            deployed.limits.extend([
                format!("user_requests_per_second: {rate}"),
                format!("tenant_requests_per_second: {rate}"),
                format!("tenant_burst: {rate}"),
            ]);
        }
        let mut deployment = cluster.deploy(deployed, &simulator).await?;
        let mut replicas = Vec::with_capacity(scenario.replicas);
        for number in 0..scenario.replicas {
            let mut replica = deployment.replica(&number.to_string())?;
            replica.start(&[])?;
            replicas.push(replica);
        }
        for replica in &mut replicas {
            replica.ready().await?;
        }
        deployment.issue_keys(&simulator).await?;
        Ok(Self { cluster, simulator, deployment, replicas })
    }

    /// What a driver needs of it.
    ///
    /// # Errors
    /// When the simulator does not answer.
    pub async fn target(&self) -> Result<Target> {
        let keys = self.deployment.tenants().iter();
        let keys = keys.map(|tenant| TenantKey { tenant: tenant.id.clone(), key: tenant.api_key.clone() });
        Target::new(
            self.cluster.kafka_address().to_owned(),
            self.replicas.iter().map(Replica::origin).collect(),
            self.simulator.api_origin().to_owned(),
            keys.collect(),
        )
        .await
    }

    /// Resident bytes of the replicas that run.
    #[must_use]
    pub fn resident_bytes(&self) -> Vec<u64> {
        self.replicas.iter().filter_map(Replica::resident_bytes).collect()
    }

    /// One value of the database, asked from outside.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn ask(&self, sql: &'static str) -> Result<Vec<(String, String)>> {
        let mut conn = sqlx::PgConnection::connect(self.deployment.superuser_url()).await?;
        let rows = sqlx::query_as(sql).fetch_all(&mut conn).await?;
        let _ = conn.close().await;
        Ok(rows)
    }

    /// What makes things durable here, as the servers tell it.
    ///
    /// # Errors
    /// When one does not answer.
    pub async fn settings(&self) -> Result<Value> {
        let postgres = self
            .ask(
                "SELECT name, setting FROM pg_settings
                 WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', 'wal_sync_method', 'server_version')
                 ORDER BY name",
            )
            .await?;
        let kafka = KafkaConfig::new(self.cluster.kafka_address(), "settings", "settings");
        let kafka = terrasift_kafka::durability(&kafka).await?;
        let told = |pairs: Vec<(String, String)>| -> Value {
            let pairs = pairs.into_iter().map(|(name, value)| (name, Value::from(value)));
            pairs.collect::<serde_json::Map<_, _>>().into()
        };
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        Ok(
            json!({ "postgres": told(postgres), "kafka": told(kafka), "cores": cores, "replicas": self.replicas.len() }),
        )
    }

    /// Stops everything, clean.
    pub async fn stop(mut self) {
        for replica in &mut self.replicas {
            replica.stop().await;
        }
        self.simulator.shutdown().await;
        self.cluster.stop().await;
    }
}

fn organizations(scenario: &Scenario) -> Vec<OrganizationSpec> {
    let giants = scenario.giants.as_ref();
    (0..scenario.tenants)
        .map(|tenant| {
            let name = format!("tenant-{tenant}");
            let workspaces = (0..scenario.workspaces).map(|number| {
                let giant = giants.filter(|giants| tenant == 0 && number < giants.workspaces);
                let size = giant.map_or(StateSize::Resources(scenario.resources), |giants| {
                    StateSize::Bytes(giants.bytes)
                });
                let seed = u64::try_from(tenant * 1_000_003 + number).unwrap_or(u64::MAX);
                WorkspaceSpec {
                    name: format!("{name}-{number}"),
                    state: Some(StateSource::Generated(StateSpec::new(seed, size))),
                    repository: None,
                    tags: Vec::new(),
                }
            });
            let user = if scenario.one_user { "user-load".to_owned() } else { format!("user-{name}") };
            OrganizationSpec { workspaces: workspaces.collect(), token: format!("token-{name}"), user, name }
        })
        .collect()
}
