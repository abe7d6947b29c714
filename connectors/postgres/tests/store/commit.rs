//! Hop 7: outcomes, what is written, and what is not.

use std::collections::BTreeMap;
use std::time::Instant;

use sqlx::Connection;
use terrasift_postgres::{AuditFilter, AuditRow, CommitOutcome, StoreErrorKind};
use terrasift_schemas::detection::{Action, Category, Detection, Report};
use terrasift_schemas::event::FailureReason;
use terrasift_schemas::{RunId, StateVersionId, TraceParent, WorkspaceId};
use time::OffsetDateTime;

use crate::world::{World, commit, digest, entity, entity_ref, tenant, version, workspace};

fn applied(outcome: CommitOutcome) -> i64 {
    match outcome {
        CommitOutcome::Applied { change_seq } => change_seq,
        other => panic!("not applied but {other:?}"),
    }
}

pub async fn a_commit_shows_its_entities_and_clears_its_mark(w: World) {
    let (acme, ws) = (tenant("acme"), workspace("a"));
    let epoch = w.store.claim_partition(0).await.unwrap();
    let mark = w.mark(epoch, 0, &ws).await;
    let ticket = w.ticket(&ws).await;
    assert_eq!(ticket.known, None);
    assert!(w.store.known_digests(&acme, &ws).await.unwrap().is_empty());

    let seq =
        applied(w.commit(commit(&ws, &ticket, epoch, mark.generation, version(1, 1, 1), &["x", "y"])).await);

    assert_eq!(w.store.feed_head(&acme).await.unwrap().seq, seq);
    assert!(w.store.load_marks(0, None, 10).await.unwrap().is_empty(), "the mark is cleared");
    let known = w.store.known_digests(&acme, &ws).await.unwrap();
    assert_eq!(known.iter().map(|(r, _)| r.clone()).collect::<Vec<_>>(), [entity_ref("x"), entity_ref("y")]);
    let shown = w.store.entity(&acme, &entity_ref("x")).await.unwrap().unwrap();
    assert_eq!(shown.body, r#"{"name":"x","content":"1-1"}"#, "the bytes are the engine's");
    assert_eq!(shown.digest, digest(&shown.body));
    assert_eq!(w.ticket(&ws).await.known, Some(version(1, 1, 1)));
    let status = w.store.workspaces(&acme).await.unwrap();
    assert_eq!((status.len(), status[0].resource_count, status[0].bytes_in), (1, 1, 100));
    assert!(status[0].synced_at.is_some() && status[0].stale.is_none());
}

pub async fn invariant_3_outcomes_follow_versions_reads_and_epochs(w: World) {
    use CommitOutcome::{Fenced, NoChange, Stale};
    let (acme, ws) = (tenant("acme"), workspace("a"));
    let epoch = w.store.claim_partition(0).await.unwrap();
    let early = w.ticket(&ws).await;
    let first = w.ticket(&ws).await;
    applied(w.commit(commit(&ws, &first, epoch, 0, version(1, 5, 2), &["x"])).await);
    let head = w.store.feed_head(&acme).await.unwrap();
    let cases = [
        ("older serial", version(1, 4, 2), Stale),
        ("older pipeline", version(1, 5, 1), Stale),
        ("equal", version(1, 5, 2), NoChange),
    ];
    for (name, version, expected) in cases {
        let ticket = w.ticket(&ws).await;
        assert_eq!(w.commit(commit(&ws, &ticket, epoch, 0, version, &["z"])).await, expected, "{name}");
        assert_eq!(w.store.feed_head(&acme).await.unwrap(), head, "{name} writes nothing");
    }
    let outcome = w.commit(commit(&ws, &early, epoch, 0, version(2, 9, 9), &["z"])).await;
    assert_eq!(outcome, Stale, "another lineage by an earlier read");
    let ticket = w.ticket(&ws).await;
    applied(w.commit(commit(&ws, &ticket, epoch, 0, version(2, 1, 1), &["x"])).await);
    let ticket = w.ticket(&ws).await;
    let successor = w.store.claim_partition(0).await.unwrap();
    let outcome = w.commit(commit(&ws, &ticket, epoch, 0, version(2, 2, 1), &["x"])).await;
    assert_eq!(outcome, Fenced, "a zombie");
    applied(w.commit(commit(&ws, &ticket, successor, 0, version(2, 2, 1), &["x"])).await);
}

pub async fn invariant_4_replaying_a_commit_changes_nothing(w: World) {
    let (acme, ws) = (tenant("acme"), workspace("a"));
    let epoch = w.store.claim_partition(0).await.unwrap();
    let mark = w.mark(epoch, 0, &ws).await;
    let ticket = w.ticket(&ws).await;
    let one = commit(&ws, &ticket, epoch, mark.generation, version(1, 1, 1), &["x"]);
    applied(w.commit(one.clone()).await);
    let head = w.store.feed_head(&acme).await.unwrap();
    let later = w.mark(epoch, 0, &ws).await;
    for _ in 0..3 {
        assert_eq!(w.commit(one.clone()).await, CommitOutcome::NoChange);
    }
    assert_eq!(w.store.feed_head(&acme).await.unwrap(), head);
    assert_eq!(w.store.audit(&acme, &of(&ws), None, 9).await.unwrap().len(), 1);
    assert_eq!(w.store.load_marks(0, None, 10).await.unwrap(), [later], "a replay clears no newer mark");

    let upstream = FailureReason::UpstreamFailed;
    assert_eq!(w.store.mark_tenant_stale(&acme, upstream).await.unwrap(), 1);
    assert_eq!(w.store.mark_tenant_stale(&acme, upstream).await.unwrap(), 0, "marked already");
    let stale = w.store.workspaces(&acme).await.unwrap().remove(0).stale;
    assert_eq!(stale.as_deref(), Some("upstream_failed"));
    assert!(w.store.entity(&acme, &entity_ref("x")).await.unwrap().is_some(), "stale keeps the entities");
    assert_eq!(w.commit(one).await, CommitOutcome::NoChange);
    assert_eq!(w.store.workspaces(&acme).await.unwrap()[0].stale, None, "confirmed is fresh again");
    w.store.mark_tenant_stale(&acme, upstream).await.unwrap();
    assert_eq!(
        w.store.mark_tenant_fresh(&acme, FailureReason::Undecidable).await.unwrap(),
        0,
        "another reason"
    );
    assert_eq!(w.store.mark_tenant_fresh(&acme, upstream).await.unwrap(), 1);
    assert_eq!(w.store.workspaces(&acme).await.unwrap()[0].stale, None, "the upstream answers again");
}

pub async fn a_batch_with_a_fenced_and_a_stale_workspace_writes_the_others(w: World) {
    use CommitOutcome::{Applied, Fenced, NoChange, Stale};
    let acme = tenant("acme");
    let (epoch, gone) =
        (w.store.claim_partition(0).await.unwrap(), w.store.claim_partition(1).await.unwrap());
    let names = ["fenced", "stale", "same", "new", "newer"];
    let mut batch = Vec::new();
    for name in names {
        let ws = workspace(name);
        if ["stale", "same", "newer"].contains(&name) {
            let ticket = w.ticket(&ws).await;
            applied(w.commit(commit(&ws, &ticket, epoch, 0, version(1, 5, 1), &[name])).await);
        }
        let partition = i32::from(name == "fenced");
        let generation = w.mark(if partition == 1 { gone } else { epoch }, partition, &ws).await.generation;
        let serial = match name {
            "stale" => 4,
            "same" => 5,
            _ => 6,
        };
        let ticket = w.ticket(&ws).await;
        let mut one = commit(&ws, &ticket, epoch, generation, version(1, serial, 1), &[name]);
        if name == "fenced" {
            (one.partition, one.epoch) = (1, gone);
        }
        batch.push(one);
    }
    w.store.claim_partition(1).await.unwrap();
    let outcomes = w.store.commit(&acme, batch).await.unwrap();
    let head = w.store.feed_head(&acme).await.unwrap().seq;
    assert_eq!(
        outcomes,
        [Fenced, Stale, NoChange, Applied { change_seq: head }, Applied { change_seq: head }]
    );
    assert!(w.store.entity(&acme, &entity_ref("fenced")).await.unwrap().is_none());
    assert_eq!(
        w.store.load_marks(1, None, 10).await.unwrap().len(),
        1,
        "the fenced mark stays for the new owner"
    );
    assert!(w.store.load_marks(0, None, 10).await.unwrap().is_empty(), "the others' are cleared");
}

pub async fn a_mark_with_a_newer_generation_survives_the_commit(w: World) {
    let ws = workspace("a");
    let epoch = w.store.claim_partition(0).await.unwrap();
    let served = w.mark(epoch, 0, &ws).await;
    let ticket = w.ticket(&ws).await;
    let newer = w.mark(epoch, 0, &ws).await;
    assert_ne!(served.generation, newer.generation);
    applied(w.commit(commit(&ws, &ticket, epoch, served.generation, version(1, 1, 1), &["x"])).await);
    assert_eq!(w.store.load_marks(0, None, 10).await.unwrap(), std::slice::from_ref(&newer));
    assert!(w.store.clear_mark(&newer, epoch).await.unwrap());
    let after = w.mark(epoch, 0, &ws).await;
    assert!(after.generation > newer.generation, "generations do not start again after a clear");
}

pub async fn a_diff_against_a_catalog_that_moved_is_rebased(w: World) {
    let (acme, ws) = (tenant("acme"), workspace("a"));
    let epoch = w.store.claim_partition(0).await.unwrap();
    let mark = w.mark(epoch, 0, &ws).await;
    let (slow, fast) = (w.ticket(&ws).await, w.ticket(&ws).await);
    applied(w.commit(commit(&ws, &fast, epoch, 0, version(1, 1, 1), &["x"])).await);
    // Newer, but its diff knows nothing of x, which it would have removed.
    let late = commit(&ws, &slow, epoch, mark.generation, version(1, 2, 1), &["y"]);
    assert_eq!(w.commit(late.clone()).await, CommitOutcome::Rebase);
    assert_eq!(w.store.load_marks(0, None, 10).await.unwrap(), [mark], "the mark is kept");
    let ticket = w.ticket(&ws).await;
    let mut again = commit(&ws, &ticket, epoch, 0, version(1, 2, 1), &["y"]);
    again.removals = vec![entity_ref("x")];
    applied(w.commit(again).await);
    let known = w.store.known_digests(&acme, &ws).await.unwrap();
    assert_eq!(known.into_iter().map(|(r, _)| r).collect::<Vec<_>>(), [entity_ref("y")]);
}

pub async fn removed_entities_become_tombstones_and_can_come_back(w: World) {
    let (acme, ws) = (tenant("acme"), workspace("a"));
    let epoch = w.store.claim_partition(0).await.unwrap();
    let ticket = w.ticket(&ws).await;
    let first = applied(w.commit(commit(&ws, &ticket, epoch, 0, version(1, 1, 1), &["x", "y"])).await);
    let ticket = w.ticket(&ws).await;
    let mut gone = commit(&ws, &ticket, epoch, 0, version(1, 2, 1), &[]);
    gone.removals = vec![entity_ref("x"), entity_ref("never-there")];
    let second = applied(w.commit(gone).await);
    let changes = w.store.changes(&acme, first, 10, None).await.unwrap().1;
    assert_eq!(changes.len(), 1, "a tombstone, and nothing for what was never there");
    assert!(changes[0].deleted && changes[0].body.is_none() && changes[0].seq <= second);
    assert!(w.store.entity(&acme, &entity_ref("x")).await.unwrap().is_none());
    let ticket = w.ticket(&ws).await;
    let back = applied(w.commit(commit(&ws, &ticket, epoch, 0, version(1, 3, 1), &["x"])).await);
    let changes = w.store.changes(&acme, second, 10, None).await.unwrap().1;
    assert_eq!(changes.iter().map(|c| (c.seq, c.deleted)).collect::<Vec<_>>(), [(back, false)]);
    assert_eq!(w.store.changes(&acme, 0, 10, None).await.unwrap().1.len(), 2, "each entity stands once");
}

pub async fn a_workspace_cannot_remove_what_another_one_took_over(w: World) {
    let (acme, a, b) = (tenant("acme"), workspace("a"), workspace("b"));
    let epoch = w.store.claim_partition(0).await.unwrap();
    let ticket = w.ticket(&a).await;
    applied(w.commit(commit(&a, &ticket, epoch, 0, version(1, 1, 1), &["x", "y"])).await);
    let ticket = w.ticket(&b).await;
    applied(w.commit(commit(&b, &ticket, epoch, 0, version(2, 1, 1), &["x"])).await);
    // In one batch: a gives both up, b takes y over.
    let (ticket_a, ticket_b) = (w.ticket(&a).await, w.ticket(&b).await);
    let mut gives_up = commit(&a, &ticket_a, epoch, 0, version(1, 2, 1), &[]);
    gives_up.removals = vec![entity_ref("x"), entity_ref("y")];
    let takes = commit(&b, &ticket_b, epoch, 0, version(2, 2, 1), &["x", "y"]);
    w.store.commit(&acme, vec![gives_up, takes]).await.unwrap();
    let known = w.store.known_digests(&acme, &b).await.unwrap();
    assert_eq!(known.into_iter().map(|(r, _)| r).collect::<Vec<_>>(), [entity_ref("x"), entity_ref("y")]);
    assert!(w.store.known_digests(&acme, &a).await.unwrap().is_empty());
}

pub async fn audit_records_hold_rules_paths_and_counts(w: World) {
    let (acme, ws) = (tenant("acme"), workspace("a"));
    let epoch = w.store.claim_partition(0).await.unwrap();
    let ticket = w.ticket(&ws).await;
    let found = |rule: &str, category, pointer: &str| Detection {
        rule: rule.into(),
        category,
        action: Action::Redact,
        pointer: pointer.into(),
        bytes: 9,
    };
    let mut one = commit(&ws, &ticket, epoch, 0, version(1, 7, 3), &["x"]);
    one.report = Report {
        detections: vec![
            found("email", Category::Pii, "/outputs/a"),
            found("password", Category::Credential, "/outputs/b"),
            found("email", Category::Pii, "/outputs/nul\0key"),
        ],
        counts: BTreeMap::from([(Category::Pii, 2), (Category::Credential, 4)]),
        truncated: 3,
    };
    one.run = Some(RunId::parse("run-1").unwrap());
    one.trace = Some(TraceParent::from_random([7; 24]));
    one.version.state_version = Some(StateVersionId::parse("sv-1").unwrap());
    let trace = one.trace;
    let shown = one.version.clone();
    applied(w.commit(one).await);
    let listed = w.store.audit(&acme, &of(&ws), None, 9).await.unwrap();
    let row = &w.store.audit_record(&acme, listed[0].id).await.unwrap().unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].findings.iter().all(|found| found.pointers.is_empty()), "lists are short");
    assert_eq!(listed[0].findings.len(), row.findings.len());
    assert_eq!((&row.version, row.trace, row.truncated), (&shown, trace, 3));
    assert_eq!(row.counts, BTreeMap::from([(Category::Pii, 2), (Category::Credential, 4)]));
    let findings: Vec<(&str, u64, &str)> =
        row.findings.iter().map(|f| (f.rule.as_str(), f.count, f.pointers[0].as_str())).collect();
    assert_eq!(findings, [("email", 2, "/outputs/a"), ("password", 1, "/outputs/b")]);
    assert_eq!(row.run.as_ref().map(RunId::as_str), Some("run-1"));
    // A clean state leaves a record too: that it was looked at.
    let ticket = w.ticket(&ws).await;
    applied(w.commit(commit(&ws, &ticket, epoch, 0, version(1, 8, 3), &["x"])).await);
    let rows = w.store.audit(&acme, &of(&ws), None, 9).await.unwrap();
    assert_eq!((rows.len(), rows[0].version.serial, rows[0].findings.len()), (2, 8, 0));
}

pub async fn bad_batches_are_refused_whole(w: World) {
    let (acme, ws) = (tenant("acme"), workspace("a"));
    let epoch = w.store.claim_partition(0).await.unwrap();
    let ticket = w.ticket(&ws).await;
    let good = commit(&ws, &ticket, epoch, 0, version(1, 1, 1), &["x"]);
    let mut never_read = good.clone();
    never_read.workspace = workspace("neverread");
    let with_body = |body: &[u8]| {
        let mut entity = entity("x", "").into_inner();
        entity.body = body.to_vec();
        let mut one = good.clone();
        one.workspace = workspace("b");
        #[allow(clippy::disallowed_methods, reason = "tests stand in for the engine")]
        let sealed = terrasift_schemas::Sanitized::seal(entity);
        one.upserts = vec![sealed];
        one
    };
    w.ticket(&workspace("b")).await;
    let cases = [
        ("twice", vec![good.clone(), good.clone()]),
        ("never read", vec![good.clone(), never_read]),
        ("not UTF-8", vec![good.clone(), with_body(b"{\"a\":\"\xff\"}")]),
        ("NUL", vec![good.clone(), with_body(b"{\0}")]),
    ];
    for (name, batch) in cases {
        let error = w.store.commit(&acme, batch).await.expect_err(name);
        assert_eq!(error.kind(), StoreErrorKind::Invalid, "{name}");
        assert_eq!(w.store.feed_head(&acme).await.unwrap().seq, 0, "{name} writes nothing");
    }
    let error = w.store.begin_read(&tenant("nobody"), &ws).await.expect_err("undeclared");
    assert_eq!(error.kind(), StoreErrorKind::Invalid);
    assert!(w.store.commit(&acme, Vec::new()).await.unwrap().is_empty());
}

pub async fn twenty_thousand_entities_take_a_handful_of_statements(w: World) {
    let (acme, ws) = (tenant("acme"), workspace("big"));
    let epoch = w.store.claim_partition(0).await.unwrap();
    let ticket = w.ticket(&ws).await;
    let mut one = commit(&ws, &ticket, epoch, 0, version(1, 1, 1), &[]);
    let padding = "p".repeat(600);
    one.upserts = (0..20_000).map(|n| entity(&format!("e{n:05}"), &padding)).collect();
    let begun = Instant::now();
    let seq = applied(w.commit(one).await);
    println!("       20,000 entities in {} ms", begun.elapsed().as_millis());
    assert_eq!(seq, 20_000);
    assert_eq!(w.store.known_digests(&acme, &ws).await.unwrap().len(), 20_000);
    let mut conn = w.superuser().await;
    let (rows, positions): (i64, i64) =
        sqlx::query_as("SELECT count(*), count(DISTINCT change_seq) FROM entities")
            .fetch_one(&mut conn)
            .await
            .unwrap();
    assert_eq!((rows, positions), (20_000, 20_000), "each change has a position of its own");
    conn.close().await.unwrap();
}

fn of(workspace: &WorkspaceId) -> AuditFilter {
    AuditFilter { workspace: Some(workspace.clone()), ..AuditFilter::default() }
}

pub async fn audit_records_are_filtered_and_paged_newest_first(w: World) {
    let acme = tenant("acme");
    let epoch = w.store.claim_partition(0).await.unwrap();
    let mut begun = Vec::new();
    for (name, serial, rule, category) in [
        ("a", 1, "email", Category::Pii),
        ("b", 1, "jwt", Category::Credential),
        ("a", 2, "jwt", Category::Credential),
        ("c", 1, "private-ip", Category::Infrastructure),
        ("a", 3, "email", Category::Pii),
    ] {
        let ws = workspace(name);
        let ticket = w.ticket(&ws).await;
        let mut one = commit(&ws, &ticket, epoch, 0, version(1, serial, 3), &[name]);
        let pointer = "/outputs/a/value".to_owned();
        let found = Detection { rule: rule.to_owned(), category, action: Action::Redact, pointer, bytes: 9 };
        one.report =
            Report { detections: vec![found], counts: BTreeMap::from([(category, 1)]), ..Report::default() };
        applied(w.commit(one).await);
        begun.push(OffsetDateTime::now_utc());
    }
    let all = AuditFilter::default();
    let rule = |rule: &str| AuditFilter { rule: Some(rule.to_owned()), ..AuditFilter::default() };
    let category = |category| AuditFilter { category: Some(category), ..AuditFilter::default() };
    for (name, filter, expected) in [
        ("all", all.clone(), "a3 c1 a2 b1 a1"),
        ("a workspace", of(&workspace("a")), "a3 a2 a1"),
        ("a rule", rule("jwt"), "a2 b1"),
        ("no rule", rule("jw"), ""),
        ("a category", category(Category::Pii), "a3 a1"),
        ("another category", category(Category::Infrastructure), "c1"),
        ("both", AuditFilter { rule: Some("jwt".to_owned()), ..of(&workspace("a")) }, "a2"),
        ("since", AuditFilter { since: Some(begun[2]), ..all.clone() }, "a3 c1"),
        ("until", AuditFilter { until: Some(begun[1]), ..all.clone() }, "b1 a1"),
    ] {
        // In pages of two, and at once.
        let mut paged = Vec::new();
        let mut before = None;
        loop {
            let page = w.store.audit(&acme, &filter, before, 2).await.unwrap();
            before = page.last().map(|row| row.id);
            paged.extend(page);
            if before.is_none() || paged.len() % 2 == 1 {
                break;
            }
        }
        assert_eq!(paged, w.store.audit(&acme, &filter, None, 100).await.unwrap(), "{name}");
        let told =
            |row: &AuditRow| format!("{}{}", row.workspace.as_str().replace("ws-", ""), row.version.serial);
        assert_eq!(paged.iter().map(told).collect::<Vec<_>>().join(" "), expected, "{name}");
        assert!(w.store.audit(&tenant("globex"), &filter, None, 100).await.unwrap().is_empty(), "{name}");
        for row in paged {
            assert!(w.store.audit_record(&tenant("globex"), row.id).await.unwrap().is_none(), "{name}");
            assert_eq!(
                w.store.audit_record(&acme, row.id).await.unwrap().unwrap().findings[0].pointers.len(),
                1
            );
        }
    }
}
