//! Hostile downloads in one counted table: where a link or a redirect leads, and what comes back from there.
//!
//! Each address is tried twice, as the link and behind a redirect of the API, and must not be connected to.

use std::time::{Duration, Instant};

use crate::server::{Answer, Server, redirect, status};
use terrasift_secrets::Secret;
use terrasift_terraform_cloud::{Client, ClientConfig, DownloadUrl, FailureKind, TfcError};

const STATE: &str = r#"{"version":4}"#;
/// Cases of the table. It grows, and says so.
const CASES: usize = 284;

/// Hosts that are this machine, this network, its cloud, or nobody's.
const HOSTS: &[&str] = &[
    // this network, loopback, and their spellings
    "0.0.0.0",
    "0.1.2.3",
    "0",
    "127.0.0.1",
    "127.255.255.254",
    "127.1",
    "127.0.1",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "0x7F.0.0.0x1",
    "127.0.0.1.",
    "%31%32%37.0.0.1",
    "１２７.0.0.1",
    "127。0。0。1",
    // private networks
    "10.0.0.1",
    "10.255.255.255",
    "167772161",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.255.255",
    "0xc0a80001",
    // carrier-grade NAT, and the metadata inside it
    "100.64.0.1",
    "100.127.255.255",
    "100.100.100.200",
    // link-local and metadata
    "169.254.0.1",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.169.254.",
    "169.254.170.2",
    "168.63.129.16",
    "192.0.0.192",
    // protocol assignments, documentation, benchmarks, relays, multicast, reserved
    "192.0.0.1",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "198.18.0.1",
    "198.19.255.255",
    "192.88.99.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    // IPv6
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[fe80::1]",
    "[febf::1]",
    "[fec0::1]",
    "[fc00::1]",
    "[fdff::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[ff0e::1]",
    "[100::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[2001:2::1]",
    "[2001:10::1]",
    "[4000::1]",
    "[5f00::1]",
    // IPv4 in IPv6: mapped, compatible, translated, NAT64 of both prefixes, 6to4, Teredo, ISATAP on a local prefix
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:0:127.0.0.1]",
    "[::127.0.0.1]",
    "[::a9fe:a9fe]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b::10.0.0.1]",
    "[64:ff9b:1::8.8.8.8]",
    "[64:ff9b:1::a9fe:a9fe]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2002:0a00:1::]",
    "[2001::1]",
    "[2001:0:7f00:1::]",
    "[fe80::5efe:127.0.0.1]",
    // names
    "localhost",
    "LOCALHOST",
    "localhost.",
    "x.localhost",
    "localhost.localdomain",
    "printer.local",
    "metadata",
    "metadata.google.internal",
    "metadata.google.internal.",
    "instance-data.ec2.internal",
    "kubernetes",
    "postgres",
    "ⓛocalhost",
];

/// Links that are refused whatever their host.
const LINKS: &[(&str, FailureKind)] = &[
    ("file:///etc/passwd", FailureKind::GuardRefused),
    ("file://localhost/etc/passwd", FailureKind::GuardRefused),
    ("ftp://8.8.8.8/x", FailureKind::GuardRefused),
    ("gopher://8.8.8.8/_x", FailureKind::GuardRefused),
    ("ldap://8.8.8.8/x", FailureKind::GuardRefused),
    ("dict://8.8.8.8:11211/stats", FailureKind::GuardRefused),
    ("data:text/plain,{}", FailureKind::GuardRefused),
    ("javascript:alert(1)", FailureKind::GuardRefused),
    ("unix:///var/run/docker.sock", FailureKind::GuardRefused),
    ("http+unix://%2Fvar%2Frun%2Fdocker.sock/x", FailureKind::GuardRefused),
    ("jar:http://8.8.8.8/x!/", FailureKind::GuardRefused),
    ("ws://8.8.8.8/", FailureKind::GuardRefused),
    ("http://user@8.8.8.8/", FailureKind::GuardRefused),
    ("http://user:password@8.8.8.8/", FailureKind::GuardRefused),
    ("http://:password@8.8.8.8/", FailureKind::GuardRefused),
    ("http://8.8.8.8@127.0.0.1/", FailureKind::GuardRefused),
    ("http://127.0.0.1\\@8.8.8.8/", FailureKind::GuardRefused),
    ("http://203.0.113.1#@8.8.8.8/", FailureKind::GuardRefused),
    ("http://[::1", FailureKind::BadBody),
    ("http://[fe80::1%25lo]/", FailureKind::BadBody),
    ("http://127.0.0.1:99999/", FailureKind::BadBody),
    ("http://256.256.256.256/", FailureKind::BadBody),
    ("http://1.2.3.4.5/", FailureKind::BadBody),
    ("http://a b/", FailureKind::BadBody),
    ("http://%00/", FailureKind::BadBody),
    ("http:///", FailureKind::BadBody),
];

struct World {
    api: Server,
    foreign: Server,
    config: ClientConfig,
}

impl World {
    async fn start() -> Self {
        let (api, foreign) = (Server::start().await, Server::start().await);
        let tokens = vec![Secret::new("toxic-1".to_owned())];
        let mut config = ClientConfig::new(api.address.parse().expect("address"), tokens);
        config.allow_http = true;
        config.timeouts.connect = Duration::from_millis(200);
        config.timeouts.request = Duration::from_millis(500);
        config.timeouts.read_idle = Duration::from_millis(500);
        config.timeouts.download = Duration::from_millis(1_500);
        Self { api, foreign, config }
    }

    /// How many bytes came, or why not.
    async fn fetch(&self, url: &str) -> Result<usize, FailureKind> {
        let client = Client::new(self.config.clone()).expect("client");
        let got = async {
            let mut download = client.download(&DownloadUrl::new(url)).await?;
            let mut bytes = 0;
            while let Some(chunk) = download.next_chunk().await? {
                bytes += chunk.len();
            }
            Ok::<_, TfcError>(bytes)
        };
        got.await.map_err(|error| {
            let text = format!("{error} {error:?}");
            for told in ["toxic", "http", "127.0.0.1", "object"] {
                assert!(!text.contains(told), "`{told}` in: {text}");
            }
            error.kind()
        })
    }
}

/// Where a link leads, and where a redirect does. Returns the number of cases.
async fn places(wrong: &mut Vec<String>) -> usize {
    let world = World::start().await;
    let port = world.foreign.address.rsplit(':').next().expect("port").to_owned();
    let hosts = HOSTS.iter().map(|host| (format!("http://{host}:{port}/object"), FailureKind::GuardRefused));
    let links = LINKS.iter().map(|(link, expected)| ((*link).to_owned(), *expected));
    let all: Vec<_> = hosts.chain(links).collect();
    for (link, expected) in &all {
        let direct = world.fetch(link).await;
        world.api.on("/hop", redirect(302, link));
        let behind = world.fetch("/hop").await;
        for (how, got) in [("direct", direct), ("behind a redirect", behind)] {
            if got != Err(*expected) {
                wrong.push(format!("{link}, {how}: {got:?}, expected {expected:?}"));
            }
        }
    }
    assert!(world.foreign.asked().is_empty(), "nothing was asked there");
    all.len() * 2
}

fn raw(head: &str, body: &str) -> Answer {
    Answer::Bytes(format!("HTTP/1.1 200 OK\r\n{head}\r\n{body}").into_bytes())
}

/// A name, an answer, and how many bytes or which failure is made of it.
type Answered = (&'static str, Answer, Result<usize, FailureKind>);

/// Bodies and heads that are not what they say: name, answer, what is made of it.
fn lengths() -> Vec<Answered> {
    use FailureKind::{Connection, Timeout, Truncated};
    let size = STATE.len();
    let length = |bytes: &str| raw(&format!("content-length: {bytes}\r\n"), STATE);
    let chunked = |body: &str| raw("transfer-encoding: chunked\r\n", body);
    vec![
        ("a state", Answer::Bytes(status(200, "", STATE)), Ok(size)),
        ("a length one long", length(&(size + 1).to_string()), Err(Truncated)),
        ("a length beyond all memory", length("18446744073709551000"), Err(Truncated)),
        ("a length one short: the rest is not read", length(&(size - 1).to_string()), Ok(size - 1)),
        ("a length that is none", length("many"), Err(Connection)),
        ("a negative length", length("-1"), Err(Connection)),
        (
            "two lengths that differ",
            raw("content-length: 13\r\ncontent-length: 5\r\n", STATE),
            Err(Connection),
        ),
        ("a length of nothing at all", length("0"), Ok(0)),
        ("chunks without an end", chunked(&format!("{size:x}\r\n{STATE}\r\n")), Err(Truncated)),
        ("a chunk that is cut", chunked(&format!("ff\r\n{STATE}")), Err(Truncated)),
        ("a chunk whose size is no number", chunked(&format!("zz\r\n{STATE}\r\n0\r\n\r\n")), Err(Truncated)),
        ("a chunk beyond all numbers", chunked("fffffffffffffffff\r\n{"), Err(Truncated)),
        (
            "a body that hangs",
            Answer::Hang(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec()),
            Err(Timeout),
        ),
        ("a head that hangs", Answer::Hang(b"HTTP/1.1 200 OK\r\nx: ".to_vec()), Err(Timeout)),
        ("nothing", Answer::Hang(vec![]), Err(Timeout)),
        ("an end at once", Answer::Bytes(vec![]), Err(Connection)),
        ("no HTTP", Answer::Bytes(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec()), Err(Connection)),
        (
            "a head without end",
            Answer::Bytes([b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'y'; 2 << 20]].concat()),
            Err(Connection),
        ),
        ("a thousand headers", raw(&"x: y\r\n".repeat(1_000), ""), Err(Connection)),
    ]
}

/// What comes back whole, and is no state.
fn no_states() -> Vec<Answered> {
    use FailureKind::{BadBody, Expired, GuardRefused, RateLimited, Upstream};
    let size = STATE.len();
    let refused = |code| Answer::Bytes(status(code, "", "toxic"));
    let encoded = |name: &str| Answer::Bytes(status(200, &format!("content-encoding: {name}\r\n"), STATE));
    vec![
        ("gzip", encoded("gzip"), Err(BadBody)),
        (
            "a bomb of gzip",
            Answer::Bytes(status(200, "content-encoding: gzip\r\n", &"\u{1f}".repeat(1 << 20))),
            Err(BadBody),
        ),
        ("brotli", encoded("br"), Err(BadBody)),
        ("deflate in other letters", encoded("DEFLATE"), Err(BadBody)),
        ("two encodings", encoded("gzip, gzip"), Err(BadBody)),
        (
            "a page for people",
            Answer::Bytes(status(200, "content-type: text/html\r\n", "<html>")),
            Err(BadBody),
        ),
        ("a part", Answer::Bytes(status(206, "content-range: bytes 0-5/99\r\n", "{")), Err(Upstream(206))),
        ("a link that has expired, 403", refused(403), Err(Expired)),
        ("a link that has expired, 404", refused(404), Err(Expired)),
        ("a link that has expired, 410", refused(410), Err(Expired)),
        ("who are you", refused(401), Err(Upstream(401))),
        (
            "too many",
            Answer::Bytes(status(429, "x-ratelimit-reset: 1e9\r\n", "")),
            Err(RateLimited(Duration::from_secs(300))),
        ),
        ("broken", refused(503), Err(Upstream(503))),
        ("a redirect to itself", redirect(302, "/object"), Err(GuardRefused)),
        ("a redirect without a place", Answer::Bytes(status(302, "", "")), Err(BadBody)),
        (
            "a redirect to two places",
            Answer::Bytes(status(302, "location: http://[\r\nlocation: /x\r\n", "")),
            Err(BadBody),
        ),
        (
            "a redirect of no known kind",
            Answer::Bytes(status(300, "location: /x\r\n", "")),
            Err(Upstream(300)),
        ),
        (
            "a proxy to use",
            Answer::Bytes(status(305, "location: http://127.0.0.1:1/\r\n", "")),
            Err(Upstream(305)),
        ),
        (
            "a wait by a header",
            Answer::Bytes(status(200, "refresh: 0; url=http://127.0.0.1:1/\r\n", STATE)),
            Ok(size),
        ),
    ]
}

async fn contents(wrong: &mut Vec<String>) -> usize {
    let mut world = World::start().await;
    world.config.allow_private_downloads = true;
    let all: Vec<_> = lengths().into_iter().chain(no_states()).collect();
    let total = all.len();
    for (name, answer, expected) in all {
        world.foreign.on("/object", answer);
        let started = Instant::now();
        let got = world.fetch(&format!("{}/object", world.foreign.address)).await;
        if got != expected {
            wrong.push(format!("{name}: {got:?}, expected {expected:?}"));
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{name}: bounded");
    }
    let asked = world.foreign.asked();
    let told = asked.iter().filter(|asked| asked.bearer.is_some() || asked.head.contains("toxic"));
    assert_eq!(told.count(), 0, "no token across origins");
    assert!(
        asked.iter().all(|asked| asked.head.contains("accept-encoding: identity")),
        "nothing packed is asked for"
    );
    total
}

#[tokio::test]
async fn hostile_downloads_end_in_the_one_right_way() {
    let mut wrong = Vec::new();
    let total = places(&mut wrong).await + contents(&mut wrong).await;
    assert!(wrong.is_empty(), "{} of {total}:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(total, CASES, "the table is counted");
}
