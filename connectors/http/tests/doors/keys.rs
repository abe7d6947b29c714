//! API keys at the door: revoked ones, rotated ones, and when they were used.

use std::time::Duration;

use terrasift_http::{CATALOG_READ, api_key_digest, mint_api_key};
use terrasift_postgres::KeyRotated;

use crate::house::{PEPPER, add_key, house, run};

#[test]
fn a_revoked_key_is_refused_on_the_next_request_by_every_replica() {
    run(async {
        let (one, other) = (house("revoked").await, house("revoked-other").await);
        let key = mint_api_key([21; 24]).expose().to_owned();
        let id = add_key(&one.store, &one.a.id, &key, &[CATALOG_READ.name()], None).await;
        for _ in 0..3 {
            assert_eq!(one.get_with(&key, "/v1/workspaces", &[]).await.summary(), "200");
            assert_eq!(other.get_with(&key, "/v1/workspaces", &[]).await.summary(), "200");
        }
        one.store.revoke_api_key(&one.a.id, id).await.unwrap();
        for house in [&one, &other] {
            assert_eq!(house.get_with(&key, "/v1/workspaces", &[]).await.summary(), "401 unauthorized");
        }
    });
}

#[test]
fn both_keys_of_a_rotation_open_until_the_overlap_is_over() {
    run(async {
        let house = house("rotated").await;
        let (old, new, third) = (
            mint_api_key([22; 24]).expose().to_owned(),
            mint_api_key([23; 24]).expose().to_owned(),
            mint_api_key([24; 24]).expose().to_owned(),
        );
        let id = add_key(&house.store, &house.a.id, &old, &[CATALOG_READ.name()], None).await;
        let rotate = async |id, key: &str, overlap| {
            let digest = api_key_digest(&PEPPER, key).unwrap();
            house.store.rotate_api_key(&house.a.id, id, digest, None, overlap).await.unwrap().unwrap()
        };
        let KeyRotated::Done { new: entry, .. } = rotate(id, &new, Duration::from_secs(600)).await else {
            panic!("rotated")
        };
        for key in [&old, &new] {
            assert_eq!(house.get_with(key, "/v1/workspaces", &[]).await.summary(), "200");
        }
        rotate(entry.id, &third, Duration::ZERO).await;
        assert_eq!(house.get_with(&new, "/v1/workspaces", &[]).await.summary(), "401 unauthorized");
        assert_eq!(house.get_with(&third, "/v1/workspaces", &[]).await.summary(), "200");
    });
}

#[test]
fn a_keys_use_is_noted_beside_its_requests() {
    run(async {
        let house = house("used").await;
        let (key, refused) = (mint_api_key([25; 24]), mint_api_key([26; 24]));
        let used = add_key(&house.store, &house.a.id, key.expose(), &[CATALOG_READ.name()], None).await;
        let unused = add_key(&house.store, &house.a.id, refused.expose(), &[], None).await;
        house.store.revoke_api_key(&house.a.id, unused).await.unwrap();
        for key in [&key, &refused] {
            house.get_with(key.expose(), "/v1/workspaces", &[]).await;
        }
        let last = async |id| house.store.api_key_entry(&house.a.id, id).await.unwrap().unwrap().last_used_at;
        assert_eq!(last(used).await, None, "a request writes nothing");
        house.key_uses.write(&house.store).await;
        assert!(last(used).await.is_some());
        assert_eq!(last(unused).await, None, "a key that opens nothing was not used");
    });
}
