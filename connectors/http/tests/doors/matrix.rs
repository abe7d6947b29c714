//! Every route × every method × everybody who could ask: who is let in is a golden file, and a rule of its own.
//!
//! A route that is new fails until it stands in `CLASSIFIED`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::json;
use terrasift_http::{Door, HttpConfig, Permission, Rate, mint_api_key, route_doors};
use time::OffsetDateTime;

use crate::house::{House, add_key, house_with, run};
use crate::press::press;

/// What each route asks for; `""` opens to everybody, `signature` to who signs, `…@` also to who is granted it in a namespace.
const CLASSIFIED: &[(&str, &str, &str)] = &[
    ("GET", "/healthz", ""),
    ("GET", "/readyz", ""),
    ("GET", "/metrics", ""),
    ("GET", "/openapi.json", ""),
    ("GET", "/docs", ""),
    ("POST", "/v1/webhooks/terraform-cloud/{tenant_slug}", "signature"),
    ("GET", "/v1/changes", "catalog:read@"),
    ("GET", "/v1/changes/stream", "catalog:read@"),
    ("GET", "/v1/snapshot", "catalog:read@"),
    ("GET", "/v1/entities", "catalog:read@"),
    ("GET", "/v1/entities/by-ref/{kind}/{namespace}/{name}", "catalog:read@"),
    ("GET", "/v1/resources", "catalog:read@"),
    ("GET", "/v1/resource-types", "catalog:read"),
    ("GET", "/v1/workspaces", "catalog:read"),
    ("GET", "/v1/workspaces/{workspace}", "catalog:read"),
    ("GET", "/v1/status", "catalog:read"),
    ("GET", "/v1/runs", "catalog:read"),
    ("GET", "/v1/audit", "audit:read"),
    ("GET", "/v1/audit/{id}", "audit:read"),
    ("GET", "/v1/security-audit", "audit:read"),
    ("GET", "/v1/usage", "usage:read"),
    ("GET", "/v1/dead-letters", "dead-letters:read"),
    ("GET", "/v1/dead-letters/{id}", "dead-letters:read"),
    ("POST", "/v1/dead-letters/{id}/retry", "dead-letters:write"),
    ("POST", "/v1/dead-letters/{id}/discard", "dead-letters:write"),
    ("GET", "/v1/admin/keys", "keys:admin"),
    ("POST", "/v1/admin/keys", "keys:admin"),
    ("POST", "/v1/admin/keys/{id}/rotate", "keys:admin"),
    ("DELETE", "/v1/admin/keys/{id}", "keys:admin"),
];

const METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];

/// Somebody who asks: the header, whether it proves anybody, what was granted.
struct Asking {
    name: String,
    header: Option<String>,
    proven: bool,
    granted: Vec<&'static str>,
    /// What else than 401 is answered to who is not proven.
    unproven: u16,
}

impl Asking {
    fn proven(name: &str, secret: &str, granted: &[&'static str]) -> Self {
        let header = Some(format!("Bearer {secret}"));
        Self { name: name.to_owned(), header, proven: true, granted: granted.to_vec(), unproven: 401 }
    }

    fn unproven(name: &str, header: Option<String>) -> Self {
        Self { name: name.to_owned(), header, proven: false, granted: Vec::new(), unproven: 401 }
    }
}

fn fresh_key(number: u8) -> String {
    mint_api_key([number; 24]).expose().to_owned()
}

async fn everybody(house: &House) -> Vec<Asking> {
    let all: Vec<&'static str> = Permission::ALL.map(Permission::name).to_vec();
    let mut everybody = keys(house, &all).await;
    for (number, granted) in (220..).zip(["catalog:read@nowhere", "catalog:admin@nowhere"]) {
        let key = fresh_key(number);
        add_key(&house.store, &house.a.id, &key, &[granted], None).await;
        everybody.push(Asking::proven(&format!("key {granted}"), &key, &[granted]));
    }
    let press = press();
    for permission in &all {
        let token = press.token(&house.a, &[permission], json!({}));
        everybody.push(Asking::proven(&format!("token {permission}"), &token, &[permission]));
    }
    everybody.push(Asking::proven("token without permissions", &press.token(&house.a, &[], json!({})), &[]));
    everybody.push(Asking::proven("token of the neighbour", &press.token(&house.b, &all, json!({})), &all));
    let unproven = [
        ("token that is over", json!({"exp": 1_000_000_000})),
        ("token for somebody else", json!({"aud": "other"})),
        ("token of nobody", json!({"iss": "https://nobody.example"})),
        ("token of an undeclared tenant", json!({"tenant_id": "nobody", "tenant_slug": "nobody"})),
        ("token with the neighbour's slug", json!({"tenant_slug": house.b.slug})),
        ("token with the neighbour's id", json!({"tenant_id": house.b.id.as_str()})),
        ("token of an issuer that is away", json!({"iss": "https://away.example"})),
    ];
    for (name, claims) in unproven {
        let token = press.token(&house.a, &all, claims);
        let mut asking = Asking::unproven(name, Some(format!("Bearer {token}")));
        if name.ends_with("away") {
            asking.unproven = 503;
        }
        everybody.push(asking);
    }
    everybody
}

async fn keys(house: &House, all: &[&'static str]) -> Vec<Asking> {
    let mut everybody = vec![
        Asking::unproven("nobody", None),
        Asking::unproven("garbage", Some("Bearer garbage".to_owned())),
        Asking::unproven("key as basic", Some(format!("Basic {}", house.a.key))),
        Asking::unproven("unknown key", Some(format!("Bearer {}", fresh_key(199)))),
    ];
    let (yesterday, expired) = (OffsetDateTime::now_utc() - Duration::from_secs(86_400), fresh_key(198));
    add_key(&house.store, &house.a.id, &expired, all, Some(yesterday)).await;
    everybody.push(Asking::unproven("expired key", Some(format!("Bearer {expired}"))));
    for (number, permission) in (200_u8..).zip(all) {
        let key = fresh_key(number);
        add_key(&house.store, &house.a.id, &key, &[permission], None).await;
        everybody.push(Asking::proven(&format!("key {permission}"), &key, &[permission]));
    }
    let key = fresh_key(190);
    add_key(&house.store, &house.b.id, &key, all, None).await;
    everybody.push(Asking::proven("key of the neighbour", &key, all));
    everybody
}

/// The rule, written a second time: exactly this, or admin of the same resource.
fn may(granted: &[&str], wanted: &str) -> bool {
    let by_namespace = wanted.ends_with('@');
    let wanted = wanted.trim_end_matches('@');
    let resource = wanted.split(':').next().unwrap_or_default();
    granted.iter().any(|granted| {
        let whole = granted.split('@').next().unwrap_or_default();
        let fits = whole == wanted || whole == format!("{resource}:admin");
        fits && (by_namespace || whole == *granted)
    })
}

/// What is expected: a status, or `None` where the handler decides, and must neither refuse nor fail.
fn expected(method: &Method, path: &str, asking: &Asking) -> Option<u16> {
    let answers = |route: &&(&str, &str, &str)| {
        route.1 == path && (route.0 == method.as_str() || (route.0 == "GET" && *method == Method::HEAD))
    };
    let Some((_, _, wanted)) = CLASSIFIED.iter().find(answers) else { return Some(405) };
    match *wanted {
        "" => None,
        "signature" => Some(401),
        _ if !asking.proven => Some(asking.unproven),
        wanted if !may(&asking.granted, wanted) => Some(403),
        _ => None,
    }
}

#[test]
fn every_route_is_classified() {
    let door = |door| match door {
        Door::Open | Door::Public => String::new(),
        Door::Webhook => "signature".to_owned(),
        Door::Api(permission) => permission.name().to_owned(),
        Door::ApiByNamespace(permission) => format!("{}@", permission.name()),
    };
    let routes: BTreeSet<_> = route_doors()
        .into_iter()
        .map(|(method, path, d)| (method.to_string(), path.to_owned(), door(d)))
        .collect();
    let classified: BTreeSet<_> =
        CLASSIFIED.iter().map(|(m, p, d)| ((*m).to_owned(), (*p).to_owned(), (*d).to_owned())).collect();
    assert_eq!(routes, classified);
}

#[test]
fn who_may_what_is_as_the_rule_says_on_every_route() {
    run(async {
        let rate = Rate { capacity: 100_000, window: Duration::from_secs(1) };
        // Streams end with the page that they begin with.
        let config = HttpConfig { api_rate: rate, long_poll_max: Duration::ZERO, ..HttpConfig::default() };
        let house = house_with("matrix", config, None).await;
        let everybody = everybody(&house).await;
        let paths: BTreeSet<_> = CLASSIFIED.iter().map(|(_, path, _)| *path).collect();
        let (mut cases, mut golden) = (0, String::new());
        for path in paths {
            let uri = path
                .replace("{tenant_slug}", &house.a.slug)
                .replace("{kind}/{namespace}/{name}", "resource/ns/name")
                .replace("{workspace}", "ws-A")
                // Of nobody: keys of those who ask here have numbers, too.
                .replace("{id}", "999999999");
            for method in &METHODS {
                let mut line = Vec::new();
                for asking in &everybody {
                    let mut request = Request::builder().method(method).uri(&uri);
                    if let Some(header) = &asking.header {
                        request = request.header("authorization", header);
                    }
                    let status = house.send(request.body(Body::empty()).unwrap()).await.status.as_u16();
                    match expected(method, path, asking) {
                        Some(expected) => assert_eq!(status, expected, "{method} {path}: {}", asking.name),
                        None => assert!(
                            matches!(status, 200 | 400 | 404) || (path == "/readyz" && status == 503),
                            "{method} {path}: {}: {status}",
                            asking.name
                        ),
                    }
                    cases += 1;
                    line.push(if matches!(status, 401 | 403 | 405 | 503) {
                        status.to_string()
                    } else {
                        "in".to_owned()
                    });
                }
                if line.iter().any(|word| word != "405") {
                    let _ = writeln!(golden, "{method} {path}");
                    for (asking, word) in everybody.iter().zip(&line) {
                        let _ = writeln!(golden, "    {word:>3}  {}", asking.name);
                    }
                }
            }
        }
        assert!(cases >= 600, "{cases}");
        insta::assert_snapshot!("access", golden);
    });
}
