//! The API over its cache: the same answers as without, none older than a commit, none of another tenant, and none for whom it is not.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use terrasift_http::{CATALOG_READ, Cache, Doors, HttpConfig, Routes, mint_api_key, router};
use terrasift_redis::{CACHE_WAIT_MAX, CacheStore, PrivateRedis, RedisCache, RedisCacheConfig, Ttls};
use terrasift_schemas::detection::Report;

use crate::house::{Answer, House, add_key, answer_of, house, memory_cache, rendered, run};
use crate::press::press;

/// What is read through the cache, of tenant a.
fn routes(house: &House) -> [String; 4] {
    [
        format!("/v1/entities/by-ref/resource/{}/web", house.a.slug),
        "/v1/resource-types".to_owned(),
        "/v1/workspaces".to_owned(),
        "/v1/workspaces/ws-A".to_owned(),
    ]
}

fn redis_cache(address: String) -> Cache {
    let config =
        RedisCacheConfig { address, prefix: "doors".to_owned(), answer_wait_max: CACHE_WAIT_MAX * 100 };
    let store: Arc<dyn CacheStore> = Arc::new(RedisCache::new(config).expect("address"));
    Cache { store, key: [3; 32], ttls: Ttls::default() }
}

/// Another replica over the same catalog.
struct Replica {
    router: Router,
    registry: prometheus::Registry,
}

impl Replica {
    fn of(house: &House, cache: Option<Cache>) -> Self {
        let registry = prometheus::Registry::new();
        let doors = Doors { cache, ..house.doors(registry.clone()) };
        let router =
            router(doors, Routes { api: true, webhook: true }, &HttpConfig::default()).expect("router");
        Self { router, registry }
    }

    async fn get(&self, bearer: &str, path: &str) -> Answer {
        let request = Request::get(path).header("authorization", format!("Bearer {bearer}"));
        answer_of(&self.router, request.body(Body::empty()).expect("request")).await
    }

    /// Questions to the database.
    fn questions(&self) -> f64 {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name() == "terrasift_database_seconds");
        let metrics = family.into_iter().flat_map(|family| family.get_metric());
        let counts = metrics.map(|metric| metric.get_histogram().get_sample_count());
        f64::from(u32::try_from(counts.sum::<u64>()).expect("few"))
    }

    /// How often the cache did this.
    fn count(&self, outcome: &str) -> f64 {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name() == "terrasift_cache_reads_total");
        let metrics = family.into_iter().flat_map(|family| family.get_metric());
        let of = |metric: &&prometheus::proto::Metric| {
            metric.get_label().iter().any(|label| label.value() == outcome)
        };
        metrics.filter(of).map(|metric| metric.get_counter().get_value()).sum()
    }
}

#[test]
fn answers_are_those_of_the_catalog_and_never_older_than_a_commit() {
    run(async {
        let redis = PrivateRedis::start(&[]).await.expect("redis");
        let house = house("cached-same").await;
        let plain = Replica::of(&house, None);
        let replicas = [
            Replica::of(&house, Some(redis_cache(redis.address()))),
            Replica::of(&house, Some(redis_cache(redis.address()))),
            Replica::of(&house, Some(memory_cache())),
        ];
        let token = press().token(&house.a, &[CATALOG_READ.name()], json!({}));
        for serial in 1..=5 {
            let name = format!("n{serial}");
            house.commit(&house.a, serial, &[("Resource", "web"), ("Resource", &name)], &[]).await;
            for path in routes(&house) {
                let expected = plain.get(&house.a.key, &path).await;
                assert_eq!(expected.status, 200, "{path}");
                // Twice of each: from the catalog, and from the cache.
                for replica in replicas.iter().chain(&replicas) {
                    for bearer in [&house.a.key, &token] {
                        let answer = replica.get(bearer, &path).await;
                        assert_eq!(answer.body, expected.body, "{path} after commit {serial}");
                        assert_eq!(answer.header("etag"), expected.header("etag"), "{path}");
                    }
                }
            }
        }
        for replica in &replicas {
            assert!(replica.count("hit") >= 40.0, "{} hits", replica.count("hit"));
            assert_eq!(replica.count("refused") + replica.count("error"), 0.0);
        }
        assert_eq!(plain.count("hit") + plain.count("miss"), 0.0, "it has no cache");
        house.commit(&house.a, 6, &[], &["web"]).await;
        let gone = replicas[0].get(&house.a.key, &routes(&house)[0]).await;
        assert_eq!(gone.summary(), "404 entity_not_found", "a removal is no answer of before");
    });
}

#[test]
fn a_warm_cache_opens_nothing() {
    run(async {
        let house = house("cached-shut").await;
        let replica = Replica::of(&house, Some(memory_cache()));
        let key = mint_api_key([27; 24]).expose().to_owned();
        let id = add_key(&house.store, &house.a.id, &key, &[CATALOG_READ.name()], None).await;
        let narrow = mint_api_key([28; 24]).expose().to_owned();
        add_key(&house.store, &house.a.id, &narrow, &["catalog:read@elsewhere"], None).await;
        house.commit(&house.a, 1, &[("Resource", "web")], &[]).await;
        house.commit(&house.b, 1, &[("Resource", "only-b")], &[]).await;
        let [by_ref, ..] = routes(&house);
        for path in routes(&house).iter().chain(&routes(&house)) {
            assert_eq!(replica.get(&key, path).await.summary(), "200", "{path}");
        }
        assert!(replica.count("hit") >= 4.0);
        assert_eq!(
            replica.get(&narrow, &by_ref).await.summary(),
            "404 entity_not_found",
            "not its namespace"
        );
        assert_eq!(
            replica.get(&house.b.key, &by_ref).await.summary(),
            "404 entity_not_found",
            "not its tenant"
        );
        let others = replica.get(&house.b.key, "/v1/workspaces/ws-A").await.json();
        let own = replica.get(&key, "/v1/workspaces/ws-A").await.json();
        assert_ne!(others["synced_at"], own["synced_at"], "a workspace of the same id is another one");
        house.store.revoke_api_key(&house.a.id, id).await.unwrap();
        for path in routes(&house) {
            assert_eq!(replica.get(&key, &path).await.summary(), "401 unauthorized", "{path}");
        }
    });
}

#[test]
fn a_redis_that_is_killed_changes_no_answer() {
    run(async {
        let mut redis = PrivateRedis::start(&[]).await.expect("redis");
        let house = house("cached-killed").await;
        let replica = Replica::of(&house, Some(redis_cache(redis.address())));
        house.commit(&house.a, 1, &[("Resource", "web")], &[]).await;
        let mut before = Vec::new();
        for path in routes(&house) {
            before.push(replica.get(&house.a.key, &path).await.body);
        }
        redis.kill();
        for (path, before) in routes(&house).iter().zip(before) {
            let answer = replica.get(&house.a.key, path).await;
            assert_eq!((answer.status.as_u16(), answer.body), (200, before), "{path}");
        }
        assert!(replica.count("error") >= 1.0);
        assert!(replica.count("skipped") >= 1.0, "it is not asked again and again");
    });
}

/// Redis holds no name, and no value but what the API shows to its tenant.
#[test]
fn redis_holds_what_the_api_shows_and_no_name() {
    run(async {
        let redis = PrivateRedis::start(&[]).await.expect("redis");
        let house = house("cached-names").await;
        let replica = Replica::of(&house, Some(redis_cache(redis.address())));
        house.commit(&house.a, 1, &[("Resource", "web")], &[]).await;
        for path in routes(&house) {
            replica.get(&house.a.key, &path).await;
        }
        let client = redis::Client::open(redis.address()).expect("address");
        let mut connection = client.get_multiplexed_async_connection().await.expect("connects");
        let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.expect("keys");
        assert_eq!(keys.len(), routes(&house).len());
        assert!(keys.iter().all(|key| !key.contains(house.a.id.as_str()) && !key.contains("web")));
    });
}

/// Workspaces of the catalog below, of 20 entities each.
const WORKSPACES: usize = 40;

/// Who reads what was read before costs the database the look-up of a key; times are printed for who is curious (`--nocapture`).
#[test]
#[allow(clippy::print_stdout, reason = "figures for a person")]
fn a_hit_asks_the_database_for_the_key_alone() {
    run(async {
        let redis = PrivateRedis::start(&[]).await.expect("redis");
        let house = house("cached-measure").await;
        for workspace in 0..WORKSPACES {
            let things = (0..20).map(|n| {
                let (name, pad) = (format!("w{workspace}-{n}"), "x".repeat(800));
                let body = json!({"kind": "Resource", "metadata": {"name": name}, "spec": {"pad": pad}});
                rendered(&house.a, "Resource", &name, Some("aws_instance"), body.to_string())
            });
            let id = format!("ws-{workspace}");
            let things = things.collect();
            house.commit_rendered(&house.a, &id, 1, things, Vec::new(), Report::default()).await;
        }
        let replicas = [
            ("no cache", Replica::of(&house, None), 2.0),
            ("memory", Replica::of(&house, Some(memory_cache())), 1.0),
            ("redis", Replica::of(&house, Some(redis_cache(redis.address()))), 1.0),
        ];
        let by_ref = format!("/v1/entities/by-ref/resource/{}/w7-7", house.a.slug);
        for path in [by_ref.as_str(), "/v1/workspaces/ws-7", "/v1/workspaces", "/v1/resource-types"] {
            for (name, replica, questions) in &replicas {
                replica.get(&house.a.key, path).await;
                let before = replica.questions();
                let mut took = Vec::new();
                for _ in 0..100 {
                    let begun = Instant::now();
                    assert_eq!(replica.get(&house.a.key, path).await.status, 200);
                    took.push(begun.elapsed());
                }
                took.sort();
                println!("{path} {name}: p50 {:?}, p95 {:?}", took[50], took[95]);
                assert_eq!((replica.questions() - before) / 100.0, *questions, "{path} {name}");
            }
        }
    });
}
