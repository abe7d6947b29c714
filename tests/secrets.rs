//! Secrets rotate while `terrasift serve` runs: the program itself, its files changed beneath it, and a Vault that goes away.

#![allow(clippy::unwrap_used, reason = "all of this file is tests")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use terrasift_kafka::EmbeddedKafka;
use terrasift_load_tests::generator::{StateSize, StateSpec};
use terrasift_load_tests::simulator::{
    OrganizationSpec, Simulator, SimulatorConfig, StateSource, WorkspaceSpec,
};
use terrasift_postgres::{PrivatePostgres, Store};
use terrasift_schemas::TenantId;

/// Longest wait for any condition: files are read every ten seconds, and the consumer's first join takes seconds.
const WAIT_MAX: Duration = Duration::from_secs(120);
/// Part of every secret here.
const CANARY: &str = "toxic";

fn organization(token: &str) -> OrganizationSpec {
    let state = Some(StateSource::Generated(StateSpec::new(1, StateSize::Resources(10))));
    let workspace = WorkspaceSpec { name: "one".into(), state, repository: None, tags: Vec::new() };
    let (token, user) = (token.to_owned(), "user-acme".to_owned());
    OrganizationSpec { name: "acme".into(), workspaces: vec![workspace], token, user }
}

/// A Vault that answers each read with a field `token`, or that it is sealed.
struct Vault {
    address: String,
    value: Arc<Mutex<Option<&'static str>>>,
}

impl Vault {
    fn start(value: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let value = Arc::new(Mutex::new(Some(value)));
        let held = Arc::clone(&value);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let lines = BufReader::new(&stream).lines().map_while(Result::ok);
                // The whole head is read before the answer.
                let head: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
                let known = head.iter().any(|line| line == "x-vault-token: hvs.toxic");
                let (status, body) = match *held.lock().unwrap() {
                    Some(value) if known => (200, format!(r#"{{"data":{{"data":{{"token":"{value}"}}}}}}"#)),
                    Some(_) => (403, String::from("{}")),
                    None => (503, String::from(r#"{"errors":["Vault is sealed"]}"#)),
                };
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
                let _ = (&stream).write_all(format!("{head}{body}").as_bytes());
            }
        });
        Self { address, value }
    }
}

struct World {
    folder: tempfile::TempDir,
    vault: Vault,
    simulator: Simulator,
    postgres: PrivatePostgres,
    store: Store,
    _kafka: EmbeddedKafka,
    metrics: String,
}

impl World {
    /// Terraform Cloud knows the token `toxic-right` only.
    async fn start(token: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let organizations = vec![organization("toxic-right")];
        let simulator = Simulator::start(SimulatorConfig::new(3, organizations)).await.unwrap();
        let kafka = EmbeddedKafka::start(4).unwrap();
        let postgres = PrivatePostgres::start(None).await.unwrap();
        terrasift_postgres::migrate(&postgres.owner_url()).await.unwrap();
        let store = Store::connect(&postgres.app_url(), 2).await.unwrap();
        // Free a moment ago: nobody else on this machine asks for it by number.
        let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let vault = Vault::start(token);
        let text = format!(
            "roles: [worker]
http: {{listen: '{listen}'}}
kafka: {{bootstrap: '{}', group: secrets, partitions: 4}}
terraform_cloud: {{address: '{}', allow_private_downloads: true, allow_http: true}}
limits: {{reconcile_every_s: 2}}
postgres: {{url: 'file:{at}/database'}}
keys: {{identity: 'file:{at}/identity'}}
secrets: {{refresh_s: 5, vault: {{address: '{}', token: 'file:{at}/vault-token'}}}}
tenants: [{{id: acme, organizations: [acme], tokens: ['vault:secret/acme#token']}}]
",
            kafka.bootstrap(),
            simulator.api_origin(),
            vault.address,
            at = folder.path().display(),
        );
        let metrics = format!("http://{listen}/metrics");
        let world = Self { folder, vault, simulator, postgres, store, _kafka: kafka, metrics };
        world.write("terrasift.yaml", &text);
        world.write("identity", &"1".repeat(64));
        world.write("database", &world.postgres.app_url());
        world.write("vault-token", "hvs.toxic");
        world
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

    fn command(&self, command: &str) -> Command {
        program(command, &self.path("terrasift.yaml"))
    }

    fn serve(&self) -> Child {
        let log = std::fs::File::create(self.path("log")).unwrap();
        self.command("serve").stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }

    async fn until(&self, what: &str, serve: &mut Child, mut holds: impl AsyncFnMut(&Self) -> bool) {
        let wait = async {
            while !holds(self).await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let held = tokio::time::timeout(WAIT_MAX, wait).await.is_ok();
        let ended = serve.try_wait().unwrap();
        assert!(held, "waited in vain for {what}; ended: {ended:?}; log:\n{}", self.log());
    }

    async fn metric(&self, name: &str) -> Option<u64> {
        let text = reqwest::get(&self.metrics).await.ok()?.text().await.ok()?;
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }

    async fn served(&self) -> usize {
        let statuses = self.store.workspaces(&TenantId::parse("acme").unwrap()).await.unwrap_or_default();
        statuses.iter().filter(|status| status.version.is_some()).count()
    }

    async fn stop(self) {
        self.store.close().await;
        self.simulator.shutdown().await;
        self.postgres.stop().await;
    }
}

fn program(command: &str, config: &Path) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_terrasift"));
    program.args([command, "--config", config.to_str().unwrap()]).stdin(Stdio::null());
    for (name, digit) in ["HASH_KEY", "CURSOR_KEY", "API_KEY_PEPPER"].into_iter().zip(["2", "3", "4"]) {
        program.env(format!("TERRASIFT_{name}"), digit.repeat(64));
    }
    program
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test]
async fn a_rotated_secret_is_used_by_the_next_download_and_a_sealed_vault_changes_nothing() {
    let world = World::start("toxic-wrong").await;
    let checked = world.command("check").output().unwrap();
    assert!(checked.status.success(), "{}", said(&checked));
    assert!(said(&checked).contains("secrets could be read"), "{}", said(&checked));

    let mut serve = world.serve();
    let refused = "terraform cloud refused a token";
    world.until("a refused token", &mut serve, async |world| world.log().contains(refused)).await;
    assert_eq!(world.served().await, 0);
    *world.vault.value.lock().unwrap() = Some("toxic-right");
    world.until("a state under the new token", &mut serve, async |world| world.served().await == 1).await;
    assert_eq!(world.metric("terrasift_secret_rotations_total").await, Some(1));

    *world.vault.value.lock().unwrap() = None;
    world
        .until("a failed look", &mut serve, async |world| {
            world.metric("terrasift_secrets_failing").await == Some(1)
                && world.metric("terrasift_secret_refresh_failing_seconds").await.is_some_and(|age| age >= 1)
        })
        .await;
    let failures = "terrasift_secret_refresh_failures_total{source=\"vault\"}";
    assert!(world.metric(failures).await.is_some_and(|count| count >= 1));

    // An address that does not work is not taken, and another identity key never is.
    world.write("database", "postgres://terrasift_app:toxic@127.0.0.1:1/nowhere");
    world.write("identity", &"9".repeat(64));
    world
        .until("both refusals", &mut serve, async |world| {
            world.log().contains("the identity key has changed, and is refused")
                && world.log().contains("the changed address does not work")
                && world.metric("terrasift_secrets_not_taken").await == Some(2)
        })
        .await;
    world.write("database", &world.postgres.app_url());
    world.write("identity", &"1".repeat(64));
    *world.vault.value.lock().unwrap() = Some("toxic-right");
    world
        .until("all is as before", &mut serve, async |world| {
            world.metric("terrasift_secrets_not_taken").await == Some(0)
                && world.metric("terrasift_secrets_failing").await == Some(0)
        })
        .await;
    serve.kill().unwrap();
    serve.wait().unwrap();
    let log = world.log();
    assert!(log.contains("vault:secret/acme#token") && !log.contains(CANARY), "a value is in the log");
    assert!(!log.contains(&"9".repeat(64)) && !log.contains(&"1".repeat(64)), "a key is in the log");
    world.stop().await;
}

#[tokio::test]
async fn check_tells_which_secrets_can_be_read_and_serve_does_not_start_without_one() {
    let world = World::start("toxic-right").await;
    *world.vault.value.lock().unwrap() = None;
    std::fs::remove_file(world.path("database")).unwrap();
    let checked = world.command("check").output().unwrap();
    let text = said(&checked);
    assert!(!checked.status.success() && !text.contains(CANARY), "{text}");
    let at = world.folder.path().display();
    for line in [
        format!("postgres.url: secret file:{at}/database: there is no such file"),
        "keys.identity: can be read".to_owned(),
        "tenants[0].tokens[0]: secret vault:secret/acme#token: vault is sealed".to_owned(),
    ] {
        assert!(text.lines().any(|said| said.starts_with(&line)), "{line} in: {text}");
    }
    let serve = world.command("serve").output().unwrap();
    let text = said(&serve);
    assert!(!serve.status.success() && !text.contains(CANARY), "{text}");
    assert!(
        text.contains("postgres.url: secret file:") && text.contains("tenants[0].tokens[0]: secret vault:"),
        "{text}"
    );
    world.stop().await;
}
