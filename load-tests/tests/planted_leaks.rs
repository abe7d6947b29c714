//! A secret is planted in each place in the way in which it would get there, and the search of the demo and the fault matrix finds it.
//!
//! What finds nothing proves nothing: so each place is also looked through without its leak, and holds what it must hold.

#![allow(clippy::unwrap_used, reason = "all of this crate is tests")]

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use prometheus::{IntCounterVec, Opts, Registry, TextEncoder};
use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use sqlx::{Connection, Executor, PgConnection};
use terrasift_kafka::EmbeddedKafka;
use terrasift_load_tests::generator::Canary;
use terrasift_load_tests::leak_search::{Leak, LeakSearch};
use terrasift_load_tests::places;
use terrasift_postgres::PrivatePostgres;
use terrasift_redis::PrivateRedis;

const PLANTED: &str = "toxic \"planted\"\\value-of-forty-two";
const ABSENT: &str = "toxic-and-never-written-anywhere";

fn search() -> LeakSearch {
    let canary =
        |text: &str, place| Canary { text: text.to_owned(), family: "token", category: "credential", place };
    LeakSearch::new(&[canary(PLANTED, "an attribute"), canary(ABSENT, "nowhere")])
}

/// The planted one is found there and nowhere else; the sentence tells where and how often, and not what.
fn found_in(search: LeakSearch, place: &str) -> Leak {
    let leaks = search.leaks();
    let [leak] = &Vec::from_iter(leaks)[..] else { panic!("not one leak") };
    assert_eq!((leak.canary, leak.found.as_str()), (0, place));
    assert!(leak.times >= 1);
    let told = leak.to_string();
    assert!(told.contains(place) && told.contains("token") && !told.contains("toxic"), "{told}");
    leak.clone()
}

fn nothing(search: LeakSearch) {
    assert_eq!(search.leaks(), BTreeSet::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_a_table_is_found_in_rows_and_files() {
    let postgres = PrivatePostgres::start(None).await.unwrap();
    let url = postgres.superuser_url();
    let mut conn = PgConnection::connect(&url).await.unwrap();
    conn.execute("CREATE TABLE kept (body text)").await.unwrap();
    let look = async || {
        let mut rows = search();
        places::rows(&mut rows, &postgres.program("pg_dump"), &url).await.unwrap();
        let mut files = search();
        places::postgres_files(&mut files, postgres.data_dir()).unwrap();
        (rows, files)
    };
    let (rows, files) = look().await;
    nothing(rows);
    nothing(files);
    // As a body is stored: JSON in a column.
    let body = serde_json::json!({ "spec": { "note": PLANTED } }).to_string();
    sqlx::query("INSERT INTO kept VALUES ($1)").bind(body).execute(&mut conn).await.unwrap();
    conn.execute("CHECKPOINT").await.unwrap();
    let (rows, files) = look().await;
    assert_eq!(found_in(rows, places::ROWS).times, 1);
    let found: Vec<_> = files.leaks().into_iter().map(|leak| leak.found).collect();
    assert_eq!(found, [places::TABLES, places::WRITE_AHEAD_LOG]);
    postgres.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_gone_is_found_in_the_write_ahead_log() {
    let postgres = PrivatePostgres::start(None).await.unwrap();
    let url = postgres.superuser_url();
    let mut conn = PgConnection::connect(&url).await.unwrap();
    conn.execute("CREATE TABLE gone (body text)").await.unwrap();
    sqlx::query("INSERT INTO gone VALUES ($1)").bind(PLANTED).execute(&mut conn).await.unwrap();
    // A new, empty file for the table; the log still tells what was in the old one.
    for statement in ["TRUNCATE gone", "CHECKPOINT"] {
        conn.execute(statement).await.unwrap();
    }
    let mut rows = search();
    places::rows(&mut rows, &postgres.program("pg_dump"), &url).await.unwrap();
    nothing(rows);
    let mut files = search();
    places::postgres_files(&mut files, postgres.data_dir()).unwrap();
    found_in(files, places::WRITE_AHEAD_LOG);
    postgres.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_and_a_value_of_redis_are_found() {
    let server = PrivateRedis::start(&[]).await.unwrap();
    let client = redis::Client::open(server.address()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let look = async || {
        let mut search = search();
        places::redis(&mut search, &server.address(), scratch.path()).await.unwrap();
        search
    };
    nothing(look().await);
    // Long and alike, as what is compressed where dumps are.
    let value = format!("{}{PLANTED}", "a".repeat(4_000));
    let plantings = [
        ("SET", vec!["planted".to_owned(), value]),
        ("SET", vec![format!("key:{PLANTED}"), "1".to_owned()]),
        ("HSET", vec!["hash".to_owned(), "field".to_owned(), PLANTED.to_owned()]),
        ("RPUSH", vec!["list".to_owned(), PLANTED.to_owned()]),
    ];
    for (command, arguments) in plantings {
        redis::cmd("FLUSHALL").exec_async(&mut connection).await.unwrap();
        redis::cmd(command).arg(&arguments).exec_async(&mut connection).await.unwrap();
        assert_eq!(found_in(look().await, places::REDIS).times, 1, "{command}");
    }
    redis::cmd("CONFIG").arg(&["SET", "rdbcompression", "yes"]).exec_async(&mut connection).await.unwrap();
    let refused = places::redis(&mut search(), &server.address(), scratch.path()).await.unwrap_err();
    assert!(refused.to_string().contains("compresses"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_kafka_is_found_by_its_key_header_or_value() {
    for part in ["key", "header", "value"] {
        let kafka = EmbeddedKafka::start(3).unwrap();
        let producer: FutureProducer =
            ClientConfig::new().set("bootstrap.servers", kafka.bootstrap()).create().unwrap();
        let pick = |wanted: &str| if part == wanted { PLANTED } else { "plain" };
        let harmless = FutureRecord::to("terraform-state-updated").key("plain").payload("plain");
        producer.send(harmless, Duration::from_secs(30)).await.unwrap();
        let mut before = search();
        places::records(&mut before, &kafka.bootstrap()).await.unwrap();
        nothing(before);
        let headers = OwnedHeaders::new().insert(Header { key: "note", value: Some(pick("header")) });
        let record = FutureRecord::to("sanitization-failed").key(pick("key")).payload(pick("value"));
        producer.send(record.headers(headers), Duration::from_secs(30)).await.unwrap();
        let mut after = search();
        places::records(&mut after, &kafka.bootstrap()).await.unwrap();
        assert_eq!(found_in(after, places::RECORDS).times, 1, "{part}");
    }
}

#[test]
fn a_line_of_a_log_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("replica-1");
    std::fs::create_dir(&below).unwrap();
    let look = || {
        let mut search = search();
        places::files(&mut search, folder.path(), ".log", "the replicas' logs").unwrap();
        search
    };
    std::fs::write(below.join("other.txt"), PLANTED).unwrap();
    nothing(look());
    let line = serde_json::json!({ "level": "WARN", "fields": { "message": "refused", "error": PLANTED } });
    std::fs::write(below.join("terrasift.log"), format!("{{}}\n{line}\n{line}\n")).unwrap();
    assert_eq!(found_in(look(), "the replicas' logs").times, 2);
}

/// Serves one answer; what the search says of it.
async fn looked_at(answer: Router) -> LeakSearch {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, answer).await });
    // Somebody else in this process may have chosen.
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    let response = reqwest::get(format!("{origin}/")).await.unwrap();
    let mut search = search();
    places::answer(&mut search, response, "an answer").await.unwrap();
    server.abort();
    search
}

#[tokio::test(flavor = "multi_thread")]
async fn a_metrics_label_is_found() {
    let metrics = |label: &str| {
        let registry = Registry::new();
        let counter = IntCounterVec::new(Opts::new("requests_total", "requests"), &["route"]).unwrap();
        registry.register(Box::new(counter.clone())).unwrap();
        counter.with_label_values(&[label]).inc();
        let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        Router::new().route("/", get(|| async { text }))
    };
    nothing(looked_at(metrics("/v1/changes")).await);
    assert_eq!(found_in(looked_at(metrics(PLANTED)).await, "an answer").times, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_searched_with_its_headers_whatever_its_status() {
    let problem = |detail: &str| serde_json::json!({ "detail": detail }).to_string();
    let (body, clean) = (problem(PLANTED), problem("none"));
    nothing(looked_at(Router::new().route("/", get(|| async { clean }))).await);
    let told = Router::new().route("/", get(|| async { (StatusCode::INTERNAL_SERVER_ERROR, body) }));
    assert_eq!(found_in(looked_at(told).await, "an answer").times, 1);
    let header = Router::new().route("/", get(|| async { ([("x-note", PLANTED)], "body") }));
    assert_eq!(found_in(looked_at(header).await, "an answer").times, 1);
}
