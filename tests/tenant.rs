//! `terrasift tenant` beside two replicas of `terrasift serve`: what a suspension holds up, and what a resume finds.
//!
//! The program itself, against a real Postgres, an in-process Kafka and the simulator of Terraform Cloud.

#![allow(clippy::unwrap_used, reason = "all of this file is tests")]

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use sqlx::{Connection, PgConnection};
use terrasift_kafka::{EmbeddedKafka, KafkaConfig, Producer};
use terrasift_load_tests::generator::{StateSize, StateSpec};
use terrasift_load_tests::simulator::{
    OrganizationSpec, Simulator, SimulatorConfig, StateSource, WorkspaceSpec,
};
use terrasift_postgres::{Auditor, PrivatePostgres, Store, TrailFilter};
use terrasift_schemas::event::{Envelope, Event, Priority, StateUpdated};
use terrasift_schemas::{TenantId, WorkspaceId};
use time::OffsetDateTime;

/// Longest wait for any condition: the consumer's first join alone takes seconds.
const WAIT_MAX: Duration = Duration::from_secs(120);
const PARTITIONS: i32 = 4;
const REPLICAS: [&str; 2] = ["one", "two"];

/// Serials by workspace.
type Serials = BTreeMap<String, u64>;

struct World {
    folder: tempfile::TempDir,
    store: Store,
    simulator: Simulator,
    postgres: PrivatePostgres,
    producer: Producer,
    _kafka: EmbeddedKafka,
    replicas: Vec<Child>,
}

fn organization(name: &str) -> OrganizationSpec {
    let workspaces = (0..2).map(|n| WorkspaceSpec {
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

fn tenant(id: &str) -> TenantId {
    TenantId::parse(id).unwrap()
}

impl World {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let organizations = ["acme", "globex"].map(organization).to_vec();
        let simulator = Simulator::start(SimulatorConfig::new(3, organizations)).await.unwrap();
        let kafka = EmbeddedKafka::start(PARTITIONS).unwrap();
        let producer = Producer::new(&KafkaConfig::new(&kafka.bootstrap(), "test", "test")).unwrap();
        let postgres = PrivatePostgres::start(None).await.unwrap();
        terrasift_postgres::migrate(&postgres.owner_url()).await.unwrap();
        let store = Store::connect(&postgres.app_url(), 4).await.unwrap();
        for replica in REPLICAS {
            // Free a moment ago: nobody else on this machine asks for it by number.
            let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let config = format!(
                "roles: [worker]
http: {{listen: '{listen}'}}
kafka: {{bootstrap: '{}', group: tenants, partitions: {PARTITIONS}}}
postgres: {{auditor_url: env:TERRASIFT_AUDITOR_DATABASE_URL}}
terraform_cloud: {{address: '{}', allow_private_downloads: true, allow_http: true}}
limits: {{tenant_requests_per_second: 25, tenant_burst: 25}}
tenants:
- {{id: acme, organizations: [acme], tokens: [env:TOKEN_ACME]}}
- {{id: globex, organizations: [globex], tokens: [env:TOKEN_GLOBEX]}}
",
                kafka.bootstrap(),
                simulator.api_origin(),
            );
            std::fs::write(folder.path().join(replica), config).unwrap();
        }
        let mut world =
            Self { folder, store, simulator, postgres, producer, _kafka: kafka, replicas: Vec::new() };
        world.replicas = REPLICAS.map(|replica| world.serve(replica)).into();
        world
    }

    fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_terrasift"));
        let keys = ["IDENTITY_KEY", "HASH_KEY", "CURSOR_KEY", "API_KEY_PEPPER"];
        for (name, digit) in keys.into_iter().zip(["1", "2", "3", "4"]) {
            command.env(format!("TERRASIFT_{name}"), digit.repeat(64));
        }
        command
            .env("TERRASIFT_DATABASE_URL", self.postgres.app_url())
            .env("TERRASIFT_OWNER_DATABASE_URL", self.postgres.owner_url())
            .env("TERRASIFT_AUDITOR_DATABASE_URL", self.postgres.auditor_url())
            .env("TOKEN_ACME", "token-acme")
            .env("TOKEN_GLOBEX", "token-globex")
            .stdin(Stdio::null());
        command
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn serve(&self, replica: &str) -> Child {
        let log = std::fs::File::create(self.path(&format!("{replica}.log"))).unwrap();
        let mut command = self.program();
        command.args(["serve", "--config", self.path(replica).to_str().unwrap()]);
        command.stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }

    fn log(&self, replica: &str) -> String {
        std::fs::read_to_string(self.path(&format!("{replica}.log"))).unwrap()
    }

    /// Exit code, standard output, standard error.
    fn tenant(&self, action: &str, arguments: &[&str]) -> (i32, String, String) {
        let mut command = self.program();
        command.args(["tenant", action, "--config", self.path("one").to_str().unwrap()]).args(arguments);
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn upstream(&self, organization: &str) -> Serials {
        let all = self.simulator.workspaces().into_iter();
        let own = all.filter(|workspace| workspace.organization == organization);
        own.map(|workspace| (workspace.id, workspace.serial.unwrap())).collect()
    }

    async fn shown(&self, id: &str) -> Serials {
        let statuses = self.store.workspaces(&tenant(id)).await.unwrap_or_default();
        let serial = |serial: i64| u64::try_from(serial).unwrap();
        statuses
            .into_iter()
            .filter_map(|status| Some((status.workspace.as_str().to_owned(), serial(status.version?.serial))))
            .collect()
    }

    async fn marks_of(&self, id: &str) -> usize {
        let mut found = 0;
        for partition in 0..PARTITIONS {
            let marks = self.store.load_marks(partition, None, 100).await.unwrap();
            found += marks.iter().filter(|mark| mark.tenant.as_str() == id).count();
        }
        found
    }

    /// A new state upstream, and its event.
    async fn change(&self, id: &str, workspace: &str) {
        self.simulator.bump(workspace).unwrap();
        let now = OffsetDateTime::from(SystemTime::now());
        let data = StateUpdated {
            tenant: tenant(id),
            workspace: WorkspaceId::parse(workspace).unwrap(),
            run: None,
            time: now,
            priority: Priority::Normal,
            state_version: None,
            lineage: None,
            serial: None,
        };
        let event = Envelope {
            id: format!("{workspace}-{}", now.unix_timestamp_nanos()),
            source: "/test".to_owned(),
            time: Some(now),
            trace: None,
            event: Event::StateUpdated(data),
        };
        self.producer.send(&event.encode().unwrap()).await.unwrap();
    }

    async fn until(&mut self, what: &str, mut holds: impl AsyncFnMut(&Self) -> bool) {
        let wait = async {
            while !holds(self).await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let held = tokio::time::timeout(WAIT_MAX, wait).await.is_ok();
        let logs = REPLICAS.map(|replica| if held { String::new() } else { self.log(replica) });
        assert!(held, "waited in vain for {what}; logs:\n{}", logs.join("\n"));
    }

    async fn until_shown(&mut self, id: &str) {
        self.until(id, async |world| world.shown(id).await == world.upstream(id)).await;
    }

    async fn stop(mut self) {
        for replica in &mut self.replicas {
            replica.kill().unwrap();
            replica.wait().unwrap();
        }
        self.store.close().await;
        self.simulator.shutdown().await;
        self.postgres.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_tenant_waits_on_every_replica_and_across_restarts_and_a_resume_finds_everything() {
    let mut world = World::start().await;
    world.until_shown("acme").await;
    world.until_shown("globex").await;
    let marks = async |world: &World| world.marks_of("acme").await;
    world.until("no marks", async |world| marks(world).await == 0).await;

    let (code, out, err) = world.tenant("suspend", &["--by", "alice", "acme", "--json"]);
    assert_eq!(code, 0, "{err}");
    let said: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&said["state"], &said["changed"]), (&"suspended".into(), &true.into()));
    for replica in REPLICAS {
        world.until(replica, async |world| world.log(replica).contains("tenant suspended")).await;
    }
    let (before, asked) = (world.shown("acme").await, world.simulator.request_count("user-acme"));
    let ids: Vec<String> = before.keys().cloned().collect();
    // One change comes with an event, of the other nobody tells.
    world.change("acme", &ids[0]).await;
    world.simulator.bump(&ids[1]).unwrap();
    world.until("the mark that waits", async |world| marks(world).await == 1).await;

    // Its neighbour does not wait; and nothing of it goes on with replicas that are new.
    for (replica, name) in REPLICAS.into_iter().enumerate() {
        world.replicas[replica].kill().unwrap();
        world.replicas[replica].wait().unwrap();
        world.replicas[replica] = world.serve(name);
        let neighbour = world.upstream("globex").keys().next().cloned().unwrap();
        world.change("globex", &neighbour).await;
        world.until_shown("globex").await;
    }
    assert_eq!(world.shown("acme").await, before);
    assert_eq!(world.simulator.request_count("user-acme"), asked, "nobody asked for anything of it");
    assert_eq!(world.marks_of("acme").await, 1);
    let (_, listed, _) = world.tenant("list", &["--json"]);
    let states: Vec<Value> = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let states: Vec<_> = states.iter().map(|t| (t["tenant"].clone(), t["state"].clone())).collect();
    assert_eq!(states, [("acme".into(), "suspended".into()), ("globex".into(), "active".into())]);

    let (code, out, err) = world.tenant("resume", &["--by", "alice", "acme"]);
    assert_eq!((code, out.as_str()), (0, "acme is active\n"), "{err}");
    world.until_shown("acme").await;
    assert_ne!(world.shown("acme").await, before);
    let (_, out, _) = world.tenant("resume", &["--by", "alice", "acme"]);
    assert_eq!(out, "acme is active, as before\n");
    let (code, _, err) = world.tenant("suspend", &["--by", "alice", "nobody"]);
    assert!(code == 1 && err.contains("no tenant of this id"), "{err}");

    let auditor = Auditor::new(&world.postgres.auditor_url()).unwrap();
    let by = Some("command line alice".to_owned());
    let records = auditor.trail(&TrailFilter { actor: by, ..TrailFilter::default() }, 10).await.unwrap();
    let mut recorded: Vec<_> =
        records.iter().map(|r| format!("{} {} {}", r.tenant, r.action, r.outcome)).collect();
    recorded.reverse();
    assert_eq!(
        recorded,
        [
            "acme tenant suspend ok",
            "acme tenant resume ok",
            "acme tenant resume ok",
            "nobody tenant suspend failed"
        ]
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_exported_and_erased_beside_running_replicas_and_no_start_brings_it_back() {
    let mut world = World::start().await;
    world.until_shown("acme").await;
    world.until_shown("globex").await;
    world.until("no marks", async |world| world.marks_of("acme").await == 0).await;

    let out = world.path("acme.jsonl");
    let path = out.to_str().unwrap().to_owned();
    let (code, said, err) = world.tenant("export", &["--by", "alice", "acme", "--out", &path, "--json"]);
    assert_eq!(code, 0, "{err}");
    let text = std::fs::read_to_string(&out).unwrap();
    let tables = check_export(&text);
    assert_eq!(serde_json::from_str::<Value>(&said).unwrap()["tables"], tables);
    assert!(tables["entities"].as_u64() > Some(10) && tables["workspaces"] == 2, "{tables}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&out).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let (code, _, err) = world.tenant("export", &["--by", "alice", "acme", "--out", &path]);
    assert!(code == 1 && err.contains("--force") && std::fs::read_to_string(&out).unwrap() == text, "{err}");
    let (code, _, err) = world.tenant("export", &["--by", "alice", "acme", "--out", &path, "--force"]);
    assert_eq!(code, 0, "{err}");
    let (_, piped, told) = world.tenant("export", &["--by", "alice", "acme", "--out", "-"]);
    assert!(
        told.contains("rows of acme are written") && check_export(&piped)["entities"] == tables["entities"]
    );

    let erase = ["--by", "alice", "acme", "--confirm", "acme"];
    let (code, _, err) = world.tenant("erase", &erase);
    assert!(code == 1 && err.contains("terrasift tenant suspend"), "{err}");
    world.tenant("suspend", &["--by", "alice", "acme"]);
    for replica in REPLICAS {
        world.until(replica, async |world| world.log(replica).contains("tenant suspended")).await;
    }
    let (code, _, err) = world.tenant("erase", &["--by", "alice", "acme", "--confirm", "globex"]);
    assert!(code == 1 && err.contains("another slug"), "{err}");

    world.kill_an_erasure_half_way(&erase).await;
    let (code, _, err) = world.tenant("resume", &["--by", "alice", "acme"]);
    assert!(code == 1 && err.contains("nothing brings it back"), "{err}");
    let (code, said, err) = world.tenant("erase", &erase);
    assert!(code == 0 && said.starts_with("acme is erased: "), "{said}{err}");
    assert!(err.contains("stands in the configuration still"), "{err}");
    let (_, said, _) = world.tenant("erase", &erase);
    assert_eq!(said, "acme is erased, as before\n");

    // Replicas that run, and replicas that start with it in their configuration, leave it alone; its neighbour goes on.
    let asked = world.simulator.request_count("user-acme");
    for (replica, name) in REPLICAS.into_iter().enumerate() {
        let own = world.upstream("acme").keys().next().cloned().unwrap();
        world.change("acme", &own).await;
        let neighbour = world.upstream("globex").keys().next().cloned().unwrap();
        world.change("globex", &neighbour).await;
        world.until_shown("globex").await;
        world.replicas[replica].kill().unwrap();
        world.replicas[replica].wait().unwrap();
        world.replicas[replica] = world.serve(name);
        world.until(name, async |world| world.log(name).contains("the tenant was erased")).await;
    }
    world.until_shown("globex").await;
    assert_eq!(world.simulator.request_count("user-acme"), asked, "nobody asked for anything of it");
    assert_eq!((world.shown("acme").await.len(), world.marks_of("acme").await), (0, 0));
    let (_, listed, _) = world.tenant("list", &["--json"]);
    let states: Vec<Value> = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let states: Vec<_> = states.iter().map(|t| (t["tenant"].clone(), t["state"].clone())).collect();
    assert_eq!(states, [("acme".into(), "erased".into()), ("globex".into(), "active".into())]);
    world.check_records().await;
    world.stop().await;
}

/// A whole export: what each table has, as the last line counts it.
fn check_export(text: &str) -> Value {
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (head, end) = (&lines[0], &lines[lines.len() - 1]);
    assert_eq!((&head["format"], &head["tenant"]), (&"terrasift-tenant-export".into(), &"acme".into()));
    assert_eq!((&end["end"], &end["rows"]), (&true.into(), &head["rows"]));
    let mut counted: BTreeMap<&str, u64> = BTreeMap::new();
    for line in &lines[1..lines.len() - 1] {
        assert_eq!(line["row"]["tenant_id"], "acme");
        *counted.entry(line["table"].as_str().unwrap()).or_default() += 1;
    }
    let said = end["tables"].as_object().unwrap().iter().filter(|(_, rows)| **rows != 0);
    let said: BTreeMap<&str, u64> =
        said.map(|(table, rows)| (table.as_str(), rows.as_u64().unwrap())).collect();
    assert_eq!(counted, said);
    assert_eq!(counted.values().sum::<u64>(), end["rows"].as_u64().unwrap());
    assert!(!text.contains("token-acme"), "no secret");
    end["tables"].clone()
}

impl World {
    /// Lets an erasure run until it waits for a row that is held, and kills it there.
    async fn kill_an_erasure_half_way(&mut self, arguments: &[&str]) {
        let mut holder = PgConnection::connect(&self.postgres.superuser_url()).await.unwrap();
        let hold = "BEGIN; SELECT FROM workspaces WHERE tenant_id = 'acme' FOR UPDATE";
        sqlx::raw_sql(hold).execute(&mut holder).await.unwrap();
        let mut command = self.program();
        command.args(["tenant", "erase", "--config", self.path("one").to_str().unwrap()]).args(arguments);
        let mut erasure = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let url = self.postgres.superuser_url();
        self.until("the erasure waits", async |_| {
            let mut conn = PgConnection::connect(&url).await.unwrap();
            let waits = "SELECT EXISTS (SELECT FROM pg_stat_activity
                         WHERE application_name = 'terrasift tenant' AND wait_event_type = 'Lock')";
            sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut conn).await.unwrap()
        })
        .await;
        erasure.kill().unwrap();
        erasure.wait().unwrap();
        sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
        let left: (i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM entities WHERE tenant_id = 'acme'),
                    (SELECT count(*) FROM erased_tenants WHERE tenant_id = 'acme' AND ended_at IS NULL)",
        )
        .fetch_one(&mut holder)
        .await
        .unwrap();
        assert_eq!(left, (0, 1), "it was killed half way");
    }

    /// What the audit says of it, and that it is whole.
    async fn check_records(&self) {
        let auditor = Auditor::new(&self.postgres.auditor_url()).unwrap();
        let tenant = Some("acme".to_owned());
        let filter = TrailFilter { tenant, ..TrailFilter::default() };
        let records = auditor.trail(&filter, 100).await.unwrap();
        let of_erasure = records.iter().rev().filter(|r| r.action == "tenant erase");
        let recorded: Vec<_> = of_erasure.map(|r| format!("{} {}", r.outcome, r.resource)).collect();
        let rows =
            recorded[6].strip_prefix("ok tenant, ended: ").and_then(|r| r.strip_suffix(" rows")).unwrap();
        assert!(rows.parse::<u64>().unwrap() > 0);
        let ended = format!("ok tenant, ended: {rows} rows");
        let asked = "ok tenant, asked for";
        let failed = "failed tenant, not ended";
        let before = "ok tenant, erased before";
        assert_eq!(recorded, [asked, failed, asked, failed, asked, asked, &ended, asked, before]);
        assert!(records.iter().any(|r| r.action == "tenant export" && r.outcome == "ok"));
        assert!(auditor.verify_trail(&[], Vec::new()).await.unwrap().breaks.is_empty());
    }
}

#[test]
fn the_help_of_tenant_has_examples() {
    let output = Command::new(env!("CARGO_BIN_EXE_terrasift")).args(["tenant", "--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for action in ["list", "suspend", "resume", "export", "erase"] {
        assert!(help.contains(&format!("terrasift tenant {action} --config")), "{action}: {help}");
    }
}
