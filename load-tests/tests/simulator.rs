//! Owns what the simulator promises: the door, paging, downloads, notifications, faults. It must never use the client's types.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod support;

use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Duration;
use support::{Receiver, config, start};
use terrasift_load_tests::simulator::{Fault, FaultKind, SIGNATURE_HEADER, SimulatorConfig, sign};

#[tokio::test]
async fn the_door_answers_401_to_a_bad_token_and_404_to_what_is_foreign() {
    let mut world = start(config(2)).await;
    let foreign = world.simulator.workspaces().into_iter().find(|it| it.organization == "other").unwrap();
    for (path, status) in [
        ("account/details", 200),
        ("organizations/acme", 200),
        ("organizations/other", 404),
        ("organizations/nowhere", 404),
        ("organizations/acme/workspaces", 200),
        ("organizations/other/workspaces", 404),
        ("organizations/acme/workspaces/workspace-1", 200),
        ("organizations/acme/workspaces/workspace-9", 404),
        (&format!("workspaces/{}", foreign.id), 404),
        (&format!("workspaces/{}/current-state-version", foreign.id), 404),
        (&format!("workspaces/{}/runs", foreign.id), 404),
        (&format!("workspaces/{}/vars", foreign.id), 404),
        (&format!("workspaces/{}/notification-configurations", foreign.id), 404),
        ("runs/run-0000000000000000", 404),
        ("no/such/thing", 404),
    ] {
        let (got, body) = world.get(path).await;
        assert_eq!(got, status, "{path}");
        assert_eq!(body["errors"].is_array(), status != 200, "{path}");
    }
    world.token = "wrong".to_owned();
    assert_eq!(world.get("account/details").await.0, 401);
}

#[tokio::test]
async fn pages_follow_number_and_size() {
    for (count, query, expected, next) in [
        (45, "", 20, Some(2)),
        (45, "?page%5Bnumber%5D=3", 5, None),
        (45, "?page[size]=100", 45, None),
        (45, "?page[size]=7&page[number]=7", 3, None),
        (45, "?page[number]=9", 0, None),
        (120, "?page[size]=1000", 100, Some(2)),
        (40, "?page[number]=2", 20, None),
        (0, "", 0, None),
        (3, "?page[size]=0&page[number]=0", 3, None),
    ] {
        let world = start(config(count)).await;
        let (status, body) = world.get(&format!("organizations/acme/workspaces{query}")).await;
        assert_eq!(status, 200);
        assert_eq!(body["data"].as_array().unwrap().len(), expected, "{count} {query}");
        let pagination = &body["meta"]["pagination"];
        assert_eq!(pagination["next-page"].as_u64(), next, "{count} {query}");
        assert_eq!(pagination["total-count"].as_u64(), Some(u64::try_from(count).unwrap()));
        assert_eq!(body["links"]["next"].is_null(), next.is_none());
    }
    let world = start(SimulatorConfig { without_totals: true, ..config(25) }).await;
    let (_, body) = world.get("organizations/acme/workspaces").await;
    assert!(body["meta"]["pagination"].get("total-count").is_none());
    assert_eq!(body["meta"]["pagination"]["next-page"], 2);
}

#[tokio::test]
async fn a_list_can_include_the_current_state_versions() {
    let world = start(config(3)).await;
    let id = world.workspace(1);
    world.simulator.bump(&id).unwrap();
    let (_, body) = world.get("organizations/acme/workspaces?include=current_state_version").await;
    let included = body["included"].as_array().unwrap();
    assert_eq!(included.len(), 3);
    let told: Vec<_> = body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["relationships"]["current-state-version"]["data"]["id"].clone())
        .collect();
    assert_eq!(told, included.iter().map(|it| it["id"].clone()).collect::<Vec<_>>());
    assert_eq!(included[1]["attributes"]["serial"], 2);
    let (_, body) = world.get(&format!("workspaces/{id}?include=current_state_version")).await;
    assert_eq!(body["included"][0]["attributes"]["serial"], 2);
}

#[tokio::test]
async fn a_download_needs_no_token_and_is_the_state_that_was_told() {
    let world = start(config(1)).await;
    let id = world.workspace(0);
    for serial in 1..4 {
        let (_, body) = world.get(&format!("workspaces/{id}/current-state-version")).await;
        let told = &body["data"]["attributes"];
        assert_eq!(told["serial"], serial);
        let url = told["hosted-state-download-url"].as_str().unwrap();
        assert!(url.starts_with(world.simulator.archive_origin()));
        let response = world.http.get(url).send().await.unwrap();
        assert_eq!(response.content_length(), told["size"].as_u64());
        let state: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        assert_eq!((&state["version"], &state["serial"]), (&json!(4), &json!(serial)));
        world.simulator.bump(&id).unwrap();
    }
    let before = world.simulator.bump(&id).unwrap();
    let anew = world.simulator.bump_to_new_lineage(&id).unwrap();
    assert_eq!(anew.serial, 1);
    assert_ne!(anew.lineage, before.lineage);
}

#[tokio::test]
async fn a_download_url_is_refused_when_forged_or_expired() {
    let world = start(config(2)).await;
    let (first, second) = (world.workspace(0), world.workspace(1));
    let good = world.download_url(&first).await;
    assert_eq!(world.http.get(&good).send().await.unwrap().status(), 200);
    let forged = good.replace(&first, &second);
    assert_eq!(world.http.get(forged).send().await.unwrap().status(), 403);
    let later = start(SimulatorConfig { url_lifetime: Duration::ZERO, ..config(1) }).await;
    let url = later.download_url(&later.workspace(0)).await;
    tokio::time::timeout(Duration::from_secs(5), async {
        while later.http.get(&url).send().await.unwrap().status() != 403 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn more_requests_than_the_limit_are_answered_429_with_the_reset() {
    let world = start(SimulatorConfig { requests_per_second: 30, ..config(1) }).await;
    let url = format!("{}/api/v2/account/details", world.simulator.api_origin());
    let mut refused = 0;
    for _ in 0..40 {
        let response = world.http.get(&url).bearer_auth(&world.token).send().await.unwrap();
        assert_eq!(response.headers()["x-ratelimit-limit"], "30");
        if response.status() == 429 {
            let reset: f64 = response.headers()["x-ratelimit-reset"].to_str().unwrap().parse().unwrap();
            assert!(reset > 0.0 && reset <= 1.0);
            refused += 1;
        }
    }
    assert!(refused >= 1);
    assert!(world.simulator.max_requests_in_any_second(&world.user) > 30);
    assert_eq!(world.simulator.request_count(&world.user), 40);
    assert_eq!(world.simulator.request_count("other-engine"), 0);
}

fn configuration(url: &str, enabled: bool, token: Option<&str>) -> Value {
    json!({"data": {"type": "notification-configuration", "attributes": {
        "destination-type": "generic", "enabled": enabled, "name": "terrasift", "url": url, "token": token,
        "triggers": ["run:completed", "assessment:drifted", "workspace:auto_destroy_reminder"],
    }}})
}

#[tokio::test]
async fn enabling_pings_and_a_refused_ping_saves_nothing() {
    let world = start(config(1)).await;
    let path = format!("workspaces/{}/notification-configurations", world.workspace(0));
    for (answer, enabled, status, saved, pings) in
        [(200, true, 201, 1, 1), (500, true, 422, 0, 1), (302, true, 422, 0, 1), (500, false, 201, 1, 0)]
    {
        let receiver = Receiver::start(answer).await;
        let (got, body) =
            world.send("POST", &path, &configuration(&receiver.url, enabled, Some("key"))).await;
        assert_eq!(got, status, "receiver answers {answer}");
        let (_, list) = world.get(&path).await;
        assert_eq!(list["data"].as_array().unwrap().len(), saved);
        let seen = receiver.take();
        assert_eq!(seen.len(), pings);
        for (headers, bytes) in seen {
            assert_eq!(headers[SIGNATURE_HEADER], sign("key", &bytes));
            let ping: Value = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(ping["notifications"][0]["trigger"], "verification");
            assert!(ping["run_id"].is_null() && ping["workspace_id"].is_null());
        }
        if let Some(id) = body["data"]["id"].as_str() {
            let one = format!("notification-configurations/{id}");
            assert_eq!(body["data"]["attributes"]["token"], Value::Null);
            assert_eq!(world.get(&one).await.0, 200);
            assert_eq!(
                world.send("POST", &format!("{one}/actions/verify"), &json!({})).await.0,
                if answer == 200 { 200 } else { 422 }
            );
            assert_eq!(world.send("DELETE", &one, &json!({})).await.0, 204);
            assert_eq!(world.get(&one).await.0, 404);
        }
    }
}

#[tokio::test]
async fn notifications_are_signed_in_both_versions() {
    let world = start(config(1)).await;
    let id = world.workspace(0);
    let receiver = Receiver::start(202).await;
    let path = format!("workspaces/{id}/notification-configurations");
    let (_, made) = world.send("POST", &path, &configuration(&receiver.url, true, Some("key"))).await;
    receiver.take();
    let bumped = world.simulator.bump(&id).unwrap();
    for (trigger, version, deliveries) in [
        ("run:completed", json!(1), 1),
        ("assessment:drifted", json!("2"), 1),
        ("workspace:auto_destroy_reminder", json!("2"), 1),
        ("run:created", json!(1), 0),
    ] {
        let sent =
            world.simulator.send_notification(&id, Some(&bumped.run_id), trigger, "applied").await.unwrap();
        assert_eq!(sent.len(), deliveries, "{trigger}");
        for (headers, bytes) in receiver.take() {
            let signature = headers[SIGNATURE_HEADER].to_str().unwrap();
            assert_eq!((signature, signature.len()), (sign("key", &bytes).as_str(), 128));
            let payload: Value = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(payload["payload_version"], version);
            assert_eq!(payload["notification_configuration_id"], made["data"]["id"]);
            if version == 1 {
                assert_eq!(payload["run_id"], json!(bumped.run_id));
                assert_eq!(payload["notifications"][0]["run_status"], "applied");
            }
        }
    }
    let one = format!("notification-configurations/{}", made["data"]["id"].as_str().unwrap());
    let unsigned = json!({"data": {"attributes": {"token": ""}}});
    assert_eq!(world.send("PATCH", &one, &unsigned).await.0, 200);
    world.simulator.send_notification(&id, None, "run:completed", "applied").await.unwrap();
    assert_eq!(receiver.take()[0].0[SIGNATURE_HEADER], "");
}

#[tokio::test]
async fn each_fault_does_what_it_says_as_often_as_it_says() {
    let world = start(config(1)).await;
    let id = world.workspace(0);
    let current = format!("workspaces/{id}/current-state-version");
    world.simulator.bump(&id).unwrap();
    let order = |kind| world.simulator.inject(Fault { kind, target: Some(id.clone()), times: 1 });
    for code in [404, 403, 429, 500, 503] {
        order(FaultKind::ApiStatus { code });
        assert_eq!(world.get(&current).await.0, code);
        assert_eq!(world.get(&current).await.0, 200);
        order(FaultKind::DownloadStatus { code });
        let url = world.download_url(&id).await;
        assert_eq!(world.http.get(&url).send().await.unwrap().status(), code);
        assert_eq!(world.http.get(&url).send().await.unwrap().status(), 200);
    }
    order(FaultKind::ApiNotJson);
    assert_eq!(world.get(&current).await, (200, Value::Null));
    order(FaultKind::StaleState);
    assert_eq!(world.get(&current).await.1["data"]["attributes"]["serial"], 1);
    assert_eq!(world.get(&current).await.1["data"]["attributes"]["serial"], 2);
    order(FaultKind::ExpiredUrl);
    let expired = world.download_url(&id).await;
    assert_eq!(world.http.get(expired).send().await.unwrap().status(), 403);
    world.simulator.inject(Fault { kind: FaultKind::EmptyList, target: Some("acme".into()), times: 1 });
    assert_eq!(world.get("organizations/acme/workspaces").await.1["data"], json!([]));
    let url = world.download_url(&id).await;
    for kind in [FaultKind::Truncated, FaultKind::WrongContentLength] {
        order(kind);
        let cut = world.http.get(&url).send().await.unwrap().bytes().await;
        assert!(cut.is_err(), "{kind:?} reads to its end");
    }
    order(FaultKind::RedirectToPrivate);
    let redirect = world.http.get(&url).send().await.unwrap();
    assert_eq!(
        (redirect.status().as_u16(), &redirect.headers()["location"].as_bytes()[..10]),
        (302, &b"http://10."[..])
    );
    order(FaultKind::EmptyBody);
    assert!(world.http.get(&url).send().await.unwrap().bytes().await.unwrap().is_empty());
    order(FaultKind::DownloadNotJson);
    assert!(world.http.get(&url).send().await.unwrap().text().await.unwrap().starts_with("<html>"));
    order(FaultKind::SlowBody { pause_ms: 30 });
    let started = std::time::Instant::now();
    world.http.get(&url).send().await.unwrap().bytes().await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(30));
}

#[tokio::test]
async fn canaries_cover_every_generation_that_was_current() {
    let world = start(config(4)).await;
    let before: HashSet<_> = world.simulator.canaries().into_iter().map(|it| it.text).collect();
    let id = world.workspace(0);
    for _ in 0..16 {
        world.simulator.bump(&id).unwrap();
    }
    world.simulator.remove_workspace(&world.workspace(1)).unwrap();
    let after: HashSet<_> = world.simulator.canaries().into_iter().map(|it| it.text).collect();
    assert!(before.len() > 40 && after.is_superset(&before) && after.len() > before.len());
}

#[tokio::test]
async fn a_folder_of_states_is_served_as_it_is() {
    let dir = std::env::temp_dir().join(format!("terrasift-states-{}", std::process::id()));
    std::fs::create_dir_all(dir.join("deep")).unwrap();
    std::fs::write(dir.join("a.tfstate"), r#"{"version":4,"serial":9,"lineage":"x"}"#).unwrap();
    std::fs::write(dir.join("deep/b.json"), "not json").unwrap();
    let config = SimulatorConfig::from_states_dir(&dir, 1).unwrap();
    let world = start(config).await;
    let workspaces = world.simulator.workspaces();
    assert_eq!(workspaces.iter().map(|it| it.serial).collect::<Vec<_>>(), [Some(9), Some(1)]);
    let url = world.download_url(&workspaces[1].id).await;
    assert_eq!(world.http.get(url).send().await.unwrap().text().await.unwrap(), "not json");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[tokio::test]
async fn shutdown_closes_both_ports() {
    let world = start(config(1)).await;
    let (api, archive) =
        (world.simulator.api_origin().to_owned(), world.simulator.archive_origin().to_owned());
    world.simulator.shutdown().await;
    for origin in [api, archive] {
        assert!(world.http.get(origin).send().await.is_err());
    }
}

#[tokio::test]
async fn orders_work_over_http() {
    let world = start(config(1)).await;
    let (origin, id) = (world.simulator.api_origin(), world.workspace(0));
    let post = |path: &str, body: Value| world.http.post(format!("{origin}/_sim/{path}")).json(&body).send();
    assert_eq!(post("faults", json!({"kind": "empty-list", "target": "acme"})).await.unwrap().status(), 204);
    assert_eq!(world.get("organizations/acme/workspaces").await.1["data"], json!([]));
    let bumped: Value =
        post(&format!("workspaces/{id}/bump"), json!({})).await.unwrap().json().await.unwrap();
    assert_eq!(bumped["serial"], 2);
    assert_eq!(
        post("workspaces", json!({"organization": "acme", "name": "new", "seed": 3})).await.unwrap().status(),
        201
    );
    assert_eq!(world.get("organizations/acme/workspaces/new").await.0, 200);
    assert_eq!(post(&format!("workspaces/{id}/notify"), json!({})).await.unwrap().status(), 200);
    let canaries =
        world.http.get(format!("{origin}/_sim/canaries")).send().await.unwrap().text().await.unwrap();
    let first: Value = serde_json::from_str(canaries.lines().next().unwrap()).unwrap();
    assert!(["text", "family", "category", "place"].iter().all(|key| first[key].is_string()));
}
