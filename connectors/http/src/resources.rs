//! `GET /v1/resources` and `GET /v1/resource-types`: the inventory of what Terraform manages, as far as it is in the catalog.
//!
//! A line a resource, read out of its entity. Must never show more than the entity shows.

use std::sync::Arc;

use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use terrasift_postgres::ResourceTypeCount;
use terrasift_schemas::EntityRef;
use terrasift_schemas::catalog::{Entity, RESOURCE_KIND};

use crate::conditional::json_response;
use crate::entities::{ADDRESS, Wanted, find};
use crate::feed::{Reader, to_json};
use crate::gate::Gate;
use crate::openapi::{Answer, Operation, schema_of};
use crate::problem::{Code, Problem};
use crate::query::{CURSOR, LIMIT, ListQuery, Parameter, Shape, WORKSPACE};

const TYPE: Parameter = Parameter {
    name: "type",
    about: "Only resources of this Terraform type, such as `aws_s3_bucket`",
    shape: Shape::Text("^[A-Za-z0-9._-]{1,63}$"),
};
const MODULE: Parameter = Parameter {
    name: "module",
    about: "Only resources in this module or below it, such as `module.network`",
    shape: Shape::Text("^[^\\u0000]{1,1024}$"),
};
const PREFIX: Parameter = Parameter {
    name: "prefix",
    about: "Only resources whose entity's name begins so",
    shape: Shape::Text("^[A-Za-z0-9._-]{1,63}$"),
};
const PARAMETERS: &[Parameter] = &[CURSOR, LIMIT, TYPE, MODULE, PREFIX, WORKSPACE];

pub(crate) const LIST: Operation = Operation {
    id: "listResources",
    summary: "The inventory: a line a resource, oldest change first",
    about: "Every filter that is given must hold.",
    query: PARAMETERS,
    body: None,
    answer: Answer::Tagged(schema_of::<ResourcesBody>),
    problems: &[Code::CursorExpired],
};

pub(crate) const TYPES: Operation = Operation {
    id: "countResources",
    summary: "How many resources of each Terraform type there are, most first",
    about: "",
    query: &[],
    body: None,
    answer: Answer::Tagged(schema_of::<TypesBody>),
    problems: &[],
};

/// A resource.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ResourceLine")]
struct ResourceBody {
    /// Its entity.
    entity_ref: EntityRef,
    /// Address in its state; what was redacted in it stands there as its marker. A very long one is cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// Path of the module that it is in; absent in the root module.
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<String>,
    /// Terraform resource type.
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<String>,
    /// Provider, as its type tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    /// Owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    /// Workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ResourcesPage")]
struct ResourcesBody {
    resources: Vec<ResourceBody>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// How many resources of a type there are.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ResourceTypeCount")]
struct TypeBody {
    /// Terraform resource type.
    r#type: String,
    /// Resources.
    resources: i64,
    /// Workspaces that have some.
    workspaces: i64,
}

impl From<&ResourceTypeCount> for TypeBody {
    fn from(count: &ResourceTypeCount) -> Self {
        Self { r#type: count.resource_type.clone(), resources: count.resources, workspaces: count.workspaces }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ResourceTypes")]
struct TypesBody {
    resource_types: Vec<TypeBody>,
}

pub(crate) async fn list(State(gate): State<Arc<Gate>>, parts: Parts) -> Result<Response, Problem> {
    let reader = Reader::of(&gate, &parts)?;
    let mut wanted = Wanted::parse(parts.uri.query(), PARAMETERS)?;
    wanted.filter.kind = Some(RESOURCE_KIND.to_owned());
    let (rows, next_cursor) = find(&reader, "resources", &wanted).await?;
    let mut resources = Vec::with_capacity(rows.len());
    for row in rows {
        let entity = serde_json::from_str::<Entity>(&row.body.unwrap_or_default())
            .map_err(|_| Problem::new(Code::Internal, "a stored entity is no entity"))?;
        if wanted.holds(&entity) {
            resources.push(resource(row.entity_ref, entity));
        }
    }
    Ok(json_response(&parts.headers, to_json(&ResourcesBody { resources, next_cursor })?))
}

pub(crate) async fn types(State(gate): State<Arc<Gate>>, parts: Parts) -> Result<Response, Problem> {
    let reader = Reader::of(&gate, &parts)?;
    ListQuery::parse(parts.uri.query(), TYPES.query)?;
    let resource_types = reader.resource_types().await?.iter().map(TypeBody::from).collect();
    Ok(json_response(&parts.headers, to_json(&TypesBody { resource_types })?))
}

fn resource(entity_ref: EntityRef, entity: Entity) -> ResourceBody {
    let mut annotations = entity.metadata.annotations;
    // What is annotated is told as a value, so an address with a marker in it is not: the title has it for people.
    let address = annotations.remove(ADDRESS).or(entity.metadata.title);
    ResourceBody {
        entity_ref,
        module: address.as_deref().and_then(module).map(str::to_owned),
        address,
        r#type: annotations.remove("terraform.io/resource-type"),
        provider: entity.metadata.labels.get("terrasift.io/provider").cloned(),
        owner: entity.spec.get("owner").and_then(serde_json::Value::as_str).map(str::to_owned),
        workspace: annotations.remove("terraform.io/workspace-id"),
    }
}

/// The module's part of an address: all `module.name[key]` at its beginning. Keys may hold dots and, escaped, quotes.
fn module(address: &str) -> Option<&str> {
    let mut end = 0;
    while let Some(rest) = address[end..].trim_start_matches('.').strip_prefix("module.") {
        let begin = address.len() - rest.len();
        end = begin + step_length(rest);
    }
    (end > 0).then(|| &address[..end])
}

/// Bytes of a module's name with its key.
fn step_length(text: &str) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'.' if !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_a_redaction_in_it_comes_from_the_title() {
        let told = |annotations: serde_json::Value| {
            let entity = serde_json::json!({
                "apiVersion": "backstage.io/v1alpha1",
                "kind": "Resource",
                "metadata": {
                    "name": "people",
                    "namespace": "acme",
                    "title": r#"module.app.aws_cognito_user.people["[REDACTED:pii]"]"#,
                    "annotations": annotations,
                },
                "spec": {},
            });
            let entity_ref = EntityRef::parse("resource:acme/people").unwrap();
            let line = resource(entity_ref, serde_json::from_value(entity).unwrap());
            (line.address, line.module)
        };
        let module = Some("module.app".to_owned());
        let title = r#"module.app.aws_cognito_user.people["[REDACTED:pii]"]"#.to_owned();
        assert_eq!(told(serde_json::json!({})), (Some(title), module.clone()));
        let address = "module.app.aws_cognito_user.people";
        assert_eq!(told(serde_json::json!({ ADDRESS: address })), (Some(address.to_owned()), module));
    }

    #[test]
    fn the_module_is_the_beginning_of_an_address() {
        for (address, expected) in [
            ("aws_instance.web", None),
            ("module.net.aws_vpc.main", Some("module.net")),
            ("module.net.module.sub.aws_vpc.main[0]", Some("module.net.module.sub")),
            (r#"module.net["a.b"].aws_vpc.main"#, Some(r#"module.net["a.b"]"#)),
            (
                r#"module.net["a\".b"].module.x[1].aws_vpc.main["module.q"]"#,
                Some(r#"module.net["a\".b"].module.x[1]"#),
            ),
            ("module.net", Some("module.net")),
            ("modules.net.x", None),
            ("", None),
        ] {
            assert_eq!(module(address), expected, "{address}");
        }
    }
}
