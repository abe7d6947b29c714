//! Bodies, all rightly signed: what is no payload, what tells too much, and what names things that are another's.

use serde_json::{Value, json};

use super::{Case, Post, Site, WORKSPACE};
use crate::house::payload;

const INVALID: &str = "400 payload_invalid";
const IGNORED: &str = "200 ignored";
const ACCEPTED: &str = "202 accepted";

pub fn cases(site: &Site) -> Vec<Case> {
    [unreadable(site), extreme(site), meaning(site), identity(site), repeated(site)]
        .into_iter()
        .flatten()
        .collect()
}

fn signed(site: &Site, body: impl Into<Vec<u8>>) -> Post {
    Post::to(&site.house.a.slug, body).signed(&site.house.a.secret)
}

/// An applied run of its own with one thing changed.
fn edited(run: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut value = serde_json::from_str(&payload(WORKSPACE, run, "run:completed", "applied")).expect("json");
    change(&mut value);
    value.to_string()
}

fn unreadable(site: &Site) -> Vec<Case> {
    let whole = payload(WORKSPACE, "run-Unreadable", "run:completed", "applied");
    let utf16: Vec<u8> = whole.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin1 = [&whole.as_bytes()[..20], b"\xe4", &whole.as_bytes()[20..]].concat();
    let deep = format!("{}{}", r#"{"a":"#.repeat(200), "1") + &"}".repeat(200);
    let deep_list = format!(r#"{{"a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    vec![
        ("empty", signed(site, ""), INVALID),
        ("blanks", signed(site, " \r\n\t "), INVALID),
        ("null", signed(site, "null"), INVALID),
        ("a list", signed(site, format!("[{whole}]")), INVALID),
        ("a text", signed(site, "\"applied\""), INVALID),
        ("a number", signed(site, "1"), INVALID),
        ("cut", signed(site, &whole[..whole.len() - 1]), INVALID),
        ("two of them", signed(site, format!("{whole}{whole}")), INVALID),
        ("one, and something behind it", signed(site, format!("{whole}x")), INVALID),
        ("a comma too many", signed(site, whole.replacen('}', ",}", 1)), INVALID),
        ("a comment", signed(site, format!("/* */{whole}")), INVALID),
        ("single quotes", signed(site, whole.replace('"', "'")), INVALID),
        ("a byte order mark", signed(site, format!("\u{feff}{whole}")), INVALID),
        ("UTF-16", signed(site, utf16), INVALID),
        ("Latin-1", signed(site, latin1), INVALID),
        ("an overlong byte", signed(site, b"{\"a\":\"\xc0\xaf\"}".as_slice()), INVALID),
        ("half a surrogate pair", signed(site, r#"{"a":"\ud800"}"#), INVALID),
        ("a raw control character", signed(site, "{\"a\":\"\u{1}\"}"), INVALID),
        ("not a number", signed(site, r#"{"a":NaN}"#), INVALID),
        ("objects 200 deep", signed(site, deep), INVALID),
        ("lists 100,000 deep", signed(site, deep_list), INVALID),
        ("as a form", signed(site, format!("payload={whole}")), INVALID),
        ("XML", signed(site, "<?xml version=\"1.0\"?><a/>"), INVALID),
        ("gzip", signed(site, GZIP).header("content-encoding", "gzip"), INVALID),
        (
            "gzip of a great many zeros",
            signed(site, GZIP.repeat(40_000)).header("content-encoding", "gzip"),
            INVALID,
        ),
    ]
}

/// An empty member of gzip: never unpacked here, however it is announced.
const GZIP: [u8; 20] = [31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

fn extreme(site: &Site) -> Vec<Case> {
    let limit = terrasift_http::HttpConfig::default().webhook_body_limit_bytes;
    let sized = |bytes: usize| format!(r#"{{"pad":"{}"}}"#, "x".repeat(bytes - r#"{"pad":""}"#.len()));
    let members = (0..50_000).map(|n| format!("\"m{n}\":{n}")).collect::<Vec<_>>().join(",");
    let digits = "9".repeat(400);
    vec![
        ("as large as allowed", signed(site, sized(limit)), IGNORED),
        ("one byte larger", signed(site, sized(limit + 1)), "413 body_too_large"),
        ("10 MB", signed(site, sized(10_000_000)), "413 body_too_large"),
        ("50,000 members", signed(site, format!("{{{members}}}")), IGNORED),
        ("a key of 900,000 characters", signed(site, format!("{{\"{}\":1}}", "k".repeat(900_000))), IGNORED),
        ("a number beyond all doubles", signed(site, r#"{"payload_version":1e999999}"#), INVALID),
        ("an integer of 400 digits", signed(site, format!(r#"{{"payload_version":{digits}}}"#)), INVALID),
        (
            "a version of -0.0",
            signed(site, edited("run-Zero", |v| v["payload_version"] = json!(-0.0))),
            ACCEPTED,
        ),
        ("100 notifications", signed(site, many("run-Many", 100)), ACCEPTED),
        ("101 notifications", signed(site, many("run-Many", 101)), "400 too_many_notifications"),
        (
            "20,000 notifications",
            signed(site, format!(r#"{{"notifications":[{}0]}}"#, "0,".repeat(20_000))),
            "400 too_many_notifications",
        ),
    ]
}

fn many(run: &str, count: usize) -> String {
    edited(run, |v| v["notifications"] = json!(vec![v["notifications"][0].clone(); count]))
}

fn meaning(site: &Site) -> Vec<Case> {
    let changed = |run: &str, change: fn(&mut Value)| signed(site, edited(run, change));
    let notice = |run: &str, name: &str, value: Value| {
        signed(site, edited(run, |v| v["notifications"][0][name] = value))
    };
    let ping = json!({"payload_version": 1, "notifications": [{"trigger": "verification"}]}).to_string();
    vec![
        ("no members", signed(site, "{}"), IGNORED),
        ("a verification", signed(site, ping.as_str()), "200 verified"),
        ("the same verification again", signed(site, ping), "200 verified"),
        ("a verification that is unsigned", Post::to(&site.house.a.slug, "{}"), "401 unauthorized"),
        (
            "a verification with an applied run in it",
            changed("run-Ping", |v| {
                let applied = v["notifications"][0].clone();
                v["notifications"] = json!([{"trigger": "verification"}, applied]);
            }),
            ACCEPTED,
        ),
        ("a trigger that is unknown", notice("run-T1", "trigger", json!("run:from_the_future")), IGNORED),
        ("a trigger in upper case", notice("run-T2", "trigger", json!("RUN:COMPLETED")), IGNORED),
        ("a trigger with a zero byte", notice("run-T3", "trigger", json!("run:completed\0")), IGNORED),
        ("a trigger that is a list", notice("run-T4", "trigger", json!(["run:completed"])), IGNORED),
        ("a trigger that is null", notice("run-T5", "trigger", Value::Null), IGNORED),
        ("a status that is none", notice("run-T6", "run_status", json!(7)), IGNORED),
        (
            "notifications that are an object",
            changed("run-T7", |v| v["notifications"] = json!({"0": {}})),
            IGNORED,
        ),
        ("notifications that are null", changed("run-T8", |v| v["notifications"] = Value::Null), IGNORED),
        (
            "notifications of other types",
            changed("run-T9", |v| v["notifications"] = json!([1, "x", null, []])),
            IGNORED,
        ),
        ("none", changed("run-T10", |v| v["notifications"] = json!([])), IGNORED),
        ("a time that is none", notice("run-T11", "run_updated_at", json!("soon")), ACCEPTED),
        ("a time that is a number", notice("run-T12", "run_updated_at", json!(5)), ACCEPTED),
        ("a time far ahead", notice("run-T13", "run_updated_at", json!("9999-12-31T23:59:59Z")), ACCEPTED),
        (
            "a time before all time",
            notice("run-T14", "run_updated_at", json!("0000-01-01T00:00:00Z")),
            ACCEPTED,
        ),
        ("a version that is unknown", changed("run-T15", |v| v["payload_version"] = json!("99")), ACCEPTED),
        (
            "members that are unknown",
            changed("run-T16", |v| v["new"] = json!({"a": [1, {"b": null}]})),
            ACCEPTED,
        ),
    ]
}

/// Names in a payload prove nothing: the tenant is who signed.
fn identity(site: &Site) -> Vec<Case> {
    let b = &site.house.b;
    let workspace = |run: &str, id: Value| signed(site, edited(run, |v| v["workspace_id"] = id));
    let run = |id: Value| signed(site, edited("run-R", |v| v["run_id"] = id));
    let twice = format!(
        r#"{{"workspace_id":"ws-Other","workspace_id":"{WORKSPACE}","run_id":"run-Twice","notifications":
            [{{"trigger":"x","trigger":"run:completed","run_status":"planned","run_status":"applied"}}]}}"#
    );
    let foreign = edited("run-Foreign", |v| {
        v["organization_name"] = json!(b.slug);
        v["tenant"] = json!(b.id.as_str());
        v["tenant_id"] = json!(b.id.as_str());
        v["workspace_name"] = json!("somebody-elses");
    });
    vec![
        ("another tenant's organization and names", signed(site, foreign), ACCEPTED),
        (
            "no workspace",
            signed(
                site,
                edited("run-W1", |v| drop(v.as_object_mut().expect("object").remove("workspace_id"))),
            ),
            IGNORED,
        ),
        ("a workspace that is null", workspace("run-W2", Value::Null), IGNORED),
        ("a workspace that is a number", workspace("run-W3", json!(7)), IGNORED),
        ("a workspace that is a list", workspace("run-W4", json!([WORKSPACE])), IGNORED),
        ("a workspace by its name", workspace("run-W5", json!("production")), IGNORED),
        ("a workspace with a path", workspace("run-W6", json!("ws-A/../../organizations")), IGNORED),
        (
            "a workspace with another's key in it",
            workspace("run-W7", json!(format!("ws-A/{}/ws-A", b.id))),
            IGNORED,
        ),
        ("a workspace with a query", workspace("run-W8", json!("ws-A?include=vars")), IGNORED),
        ("a workspace with an encoded slash", workspace("run-W9", json!("ws-A%2f..")), IGNORED),
        ("a workspace with a line end", workspace("run-W10", json!("ws-A\r\nx: y")), IGNORED),
        ("a workspace with a zero byte", workspace("run-W11", json!("ws-A\0")), IGNORED),
        ("a workspace in letters that look alike", workspace("run-W12", json!("ws-\u{410}")), IGNORED),
        ("a workspace of nothing but its prefix", workspace("run-W13", json!("ws-")), IGNORED),
        (
            "a workspace of 100,000 characters",
            workspace("run-W14", json!(format!("ws-{}", "a".repeat(100_000)))),
            IGNORED,
        ),
        (
            "a workspace that is a statement",
            workspace("run-W15", json!("ws-A'; DROP TABLE entities; --")),
            IGNORED,
        ),
        ("a run that is no run", run(json!("../run")), ACCEPTED),
        ("a run that is an object", run(json!({"id": "run-A"})), ACCEPTED),
        ("members that stand twice: the last counts", signed(site, twice), ACCEPTED),
    ]
}

/// The same delivery again, and what only looks like it.
fn repeated(site: &Site) -> Vec<Case> {
    let body = payload(WORKSPACE, "run-Again", "run:completed", "applied");
    let (a, b) = (&site.house.a, &site.house.b);
    vec![
        ("a first time", signed(site, body.as_str()), ACCEPTED),
        ("a second time", signed(site, body.as_str()), "200 duplicate"),
        (
            "a second time with another trace",
            signed(site, body.as_str()).header("traceparent", "x"),
            "200 duplicate",
        ),
        (
            "a second time under another address",
            Post::to(&a.slug, body.as_str())
                .signed(&a.secret)
                .line(&format!("POST /v1/webhooks/terraform-cloud/{}?again HTTP/1.1", a.slug)),
            "200 duplicate",
        ),
        ("the same with a blank more", signed(site, format!("{body} ")), ACCEPTED),
        ("the same of another tenant", Post::to(&b.slug, body.as_str()).signed(&b.secret), ACCEPTED),
        (
            "the same of another tenant, again",
            Post::to(&b.slug, body.as_str()).signed(&b.secret),
            "200 duplicate",
        ),
    ]
}
