//! A tenant is taken out of what Redis keeps.

use std::collections::BTreeSet;

use redis::AsyncCommands;
use terrasift_redis::{ANSWER_WAIT_MAX, NotForgotten, PrivateRedis, forget_tenant};
use terrasift_schemas::TenantId;

use crate::contract::{connection, granted, redis, wide};

/// Everything that names a tenant, over all keys.
async fn names(server: &PrivateRedis) -> BTreeSet<String> {
    let mut connection = connection(server).await;
    let mut found = BTreeSet::new();
    for key in connection.keys::<_, Vec<String>>("*").await.expect("an answer") {
        if key.ends_with(":tenants") {
            for field in connection.hkeys::<_, Vec<String>>(&key).await.expect("an answer") {
                found.insert(format!("{key} {field}"));
            }
        } else if key.ends_with(":waiting") {
            for member in connection.zrange::<_, Vec<String>>(&key, 0, -1).await.expect("an answer") {
                found.insert(format!("{key} {member}"));
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_forgotten_and_its_neighbours_and_other_installations_are_not() {
    let server = PrivateRedis::start(&[]).await.unwrap();
    for world in ["terrasift", "terrasift-other"] {
        let budget = redis(&server.address(), world, 1, 4, ANSWER_WAIT_MAX, wide(100));
        for user in ["shared", "own"] {
            for tenant in ["acme", "acme-2"] {
                granted(&budget, user, tenant).await;
                let mut connection = connection(&server).await;
                let key = format!("{world}:budget:{{{user}}}:waiting");
                let () = connection.zadd(key, tenant, 9e15).await.unwrap();
            }
        }
    }
    let before = names(&server).await;
    let acme = TenantId::parse("acme").unwrap();
    assert_eq!(forget_tenant(&server.address(), "terrasift", &acme).await, Ok(6));
    let expected: BTreeSet<_> = before
        .iter()
        .filter(|name| {
            !name.starts_with("terrasift:") || !(name.ends_with(":acme") || name.ends_with(" acme"))
        })
        .cloned()
        .collect();
    let after = names(&server).await;
    assert_eq!((after.len(), &after), (before.len() - 6, &expected));
    assert_eq!(forget_tenant(&server.address(), "terrasift", &acme).await, Ok(0), "once is enough");
    let address = server.address();
    drop(server);
    assert_eq!(forget_tenant(&address, "terrasift", &acme).await, Err(NotForgotten::NoAnswer));
}
