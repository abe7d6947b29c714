//! How new what is shown is: the numbers that caches go by move with everything that is shown otherwise.

use std::time::Duration;

use terrasift_postgres::{CatalogVersion, CommitOutcome, RemovalOutcome};
use terrasift_schemas::event::FailureReason;

use crate::world::{World, commit, digest, entity_ref, tenant, version, workspace};

/// What moved since the last look: entities, workspaces.
async fn moved(w: &World, last: &mut CatalogVersion) -> (bool, bool) {
    let now = w.store.catalog_version(&tenant("acme")).await.unwrap().expect("declared");
    assert_eq!(now.epoch, last.epoch);
    assert!(now.entities >= last.entities && now.workspaces >= last.workspaces, "{now:?} after {last:?}");
    let moved = (now.entities > last.entities, now.workspaces > last.workspaces);
    *last = now;
    moved
}

pub async fn the_catalogs_version_moves_with_everything_that_is_shown_otherwise(w: World) {
    let (acme, ws) = (tenant("acme"), workspace("a"));
    let epoch = w.store.claim_partition(0).await.unwrap();
    let mut last = w.store.catalog_version(&acme).await.unwrap().expect("declared");
    let other = w.store.catalog_version(&tenant("globex")).await.unwrap();
    assert_eq!(w.store.catalog_version(&tenant("nobody")).await.unwrap(), None);

    let ticket = w.ticket(&ws).await;
    assert_eq!(moved(&w, &mut last).await, (false, true), "a workspace is new");
    w.ticket(&ws).await;
    assert_eq!(moved(&w, &mut last).await, (false, false), "a ticket of a known one");
    w.commit(commit(&ws, &ticket, epoch, 0, version(1, 1, 1), &["x", "y"])).await;
    assert_eq!(moved(&w, &mut last).await, (true, true), "a commit");
    let ticket = w.ticket(&ws).await;
    let outcome = w.commit(commit(&ws, &ticket, epoch, 0, version(1, 2, 1), &[])).await;
    assert!(matches!(outcome, CommitOutcome::Applied { .. }), "{outcome:?}");
    assert_eq!(moved(&w, &mut last).await, (false, true), "a serial without changes");
    let ticket = w.ticket(&ws).await;
    let outcome = w.commit(commit(&ws, &ticket, epoch, 0, version(1, 2, 1), &["x"])).await;
    assert_eq!(outcome, CommitOutcome::NoChange);
    assert_eq!(moved(&w, &mut last).await, (false, true), "it is known to be right once more");
    let outcome = w.commit(commit(&ws, &ticket, epoch, 0, version(1, 1, 1), &["x"])).await;
    assert_eq!(outcome, CommitOutcome::Stale);
    assert_eq!(moved(&w, &mut last).await, (false, false), "a stale commit shows nothing");

    for (name, marked, expected) in [
        ("stale", true, (false, true)),
        ("stale again", true, (false, false)),
        ("fresh", false, (false, true)),
    ] {
        let reason = FailureReason::UpstreamFailed;
        let marked = if marked {
            w.store.mark_tenant_stale(&acme, reason).await
        } else {
            w.store.mark_tenant_fresh(&acme, reason).await
        };
        marked.unwrap();
        assert_eq!(moved(&w, &mut last).await, expected, "{name}");
    }

    let (mark, ticket) = (w.mark(epoch, 0, &ws).await, w.ticket(&ws).await);
    w.store.missing(&mark, epoch, ticket.read_seq, Duration::ZERO).await.unwrap();
    assert_eq!(moved(&w, &mut last).await, (false, false), "a suspicion is not shown");
    let (mark, ticket) = (w.mark(epoch, 0, &ws).await, w.ticket(&ws).await);
    let outcome = w.store.missing(&mark, epoch, ticket.read_seq, Duration::ZERO).await.unwrap();
    assert!(matches!(outcome, RemovalOutcome::Removed { .. }), "{outcome:?}");
    assert_eq!(moved(&w, &mut last).await, (true, true), "a removal");
    assert_eq!(w.store.catalog_version(&tenant("globex")).await.unwrap(), other, "nobody else's moved");
}

/// A key's look-up tells the version in the same statement.
pub async fn a_key_tells_how_new_its_tenants_catalog_is(w: World) {
    let (acme, ws) = (tenant("acme"), workspace("a"));
    let epoch = w.store.claim_partition(0).await.unwrap();
    w.store.insert_api_key(&acme, digest("key"), "k", &[], None).await.unwrap();
    let told = async || w.store.api_key(digest("key")).await.unwrap().expect("a key").version;
    assert_eq!(told().await, w.store.catalog_version(&acme).await.unwrap());
    let ticket = w.ticket(&ws).await;
    w.commit(commit(&ws, &ticket, epoch, 0, version(1, 1, 1), &["x"])).await;
    let version = told().await;
    assert_eq!(version, w.store.catalog_version(&acme).await.unwrap());
    let row = w.store.entity(&acme, &entity_ref("x")).await.unwrap().expect("live");
    assert_eq!(version.map(|version| version.entities), Some(row.seq));
}
