//! One deployment of the program on a cluster: its database, its configuration file, its tenants' keys and its replicas.
//!
//! Must never write a secret into the configuration file: it names environment variables.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::program::run_program;
use super::{Cluster, Replica, ReplicaPlan, free_port};
use crate::simulator::Simulator;

/// What to deploy.
#[derive(Debug, Clone)]
pub struct DeploymentPlan {
    /// The program.
    pub binary: PathBuf,
    /// Where configuration and logs go; made when missing.
    pub folder: PathBuf,
    /// Names the database and the group: `[a-z0-9_]`.
    pub name: String,
    /// Partitions of the topics.
    pub partitions: u16,
    /// Terraform Cloud, where it is not the simulator's own address: that of a proxy in front of it.
    pub upstream: Option<String>,
    /// Further lines of the section `limits`, as `key: value`.
    pub limits: Vec<String>,
    /// Further librdkafka properties.
    pub kafka_properties: Vec<(String, String)>,
    /// Whether all replicas share a rate budget in Redis; each has its own otherwise.
    pub redis: bool,
    /// Whether topics are emptied before; not for one that shall read what another wrote.
    pub fresh_topics: bool,
}

impl DeploymentPlan {
    /// Eight partitions, a rate budget in Redis, fresh topics, everything else as the program has it.
    #[must_use]
    pub fn new(binary: PathBuf, folder: PathBuf, name: &str) -> Self {
        Self {
            binary,
            folder,
            name: name.to_owned(),
            partitions: 8,
            upstream: None,
            limits: Vec::new(),
            kafka_properties: Vec::new(),
            redis: true,
            fresh_topics: true,
        }
    }
}

/// A tenant as its own people reach it. No `Debug`: it holds secrets.
#[derive(Clone)]
pub struct TenantAccess {
    /// Tenant, slug and organization are one name.
    pub id: String,
    /// A key with every scope.
    pub api_key: String,
    /// Signs its webhooks.
    pub webhook_secret: String,
}

/// A deployment.
pub struct Deployment {
    plan: DeploymentPlan,
    environment: Vec<(String, String)>,
    superuser_url: String,
    tenants: Vec<TenantAccess>,
}

impl Deployment {
    pub(super) async fn make(cluster: &Cluster, plan: DeploymentPlan, simulator: &Simulator) -> Result<Self> {
        std::fs::create_dir_all(&plan.folder).context("cannot make the folder of a deployment")?;
        if plan.fresh_topics {
            cluster.broker_client("terrasift-empty")?.delete_topics().await?;
        }
        let (owner, app) = cluster.postgres.create_database(&plan.name).await?;
        let (postgres, redis) = cluster.ports()?;
        let app = app
            .replace(&format!("@127.0.0.1:{}/", cluster.postgres.port()), &format!("@127.0.0.1:{postgres}/"));
        let mut environment = vec![
            ("TERRASIFT_DATABASE_URL".to_owned(), app),
            ("TERRASIFT_OWNER_DATABASE_URL".to_owned(), owner),
            ("TERRASIFT_REDIS_URL".to_owned(), format!("redis://127.0.0.1:{redis}/")),
        ];
        for (name, digit) in [("IDENTITY", "1"), ("HASH", "2"), ("CURSOR", "3"), ("API_KEY_PEPPER", "4")] {
            let variable = if name == "API_KEY_PEPPER" {
                format!("TERRASIFT_{name}")
            } else {
                format!("TERRASIFT_{name}_KEY")
            };
            environment.push((variable, digit.repeat(64)));
        }
        for (number, organization) in simulator.organizations().iter().enumerate() {
            environment.push((format!("TOKEN_{number}"), organization.token.clone()));
            environment
                .push((format!("WEBHOOK_{number}"), format!("webhook-secret-of-{}", organization.name)));
        }
        let superuser_url =
            cluster.postgres.superuser_url().replace("/terrasift?", &format!("/{}?", plan.name));
        std::fs::write(plan.folder.join("terrasift.yaml"), configuration(cluster, &plan, simulator))?;
        let made = Self { plan, environment, superuser_url, tenants: Vec::new() };
        made.run(&["migrate"], &[]).await?;
        Ok(made)
    }

    /// The configuration file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.plan.folder.join("terrasift.yaml")
    }

    /// Where configuration and logs are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.plan.folder
    }

    /// The consumer group.
    #[must_use]
    pub fn group(&self) -> &str {
        &self.plan.name
    }

    /// URL of the database for the superuser, round the proxy. Never log it.
    #[must_use]
    pub fn superuser_url(&self) -> &str {
        &self.superuser_url
    }

    /// The tenants, once [`Deployment::issue_keys`] was called.
    #[must_use]
    pub fn tenants(&self) -> &[TenantAccess] {
        &self.tenants
    }

    /// Issues a key for each tenant. Tenants are declared by the first start of a replica.
    ///
    /// # Errors
    /// When the program refuses.
    pub async fn issue_keys(&mut self, simulator: &Simulator) -> Result<()> {
        for organization in simulator.organizations() {
            let scopes = "catalog:read,audit:read,dead-letters:read,dead-letters:write";
            let options = ["--tenant", &organization.name, "--name", "test", "--scopes", scopes, "--json"];
            let said = self.run(&["key", "issue"], &options).await?;
            let answer: Value = serde_json::from_str(said.trim()).context("no line of JSON about a key")?;
            let api_key = answer["key"].as_str().context("no key")?.to_owned();
            let webhook_secret = format!("webhook-secret-of-{}", organization.name);
            self.tenants.push(TenantAccess { id: organization.name, api_key, webhook_secret });
        }
        Ok(())
    }

    /// A replica with a log of its own, not started.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn replica(&self, name: &str) -> Result<Replica> {
        self.replica_with(name, &[])
    }

    /// As [`Deployment::replica`], with further environment variables.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn replica_with(&self, name: &str, further: &[(String, String)]) -> Result<Replica> {
        let port = free_port()?;
        let mut environment = self.environment.clone();
        environment.push(("TERRASIFT_HTTP__LISTEN".to_owned(), format!("127.0.0.1:{port}")));
        environment.extend(further.iter().cloned());
        let command =
            [path(&self.plan.binary), "serve".to_owned(), "--config".to_owned(), path(&self.config())];
        let log = self.plan.folder.join(format!("replica-{name}.log"));
        Replica::new(ReplicaPlan { command: command.to_vec(), environment, port, log })
    }

    /// Runs a command of the program on this configuration: what it says on standard output.
    ///
    /// # Errors
    /// When it fails: with what it says.
    pub async fn run(&self, words: &[&str], options: &[&str]) -> Result<String> {
        run_program(&self.plan.binary, &self.config(), &self.environment, words, options).await
    }
}

fn path(path: &Path) -> String {
    path.display().to_string()
}

fn configuration(cluster: &Cluster, plan: &DeploymentPlan, simulator: &Simulator) -> String {
    let upstream = plan.upstream.as_deref().unwrap_or(simulator.api_origin());
    let mut text = format!(
        "kafka:\n  bootstrap: '{}'\n  group: {}\n  partitions: {}\n  properties:\n",
        cluster.kafka_address(),
        plan.name,
        plan.partitions
    );
    // Writing to a string does not fail.
    let ours =
        [("session.timeout.ms", "3000"), ("heartbeat.interval.ms", "500"), ("statistics.interval.ms", "0")];
    for (name, value) in ours {
        if !plan.kafka_properties.iter().any(|(known, _)| known == name) {
            let _ = writeln!(text, "    {name}: '{value}'");
        }
    }
    for (name, value) in &plan.kafka_properties {
        let _ = writeln!(text, "    {name}: '{value}'");
    }
    if plan.redis {
        let _ = write!(text, "redis:\n  url: env:TERRASIFT_REDIS_URL\n  prefix: {}\n", plan.name);
        text.push_str("cache:\n  url: env:TERRASIFT_REDIS_URL\n");
    }
    let _ = write!(
        text,
        "terraform_cloud: {{address: '{upstream}', allow_private_downloads: true, allow_http: true}}\nlimits:\n"
    );
    let _ = writeln!(text, "  rules_reload_s: 10");
    for limit in &plan.limits {
        let _ = writeln!(text, "  {limit}");
    }
    text.push_str("tenants:\n");
    for (number, organization) in simulator.organizations().iter().enumerate() {
        let name = &organization.name;
        let _ = writeln!(
            text,
            "- {{id: {name}, organizations: [{name}], tokens: [env:TOKEN_{number}], webhook_secret: env:WEBHOOK_{number}}}"
        );
    }
    text
}
