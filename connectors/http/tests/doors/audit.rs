//! The sanitizer's audit: scope, filters, pages, and nothing of another tenant.

use std::collections::BTreeMap;

use terrasift_http::mint_api_key;
use terrasift_schemas::detection::{Action, Category, Detection, Report};

use crate::house::{House, Tenant, add_key, house, run};

fn report(rule: &str, category: Category) -> Report {
    let pointer = format!("/outputs/{rule}/value");
    let found = Detection { rule: rule.to_owned(), category, action: Action::Redact, pointer, bytes: 9 };
    Report { detections: vec![found], counts: BTreeMap::from([(category, 1)]), truncated: 0 }
}

/// A key that may read the audit, and nothing else.
async fn auditor(house: &House, tenant: &Tenant, seed: u8) -> String {
    let key = mint_api_key([seed; 24]).expose().to_owned();
    add_key(&house.store, &tenant.id, &key, &["audit:read"], None).await;
    key
}

async fn furnished(name: &str) -> House {
    let house = house(name).await;
    let found = [("email", Category::Pii), ("jwt", Category::Credential), ("email", Category::Pii)];
    for (serial, (rule, category)) in (1..).zip(found) {
        let name = format!("e{serial}");
        let upserts = [("Resource", name.as_str())];
        house.commit_found(&house.a, serial, &upserts, &[], report(rule, category)).await;
    }
    house
}

#[test]
fn audit_needs_its_own_scope() {
    run(async {
        let house = furnished("audit-scope").await;
        let key = auditor(&house, &house.a, 130).await;
        for (name, key, uri, expected) in [
            ("a key for the catalog", &house.a.key, "/v1/audit", "403 scope_missing"),
            ("a key for the catalog, one record", &house.a.key, "/v1/audit/1", "403 scope_missing"),
            ("a key for the audit", &key, "/v1/audit", "200"),
            ("a key for the audit, the catalog", &key, "/v1/entities", "403 scope_missing"),
        ] {
            assert_eq!(house.get_with(key, uri, &[]).await.summary(), expected, "{name}");
        }
    });
}

#[test]
fn audit_records_are_filtered_and_paged() {
    run(async {
        let house = furnished("audit-pages").await;
        let key = auditor(&house, &house.a, 131).await;
        let serials = |json: &serde_json::Value| {
            let rows = json["audit"].as_array().cloned().unwrap_or_default();
            rows.iter().map(|row| row["serial"].as_i64().unwrap_or(-1)).collect::<Vec<_>>()
        };
        for (query, expected) in [
            ("", &[3, 2, 1][..]),
            ("?rule=email", &[3, 1]),
            ("?category=credential", &[2]),
            ("?workspace=ws-A&rule=jwt", &[2]),
            ("?workspace=ws-B", &[]),
            ("?since=2999-01-01T00:00:00Z", &[]),
            ("?until=2999-01-01T00:00:00Z", &[3, 2, 1]),
        ] {
            let answer = house.get_with(&key, &format!("/v1/audit{query}"), &[]).await;
            assert_eq!(serials(&answer.json()), expected, "{query}");
        }
        let first = house.get_with(&key, "/v1/audit?limit=2", &[]).await.json();
        assert_eq!(serials(&first), [3, 2]);
        let cursor = first["next_cursor"].as_str().unwrap().to_owned();
        let rest = house.get_with(&key, &format!("/v1/audit?limit=2&cursor={cursor}"), &[]).await.json();
        assert_eq!((serials(&rest), rest.get("next_cursor")), (vec![1], None));
        let other = house.get_with(&key, &format!("/v1/audit?rule=email&cursor={cursor}"), &[]).await;
        assert_eq!(other.summary(), "400 cursor_filter_changed");

        let row = &first["audit"][0];
        assert_eq!(
            row["findings"],
            serde_json::json!([{"rule":"email","category":"pii","action":"redact","count":1}])
        );
        let one = house.get_with(&key, &format!("/v1/audit/{}", row["id"]), &[]).await.json();
        assert_eq!(one["findings"][0]["pointers"], serde_json::json!(["/outputs/email/value"]));
        assert_eq!((&one["counts"]["pii"], &one["workspace"]), (&1.into(), &"ws-A".into()));
    });
}

#[test]
fn a_tenant_reads_no_audit_of_another() {
    run(async {
        let house = furnished("audit-tenants").await;
        let (ours, theirs) = (auditor(&house, &house.a, 132).await, auditor(&house, &house.b, 133).await);
        let page = house.get_with(&ours, "/v1/audit?limit=1", &[]).await.json();
        let (id, cursor) = (page["audit"][0]["id"].clone(), page["next_cursor"].as_str().unwrap().to_owned());
        assert_eq!(house.get_with(&theirs, "/v1/audit", &[]).await.json(), serde_json::json!({"audit":[]}));
        for (uri, expected) in [
            (format!("/v1/audit/{id}"), "404 audit_not_found"),
            ("/v1/audit/9223372036854775807".to_owned(), "404 audit_not_found"),
            ("/v1/audit/x".to_owned(), "404 audit_not_found"),
            (format!("/v1/audit?limit=1&cursor={cursor}"), "400 cursor_invalid"),
            (format!("/v1/audit?tenant={}", house.a.id), "400 query_parameter_unknown"),
        ] {
            assert_eq!(house.get_with(&theirs, &uri, &[]).await.summary(), expected, "{uri}");
        }
        assert_eq!(house.get_with(&ours, &format!("/v1/audit/{id}"), &[]).await.status, 200);
    });
}
