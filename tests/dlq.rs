//! `terrasift dlq` as a person uses it, against a real Postgres.

#![allow(clippy::unwrap_used, reason = "all of this file is tests")]

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use terrasift_postgres::{NewDeadLetter, PrivatePostgres, Store, TenantRow, migrate};
use terrasift_schemas::event::FailureReason;
use terrasift_schemas::{TenantId, TenantSlug, WorkspaceId};

struct World {
    folder: tempfile::TempDir,
    postgres: PrivatePostgres,
    store: Store,
}

/// Exit code, standard output, standard error.
type Said = (i32, String, String);

impl World {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("terrasift.yaml"), "").unwrap();
        let postgres = PrivatePostgres::start(None).await.unwrap();
        migrate(&postgres.owner_url()).await.unwrap();
        let store = Store::connect(&postgres.app_url(), 2).await.unwrap();
        let tenants = ["acme", "globex"]
            .map(|id| TenantRow { id: TenantId::parse(id).unwrap(), slug: TenantSlug::parse(id).unwrap() });
        store.declare_tenants(&tenants).await.unwrap();
        Self { folder, postgres, store }
    }

    async fn park(&self, workspace: Option<&str>, reason: FailureReason) -> String {
        let letter = NewDeadLetter {
            tenant: TenantId::parse("acme").unwrap(),
            workspace: workspace.map(|id| WorkspaceId::parse(id).unwrap()),
            reason,
            detail: "the state\u{1b}[2J is no json".into(),
            attempts: 4,
            record: None,
            trace: None,
        };
        self.store.park(&letter, None).await.unwrap().0.to_string()
    }

    fn dlq(&self, tenant: &str, action: &str, arguments: &[&str]) -> Said {
        let config: PathBuf = self.folder.path().join("terrasift.yaml");
        let output = Command::new(env!("CARGO_BIN_EXE_terrasift"))
            .args(["dlq", action, "--config", config.to_str().unwrap(), "--tenant", tenant])
            .args(arguments)
            .env("TERRASIFT_DATABASE_URL", self.postgres.app_url())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// The ids of a list, in their order.
    fn ids(&self, tenant: &str, arguments: &[&str]) -> Vec<String> {
        let (code, out, err) = self.dlq(tenant, "list", &[arguments, &["--json"]].concat());
        assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
        let letters = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        letters.map(|letter| letter["id"].to_string()).collect()
    }

    async fn stop(self) {
        self.store.close().await;
        self.postgres.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_listed_shown_retried_and_discarded_by_command_line() {
    let world = World::start().await;
    let first = world.park(Some("ws-a"), FailureReason::StateRefused).await;
    let second = world.park(Some("ws-b"), FailureReason::Panicked).await;
    let third = world.park(None, FailureReason::InvalidRecord).await;

    // The list: filters, pages, people and programs.
    let all = [first.clone(), second.clone(), third.clone()];
    assert_eq!(world.ids("acme", &[]), all);
    assert_eq!(world.ids("globex", &["--state", "all"]), [""; 0], "another tenant sees nothing");
    assert_eq!(world.ids("acme", &["--reason", "panicked"]), [second.as_str()]);
    assert_eq!(world.ids("acme", &["--kind", "panicked"]), [second.as_str()]);
    assert_eq!(world.ids("acme", &["--workspace", "ws-a"]), [first.as_str()]);
    assert_eq!(world.ids("acme", &["--since", "2999-01-01T00:00:00Z"]), [""; 0]);
    assert_eq!(world.ids("acme", &["--limit", "2"]), all[..2]);
    assert_eq!(world.ids("acme", &["--limit", "2", "--cursor", &second]), all[2..]);
    let (code, out, err) = world.dlq("acme", "list", &["--limit", "1"]);
    assert_eq!(code, 0);
    assert!(out.contains("ws-a open state_refused") && !out.contains('\u{1b}'), "{out}");
    assert!(err.contains(&format!("--cursor {first}")), "{err}");

    // Retried once, however often it is asked for.
    for by in ["alice", "bob"] {
        let (code, out, err) = world.dlq("acme", "retry", &["--by", by, "--json", &first]);
        assert_eq!((code, err.as_str()), (0, ""), "{by}");
        let letter: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((&letter["state"], &letter["retries"]), (&"retried".into(), &1.into()), "{by}");
        assert_eq!(letter["retried_by"], "command line alice", "{by}");
    }
    let (_, out, _) = world.dlq("acme", "show", &[&first]);
    assert!(out.contains("by command line alice, waits for a worker"), "{out}");

    // One that is refused does not hinder the others.
    let (code, out, err) = world.dlq("acme", "retry", &["--by", "alice", &third, &second]);
    assert_eq!(code, 1);
    assert!(err.contains(&format!("letter {third} names no workspace")), "{err}");
    assert!(out.contains("ws-b retried"), "{out}");
    let (code, out, _) = world.dlq("acme", "discard", &["--by", "carol", &third]);
    assert_eq!(code, 0);
    assert!(out.contains("discarded") && out.contains("by command line carol"), "{out}");
    assert_eq!(world.ids("acme", &["--state", "discarded"]), [third.as_str()]);
    let (code, _, err) = world.dlq("acme", "retry", &["--by", "carol", &third]);
    assert!(code == 1 && err.contains("is discarded or closed"), "{err}");

    // Wrong: another tenant's, nobody's, without a name, a reason that is none.
    let cases: [(&str, &str, &[&str], i32, &str); 5] = [
        ("globex", "show", &[&first], 1, "no dead letter of tenant globex"),
        ("globex", "discard", &["--by", "mallory", &first], 1, "is none of this tenant"),
        ("acme", "retry", &[&first], 2, "--by"),
        ("acme", "retry", &["--by", "", &first], 2, "--by"),
        ("acme", "list", &["--reason", "poison"], 2, "state_refused"),
    ];
    for (tenant, action, arguments, expected, says) in cases {
        let (code, _, err) = world.dlq(tenant, action, arguments);
        assert!(code == expected && err.contains(says), "{tenant} {action} {arguments:?}: {code} {err}");
    }
    assert_eq!(world.ids("acme", &["--state", "retried"]), all[..2], "nothing of that had an effect");
    world.stop().await;
}

#[test]
fn the_help_of_dlq_has_examples() {
    let output = Command::new(env!("CARGO_BIN_EXE_terrasift")).args(["dlq", "--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for action in ["list", "show", "retry", "discard"] {
        assert!(help.contains(&format!("terrasift dlq {action} --config")), "{action}: {help}");
    }
}
