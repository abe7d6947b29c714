//! Dead letters: scopes, filters, pages, the two decisions, and nothing of another tenant.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use terrasift_http::mint_api_key;
use terrasift_postgres::NewDeadLetter;
use terrasift_schemas::WorkspaceId;
use terrasift_schemas::event::FailureReason;

use crate::house::{House, Tenant, add_key, house, run};

const READ: &str = "dead-letters:read";
const WRITE: &str = "dead-letters:write";

async fn key(house: &House, tenant: &Tenant, seed: u8, scopes: &[&str]) -> String {
    let key = mint_api_key([seed; 24]).expose().to_owned();
    add_key(&house.store, &tenant.id, &key, scopes, None).await;
    key
}

/// Parks a letter of a workspace (`None`: of none); its id.
async fn park(house: &House, tenant: &Tenant, workspace: Option<&str>, reason: FailureReason) -> i64 {
    let letter = NewDeadLetter {
        tenant: tenant.id.clone(),
        workspace: workspace.map(|id| WorkspaceId::parse(id).expect("workspace")),
        reason,
        detail: "the state is no json".into(),
        attempts: 4,
        record: None,
        trace: None,
    };
    house.store.park(&letter, None).await.expect("parked").0
}

fn ids(answer: &Value) -> Vec<i64> {
    let letters = answer["dead_letters"].as_array().cloned().unwrap_or_default();
    letters.iter().map(|letter| letter["id"].as_i64().unwrap_or(-1)).collect()
}

#[test]
fn dead_letters_need_their_own_scopes() {
    run(async {
        let house = house("letters-scope").await;
        let id = park(&house, &house.a, Some("ws-D"), FailureReason::StateRefused).await;
        let reads = key(&house, &house.a, 140, &[READ]).await;
        let writes = key(&house, &house.a, 141, &[WRITE]).await;
        let (list, one) = ("/v1/dead-letters".to_owned(), format!("/v1/dead-letters/{id}"));
        for (name, key, uri, expected) in [
            ("the catalog's key, list", &house.a.key, &list, "403 scope_missing"),
            ("the catalog's key, one", &house.a.key, &one, "403 scope_missing"),
            ("a key that writes, list", &writes, &list, "403 scope_missing"),
            ("a key that reads, list", &reads, &list, "200"),
            ("a key that reads, one", &reads, &one, "200"),
        ] {
            assert_eq!(house.get_with(key, uri, &[]).await.summary(), expected, "{name}");
        }
        for action in ["retry", "discard"] {
            let uri = format!("{one}/{action}");
            for key in [&house.a.key, &reads] {
                assert_eq!(house.post_with(key, &uri).await.summary(), "403 scope_missing", "{action}");
            }
            let nobody = Request::post(&uri).body(Body::empty()).unwrap();
            assert_eq!(house.send(nobody).await.summary(), "401 unauthorized", "{action}");
            assert_eq!(
                house.get_with(&writes, &uri, &[]).await.summary(),
                "405 method_not_allowed",
                "{action}"
            );
        }
        assert_eq!(house.get_with(&reads, &one, &[]).await.json()["state"], "open", "nobody did anything");
        assert_eq!(house.post_with(&writes, &format!("{one}/retry")).await.summary(), "200");
    });
}

#[test]
fn dead_letters_are_filtered_and_paged() {
    run(async {
        let house = house("letters-pages").await;
        let key = key(&house, &house.a, 142, &[READ, WRITE]).await;
        let mut parked = Vec::new();
        for at in 0..3 {
            let workspace = format!("ws-D{at}");
            parked.push(park(&house, &house.a, Some(&workspace), FailureReason::StateRefused).await);
        }
        parked.push(park(&house, &house.a, Some("ws-D0"), FailureReason::Panicked).await);
        house.post_with(&key, &format!("/v1/dead-letters/{}/discard", parked[1])).await;
        for (query, expected) in [
            ("", vec![parked[0], parked[2], parked[3]]),
            ("?state=all", parked.clone()),
            ("?state=discarded", vec![parked[1]]),
            ("?state=closed", vec![]),
            ("?reason=panicked", vec![parked[3]]),
            ("?workspace=ws-D0", vec![parked[0], parked[3]]),
            ("?since=2999-01-01T00:00:00Z", vec![]),
            ("?since=2000-01-01T00:00:00Z&state=all", parked.clone()),
        ] {
            let answer = house.get_with(&key, &format!("/v1/dead-letters{query}"), &[]).await;
            assert_eq!(ids(&answer.json()), expected, "{query}");
        }
        let first = house.get_with(&key, "/v1/dead-letters?limit=2", &[]).await.json();
        assert_eq!(ids(&first), [parked[0], parked[2]]);
        let cursor = first["next_cursor"].as_str().expect("more").to_owned();
        let rest =
            house.get_with(&key, &format!("/v1/dead-letters?limit=2&cursor={cursor}"), &[]).await.json();
        assert_eq!((ids(&rest), rest.get("next_cursor")), (vec![parked[3]], None));
        for uri in
            [format!("/v1/dead-letters?state=all&cursor={cursor}"), format!("/v1/changes?cursor={cursor}")]
        {
            let key = if uri.contains("changes") { &house.a.key } else { &key };
            assert_eq!(house.get_with(key, &uri, &[]).await.summary(), "400 cursor_filter_changed", "{uri}");
        }
    });
}

#[test]
fn a_letter_is_decided_once_and_says_by_whom() {
    run(async {
        let house = house("letters-decide").await;
        let key = key(&house, &house.a, 143, &[READ, WRITE]).await;
        let own = house.store.api_keys(&house.a.id, None, 10).await.unwrap().pop().expect("a key");
        let by = json!(format!("api key {} test", own.id.0));
        let id = park(&house, &house.a, Some("ws-D"), FailureReason::StateRefused).await;
        let post =
            async |action: &str| house.post_with(&key, &format!("/v1/dead-letters/{id}/{action}")).await;
        let retried = post("retry").await;
        assert_eq!((retried.status.as_u16(), retried.header("cache-control")), (200, "no-store"));
        let body = retried.json();
        assert_eq!(
            (&body["state"], &body["retried_by"], &body["retries"], &body["retry_waits"]),
            (&json!("retried"), &by, &json!(1), &json!(true))
        );
        assert_eq!(post("retry").await.json(), body, "asked again, nothing changes");
        let discarded = post("discard").await.json();
        assert_eq!(
            (&discarded["state"], &discarded["settled_by"], &discarded["retry_waits"]),
            (&json!("discarded"), &by, &json!(false))
        );
        assert_eq!(post("discard").await.json(), discarded);
        let refused = post("retry").await;
        assert_eq!(refused.summary(), "409 dead_letter_settled");
        assert_eq!(refused.header("content-type"), "application/problem+json");
        let shown = house.get_with(&key, &format!("/v1/dead-letters/{id}"), &[]).await.json();
        assert_eq!(shown, discarded, "the row stays");

        let homeless = park(&house, &house.a, None, FailureReason::InvalidRecord).await;
        let refused = house.post_with(&key, &format!("/v1/dead-letters/{homeless}/retry")).await;
        assert_eq!(refused.summary(), "409 dead_letter_not_retryable");

        let closed = park(&house, &house.a, Some("ws-A"), FailureReason::Panicked).await;
        house.commit(&house.a, 1, &[("Resource", "x")], &[]).await;
        let shown = house.get_with(&key, &format!("/v1/dead-letters/{closed}"), &[]).await.json();
        assert_eq!((&shown["state"], &shown["settled_by"]), (&json!("closed"), &json!("sync")));

        let metrics = String::from_utf8(house.get("/metrics").await.body).unwrap();
        for (action, outcome, count) in [
            ("retry", "done", 1),
            ("retry", "already", 1),
            ("retry", "refused", 2),
            ("discard", "already", 1),
        ] {
            let line = format!(
                "terrasift_dead_letter_decisions_total{{action=\"{action}\",outcome=\"{outcome}\",tenant=\"{}\"}} {count}",
                house.a.id
            );
            assert!(metrics.contains(&line), "{line}\n{metrics}");
        }
    });
}

#[test]
fn a_tenant_decides_about_no_letter_of_another() {
    run(async {
        let house = house("letters-tenants").await;
        let theirs = key(&house, &house.b, 144, &[READ, WRITE]).await;
        let ours = key(&house, &house.a, 145, &[READ]).await;
        let id = park(&house, &house.a, Some("ws-D"), FailureReason::StateRefused).await;
        park(&house, &house.a, Some("ws-E"), FailureReason::StateRefused).await;
        let page = house.get_with(&ours, "/v1/dead-letters?limit=1", &[]).await.json();
        let cursor = page["next_cursor"].as_str().expect("more").to_owned();
        assert_eq!(
            house.get_with(&theirs, "/v1/dead-letters", &[]).await.json(),
            json!({"dead_letters": []})
        );
        for (uri, expected) in [
            (format!("/v1/dead-letters/{id}"), "404 dead_letter_not_found"),
            ("/v1/dead-letters/9223372036854775807".to_owned(), "404 dead_letter_not_found"),
            ("/v1/dead-letters/x".to_owned(), "404 dead_letter_not_found"),
            (format!("/v1/dead-letters?limit=1&cursor={cursor}"), "400 cursor_invalid"),
            (format!("/v1/dead-letters?tenant={}", house.a.id), "400 query_parameter_unknown"),
        ] {
            assert_eq!(house.get_with(&theirs, &uri, &[]).await.summary(), expected, "{uri}");
        }
        for letter in [id.to_string(), "9223372036854775807".into(), "-1".into(), "x".into()] {
            for action in ["retry", "discard"] {
                let uri = format!("/v1/dead-letters/{letter}/{action}");
                assert_eq!(
                    house.post_with(&theirs, &uri).await.summary(),
                    "404 dead_letter_not_found",
                    "{uri}"
                );
            }
        }
        let tenant = format!("/v1/dead-letters/{id}/retry?tenant={}", house.a.id);
        assert_eq!(house.post_with(&theirs, &tenant).await.summary(), "400 query_parameter_unknown");
        let shown = house.get_with(&ours, &format!("/v1/dead-letters/{id}"), &[]).await.json();
        assert_eq!(shown["state"], "open");
    });
}
