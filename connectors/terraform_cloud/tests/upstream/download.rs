//! Downloads against two hand-made servers: the API's origin and a foreign one.

use std::time::{Duration, Instant};

use crate::server::{Answer, Server, redirect, status};
use terrasift_secrets::{CurrentSecret, Secret};
use terrasift_terraform_cloud::{Client, ClientConfig, DownloadUrl, FailureKind, TfcError};

const STATE: &str = r#"{"version":4,"toxic":true}"#;

struct World {
    api: Server,
    foreign: Server,
    config: ClientConfig,
}

impl World {
    async fn start() -> Self {
        let (api, foreign) = (Server::start().await, Server::start().await);
        let tokens = vec![Secret::new("toxic-1".to_owned()), Secret::new("toxic-2".to_owned())];
        let mut config = ClientConfig::new(api.address.parse().expect("address"), tokens);
        config.allow_http = true;
        config.allow_private_downloads = true;
        config.timeouts.request = Duration::from_millis(500);
        config.timeouts.read_idle = Duration::from_millis(500);
        Self { api, foreign, config }
    }

    fn foreign(&self, path: &str) -> String {
        format!("{}{path}", self.foreign.address)
    }

    /// Downloads all of it.
    async fn fetch(&self, url: &str) -> Result<String, TfcError> {
        let client = Client::new(self.config.clone()).expect("client");
        let mut download = client.download(&DownloadUrl::new(url)).await?;
        let mut bytes = Vec::new();
        while let Some(chunk) = download.next_chunk().await? {
            assert!(!chunk.is_empty());
            bytes.extend_from_slice(&chunk);
        }
        assert!(download.next_chunk().await.is_ok_and(|end| end.is_none()), "the end stays the end");
        Ok(String::from_utf8(bytes).expect("text"))
    }

    async fn fails(&self, url: &str) -> FailureKind {
        let error = self.fetch(url).await.expect_err("a failure");
        let text = format!("{error} {error:?}");
        for secret in ["toxic", "http", "127.0.0.1", "v1/object"] {
            assert!(!text.contains(secret), "`{secret}` in: {text}");
        }
        error.kind()
    }
}

fn state(headers: &str) -> Answer {
    Answer::Bytes(status(200, headers, STATE))
}

#[tokio::test]
async fn the_token_goes_to_the_apis_origin_only_and_never_along_a_redirect() {
    let world = World::start().await;
    world.foreign.on("/v1/object/toxic", state(""));
    world.api.on("/relative", state(""));
    world.api.on("/to-foreign", redirect(302, &world.foreign("/v1/object/toxic")));
    world.api.on("/to-own", redirect(307, "/relative?moved"));
    world.foreign.on("/to-api", redirect(303, &format!("{}/relative?back", world.api.address)));

    for url in [
        &world.foreign("/v1/object/toxic"),
        "/relative",
        &format!("{}/relative?absolute", world.api.address),
        "/to-foreign",
        "/to-own",
        &world.foreign("/to-api"),
    ] {
        assert_eq!(world.fetch(url).await.as_deref(), Ok(STATE), "{url}");
    }
    let with_token: Vec<_> =
        world.api.asked().into_iter().filter(|a| a.bearer.is_some()).map(|a| a.target).collect();
    assert_eq!(with_token, ["/relative", "/relative?absolute", "/to-foreign", "/to-own"]);
    assert_eq!(world.api.asked().len(), 6, "and without: /relative?moved, /relative?back");
    for asked in world.foreign.asked() {
        assert!(!asked.head.contains("toxic-") && !asked.head.contains("authorization"), "{}", asked.target);
        assert!(!asked.head.contains("referer") && !asked.head.contains("cookie"));
    }
}

#[tokio::test]
async fn statuses_of_a_download_become_their_kinds() {
    use FailureKind::{BadBody, Expired, RateLimited, Upstream};
    let world = World::start().await;
    let cases = [
        ("403", Answer::Bytes(status(403, "", "toxic")), Expired),
        ("404", Answer::Bytes(status(404, "", "toxic")), Expired),
        ("410", Answer::Bytes(status(410, "", "toxic")), Expired),
        ("401 of a stranger", Answer::Bytes(status(401, "", "toxic")), Upstream(401)),
        (
            "429",
            Answer::Bytes(status(429, "x-ratelimit-reset: 2.5\r\n", "")),
            RateLimited(Duration::from_millis(2500)),
        ),
        ("500", Answer::Bytes(status(500, "", "toxic")), Upstream(500)),
        ("206", Answer::Bytes(status(206, "content-range: bytes 0-25/99\r\n", STATE)), Upstream(206)),
        ("204", Answer::Bytes(status(204, "", "")), Upstream(204)),
        ("304", Answer::Bytes(status(304, "", "")), Upstream(304)),
        ("gzip that nobody asked for", state("content-encoding: gzip\r\n"), BadBody),
        ("a page for people", state("content-type: Text/HTML; charset=utf-8\r\n"), BadBody),
        ("a redirect to nowhere", Answer::Bytes(status(302, "", "")), BadBody),
        ("a redirect to no URL", redirect(302, "http://[toxic"), BadBody),
    ];
    for (case, answer, expected) in cases {
        world.foreign.on("/v1/object/toxic", answer);
        assert_eq!(world.fails(&world.foreign("/v1/object/toxic")).await, expected, "{case}");
    }
    assert_eq!(world.fails("http://[toxic").await, BadBody, "no URL");
}

#[tokio::test]
async fn a_refused_token_on_the_apis_origin_makes_way_for_the_next() {
    let world = World::start().await;
    world.api.on("/relative", Answer::ByToken(vec![("toxic-2", status(200, "", STATE))]));
    let client = Client::new(world.config.clone()).expect("client");
    let url = DownloadUrl::new("/relative");
    assert_eq!(client.download(&url).await.err().map(|e| e.kind()), Some(FailureKind::TokenRefused));
    assert!(client.download(&url).await.is_ok());
}

#[tokio::test]
async fn a_length_that_is_not_kept_is_truncation() {
    let head =
        |length: usize| format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{STATE}").into_bytes();
    let chunked =
        |body: &str| format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{body}").into_bytes();
    let plain = |body: &str| format!("HTTP/1.1 200 OK\r\n\r\n{body}").into_bytes();
    let size = STATE.len();
    let cases: Vec<(&str, Answer, Result<&str, FailureKind>)> = vec![
        ("kept", Answer::Bytes(head(size)), Ok(STATE)),
        ("cut by one", Answer::Bytes(head(size + 1)), Err(FailureKind::Truncated)),
        (
            "cut before the first byte",
            Answer::Bytes(head(size).drain(..head(size).len() - size).collect()),
            Err(FailureKind::Truncated),
        ),
        ("longer than declared: the rest is not read", Answer::Bytes(head(11)), Ok(&STATE[..11])),
        ("chunked", Answer::Bytes(chunked(&format!("{size:x}\r\n{STATE}\r\n0\r\n\r\n"))), Ok(STATE)),
        (
            "chunked without its end",
            Answer::Bytes(chunked(&format!("{size:x}\r\n{STATE}\r\n"))),
            Err(FailureKind::Truncated),
        ),
        (
            "chunked, cut inside",
            Answer::Bytes(chunked(&format!("ff\r\n{STATE}"))),
            Err(FailureKind::Truncated),
        ),
        ("no length at all: the end is the end", Answer::Bytes(plain(STATE)), Ok(STATE)),
        ("silent in the middle", Answer::Hang(head(size + 1)), Err(FailureKind::Timeout)),
        ("silent from the start", Answer::Hang(vec![]), Err(FailureKind::Timeout)),
    ];
    let world = World::start().await;
    for (case, answer, expected) in cases {
        world.foreign.on("/v1/object/toxic", answer);
        let url = world.foreign("/v1/object/toxic");
        let started = Instant::now();
        match expected {
            Ok(text) => assert_eq!(world.fetch(&url).await.as_deref(), Ok(text), "{case}"),
            Err(kind) => assert_eq!(world.fails(&url).await, kind, "{case}"),
        }
        assert!(started.elapsed() < Duration::from_secs(5), "{case}: bounded");
    }
}

#[tokio::test]
async fn the_guard_stands_at_every_hop() {
    let mut world = World::start().await;
    world.config.allow_private_downloads = false;
    // The API's own origin is trusted by configuration, though it is private here.
    world.api.on("/own", state(""));
    assert_eq!(world.fetch("/own").await.as_deref(), Ok(STATE));

    let port = world.foreign.address.rsplit(':').next().expect("port").to_owned();
    for host in [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::]",
        "169.254.169.254",
        "10.0.0.1",
        "100.64.0.1",
        "[fd00:ec2::254]",
        "x.localhost",
        "metadata.google.internal",
    ] {
        let url = format!("http://{host}:{port}/v1/object/toxic");
        assert_eq!(world.fails(&url).await, FailureKind::GuardRefused, "{host}, direct");
        world.api.on("/hop", redirect(302, &url));
        assert_eq!(world.fails("/hop").await, FailureKind::GuardRefused, "{host}, by redirect");
    }
    for url in
        ["file:///etc/passwd", "ftp://8.8.8.8/x", "gopher://8.8.8.8/x", "http://u:p@8.8.8.8/x", "data:,x"]
    {
        assert_eq!(world.fails(url).await, FailureKind::GuardRefused, "{url}, direct");
        world.api.on("/hop", redirect(302, url));
        assert_eq!(world.fails("/hop").await, FailureKind::GuardRefused, "{url}, by redirect");
    }
    assert!(world.foreign.asked().is_empty(), "nothing was asked there");

    world.config.allow_private_downloads = true;
    world.foreign.on("/v1/object/toxic", state(""));
    let url = format!("http://localhost:{port}/v1/object/toxic");
    assert_eq!(world.fetch(&url).await.as_deref(), Ok(STATE), "allowed on purpose");
}

#[tokio::test]
async fn three_redirects_are_followed_and_a_fourth_is_not() {
    let world = World::start().await;
    world.foreign.on("/0", state(""));
    for hop in 1..=4 {
        world.foreign.on(&format!("/{hop}"), redirect(301, &format!("/{}", hop - 1)));
    }
    assert_eq!(world.fetch(&world.foreign("/3")).await.as_deref(), Ok(STATE));
    assert_eq!(world.fails(&world.foreign("/4")).await, FailureKind::GuardRefused);
    world.foreign.on("/loop", redirect(308, "/loop"));
    assert_eq!(world.fails(&world.foreign("/loop")).await, FailureKind::GuardRefused);
}

#[tokio::test]
async fn plain_http_is_refused_unless_allowed() {
    let world = World::start().await;
    let mut config = world.config.clone();
    config.address = "https://app.terraform.io".parse().expect("address");
    config.allow_http = false;
    let client = Client::new(config).expect("client");
    let opened = client.download(&DownloadUrl::new(&world.foreign("/v1/object/toxic"))).await;
    assert_eq!(opened.err().map(|e| e.kind()), Some(FailureKind::GuardRefused));
    assert!(world.foreign.asked().is_empty());
}

#[tokio::test]
async fn a_large_state_streams_and_a_drip_ends_at_the_deadline() {
    let mut world = World::start().await;
    let large = "x".repeat(8 * 1024 * 1024);
    world.foreign.on("/large", Answer::Bytes(status(200, "", &large)));
    assert_eq!(world.fetch(&world.foreign("/large")).await.map(|text| text.len()), Ok(large.len()));

    world.config.timeouts.download = Duration::from_millis(300);
    world.config.timeouts.read_idle = Duration::from_secs(60);
    world.foreign.on("/drip", Answer::Hang(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec()));
    let started = Instant::now();
    assert_eq!(world.fails(&world.foreign("/drip")).await, FailureKind::Timeout);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_rotated_token_is_used_by_the_next_download_and_counts_as_another_user() {
    let mut world = World::start().await;
    let primary = CurrentSecret::from(Secret::new("toxic-1".to_owned()));
    world.config.tokens[0] = primary.clone();
    let rotate = |value: &str| primary.take(Secret::new(value.to_owned()), Duration::ZERO, Instant::now());
    let client = Client::new(world.config.clone()).expect("client");
    let url = DownloadUrl::new(&format!("{}/state", world.api.address));
    let open = async || client.download(&url).await.map(drop).map_err(|error| error.kind());
    let bearers = || world.api.asked().iter().filter_map(|asked| asked.bearer.clone()).collect::<Vec<_>>();

    world.api.on("/state", Answer::ByToken(vec![("toxic-new", status(200, "", STATE))]));
    let fingerprint = client.token_fingerprint();
    client.learn_user(&fingerprint, "user-1".into());
    assert_eq!(open().await, Err(FailureKind::TokenRefused));
    assert_eq!((client.active_token(), client.known_user()), (1, None));

    assert!(rotate("toxic-new"));
    assert_eq!(client.active_token(), 0, "what has rotated is tried again, however it was refused before");
    assert_eq!(client.known_user(), None, "whose the new one is has to be asked");
    assert_ne!(client.token_fingerprint(), fingerprint);
    assert_eq!(open().await, Ok(()));
    assert_eq!(bearers(), ["toxic-1", "toxic-new"]);
    client.learn_user(&fingerprint, "user-1".into());
    assert_eq!(client.known_user(), None, "what was said of the one before is not said of this one");

    assert!(rotate("toxic\nnew"));
    assert_eq!(open().await, Ok(()), "one that no header can carry is not taken");
    assert_eq!(bearers().last().map(String::as_str), Some("toxic-new"));
}

#[tokio::test]
async fn a_token_that_rotates_under_a_request_is_tried_as_it_is_now() {
    let mut world = World::start().await;
    let primary = CurrentSecret::from(Secret::new("toxic-1".to_owned()));
    world.config.tokens = vec![primary.clone()];
    let client = Client::new(world.config.clone()).expect("client");
    let url = DownloadUrl::new(&format!("{}/state", world.api.address));
    // The answer comes when the token has rotated.
    let (asked, turned) = (tokio::sync::Notify::new(), tokio::sync::Notify::new());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listener");
    let mut config = world.config.clone();
    config.address = format!("http://{}", listener.local_addr().expect("address")).parse().expect("address");
    let slow = Client::new(config.clone()).expect("client");
    let slow_url = DownloadUrl::new(&format!("{}state", config.address));
    let answer = async {
        let (mut stream, _) = listener.accept().await.expect("a request");
        asked.notify_one();
        turned.notified().await;
        let refused = status(401, "", "{}");
        tokio::io::AsyncWriteExt::write_all(&mut stream, &refused).await.expect("answered");
    };
    let rotate = async {
        asked.notified().await;
        primary.take(Secret::new("toxic-new".to_owned()), Duration::ZERO, Instant::now());
        turned.notify_one();
    };
    let (refused, (), ()) = tokio::join!(slow.download(&slow_url), answer, rotate);
    let kind = refused.map(drop).expect_err("refused").kind();
    assert_eq!(kind, FailureKind::TokenRefused, "there is a token left: the new one");
    world.api.on("/state", Answer::ByToken(vec![("toxic-new", status(200, "", STATE))]));
    assert!(client.download(&url).await.is_ok());
}
