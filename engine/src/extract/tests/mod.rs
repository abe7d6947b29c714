//! Tests of the extractor as a whole: names, entities against Backstage's rules, relations, bounds, golden entities.

mod corpus;
mod entities;
mod names;
mod oracle;

use std::sync::Arc;

use terrasift_schemas::catalog::RenderedEntity;
use terrasift_schemas::workspace::WorkspaceFacts;
use terrasift_schemas::{TenantSlug, WorkspaceId};

use super::{CatalogProfile, Extractor, ResourceHeader, StateHead, TypeTable};
use crate::identity::IdentityKey;
use crate::refusal::Refusal;

/// A resource of a test: header and instances `(index key as JSON, members of the instance, deposed)`.
#[derive(Clone, Debug)]
struct Resource {
    module: Option<String>,
    mode: &'static str,
    rtype: String,
    name: String,
    instances: Vec<(Option<String>, String, bool)>,
}

impl Resource {
    fn new(module: Option<&str>, rtype: &str, name: &str, instances: &[(Option<&str>, &str)]) -> Self {
        let instance =
            |(key, members): &(Option<&str>, &str)| (key.map(str::to_owned), (*members).to_owned(), false);
        Self {
            module: module.map(str::to_owned),
            mode: "managed",
            rtype: rtype.to_owned(),
            name: name.to_owned(),
            instances: instances.iter().map(instance).collect(),
        }
    }
}

fn facts() -> WorkspaceFacts {
    WorkspaceFacts {
        name: "Network Prod".to_owned(),
        description: Some("Networks of production".to_owned()),
        organization: "acme".to_owned(),
        terraform_version: Some("1.11.4".to_owned()),
        locked: false,
        auto_apply: true,
        vcs_repository: Some("acme/infra".to_owned()),
        vcs_branch: Some("main".to_owned()),
        vcs_url: Some("https://github.com/acme/infra".to_owned()),
        working_directory: Some("network".to_owned()),
        tags: vec!["env:prod".to_owned(), "team=Net Ops".to_owned()],
        project: Some("Platform".to_owned()),
        updated_at: Some("2026-11-20T10:00:00Z".to_owned()),
        html_url: Some("https://tfc.example/app/acme/workspaces/network-prod".to_owned()),
        variables: vec![("region".to_owned(), false), ("db_password".to_owned(), true)],
    }
}

const HEAD: StateHead<'static> = StateHead {
    serial: 42,
    terraform_version: Some("1.11.3"),
    state_version: Some("sv-abc123"),
    created_at: Some("2026-11-21T10:00:00Z"),
};

fn key() -> IdentityKey {
    IdentityKey::new([7; 32])
}

fn extractor(slug: &str, workspace: &str) -> Extractor {
    let slug = TenantSlug::parse(slug).expect("a slug");
    let workspace = WorkspaceId::parse(workspace).expect("a workspace id");
    Extractor::new(Arc::new(TypeTable::builtin()), CatalogProfile::default(), &slug, &workspace, &key())
}

/// Feeds resources as the core does, with the header before (`early`) or after the instances.
fn feed(extractor: &mut Extractor, resources: &[Resource], early: bool) -> Result<(), Refusal> {
    let key = key();
    for resource in resources {
        let wanted = !early || extractor.resource_begin(resource.mode, &resource.rtype);
        for (index, members, deposed) in &resource.instances {
            if !wanted {
                extractor.count_instance(*deposed);
                continue;
            }
            let comma = if members.is_empty() { "" } else { "," };
            let index_json = index.as_deref().unwrap_or("null");
            let json = format!(r#"{{"index_key":{index_json}{comma}{members}}}"#);
            let identity = key.instance(index.as_deref().map(str::as_bytes), deposed.then_some("00000000"));
            extractor.instance(json.as_bytes(), identity, *deposed)?;
        }
        let header = ResourceHeader {
            module: resource.module.as_deref(),
            mode: resource.mode,
            rtype: &resource.rtype,
            name: &resource.name,
            provider: r#"provider["registry.example/hashicorp/aws"].west"#,
        };
        let module = resource.module.as_deref().unwrap_or_default();
        extractor
            .resource_end(header, key.resource(module, resource.mode, &resource.rtype, &resource.name))?;
    }
    Ok(())
}

fn extract(resources: &[Resource]) -> Result<Vec<RenderedEntity>, Refusal> {
    let mut extractor = extractor("acme", "ws-1");
    feed(&mut extractor, resources, true)?;
    extractor.finish(&facts(), HEAD, &mut |_| None)
}

fn json(entity: &RenderedEntity) -> serde_json::Value {
    serde_json::from_slice(&entity.body).expect("json")
}

fn assert_valid(entities: &[RenderedEntity]) {
    for entity in entities {
        let wrong = oracle::violations(&entity.body);
        assert!(
            wrong.is_empty(),
            "{}: {wrong:?}\n{}",
            entity.entity_ref,
            String::from_utf8_lossy(&entity.body)
        );
    }
    assert!(entities.is_sorted_by(|a, b| a.entity_ref < b.entity_ref), "sorted, no duplicates");
}
