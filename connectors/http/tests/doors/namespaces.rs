//! Permissions that are granted in namespaces: what is shown, what is not, and cursors and tags of who sees more.

use std::collections::BTreeSet;

use serde_json::Value;
use terrasift_http::mint_api_key;

use crate::house::{House, Tenant, add_key, house, run};

const PROD: &str = "acme-prod";
const TEST: &str = "acme-test";

async fn key(house: &House, seed: u8, scopes: &[&str]) -> String {
    let key = mint_api_key([seed; 24]).expose().to_owned();
    add_key(&house.store, &house.a.id, &key, scopes, None).await;
    key
}

/// Tenant a as it stands in one of its namespaces.
fn within(house: &House, namespace: &str) -> Tenant {
    let Tenant { id, secret, key, .. } = &house.a;
    Tenant { id: id.clone(), slug: namespace.to_owned(), secret: secret.clone(), key: key.clone() }
}

/// Six entities by turns in two namespaces.
async fn furnished(name: &str) -> House {
    let house = house(name).await;
    for serial in 1..=6_i64 {
        let namespace = if serial % 2 == 0 { PROD } else { TEST };
        let name = format!("e{serial}");
        house.commit(&within(&house, namespace), serial, &[("Resource", &name)], &[]).await;
    }
    house
}

fn namespaces(page: &Value) -> Vec<&str> {
    let changes = page["changes"].as_array().into_iter().flatten();
    let refs = changes.filter_map(|change| change["entity_ref"].as_str());
    let refs = refs.filter_map(|text| text.split(':').nth(1)?.split('/').next());
    let entities = page["entities"].as_array().into_iter().flatten();
    refs.chain(entities.filter_map(|entity| entity["metadata"]["namespace"].as_str())).collect()
}

/// All pages of a list: how many entities of which namespaces.
async fn walk(house: &House, key: &str, list: &str, limit: u32) -> (usize, BTreeSet<String>) {
    let (mut seen, mut count, mut cursor) = (BTreeSet::new(), 0, String::new());
    for _ in 0..20 {
        let page = house.get_with(key, &format!("/v1/{list}?limit={limit}{cursor}"), &[]).await;
        assert_eq!(page.status, 200, "{}", page.summary());
        let page = page.json();
        let found = namespaces(&page);
        count += found.len();
        seen.extend(found.into_iter().map(str::to_owned));
        let more = page["has_more"].as_bool().unwrap_or(page["next_cursor"].is_string());
        if !more {
            return (count, seen);
        }
        cursor = format!("&cursor={}", page["next_cursor"].as_str().expect("a cursor"));
    }
    panic!("{list} has no end");
}

#[test]
fn only_the_namespaces_that_were_granted_are_shown() {
    run(async {
        let house = furnished("ns-shown").await;
        let cases: [(u8, &[&str], usize, &[&str]); 5] = [
            (230, &["catalog:read@acme-prod"], 3, &[PROD]),
            (231, &["catalog:admin@acme-prod", "catalog:read@acme-test"], 6, &[PROD, TEST]),
            (232, &["catalog:read@acme"], 0, &[]),
            (233, &["catalog:read@acme-prod", "catalog:read"], 6, &[PROD, TEST]),
            (234, &["catalog:read@acme-test", "audit:read@acme-prod"], 3, &[TEST]),
        ];
        for (seed, scopes, count, expected) in cases {
            let key = key(&house, seed, scopes).await;
            let expected: BTreeSet<_> = expected.iter().map(|name| (*name).to_owned()).collect();
            for list in ["changes", "snapshot", "entities"] {
                for limit in [1, 2, 100] {
                    let walked = walk(&house, &key, list, limit).await;
                    assert_eq!(walked, (count, expected.clone()), "{scopes:?} {list} {limit}");
                }
            }
            for (name, namespace) in [("e2", PROD), ("e1", TEST)] {
                let path = format!("/v1/entities/by-ref/resource/{namespace}/{name}");
                let expected = if expected.contains(namespace) { "200" } else { "404 entity_not_found" };
                assert_eq!(house.get_with(&key, &path, &[]).await.summary(), expected, "{scopes:?}");
            }
        }
        let narrow = key(&house, 235, &["catalog:read@acme-prod", "audit:read@acme-prod"]).await;
        for path in ["/v1/workspaces", "/v1/audit", "/v1/dead-letters"] {
            let answer = house.get_with(&narrow, path, &[]).await.summary();
            assert_eq!(answer, "403 scope_missing", "{path}: it shows the whole tenant");
        }
    });
}

#[test]
fn who_sees_more_or_less_than_before_begins_anew() {
    run(async {
        let house = furnished("ns-cursor").await;
        let wide = key(&house, 240, &["catalog:read"]).await;
        let prod = key(&house, 241, &["catalog:read@acme-prod"]).await;
        let both = key(&house, 242, &["catalog:read@acme-prod", "catalog:read@acme-test"]).await;
        let again = key(&house, 243, &["catalog:admin@acme-prod"]).await;
        for list in ["changes", "snapshot", "entities"] {
            let from = async |key: &str| {
                let page = house.get_with(key, &format!("/v1/{list}?limit=2"), &[]).await.json();
                page["next_cursor"].as_str().expect("a cursor").to_owned()
            };
            for (name, giver, taker, expected) in [
                ("a wider one", &wide, &prod, "400 cursor_filter_changed"),
                ("a narrower one", &prod, &wide, "400 cursor_filter_changed"),
                ("another set", &both, &prod, "400 cursor_filter_changed"),
                ("all there are, by name", &both, &wide, "400 cursor_filter_changed"),
                ("the same", &prod, &prod, "200"),
                ("the same of another key", &prod, &again, "200"),
            ] {
                let cursor = from(giver).await;
                let answer = house.get_with(taker, &format!("/v1/{list}?limit=2&cursor={cursor}"), &[]).await;
                assert_eq!(answer.summary(), expected, "{list}: {name}");
            }
        }
    });
}

#[test]
fn a_tag_of_what_may_not_be_seen_is_no_key_to_it() {
    run(async {
        let house = furnished("ns-tag").await;
        let wide = key(&house, 244, &["catalog:read"]).await;
        let prod = key(&house, 245, &["catalog:read@acme-prod"]).await;
        let hidden = format!("/v1/entities/by-ref/resource/{TEST}/e1");
        let tag = house.get_with(&wide, &hidden, &[]).await.header("etag").to_owned();
        for tag in [tag.as_str(), "*"] {
            let answer = house.get_with(&prod, &hidden, &[("if-none-match", tag)]).await;
            assert_eq!(answer.summary(), "404 entity_not_found", "{tag}");
        }
        for list in ["/v1/changes", "/v1/snapshot", "/v1/entities"] {
            let tag = house.get_with(&wide, list, &[]).await.header("etag").to_owned();
            let answer = house.get_with(&prod, list, &[("if-none-match", &tag)]).await;
            assert_eq!(answer.status, 200, "{list}: another page has another tag");
            let own = answer.header("etag").to_owned();
            let answer = house.get_with(&prod, list, &[("if-none-match", &own)]).await;
            assert_eq!(answer.status, 304, "{list}");
        }
    });
}

#[test]
fn a_poll_is_not_woken_by_other_namespaces() {
    run(async {
        let house = furnished("ns-poll").await;
        let prod = key(&house, 246, &["catalog:read@acme-prod"]).await;
        let page = house.get_with(&prod, "/v1/changes", &[]).await.json();
        let path = format!("/v1/changes?wait=30&cursor={}", page["next_cursor"].as_str().expect("a cursor"));
        let polls = house.get_with(&prod, &path, &[]);
        let writes = async {
            house.commit(&within(&house, TEST), 7, &[("Resource", "hidden")], &[]).await;
            house.commit(&within(&house, PROD), 8, &[("Resource", "shown")], &["e2"]).await;
        };
        let (answer, ()) = tokio::join!(polls, writes);
        let page = answer.json();
        assert_eq!(namespaces(&page), [PROD, PROD], "{page}");
        assert!(!page.to_string().contains("hidden"));
        let removed = |change: &Value| change["change"] == "remove";
        assert!(page["changes"].as_array().expect("changes").iter().any(removed), "{page}");
    });
}
