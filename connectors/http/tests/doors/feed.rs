//! Cursors, pages, snapshots and long-polls.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;
use terrasift_schemas::feed::{ChangeKind, ChangesPage};

use crate::house::{Answer, House, Tenant, house, house_in, run};

fn page(answer: &Answer) -> ChangesPage {
    assert_eq!(answer.status, 200, "{}", answer.summary());
    serde_json::from_slice(&answer.body).expect("a page as published")
}

fn names(page: &ChangesPage) -> Vec<String> {
    let sign = |change: &ChangeKind| if *change == ChangeKind::Upsert { '+' } else { '-' };
    let name = |text: &str| text.rsplit('/').next().unwrap_or_default().to_owned();
    page.changes.iter().map(|c| format!("{}{}", sign(&c.change), name(c.entity_ref.as_str()))).collect()
}

/// Reads on until nothing more is there; applies changes as Backstage would.
async fn follow(
    house: &House,
    route: &str,
    mut cursor: Option<String>,
    catalog: &mut BTreeMap<String, Value>,
) -> String {
    for _ in 0..1_000 {
        let at = cursor.as_ref().map_or(String::new(), |cursor| format!("&cursor={cursor}"));
        let page = page(&house.get(&format!("{route}?limit=3{at}")).await);
        for change in page.changes {
            let entity_ref = change.entity_ref.to_string();
            match change.entity {
                Some(entity) => drop(catalog.insert(entity_ref, entity)),
                None => drop(catalog.remove(&entity_ref)),
            }
        }
        if !page.has_more {
            return page.next_cursor;
        }
        cursor = Some(page.next_cursor);
    }
    panic!("the feed never ends");
}

#[test]
fn limits_and_parameters_have_ranges() {
    run(async {
        let house = house("feed-lim").await;
        for (query, expected) in [
            ("limit=1", "200"),
            ("limit=1000", "200"),
            ("limit=0", "400 limit_out_of_range"),
            ("limit=1000000000", "400 limit_out_of_range"),
            ("limit=1001", "400 limit_out_of_range"),
            ("limit=-1", "400 limit_out_of_range"),
            ("limit=many", "400 limit_out_of_range"),
            ("limit=1&limit=2", "400 query_parameter_repeated"),
            ("wait=0", "200"),
            ("wait=61", "400 wait_out_of_range"),
            ("wait=1m", "400 wait_out_of_range"),
            ("kind=Resource", "200"),
            ("kind=a%20b", "400 kind_invalid"),
            ("kinds=Resource", "400 query_parameter_unknown"),
            ("tenant=feed-lim-b", "400 query_parameter_unknown"),
        ] {
            assert_eq!(house.get(&format!("/v1/changes?{query}")).await.summary(), expected, "{query}");
        }
        let unknown = house.get("/v1/changes?toxic=1").await;
        let detail = unknown.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert_eq!(detail, "this route knows the query parameters cursor, limit, wait, kind");
        assert_eq!(house.get("/v1/snapshot?wait=1").await.summary(), "400 query_parameter_unknown");
        assert_eq!(house.get("/v1/workspaces?limit=1").await.summary(), "400 query_parameter_unknown");
    });
}

#[test]
fn only_a_cursor_of_this_tenant_and_filter_goes_on() {
    run(async {
        let house = house("feed-cur").await;
        house.commit(&house.a, 1, &[("Resource", "a"), ("Resource", "b")], &[]).await;
        let good = page(&house.get("/v1/changes?limit=1").await).next_cursor;
        let of_b = page(&house.get_as(&house.b, "/v1/changes").await).next_cursor;
        let of_kind = page(&house.get("/v1/changes?kind=Resource").await).next_cursor;
        let swapped: String = good.chars().rev().collect();
        let cases = [
            ("as given", good.clone(), "200"),
            ("twice", good.clone(), "200"),
            ("of another tenant", of_b, "400 cursor_invalid"),
            ("of another filter", of_kind, "400 cursor_filter_changed"),
            ("empty", String::new(), "400 cursor_invalid"),
            ("a number", "1".into(), "400 cursor_invalid"),
            ("cut", good[..good.len() - 1].into(), "400 cursor_invalid"),
            ("longer", format!("{good}A"), "400 cursor_invalid"),
            ("padded", format!("{good}%3D"), "400 cursor_invalid"),
            ("reversed", swapped, "400 cursor_invalid"),
            ("lower case", good.to_lowercase(), "400 cursor_invalid"),
            ("first changed", format!("B{}", &good[1..]), "400 cursor_invalid"),
            (
                "last changed",
                format!("{}{}", &good[..75], if good.ends_with('A') { 'B' } else { 'A' }),
                "400 cursor_invalid",
            ),
            ("zeros", "A".repeat(76), "400 cursor_invalid"),
            ("standard alphabet", "%2B%2F".repeat(38), "400 cursor_invalid"),
            ("not text", "%ff".repeat(76), "400 cursor_invalid"),
            ("nul", "%00".repeat(76), "400 cursor_invalid"),
            ("sql", "'%20or%201%3D1--".into(), "400 cursor_invalid"),
            ("json", "%7B%22seq%22%3A0%7D".into(), "400 cursor_invalid"),
            ("long", "A".repeat(10_000), "400 cursor_invalid"),
        ];
        for (name, cursor, expected) in cases {
            for route in ["/v1/changes", "/v1/snapshot"] {
                let answer = house.get(&format!("{route}?cursor={cursor}")).await;
                assert_eq!(answer.summary(), expected, "{route}: {name}");
            }
        }
        let kind = house.get(&format!("/v1/changes?kind=Resource&cursor={good}")).await;
        assert_eq!(kind.summary(), "400 cursor_filter_changed");
        let entities = house.get(&format!("/v1/entities?cursor={good}")).await;
        assert_eq!(entities.summary(), "400 cursor_filter_changed");
        let attempts: f64 = house
            .registry
            .gather()
            .iter()
            .filter(|family| family.name() == "terrasift_cross_tenant_attempts_total")
            .flat_map(|family| family.get_metric())
            .map(|metric| metric.get_counter().get_value())
            .sum();
        assert!(
            (attempts - 2.0).abs() < f64::EPSILON,
            "both attempts across tenants are counted: {attempts}"
        );
    });
}

#[test]
fn changes_start_with_what_lives_and_go_on_with_what_happens() {
    run(async {
        let house = house("feed-chg").await;
        assert_eq!(names(&page(&house.get("/v1/changes").await)), [""; 0]);
        house
            .commit(&house.a, 1, &[("Resource", "a"), ("Resource", "b"), ("TerraformWorkspace", "w")], &[])
            .await;
        house.commit(&house.a, 2, &[("Resource", "a")], &["b"]).await;
        let first = page(&house.get("/v1/changes").await);
        let mut seen = names(&first);
        seen.sort();
        assert_eq!(
            (seen, first.has_more),
            (vec!["+a".to_owned(), "+w".into()], false),
            "tombstones of before are left out"
        );
        assert!(first.changes.windows(2).all(|two| two[0].seq < two[1].seq), "in order");
        house.commit(&house.a, 3, &[("Resource", "c")], &["a"]).await;
        let next = page(&house.get(&format!("/v1/changes?cursor={}", first.next_cursor)).await);
        let mut seen = names(&next);
        seen.sort();
        assert_eq!(seen, ["+c", "-a"], "tombstones of after are told");
        let idle = page(&house.get(&format!("/v1/changes?cursor={}", next.next_cursor)).await);
        assert_eq!((names(&idle).len(), idle.has_more, idle.next_cursor), (0, false, next.next_cursor));
        let kind = page(&house.get("/v1/changes?kind=terraformworkspace").await);
        assert_eq!(names(&kind), ["+w"]);
        assert_eq!(
            names(&page(&house.get_as(&house.b, "/v1/changes").await)),
            [""; 0],
            "nothing of another tenant"
        );
    });
}

#[test]
fn a_reader_who_pages_while_others_write_ends_with_the_same_catalog() {
    run(async {
        let house = house("feed-page").await;
        let named: Vec<_> = (0..20).map(|n| format!("r{n}")).collect();
        let all: Vec<_> = named.iter().map(|name| ("Resource", name.as_str())).collect();
        house.commit(&house.a, 1, &all, &[]).await;
        for route in ["/v1/changes", "/v1/snapshot"] {
            let mut catalog = BTreeMap::new();
            let first = page(&house.get(&format!("{route}?limit=7")).await);
            assert!(first.has_more);
            for change in &first.changes {
                catalog.insert(change.entity_ref.to_string(), change.entity.clone().expect("live"));
            }
            let serial = if route == "/v1/changes" { 10 } else { 20 };
            let gone = if serial == 10 { ["r0", "r19"] } else { ["r1", "r18"] };
            house
                .commit(
                    &house.a,
                    serial,
                    &[("Resource", "r2"), ("Resource", "r17"), ("Resource", &format!("new{serial}"))],
                    &gone,
                )
                .await;
            let cursor = follow(&house, route, Some(first.next_cursor), &mut catalog).await;
            follow(&house, "/v1/changes", Some(cursor), &mut catalog).await;
            let mut truth = BTreeMap::new();
            follow(&house, "/v1/changes", None, &mut truth).await;
            assert_eq!(catalog, truth, "{route}");
        }
    });
}

#[test]
fn entities_are_listed_in_pages() {
    run(async {
        let house = house("feed-list").await;
        house
            .commit(&house.a, 1, &[("Resource", "a"), ("Resource", "b"), ("TerraformWorkspace", "w")], &[])
            .await;
        house.commit(&house.a, 2, &[], &["a"]).await;
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let body = house.get(&format!("/v1/entities?limit=1{cursor}")).await.json();
            for entity in body["entities"].as_array().expect("entities") {
                seen.push(entity["metadata"]["name"].as_str().unwrap_or_default().to_owned());
            }
            let Some(next) = body["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        seen.sort();
        assert_eq!(seen, ["b", "w"], "only what lives");
        let kind = house.get("/v1/entities?kind=Resource").await.json();
        assert_eq!(kind["entities"].as_array().map(Vec::len), Some(1));
    });
}

#[test]
fn an_unchanged_page_is_not_sent_again() {
    run(async {
        let house = house("feed-tag").await;
        house.commit(&house.a, 1, &[("Resource", "a")], &[]).await;
        for uri in ["/v1/changes", "/v1/snapshot", "/v1/entities", "/v1/workspaces"] {
            let first = house.get(uri).await;
            assert_eq!(first.header("vary"), "Authorization");
            assert_eq!(first.header("cache-control"), "private, no-cache");
            let tag = first.header("etag").to_owned();
            assert!(tag.starts_with('"') && tag.len() == 34, "a strong tag");
            let again = house.get_with(&house.a.key, uri, &[("if-none-match", &tag)]).await;
            assert_eq!(
                (again.status.as_u16(), again.body.len(), again.header("etag")),
                (304, 0, tag.as_str()),
                "{uri}"
            );
            let other = house.get_with(&house.a.key, uri, &[("if-none-match", "\"other\"")]).await;
            assert_eq!((other.status.as_u16(), other.body), (200, first.body), "{uri}");
        }
        let tag = house.get("/v1/changes").await.header("etag").to_owned();
        house.commit(&house.a, 2, &[("Resource", "a")], &[]).await;
        let changed = house.get_with(&house.a.key, "/v1/changes", &[("if-none-match", &tag)]).await;
        assert_eq!(changed.status, 200);
    });
}

async fn wait_from(house: &House, tenant: &Tenant, seconds: u64, kind: &str) -> (Answer, Duration) {
    let cursor = page(&house.get_as(tenant, &format!("/v1/changes?{kind}")).await).next_cursor;
    let started = Instant::now();
    let uri = format!("/v1/changes?{kind}&wait={seconds}&cursor={cursor}");
    (house.get_as(tenant, &uri).await, started.elapsed())
}

#[test]
fn a_long_poll_answers_when_something_happens_and_at_its_end() {
    run(async {
        let house = house("feed-wait").await;
        house.commit(&house.a, 1, &[("Resource", "a")], &[]).await;
        let (empty, took) = wait_from(&house, &house.a, 1, "").await;
        assert_eq!(names(&page(&empty)).len(), 0);
        assert!((900..10_000).contains(&took.as_millis()), "waited its second: {took:?}");
        let waiting = wait_from(&house, &house.a, 30, "");
        let writing = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            house.commit(&house.a, 2, &[("Resource", "b")], &[]).await;
        };
        let ((answer, took), ()) = tokio::join!(waiting, writing);
        assert_eq!(names(&page(&answer)), ["+b"]);
        assert!(took < Duration::from_secs(10), "woke early: {took:?}");
        let waiting = wait_from(&house, &house.a, 3, "kind=TerraformWorkspace");
        let writing = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            house.commit(&house.a, 3, &[("Resource", "c")], &[]).await;
        };
        let ((answer, took), ()) = tokio::join!(waiting, writing);
        assert_eq!(names(&page(&answer)).len(), 0, "another kind does not end the wait");
        assert!(took >= Duration::from_millis(2_900), "{took:?}");
        let (answer, took) = wait_from(&house, &house.b, 1, "").await;
        assert_eq!(names(&page(&answer)).len(), 0);
        assert!(took >= Duration::from_millis(900), "nothing of another tenant wakes: {took:?}");
    });
}

#[test]
fn a_cursor_from_before_the_database_was_restored_has_expired() {
    run(async {
        let before = house_in("feed-old", "feed_before").await;
        before.commit(&before.a, 1, &[("Resource", "a")], &[]).await;
        let cursor = page(&before.get("/v1/changes").await).next_cursor;
        assert_eq!(before.get(&format!("/v1/changes?cursor={cursor}")).await.status, 200);
        let after = house_in("feed-old", "feed_after").await;
        for route in ["/v1/changes", "/v1/snapshot"] {
            let answer = after.get(&format!("{route}?cursor={cursor}")).await;
            assert_eq!(answer.summary(), "410 cursor_expired", "{route}");
        }
        assert_eq!(after.get("/v1/changes").await.status, 200, "starting again works");
    });
}
