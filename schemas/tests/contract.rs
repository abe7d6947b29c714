//! Holds `schemas/generated/` true. `UPDATE_GOLDEN=1` writes the files anew.

use std::path::Path;

use terrasift_schemas::contract::generated_files;
use terrasift_schemas::event::FailureReason;

#[test]
fn the_published_contract_is_what_the_types_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("generated");
    #[expect(clippy::disallowed_methods, reason = "golden files are written on demand")]
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    for file in generated_files() {
        let path = folder.join(&file.name);
        if update {
            std::fs::write(&path, &file.content).expect("golden file is writable");
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(golden == file.content, "{} is stale: run `make golden` and read the difference", file.name);
    }
}

#[test]
fn encoded_events_validate_against_the_published_schemas() {
    use terrasift_schemas::event::{DiscoverySource, Envelope, Event, WorkspaceDiscovered};
    let envelope = Envelope {
        id: "1".into(),
        source: "/test".into(),
        time: None,
        trace: None,
        event: Event::WorkspaceDiscovered(WorkspaceDiscovered {
            tenant: terrasift_schemas::TenantId::parse("acme").expect("id"),
            workspace: terrasift_schemas::WorkspaceId::parse("ws-1").expect("id"),
            organization: None,
            source: DiscoverySource::Manual,
        }),
    };
    let record = envelope.encode().expect("encodes");
    let name = format!("{}.schema.json", record.topic);
    let file = generated_files().into_iter().find(|f| f.name == name).expect("schema of the topic");
    let schema: serde_json::Value = serde_json::from_str(&file.content).expect("schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("schema compiles");
    let good: serde_json::Value = serde_json::from_slice(&record.value).expect("value is JSON");
    assert!(validator.is_valid(&good));
    let mut bad = good;
    bad["workspace"] = "../x".into();
    assert!(!validator.is_valid(&bad), "the schema must refuse what the codec refuses");
}

#[test]
fn every_reason_of_a_failure_is_found_by_its_code() {
    let schema = serde_json::to_value(schemars::schema_for!(FailureReason)).expect("json");
    let declared: Vec<_> =
        schema["oneOf"].as_array().expect("json").iter().map(|one| one["const"].clone()).collect();
    let listed = FailureReason::ALL.map(|reason| serde_json::to_value(reason).expect("json"));
    assert_eq!(declared, listed, "the list has all of them");
    for reason in FailureReason::ALL {
        assert_eq!(serde_json::to_value(reason).expect("json"), reason.as_str());
        assert_eq!(FailureReason::from_code(reason.as_str()), Some(reason));
    }
    for code in ["", "panicked ", "Panicked", "a_reason_of_tomorrow"] {
        assert_eq!(FailureReason::from_code(code), None, "{code:?}");
    }
}
