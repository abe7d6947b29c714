//! Hop 8: order, completeness, waking.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use terrasift_postgres::{ChangeRow, CommitOutcome, Epoch, Store, StoreErrorKind};
use terrasift_schemas::WorkspaceId;

use crate::world::{World, commit, entity_ref, tenant, version, workspace};

/// After, limit, kind.
type Page = (i64, u32, Option<&'static str>);

const WRITERS: usize = 6;
const COMMITS: i64 = 25;

/// Reads, writes what is newer, and starts over when somebody was faster.
async fn write(store: &Store, epoch: Epoch, ws: &WorkspaceId, serial: i64, names: &[String]) {
    loop {
        let ticket = store.begin_read(&tenant("acme"), ws).await.unwrap();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut one = commit(ws, &ticket, epoch, 0, version(1, serial, 1), &names);
        // Every third serial also gives one entity up.
        if serial % 3 == 0 {
            let gone = one.upserts.pop().expect("an entity").into_inner().entity_ref;
            one.removals = vec![gone];
        }
        match store.commit(&tenant("acme"), vec![one]).await.unwrap()[0] {
            CommitOutcome::Rebase => {}
            CommitOutcome::Fenced => panic!("nobody claims here"),
            _ => return,
        }
    }
}

pub async fn a_reader_by_cursor_misses_nothing_of_concurrent_writers(w: World) {
    let acme = tenant("acme");
    let epoch = w.store.claim_partition(0).await.unwrap();
    let running = Arc::new(AtomicUsize::new(WRITERS));
    for writer in 0..WRITERS {
        let (store, running) = (w.store.clone(), running.clone());
        tokio::spawn(async move {
            // Two writers share each workspace.
            let ws = workspace(&format!("w{}", writer / 2));
            let names: Vec<String> = (0..5).map(|n| format!("e{}-{n}", writer / 2)).collect();
            for serial in 1..=COMMITS {
                write(&store, epoch, &ws, serial, &names).await;
            }
            running.fetch_sub(1, Ordering::SeqCst);
        });
    }
    let reader = Store::connect(&w.app_url, 2).await.unwrap();
    let mut seen: HashMap<String, ChangeRow> = HashMap::new();
    let mut cursor = 0;
    loop {
        let last_round = running.load(Ordering::SeqCst) == 0;
        let page = reader.changes(&acme, cursor, 3, None).await.unwrap().1;
        assert!(page.windows(2).all(|pair| pair[0].seq < pair[1].seq), "in order, each position once");
        let empty = page.is_empty();
        for change in page {
            assert!(change.seq > cursor);
            cursor = change.seq;
            seen.insert(change.entity_ref.to_string(), change);
        }
        if last_round && empty {
            break;
        }
    }
    let truth = w.store.changes(&acme, 0, 1_000, None).await.unwrap().1;
    assert_eq!(truth.len(), WRITERS / 2 * 5);
    for change in &truth {
        let known = seen.get(change.entity_ref.as_str()).expect("the reader saw the entity");
        assert!(known == change, "{}: saw {}, is {}", change.entity_ref, known.seq, change.seq);
    }
    reader.close().await;
}

pub async fn a_waiter_wakes_by_a_commit_here_and_elsewhere(w: World) {
    const PATIENCE: Duration = Duration::from_secs(20);
    let (acme, ws) = (tenant("acme"), workspace("a"));
    let epoch = w.store.claim_partition(0).await.unwrap();
    let head = w.store.feed_head(&acme).await.unwrap();
    let waited = w.store.wait_for_change(&acme, head, Duration::from_millis(30)).await.unwrap();
    assert_eq!(waited, 0, "nothing in time");
    let elsewhere = Store::connect(&w.app_url, 4).await.unwrap();
    for (serial, (name, waiting)) in (1..).zip([("here", &w.store), ("elsewhere", &elsewhere)]) {
        let after = w.store.feed_head(&acme).await.unwrap();
        let begun = Instant::now();
        let waiters: Vec<_> = (0..20)
            .map(|_| {
                let (store, acme) = (waiting.clone(), acme.clone());
                tokio::spawn(async move { store.wait_for_change(&acme, after, PATIENCE).await.unwrap() })
            })
            .collect();
        let ticket = w.ticket(&ws).await;
        w.commit(commit(&ws, &ticket, epoch, 0, version(1, serial, 1), &["x"])).await;
        for waiter in waiters {
            assert_eq!(waiter.await.unwrap(), after.seq + 1, "{name}");
        }
        assert!(begun.elapsed() < PATIENCE / 2, "{name}: woken, not timed out");
    }
    // What is there already is no wait, and another tenant's changes are none.
    assert_eq!(w.store.wait_for_change(&acme, head, PATIENCE).await.unwrap(), 2);
    let globex = tenant("globex");
    let head = w.store.feed_head(&globex).await.unwrap();
    assert_eq!(w.store.wait_for_change(&globex, head, Duration::from_millis(30)).await.unwrap(), 0);
    let error = w.store.feed_head(&tenant("nobody")).await.expect_err("undeclared");
    assert_eq!(error.kind(), StoreErrorKind::Invalid);
    let read = w.store.changes(&tenant("nobody"), 0, 1, None).await.map(drop);
    assert_eq!(read.expect_err("undeclared").kind(), StoreErrorKind::Invalid);
    elsewhere.close().await;
}

pub async fn pages_filter_by_kind_and_end(w: World) {
    let (acme, ws) = (tenant("acme"), workspace("a"));
    let epoch = w.store.claim_partition(0).await.unwrap();
    let ticket = w.ticket(&ws).await;
    let mut one = commit(&ws, &ticket, epoch, 0, version(1, 1, 1), &["a", "b", "c", "d"]);
    one.upserts = one
        .upserts
        .into_iter()
        .enumerate()
        .map(|(index, entity)| {
            let mut entity = entity.into_inner();
            if index == 2 {
                entity.kind = "TerraformWorkspace".into();
            }
            #[allow(clippy::disallowed_methods, reason = "tests stand in for the engine")]
            terrasift_schemas::Sanitized::seal(entity)
        })
        .collect();
    w.commit(one).await;
    let names = |rows: Vec<ChangeRow>| rows.into_iter().map(|r| r.entity_ref.to_string()).collect::<Vec<_>>();
    let cases: [(&str, Page, &[&str]); 8] = [
        ("all", (0, 10, None), &["a", "b", "c", "d"]),
        ("a page", (1, 2, None), &["b", "c"]),
        ("one kind", (0, 10, Some("TerraformWorkspace")), &["c"]),
        ("the other kind", (0, 2, Some("Resource")), &["a", "b"]),
        ("no such kind", (0, 10, Some("nope'")), &[]),
        ("past the end", (4, 10, None), &[]),
        ("far past the end", (i64::MAX, 10, None), &[]),
        ("no rows wanted", (0, 0, None), &[]),
    ];
    for (name, (after, limit, kind), expected) in cases {
        let expected: Vec<String> = expected.iter().map(|n| entity_ref(n).to_string()).collect();
        assert_eq!(names(w.store.changes(&acme, after, limit, kind).await.unwrap().1), expected, "{name}");
    }
}
