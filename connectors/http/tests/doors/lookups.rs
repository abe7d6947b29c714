//! Look-ups: entities by filter, the inventory, runs, status, usage, the tenant's own audit, the stream, the document.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use terrasift_http::{HttpConfig, Rate};
use terrasift_schemas::Sanitized;
use terrasift_schemas::catalog::RenderedEntity;
use terrasift_schemas::config::Prices;
use terrasift_schemas::detection::{Category, Report};
use tower::ServiceExt as _;

use crate::house::{Answer, House, Tenant, add_key, house, house_with, rendered, run};

/// A resource at an address, as the engine renders one.
fn resource(
    tenant: &Tenant,
    name: &str,
    rtype: &str,
    address: &str,
    owner: &str,
) -> Sanitized<RenderedEntity> {
    let body = json!({
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Resource",
        "metadata": {
            "name": name,
            "namespace": tenant.slug,
            "description": "\"owner\":\"group:default/liar\"",
            "annotations": {
                "terraform.io/resource-address": address,
                "terraform.io/resource-type": rtype,
                "terraform.io/workspace-id": "ws-A",
                "note": "a \"quoted\" = b",
            },
            "labels": {"terrasift.io/provider": "aws"},
        },
        "spec": {"dependsOn": [], "owner": owner, "type": "thing"},
    });
    rendered(tenant, "Resource", name, Some(rtype), body.to_string())
}

async fn furnished(name: &str) -> House {
    let house = house(name).await;
    furnish(&house).await;
    house
}

/// Gives both tenants the same resources.
pub async fn furnish(house: &House) {
    for (serial, tenant) in [(1, &house.a), (2, &house.b)] {
        let things = vec![
            resource(tenant, "web-1", "aws_instance", "aws_instance.web[0]", "group:default/web"),
            resource(
                tenant,
                "web-2",
                "aws_instance",
                r#"module.net["a.b"].aws_instance.web"#,
                "group:default/web",
            ),
            resource(
                tenant,
                "worker",
                "aws_sqs_queue",
                "module.net.module.sub.aws_sqs_queue.q",
                "group:default/jobs",
            ),
            resource(tenant, "x_1", "aws_instance", "module.network.aws_instance.x", "group:default/web2"),
        ];
        house.commit_rendered(tenant, "ws-A", serial, things, Vec::new(), Report::default()).await;
    }
}

fn names(answer: &Answer, list: &str) -> Vec<String> {
    let json = answer.json();
    let entries = json[list].as_array().cloned().unwrap_or_default();
    let name = |entry: &Value| {
        let text = entry["metadata"]["name"].as_str().or(entry["entity_ref"].as_str()).unwrap_or_default();
        text.rsplit('/').next().unwrap_or_default().to_owned()
    };
    entries.iter().map(name).collect()
}

#[test]
fn entities_are_found_by_every_filter_and_by_all_of_them_together() {
    run(async {
        let house = furnished("lookup-filters").await;
        let slug = house.a.slug.clone();
        house.commit(&house.a, 3, &[("TerraformWorkspace", "web-0")], &[]).await;
        let all = ["web-1", "web-2", "worker", "x_1", "web-0"];
        for (query, expected) in [
            (String::new(), &all[..]),
            ("kind=resource".into(), &all[..4]),
            ("kind=terraformworkspace&prefix=web".into(), &["web-0"]),
            ("prefix=web".into(), &["web-1", "web-2", "web-0"]),
            ("prefix=WEB-".into(), &["web-1", "web-2", "web-0"]),
            ("prefix=w&kind=Resource".into(), &["web-1", "web-2", "worker"]),
            ("prefix=x_".into(), &["x_1"]),
            ("prefix=x.".into(), &[]),
            ("prefix=zzz".into(), &[]),
            ("name=web-1".into(), &["web-1"]),
            ("name=Web-1".into(), &["web-1"]),
            ("name=web".into(), &[]),
            ("name=web-1&prefix=web".into(), &["web-1"]),
            ("name=web-1&prefix=wo".into(), &[]),
            (format!("namespace={slug}"), &all[..]),
            (format!("namespace={slug}&name=worker"), &["worker"]),
            (format!("namespace={}", house.b.slug), &[]),
            ("owner=group:default/web".into(), &["web-1", "web-2"]),
            ("owner=group:default".into(), &[]),
            ("owner=group:default/liar".into(), &[]),
            ("annotation=note".into(), &all[..4]),
            ("annotation=note%3Da%20%22quoted%22%20%3D%20b".into(), &all[..4]),
            ("annotation=note%3Da".into(), &[]),
            ("annotation=terraform.io/resource-type%3Daws_sqs_queue".into(), &["worker"]),
            ("annotation=owner".into(), &[]),
            ("workspace=ws-A&prefix=wo".into(), &["worker"]),
            ("workspace=ws-B".into(), &[]),
        ] {
            let answer = house.get(&format!("/v1/entities?{query}")).await;
            assert_eq!(
                (answer.status.as_u16(), names(&answer, "entities")),
                (200, expected.iter().map(|n| (*n).to_owned()).collect()),
                "{query}"
            );
        }
    });
}

#[test]
fn a_filtered_list_comes_in_pages_whose_cursors_are_its_own() {
    run(async {
        let house = furnished("lookup-pages").await;
        let (mut seen, mut uri) = (Vec::new(), "/v1/entities?prefix=w&limit=1".to_owned());
        let mut cursors = Vec::new();
        loop {
            let answer = house.get(&uri).await;
            assert_eq!(answer.status, 200);
            seen.extend(names(&answer, "entities"));
            let Some(next) = answer.json()["next_cursor"].as_str().map(str::to_owned) else { break };
            uri = format!("/v1/entities?prefix=w&limit=1&cursor={next}");
            cursors.push(next);
        }
        assert_eq!(seen, ["web-1", "web-2", "worker"]);
        for (query, expected) in [
            ("prefix=we", "400 cursor_filter_changed"),
            ("limit=5", "400 cursor_filter_changed"),
            ("prefix=w&kind=Resource", "400 cursor_filter_changed"),
        ] {
            let answer = house.get(&format!("/v1/entities?{query}&cursor={}", cursors[0])).await;
            assert_eq!(answer.summary(), expected, "{query}");
        }
        let answer = house.get(&format!("/v1/resources?cursor={}", cursors[0])).await;
        assert_eq!(answer.summary(), "400 cursor_filter_changed");
        let answer = house.get_as(&house.b, &format!("/v1/entities?prefix=w&cursor={}", cursors[0])).await;
        assert_eq!(answer.summary(), "400 cursor_invalid", "another tenant's");
    });
}

#[test]
fn the_inventory_tells_module_type_and_owner_of_each_resource() {
    run(async {
        let house = furnished("lookup-inventory").await;
        house.commit(&house.a, 3, &[("TerraformWorkspace", "w")], &[]).await;
        for (query, expected) in [
            ("", &["web-1", "web-2", "worker", "x_1"][..]),
            ("type=aws_sqs_queue", &["worker"]),
            ("module=module.net", &["web-2", "worker"]),
            ("module=module.net.module.sub", &["worker"]),
            ("module=module.network", &["x_1"]),
            ("module=aws", &[]),
            ("prefix=web&type=aws_instance", &["web-1", "web-2"]),
            ("workspace=ws-Z", &[]),
        ] {
            let answer = house.get(&format!("/v1/resources?{query}")).await;
            assert_eq!(names(&answer, "resources"), expected, "{query}");
        }
        let worker = house.get("/v1/resources?prefix=worker").await.json()["resources"][0].clone();
        let expected = json!({
            "entity_ref": format!("resource:{}/worker", house.a.slug),
            "address": "module.net.module.sub.aws_sqs_queue.q", "module": "module.net.module.sub",
            "type": "aws_sqs_queue", "provider": "aws", "owner": "group:default/jobs", "workspace": "ws-A",
        });
        assert_eq!(worker, expected);
        let types = house.get("/v1/resource-types").await.json();
        let expected = json!({"resource_types": [
            {"type": "aws_instance", "resources": 3, "workspaces": 1},
            {"type": "aws_sqs_queue", "resources": 1, "workspaces": 1},
        ]});
        assert_eq!(types, expected);
    });
}

#[test]
fn runs_come_newest_first_and_page_by_page() {
    run(async {
        let house = house("lookup-runs").await;
        for serial in 1..=5 {
            let workspace = if serial == 3 { "ws-B" } else { "ws-A" };
            house
                .commit_rendered(&house.a, workspace, serial, Vec::new(), Vec::new(), Report::default())
                .await;
        }
        let (mut seen, mut uri) = (Vec::new(), "/v1/runs?limit=2".to_owned());
        loop {
            let json = house.get(&uri).await.json();
            let runs = json["runs"].as_array().unwrap().iter();
            seen.extend(runs.map(|run| run["run"].as_str().unwrap().to_owned()));
            let Some(next) = json["next_cursor"].as_str() else { break };
            uri = format!("/v1/runs?limit=2&cursor={next}");
        }
        assert_eq!(seen, ["run-5", "run-4", "run-3", "run-2", "run-1"]);
        let one = house.get("/v1/runs?workspace=ws-B").await.json();
        assert_eq!(
            (one["runs"][0]["run"].as_str(), one["runs"].as_array().map(Vec::len)),
            (Some("run-3"), Some(1))
        );
        assert_eq!(house.get_as(&house.b, "/v1/runs").await.json(), json!({"runs": []}));
        assert_eq!(house.get("/v1/runs?workspace=nothing").await.summary(), "400 filter_invalid");
    });
}

#[test]
fn status_and_workspaces_tell_how_the_syncing_stands() {
    run(async {
        let house = furnished("lookup-status").await;
        let status = house.get("/v1/status").await.json();
        assert_eq!(
            (status["slug"].as_str(), status["workspaces"].as_i64()),
            (Some(house.a.slug.as_str()), Some(1))
        );
        assert_eq!(
            (status["stale_workspaces"].as_i64(), status["open_dead_letters"].as_i64()),
            (Some(0), Some(0))
        );
        assert_eq!((status["head"].as_i64(), status["waiting_workspaces"].as_i64()), (Some(4), Some(0)));
        let one = house.get("/v1/workspaces/ws-A").await;
        assert_eq!((one.status.as_u16(), one.json()["serial"].as_i64()), (200, Some(1)));
        for unknown in ["ws-Z", "nothing", "ws-a%2Fb"] {
            let answer = house.get(&format!("/v1/workspaces/{unknown}")).await;
            assert_eq!(answer.summary(), "404 workspace_not_found", "{unknown}");
        }
    });
}

#[test]
fn usage_counts_states_and_what_they_cost() {
    run(async {
        let prices = Prices {
            currency: "EUR".to_owned(),
            per_state: 0.5,
            per_gigabyte: 0.0,
            per_workspace_month: 2.0,
        };
        let house =
            house_with("lookup-usage", HttpConfig { prices: Some(prices), ..HttpConfig::default() }, None)
                .await;
        for tenant in [&house.a, &house.b] {
            add_key(&house.store, &tenant.id, &tenant_key(tenant), &["usage:read"], None).await;
        }
        let mut report = Report::default();
        report.counts.insert(Category::Pii, 3);
        house.commit_found(&house.a, 1, &[("Resource", "r")], &[], report.clone()).await;
        house.commit_found(&house.a, 2, &[("Resource", "s")], &[], report).await;
        house.store.count_upstream_requests(&house.a.id, 7).await.unwrap();
        let usage = house.get_with(&tenant_key(&house.a), "/v1/usage", &[]).await.json();
        let budget = &usage["budget"];
        // An hour may have turned.
        assert_eq!(budget["this_hour"].as_i64().unwrap() + budget["last_hour"].as_i64().unwrap(), 7);
        assert_eq!(
            (budget["fullest_hour"].as_i64(), budget["requests_per_second_max"].as_f64()),
            (Some(7), Some(5.0))
        );
        assert_eq!((usage["workspaces"].as_i64(), usage["entities"].as_i64()), (Some(1), Some(2)));
        let days = usage["days"].as_array().unwrap();
        let sum = |name: &str| days.iter().map(|day| day[name].as_i64().unwrap()).sum::<i64>();
        assert_eq!((sum("states"), sum("bytes"), sum("pii"), sum("credential")), (2, 200, 6, 0));
        let expected =
            json!({"currency": "EUR", "states": 1.0, "bytes": 0.0, "workspaces": 2.0, "total": 3.0});
        assert_eq!(usage["cost"], expected);
        let other = house.get_with(&tenant_key(&house.b), "/v1/usage", &[]).await.json();
        assert_eq!(other["budget"]["fullest_hour"], 0, "another tenant's requests are its own");
        assert_eq!(
            (other["days"].as_array().map(Vec::len), other["workspaces"].as_i64()),
            (Some(0), Some(0))
        );
        let answer = house.get_with(&tenant_key(&house.a), "/v1/usage?since=2001-01-01T00:00:00Z", &[]).await;
        assert_eq!(answer.summary(), "400 filter_invalid");
    });
}

/// A key of its own for what it may read.
fn tenant_key(tenant: &Tenant) -> String {
    let mut random = [7; 24];
    random[..8].copy_from_slice(&tenant.id.as_str().as_bytes()[tenant.id.as_str().len() - 8..]);
    terrasift_http::mint_api_key(random).expose().to_owned()
}

#[test]
fn a_tenant_reads_its_own_security_audit() {
    run(async {
        let house = house("lookup-trail").await;
        let own = house.store.api_keys(&house.a.id, None, 1).await.unwrap().remove(0);
        let by = format!("api key {} {}", own.id.0, own.name);
        add_key(&house.store, &house.a.id, &tenant_key(&house.a), &["audit:read"], None).await;
        // Refusals are in the audit before they are answered.
        for _ in 0..3 {
            assert_eq!(house.get("/v1/audit").await.summary(), "403 scope_missing");
            assert_eq!(house.get_as(&house.b, "/v1/audit").await.summary(), "403 scope_missing");
        }
        let key = tenant_key(&house.a);
        let (mut seen, mut uri) = (0, "/v1/security-audit?outcome=denied&limit=2".to_owned());
        loop {
            let json = house.get_with(&key, &uri, &[]).await.json();
            for record in json["records"].as_array().unwrap() {
                assert_eq!(
                    (record["code"].as_str(), record["resource"].as_str()),
                    (Some("scope_missing"), Some("/v1/audit"))
                );
                assert_eq!(record["actor"], by.as_str());
                seen += 1;
            }
            let Some(next) = json["next_cursor"].as_str() else { break };
            uri = format!("/v1/security-audit?outcome=denied&limit=2&cursor={next}");
        }
        assert_eq!(seen, 3);
        let answer = house.get_with(&key, "/v1/security-audit?outcome=fine", &[]).await;
        assert_eq!(answer.summary(), "400 filter_invalid");
    });
}

/// Events of a stream as they come: id, name, data.
fn parsed(text: &str) -> Vec<(String, String, Value)> {
    let field = |event: &str, name: &str| {
        event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
    };
    let events = text.split("\n\n").filter(|event| event.contains("event:"));
    events
        .map(|event| {
            let data = serde_json::from_str(&field(event, "data:")).unwrap_or(Value::Null);
            (field(event, "id:"), field(event, "event:"), data)
        })
        .collect()
}

#[test]
fn a_stream_goes_on_where_it_was_left_and_shows_what_comes() {
    run(async {
        let rate = Rate { capacity: 1_000, window: Duration::from_secs(1) };
        let house =
            house_with("lookup-stream", HttpConfig { api_rate: rate, ..HttpConfig::default() }, None).await;
        house.commit(&house.a, 1, &[("Resource", "r1"), ("Resource", "r2")], &[]).await;
        let open = |last: Option<String>| {
            let mut request =
                Request::get("/v1/changes/stream").header("authorization", format!("Bearer {}", house.a.key));
            if let Some(last) = last {
                request = request.header("last-event-id", last);
            }
            house.router.clone().oneshot(request.body(Body::empty()).unwrap())
        };
        let response = open(None).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut stream = response.into_body().into_data_stream();
        let mut seen = Vec::new();
        let mut text = String::new();
        while seen.len() < 3 {
            if seen.len() == 2 {
                house.commit(&house.a, 2, &[("Resource", "r3")], &["r1"]).await;
            }
            let chunk = stream.next().await.unwrap().unwrap();
            text.push_str(std::str::from_utf8(&chunk).unwrap());
            seen = parsed(&text);
        }
        while seen.len() < 4 {
            let chunk = stream.next().await.unwrap().unwrap();
            text.push_str(std::str::from_utf8(&chunk).unwrap());
            seen = parsed(&text);
        }
        let told: Vec<_> = seen
            .iter()
            .map(|(_, event, data)| {
                let name = data["entity_ref"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
                (event.clone(), data["change"].as_str().unwrap().to_owned(), name)
            })
            .collect();
        let expected = [("upsert", "r1"), ("upsert", "r2"), ("remove", "r1"), ("upsert", "r3")];
        assert_eq!(
            told,
            expected.map(|(change, name)| ("change".to_owned(), change.to_owned(), name.to_owned()))
        );
        // Left behind its second event, it goes on with the third.
        let mut again = open(Some(seen[1].0.clone())).await.unwrap().into_body().into_data_stream();
        let chunk = again.next().await.unwrap().unwrap();
        let first = parsed(std::str::from_utf8(&chunk).unwrap());
        assert_eq!(first[0].2["change"], "remove");
        // The same id is a cursor of the list.
        let answer = house.get(&format!("/v1/changes?cursor={}", seen[2].0)).await.json();
        assert_eq!(answer["changes"].as_array().map(Vec::len), Some(1));
        let bad = open(Some("nonsense".to_owned())).await.unwrap();
        assert_eq!(bad.status(), 400);
    });
}

#[test]
fn the_document_and_its_page_are_for_everybody_and_may_be_kept() {
    run(async {
        let house = house("lookup-document").await;
        for (uri, media) in [("/openapi.json", "application/json"), ("/docs", "text/html; charset=utf-8")] {
            let answer = house.send(Request::get(uri).body(Body::empty()).unwrap()).await;
            assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, media), "{uri}");
            assert_eq!(answer.header("cache-control"), "public, max-age=300");
            let again =
                Request::get(uri).header("if-none-match", answer.header("etag")).body(Body::empty()).unwrap();
            assert_eq!(house.send(again).await.status, 304, "{uri}");
        }
        let page = house.send(Request::get("/docs").body(Body::empty()).unwrap()).await;
        assert!(page.header("content-security-policy").starts_with("default-src 'none'; style-src 'sha256-"));
    });
}
