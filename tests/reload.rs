//! Rule files change while `terrasift serve` runs: noticed, numbered, applied to what they concern; bad ones refused.
//!
//! The program itself, against a real Postgres, an in-process Kafka and the simulator of Terraform Cloud.

#![allow(clippy::unwrap_used, reason = "all of this file is tests")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use terrasift_kafka::EmbeddedKafka;
use terrasift_load_tests::generator::{StateSize, StateSpec};
use terrasift_load_tests::simulator::{
    OrganizationSpec, Simulator, SimulatorConfig, StateSource, WorkspaceSpec,
};
use terrasift_postgres::{AuditFilter, PrivatePostgres, Store};
use terrasift_schemas::TenantId;

/// Longest wait for any condition: the consumer's first join alone takes seconds.
const WAIT_MAX: Duration = Duration::from_secs(120);
const WORKSPACES: usize = 2;
const TENANTS: [&str; 2] = ["acme", "globex"];

/// A running `terrasift serve` with all around it.
struct World {
    folder: tempfile::TempDir,
    store: Store,
    simulator: Simulator,
    postgres: PrivatePostgres,
    _kafka: EmbeddedKafka,
    serve: Child,
    metrics: String,
}

fn organization(name: &str) -> OrganizationSpec {
    let workspaces = (0u64..).take(WORKSPACES).map(|n| WorkspaceSpec {
        name: format!("{name}-{n}"),
        state: Some(StateSource::Generated(StateSpec::new(n, StateSize::Resources(10)))),
        repository: None,
        tags: Vec::new(),
    });
    OrganizationSpec {
        name: name.to_owned(),
        workspaces: workspaces.collect(),
        token: format!("token-{name}"),
        user: format!("user-{name}"),
    }
}

impl World {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["common.yaml", "globex.yaml"] {
            std::fs::write(folder.path().join(name), "version: 1\n").unwrap();
        }
        let organizations = TENANTS.map(organization).to_vec();
        let simulator = Simulator::start(SimulatorConfig::new(3, organizations)).await.unwrap();
        let kafka = EmbeddedKafka::start(4).unwrap();
        let postgres = PrivatePostgres::start(None).await.unwrap();
        terrasift_postgres::migrate(&postgres.owner_url()).await.unwrap();
        let store = Store::connect(&postgres.app_url(), 4).await.unwrap();
        // Free a moment ago: nobody else on this machine asks for it by number.
        let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let config = folder.path().join("terrasift.yaml");
        std::fs::write(
            &config,
            format!(
                "roles: [worker]
http: {{listen: '{listen}'}}
kafka: {{bootstrap: '{}', group: reload, partitions: 4}}
terraform_cloud: {{address: '{}', allow_private_downloads: true, allow_http: true}}
limits: {{rules_reload_s: 1, tenant_requests_per_second: 25, tenant_burst: 25}}
rules_file: {folder}/common.yaml
tenants:
- {{id: acme, organizations: [acme], tokens: [env:TOKEN_ACME]}}
- {{id: globex, organizations: [globex], tokens: [env:TOKEN_GLOBEX], rules_file: {folder}/globex.yaml}}
",
                kafka.bootstrap(),
                simulator.api_origin(),
                folder = folder.path().display(),
            ),
        )
        .unwrap();
        let serve = serve(&config, &folder.path().join("log"), &postgres);
        let metrics = format!("http://{listen}/metrics");
        Self { folder, store, simulator, postgres, _kafka: kafka, serve, metrics }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap()
    }

    /// The rule sets that a tenant's workspaces show.
    async fn shown(&self, tenant: &str) -> Vec<i64> {
        let statuses = self.store.workspaces(&TenantId::parse(tenant).unwrap()).await.unwrap_or_default();
        statuses.into_iter().filter_map(|status| Some(status.version?.pipeline.rule_set())).collect()
    }

    async fn until(&mut self, what: &str, mut holds: impl AsyncFnMut(&Self) -> bool) {
        let wait = async {
            while !holds(self).await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let held = tokio::time::timeout(WAIT_MAX, wait).await.is_ok();
        let ended = self.serve.try_wait().unwrap();
        assert!(held, "waited in vain for {what}; ended: {ended:?}; log:\n{}", self.log());
    }

    async fn until_shown(&mut self, tenant: &'static str, rule_set: i64) {
        let what = format!("rule set {rule_set} of {tenant}");
        self.until(&what, async |world| world.shown(tenant).await == vec![rule_set; WORKSPACES]).await;
    }

    /// The value of a reload outcome's counter.
    async fn reloads(&self, outcome: &str) -> u64 {
        let line = format!("terrasift_rule_reloads_total{{outcome=\"{outcome}\"}} ");
        let Ok(answer) = reqwest::get(&self.metrics).await else { return 0 };
        let text = answer.text().await.unwrap_or_default();
        text.lines().find_map(|l| l.strip_prefix(&line)?.parse().ok()).unwrap_or(0)
    }

    async fn stop(mut self) {
        self.serve.kill().unwrap();
        self.serve.wait().unwrap();
        self.store.close().await;
        self.simulator.shutdown().await;
        self.postgres.stop().await;
    }
}

fn serve(config: &Path, log: &Path, postgres: &PrivatePostgres) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_terrasift"));
    command.args(["serve", "--config", config.to_str().unwrap()]);
    let keys = ["IDENTITY_KEY", "HASH_KEY", "CURSOR_KEY", "API_KEY_PEPPER"];
    for (name, digit) in keys.into_iter().zip(["1", "2", "3", "4"]) {
        command.env(format!("TERRASIFT_{name}"), digit.repeat(64));
    }
    command
        .env("TERRASIFT_DATABASE_URL", postgres.app_url())
        .env("TOKEN_ACME", "token-acme")
        .env("TOKEN_GLOBEX", "token-globex")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(log).unwrap())
        .spawn()
        .unwrap()
}

const BADGE: &str = "version: 2\nrules:\n- {id: badge, category: pii, pattern: 'ACME-[0-9]{4}'}\n";

#[tokio::test]
async fn changed_rules_are_applied_to_what_they_concern_and_bad_ones_refused() {
    let mut world = World::start().await;
    world.until_shown("acme", 1).await;
    world.until_shown("globex", 1).await;

    world.write("globex.yaml", BADGE);
    world.until_shown("globex", 2).await;
    assert_eq!(world.shown("acme").await, [1; WORKSPACES], "a tenant's file is its own");

    world.write("common.yaml", "version: 2\ndisable: [phone]\n");
    world.until_shown("acme", 2).await;
    world.until_shown("globex", 3).await;
    for (tenant, expected) in [("acme", 2), ("globex", 3)] {
        let tenant = TenantId::parse(tenant).unwrap();
        let audit = world.store.audit(&tenant, &AuditFilter::default(), None, 100).await.unwrap();
        let newest: Vec<i64> =
            audit.iter().take(WORKSPACES).map(|row| row.version.pipeline.rule_set()).collect();
        assert_eq!(
            newest, [expected; WORKSPACES],
            "{tenant}: each state leaves a record under the new rules"
        );
        assert_eq!(audit.len(), WORKSPACES * usize::try_from(expected).unwrap(), "{tenant}: and one only");
    }

    world.write("common.yaml", "version: 3\ndisable: [phone, private-key]\n");
    world.until("a refusal", async |world| world.reloads("refused").await == 1).await;
    let log = world.log();
    assert!(log.contains("common.yaml, line 2") && log.contains("cannot be switched off"), "{log}");
    world.write(
        "globex.yaml",
        "version: 3\nrules:\n- {id: hunter2-is-secret, category: pii, pattern: 'x*'}\n",
    );
    world.until("another refusal", async |world| world.reloads("refused").await == 2).await;
    assert!(world.log().contains("globex.yaml, line 3"));
    assert!(!world.log().contains("x*"), "a pattern is in the log");
    assert_eq!(
        (world.shown("acme").await, world.shown("globex").await),
        (vec![2; WORKSPACES], vec![3; WORKSPACES])
    );

    // Mended: what is as before keeps its number, and what is new gets the next.
    world.write("common.yaml", "version: 2\ndisable: [phone]\n");
    world.write("globex.yaml", &BADGE.replace("version: 2", "version: 4"));
    world.until_shown("globex", 4).await;
    assert_eq!(world.shown("acme").await, [2; WORKSPACES]);
    assert_eq!(world.reloads("refused").await, 2);
    for tenant in TENANTS {
        assert!(world.simulator.max_requests_in_any_second(&format!("user-{tenant}")) <= 30);
    }
    world.stop().await;
}
