//! Dead letters: parked with their marks, decided by somebody, closed by a success, sent by the outbox.

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use terrasift_postgres::{
    DeadLetter, DeadLetterFilter, DeadLetterId, Epoch, LetterState, LetterVerdict, NewDeadLetter,
    OutboxLetter, Store, StoreErrorKind,
};
use terrasift_schemas::TraceParent;
use terrasift_schemas::event::{FailureReason, RecordPosition};
use time::OffsetDateTime;

use crate::world::{World, commit, tenant, until, version, workspace};

const ALL: DeadLetterFilter = DeadLetterFilter { state: None, reason: None, workspace: None, since: None };

fn letter(name: &str, reason: FailureReason) -> NewDeadLetter {
    NewDeadLetter {
        tenant: tenant("acme"),
        workspace: Some(workspace(name)),
        reason,
        detail: "what and where".into(),
        attempts: 5,
        record: Some(RecordPosition { topic: "terraform-state-updated".into(), partition: 2, offset: 77 }),
        trace: Some(TraceParent::from_random([3; 24])),
    }
}

pub async fn dead_letters_are_parked_with_their_mark_and_listed(w: World) {
    let acme = tenant("acme");
    let epoch = w.store.claim_partition(0).await.unwrap();
    let mark = w.mark(epoch, 0, &workspace("a")).await;
    let poison = letter("a", FailureReason::StateRefused);
    let id = w.store.park(&poison, Some((&mark, epoch))).await.unwrap();
    assert!(w.store.load_marks(0, None, 10).await.unwrap().is_empty(), "the mark goes with the letter");
    let shown = w.store.dead_letter(&acme, id).await.unwrap().unwrap();
    assert_eq!(
        (&shown.workspace, &shown.record, shown.trace),
        (&poison.workspace, &poison.record, poison.trace)
    );
    assert_eq!((shown.reason.as_str(), shown.attempts, shown.occurrences), ("state_refused", 5, 1));

    let again = w.store.park(&NewDeadLetter { attempts: 9, ..poison.clone() }, None).await.unwrap();
    assert_eq!(again, id, "one open letter a workspace and reason");
    let shown = w.store.dead_letter(&acme, id).await.unwrap().unwrap();
    assert_eq!((shown.attempts, shown.occurrences), (9, 2));

    // A newer event keeps its mark; a zombie parks nothing.
    let newer = w.mark(epoch, 0, &workspace("a")).await;
    w.store.park(&letter("a", FailureReason::Panicked), Some((&mark, epoch))).await.unwrap();
    assert_eq!(w.store.load_marks(0, None, 10).await.unwrap(), std::slice::from_ref(&newer));
    w.store.claim_partition(0).await.unwrap();
    let error =
        w.store.park(&letter("b", FailureReason::Panicked), Some((&newer, epoch))).await.expect_err("zombie");
    assert_eq!(error.kind(), StoreErrorKind::Fenced);

    let long = NewDeadLetter {
        workspace: None,
        detail: "é\0".repeat(1_000),
        ..letter("c", FailureReason::InvalidRecord)
    };
    w.store.park(&long, None).await.unwrap();
    w.store.park(&long, None).await.unwrap();
    let all = w.store.dead_letters(&acme, &ALL, None, 10).await.unwrap();
    assert_eq!(all.len(), 3);
    assert!(all[2].detail.len() <= 1_024 && !all[2].detail.contains('\0'));
    let page = w.store.dead_letters(&acme, &ALL, Some(all[0].id), 1).await.unwrap();
    assert_eq!(page, std::slice::from_ref(&all[1]));
    let foreign = NewDeadLetter { tenant: tenant("globex"), ..poison };
    let error = w.store.park(&foreign, Some((&newer, epoch))).await.expect_err("mark of another tenant");
    assert_eq!(error.kind(), StoreErrorKind::Invalid);
}

async fn shown(w: &World, id: DeadLetterId) -> DeadLetter {
    w.store.dead_letter(&tenant("acme"), id).await.unwrap().expect("the row stays")
}

async fn retry(w: &World, id: DeadLetterId, by: &str) -> LetterVerdict {
    w.store.retry_dead_letter(&tenant("acme"), id, by).await.unwrap().expect("a letter").verdict
}

async fn discard(w: &World, id: DeadLetterId, by: &str) -> LetterVerdict {
    w.store.discard_dead_letter(&tenant("acme"), id, by).await.unwrap().expect("a letter").verdict
}

/// Syncs a workspace of acme with success.
async fn succeed(w: &World, name: &str, epoch: Epoch, serial: i64) {
    let ws = workspace(name);
    let ticket = w.ticket(&ws).await;
    w.commit(commit(&ws, &ticket, epoch, 0, version(1, serial, 1), &[])).await;
}

/// Lets what was claimed come again.
async fn let_leases_pass(w: &World) {
    let mut conn = w.superuser().await;
    sqlx::raw_sql("UPDATE dead_letters SET outbox_after = now()").execute(&mut conn).await.unwrap();
}

pub async fn a_letter_is_retried_once_and_closed_by_its_success(w: World) {
    let epoch = w.store.claim_partition(0).await.unwrap();
    let poison = letter("a", FailureReason::StateRefused);
    let id = w.store.park(&poison, None).await.unwrap();
    let fresh = shown(&w, id).await;
    assert_eq!((fresh.state, fresh.retry_due, &fresh.retried), (LetterState::Open, false, &None));

    assert_eq!(retry(&w, id, "alice").await, LetterVerdict::Done);
    assert_eq!(retry(&w, id, "bob").await, LetterVerdict::Already);
    let retried = shown(&w, id).await;
    assert_eq!((retried.state, retried.retries, retried.retry_due), (LetterState::Retried, 1, true));
    assert_eq!(retried.retried.as_ref().map(|d| d.by.as_str()), Some("alice"), "the first one did it");
    let claimed = w.store.claim_outbox(10).await.unwrap();
    w.store.outbox_sent(&claimed[0], true, true).await.unwrap();
    assert_eq!(retry(&w, id, "bob").await, LetterVerdict::Already);
    assert!(!shown(&w, id).await.retry_due, "once sent, asking again sends nothing");

    // It fails the same way again: open, and to be retried anew.
    assert_eq!(w.store.park(&poison, None).await.unwrap(), id);
    assert_eq!(shown(&w, id).await.state, LetterState::Open);
    assert_eq!(retry(&w, id, "bob").await, LetterVerdict::Done);
    assert_eq!(shown(&w, id).await.retries, 2);

    // A success closes all of its workspace, and nothing of another one.
    let other = w.store.park(&letter("a", FailureReason::Panicked), None).await.unwrap();
    let neighbour = w.store.park(&letter("b", FailureReason::Panicked), None).await.unwrap();
    succeed(&w, "a", epoch, 1).await;
    for closed in [shown(&w, id).await, shown(&w, other).await] {
        assert_eq!((closed.state, closed.retry_due), (LetterState::Closed, false));
        assert_eq!(closed.settled.map(|d| d.by).as_deref(), Some("sync"));
    }
    assert_eq!(shown(&w, neighbour).await.state, LetterState::Open);
    assert_eq!(retry(&w, id, "carol").await, LetterVerdict::Settled);
    assert_eq!(discard(&w, id, "carol").await, LetterVerdict::Settled);
    assert_eq!(
        shown(&w, id).await.retried.map(|d| d.by).as_deref(),
        Some("bob"),
        "who retried it stays known"
    );
    assert_ne!(w.store.park(&poison, None).await.unwrap(), id, "after that it is a new letter");

    // A sync that had nothing to do is a success, a zombie's is none.
    let mark = w.mark(epoch, 0, &workspace("b")).await;
    let newer = w.store.claim_partition(0).await.unwrap();
    w.store.clear_mark(&mark, epoch).await.expect_err("zombie");
    assert_eq!(shown(&w, neighbour).await.state, LetterState::Open);
    assert!(w.store.clear_mark(&mark, newer).await.unwrap());
    assert_eq!(shown(&w, neighbour).await.state, LetterState::Closed);
}

pub async fn two_who_decide_at_once_have_one_effect(w: World) {
    let acme = tenant("acme");
    let id = w.store.park(&letter("a", FailureReason::Panicked), None).await.unwrap();
    // The row is held until all stand before it, so that they do decide at once.
    let mut holder = w.superuser().await;
    sqlx::raw_sql("BEGIN; SELECT FROM dead_letters FOR UPDATE").execute(&mut holder).await.unwrap();
    let asked = (0..4).map(|n| {
        let (store, acme) = (w.store.clone(), acme.clone());
        tokio::spawn(async move { store.retry_dead_letter(&acme, id, &format!("person {n}")).await })
    });
    let asked: Vec<_> = asked.collect();
    let waiting = "SELECT count(*) = 4 FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until("all wait for the row", &mut w.superuser().await, waiting).await;
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
    let mut verdicts = Vec::new();
    for one in asked {
        verdicts.push(one.await.unwrap().unwrap().expect("a letter").verdict);
    }
    assert_eq!(verdicts.iter().filter(|v| **v == LetterVerdict::Done).count(), 1, "{verdicts:?}");
    assert_eq!(shown(&w, id).await.retries, 1);
}

pub async fn a_discarded_letter_stays_discarded(w: World) {
    let acme = tenant("acme");
    let poison = letter("a", FailureReason::StateRefused);
    let id = w.store.park(&poison, None).await.unwrap();
    assert_eq!(retry(&w, id, "alice").await, LetterVerdict::Done);
    assert_eq!(discard(&w, id, &"é\0".repeat(400)).await, LetterVerdict::Done);
    assert_eq!(discard(&w, id, "bob").await, LetterVerdict::Already);
    assert_eq!(retry(&w, id, "bob").await, LetterVerdict::Settled);
    let letter_now = shown(&w, id).await;
    let by = letter_now.settled.unwrap().by;
    assert!(by.len() <= 256 && by.starts_with('é') && !by.contains('\0'), "{by}");
    assert_eq!(
        (letter_now.state, letter_now.retry_due),
        (LetterState::Discarded, false),
        "nothing is sent any more"
    );
    assert_ne!(w.store.park(&poison, None).await.unwrap(), id, "after the discard it is a new letter");

    let homeless = NewDeadLetter { workspace: None, ..letter("c", FailureReason::InvalidRecord) };
    let homeless = w.store.park(&homeless, None).await.unwrap();
    assert_eq!(retry(&w, homeless, "bob").await, LetterVerdict::NoWorkspace);
    assert_eq!(shown(&w, homeless).await.state, LetterState::Open);
    assert_eq!(w.store.retry_dead_letter(&acme, DeadLetterId(4_711), "bob").await.unwrap(), None);
    assert_eq!(w.store.discard_dead_letter(&acme, DeadLetterId(4_711), "bob").await.unwrap(), None);
}

pub async fn letters_are_filtered_by_state_reason_workspace_and_time(w: World) {
    let acme = tenant("acme");
    let first = w.store.park(&letter("a", FailureReason::StateRefused), None).await.unwrap();
    let second = w.store.park(&letter("b", FailureReason::StateRefused), None).await.unwrap();
    let third = w.store.park(&letter("b", FailureReason::Panicked), None).await.unwrap();
    discard(&w, first, "alice").await;
    retry(&w, third, "alice").await;
    let year = time::Duration::days(365);
    let cases = [
        ("all", ALL, vec![first, second, third]),
        ("open", DeadLetterFilter { state: Some(LetterState::Open), ..ALL }, vec![second]),
        ("retried", DeadLetterFilter { state: Some(LetterState::Retried), ..ALL }, vec![third]),
        ("closed", DeadLetterFilter { state: Some(LetterState::Closed), ..ALL }, vec![]),
        (
            "reason",
            DeadLetterFilter { reason: Some(FailureReason::StateRefused), ..ALL },
            vec![first, second],
        ),
        ("workspace", DeadLetterFilter { workspace: Some(workspace("b")), ..ALL }, vec![second, third]),
        (
            "since",
            DeadLetterFilter { since: Some(OffsetDateTime::now_utc() - year), ..ALL },
            vec![first, second, third],
        ),
        ("since later", DeadLetterFilter { since: Some(OffsetDateTime::now_utc() + year), ..ALL }, vec![]),
    ];
    for (name, filter, expected) in cases {
        let found = w.store.dead_letters(&acme, &filter, None, 10).await.unwrap();
        assert_eq!(found.iter().map(|l| l.id).collect::<Vec<_>>(), expected, "{name}");
    }
}

pub async fn the_outbox_hands_out_what_is_not_sent_to_one_caller_at_a_time(w: World) {
    let id = w.store.park(&letter("a", FailureReason::StateRefused), None).await.unwrap();
    let theirs = NewDeadLetter { tenant: tenant("globex"), ..letter("a", FailureReason::Panicked) };
    w.store.park(&theirs, None).await.unwrap();
    let claims = futures_util::future::join_all((0..4).map(|_| w.store.claim_outbox(1))).await;
    let claimed: Vec<OutboxLetter> = claims.into_iter().flat_map(Result::unwrap).collect();
    let mut tenants: Vec<&str> = claimed.iter().map(|c| c.tenant.as_str()).collect();
    tenants.sort_unstable();
    assert_eq!(tenants, ["acme", "globex"], "of all tenants, each once");
    assert!(w.store.claim_outbox(10).await.unwrap().is_empty(), "leased");

    let ours = claimed.iter().find(|c| c.tenant == tenant("acme")).unwrap();
    assert_eq!((ours.letter.id, ours.letter.announce_due, ours.letter.retry_due), (id, true, false));
    // What comes after the claim is not noted as sent with it.
    w.store.park(&letter("a", FailureReason::StateRefused), None).await.unwrap();
    retry(&w, id, "alice").await;
    w.store.outbox_sent(ours, true, true).await.unwrap();
    let now = shown(&w, id).await;
    assert_eq!((now.announce_due, now.retry_due), (true, true));
    let again = w.store.claim_outbox(10).await.unwrap();
    assert_eq!(again.len(), 1, "at once, because it is new");
    w.store.outbox_sent(&again[0], true, false).await.unwrap();
    let now = shown(&w, id).await;
    assert_eq!((now.announce_due, now.retry_due), (false, true), "half of it is still to be sent");
    let_leases_pass(&w).await;
    let rest = w.store.claim_outbox(10).await.unwrap();
    assert!(rest.iter().any(|c| c.letter.id == id && c.letter.retry_due && !c.letter.announce_due));
}

pub async fn the_outbox_gives_up_in_the_end_and_a_retry_wakes_it(w: World) {
    let id = w.store.park(&letter("a", FailureReason::StateRefused), None).await.unwrap();
    retry(&w, id, "alice").await;
    let (mut claims, mut waits) = (0, Vec::new());
    let mut conn = w.superuser().await;
    loop {
        let_leases_pass(&w).await;
        if w.store.claim_outbox(10).await.unwrap().is_empty() {
            break;
        }
        claims += 1;
        assert!(claims <= 1_000, "it never gives up");
        let wait: i64 = sqlx::query_scalar(
            "SELECT round(extract(epoch FROM outbox_after - now()))::bigint FROM dead_letters",
        )
        .fetch_one(&mut conn)
        .await
        .unwrap();
        waits.push(wait);
    }
    assert_eq!(claims, 300);
    let near = |at: usize, seconds: i64| {
        assert!((seconds - 2..=seconds).contains(&waits[at]), "{at}: {}", waits[at])
    };
    for (at, seconds) in [(0, 30), (1, 60), (2, 120), (3, 240), (4, 300), (299, 300)] {
        near(at, seconds);
    }
    assert_eq!(retry(&w, id, "bob").await, LetterVerdict::Already, "the same retry, tried anew");
    assert_eq!(w.store.claim_outbox(10).await.unwrap()[0].letter.retries, 1);
}

pub async fn letters_of_before_keep_what_became_of_them(w: World) {
    let (owner, app) = w.cluster.create_database("letters_of_before").await.unwrap();
    let mut conn = PgConnection::connect(&owner).await.unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let mut migrations: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    migrations.sort();
    let mut migrations = migrations.into_iter().map(|path| std::fs::read_to_string(path).unwrap());
    for migration in migrations.by_ref().take(5) {
        sqlx::raw_sql(AssertSqlSafe(migration)).execute(&mut conn).await.unwrap();
    }
    let mut old = PgConnection::connect(&app).await.unwrap();
    sqlx::raw_sql(
        "SELECT declare_tenants(ARRAY['acme'], ARRAY['acme']);
         SELECT set_config('app.tenant', 'acme', false);
         INSERT INTO dead_letters (tenant_id, dedupe, reason, detail, attempts, discarded_at)
         VALUES ('acme', 'a', 'panicked', '', 1, now()), ('acme', 'b', 'panicked', '', 1, NULL)",
    )
    .execute(&mut old)
    .await
    .unwrap();
    for migration in migrations {
        sqlx::raw_sql(AssertSqlSafe(migration)).execute(&mut conn).await.unwrap();
    }
    let store = Store::connect(&app, 2).await.unwrap();
    let letters = store.dead_letters(&tenant("acme"), &ALL, None, 10).await.unwrap();
    let states: Vec<_> = letters.iter().map(|l| (l.state, l.settled.is_some(), l.announce_due)).collect();
    assert_eq!(states, [(LetterState::Discarded, true, false), (LetterState::Open, false, true)]);
    store.close().await;
}
