//! Keys, deliveries, dead letters.

use terrasift_postgres::{NewDeadLetter, StoreErrorKind, UnroutedRecord};
use terrasift_schemas::TraceParent;
use terrasift_schemas::event::{FailureReason, RecordPosition};
use time::OffsetDateTime;

use crate::world::{World, row, tenant, workspace};

pub async fn keys_are_found_by_digest_over_all_tenants(w: World) {
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    let expires = OffsetDateTime::from_unix_timestamp(2_000_000_000).unwrap();
    let scopes = ["catalog:read".to_owned(), "logs:read".to_owned()];
    w.store.insert_api_key(&acme, [1; 32], "backstage", &scopes, Some(expires)).await.unwrap();
    w.store.insert_api_key(&globex, [2; 32], "ci", &[], None).await.unwrap();
    let found = w.store.api_key([1; 32]).await.unwrap().unwrap();
    assert_eq!((&found.tenant, found.slug.as_str(), found.name.as_str()), (&acme, "acme", "backstage"));
    assert_eq!(
        (found.scopes.as_slice(), found.expires_at, found.disabled),
        (scopes.as_slice(), Some(expires), false)
    );
    assert_eq!(w.store.api_key([2; 32]).await.unwrap().unwrap().tenant, globex);
    assert_eq!(w.store.api_key([3; 32]).await.unwrap(), None);
    let error =
        w.store.insert_api_key(&globex, [1; 32], "theft", &[], None).await.expect_err("the digest is taken");
    assert_eq!(error.kind(), StoreErrorKind::Invalid);
    // Slugs may be renamed, and even swap; the key follows its tenant.
    w.store.declare_tenants(&[row("acme", "globex"), row("globex", "acme")]).await.unwrap();
    assert_eq!(w.store.api_key([1; 32]).await.unwrap().unwrap().slug.as_str(), "globex");
}

pub async fn a_delivery_is_recorded_once(w: World) {
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    assert!(!w.store.delivery_seen(&acme, [5; 32]).await.unwrap());
    assert!(w.store.record_delivery(&acme, [5; 32]).await.unwrap());
    assert!(!w.store.record_delivery(&acme, [5; 32]).await.unwrap());
    assert!(w.store.delivery_seen(&acme, [5; 32]).await.unwrap());
    assert!(!w.store.delivery_seen(&globex, [5; 32]).await.unwrap(), "each tenant has its own");
    let error = w.store.record_delivery(&tenant("nobody"), [5; 32]).await.expect_err("undeclared");
    assert_eq!(error.kind(), StoreErrorKind::Invalid);
}

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

pub async fn dead_letters_are_parked_with_their_mark_listed_and_discarded(w: World) {
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
    let all = w.store.dead_letters(&acme, 10, None).await.unwrap();
    assert_eq!(all.len(), 3);
    assert!(all[2].detail.len() <= 1_024 && !all[2].detail.contains('\0'));
    let page = w.store.dead_letters(&acme, 1, Some(all[0].id)).await.unwrap();
    assert_eq!(page, std::slice::from_ref(&all[1]));
    assert!(w.store.discard_dead_letter(&acme, id).await.unwrap());
    assert!(!w.store.discard_dead_letter(&acme, id).await.unwrap());
    assert_eq!(w.store.dead_letter(&acme, id).await.unwrap(), None);
    assert_ne!(w.store.park(&poison, None).await.unwrap(), id, "after the discard it is a new letter");

    let foreign = NewDeadLetter { tenant: tenant("globex"), ..poison };
    let error = w.store.park(&foreign, Some((&newer, epoch))).await.expect_err("mark of another tenant");
    assert_eq!(error.kind(), StoreErrorKind::Invalid);
}

pub async fn unrouted_records_are_parked_once_a_position(w: World) {
    let record = |offset| UnroutedRecord {
        position: RecordPosition { topic: "terraform-state-updated".into(), partition: 1, offset },
        reason: FailureReason::UnknownTenant,
        detail: "the tenant is not declared".into(),
    };
    for _ in 0..2 {
        w.store.park_unrouted(&[record(1), record(2), record(2)]).await.unwrap();
    }
    w.store.park_unrouted(&[]).await.unwrap();
    let mut conn = w.app().await;
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM unrouted_records").fetch_one(&mut conn).await.unwrap();
    assert_eq!(count, 2);
}
