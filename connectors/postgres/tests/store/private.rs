//! The private cluster itself.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use terrasift_postgres::{PrivatePostgres, Store, StoreErrorKind, migrate};
use terrasift_schemas::TenantId;

use crate::world::row;

/// Data outlives a restart, passwords do not; two clusters cannot share a directory; a dropped one is gone.
pub async fn survives_restarts() {
    let home = tempfile::tempdir().unwrap();
    let acme = TenantId::parse("acme").unwrap();
    let first = PrivatePostgres::start(Some(home.path().to_path_buf())).await.unwrap();
    migrate(&first.owner_url()).await.unwrap();
    migrate(&first.owner_url()).await.expect("migrating again is nothing");
    let store = Store::connect(&first.app_url(), 2).await.unwrap();
    store.declare_tenants(&[row("acme", "acme")]).await.unwrap();
    let feed = store.feed_head(&acme).await.unwrap();
    store.close().await;

    let second =
        PrivatePostgres::start(Some(home.path().to_path_buf())).await.err().expect("the directory is taken");
    assert_eq!(second.kind(), StoreErrorKind::Setup);

    let stale_url = first.app_url();
    let stopped = tokio::time::timeout(Duration::from_secs(30), first.stop()).await;
    assert!(stopped.is_ok(), "a fast shutdown is fast");
    assert_eq!(Store::connect(&stale_url, 1).await.err().expect("gone").kind(), StoreErrorKind::Unavailable);

    let again = PrivatePostgres::start(Some(home.path().to_path_buf())).await.unwrap();
    assert_ne!(again.app_url(), stale_url);
    let store = Store::connect(&again.app_url(), 2).await.unwrap();
    assert_eq!(store.feed_head(&acme).await.unwrap(), feed, "data survives");
    let pid_file = again.data_dir().join("postmaster.pid");
    assert!(pid_file.exists());
    drop(again);
    assert!(!pid_file.exists(), "dropping shuts down clean");
    let error = store.ping().await.expect_err("the cluster is gone");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
}

/// Tells the child of [`goes_with_its_owner`] where to keep its cluster.
const HOME: &str = "TERRASIFT_TEST_HOME";

pub async fn hold() {
    #[expect(clippy::disallowed_methods, reason = "the parent process hands it over")]
    let home = PathBuf::from(std::env::var_os(HOME).expect("run by its parent only"));
    let _cluster = PrivatePostgres::start(Some(home.clone())).await.unwrap();
    std::fs::write(home.join("ready"), "").unwrap();
    std::future::pending::<()>().await;
}

/// A process that is killed runs no destructor: its cluster must go all the same.
pub fn goes_with_its_owner() {
    let home = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "holds_a_cluster"])
        .env(HOME, home.path())
        .env("TMPDIR", home.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let pid_file = home.path().join("cluster/postmaster.pid");
    wait("the child has a cluster", || home.path().join("ready").exists());
    assert!(pid_file.exists());
    child.kill().unwrap();
    child.wait().unwrap();
    wait("the cluster is gone", || !pid_file.exists());
}

#[expect(clippy::disallowed_methods, reason = "polls another process, bounded")]
fn wait(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
