//! Keys, deliveries, records without a tenant.

use std::time::Duration;

use terrasift_postgres::{StoreErrorKind, UnroutedRecord};
use terrasift_schemas::event::{FailureReason, RecordPosition};
use time::OffsetDateTime;

use crate::world::{World, row, tenant};

const HOUR: Duration = Duration::from_secs(3_600);

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

pub async fn whose_a_token_is_is_remembered_for_its_tenant(w: World) {
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    assert_eq!(w.store.token_user(&acme, "token-1").await.unwrap(), None);
    w.store.remember_token_user(&acme, "token-1", "user-1").await.unwrap();
    w.store.remember_token_user(&acme, "token-1", "user-2").await.unwrap();
    assert_eq!(
        w.store.token_user(&acme, "token-1").await.unwrap().as_deref(),
        Some("user-2"),
        "the newest answer"
    );
    assert_eq!(w.store.token_user(&acme, "token-2").await.unwrap(), None, "another token");
    assert_eq!(w.store.token_user(&globex, "token-1").await.unwrap(), None, "another tenant");
    let error = w.store.remember_token_user(&tenant("nobody"), "token-1", "user-1").await;
    assert_eq!(error.expect_err("undeclared").kind(), StoreErrorKind::Invalid);
}

pub async fn a_delivery_is_recorded_once(w: World) {
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    assert!(!w.store.delivery_standing(&acme, [5; 32], HOUR, 9).await.unwrap().seen);
    assert!(w.store.record_delivery(&acme, [5; 32]).await.unwrap());
    assert!(!w.store.record_delivery(&acme, [5; 32]).await.unwrap());
    assert!(w.store.delivery_standing(&acme, [5; 32], HOUR, 9).await.unwrap().seen);
    assert!(
        !w.store.delivery_standing(&globex, [5; 32], HOUR, 9).await.unwrap().seen,
        "each tenant has its own"
    );
    let error = w.store.record_delivery(&tenant("nobody"), [5; 32]).await.expect_err("undeclared");
    assert_eq!(error.kind(), StoreErrorKind::Invalid);
}

pub async fn deliveries_of_late_are_counted(w: World) {
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    for number in 0..5 {
        w.store.record_delivery(&acme, [number; 32]).await.unwrap();
    }
    for (name, tenant, window, at_most, expected) in [
        ("all", &acme, HOUR, 9, 5),
        ("no more than asked for", &acme, HOUR, 3, 3),
        ("none of another tenant", &globex, HOUR, 9, 0),
        ("none of before", &acme, Duration::ZERO, 9, 0),
    ] {
        let standing = w.store.delivery_standing(tenant, [99; 32], window, at_most).await.unwrap();
        assert_eq!((standing.recent, standing.seen), (expected, false), "{name}");
        assert!(standing.oldest_age < HOUR, "{name}");
    }
}

pub async fn old_deliveries_are_forgotten_as_new_ones_come(w: World) {
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    let mut conn = w.app().await;
    for (tenant, number, days) in
        (0..20u8).map(|number| (&acme, number, 31)).chain([(&acme, 20, 29), (&globex, 21, 31)])
    {
        let settings = "SELECT set_config('app.tenant', $1, false)";
        sqlx::query(settings).bind(tenant.as_str()).execute(&mut conn).await.unwrap();
        sqlx::query(
            "INSERT INTO webhook_deliveries (tenant_id, digest, at)
             VALUES ($1, $2, now() - make_interval(days => $3))",
        )
        .bind(tenant.as_str())
        .bind(&[number; 32][..])
        .bind(days)
        .execute(&mut conn)
        .await
        .unwrap();
    }
    for number in 100..103 {
        assert!(w.store.record_delivery(&acme, [number; 32]).await.unwrap());
    }
    let seen = |tenant, number| {
        let store = &w.store;
        async move { store.delivery_standing(tenant, [number; 32], HOUR, 9).await.unwrap().seen }
    };
    for number in 0..20 {
        assert!(!seen(&acme, number).await, "{number} is old");
    }
    for number in [20, 100, 101, 102] {
        assert!(seen(&acme, number).await, "{number} is not");
    }
    assert!(seen(&globex, 21).await, "another tenant's");
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
