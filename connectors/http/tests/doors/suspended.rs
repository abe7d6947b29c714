//! A suspended tenant at the doors.

use serde_json::json;
use terrasift_http::{CATALOG_READ, mint_api_key};
use terrasift_postgres::set_suspended;

use crate::house::{add_key, cluster, house_in, payload, run, sign};
use crate::press::press;

#[test]
fn nobody_of_a_suspended_tenant_is_let_in_and_its_neighbour_is() {
    run(async {
        let house = house_in("suspended", "suspended").await;
        let owner = cluster().await.owner_url("suspended");
        let token = press().token(&house.a, &[CATALOG_READ.name()], json!({}));
        let revoked = mint_api_key([61; 24]);
        let id = add_key(&house.store, &house.a.id, revoked.expose(), &[], None).await;
        house.store.revoke_api_key(&house.a.id, id).await.unwrap();
        let body = payload("ws-1", "run-1", "run:completed", "applied");
        let check = async |expected: &str, delivered: &str| {
            for secret in [&house.a.key, &token] {
                assert_eq!(house.get_with(secret, "/v1/changes", &[]).await.summary(), expected);
            }
            assert_eq!(house.deliver(&body).await.summary(), delivered);
            // Only who proves to be of the tenant learns of it.
            assert_eq!(
                house.get_with(revoked.expose(), "/v1/changes", &[]).await.summary(),
                "401 unauthorized"
            );
            let forged = sign("wrong", body.as_bytes());
            assert_eq!(
                house.post(&house.a.slug, body.clone(), Some(&forged)).await.summary(),
                "401 unauthorized"
            );
            assert_eq!(house.get_as(&house.b, "/v1/changes").await.summary(), "200");
        };
        check("200", "202 accepted").await;
        assert!(set_suspended(&owner, &house.a.id, true).await.unwrap());
        assert!(!set_suspended(&owner, &house.a.id, true).await.unwrap(), "it was so before");
        // Keys are looked up anyway: they are refused before this process has looked.
        assert_eq!(house.get("/v1/changes").await.summary(), "403 tenant_suspended");
        let changed = house.store.look_for_suspended().await.unwrap();
        assert_eq!((changed.suspended, changed.resumed), (vec![house.a.id.clone()], Vec::new()));
        check("403 tenant_suspended", "403 tenant_suspended").await;
        assert!(set_suspended(&owner, &house.a.id, false).await.unwrap());
        assert_eq!(
            house.store.look_for_suspended().await.unwrap().resumed,
            std::slice::from_ref(&house.a.id)
        );
        check("200", "200 duplicate").await;
    });
}
