//! Connections over real sockets: slow, large and many clients, and the shutdown.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use terrasift_http::{HttpConfig, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::house::{House, house_with, run};

const PATIENCE: Duration = Duration::from_secs(30);

struct Served {
    house: House,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

async fn served(name: &str, config: HttpConfig) -> Served {
    let house = house_with(name, config.clone(), None).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listener");
    let address = listener.local_addr().expect("address");
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async { drop(stopped.await) };
    let ended = tokio::spawn(serve(listener, house.router.clone(), config, None, shutdown));
    Served { house, address, stop, ended }
}

impl Served {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("connection")
    }

    async fn stop(self) {
        drop(self.stop);
        timeout(PATIENCE, self.ended).await.expect("stops in time").expect("stops without a panic");
    }
}

/// All that comes until the server closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset after the answer is as good as a close.
    drop(timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the server closes"));
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn exchange(served: &Served, request: &[u8]) -> String {
    let mut stream = served.connect().await;
    drop(stream.write_all(request).await);
    rest(&mut stream).await
}

#[test]
fn a_head_that_never_ends_is_cut() {
    run(async {
        let config = HttpConfig { header_read_timeout: Duration::from_millis(300), ..HttpConfig::default() };
        let served = served("serve-slow", config).await;
        for start in ["", "GET /healthz HTTP/1.1\r\n", "GET /healthz HTTP/1.1\r\nhost: x\r\nx: "] {
            let mut stream = served.connect().await;
            stream.write_all(start.as_bytes()).await.expect("written");
            let started = Instant::now();
            rest(&mut stream).await;
            assert!(started.elapsed() < Duration::from_secs(10), "cut in time: {start:?}");
        }
        let large = format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(64 * 1024));
        assert!(exchange(&served, large.as_bytes()).await.starts_with("HTTP/1.1 431"), "a head is bounded");
        served.stop().await;
    });
}

/// One answer on a connection that stays open: its head, and a body as long as the head says.
async fn answer(stream: &mut TcpStream) -> String {
    let (mut text, mut bytes) = (String::new(), [0; 4096]);
    loop {
        let read = timeout(PATIENCE, stream.read(&mut bytes)).await.expect("in time").expect("readable");
        assert!(read > 0, "closed in the middle of an answer: {text}");
        text.push_str(&String::from_utf8_lossy(&bytes[..read]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length.map_or(0, |length| length.parse().expect("a number")) {
            return text;
        }
    }
}

#[test]
fn who_sent_a_valid_key_may_be_silent_for_longer_than_a_stranger() {
    run(async {
        let (short, long) = (Duration::from_millis(300), Duration::from_secs(3));
        let config = HttpConfig { header_read_timeout: short, idle_timeout: long, ..HttpConfig::default() };
        let served = served("serve-silence", config).await;
        let asks = |path: &str, key: &str| {
            format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\r\n")
        };
        let probe = asks("/healthz", "none");
        let cases = [
            ("a probe", vec![probe.clone()], false),
            ("a wrong key", vec![asks("/v1/changes", "wrong")], false),
            ("a key", vec![asks("/v1/changes?limit=1", &served.house.a.key)], true),
            ("a key, then a probe", vec![asks("/v1/changes?limit=1", &served.house.a.key), probe], true),
        ];
        for (name, requests, kept) in cases {
            let mut stream = served.connect().await;
            for request in requests {
                stream.write_all(request.as_bytes()).await.expect("written");
                answer(&mut stream).await;
            }
            let silent = Instant::now();
            assert_eq!(rest(&mut stream).await, "", "{name}: closed without a word");
            assert_eq!(silent.elapsed() >= Duration::from_secs(2), kept, "{name}: {:?}", silent.elapsed());
        }
        served.stop().await;
    });
}

#[test]
fn a_body_that_never_ends_is_answered() {
    run(async {
        let config = HttpConfig { request_timeout: Duration::from_millis(400), ..HttpConfig::default() };
        let served = served("serve-body", config).await;
        let mut stream = served.connect().await;
        let head = "POST /v1/webhooks/terraform-cloud/x HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{";
        stream.write_all(head.as_bytes()).await.expect("written");
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains("request_timeout"));
        served.stop().await;
    });
}

#[test]
fn ten_megabytes_get_their_413_over_a_socket() {
    run(async {
        let served = served("serve-large", HttpConfig::default()).await;
        let path = format!(
            "POST /v1/webhooks/terraform-cloud/{} HTTP/1.1\r\nhost: x\r\nconnection: close",
            served.house.a.slug
        );
        let body = vec![b'x'; 10_000_000];
        let mut whole = format!("{path}\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
        whole.extend(&body);
        let mut chunked =
            format!("{path}\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n", body.len()).into_bytes();
        chunked.extend(&body);
        chunked.extend(b"\r\n0\r\n\r\n");
        let expecting =
            format!("{path}\r\ncontent-length: 10000000\r\nexpect: 100-continue\r\n\r\n").into_bytes();
        let announced = format!("{path}\r\ncontent-length: 99999999999\r\n\r\n").into_bytes();
        for (name, request) in
            [("whole", whole), ("chunked", chunked), ("expecting", expecting), ("announced", announced)]
        {
            let answer = exchange(&served, &request).await;
            assert!(answer.starts_with("HTTP/1.1 413"), "{name}: {answer}");
            assert!(answer.contains("\"code\":\"body_too_large\""), "{name}: {answer}");
        }
        served.stop().await;
    });
}

#[test]
fn connections_above_the_cap_wait_for_a_place() {
    run(async {
        let config = HttpConfig { max_connections: 2, ..HttpConfig::default() };
        let served = served("serve-cap", config).await;
        let held = [served.connect().await, served.connect().await];
        let mut third = served.connect().await;
        third
            .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .await
            .expect("written");
        let mut byte = [0; 1];
        let early = timeout(Duration::from_millis(300), third.read(&mut byte)).await;
        assert!(early.is_err(), "no answer above the cap");
        drop(held);
        assert!(rest(&mut third).await.starts_with("HTTP/1.1 200"), "served when a place is free");
        served.stop().await;
    });
}

#[test]
fn a_shutdown_ends_long_polls_with_an_answer() {
    run(async {
        let served = served("serve-drain", HttpConfig::default()).await;
        let mut polling = served.connect().await;
        let request = format!(
            "GET /v1/changes?wait=60 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
            served.house.a.key
        );
        polling.write_all(request.as_bytes()).await.expect("written");
        let idle = served.connect().await;
        let in_flight = || {
            let families = served.house.registry.gather();
            let family = families.iter().find(|family| family.name() == "terrasift_http_requests_in_flight");
            family.map_or(0.0, |family| family.get_metric()[0].get_gauge().get_value())
        };
        let deadline = Instant::now() + PATIENCE;
        while in_flight() < 1.0 {
            assert!(Instant::now() < deadline, "the long-poll arrives");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let started = Instant::now();
        served.stop().await;
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "the drain waits for no poll and no idle connection"
        );
        let answer = rest(&mut polling).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("next_cursor"), "the poll got its page");
        drop(idle);
    });
}
