//! The scene: a private Postgres with its durability on, the program in its role `api` as a process of its own, tenants with a key each.
//!
//! Must never stand between the program and its database, and never tell a key.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;
use terrasift_kafka::EmbeddedKafka;
use terrasift_postgres::PrivatePostgres;

use super::seed::{self, Seeded};
use crate::cluster::run_program;
use crate::cluster::{Replica, ReplicaPlan, free_port};

/// Keys that are issued at once: each is a run of the program.
const KEYS_AT_ONCE: usize = 4;

/// The running scene. No `Debug`: it holds keys. Dropping it stops everything.
pub(super) struct Site {
    pub(super) replica: Replica,
    pub(super) port: u16,
    pub(super) tenants: Vec<Seeded>,
    /// A key of each tenant, in their order.
    pub(super) keys: Vec<String>,
    postgres: PrivatePostgres,
    /// The program asks for its topics when it starts; its API does not use them.
    _kafka: EmbeddedKafka,
}

impl Site {
    pub(super) async fn start(
        binary: &Path,
        folder: &Path,
        tenants: Vec<Seeded>,
        connections: u32,
        step: &(dyn Fn(&str) + Sync),
    ) -> Result<Self> {
        std::fs::create_dir_all(folder).context("cannot make the folder of the run")?;
        step("starting Postgres and the program");
        let kafka = EmbeddedKafka::start(1).context("cannot start the in-process Kafka")?;
        let postgres = PrivatePostgres::start(None).await.context("cannot start Postgres")?;
        let port = free_port()?;
        let config = folder.join("terrasift.yaml");
        std::fs::write(&config, configuration(&kafka.bootstrap(), &tenants, connections))?;
        let program =
            Program { binary: binary.to_owned(), config, environment: environment(&postgres, port) };
        program.run(&["migrate"], &[]).await?;
        let mut replica = Replica::new(ReplicaPlan {
            command: program.serve(),
            environment: program.environment.clone(),
            port,
            log: folder.join("terrasift.log"),
        })?;
        replica.start(&[])?;
        replica.ready().await?;
        step("issuing keys");
        let issuing = futures_util::stream::iter(&tenants).map(|tenant| program.issue_key(&tenant.id));
        let keys = issuing.buffered(KEYS_AT_ONCE).try_collect().await?;
        seed::fill(&postgres.superuser_url(), &tenants, step).await?;
        Ok(Self { replica, port, tenants, keys, postgres, _kafka: kafka })
    }

    /// What the database tells of its settings.
    pub(super) async fn settings(&self) -> Result<Vec<(String, String)>> {
        seed::settings(&self.postgres.superuser_url()).await
    }

    pub(super) async fn stop(mut self) {
        self.replica.stop().await;
        self.postgres.stop().await;
    }
}

/// The program on its configuration. No `Debug`: the environment holds passwords.
struct Program {
    binary: PathBuf,
    config: PathBuf,
    environment: Vec<(String, String)>,
}

impl Program {
    fn serve(&self) -> Vec<String> {
        let (binary, config) = (self.binary.display().to_string(), self.config.display().to_string());
        [&binary, "serve", "--config", &config, "--roles", "api"].map(str::to_owned).to_vec()
    }

    async fn issue_key(&self, tenant: &str) -> Result<String> {
        let said = self.run(&["key", "issue"], &["--tenant", tenant, "--name", "load", "--json"]).await?;
        let answer: Value = serde_json::from_str(said.trim()).context("no line of JSON about a key")?;
        Ok(answer["key"].as_str().context("no key")?.to_owned())
    }

    async fn run(&self, words: &[&str], options: &[&str]) -> Result<String> {
        run_program(&self.binary, &self.config, &self.environment, words, options).await
    }
}

fn environment(postgres: &PrivatePostgres, port: u16) -> Vec<(String, String)> {
    let mut environment = vec![
        ("TERRASIFT_DATABASE_URL".to_owned(), postgres.app_url()),
        ("TERRASIFT_OWNER_DATABASE_URL".to_owned(), postgres.owner_url()),
        ("TERRASIFT_HTTP__LISTEN".to_owned(), format!("127.0.0.1:{port}")),
        ("TERRASIFT_LOAD_TOKEN".to_owned(), "unused".to_owned()),
    ];
    let keys = ["IDENTITY_KEY", "HASH_KEY", "CURSOR_KEY", "API_KEY_PEPPER"];
    for (name, digit) in keys.into_iter().zip(["1", "2", "3", "4"]) {
        environment.push((format!("TERRASIFT_{name}"), digit.repeat(64)));
    }
    environment
}

/// Everything that is not here is as the program has it: sixteen connections to the database, 10,000 requests of a
/// tenant in ten seconds.
fn configuration(kafka: &str, tenants: &[Seeded], connections: u32) -> String {
    // Two thousand above the readers': probes, scrapes, and who reads the feed.
    let mut text = format!(
        "kafka: {{bootstrap: '{kafka}', partitions: 1}}\nhttp: {{connections_max: {}}}\ntenants:\n",
        connections.saturating_add(2_000)
    );
    for tenant in tenants {
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "- {{id: {id}, organizations: [{id}], tokens: [env:TERRASIFT_LOAD_TOKEN]}}",
            id = tenant.id
        );
    }
    text
}
