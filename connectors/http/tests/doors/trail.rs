//! The security audit: each request with its outcome, gaps, rollbacks, and no secret.

use std::net::SocketAddr;

use axum::body::Body;
use axum::http::Request;
use sqlx::Connection;
use terrasift_http::{HttpConfig, mint_api_key, serve};
use terrasift_postgres::{Auditor, CheckpointSigner, NewDeadLetter, TrailFilter, TrailRecord, TrailVerdict};
use terrasift_schemas::WorkspaceId;
use terrasift_schemas::event::FailureReason;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;

use crate::house::{
    House, SIGNING_KEY, add_key, cluster, house_unwritten, house_unwritten_with, payload, run, sign,
};

/// Records are written in batches: half a second.
const WRITTEN_WITHIN: std::time::Duration = std::time::Duration::from_secs(20);

async fn auditor(database: &str) -> Auditor {
    Auditor::new(&cluster().await.auditor_url(database)).expect("an address")
}

async fn all(database: &str) -> Vec<TrailRecord> {
    let mut records = Vec::new();
    auditor(database).await.export_trail(None, |record| records.push(record)).await.expect("exported");
    records
}

async fn verified(database: &str) -> TrailVerdict {
    let keys = [CheckpointSigner::new(&SIGNING_KEY).expect("a key").public()];
    auditor(database).await.verify_trail(&keys, Vec::new()).await.expect("verified")
}

/// Waits until so many records are written.
async fn written(database: &str, count: usize) -> Vec<TrailRecord> {
    let deadline = tokio::time::Instant::now() + WRITTEN_WITHIN;
    loop {
        let records = all(database).await;
        if records.len() >= count {
            return records;
        }
        assert!(tokio::time::Instant::now() < deadline, "{} of {count} are written", records.len());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// What of a record is told: `tenant actor action resource outcome code`.
fn told(record: &TrailRecord) -> String {
    let TrailRecord { tenant, actor, action, resource, outcome, code, .. } = record;
    format!("{tenant}|{actor}|{action} {resource}|{outcome}|{code}")
}

async fn park(house: &House) -> i64 {
    let letter = NewDeadLetter {
        tenant: house.a.id.clone(),
        workspace: Some(WorkspaceId::parse("ws-D").expect("workspace")),
        reason: FailureReason::StateRefused,
        detail: "the state is no json".into(),
        attempts: 4,
        record: None,
        trace: None,
    };
    house.store.park(&letter, None).await.expect("parked").0
}

#[test]
fn each_request_is_recorded_with_its_outcome_and_no_secret() {
    run(async {
        let (house, writer) = house_unwritten("trail", "trail_each").await;
        let writer = tokio::spawn(writer.run());
        let letter = park(&house).await;
        let writes = mint_api_key([200; 24]).expose().to_owned();
        add_key(&house.store, &house.a.id, &writes, &["dead-letters:write"], None).await;
        let stranger = mint_api_key([201; 24]).expose().to_owned();
        let theirs = house.get_as(&house.b, "/v1/changes").await.json()["next_cursor"].clone();
        let theirs = theirs.as_str().expect("a cursor").to_owned();
        house.get("/v1/entities").await;
        house.get_with(&stranger, "/v1/entities?limit=1", &[]).await;
        house.get(&format!("/v1/entities/by-ref/resource/a/{stranger}")).await;
        house.get("/v1/dead-letters").await;
        house.get(&format!("/v1/changes?cursor={theirs}")).await;
        house.post_with(&writes, &format!("/v1/dead-letters/{letter}/retry")).await;
        house.post_with(&writes, &format!("/v1/dead-letters/{stranger}/retry")).await;
        let body =
            payload("ws-A", "run-1", "run:completed", "applied").replace("\"m\"", "\"canary-body-77\"");
        house.deliver(&body).await;
        house.post(&house.a.slug, body.clone(), Some(&sign("wrong", body.as_bytes()))).await;
        house.get(&format!("/nowhere/{stranger}")).await;
        house.get("/healthz").await;
        let records = written("trail_each", 11).await;
        let webhook = "POST /v1/webhooks/terraform-cloud/trail-a-slug";
        assert_eq!(
            records.iter().map(told).collect::<Vec<_>>(),
            [
                "trail-b|api key 2 test|GET /v1/changes|ok|200".to_owned(),
                "trail-a|api key 1 test|GET /v1/entities|ok|200".to_owned(),
                "||GET /v1/entities|denied|unauthorized".to_owned(),
                "trail-a|api key 1 test|GET /v1/entities/by-ref/{kind}/{namespace}/{name}|invalid|entity_not_found".to_owned(),
                "trail-a|api key 1 test|GET /v1/dead-letters|denied|scope_missing".to_owned(),
                "trail-a|api key 1 test|GET /v1/changes|cross_tenant|cursor_invalid".to_owned(),
                format!("trail-a|api key 3 test|POST /v1/dead-letters/{letter}/retry|ok|200"),
                "trail-a|api key 3 test|POST /v1/dead-letters/{id}/retry|invalid|dead_letter_not_found".to_owned(),
                format!("trail-a|webhook|{webhook}|ok|202"),
                format!("||{webhook}|denied|unauthorized"),
                "||GET unmatched|invalid|route_not_found".to_owned(),
            ]
        );
        let text = format!("{records:?}");
        for secret in [&house.a.key, &house.b.key, &writes, &stranger, &house.a.secret, &theirs] {
            assert!(!text.contains(secret.as_str()), "a secret is in the audit");
        }
        assert!(
            !text.contains("canary-body-77") && !text.contains("authorization"),
            "a body is in the audit"
        );
        // The doors go: what is left is written, and the segment closed.
        drop(house);
        writer.await.expect("the writer ends");
        let verdict = verified("trail_each").await;
        assert_eq!((verdict.breaks, verdict.segments, verdict.open, verdict.records), (vec![], 1, 0, 11));
    });
}

#[test]
fn a_refusal_is_written_before_it_is_answered() {
    run(async {
        let (house, writer) = house_unwritten("trail-now", "trail_now").await;
        tokio::spawn(writer.run());
        let stranger = mint_api_key([202; 24]).expose().to_owned();
        for count in 1..=5 {
            house.get_with(&stranger, "/v1/entities", &[]).await;
            assert_eq!(all("trail_now").await.len(), count);
        }
    });
}

#[test]
fn an_attempt_whose_transaction_was_rolled_back_is_recorded() {
    run(async {
        let (house, writer) = house_unwritten("trail-back", "trail_back").await;
        tokio::spawn(writer.run());
        let letter = park(&house).await;
        let writes = mint_api_key([203; 24]).expose().to_owned();
        add_key(&house.store, &house.a.id, &writes, &["dead-letters:write"], None).await;
        let mut owner =
            sqlx::PgConnection::connect(&cluster().await.owner_url("trail_back")).await.expect("owner");
        let never = "ALTER TABLE dead_letters ADD CONSTRAINT never CHECK (state = 'open') NOT VALID";
        sqlx::raw_sql(never).execute(&mut owner).await.expect("a constraint");
        let answer = house.post_with(&writes, &format!("/v1/dead-letters/{letter}/discard")).await;
        assert_eq!(answer.summary(), "503 store_unavailable");
        let records = written("trail_back", 1).await;
        let expected = format!(
            "trail-back-a|api key 3 test|POST /v1/dead-letters/{letter}/discard|failed|store_unavailable"
        );
        assert_eq!(records.iter().map(told).collect::<Vec<_>>(), [expected]);
    });
}

#[test]
fn a_request_that_is_given_up_is_recorded() {
    run(async {
        let (house, writer) = house_unwritten("trail-gone", "trail_gone").await;
        tokio::spawn(writer.run());
        let end = house.get("/v1/changes").await.json()["next_cursor"].as_str().expect("a cursor").to_owned();
        let uri = format!("/v1/changes?wait=30&cursor={end}");
        let waits = tokio::time::timeout(std::time::Duration::from_millis(300), house.get(&uri)).await;
        assert!(waits.is_err(), "it waits for a change");
        let records = written("trail_gone", 2).await;
        assert_eq!(told(&records[1]), "||GET /v1/changes|abandoned|");
    });
}

#[test]
fn what_does_not_fit_is_a_gap_in_the_chain() {
    run(async {
        let (house, writer) = house_unwritten("trail-gap", "trail_gap").await;
        // Nobody writes yet: the queue holds 8,192.
        for _ in 0..8_192 + 7 {
            house.send(Request::get("/nowhere").body(Body::empty()).expect("request")).await;
        }
        let metrics = String::from_utf8(house.get("/metrics").await.body).expect("text");
        assert!(metrics.contains("terrasift_security_audit_records_total{fate=\"lost\"} 7"), "{metrics}");
        assert!(metrics.contains("terrasift_security_audit_waiting 8192"), "{metrics}");
        let registry = house.registry.clone();
        drop(house);
        writer.run().await;
        let metrics = registry.gather();
        let of = |name: &str| metrics.iter().find(|family| family.name() == name).expect("a metric").clone();
        let waiting = of("terrasift_security_audit_waiting").get_metric()[0].get_gauge().get_value();
        let signed =
            of("terrasift_security_audit_checkpoints_total").get_metric()[0].get_counter().get_value();
        assert!(waiting == 0.0 && signed >= 1.0, "{waiting} wait, {signed} checkpoints");
        let gaps = TrailFilter { outcome: Some("gap".into()), ..TrailFilter::default() };
        let gaps = auditor("trail_gap").await.trail(&gaps, 10).await.expect("gaps");
        assert_eq!(gaps.iter().map(|gap| gap.code.as_str()).collect::<Vec<_>>(), ["7"]);
        let verdict = verified("trail_gap").await;
        assert_eq!((verdict.breaks, verdict.records, verdict.gaps, verdict.open), (vec![], 8_193, 1, 0));
    });
}

#[test]
fn each_record_says_from_where_and_its_tenant_reads_it() {
    run(async {
        let trusted = vec!["127.0.0.1/32".parse().unwrap()];
        let config = HttpConfig { trusted_proxies: trusted, ..HttpConfig::default() };
        let (house, writer) = house_unwritten_with("trail-from", "trail_from", config.clone()).await;
        let writer = tokio::spawn(writer.run());
        let audits = mint_api_key([204; 24]).expose().to_owned();
        add_key(&house.store, &house.a.id, &audits, &["audit:read"], None).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listener");
        let address = listener.local_addr().expect("address");
        let (stop, stopped) = oneshot::channel::<()>();
        let router = house.router.clone();
        let serving = tokio::spawn(serve(listener, router, config, None, async { drop(stopped.await) }));
        let cases = [
            (1, "x-forwarded-for: 198.51.100.7\r\n", "198.51.100.7"),
            (1, "x-forwarded-for: 203.0.113.9, 198.51.100.7:4711\r\n", "198.51.100.7"),
            (1, "x-forwarded-for: [2001:db8::9]:443\r\n", "2001:db8::9"),
            (1, "x-forwarded-for: tsk_no-address\r\n", ""),
            (1, "", "127.0.0.1"),
            (2, "x-forwarded-for: 198.51.100.7\r\n", "127.0.0.2"),
            (2, "forwarded: for=198.51.100.7\r\nx-real-ip: 198.51.100.7\r\n", "127.0.0.2"),
        ];
        for (from, headers, _) in cases {
            let socket = TcpSocket::new_v4().expect("socket");
            socket.bind(SocketAddr::from(([127, 0, 0, from], 0))).expect("bound");
            let mut stream = socket.connect(address).await.expect("connection");
            let key = &house.a.key;
            let request = format!(
                "GET /v1/audit HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n{headers}connection: close\r\n\r\n"
            );
            stream.write_all(request.as_bytes()).await.expect("sent");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("answered");
            assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        }
        let records = written("trail_from", cases.len()).await;
        let expected: Vec<&str> = cases.iter().map(|(.., client)| *client).collect();
        assert_eq!(records.iter().map(|record| record.client.as_str()).collect::<Vec<_>>(), expected);
        let from = TrailFilter { client: Some("198.51.100.7".into()), ..TrailFilter::default() };
        assert_eq!(auditor("trail_from").await.trail(&from, 10).await.expect("found").len(), 2);
        let own = house.get_with(&audits, "/v1/security-audit", &[]).await.json();
        let own: Vec<&str> =
            own["records"].as_array().unwrap().iter().rev().filter_map(|it| it["client"].as_str()).collect();
        assert_eq!(own, expected);
        drop(stop);
        serving.await.expect("stops");
        drop(house);
        writer.await.expect("the writer ends");
        assert_eq!(verified("trail_from").await.breaks, vec![]);
    });
}
