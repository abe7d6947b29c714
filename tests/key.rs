//! `terrasift key` as a person uses it, against a real Postgres.

#![allow(clippy::unwrap_used, reason = "all of this file is tests")]

use std::process::{Command, Stdio};

use serde_json::Value;
use terrasift_postgres::{Auditor, PrivatePostgres, Store, TenantRow, TrailFilter, migrate};
use terrasift_schemas::{TenantId, TenantSlug};

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

    fn key(&self, action: &str, tenant: &str, arguments: &[&str]) -> Said {
        let output = Command::new(env!("CARGO_BIN_EXE_terrasift"))
            .args(["key", action, "--config", self.folder.path().join("terrasift.yaml").to_str().unwrap()])
            .args(["--tenant", tenant])
            .args(arguments)
            .env("TERRASIFT_DATABASE_URL", self.postgres.app_url())
            .env("TERRASIFT_API_KEY_PEPPER", "11".repeat(32))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn json(&self, action: &str, tenant: &str, arguments: &[&str]) -> Vec<Value> {
        let (code, out, err) = self.key(action, tenant, &[arguments, &["--json"]].concat());
        assert_eq!(code, 0, "{action}: {err}");
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_issued_listed_rotated_and_revoked_by_command_line_and_recorded() {
    let world = World::start().await;
    let issued = world.json("issue", "acme", &["--name", "backstage", "--by", "alice"]).remove(0);
    let (id, secret) = (issued["id"].to_string(), issued["key"].as_str().unwrap().to_owned());
    assert!(secret.starts_with("tsk_") && issued["state"] == "valid" && issued["tenant"] == "acme");
    let (_, plain, _) = world.key("issue", "acme", &["--name", "plain", "--scopes", "audit:read"]);
    assert!(plain.trim().starts_with("tsk_") && plain.lines().count() == 1, "a key, and nothing else");

    let (code, rotated, err) = world.key("rotate", "acme", &[&id, "--overlap-hours", "48", "--json"]);
    assert!(code == 0 && err.contains(&format!("key {id} is valid until ")), "{err}");
    let rotated: Value = serde_json::from_str(&rotated).unwrap();
    assert_eq!((rotated["replaces"].to_string(), rotated["name"].as_str()), (id.clone(), Some("backstage")));
    let (code, _, err) = world.key("rotate", "acme", &[&id]);
    assert!(code == 1 && err.contains(&format!("key {} is in its place", rotated["id"])), "{err}");

    let revoked = world.json("revoke", "acme", &[&id, "--by", "bob"]).remove(0);
    assert_eq!(revoked["state"], "revoked");
    let states: Vec<_> = world.json("list", "acme", &[]).iter().map(|key| key["state"].clone()).collect();
    assert_eq!(states, ["revoked", "valid", "valid"]);
    let (_, listed, _) = world.key("list", "acme", &[]);
    assert!(listed.contains("backstage") && !listed.contains("tsk_"), "{listed}");
    assert!(world.json("list", "globex", &[]).is_empty());

    let cases: [(&str, &str, &[&str], i32, &str); 5] = [
        ("revoke", "globex", &[&id], 1, "no key of tenant globex"),
        ("rotate", "globex", &[&id], 1, "no key of tenant globex"),
        ("rotate", "acme", &[&id, "--overlap-hours", "9999"], 2, "9999"),
        ("issue", "nobody", &["--name", "x"], 1, "the tenant declared"),
        ("issue", "acme", &["--name", "x", "--scopes", "everything"], 2, "catalog:read"),
    ];
    for (action, tenant, arguments, expected, says) in cases {
        let (code, _, err) = world.key(action, tenant, arguments);
        assert!(code == expected && err.contains(says), "{action} {tenant}: {code} {err}");
    }

    let auditor = Auditor::new(&world.postgres.auditor_url()).unwrap();
    let filter = TrailFilter { tenant: Some("acme".into()), ..TrailFilter::default() };
    let mut records = auditor.trail(&filter, 100).await.unwrap();
    records.reverse();
    let records: Vec<_> =
        records.iter().map(|r| format!("{} {} {} {}", r.actor, r.action, r.resource, r.outcome)).collect();
    let new = &rotated["id"];
    assert_eq!(
        records[..6],
        [
            format!("command line alice key issue api key {id} backstage ok"),
            format!("command line key issue api key {} plain ok", revoked["id"].as_i64().unwrap() + 1),
            format!("command line key rotate api key {id} to {new} backstage ok"),
            format!("command line key rotate api key {id} invalid"),
            format!("command line bob key revoke api key {id} backstage ok"),
            "command line key list api keys ok".to_owned(),
        ]
    );
    assert!(!records.concat().contains(&secret));
    world.store.close().await;
    world.postgres.stop().await;
}

#[test]
fn the_help_of_key_has_examples() {
    let output = Command::new(env!("CARGO_BIN_EXE_terrasift")).args(["key", "--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for action in ["issue", "list", "rotate", "revoke"] {
        assert!(help.contains(&format!("terrasift key {action} --config")), "{action}: {help}");
    }
}
