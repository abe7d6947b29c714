//! The API calls against a hand-made server: tokens, limits, bodies, pages.
//!
//! Every failure is searched for tokens, URLs and body text: none may be in it.

use std::time::{Duration, Instant};

use crate::server::{Answer, Server, ok, redirect, status};
use terrasift_schemas::{OrganizationName, WorkspaceId};
use terrasift_secrets::Secret;
use terrasift_terraform_cloud::{Client, ClientConfig, DownloadUrl, FailureKind, TfcError, Timeouts};

const WORKSPACE: &str = "/api/v2/workspaces/ws-1";
const LIST: &str = "/api/v2/organizations/acme/workspaces";
const ACCOUNT: &str = "/api/v2/account/details";

fn config(server: &Server, tokens: &[&str]) -> ClientConfig {
    let tokens = tokens.iter().map(|token| Secret::new((*token).to_owned())).collect();
    let mut config = ClientConfig::new(server.address.parse().expect("address"), tokens);
    config.allow_http = true;
    config.timeouts.request = Duration::from_millis(500);
    config
}

fn client(server: &Server) -> Client {
    Client::new(config(server, &["toxic-1"])).expect("client")
}

fn workspace() -> WorkspaceId {
    WorkspaceId::parse("ws-1").expect("id")
}

fn organization() -> OrganizationName {
    OrganizationName::parse("acme").expect("name")
}

/// The failure's kind, after looking for what must not be told.
#[track_caller]
fn kind<T>(server: &Server, result: Result<T, TfcError>) -> FailureKind {
    let error = result.err().expect("a failure");
    let text = format!("{error} {error:?} {}", error.what());
    for secret in ["toxic", "http", &server.address[7..], "127.0.0.1", "ws-1", "acme"] {
        assert!(!text.contains(secret), "`{secret}` in: {text}");
    }
    error.kind()
}

#[tokio::test]
async fn a_status_or_body_that_is_no_success_becomes_its_kind() {
    use FailureKind::{BadBody, NotFound, RateLimited, Unauthorized, Upstream};
    let ms = |ms| RateLimited(Duration::from_millis(ms));
    let cases: Vec<(&str, Answer, FailureKind)> = vec![
        ("401", Answer::Bytes(status(401, "", "toxic")), Unauthorized),
        ("403", Answer::Bytes(status(403, "", "toxic")), Upstream(403)),
        ("404", Answer::Bytes(status(404, "", r#"{"errors":[{"title":"toxic"}]}"#)), NotFound),
        ("429 with a reset", Answer::Bytes(status(429, "x-ratelimit-reset: 0.75\r\n", "toxic")), ms(750)),
        ("429 without", Answer::Bytes(status(429, "", "toxic")), ms(1000)),
        ("500", Answer::Bytes(status(500, "", "toxic")), Upstream(500)),
        ("503", Answer::Bytes(status(503, "", "toxic")), Upstream(503)),
        ("204", Answer::Bytes(status(204, "", "")), Upstream(204)),
        ("a redirect is not followed", redirect(302, "http://toxic.example/"), Upstream(302)),
        ("empty", ok(""), BadBody),
        ("no JSON", ok("<html>toxic</html>"), BadBody),
        ("cut JSON", ok(r#"{"data":{"id":"toxic"#), BadBody),
        ("another shape", ok(r#"{"data":[]}"#), BadBody),
        ("nested 10,000 deep", ok(&"[".repeat(10_000)), BadBody),
    ];
    for (case, answer, expected) in cases {
        let server = Server::start().await;
        server.on(WORKSPACE, answer);
        assert_eq!(kind(&server, client(&server).workspace(&workspace()).await), expected, "{case}");
        assert_eq!(server.asked().len(), 1, "{case}: asked once, never again");
    }
}

#[tokio::test]
async fn silence_and_broken_connections_are_told_apart_and_bounded() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"data\"".to_vec();
    let endless = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"dat\r\n".to_vec();
    let cases = [
        ("silence", Answer::Hang(vec![]), FailureKind::Timeout),
        ("silence after the head", Answer::Hang(head.clone()), FailureKind::Timeout),
        ("cut head", Answer::Bytes(b"HTTP/1.1 200".to_vec()), FailureKind::Connection),
        ("cut body", Answer::Bytes(head), FailureKind::Connection),
        ("cut chunks", Answer::Bytes(endless), FailureKind::Connection),
        ("nothing", Answer::Bytes(vec![]), FailureKind::Connection),
        ("no HTTP", Answer::Bytes(b"toxic toxic toxic\r\n\r\n".to_vec()), FailureKind::Connection),
    ];
    for (case, answer, expected) in cases {
        let server = Server::start().await;
        server.on(WORKSPACE, answer);
        let started = Instant::now();
        assert_eq!(kind(&server, client(&server).workspace(&workspace()).await), expected, "{case}");
        assert!(started.elapsed() < Duration::from_secs(5), "{case}: bounded");
    }
    let server = Server::start().await;
    let mut config = config(&server, &["toxic-1"]);
    config.address = "http://127.0.0.1:1".parse().expect("address");
    let refused = Client::new(config).expect("client").workspace(&workspace()).await;
    assert_eq!(kind(&server, refused), FailureKind::Connection, "nobody listens");
}

#[tokio::test]
async fn an_endless_body_is_cut_off() {
    let server = Server::start().await;
    let body = format!("{{\"data\":\"{}\"}}", "toxic ".repeat(6 * 1024 * 1024));
    server.on(WORKSPACE, ok(&body));
    let mut config = config(&server, &["toxic-1"]);
    config.timeouts = Timeouts::default();
    let client = Client::new(config).expect("client");
    assert_eq!(kind(&server, client.workspace(&workspace()).await), FailureKind::BadBody);
}

#[tokio::test]
async fn a_refused_token_makes_way_for_the_next_and_the_last_for_the_first() {
    let server = Server::start().await;
    let account = |user: &str| status(200, "", &format!(r#"{{"data":{{"id":"{user}","type":"users"}}}}"#));
    let client = Client::new(config(&server, &["toxic-1", "toxic-2", "toxic-3"])).expect("client");

    server.on(ACCOUNT, Answer::ByToken(vec![("toxic-3", account("user-3"))]));
    assert_eq!(kind(&server, client.account_user().await), FailureKind::TokenRefused);
    assert_eq!(kind(&server, client.account_user().await), FailureKind::TokenRefused);
    assert_eq!(client.account_user().await.as_deref(), Ok("user-3"));
    assert_eq!(client.clone().account_user().await.as_deref(), Ok("user-3"), "and stays");
    assert_eq!(client.active_token(), 2);

    server.on(ACCOUNT, Answer::ByToken(vec![("toxic-1", account("user-1"))]));
    assert_eq!(kind(&server, client.account_user().await), FailureKind::Unauthorized, "none is left");
    assert_eq!(client.account_user().await.as_deref(), Ok("user-1"), "starts over");

    let used: Vec<_> = server.asked().iter().map(|asked| asked.bearer.clone().unwrap_or_default()).collect();
    assert_eq!(
        used,
        ["toxic-1", "toxic-2", "toxic-3", "toxic-3", "toxic-3", "toxic-1"],
        "one request a call"
    );
}

#[tokio::test]
async fn the_user_behind_a_token_is_known_once_it_was_asked_for() {
    let server = Server::start().await;
    let account = |user: &str| status(200, "", &format!(r#"{{"data":{{"id":"{user}","type":"users"}}}}"#));
    let client = Client::new(config(&server, &["toxic-1", "toxic-2"])).expect("client");
    let fingerprint = client.token_fingerprint();
    assert_eq!(client.known_user(), None);
    assert!(!fingerprint.contains("toxic"), "{fingerprint}");

    // 404 is also "not allowed": the token stands for its user, and is not asked about again.
    server.on(ACCOUNT, Answer::Bytes(status(404, "", "toxic")));
    assert_eq!(client.account_user().await.ok(), Some(fingerprint.clone()));
    assert_eq!(client.known_user(), Some(fingerprint.clone()));

    // What may pass is not remembered, and a fallback token is another user's.
    server.on(WORKSPACE, Answer::Bytes(status(401, "", "toxic")));
    assert_eq!(kind(&server, client.workspace(&workspace()).await), FailureKind::TokenRefused);
    assert_eq!(client.known_user(), None, "of the token in use");
    assert_ne!(client.token_fingerprint(), fingerprint);
    server.on(ACCOUNT, Answer::Bytes(status(503, "", "toxic")));
    assert_eq!(kind(&server, client.account_user().await), FailureKind::Upstream(503));
    assert_eq!(client.known_user(), None);
    server.on(ACCOUNT, Answer::ByToken(vec![("toxic-2", account("user-2"))]));
    assert_eq!(client.account_user().await.as_deref(), Ok("user-2"));
    assert_eq!(client.known_user().as_deref(), Some("user-2"));

    // Another replica has asked before.
    let told = Client::new(config(&server, &["toxic-1", "toxic-2"])).expect("client");
    told.learn_user(&client.token_fingerprint(), "user-2".into());
    assert_eq!(told.known_user(), None, "that was another token");
    told.learn_user(&told.token_fingerprint(), "user-1".into());
    assert_eq!(told.known_user().as_deref(), Some("user-1"));
}

#[tokio::test]
async fn a_download_counts_where_it_is_the_apis_own() {
    let server = Server::start().await;
    let client = client(&server);
    let own = format!("{}/state", server.address);
    let cases =
        [("/_archivist/v1/object/x", true), (own.as_str(), true), ("https://archivist.example/x", false)];
    for (url, expected) in cases {
        assert_eq!(client.is_own_origin(&DownloadUrl::new(url)), expected, "{url}");
    }
}

#[tokio::test]
async fn the_account_answers_a_plain_id() {
    let cases = [
        (
            r#"{"data":{"id":"user-V3R563qtJNcExAkN","type":"users","attributes":null}}"#,
            Some("user-V3R563qtJNcExAkN"),
        ),
        (r#"{"data":{"id":"","type":"users"}}"#, None),
        (r#"{"data":{"id":"user 1\n","type":"users"}}"#, None),
        (r#"{"data":null}"#, None),
    ];
    for (body, expected) in cases {
        let server = Server::start().await;
        server.on(ACCOUNT, ok(body));
        assert_eq!(client(&server).account_user().await.ok().as_deref(), expected, "{body}");
    }
}

fn listed(id: &str) -> String {
    format!(r#"{{"id":"{id}","type":"workspaces","attributes":{{"name":"n-{id}"}}}}"#)
}

/// How many workspaces a page holds, and which one is next.
type Page = (usize, Option<u32>);

#[tokio::test]
async fn pages_end_as_the_answer_says_and_without_totals_when_one_is_not_full() {
    let full = (0..100).map(|n| listed(&format!("ws-{n}"))).collect::<Vec<_>>().join(",");
    let one = listed("ws-1");
    let with = |data: &str, meta: &str| format!(r#"{{"data":[{data}]{meta}}}"#);
    let cases: Vec<(&str, String, Option<Page>)> = vec![
        (
            "next",
            with(&one, r#","meta":{"pagination":{"current-page":2,"next-page":3}}"#),
            Some((1, Some(3))),
        ),
        ("null is the end", with(&one, r#","meta":{"pagination":{"next-page":null}}"#), Some((1, None))),
        ("a full last page", with(&full, r#","meta":{"pagination":{"next-page":null}}"#), Some((100, None))),
        ("no meta, not full", with(&one, ""), Some((1, None))),
        ("no meta, full", with(&full, ""), Some((100, Some(3)))),
        ("null meta, full", with(&full, r#","meta":null"#), Some((100, Some(3)))),
        ("no pagination, full", with(&full, r#","meta":{"status-counts":{}}"#), Some((100, Some(3)))),
        ("empty", with("", r#","meta":{"pagination":{"next-page":null,"total-count":0}}"#), Some((0, None))),
        ("leads back", with(&one, r#","meta":{"pagination":{"next-page":2}}"#), None),
        ("an id that is none", with(&listed("../toxic"), ""), None),
        ("no data", r#"{"meta":{"pagination":{"next-page":null}}}"#.into(), None),
        ("null data", r#"{"data":null}"#.into(), None),
    ];
    for (case, body, expected) in cases {
        let server = Server::start().await;
        server.on(LIST, ok(&body));
        let page = client(&server).workspaces(&organization(), 2).await;
        match page {
            Ok(page) => assert_eq!(Some((page.workspaces.len(), page.next_page)), expected, "{case}"),
            failed => {
                assert_eq!(kind(&server, failed), FailureKind::BadBody, "{case}");
                assert!(expected.is_none(), "{case}");
            }
        }
        let target = &server.asked()[0].target;
        let query = "?page%5Bnumber%5D=2&page%5Bsize%5D=100&include=current_state_version";
        assert_eq!(target, &format!("{LIST}{query}"), "{case}");
    }
}

#[tokio::test]
async fn a_list_carries_states_where_it_tells() {
    let body = r#"{"data":[
        {"id":"ws-1","attributes":{"name":"one","x":[null]},"relationships":{"current-state-version":{"data":{"id":"sv-1","type":"state-versions"}}}},
        {"id":"ws-2","attributes":{"name":"two"},"relationships":{"current-state-version":{"data":null}}},
        {"id":"ws-3","attributes":{"name":"three"},"relationships":{"current-state-version":{"data":{"id":"sv-3"}}}},
        {"id":"ws-4","attributes":{"name":"four"},"relationships":null}],
      "included":[{"type":"unheard-of"},{"id":"sv-1","type":"state-versions","attributes":{"serial":7,"size":null,"status":"finalized",
        "hosted-state-download-url":null,"resources":[{"name":"x"}]},"relationships":{"run":{"data":null}}}],
      "links":{},"meta":{"pagination":{"next-page":null}}}"#;
    let server = Server::start().await;
    server.on(LIST, ok(body));
    let page = client(&server).workspaces(&organization(), 0).await.expect("page");
    let got: Vec<_> = page
        .workspaces
        .iter()
        .map(|w| {
            (
                w.id.as_str(),
                w.name.as_str(),
                w.state.as_ref().map(|s| (s.serial, s.size, s.download.is_some())),
            )
        })
        .collect();
    let one = Some((7, None, false));
    assert_eq!(
        got,
        [("ws-1", "one", one), ("ws-2", "two", None), ("ws-3", "three", None), ("ws-4", "four", None)]
    );
    assert!(server.asked()[0].target.contains("number%5D=1&"), "pages count from 1");
}

#[test]
fn a_configuration_that_cannot_work_is_refused_without_telling_it() {
    let cases: [(&str, &[&str], bool, bool); 8] = [
        ("https://app.terraform.io", &["toxic"], false, true),
        ("http://app.terraform.io", &["toxic"], true, true),
        ("http://app.terraform.io", &["toxic"], false, false),
        ("https://toxic:toxic@app.terraform.io", &["toxic"], false, false),
        ("file:///toxic", &["toxic"], true, false),
        ("https://app.terraform.io", &[], false, false),
        ("https://app.terraform.io", &["toxic\nx: y"], false, false),
        ("https://app.terraform.io", &["toxic", "tox\u{7f}ic"], false, false),
    ];
    for (address, tokens, allow_http, good) in cases {
        let tokens = tokens.iter().map(|token| Secret::new((*token).to_owned())).collect();
        let mut config = ClientConfig::new(address.parse().expect("URL"), tokens);
        config.allow_http = allow_http;
        match Client::new(config) {
            Ok(_) => assert!(good, "{address}"),
            Err(error) => {
                assert!(!good, "{address}");
                assert_eq!(error.kind(), FailureKind::Configuration);
                assert!(!format!("{error} {error:?}").contains("toxic"));
            }
        }
    }
}
