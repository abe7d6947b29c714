//! The life of an API key.

use std::time::Duration;

use terrasift_postgres::{ApiKeyId, KeyRotated, KeyUse};
use time::OffsetDateTime;

use crate::world::{World, tenant};

const DAY: Duration = Duration::from_secs(86_400);

pub async fn keys_are_listed_in_pages_and_only_to_their_tenant(w: World) {
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    let mut ids = Vec::new();
    for n in 1..=3 {
        ids.push(w.store.insert_api_key(&acme, [n; 32], &format!("k{n}"), &[], None).await.unwrap().id);
    }
    let theirs = w.store.insert_api_key(&globex, [9; 32], "theirs", &[], None).await.unwrap().id;
    let first = w.store.api_keys(&acme, None, 2).await.unwrap();
    let rest = w.store.api_keys(&acme, first.last().map(|key| key.id), 2).await.unwrap();
    let listed: Vec<_> = first.iter().chain(&rest).map(|key| (key.id, key.name.as_str())).collect();
    assert_eq!(listed, [(ids[0], "k1"), (ids[1], "k2"), (ids[2], "k3")]);
    assert_eq!(w.store.api_keys(&globex, None, 10).await.unwrap().len(), 1);
    assert_eq!(w.store.api_key_entry(&acme, theirs).await.unwrap(), None);
    assert_eq!(w.store.revoke_api_key(&acme, theirs).await.unwrap(), None);
    assert_eq!(w.store.rotate_api_key(&acme, theirs, [8; 32], None, DAY).await.unwrap(), None);
    assert!(!w.store.api_key([9; 32]).await.unwrap().unwrap().disabled, "another tenant's key is as it was");
}

pub async fn a_rotated_key_ends_after_the_overlap_and_is_rotated_once(w: World) {
    let acme = tenant("acme");
    let scopes = ["catalog:read".to_owned()];
    let old = w.store.insert_api_key(&acme, [1; 32], "backstage", &scopes, None).await.unwrap().id;
    let now = OffsetDateTime::now_utc();
    let rotated = w.store.rotate_api_key(&acme, old, [2; 32], Some(now + 90 * DAY), DAY).await.unwrap();
    let Some(KeyRotated::Done { new, old: ended }) = rotated else { panic!("{rotated:?}") };
    assert_eq!((new.replaces, new.name.as_str(), &new.scopes), (Some(old), "backstage", &scopes.to_vec()));
    let ends = ended.expires_at.unwrap();
    assert!(
        ends > now + DAY - Duration::from_secs(60) && ends < now + DAY + Duration::from_secs(60),
        "{ends}"
    );
    for digest in [[1; 32], [2; 32]] {
        let found = w.store.api_key(digest).await.unwrap().unwrap();
        assert!(!found.disabled && found.expires_at.is_some_and(|at| at > now), "both are valid");
    }
    let again = w.store.rotate_api_key(&acme, old, [3; 32], None, DAY).await.unwrap();
    assert_eq!(again, Some(KeyRotated::Before(new.id)));
    assert_eq!(w.store.api_key([3; 32]).await.unwrap(), None, "nothing was added");
    // An overlap never lengthens a key's life, and none ends it at once.
    let soon = now + Duration::from_secs(3_600);
    let brief = w.store.insert_api_key(&acme, [4; 32], "brief", &[], Some(soon)).await.unwrap();
    let rotated = w.store.rotate_api_key(&acme, brief.id, [5; 32], None, DAY).await.unwrap();
    let Some(KeyRotated::Done { new, old }) = rotated else { panic!("{rotated:?}") };
    assert_eq!(old.expires_at, brief.expires_at);
    let rotated = w.store.rotate_api_key(&acme, new.id, [6; 32], None, Duration::ZERO).await.unwrap();
    let Some(KeyRotated::Done { old, .. }) = rotated else { panic!("{rotated:?}") };
    let over = w.store.rotate_api_key(&acme, old.id, [7; 32], None, DAY).await.unwrap();
    assert!(matches!(over, Some(KeyRotated::Before(_))));
    for (digest, expires) in [([10; 32], Some(now - DAY)), ([11; 32], None)] {
        let key = w.store.insert_api_key(&acme, digest, "over", &[], expires).await.unwrap();
        if expires.is_none() {
            w.store.revoke_api_key(&acme, key.id).await.unwrap();
        }
        let refused = w.store.rotate_api_key(&acme, key.id, [12; 32], None, DAY).await.unwrap();
        assert_eq!(refused, Some(KeyRotated::Over));
    }
}

pub async fn two_who_rotate_at_once_make_one_key(w: World) {
    let acme = tenant("acme");
    let old = w.store.insert_api_key(&acme, [1; 32], "k", &[], None).await.unwrap().id;
    let (one, other) = tokio::join!(
        w.store.rotate_api_key(&acme, old, [2; 32], None, DAY),
        w.store.rotate_api_key(&acme, old, [3; 32], None, DAY),
    );
    let done = [one, other].map(|rotated| matches!(rotated.unwrap(), Some(KeyRotated::Done { .. })));
    assert_eq!(done.iter().filter(|done| **done).count(), 1);
    assert_eq!(w.store.api_keys(&acme, None, 10).await.unwrap().len(), 2);
}

pub async fn a_revoked_key_is_found_revoked_at_once_and_stays_so(w: World) {
    let acme = tenant("acme");
    let id = w.store.insert_api_key(&acme, [1; 32], "leaked", &[], None).await.unwrap().id;
    assert!(!w.store.api_key([1; 32]).await.unwrap().unwrap().disabled);
    let revoked = w.store.revoke_api_key(&acme, id).await.unwrap().unwrap();
    // Another replica has a pool of its own.
    let other = terrasift_postgres::Store::connect(&w.app_url, 1).await.unwrap();
    assert!(other.api_key([1; 32]).await.unwrap().unwrap().disabled);
    other.close().await;
    let again = w.store.revoke_api_key(&acme, id).await.unwrap().unwrap();
    assert_eq!(again.revoked_at, revoked.revoked_at, "the first time counts");
    assert_eq!(w.store.revoke_api_key(&acme, ApiKeyId(i64::MAX)).await.unwrap(), None);
}

pub async fn a_keys_use_is_written_once_a_minute_and_waits_for_nobody(w: World) {
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    let key = w.store.insert_api_key(&acme, [1; 32], "k", &[], None).await.unwrap().id;
    let theirs = w.store.insert_api_key(&globex, [2; 32], "k", &[], None).await.unwrap().id;
    let start = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
    let used = |tenant, key, second| KeyUse { tenant, key, at: start + Duration::from_secs(second) };
    let last = async |tenant, key| w.store.api_key_entry(tenant, key).await.unwrap().unwrap().last_used_at;
    assert_eq!(last(&acme, key).await, None);
    for (second, expected) in [(0, 0), (59, 0), (60, 60), (30, 60), (120, 120)] {
        w.store.note_key_uses(&[used(acme.clone(), key, second)]).await.unwrap();
        assert_eq!(last(&acme, key).await, Some(start + Duration::from_secs(expected)), "{second}");
    }
    // A key under another tenant's name, and one that is none, are left out.
    w.store
        .note_key_uses(&[used(acme.clone(), theirs, 0), used(acme.clone(), ApiKeyId(i64::MAX), 0)])
        .await
        .unwrap();
    assert_eq!(last(&globex, theirs).await, None);
    // A row that somebody holds is skipped, not waited for, and the others are written.
    let mut holder = w.superuser().await;
    sqlx::raw_sql("BEGIN; SELECT FROM api_keys WHERE tenant_id = 'acme' FOR UPDATE")
        .execute(&mut holder)
        .await
        .unwrap();
    let both = [used(acme.clone(), key, 999), used(globex.clone(), theirs, 999)];
    tokio::time::timeout(Duration::from_secs(5), w.store.note_key_uses(&both)).await.unwrap().unwrap();
    assert_eq!(last(&acme, key).await, Some(start + Duration::from_secs(120)));
    assert_eq!(last(&globex, theirs).await, Some(start + Duration::from_secs(999)));
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
}
