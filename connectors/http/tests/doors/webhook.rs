//! The webhook door.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use terrasift_http::{HttpConfig, Rate, Routes, router, serve};
use terrasift_kafka::{EmbeddedKafka, KafkaConfig, Producer};
use terrasift_schemas::event::{Event, RecordView, decode};
use terrasift_secrets::{CurrentSecret, Secret};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;
use tower::ServiceExt as _;

use crate::house::{House, Tenant, cluster, house, house_in, house_with, payload, run, sign};

/// A signed body of tenant a and its answer.
async fn check(house: &House, name: &str, body: &str, expected: &str) {
    let answer = house.deliver(body).await;
    assert_eq!(answer.summary(), expected, "{name}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{name}");
    if answer.status.is_client_error() {
        assert_eq!(answer.header("content-type"), "application/problem+json", "{name}");
    }
}

#[test]
fn only_a_signature_by_the_tenants_own_secret_opens() {
    run(async {
        let house = house("hook-sig").await;
        let body = payload("ws-S", "run-S", "run:planning", "planning");
        let right = sign(&house.a.secret, body.as_bytes());
        let of_b = sign(&house.b.secret, body.as_bytes());
        let (upper, sha256) = (right.to_uppercase(), format!("sha512={right}"));
        let other_body = sign(&house.a.secret, b"{}");
        let no_secret = sign("", body.as_bytes());
        let (a, b) = (house.a.slug.clone(), house.b.slug.clone());
        let cases: &[(&str, &str, Option<&str>, &str)] = &[
            ("right", &a, Some(&right), "200 ignored"),
            ("absent", &a, None, "401 unauthorized"),
            ("empty", &a, Some(""), "401 unauthorized"),
            ("upper case", &a, Some(&upper), "401 unauthorized"),
            ("with a prefix", &a, Some(&sha256), "401 unauthorized"),
            ("of another body", &a, Some(&other_body), "401 unauthorized"),
            ("of another tenant", &a, Some(&of_b), "401 unauthorized"),
            ("at another tenant's door", &b, Some(&right), "401 unauthorized"),
            ("of no secret", &a, Some(&no_secret), "401 unauthorized"),
            ("cut", &a, Some(&right[..64]), "401 unauthorized"),
            ("one longer", &a, Some(&format!("{right}0")), "401 unauthorized"),
            ("unknown tenant", "nobody", Some(&right), "401 unauthorized"),
            ("tenant id instead of slug", house.a.id.as_str(), Some(&right), "401 unauthorized"),
            ("slug in upper case", &a.to_uppercase(), Some(&right), "401 unauthorized"),
            ("slug that is none", "%2e%2e", Some(&right), "401 unauthorized"),
            ("slug that is no text", "%ff", Some(&right), "401 unauthorized"),
            ("slug below a slug", "a/b", Some(&right), "404 route_not_found"),
            ("no slug", "", Some(&right), "404 route_not_found"),
        ];
        let mut refusals: Vec<Vec<u8>> = Vec::new();
        for (name, slug, signature, expected) in cases {
            let answer = house.post(slug, body.clone(), *signature).await;
            assert_eq!(answer.summary(), *expected, "{name}");
            if answer.status == 401 {
                refusals.push(answer.body);
            }
        }
        assert!(refusals.windows(2).all(|two| two[0] == two[1]), "refusals tell nothing apart");
        let twice = Request::post(format!("/v1/webhooks/terraform-cloud/{a}"))
            .header("x-tfe-notification-signature", &right)
            .header("x-tfe-notification-signature", &right)
            .body(Body::from(body.clone()))
            .unwrap();
        assert_eq!(house.send(twice).await.summary(), "401 unauthorized", "two signatures");
    });
}

#[test]
fn payloads_of_version_1_are_read_openly() {
    run(async {
        let house = house("hook-pay").await;
        let ping = json!({"payload_version": 1, "notification_configuration_id": "nc-1", "run_url": null, "run_id": null,
            "run_message": null, "run_created_at": null, "run_created_by": null, "workspace_id": null,
            "workspace_name": null, "organization_name": null, "notifications": [{"message": "Verification of test",
            "trigger": "verification", "run_status": null, "run_updated_at": null, "run_updated_by": null}]});
        check(&house, "verification", &ping.to_string(), "200 verified").await;
        check(&house, "verification again", &ping.to_string(), "200 verified").await;
        for (trigger, status) in [
            ("run:created", "pending"),
            ("run:planning", "planning"),
            ("run:needs_attention", "planned"),
            ("run:applying", "applying"),
            ("run:errored", "errored"),
            ("run:completed", "planned_and_finished"),
            ("run:completed", ""),
            ("run:from_the_future", "applied"),
            ("assessment:drifted", ""),
        ] {
            check(&house, trigger, &payload("ws-P", "run-P", trigger, status), "200 ignored").await;
        }
        let applied = payload("ws-P", "run-P", "run:completed", "applied");
        let edit = |change: &dyn Fn(&mut Value)| {
            let mut value: Value = serde_json::from_str(&applied).unwrap();
            change(&mut value);
            value.to_string()
        };
        check(&house, "null workspace", &edit(&|v| v["workspace_id"] = Value::Null), "200 ignored").await;
        check(&house, "workspace of another type", &edit(&|v| v["workspace_id"] = json!([1])), "200 ignored")
            .await;
        check(&house, "workspace that is none", &edit(&|v| v["workspace_id"] = json!("../x")), "200 ignored")
            .await;
        check(&house, "null run", &edit(&|v| v["run_id"] = Value::Null), "202 accepted").await;
        check(&house, "run that is none", &edit(&|v| v["run_id"] = json!("x")), "202 accepted").await;
        check(
            &house,
            "time that is none",
            &edit(&|v| v["notifications"][0]["run_updated_at"] = json!("soon")),
            "202 accepted",
        )
        .await;
        check(
            &house,
            "time of another type",
            &edit(&|v| v["notifications"][0]["run_updated_at"] = json!(5)),
            "202 accepted",
        )
        .await;
        check(&house, "unknown members", &edit(&|v| v["new"] = json!({"a": [1]})), "202 accepted").await;
        check(&house, "string version", &edit(&|v| v["payload_version"] = json!("1")), "202 accepted").await;
        let many = edit(&|v| v["notifications"] = json!(vec![v["notifications"][0].clone(); 101]));
        check(&house, "101 notifications", &many, "400 too_many_notifications").await;
    });
}

#[test]
fn payloads_of_version_2_and_of_none_are_read_openly() {
    run(async {
        let house = house("hook-v2").await;
        let v2 = |trigger: &str, details: Value| {
            json!({"payload_version": "2", "notification_configuration_id": "nc-2", "trigger_scope": "workspace",
                "notification_configuration_url": "https://app.terraform.io/api/v2/x", "trigger": trigger,
                "message": "m", "details": details})
            .to_string()
        };
        let nameless = json!({"auto_destroy_at": null, "run_status": "applied", "run_external_id": "run-P",
            "trigger_type": "results", "workspace_name": "w", "organization_name": "o"});
        check(&house, "drift", &v2("assessment:drifted", json!({"workspace_id": "ws-P"})), "200 ignored")
            .await;
        check(
            &house,
            "auto-destroy",
            &v2("workspace:auto_destroy_run_results", nameless.clone()),
            "200 ignored",
        )
        .await;
        check(
            &house,
            "auto-destroy reminder",
            &v2("workspace:auto_destroy_reminder", nameless.clone()),
            "200 ignored",
        )
        .await;
        check(&house, "deleted", &v2("workspace:deleted", json!({"workspace_id": "ws-P"})), "202 accepted")
            .await;
        check(&house, "deleted, without an id", &v2("workspace:deleted", nameless), "200 ignored").await;
        for body in ["", "null", "[]", "\"x\"", "{", "{}{}", "{\"a\":}", "\u{feff}{}", &"[".repeat(100_000)] {
            check(&house, "not an object", body, "400 payload_invalid").await;
        }
        check(&house, "no members", "{}", "200 ignored").await;
    });
}

#[test]
fn bodies_are_bounded() {
    run(async {
        let house = house("hook-size").await;
        let sized = |bytes: usize| {
            let frame = r#"{"pad":""}"#;
            frame.replace("\"\"", &format!("\"{}\"", "x".repeat(bytes - frame.len())))
        };
        let limit = HttpConfig::default().webhook_body_limit_bytes;
        check(&house, "1 MiB", &sized(limit), "200 ignored").await;
        check(&house, "one byte more", &sized(limit + 1), "413 body_too_large").await;
        check(&house, "10 MB", &sized(10_000_000), "413 body_too_large").await;
        check(&house, "20 MiB", &sized(20 << 20), "413 body_too_large").await;
        let unsigned = house.post(&house.a.slug, sized(10_000_000), None).await;
        assert_eq!(unsigned.summary(), "413 body_too_large", "size comes before the signature");
    });
}

#[test]
fn an_applied_run_is_one_event_however_often_it_is_delivered() {
    run(async {
        let house = house("hook-once").await;
        let body = payload("ws-Once", "run-Once", "run:completed", "applied");
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let request = || {
            Request::post(format!("/v1/webhooks/terraform-cloud/{}", house.a.slug))
                .header("x-tfe-notification-signature", sign(&house.a.secret, body.as_bytes()))
                .header("traceparent", trace)
                .body(Body::from(body.clone()))
                .unwrap()
        };
        let first = house.send(request()).await;
        assert_eq!(first.summary(), "202 accepted");
        assert_eq!(first.header("ratelimit"), "\"webhook\";r=999;t=4");
        assert_eq!(first.header("ratelimit-policy"), "\"webhook\";q=1000;w=3600");
        for _ in 0..3 {
            assert_eq!(house.send(request()).await.summary(), "200 duplicate");
        }
        let last = payload("ws-Once", "run-Last", "run:completed", "applied");
        assert_eq!(house.deliver(&last).await.summary(), "202 accepted");
        let key = format!("{}/ws-Once", house.a.id);
        let is_last = |record: &terrasift_kafka::RawRecord| {
            record.value.as_ref().is_some_and(|value| value.windows(8).any(|part| part == b"run-Last"))
        };
        let records = cluster().await.records_of(&key, is_last).await;
        assert_eq!(records.len(), 2, "one event a delivery");
        let record = &records[0];
        let view = RecordView {
            topic: &record.topic,
            key: record.key.as_deref(),
            headers: &record.headers,
            value: record.value.as_deref(),
        };
        let envelope = decode(view).expect("an event by the contract");
        assert_eq!(envelope.trace.map(|trace| trace.to_string()).as_deref(), Some(trace));
        assert_eq!(envelope.id.len(), 64);
        let Event::StateUpdated(data) = envelope.event else { panic!("another event") };
        assert_eq!((data.tenant, data.workspace.as_str()), (house.a.id.clone(), "ws-Once"));
        assert_eq!(data.run.map(|run| run.to_string()).as_deref(), Some("run-Once"));
        assert_eq!(data.time.unix_timestamp(), 1_769_366_224);
    });
}

#[test]
fn tenants_do_not_share_deliveries() {
    run(async {
        let house = house("hook-two").await;
        let body = payload("ws-Two", "run-Two", "run:completed", "applied");
        assert_eq!(house.deliver(&body).await.summary(), "202 accepted");
        let of_b =
            house.post(&house.b.slug, body.clone(), Some(&sign(&house.b.secret, body.as_bytes()))).await;
        assert_eq!(of_b.summary(), "202 accepted", "the same body of another tenant is another delivery");
    });
}

#[test]
fn a_tenant_above_its_rate_waits_and_its_neighbour_does_not() {
    run(async {
        let rate = Rate { capacity: 2, window: Duration::from_secs(7_200) };
        let house =
            house_with("hook-rate", HttpConfig { webhook_rate: rate, ..HttpConfig::default() }, None).await;
        let body = |run: &str| payload("ws-Rate", run, "run:completed", "applied");
        assert_eq!(house.deliver(&body("run-1")).await.summary(), "202 accepted");
        assert_eq!(house.deliver(&body("run-2")).await.summary(), "202 accepted");
        let refused = house.deliver(&body("run-3")).await;
        assert_eq!(refused.summary(), "429 rate_limited");
        assert_eq!(refused.header("retry-after"), "7200", "when the first of them is no more of late");
        assert!(refused.header("ratelimit").starts_with("\"webhook\";r=0;"));
        assert_eq!(house.deliver(&body("run-1")).await.summary(), "200 duplicate", "a replay costs nothing");
        let planning = payload("ws-Rate", "run-4", "run:planning", "planning");
        assert_eq!(house.deliver(&planning).await.summary(), "200 ignored", "what is no event costs nothing");
        let of_b = body("run-1");
        let answer =
            house.post(&house.b.slug, of_b.clone(), Some(&sign(&house.b.secret, of_b.as_bytes()))).await;
        assert_eq!(answer.summary(), "202 accepted");
    });
}

#[test]
fn replicas_share_a_tenants_rate() {
    run(async {
        let rate = Rate { capacity: 3, window: Duration::from_secs(7_200) };
        let config = HttpConfig { webhook_rate: rate, ..HttpConfig::default() };
        let house = house_with("hook-reps", config.clone(), None).await;
        let other =
            router(house.doors(prometheus::Registry::new()), Routes { api: false, webhook: true }, &config);
        let replicas = [house.router.clone(), other.expect("router")];
        for (number, expected) in [(0, "2"), (1, "1"), (2, "0")] {
            let body = payload("ws-Reps", &format!("run-{number}"), "run:completed", "applied");
            let answer = house.deliver_to(&replicas[number % 2], &body).await;
            assert_eq!(answer.summary(), "202 accepted", "{number}");
            assert!(
                answer.header("ratelimit").starts_with(&format!("\"webhook\";r={expected};")),
                "{number}"
            );
        }
        for replica in &replicas {
            let body = payload("ws-Reps", "run-more", "run:completed", "applied");
            let refused = house.deliver_to(replica, &body).await;
            assert_eq!(
                (refused.summary().as_str(), refused.header("retry-after")),
                ("429 rate_limited", "7200")
            );
        }
    });
}

#[test]
fn after_a_rotation_the_secret_before_signs_until_its_overlap_ends() {
    run(async {
        let house = house("hook-rotated").await;
        let mut doors = house.doors(prometheus::Registry::new());
        let secret = CurrentSecret::from(Secret::new("toxic-old".to_owned()));
        doors.tenants[0].webhook_secret = Some(secret.clone());
        let router =
            router(doors, Routes { api: false, webhook: true }, &HttpConfig::default()).expect("router");
        let status = async |key: &str| {
            let request = Request::post(format!("/v1/webhooks/terraform-cloud/{}", house.a.slug))
                .header("x-tfe-notification-signature", sign(key, b"{}"))
                .body(Body::from("{}"))
                .expect("request");
            router.clone().oneshot(request).await.expect("an answer").status().as_u16()
        };
        assert_eq!((status("toxic-old").await, status("toxic-new").await), (200, 401));
        let hour = Duration::from_secs(3_600);
        let took = |value: &str, overlap| secret.take(Secret::new(value.to_owned()), overlap, Instant::now());
        assert!(took("toxic-new", hour));
        assert_eq!((status("toxic-old").await, status("toxic-new").await), (200, 200), "both in the overlap");
        assert_eq!(status("toxic-other").await, 401);
        assert!(took("toxic-newer", Duration::from_nanos(1)));
        assert_eq!(
            (status("toxic-new").await, status("toxic-newer").await),
            (401, 200),
            "its overlap is over"
        );
        assert_eq!(status("toxic-old").await, 200, "and the other's is not");
    });
}

#[test]
fn deliveries_come_from_where_their_tenant_sends_from() {
    run(async {
        let config =
            HttpConfig { trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()], ..HttpConfig::default() };
        let house = house_with("hook-from", config.clone(), None).await;
        let mut doors = house.doors(prometheus::Registry::new());
        doors.tenants[0].webhook_sources =
            ["198.51.100.0/24", "127.0.0.3/32", "2001:db8::/32"].map(|net| net.parse().unwrap()).into();
        let router = router(doors, Routes { api: false, webhook: true }, &config).expect("router");
        let unplugged = house.deliver_to(&router, "{}").await;
        assert_eq!(unplugged.summary(), "403 source_not_allowed", "from nowhere that is known");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listener");
        let address = listener.local_addr().expect("address");
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(serve(listener, router, config, None, async { drop(stopped.await) }));
        let sign_of = |tenant: &Tenant| sign(&tenant.secret, b"{}");
        let (good, wrong) = (sign_of(&house.a), sign("wrong", b"{}"));
        let (a, b, of_b) = (&house.a.slug, &house.b.slug, sign_of(&house.b));
        let allowed = "x-forwarded-for: 198.51.100.7\r\n";
        for (name, from, slug, signature, headers, expected) in [
            ("through the proxy", 1, a, &good, allowed, "200"),
            ("through the proxy, version 6", 1, a, &good, "x-forwarded-for: 2001:db8::9\r\n", "200"),
            ("through the proxy, mapped", 1, a, &good, "x-forwarded-for: ::ffff:198.51.100.7\r\n", "200"),
            ("through the proxy, from elsewhere", 1, a, &good, "x-forwarded-for: 203.0.113.7\r\n", "403"),
            ("forged before the proxy", 1, a, &good, "x-forwarded-for: 198.51.100.7, 203.0.113.7\r\n", "403"),
            (
                "forged in a line of its own",
                1,
                a,
                &good,
                "x-forwarded-for: 198.51.100.7\r\nx-forwarded-for: 203.0.113.7\r\n",
                "403",
            ),
            ("in another header", 1, a, &good, "forwarded: for=198.51.100.7\r\n", "403"),
            ("the proxy itself", 1, a, &good, "", "403"),
            ("no proxy", 2, a, &good, allowed, "403"),
            ("directly", 3, a, &good, "", "200"),
            ("directly, whatever it says", 3, a, &good, "x-forwarded-for: 203.0.113.7\r\n", "200"),
            ("a wrong signature from an allowed address", 3, a, &wrong, "", "401"),
            ("a wrong signature from elsewhere", 2, a, &wrong, "", "401"),
            ("a tenant that takes them from anywhere", 2, b, &of_b, "", "200"),
        ] {
            let socket = TcpSocket::new_v4().expect("socket");
            socket.bind(SocketAddr::from(([127, 0, 0, from], 0))).expect("bound");
            let mut stream = socket.connect(address).await.expect("connection");
            let request = format!(
                "POST /v1/webhooks/terraform-cloud/{slug} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\
                 x-tfe-notification-signature: {signature}\r\ncontent-length: 2\r\n\r\n{{}}"
            );
            stream.write_all(request.as_bytes()).await.expect("written");
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).await.expect("an answer");
            let answer = String::from_utf8_lossy(&bytes).into_owned();
            assert_eq!(answer.get(9..12), Some(expected), "{name}: {answer}");
            assert_eq!(answer.contains("source_not_allowed"), expected == "403", "{name}: {answer}");
        }
        drop(stop);
        serving.await.expect("ends");
    });
}

#[test]
fn without_kafka_nothing_is_accepted_and_nothing_recorded() {
    run(async {
        let kafka = EmbeddedKafka::start(1).expect("kafka");
        let mut config = KafkaConfig::new(&kafka.bootstrap(), "down", "down");
        config.properties.insert("message.timeout.ms".into(), "1500".into());
        let producer = Producer::new(&config).expect("producer");
        let house = house_with("hook-down", HttpConfig::default(), Some(producer)).await;
        let body = payload("ws-Down", "run-Down", "run:completed", "applied");
        kafka.take_down().expect("down");
        let refused = house.deliver(&body).await;
        assert_eq!(refused.summary(), "503 event_bus_unavailable");
        assert_eq!(refused.header("retry-after"), "5");
        assert_eq!(house.deliver("{}").await.summary(), "200 ignored", "what needs no kafka is answered");
        house.readiness.set("consumer_unassigned", true);
        let ready = house.send(Request::get("/readyz").body(Body::empty()).unwrap()).await;
        assert_eq!(
            (ready.summary().as_str(), &ready.json()["reasons"]),
            ("503 not_ready", &json!(["event_bus_unavailable"]))
        );
        let alive = house.send(Request::get("/healthz").body(Body::empty()).unwrap()).await;
        assert_eq!(alive.status, 200, "alive without kafka");
        kafka.bring_up().expect("up");
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        loop {
            let answer = house.deliver(&body).await;
            if answer.summary() == "202 accepted" {
                break;
            }
            assert_eq!(
                answer.summary(),
                "503 event_bus_unavailable",
                "never a duplicate of what was not sent"
            );
            assert!(std::time::Instant::now() < deadline, "kafka came back");
        }
        assert_eq!(house.deliver(&body).await.summary(), "200 duplicate");
    });
}

#[test]
fn without_the_database_events_are_still_accepted_and_reads_say_when_to_return() {
    run(async {
        let house = house_in("hook-nodb", "hook_nodb").await;
        house.store.close().await;
        let body = payload("ws-Nodb", "run-Nodb", "run:completed", "applied");
        assert_eq!(
            house.deliver(&body).await.summary(),
            "202 accepted",
            "kafka has it: a second time is harmless"
        );
        let refused = house.get("/v1/changes").await;
        assert_eq!(
            (refused.summary().as_str(), refused.header("retry-after")),
            ("503 store_unavailable", "2")
        );
        let ready = house.send(Request::get("/readyz").body(Body::empty()).unwrap()).await;
        assert_eq!(ready.json()["reasons"], json!(["consumer_unassigned", "store_unavailable"]));
        let alive = house.send(Request::get("/healthz").body(Body::empty()).unwrap()).await;
        assert_eq!(alive.status, 200, "alive without the database");
    });
}
