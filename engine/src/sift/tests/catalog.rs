//! The catalog's way, up to what the extractor makes of it.

use std::sync::Arc;

use terrasift_schemas::workspace::WorkspaceFacts;
use terrasift_schemas::{PipelineVersion, TenantId, TenantSlug, WorkspaceId};

use super::super::{Pipeline, SiftJob, SiftedState, StateSift, TenantKeys, sift_stateless};
use super::{instance, pieces, state};
use crate::detect::HashKey;
use crate::extract::{CatalogProfile, TypeTable};
use crate::refusal::{Refusal, RefusalKind};

fn pipeline() -> Arc<Pipeline> {
    let types = TypeTable::builtin().with_types(vec![("aws_thing".to_owned(), "thing".to_owned())]);
    Arc::new(Pipeline { rules: super::rules(), types: Arc::new(types), version: PipelineVersion(1_000_001) })
}

fn job() -> SiftJob {
    SiftJob {
        tenant: TenantId::parse("acme").expect("an id"),
        slug: TenantSlug::parse("acme").expect("a slug"),
        workspace: WorkspaceId::parse("ws-1").expect("an id"),
        facts: WorkspaceFacts {
            name: "one".to_owned(),
            organization: "acme".to_owned(),
            ..Default::default()
        },
        keys: TenantKeys { identity_key: [1; 32], hash_key: HashKey::new([2; 32]), taint_key: [3; 16] },
        profile: CatalogProfile::default(),
        state_version: None,
    }
}

fn sift(bytes: &[u8], lengths: &[usize]) -> Result<SiftedState, Refusal> {
    let mut sift = StateSift::new(&pipeline(), job());
    for piece in pieces(bytes, lengths) {
        sift.push(piece)?;
    }
    assert!(sift.memory_bytes() > 0);
    sift.finish()
}

fn bodies(sifted: &SiftedState) -> Vec<String> {
    sifted.entities.iter().map(|e| String::from_utf8(e.get().body.clone()).expect("UTF-8")).collect()
}

#[test]
fn a_state_becomes_entities_whatever_the_chunks() {
    let text = instance(r#""attributes":{"id":"i-1"},"sensitive_attributes":[],"index_key":"k""#);
    let whole = sift(text.as_bytes(), &[usize::MAX]).expect("a state");
    assert_eq!((whole.serial, whole.resource_count), (7, 1));
    assert_eq!(whole.bytes_in, u64::try_from(text.len()).expect("small"));
    assert_eq!(whole.entities.len(), 2);
    assert_eq!(bodies(&sift(text.as_bytes(), &[1]).expect("a state")), bodies(&whole));
}

#[test]
fn sorted_members_make_the_same_entities() {
    let text = instance(r#""attributes":{"id":"i-1"},"sensitive_attributes":[],"index_key":0"#);
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let sorted = {
        let mut value = value;
        value.sort_all_objects();
        serde_json::to_vec_pretty(&value).expect("JSON")
    };
    let (a, b) = (sift(text.as_bytes(), &[100]).expect("a state"), sift(&sorted, &[100]).expect("a state"));
    assert_eq!(bodies(&a), bodies(&b));
    assert_eq!(a.lineage, b.lineage);
}

#[test]
fn nothing_comes_of_a_state_that_ends_early_or_cannot_be_ordered() {
    let check = |text: &str, wanted: RefusalKind| {
        assert_eq!(sift(text.as_bytes(), &[9]).err().map(|r| r.kind), Some(wanted), "{text}");
    };
    check("", RefusalKind::Empty);
    check("{\"version\":4,\"serial\":1", RefusalKind::Truncated);
    check(r#"{"version":4,"serial":1}"#, RefusalKind::NotAStateV4);
    check(r#"{"version":4,"lineage":"x"}"#, RefusalKind::NotAStateV4);
    check(r#"{"version":4,"lineage":"","serial":1}"#, RefusalKind::NotAStateV4);
    check(&state("[{\"instances\":[]}]", "{}"), RefusalKind::NotAStateV4);
}

#[test]
fn an_instance_above_the_cap_is_an_entity_without_attributes() {
    let big = "y".repeat(9 << 20);
    let text = instance(&format!(
        r#""attributes":{{"id":"i-1","big":"{big}"}},"index_key":"k","sensitive_attributes":[]"#
    ));
    let sifted = sift(text.as_bytes(), &[1 << 20]).expect("a state");
    assert_eq!(sifted.entities.len(), 2);
    assert!(bodies(&sifted).iter().all(|body| !body.contains("yyyyyyyy")));
}

#[test]
fn a_workspace_without_state_is_one_entity() {
    let sifted = sift_stateless(&pipeline(), job()).expect("facts");
    assert_eq!((sifted.entities.len(), sifted.serial), (1, 0));
}
