//! The cases. Each has a tenant of its own, so that none disturbs another; all run at once.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use terrasift_actors::SyncEnd;
use terrasift_kafka::RawRecord;
use terrasift_load_tests::simulator::{Fault, FaultKind};
use terrasift_postgres::{LetterState, LetterVerdict, NewDeadLetter};
use terrasift_schemas::WorkspaceId;
use terrasift_schemas::event::{FailureReason, SANITIZATION_FAILED_TOPIC, STATE_UPDATED_TOPIC};

use super::world::{Scene, World, event};

/// The tenant whose primary token is refused, and one of whose tokens has to be replaced.
pub const FALLBACK: &str = "fallback";

/// The tenant that may not download from private addresses.
pub const GUARDED: &str = "guarded";

pub const TENANTS: &[&str] = &[
    "plain", "replay", "lineage", "gone", "cut", "expired", "length", "garbage", "slow", "stale", "broken",
    "empty", "page", "poison", "dark", "mended", "outbox", FALLBACK, GUARDED,
];

type Case = for<'a> fn(&'a World) -> LocalBoxFuture<'a, ()>;

const CASES: &[(&str, Case)] = &[
    ("a changed state reaches the feed, and only what changed", |w| plain(w).boxed_local()),
    ("replaying an event any number of times changes nothing", |w| replay(w).boxed_local()),
    ("a new lineage replaces the old one", |w| lineage(w).boxed_local()),
    ("a 404 deletes nothing, parks what never was there and leaves neighbours alone", |w| {
        gone(w).boxed_local()
    }),
    ("a download that is cut is tried again", |w| passing(w, "cut", FaultKind::Truncated).boxed_local()),
    ("an expired link is tried again with a new one", |w| {
        passing(w, "expired", FaultKind::ExpiredUrl).boxed_local()
    }),
    ("a wrong content length is tried again", |w| {
        passing(w, "length", FaultKind::WrongContentLength).boxed_local()
    }),
    ("an upstream error is tried again", |w| {
        passing(w, "broken", FaultKind::ApiStatus { code: 500 }).boxed_local()
    }),
    ("an empty body is tried again and deletes nothing", |w| {
        passing(w, "empty", FaultKind::EmptyBody).boxed_local()
    }),
    ("a page for people instead of a state is tried again", |w| {
        passing(w, "page", FaultKind::DownloadNotJson).boxed_local()
    }),
    ("a slow body arrives", |w| slow(w).boxed_local()),
    ("a state that is not JSON is parked for review", |w| garbage(w).boxed_local()),
    ("an upstream that answers an older state never takes the catalog back", |w| stale(w).boxed_local()),
    ("a tenant whose upstream is down is marked stale until it answers again", |w| dark(w).boxed_local()),
    ("a refused token makes way for its fallback, and is told", |w| fallback(w).boxed_local()),
    ("records that do not fit are kept by position and block nothing", |w| poison(w).boxed_local()),
    ("a parked workspace whose upstream is mended is retried, and is in the feed once", |w| {
        mended(w).boxed_local()
    }),
    ("a dead letter that nobody announced is announced once", |w| outbox(w).boxed_local()),
    ("a download from a private address is refused", |w| guarded(w).boxed_local()),
];

/// Runs all cases at once; returns what failed.
pub async fn run_all(world: &World) -> Vec<String> {
    let runs = CASES.iter().map(|(name, case)| async move {
        let failed = AssertUnwindSafe(case(world)).catch_unwind().await.is_err();
        failed.then(|| (*name).to_owned())
    });
    futures_util::future::join_all(runs).await.into_iter().flatten().collect()
}

async fn plain(world: &World) {
    let mut scene = world.scene("plain").await;
    let workspace = scene.workspaces[0].clone();
    let before = scene.head().await;
    let live = scene.changes_after(0).await.iter().filter(|change| !change.deleted).count();
    let bumped = world.simulator.bump(workspace.as_str()).expect("bumped");
    scene.send(&workspace, "plain-1").await;
    assert_eq!(scene.next_end(&workspace).await, SyncEnd::Applied);
    assert_eq!(scene.serial(&workspace).await, i64::try_from(bumped.serial).expect("small"));
    let changes = scene.changes_after(before).await;
    assert!(!changes.is_empty() && changes.len() < live, "a delta: {} of {live}", changes.len());
    assert!(world.simulator.max_requests_in_any_second("user-plain") <= 30);
}

async fn replay(world: &World) {
    let mut scene = world.scene("replay").await;
    let workspace = scene.workspaces[0].clone();
    world.simulator.bump(workspace.as_str()).expect("bumped");
    scene.send(&workspace, "replay-0").await;
    assert_eq!(scene.next_end(&workspace).await, SyncEnd::Applied);
    let head = scene.head().await;
    for _ in 0..5 {
        scene.send(&workspace, "replay-0").await;
    }
    assert_eq!(scene.next_end(&workspace).await, SyncEnd::Unchanged);
    assert_eq!(scene.head().await, head);
}

async fn lineage(world: &World) {
    let mut scene = world.scene("lineage").await;
    let workspace = scene.workspaces[0].clone();
    for _ in 0..2 {
        world.simulator.bump(workspace.as_str()).expect("bumped");
    }
    scene.send(&workspace, "lineage-1").await;
    assert_eq!(scene.next_end(&workspace).await, SyncEnd::Applied);
    let bumped = world.simulator.bump_to_new_lineage(workspace.as_str()).expect("bumped");
    scene.send(&workspace, "lineage-2").await;
    assert_eq!(scene.next_end(&workspace).await, SyncEnd::Applied);
    assert_eq!(
        scene.serial(&workspace).await,
        i64::try_from(bumped.serial).expect("small"),
        "a lower serial wins"
    );
}

async fn gone(world: &World) {
    let mut scene = world.scene("gone").await;
    let (workspace, neighbour) = (scene.workspaces[0].clone(), scene.workspaces[1].clone());
    let head = scene.head().await;
    inject(world, &workspace, FaultKind::ApiStatus { code: 404 }, 100);
    for id in ["gone-1", "gone-2"] {
        scene.send(&workspace, id).await;
        assert_eq!(scene.next_end(&workspace).await, SyncEnd::Suspected);
        assert_eq!(scene.head().await, head, "404s that come soon after each other delete nothing");
    }
    world.simulator.bump(neighbour.as_str()).expect("bumped");
    scene.send(&neighbour, "gone-3").await;
    assert_eq!(scene.next_end(&neighbour).await, SyncEnd::Applied, "a neighbour is not blocked");
    let never_there = WorkspaceId::parse("ws-neverthere").expect("id");
    scene.send(&never_there, "gone-4").await;
    let parked = |end| matches!(end, SyncEnd::Parked(_));
    let end = scene.next_end_that(&never_there, parked).await;
    assert_eq!(end, SyncEnd::Parked(FailureReason::WorkspaceNotFound));
    assert_eq!(
        scene.letters().await.get(never_there.as_str()).map(String::as_str),
        Some("workspace_not_found")
    );
}

/// A fault that passes: the sync is deferred, then applied, and nothing was deleted in between.
async fn passing(world: &World, tenant: &'static str, fault: FaultKind) {
    let mut scene = world.scene(tenant).await;
    let workspace = scene.workspaces[0].clone();
    let bumped = world.simulator.bump(workspace.as_str()).expect("bumped");
    let head = scene.head().await;
    inject(world, &workspace, fault, 1);
    scene.send(&workspace, tenant).await;
    assert_eq!(scene.next_end(&workspace).await, SyncEnd::Deferred(FailureReason::UpstreamFailed));
    assert_eq!(scene.head().await, head, "nothing is half-written");
    assert_eq!(scene.next_end(&workspace).await, SyncEnd::Applied);
    assert_eq!(scene.serial(&workspace).await, i64::try_from(bumped.serial).expect("small"));
    assert!(scene.letters().await.is_empty());
}

async fn slow(world: &World) {
    let mut scene = world.scene("slow").await;
    let workspace = scene.workspaces[0].clone();
    world.simulator.bump(workspace.as_str()).expect("bumped");
    inject(world, &workspace, FaultKind::SlowBody { pause_ms: 20 }, 1);
    scene.send(&workspace, "slow").await;
    assert_eq!(scene.next_end(&workspace).await, SyncEnd::Applied);
}

async fn garbage(world: &World) {
    let mut scene = world.scene("garbage").await;
    let workspace = scene.workspaces[0].clone();
    world.simulator.bump(workspace.as_str()).expect("bumped");
    let head = scene.head().await;
    inject(world, &workspace, FaultKind::DownloadGarbage, 1);
    scene.send(&workspace, "garbage-1").await;
    assert_eq!(scene.next_end(&workspace).await, SyncEnd::Parked(FailureReason::StateRefused));
    assert_eq!(scene.head().await, head);
    assert_eq!(scene.letters().await.get(workspace.as_str()).map(String::as_str), Some("state_refused"));
    scene.send(&workspace, "garbage-2").await;
    assert_eq!(scene.next_end(&workspace).await, SyncEnd::Applied, "the next event syncs anew");
}

async fn stale(world: &World) {
    let mut scene = world.scene("stale").await;
    let workspace = scene.workspaces[0].clone();
    let bumped = world.simulator.bump(workspace.as_str()).expect("bumped");
    scene.send(&workspace, "stale-1").await;
    assert_eq!(scene.next_end(&workspace).await, SyncEnd::Applied);
    let head = scene.head().await;
    inject(world, &workspace, FaultKind::StaleState, 1);
    scene.send(&workspace, "stale-2").await;
    assert_eq!(scene.next_end(&workspace).await, SyncEnd::Stale);
    assert_eq!(
        (scene.head().await, scene.serial(&workspace).await),
        (head, i64::try_from(bumped.serial).expect("small"))
    );
}

async fn dark(world: &World) {
    let scene = world.scene("dark").await;
    let head = scene.head().await;
    let fresh = async |scene: &Scene<'_>| scene.stale().await.iter().all(Option::is_none);
    assert!(fresh(&scene).await);
    // Five failures open the breaker; the probe after its open time finds the upstream well again.
    for (workspace, times) in scene.workspaces.iter().zip([2, 2, 1]) {
        inject(world, workspace, FaultKind::ApiStatus { code: 503 }, times);
    }
    for (n, workspace) in scene.workspaces.iter().chain(&scene.workspaces[..2]).enumerate() {
        world.simulator.bump(workspace.as_str()).expect("bumped");
        let failures = world.metric("terrasift_syncs_total", "dark", "deferred");
        scene.send(workspace, &format!("dark-{n}")).await;
        let failed = async |scene: &Scene<'_>| {
            scene.world.metric("terrasift_syncs_total", "dark", "deferred") > failures
        };
        scene.until("the failure", failed).await;
    }
    let stale = async |scene: &Scene<'_>| {
        scene.stale().await.iter().all(|stale| stale.as_deref() == Some("upstream_failed"))
    };
    scene.until("the marks", stale).await;
    assert_eq!(world.metric("terrasift_breaker_open", "dark", "dark"), 1.0);
    assert_eq!(scene.head().await, head, "the last good entities stay");
    scene.until("fresh workspaces", fresh).await;
    assert_eq!(world.metric("terrasift_breaker_open", "dark", "dark"), 0.0);
    let applied = async |scene: &Scene<'_>| scene.head().await > head;
    scene.until("what was missed", applied).await;
}

async fn fallback(world: &World) {
    let scene = world.scene(FALLBACK).await;
    let all = async |scene: &Scene<'_>| scene.served().await == scene.workspaces.len();
    scene.until("all workspaces in the catalog", all).await;
    assert!(world.metric("terrasift_tokens_refused_total", FALLBACK, "0") >= 1.0);
    assert_eq!(world.metric("terrasift_tokens_refused_total", FALLBACK, "1"), 0.0);
    assert_eq!(world.metric("terrasift_token_rotation_alert", FALLBACK, "0"), 2.0, "overdue");
    assert!(world.metric("terrasift_token_rotation_days_left", FALLBACK, "0") < 0.0);
}

async fn poison(world: &World) {
    let mut scene = world.scene("poison").await;
    let workspace = scene.workspaces[0].clone();
    let good = scene.event(&workspace, "poison-good");
    let mut records = Vec::new();
    for spoil in 0..5 {
        let mut record = good.clone();
        match spoil {
            0 => record.key = String::new(),
            1 => record.value = b"{ not json".to_vec(),
            2 => record.headers.retain(|(name, _)| *name != "ce_type"),
            3 => record.key = "other/ws-1".to_owned(),
            _ => {
                let stranger = terrasift_schemas::TenantId::parse("stranger").expect("id");
                record = event(&stranger, &workspace, "poison-stranger");
            }
        }
        records.push(record);
    }
    for record in &records {
        world.send(record).await;
    }
    world.simulator.bump(workspace.as_str()).expect("bumped");
    world.send(&good).await;
    assert_eq!(scene.next_end(&workspace).await, SyncEnd::Applied, "what does not fit blocks nothing");
}

async fn mended(world: &World) {
    let mut scene = world.scene("mended").await;
    let workspace = scene.workspaces[0].clone();
    let bumped = world.simulator.bump(workspace.as_str()).expect("bumped");
    let head = scene.head().await;
    inject(world, &workspace, FaultKind::DownloadGarbage, 1);
    scene.send(&workspace, "mended-1").await;
    assert_eq!(scene.next_end(&workspace).await, SyncEnd::Parked(FailureReason::StateRefused));
    let letter = scene.all_letters().await.remove(0);
    assert_eq!((letter.state, scene.head().await), (LetterState::Open, head));
    // The fault has passed. Two people ask for the same.
    for (by, expected) in [("alice", LetterVerdict::Done), ("bob", LetterVerdict::Already)] {
        let decided = world.store.retry_dead_letter(&scene.tenant, letter.id, by).await.expect("decided");
        assert_eq!(decided.map(|decided| decided.verdict), Some(expected));
    }
    assert_eq!(scene.next_end(&workspace).await, SyncEnd::Applied);
    assert_eq!(scene.serial(&workspace).await, i64::try_from(bumped.serial).expect("small"));
    let closed = scene.all_letters().await.remove(0);
    assert_eq!((closed.state, closed.retries), (LetterState::Closed, 1));
    assert_eq!(closed.retried.map(|retried| retried.by).as_deref(), Some("alice"));
    // Whatever came after it had no effect: an event of ours is served behind it, and the feed stands.
    let changes = scene.changes_after(head).await;
    let head = scene.head().await;
    scene.send(&workspace, "mended-2").await;
    assert_eq!(scene.next_end(&workspace).await, SyncEnd::Unchanged);
    assert_eq!(scene.head().await, head);
    let refs: HashSet<_> = changes.iter().map(|change| change.entity_ref.clone()).collect();
    assert!(!changes.is_empty() && refs.len() == changes.len(), "each entity once");
    let retries = world
        .records_of("mended-retries", STATE_UPDATED_TOPIC, |record| {
            is_of(record, &workspace) && is_retry(record)
        })
        .await;
    assert_eq!(retries, 1, "two asked, one event was sent");
    let letters = world
        .records_of("mended-letters", SANITIZATION_FAILED_TOPIC, |record| is_of(record, &workspace))
        .await;
    assert_eq!(letters, 1);
}

/// A worker died between the row and the record, or Kafka was away: the row alone is enough.
async fn outbox(world: &World) {
    let scene = world.scene("outbox").await;
    let workspace = scene.workspaces[0].clone();
    let letter = NewDeadLetter {
        tenant: scene.tenant.clone(),
        workspace: Some(workspace.clone()),
        reason: FailureReason::Undecidable,
        detail: "what and where".to_owned(),
        attempts: 1,
        record: None,
        trace: None,
    };
    world.store.park(&letter, None).await.expect("parked");
    let announced =
        async |scene: &Scene<'_>| scene.all_letters().await.iter().all(|letter| !letter.announce_due);
    scene.until("the announcement", announced).await;
    let letters = world
        .records_of("outbox-letters", SANITIZATION_FAILED_TOPIC, |record| is_of(record, &workspace))
        .await;
    assert_eq!(letters, 1);
    assert_eq!(scene.letters().await.len(), 1, "it still waits for somebody");
}

fn is_of(record: &RawRecord, workspace: &WorkspaceId) -> bool {
    record.key.as_deref().is_some_and(|key| key.ends_with(format!("/{workspace}").as_bytes()))
}

fn is_retry(record: &RawRecord) -> bool {
    record.headers.iter().any(|(name, value)| name == "ce_id" && value.starts_with(b"retry-"))
}

async fn guarded(world: &World) {
    // The tenant's first sync itself is refused: its archive is on loopback.
    let simulator = &world.simulator;
    let own = simulator.workspaces().into_iter().find(|it| it.organization == GUARDED).expect("a workspace");
    let scene = Scene {
        world,
        tenant: terrasift_schemas::TenantId::parse(GUARDED).expect("id"),
        workspaces: vec![WorkspaceId::parse(&own.id).expect("id")],
        reports: world.reports(),
    };
    scene.until("the refusal", async |scene| scene.letters().await.contains_key(&own.id)).await;
    assert_eq!(scene.letters().await.get(&own.id).map(String::as_str), Some("download_refused"));
    assert_eq!(scene.served().await, 0);
}

fn inject(world: &World, workspace: &WorkspaceId, kind: FaultKind, times: u32) {
    world.simulator.inject(Fault { kind, target: Some(workspace.to_string()), times });
}
