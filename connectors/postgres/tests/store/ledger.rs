//! Hop 2: marks, epochs.

use std::time::Duration;

use sqlx::Connection;
use terrasift_postgres::{Cleared, Epoch, Store, StoreErrorKind};
use terrasift_schemas::event::Priority;
use terrasift_schemas::{TraceParent, WorkspaceId};
use time::OffsetDateTime;

use crate::world::{World, commit, new_mark, tenant, until, version, workspace};

fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap()
}

pub async fn events_coalesce_into_one_mark_a_workspace(w: World) {
    let ws = workspace("a");
    let epoch = w.store.claim_partition(3).await.unwrap();
    let trace = |byte| Some(TraceParent::from_random([byte; 24]));
    let event = |since, priority, byte| {
        let mut mark = new_mark("acme", &ws);
        (mark.since, mark.priority, mark.trace) = (at(since), priority, trace(byte));
        mark
    };
    let batch = [event(50, Priority::High, 1), event(20, Priority::Low, 2), event(90, Priority::Normal, 3)];
    let first = w.store.mark_dirty(3, epoch, &batch).await.unwrap().marks;
    assert_eq!(first.len(), 1);
    let first = first.into_iter().next().unwrap();
    assert_eq!((first.since, first.priority, first.trace), (at(20), Priority::High, trace(3)));
    assert!(w.store.defer_mark(&first, epoch, at(4_000_000_000)).await.unwrap());
    let deferred = w.store.load_marks(3, None, 10).await.unwrap().remove(0);
    assert_eq!((deferred.attempts, deferred.not_before), (1, Some(at(4_000_000_000))));
    assert_eq!(deferred.generation, first.generation, "deferring is no event");

    let second = w.store.mark_dirty(3, epoch, &[event(70, Priority::Low, 4)]).await.unwrap().marks.remove(0);
    assert!(second.generation > first.generation);
    assert_eq!((second.since, second.priority, second.trace), (at(20), Priority::High, trace(4)));
    assert_eq!((second.attempts, second.not_before), (0, None), "a new event is due at once");
    assert_eq!(w.store.load_marks(3, None, 10).await.unwrap(), [second]);
}

pub async fn unknown_tenants_are_reported_by_index_and_the_rest_is_stored(w: World) {
    let epoch = w.store.claim_partition(0).await.unwrap();
    let (a, b) = (workspace("a"), workspace("b"));
    let batch = [
        new_mark("nobody", &a),
        new_mark("globex", &b),
        new_mark("acme", &a),
        new_mark("noone", &a),
        new_mark("acme", &a),
    ];
    let marked = w.store.mark_dirty(0, epoch, &batch).await.unwrap();
    assert_eq!(marked.unknown_tenants, [0, 3]);
    let stored: Vec<(&str, &WorkspaceId)> =
        marked.marks.iter().map(|m| (m.tenant.as_str(), &m.workspace)).collect();
    assert_eq!(stored, [("acme", &a), ("globex", &b)]);
    assert_eq!(w.store.load_marks(0, None, 10).await.unwrap(), marked.marks);
    assert_eq!(w.store.mark_dirty(0, epoch, &[]).await.unwrap().marks, []);
}

pub async fn a_stale_epoch_writes_nothing(w: World) {
    let ws = workspace("a");
    let old = w.store.claim_partition(0).await.unwrap();
    let mark = w.mark(old, 0, &ws).await;
    let new = w.store.claim_partition(0).await.unwrap();
    assert_eq!(new, Epoch(old.0 + 1));
    let fenced = [
        w.store.mark_dirty(0, old, &[new_mark("acme", &workspace("b"))]).await.map(|_| ()),
        w.store.mark_dirty(9, old, &[new_mark("acme", &ws)]).await.map(|_| ()),
        w.store.defer_mark(&mark, old, at(1)).await.map(|_| ()),
        w.store.clear_mark(&mark, old).await.map(|_| ()),
    ];
    for (index, outcome) in fenced.into_iter().enumerate() {
        assert_eq!(outcome.expect_err("fenced").kind(), StoreErrorKind::Fenced, "{index}");
    }
    assert_eq!(w.store.load_marks(0, None, 10).await.unwrap(), [mark]);
    assert_eq!(w.store.claim_partition(1).await.unwrap(), Epoch(1), "partitions have epochs of their own");
}

pub async fn a_claim_waits_for_effects_under_the_old_epoch(w: World) {
    w.store.claim_partition(0).await.unwrap();
    let mut zombie = w.app().await;
    sqlx::raw_sql("BEGIN; SELECT hold_epochs(ARRAY[0])").execute(&mut zombie).await.unwrap();
    let store = w.store.clone();
    let claim = tokio::spawn(async move { store.claim_partition(0).await });
    let mut observer = w.superuser().await;
    until(
        "the claim waits for the lock",
        &mut observer,
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                        AND wait_event_type = 'Lock' AND query LIKE '%claim_partition%')",
    )
    .await;
    assert!(!claim.is_finished(), "an effect under the old epoch is under way");
    sqlx::raw_sql("COMMIT").execute(&mut zombie).await.unwrap();
    let epoch = tokio::time::timeout(Duration::from_secs(5), claim).await.unwrap().unwrap().unwrap();
    assert_eq!(epoch, Epoch(2));
    observer.close().await.unwrap();
}

pub async fn marks_are_loaded_in_pages(w: World) {
    let epoch = w.store.claim_partition(0).await.unwrap();
    let other = w.store.claim_partition(1).await.unwrap();
    let mut batch: Vec<_> = (0..25).map(|n| new_mark("acme", &workspace(&format!("w{n:02}")))).collect();
    batch.extend((0..5).map(|n| new_mark("globex", &workspace(&format!("w{n:02}")))));
    let expected = w.store.mark_dirty(0, epoch, &batch).await.unwrap().marks;
    w.store.mark_dirty(1, other, &[new_mark("acme", &workspace("elsewhere"))]).await.unwrap();
    let (mut loaded, mut after) = (Vec::new(), None);
    loop {
        let page = w.store.load_marks(0, after.clone(), 7).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.tenant.clone(), last.workspace.clone()));
        loaded.extend(page);
    }
    assert_eq!(loaded, expected);
    // A workspace whose partition changes has one owner: the new one.
    let moved = w.store.mark_dirty(1, other, &[new_mark("acme", &workspace("w00"))]).await.unwrap();
    assert_eq!((moved.marks[0].partition, w.store.load_marks(0, None, 100).await.unwrap().len()), (1, 29));
}

pub async fn a_deferred_or_cleared_mark_yields_to_a_newer_event(w: World) {
    let ws = workspace("a");
    let epoch = w.store.claim_partition(0).await.unwrap();
    let old = w.mark(epoch, 0, &ws).await;
    let new = w.mark(epoch, 0, &ws).await;
    assert!(!w.store.defer_mark(&old, epoch, at(9)).await.unwrap());
    assert!(!w.store.clear_mark(&old, epoch).await.unwrap());
    assert_eq!(w.store.load_marks(0, None, 10).await.unwrap(), std::slice::from_ref(&new));
    assert!(w.store.clear_mark(&new, epoch).await.unwrap());
    assert!(!w.store.clear_mark(&new, epoch).await.unwrap(), "gone is gone");
    assert!(w.store.load_marks(0, None, 10).await.unwrap().is_empty());
}

pub async fn marking_and_committing_at_once_never_deadlocks(w: World) {
    const WORKSPACES: usize = 12;
    let epoch = w.store.claim_partition(0).await.unwrap();
    let all: Vec<WorkspaceId> = (0..WORKSPACES).map(|n| workspace(&format!("w{n}"))).collect();
    let marker = |reversed: bool| {
        let (store, mut all): (Store, _) = (w.store.clone(), all.clone());
        if reversed {
            all.reverse();
        }
        tokio::spawn(async move {
            for _ in 0..30 {
                let batch: Vec<_> = all.iter().map(|ws| new_mark("acme", ws)).collect();
                store.mark_dirty(0, epoch, &batch).await.expect("marked");
            }
        })
    };
    let markers = [marker(false), marker(true)];
    for serial in 0..30 {
        let marks = w.store.load_marks(0, None, 100).await.unwrap();
        let mut batch = Vec::new();
        for ws in all.iter().rev() {
            let ticket = w.ticket(ws).await;
            let generation = marks.iter().find(|m| m.workspace == *ws).map_or(0, |m| m.generation);
            batch.push(commit(ws, &ticket, epoch, generation, version(1, serial, 1), &[]));
        }
        w.store.commit(&tenant("acme"), batch).await.expect("committed");
    }
    for marker in markers {
        marker.await.expect("no deadlock");
    }
}

pub async fn marks_are_cleared_together_and_a_fenced_one_hinders_no_neighbour(w: World) {
    let (old, new) = {
        let old = w.store.claim_partition(1).await.unwrap();
        (old, w.store.claim_partition(2).await.unwrap())
    };
    let (a, b, c) = (workspace("a"), workspace("b"), workspace("c"));
    let (fenced, cleared, newer) =
        (w.mark(old, 1, &a).await, w.mark(new, 2, &b).await, w.mark(new, 2, &c).await);
    w.store.claim_partition(1).await.unwrap();
    let newest = w.mark(new, 2, &c).await;
    let marks = vec![(fenced.clone(), old), (newer, new), (cleared, new)];
    let outcomes = w.store.clear_marks(&tenant("acme"), marks).await.unwrap();
    assert_eq!(outcomes, [Cleared::Fenced, Cleared::Newer, Cleared::Gone]);
    assert_eq!(w.store.load_marks(1, None, 10).await.unwrap(), [fenced]);
    assert_eq!(w.store.load_marks(2, None, 10).await.unwrap(), [newest]);
}

pub async fn tickets_are_drawn_together_and_what_is_served_is_told_over_tenants(w: World) {
    let (a, b) = (workspace("a"), workspace("b"));
    let drawn = w.store.begin_reads(&tenant("acme"), &[b.clone(), a.clone(), b.clone()]).await.unwrap();
    let reads: Vec<i64> = drawn.iter().map(|ticket| ticket.read_seq).collect();
    assert_eq!(reads, [1, 1, 1], "in the order of the input, each workspace once");
    let epoch = w.store.claim_partition(0).await.unwrap();
    let mark = w.mark(epoch, 0, &b).await;
    w.commit(commit(&b, &drawn[0], epoch, mark.generation, version(1, 7, 2), &["x"])).await;
    let pairs = [(tenant("acme"), a.clone()), (tenant("acme"), b.clone()), (tenant("globex"), b.clone())];
    let served = w.store.served_versions(&pairs).await.unwrap();
    assert_eq!(served, [(tenant("acme"), b.clone(), version(1, 7, 2))], "a was read and never committed");
    let mark = w.mark(epoch, 0, &b).await;
    let ticket = w.ticket(&b).await;
    w.store.missing(&mark, epoch, ticket.read_seq, Duration::from_secs(60)).await.unwrap();
    assert_eq!(w.store.served_versions(&pairs).await.unwrap(), [], "somebody has to look");
}
