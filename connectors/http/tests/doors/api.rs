//! Keys, scopes, look-ups, operations, and what every answer carries.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::json;
use terrasift_http::{HttpConfig, Rate, mint_api_key};
use time::OffsetDateTime;

use crate::house::{add_key, house, house_with, run};

const ROUTES: &[&str] = &[
    "/v1/changes",
    "/v1/snapshot",
    "/v1/entities",
    "/v1/entities/by-ref/resource/ns/name",
    "/v1/changes/stream",
    "/v1/resources",
    "/v1/resource-types",
    "/v1/workspaces",
    "/v1/workspaces/ws-A",
    "/v1/status",
    "/v1/runs",
    "/v1/usage",
    "/v1/security-audit",
    "/v1/dead-letters",
    "/v1/dead-letters/1",
    "/v1/audit",
    "/v1/audit/1",
];

#[test]
fn no_route_opens_without_a_valid_key() {
    run(async {
        let house = house("api-auth").await;
        let good = house.a.key.clone();
        let unknown = mint_api_key([250; 24]).expose().to_owned();
        let expired = mint_api_key([251; 24]).expose().to_owned();
        let yesterday = OffsetDateTime::now_utc() - Duration::from_secs(86_400);
        add_key(&house.store, &house.a.id, &expired, &["catalog:read"], Some(yesterday)).await;
        let mut typo = good.clone();
        typo.replace_range(10..11, if &good[10..11] == "0" { "1" } else { "0" });
        let headers = [
            ("none", None),
            ("empty", Some(String::new())),
            ("scheme alone", Some("Bearer".into())),
            ("basic", Some(format!("Basic {good}"))),
            ("no scheme", Some(good.clone())),
            ("two spaces", Some(format!("Bearer  {good}"))),
            ("typo", Some(format!("Bearer {typo}"))),
            ("unknown key", Some(format!("Bearer {unknown}"))),
            ("expired key", Some(format!("Bearer {expired}"))),
            ("tenant id", Some(format!("Bearer {}", house.a.id))),
            ("very long", Some(format!("Bearer tsk_{}", "a".repeat(8_000)))),
        ];
        let mut refusals: Vec<Vec<u8>> = Vec::new();
        for route in ROUTES {
            for (name, header) in &headers {
                let mut request = Request::get(*route);
                if let Some(header) = header {
                    request = request.header("authorization", header);
                }
                let answer = house.send(request.body(Body::empty()).unwrap()).await;
                assert_eq!(answer.summary(), "401 unauthorized", "{route}: {name}");
                assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"terrasift\"", "{name}");
                refusals.push(answer.body);
            }
        }
        assert!(refusals.windows(2).all(|two| two[0] == two[1]), "refusals tell nothing apart");
        assert_eq!(house.get_with(&good, "/v1/changes", &[]).await.status, 200);
    });
}

#[test]
fn a_key_without_the_scope_is_known_and_refused() {
    run(async {
        let house = house("api-scope").await;
        for (at, scopes) in
            [&[][..], &["config:write"], &["catalog:readx", "CATALOG:READ"]].iter().enumerate()
        {
            let key = mint_api_key([100 + u8::try_from(at).unwrap(); 24]).expose().to_owned();
            add_key(&house.store, &house.a.id, &key, scopes, None).await;
            assert_eq!(house.get_with(&key, "/v1/workspaces", &[]).await.summary(), "403 scope_missing");
        }
        let later = OffsetDateTime::now_utc() + Duration::from_secs(60);
        let key = mint_api_key([110; 24]).expose().to_owned();
        add_key(&house.store, &house.a.id, &key, &["config:write", "catalog:read"], Some(later)).await;
        assert_eq!(house.get_with(&key, "/v1/workspaces", &[]).await.status, 200);
    });
}

#[test]
fn a_tenant_above_its_api_rate_is_told_when_to_return() {
    run(async {
        let rate = Rate { capacity: 2, window: Duration::from_secs(3_600) };
        let house =
            house_with("api-rate", HttpConfig { api_rate: rate, ..HttpConfig::default() }, None).await;
        assert_eq!(house.get("/v1/workspaces").await.status, 200);
        assert_eq!(house.get("/v1/workspaces").await.status, 200);
        let refused = house.get("/v1/workspaces").await;
        assert_eq!((refused.summary().as_str(), refused.header("retry-after")), ("429 rate_limited", "1800"));
        assert_eq!(
            house.get_as(&house.b, "/v1/workspaces").await.status,
            200,
            "the neighbour is not held back"
        );
    });
}

#[test]
fn entities_are_found_by_reference_in_any_case_within_the_tenant() {
    run(async {
        let house = house("api-ref").await;
        house.commit(&house.a, 1, &[("Resource", "db.main"), ("TerraformWorkspace", "net")], &[]).await;
        let base = "/v1/entities/by-ref";
        let slug = house.a.slug.clone();
        let found = house.get(&format!("{base}/resource/{slug}/db.main")).await;
        assert_eq!(found.status, 200);
        assert_eq!(found.json()["metadata"]["name"], "db.main");
        assert_eq!(found.header("cache-control"), "private, no-cache");
        assert_eq!(found.header("vary"), "Authorization");
        let tag = found.header("etag").to_owned();
        let shouted = house.get(&format!("{base}/RESOURCE/{}/DB.Main", slug.to_uppercase())).await;
        assert_eq!((shouted.status.as_u16(), shouted.body), (200, found.body), "case does not matter");
        let again = house
            .get_with(&house.a.key, &format!("{base}/resource/{slug}/db.main"), &[("if-none-match", &tag)])
            .await;
        assert_eq!((again.status.as_u16(), again.body.len(), again.header("etag")), (304, 0, tag.as_str()));
        for path in [
            format!("resource/{slug}/other"),
            format!("terraformworkspace/{slug}/db.main"),
            format!("resource/{}/db.main", house.b.slug),
            format!("resource/{slug}/db%2Fmain"),
            format!("resource/{slug}/%00"),
            format!("resource/{slug}/%ff"),
            format!("re:source/{slug}/db.main"),
            format!("resource/{slug}/{}", "x".repeat(5_000)),
            format!("resource/{slug}/db.main'--"),
        ] {
            assert_eq!(
                house.get(&format!("{base}/{path}")).await.summary(),
                "404 entity_not_found",
                "{path}"
            );
        }
        let foreign = house.get_as(&house.b, &format!("{base}/resource/{slug}/db.main")).await;
        assert_eq!(foreign.summary(), "404 entity_not_found", "another tenant's entity does not exist");
        let odd = house.get(&format!("{base}/resource/{slug}/db.main?x=1")).await;
        assert_eq!(odd.summary(), "400 query_parameter_unknown");
        house.commit(&house.a, 2, &[("Resource", "db.main")], &[]).await;
        let newer = house
            .get_with(&house.a.key, &format!("{base}/resource/{slug}/db.main"), &[("if-none-match", &tag)])
            .await;
        assert_eq!(newer.status, 200, "a change has another tag");
        house.commit(&house.a, 3, &[], &["db.main"]).await;
        assert_eq!(house.get(&format!("{base}/resource/{slug}/db.main")).await.status, 404, "gone");
    });
}

#[test]
fn workspaces_show_ids_codes_and_times() {
    run(async {
        let house = house("api-status").await;
        house.commit(&house.a, 7, &[("Resource", "x")], &[]).await;
        let statuses = house.get("/v1/workspaces").await.json();
        let status = &statuses["workspaces"][0];
        assert_eq!(
            (&status["workspace"], &status["serial"], &status["stale"]),
            (&json!("ws-A"), &json!(7), &json!(false))
        );
        let synced_at = status["synced_at"].as_str().expect("a time");
        assert!(OffsetDateTime::parse(synced_at, &time::format_description::well_known::Rfc3339).is_ok());
        assert_eq!(house.get_as(&house.b, "/v1/workspaces").await.json(), json!({"workspaces": []}));
    });
}

#[test]
fn every_answer_is_a_problem_or_an_answer_and_carries_its_headers() {
    run(async {
        let house = house("api-head").await;
        let cases = [
            (Method::GET, "/", "404 route_not_found"),
            (Method::GET, "/v1", "404 route_not_found"),
            (Method::GET, "/v1/changes/", "404 route_not_found"),
            (Method::GET, "//v1/changes", "404 route_not_found"),
            (Method::GET, "/v1/../v1/changes", "404 route_not_found"),
            (Method::POST, "/v1/nothing", "404 route_not_found"),
            (Method::DELETE, "/healthz", "405 method_not_allowed"),
            (Method::POST, "/v1/changes", "405 method_not_allowed"),
            (Method::GET, "/v1/webhooks/terraform-cloud/x", "405 method_not_allowed"),
            (Method::GET, "/healthz", "200"),
            (Method::HEAD, "/healthz", "200"),
            (Method::GET, "/metrics", "200"),
        ];
        for (method, uri, expected) in cases {
            let request = Request::builder().method(method.clone()).uri(uri).body(Body::empty()).unwrap();
            let answer = house.send(request).await;
            assert_eq!(answer.summary(), expected, "{method} {uri}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{method} {uri}");
            assert_eq!(answer.status == 405, !answer.header("allow").is_empty(), "{method} {uri}");
            if answer.status.is_client_error() {
                assert_eq!(answer.header("content-type"), "application/problem+json", "{method} {uri}");
                assert_eq!(answer.json()["status"], answer.status.as_u16(), "{method} {uri}");
            }
        }
        let head = Request::head("/v1/changes").header("authorization", format!("Bearer {}", house.a.key));
        let head = house.send(head.body(Body::empty()).unwrap()).await;
        let get = house.get("/v1/changes").await;
        assert_eq!(
            (head.status.as_u16(), head.body.len(), head.header("etag")),
            (200, 0, get.header("etag"))
        );
        let large =
            Request::get("/v1/changes").header("content-length", "65537").body(Body::empty()).unwrap();
        assert_eq!(house.send(large).await.summary(), "413 body_too_large");
    });
}

#[test]
fn readiness_names_what_is_missing() {
    run(async {
        let house = house("api-ready").await;
        let probe = || Request::get("/readyz").body(Body::empty()).unwrap();
        let missing = house.send(probe()).await;
        assert_eq!(missing.summary(), "503 not_ready");
        assert_eq!(missing.json()["reasons"], json!(["consumer_unassigned"]));
        house.readiness.set("consumer_unassigned", true);
        assert_eq!(house.send(probe()).await.json(), json!({"status": "ready"}));
    });
}

#[test]
fn metrics_count_by_route_and_tenant_and_hold_nothing_a_client_chose() {
    run(async {
        let house = house("api-metric").await;
        house.get("/v1/changes?limit=toxic-limit").await;
        house.get("/v1/workspaces").await;
        house.get("/toxic-path?toxic-query").await;
        house.post("toxic-slug", "toxic-body", Some("toxic-signature")).await;
        let text = house.send(Request::get("/metrics").body(Body::empty()).unwrap()).await;
        let text = String::from_utf8(text.body).expect("text");
        for line in [
            r#"terrasift_http_requests_total{code="limit_out_of_range",route="/v1/changes",status="400"} 1"#,
            r#"terrasift_http_requests_total{code="",route="/v1/workspaces",status="200"} 1"#,
            r#"terrasift_http_requests_total{code="route_not_found",route="unmatched",status="404"} 1"#,
            r#"terrasift_http_tenant_requests_total{class="refused",tenant="api-metric-a"} 1"#,
            r#"terrasift_webhook_deliveries_total{outcome="unauthorized",tenant="none"} 1"#,
            r#"terrasift_http_request_seconds_count{route="/v1/workspaces"} 1"#,
            "terrasift_http_requests_in_flight 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        assert!(!text.contains("toxic"), "{text}");
        assert!(house.registry.gather().len() >= 5);
    });
}
