//! `/v1/admin/keys`: a tenant administers its own keys, hands on no more than it has, and locks nobody else out.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use terrasift_http::mint_api_key;
use terrasift_postgres::{ApiKeyId, Auditor, TrailFilter};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::house::{Answer, House, Tenant, add_key, cluster, house, house_in, run};
use crate::press::press;

const KEYS: &str = "/v1/admin/keys";

struct Desk<'a> {
    house: &'a House,
    key: String,
    id: ApiKeyId,
}

impl<'a> Desk<'a> {
    async fn of(house: &'a House, tenant: &Tenant, seed: u8, scopes: &[&str]) -> Self {
        let key = mint_api_key([seed; 24]).expose().to_owned();
        let id = add_key(&house.store, &tenant.id, &key, scopes, None).await;
        Self { house, key, id }
    }

    async fn ask(&self, method: Method, uri: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(uri);
        request = request.header("authorization", format!("Bearer {}", self.key));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.house.send(request.body(Body::from(body.to_owned())).expect("as asked")).await
    }

    async fn issue(&self, body: Value) -> Answer {
        self.ask(Method::POST, KEYS, &body.to_string(), &[]).await
    }

    async fn rotate(&self, id: &str, body: &str) -> Answer {
        self.ask(Method::POST, &format!("{KEYS}/{id}/rotate"), body, &[]).await
    }

    async fn revoke(&self, id: &str) -> Answer {
        self.ask(Method::DELETE, &format!("{KEYS}/{id}"), "", &[]).await
    }

    async fn list(&self) -> Vec<Value> {
        let answer = self.ask(Method::GET, KEYS, "", &[]).await;
        assert_eq!(answer.summary(), "200");
        answer.json()["keys"].as_array().expect("as asked").clone()
    }

    /// Whether a key opens the catalog.
    async fn opens(&self, key: &Value) -> bool {
        self.house.get_with(key.as_str().expect("as asked"), "/v1/changes", &[]).await.status == 200
    }
}

fn days_from_now(text: &Value) -> i64 {
    let at = OffsetDateTime::parse(text.as_str().expect("as asked"), &Rfc3339).expect("as asked");
    (at - OffsetDateTime::now_utc() + time::Duration::hours(1)).whole_days()
}

#[test]
fn keys_are_issued_listed_rotated_and_revoked_by_their_own_tenant() {
    run(async {
        let house = house("admin-keys").await;
        let desk = Desk::of(&house, &house.a, 150, &["keys:admin", "catalog:read"]).await;
        let issued = desk.issue(json!({"name": "backstage", "scopes": ["catalog:read"], "days": 90})).await;
        assert_eq!((issued.status.as_u16(), issued.header("cache-control")), (201, "no-store"));
        let made = issued.json();
        assert_eq!(
            (&made["name"], &made["state"], &made["scopes"]),
            (&json!("backstage"), &json!("valid"), &json!(["catalog:read"]))
        );
        assert_eq!(days_from_now(&made["expires_at"]), 90);
        assert!(desk.opens(&made["key"]).await);
        let id = made["id"].to_string();

        let rotated = desk.rotate(&id, r#"{"days": 30, "overlap_hours": 1}"#).await;
        assert_eq!((rotated.status.as_u16(), rotated.header("cache-control")), (200, "no-store"));
        let next = rotated.json();
        assert_eq!((&next["replaces"], &next["name"]), (&made["id"], &made["name"]));
        assert!(desk.opens(&next["key"]).await && desk.opens(&made["key"]).await, "both, for an hour");
        let again = desk.rotate(&id, "{}").await;
        assert_eq!((again.summary(), &again.json()["key"]), ("409 key_rotated_before".into(), &next["id"]));

        let revoked = desk.revoke(&id).await;
        assert_eq!((revoked.summary(), &revoked.json()["state"]), ("200".into(), &json!("revoked")));
        assert_eq!(revoked.json(), desk.revoke(&id).await.json(), "done again, nothing changes");
        assert!(!desk.opens(&made["key"]).await && desk.opens(&next["key"]).await);
        let late = desk.issue(json!({"name": "late", "scopes": ["catalog:read"]})).await.json();
        assert_eq!(days_from_now(&late["expires_at"]), 365);
        desk.revoke(&late["id"].to_string()).await;
        assert_eq!(desk.rotate(&late["id"].to_string(), "{}").await.summary(), "409 key_over");

        let listed = desk.list().await;
        let states: Vec<_> = listed
            .iter()
            .map(|key| (key["name"].as_str().unwrap(), key["state"].as_str().unwrap()))
            .collect();
        assert_eq!(
            states,
            [
                ("test", "valid"),
                ("test", "valid"),
                ("backstage", "revoked"),
                ("backstage", "valid"),
                ("late", "revoked")
            ]
        );
        let text = serde_json::to_string(&listed).unwrap();
        assert!(!text.contains("tsk_") && !text.contains("digest"), "a key is shown once");
        let page = desk.ask(Method::GET, &format!("{KEYS}?limit=3"), "", &[]).await.json();
        let cursor = page["next_cursor"].as_str().expect("more").to_owned();
        let rest = desk.ask(Method::GET, &format!("{KEYS}?limit=3&cursor={cursor}"), "", &[]).await.json();
        assert_eq!(rest["keys"].as_array().unwrap(), &listed[3..]);
        assert_eq!(
            desk.ask(Method::GET, &format!("{KEYS}?tenant=x"), "", &[]).await.summary(),
            "400 query_parameter_unknown"
        );
    });
}

#[test]
fn a_request_that_is_sent_again_makes_no_second_key() {
    run(async {
        let house = house("admin-again").await;
        let desk = Desk::of(&house, &house.a, 151, &["keys:admin", "catalog:read"]).await;
        let theirs = Desk::of(&house, &house.b, 152, &["keys:admin", "catalog:read"]).await;
        let body = json!({"name": "ci", "scopes": ["catalog:read"]}).to_string();
        let sent = async |desk: &Desk<'_>, key: &str| {
            desk.ask(Method::POST, KEYS, &body, &[("idempotency-key", key)]).await
        };
        let first = sent(&desk, "deploy-17").await;
        assert_eq!(first.status, 201);
        let again = sent(&desk, "deploy-17").await;
        assert_eq!(
            (again.summary(), &again.json()["key"]),
            ("409 key_issued_before".into(), &first.json()["id"])
        );
        assert!(!String::from_utf8(again.body).unwrap().contains("tsk_"));
        // Eight at once make one.
        let at_once = futures_util::future::join_all((0..8).map(|_| sent(&desk, "deploy-18"))).await;
        let mut statuses: Vec<_> = at_once.iter().map(|answer| answer.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
        assert_eq!(sent(&theirs, "deploy-17").await.status, 201, "another tenant's names are its own");
        assert_eq!((sent(&desk, "deploy-19").await.status.as_u16(), desk.list().await.len()), (201, 5));
        let twice = [("idempotency-key", "a"), ("idempotency-key", "a")];
        for headers in [
            &twice[..],
            &[("idempotency-key", "")],
            &[("idempotency-key", "a b")],
            &[("idempotency-key", &"x".repeat(256))],
        ] {
            let answer = desk.ask(Method::POST, KEYS, &body, headers).await;
            assert_eq!(answer.summary(), "400 idempotency_key_invalid");
        }
        assert_eq!(desk.list().await.len(), 5);
    });
}

#[test]
fn nobody_gets_a_key_that_opens_more_than_he_may_do() {
    run(async {
        let house = house("admin-more").await;
        let mighty =
            add_key(&house.store, &house.a.id, mint_api_key([153; 24]).expose(), &["catalog:admin"], None)
                .await;
        let desk = Desk::of(
            &house,
            &house.a,
            154,
            &["keys:admin", "catalog:read", "dead-letters:admin", "catalog:admin@blue"],
        )
        .await;
        for (scopes, expected) in [
            (json!(["catalog:read"]), "201"),
            (json!(["keys:admin", "dead-letters:write", "catalog:read@any"]), "201"),
            (json!(["catalog:admin@blue"]), "201"),
            (json!(["catalog:admin"]), "403 scope_escalation"),
            (json!(["catalog:read", "catalog:admin@red"]), "403 scope_escalation"),
            (json!(["catalog:read", "audit:read"]), "403 scope_escalation"),
            (json!(["usage:admin"]), "403 scope_escalation"),
        ] {
            let answer = desk.issue(json!({"name": "k", "scopes": scopes})).await;
            assert_eq!(answer.summary(), expected, "{scopes}");
        }
        // To rotate a key is to be shown one that opens the same.
        assert_eq!(desk.rotate(&mighty.0.to_string(), "{}").await.summary(), "403 scope_escalation");
        assert_eq!(desk.list().await.len(), 6);
        // To end it gives nobody more.
        assert_eq!(desk.revoke(&mighty.0.to_string()).await.summary(), "200");
        // A token is bound in the same way.
        let token = press().token(&house.a, &["keys:admin"], json!({}));
        let by_token = Desk { house: &house, key: token, id: desk.id };
        let body = json!({"name": "k", "scopes": ["catalog:read"]});
        assert_eq!(by_token.issue(body).await.summary(), "403 scope_escalation");
        assert_eq!(by_token.issue(json!({"name": "k", "scopes": ["keys:admin"]})).await.summary(), "201");
        // Without the permission there is nothing to ask for.
        let reader = Desk::of(&house, &house.a, 155, &["catalog:admin", "audit:admin"]).await;
        assert_eq!(
            reader.issue(json!({"name": "k", "scopes": ["catalog:read"]})).await.summary(),
            "403 scope_missing"
        );
        assert_eq!(reader.revoke(&reader.id.0.to_string()).await.summary(), "403 scope_missing");
    });
}

#[test]
fn a_tenant_reaches_no_key_of_another() {
    run(async {
        let house = house("admin-theirs").await;
        let ours = Desk::of(&house, &house.a, 156, &["keys:admin", "catalog:read"]).await;
        let theirs = Desk::of(&house, &house.b, 157, &["keys:admin", "catalog:read"]).await;
        for id in [
            ours.id.0.to_string().as_str(),
            "9223372036854775807",
            "0",
            "-1",
            "x",
            "9223372036854775808",
            "1.5",
            "%00",
        ] {
            for answer in [theirs.rotate(id, "{}").await, theirs.revoke(id).await] {
                assert_eq!(answer.summary(), "404 key_not_found", "{id}");
                assert!(!String::from_utf8(answer.body).unwrap().contains("tsk_"));
            }
        }
        let listed = theirs.list().await;
        assert!(listed.len() == 2 && listed.iter().all(|key| key["id"] != json!(ours.id.0)));
        let page = ours.ask(Method::GET, &format!("{KEYS}?limit=1"), "", &[]).await.json();
        let cursor = page["next_cursor"].as_str().expect("more").to_owned();
        let crossed = theirs.ask(Method::GET, &format!("{KEYS}?limit=1&cursor={cursor}"), "", &[]).await;
        assert_eq!(crossed.summary(), "400 cursor_invalid");
        assert_eq!(ours.ask(Method::GET, KEYS, "", &[]).await.summary(), "200", "ours opens as before");
    });
}

#[test]
fn what_is_no_key_is_refused_with_its_reason_and_never_quoted() {
    run(async {
        let house = house("admin-bad").await;
        let desk = Desk::of(&house, &house.a, 158, &["keys:admin", "catalog:read"]).await;
        let id = desk.id.0.to_string();
        let good = json!({"name": "k", "scopes": ["catalog:read"]});
        let with = |member: &str, value: Value| {
            let mut body = good.clone();
            body[member] = value;
            body.to_string()
        };
        let (long, many) = ("n".repeat(65), vec!["catalog:read"; 65]);
        for (body, expected) in [
            (String::new(), "400 payload_invalid"),
            ("[]".into(), "400 payload_invalid"),
            (r#"["canary", ["catalog:read"], 9]"#.into(), "400 payload_invalid"),
            ("{canary".into(), "400 payload_invalid"),
            (with("tenant", json!("canary")), "400 payload_invalid"),
            (with("key", json!("canary")), "400 payload_invalid"),
            (with("days", json!(-1)), "400 payload_invalid"),
            (with("days", json!(70_000)), "400 payload_invalid"),
            (with("days", json!("90")), "400 payload_invalid"),
            (with("days", json!(0)), "400 key_invalid"),
            (with("days", json!(366)), "400 key_invalid"),
            (with("name", json!("")), "400 key_invalid"),
            (with("name", json!("  ")), "400 key_invalid"),
            (with("name", json!("canary\u{1b}[2J")), "400 key_invalid"),
            (with("name", json!("canary\u{0}")), "400 key_invalid"),
            (with("name", json!(long)), "400 key_invalid"),
            (with("scopes", json!([])), "400 key_invalid"),
            (with("scopes", json!(["canary:read"])), "400 key_invalid"),
            (with("scopes", json!(["keys:read"])), "400 key_invalid"),
            (with("scopes", json!(["audit:read@canary"])), "400 key_invalid"),
            (with("scopes", json!(many)), "400 key_invalid"),
            (format!("{{\"name\":\"{}\"}}", "canary".repeat(200_000)), "413 body_too_large"),
        ] {
            let answer = desk.ask(Method::POST, KEYS, &body, &[]).await;
            assert_eq!(answer.summary(), expected, "{}", &body[..body.len().min(80)]);
            assert!(!String::from_utf8(answer.body).unwrap().contains("canary"), "quoted");
        }
        for (body, expected) in [
            ("", "400 payload_invalid"),
            ("[1]", "400 payload_invalid"),
            ("[null, null]", "400 payload_invalid"),
            (r#"{"days": 1, "days": 2}"#, "400 payload_invalid"),
            (r#"{"overlap": 1}"#, "400 payload_invalid"),
            (r#"{"days": 366}"#, "400 key_invalid"),
            (r#"{"overlap_hours": 721}"#, "400 key_invalid"),
        ] {
            assert_eq!(desk.rotate(&id, body).await.summary(), expected, "{body}");
        }
        assert_eq!(desk.list().await.len(), 2, "nothing was made");
    });
}

#[test]
fn a_tenant_has_so_many_valid_keys_and_no_more() {
    run(async {
        let house = house("admin-many").await;
        let desk = Desk::of(&house, &house.a, 159, &["keys:admin", "catalog:read"]).await;
        // Two are there; one that is over does not count.
        let expired = Some(OffsetDateTime::now_utc() - time::Duration::days(1));
        house.store.insert_api_key(&house.a.id, [1; 32], "over", &[], expired).await.unwrap();
        for number in 0..498_u16 {
            let mut digest = [160; 32];
            digest[..2].copy_from_slice(&number.to_be_bytes());
            house.store.insert_api_key(&house.a.id, digest, "many", &[], None).await.unwrap();
        }
        let body = json!({"name": "k", "scopes": ["catalog:read"]});
        assert_eq!(desk.issue(body.clone()).await.summary(), "409 keys_too_many");
        let last = desk.list().await.pop().unwrap()["id"].to_string();
        assert_eq!(desk.revoke(&last).await.summary(), "200");
        assert_eq!(desk.issue(body.clone()).await.summary(), "201");
        assert_eq!(desk.issue(body).await.summary(), "409 keys_too_many");
    });
}

#[test]
fn a_key_can_end_itself_also_the_last_that_may_and_each_step_is_recorded() {
    run(async {
        let house = house_in("admin-last", "admin_last").await;
        let desk = Desk::of(&house, &house.a, 161, &["keys:admin", "catalog:read"]).await;
        let made = desk.issue(json!({"name": "ci", "scopes": ["catalog:read"]})).await.json();
        desk.issue(json!({"name": "ci", "scopes": ["audit:read"]})).await;
        let next = desk.rotate(&made["id"].to_string(), "{}").await.json();
        desk.revoke("999999999").await;
        let own = desk.id.0.to_string();
        assert_eq!(desk.revoke(&own).await.summary(), "200");
        // From the next request on it is nobody's; what it issued stays.
        for answer in [desk.revoke(&own).await, desk.ask(Method::GET, KEYS, "", &[]).await] {
            assert_eq!(answer.summary(), "401 unauthorized");
        }
        assert!(desk.opens(&next["key"]).await);
        // An operator's command line issues another one: nothing is lost.
        let another = Desk::of(&house, &house.a, 162, &["keys:admin"]).await;
        assert_eq!(another.list().await.len(), 5);

        let auditor = Auditor::new(&cluster().await.auditor_url("admin_last")).unwrap();
        let actor = Some(format!("api key {own} test"));
        let records = auditor.trail(&TrailFilter { actor, ..TrailFilter::default() }, 100).await.unwrap();
        let mut recorded: Vec<_> = records
            .iter()
            .filter(|record| record.action != "GET")
            .map(|r| format!("{} {} {} {}", r.action, r.resource, r.outcome, r.code))
            .collect();
        recorded.reverse();
        let (made, next) = (&made["id"], &next["id"]);
        assert_eq!(
            recorded,
            [
                format!("POST {KEYS} as {made} ok 201"),
                format!("POST {KEYS} denied scope_escalation"),
                format!("POST {KEYS}/{made}/rotate as {next} ok 200"),
                format!("DELETE {KEYS}/999999999 invalid key_not_found"),
                format!("DELETE {KEYS}/{own} ok 200"),
            ]
        );
    });
}
