//! Invariant 9 at the store: what upstream does not show is removed when that is confirmed, and not before.

use std::time::Duration;

use terrasift_postgres::{RemovalOutcome, StoreErrorKind};

use crate::world::{World, commit, entity_ref, tenant, version, workspace};

const LONG: Duration = Duration::from_secs(3600);

pub async fn a_workspace_is_removed_when_it_is_missing_twice_and_can_come_back(w: World) {
    let (acme, ws) = (tenant("acme"), workspace("a"));
    let epoch = w.store.claim_partition(0).await.unwrap();
    let ticket = w.ticket(&ws).await;
    w.commit(commit(&ws, &ticket, epoch, 0, version(1, 7, 1), &["x", "y"])).await;
    let head = w.store.feed_head(&acme).await.unwrap().seq;

    for (name, apart, expected) in [
        ("once", Duration::ZERO, RemovalOutcome::Suspected),
        ("again, too soon", LONG, RemovalOutcome::Suspected),
    ] {
        let (mark, ticket) = (w.mark(epoch, 0, &ws).await, w.ticket(&ws).await);
        let outcome = w.store.missing(&mark, epoch, ticket.read_seq, apart).await.unwrap();
        assert_eq!(outcome, expected, "{name}");
        assert!(w.store.load_marks(0, None, 10).await.unwrap().is_empty(), "{name}: the mark is cleared");
        assert_eq!(w.store.feed_head(&acme).await.unwrap().seq, head, "{name}: nothing is removed");
    }
    let (mark, ticket) = (w.mark(epoch, 0, &ws).await, w.ticket(&ws).await);
    let outcome = w.store.missing(&mark, epoch, ticket.read_seq, Duration::ZERO).await.unwrap();
    assert_eq!(outcome, RemovalOutcome::Removed { change_seq: head + 2, entities: 2 });
    let changes = w.store.changes(&acme, head, 10, None).await.unwrap().1;
    assert_eq!(
        changes.iter().map(|c| (c.seq, c.deleted)).collect::<Vec<_>>(),
        [(head + 1, true), (head + 2, true)]
    );
    assert_eq!(w.ticket(&ws).await.known, None, "its version is forgotten");

    let (mark, ticket) = (w.mark(epoch, 0, &ws).await, w.ticket(&ws).await);
    let again = w.store.missing(&mark, epoch, ticket.read_seq, Duration::ZERO).await.unwrap();
    assert_eq!(again, RemovalOutcome::Settled, "a replay changes nothing");

    let ticket = w.ticket(&ws).await;
    w.commit(commit(&ws, &ticket, epoch, 0, version(1, 7, 1), &["x"])).await;
    assert!(w.store.entity(&acme, &entity_ref("x")).await.unwrap().is_some(), "the same serial comes back");
}

pub async fn what_is_shown_again_or_never_was_is_not_removed(w: World) {
    let (acme, ws) = (tenant("acme"), workspace("a"));
    let epoch = w.store.claim_partition(0).await.unwrap();
    let (mark, ticket) = (w.mark(epoch, 0, &ws).await, w.ticket(&ws).await);
    let outcome = w.store.missing(&mark, epoch, ticket.read_seq, Duration::ZERO).await.unwrap();
    assert_eq!(outcome, RemovalOutcome::Unknown, "the catalog never had it");
    assert_eq!(w.store.load_marks(0, None, 10).await.unwrap().len(), 1, "somebody else decides on the mark");

    let early = w.ticket(&ws).await;
    let ticket = w.ticket(&ws).await;
    w.commit(commit(&ws, &ticket, epoch, 0, version(1, 1, 1), &["x"])).await;
    let missing = |mark, read| {
        let store = &w.store;
        async move { store.missing(&mark, epoch, read, Duration::ZERO).await.unwrap() }
    };
    let outcome = missing(w.mark(epoch, 0, &ws).await, early.read_seq).await;
    assert_eq!(outcome, RemovalOutcome::Settled, "a later read was shown it");

    let outcome = missing(w.mark(epoch, 0, &ws).await, w.ticket(&ws).await.read_seq).await;
    assert_eq!(outcome, RemovalOutcome::Suspected);
    let ticket = w.ticket(&ws).await;
    w.commit(commit(&ws, &ticket, epoch, 0, version(1, 1, 1), &["x"])).await;
    let outcome = missing(w.mark(epoch, 0, &ws).await, w.ticket(&ws).await.read_seq).await;
    assert_eq!(outcome, RemovalOutcome::Suspected, "a commit took the suspicion back");
    let mark = w.mark(epoch, 0, &ws).await;
    w.store.found(&mark).await.unwrap();
    let outcome = missing(mark, w.ticket(&ws).await.read_seq).await;
    assert_eq!(outcome, RemovalOutcome::Suspected, "so does a look that finds it");

    let (mark, ticket) = (w.mark(epoch, 0, &ws).await, w.ticket(&ws).await);
    w.store.claim_partition(0).await.unwrap();
    let error = w.store.missing(&mark, epoch, ticket.read_seq, Duration::ZERO).await.expect_err("a zombie");
    assert_eq!(error.kind(), StoreErrorKind::Fenced);
    assert!(w.store.entity(&acme, &entity_ref("x")).await.unwrap().is_some());
}
