//! `GET /v1/entities` and `GET /v1/entities/by-ref/{kind}/{namespace}/{name}`: look-ups of what is live.
//!
//! Must never show a tombstone or what is outside the caller's namespaces, and never tell an entity of another tenant from one that does not exist.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use terrasift_postgres::{ChangeRow, EntityFilter};
use terrasift_schemas::EntityRef;
use terrasift_schemas::catalog::Entity;

use crate::conditional::{json_response, json_response_tagged};
use crate::cursor::{Cursor, FilterHash};
use crate::feed::{Found, Reader, raw_entity, to_json};
use crate::gate::Gate;
use crate::openapi::{Answer, Operation, schema_of};
use crate::problem::{Code, Problem};
use crate::query::{
    CURSOR, KIND, LIMIT, LIMIT_DEFAULT, ListQuery, Parameter, Shape, WORKSPACE, kind, limit, parameters,
    workspace,
};

/// Longest filter: an annotation's key and value, as Backstage bounds them, have room.
const FILTER_BYTES_MAX: usize = 1_024;

/// The annotation that says where in its state a resource stands.
pub(crate) const ADDRESS: &str = "terraform.io/resource-address";

const NAMESPACE: Parameter = Parameter {
    name: "namespace",
    about: "Only entities in this namespace, in any case",
    shape: Shape::Text("^[A-Za-z0-9-]{1,63}$"),
};
const NAME: Parameter = Parameter {
    name: "name",
    about: "Only entities of this name, in any case",
    shape: Shape::Text("^[A-Za-z0-9._-]{1,63}$"),
};
const PREFIX: Parameter = Parameter {
    name: "prefix",
    about: "Only entities whose name begins so, in any case",
    shape: Shape::Text("^[A-Za-z0-9._-]{1,63}$"),
};
const OWNER: Parameter = Parameter {
    name: "owner",
    about: "Only entities with exactly this `spec.owner`",
    shape: Shape::Text("^[^\\u0000]{1,1024}$"),
};
const ANNOTATION: Parameter = Parameter {
    name: "annotation",
    about: "Only entities with this annotation: its key, or `key=value`",
    shape: Shape::Text("^[^\\u0000=]{1,253}(=[^\\u0000]*)?$"),
};
const PARAMETERS: &[Parameter] =
    &[CURSOR, LIMIT, KIND, NAMESPACE, NAME, PREFIX, OWNER, ANNOTATION, WORKSPACE];

pub(crate) const LIST: Operation = Operation {
    id: "listEntities",
    summary: "Live entities, oldest change first",
    about: "Every filter that is given must hold. An entity that changes while the pages are read moves to the end and may be seen twice.",
    query: PARAMETERS,
    body: None,
    answer: Answer::Tagged(schema_of::<EntitiesBody>),
    problems: &[Code::CursorExpired],
};

pub(crate) const BY_REF: Operation = Operation {
    id: "readEntity",
    summary: "One entity, by its reference in any case",
    about: "",
    query: &[],
    body: None,
    answer: Answer::Tagged(schema_of::<Entity>),
    problems: &[Code::EntityNotFound],
};

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EntitiesPage")]
struct EntitiesBody {
    #[schemars(with = "Vec<Entity>")]
    entities: Vec<Box<RawValue>>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// What a list of entities is narrowed to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    cursor: Option<String>,
    limit: u32,
    pub filter: EntityFilter,
    owner: Option<String>,
    annotation: Option<(String, Option<String>)>,
    module: Option<String>,
}

impl Wanted {
    pub(crate) fn parse(query: Option<&str>, known: &[Parameter]) -> Result<Self, Problem> {
        let mut wanted = Self { limit: LIMIT_DEFAULT, ..Self::default() };
        for (name, value) in parameters(query, known)? {
            let filter = &mut wanted.filter;
            match name {
                "cursor" => wanted.cursor = Some(value.into_owned()),
                "limit" => wanted.limit = limit(&value)?,
                "kind" => filter.kind = Some(kind(&value)?),
                "workspace" => filter.workspace = Some(workspace(&value)?),
                "namespace" => {
                    let detail = "`namespace` is of letters, digits and -";
                    let plain = !value.contains(['.', '_']);
                    let namespace = if plain { &*value } else { "" };
                    filter.namespace = Some(named(namespace, detail)?);
                }
                "name" => filter.name = Some(named(&value, "`name` is of letters, digits, ., _ and -")?),
                "prefix" => {
                    filter.name_prefix = Some(named(&value, "`prefix` is of letters, digits, ., _ and -")?)
                }
                "type" => filter.resource_type = Some(named(&value, "`type` is such as aws_s3_bucket")?),
                "module" => {
                    let module = text(&value, "`module` is an address such as module.network")?;
                    filter.fragments.push(fragment(ADDRESS, &module, false));
                    wanted.module = Some(module);
                }
                "owner" => {
                    let owner = text(&value, "`owner` is a reference such as group:default/platform")?;
                    filter.fragments.push(fragment("owner", &owner, true));
                    wanted.owner = Some(owner);
                }
                _ => wanted.annotated(&text(&value, "`annotation` is a key, or key=value")?),
            }
        }
        Ok(wanted)
    }

    fn annotated(&mut self, text: &str) {
        let (key, value) = text.split_once('=').map_or((text, None), |(key, value)| (key, Some(value)));
        self.filter.fragments.push(match value {
            Some(value) => fragment(key, value, true),
            None => format!("{}:", quoted(key)),
        });
        self.annotation = Some((key.to_owned(), value.map(str::to_owned)));
    }

    /// Whether the pieces that the database found stand where they should.
    pub(crate) fn holds(&self, entity: &Entity) -> bool {
        let owner = entity.spec.get("owner").and_then(serde_json::Value::as_str);
        let owned = self.owner.as_deref().is_none_or(|wanted| owner == Some(wanted));
        let annotated = self.annotation.as_ref().is_none_or(|(key, value)| {
            let found = entity.metadata.annotations.get(key);
            found.is_some_and(|found| value.as_ref().is_none_or(|value| value == found))
        });
        let address = entity.metadata.annotations.get(ADDRESS).map(String::as_str).unwrap_or_default();
        // Behind the module's name comes what is in it, or its key.
        let within = self.module.as_ref().is_none_or(|module| {
            address.strip_prefix(module.as_str()).is_some_and(|rest| rest.starts_with(['.', '[']))
        });
        owned && annotated && within
    }

    /// A cursor goes on with the filter it came from only.
    fn hash(&self, list: &str) -> FilterHash {
        let EntityFilter { kind, namespace, name, name_prefix, workspace, resource_type, fragments } =
            &self.filter;
        let workspace = workspace.as_ref().map(|id| id.as_str().to_owned());
        let single = [kind, namespace, name, name_prefix, &workspace, resource_type];
        if single.iter().all(|one| one.is_none()) && fragments.is_empty() {
            return FilterHash::of(list, None);
        }
        FilterHash::of(list, Some(&serde_json::json!([single, fragments]).to_string()))
    }
}

/// Reads a page of a list that is narrowed, and where the next one begins.
pub(crate) async fn find(
    reader: &Reader<'_>,
    list: &str,
    wanted: &Wanted,
) -> Result<(Vec<ChangeRow>, Option<String>), Problem> {
    let hash = reader.narrowed(wanted.hash(list));
    let opened = wanted.cursor.as_deref().map(|text| reader.open(hash, text)).transpose()?;
    let after = opened.as_ref().map_or(0, |cursor| cursor.seq);
    let store = &reader.gate.doors.store;
    let question = store.find_entities(&reader.tenant, &wanted.filter, after, wanted.limit + 1);
    let found = reader.gate.telemetry.timed("entities", question).await;
    let (head, rows) = found.map_err(reader.failed("entities"))?;
    reader.still_holds(opened, head)?;
    let cut = Found::of(reader, rows).cut(wanted.limit);
    let next_cursor = cut.last.filter(|_| cut.has_more).map(|seq| {
        let at = Cursor { epoch: head.epoch, seq, snapshot_until: 0 };
        reader.gate.cursors.seal(&reader.tenant, hash, &at)
    });
    Ok((cut.rows, next_cursor))
}

/// The live entities that are wanted, oldest change first. An entity that changes meanwhile moves to the end and may be seen twice.
pub(crate) async fn list(State(gate): State<Arc<Gate>>, parts: Parts) -> Result<Response, Problem> {
    let reader = Reader::of(&gate, &parts)?;
    let wanted = Wanted::parse(parts.uri.query(), PARAMETERS)?;
    let (rows, next_cursor) = find(&reader, "entities", &wanted).await?;
    let looked_at = wanted.owner.is_some() || wanted.annotation.is_some();
    let bodies = rows.into_iter().filter_map(|row| row.body);
    let held = bodies.filter(|body| {
        !looked_at || serde_json::from_str::<Entity>(body).is_ok_and(|entity| wanted.holds(&entity))
    });
    let entities = held.map(raw_entity).collect::<Result<_, _>>()?;
    Ok(json_response(&parts.headers, to_json(&EntitiesBody { entities, next_cursor })?))
}

fn text(value: &str, detail: &'static str) -> Result<String, Problem> {
    let fits = !value.is_empty() && value.len() <= FILTER_BYTES_MAX && !value.contains('\0');
    fits.then(|| value.to_owned()).ok_or_else(|| Problem::new(Code::FilterInvalid, detail))
}

/// What names are made of, in lower case.
fn named(value: &str, detail: &'static str) -> Result<String, Problem> {
    let fits = (1..=63).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    fits.then(|| value.to_ascii_lowercase()).ok_or_else(|| Problem::new(Code::FilterInvalid, detail))
}

/// A member as the engine renders it; with `whole` false, one whose value begins so.
fn fragment(key: &str, value: &str, whole: bool) -> String {
    let value = quoted(value);
    let end = if whole { value.len() } else { value.len() - 1 };
    format!("{}:{}", quoted(key), &value[..end])
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// One entity, by its reference in any case.
pub(crate) async fn by_ref(
    State(gate): State<Arc<Gate>>,
    path: Result<Path<(String, String, String)>, PathRejection>,
    parts: Parts,
) -> Result<Response, Problem> {
    let reader = Reader::of(&gate, &parts)?;
    ListQuery::parse(parts.uri.query(), &[])?;
    let not_found = || Problem::new(Code::EntityNotFound, "no live entity of this tenant has this reference");
    let Path((kind, namespace, name)) = path.map_err(|_| not_found())?;
    let text = format!("{kind}:{namespace}/{name}").to_ascii_lowercase();
    // What is no reference names nothing.
    let entity_ref = EntityRef::parse(&text).map_err(|_| not_found())?;
    // What may not be seen is not there.
    if !reader.may_see(&entity_ref) {
        return Err(not_found());
    }
    let row = reader.entity(&entity_ref).await?.ok_or_else(not_found)?;
    Ok(json_response_tagged(&parts.headers, row.body.clone().into_bytes(), &row.digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_of_entities_parse_whole_or_not_at_all() {
        let code =
            |query: &str| Wanted::parse(Some(query), PARAMETERS).map(drop).map_err(|problem| problem.code());
        for (query, expected) in [
            ("", Ok(())),
            (
                "kind=resource&namespace=acme&name=A.b_c-d&prefix=a&owner=group:x/y&annotation=a/b=c%3Dd&workspace=ws-a",
                Ok(()),
            ),
            ("annotation=a/b", Ok(())),
            ("name=", Err(Code::FilterInvalid)),
            ("name=a%2Fb", Err(Code::FilterInvalid)),
            ("prefix=%25", Err(Code::FilterInvalid)),
            ("namespace=a'b", Err(Code::FilterInvalid)),
            ("namespace=a.b", Err(Code::FilterInvalid)),
            ("owner=", Err(Code::FilterInvalid)),
            ("owner=a%00b", Err(Code::FilterInvalid)),
            ("annotation=", Err(Code::FilterInvalid)),
            ("workspace=run-a", Err(Code::FilterInvalid)),
            ("kind=a-b", Err(Code::KindInvalid)),
            ("type=aws_s3_bucket", Err(Code::QueryParameterUnknown)),
            ("name=a&name=b", Err(Code::QueryParameterRepeated)),
        ] {
            assert_eq!(code(query), expected, "{query}");
        }
        assert_eq!(
            Wanted::parse(Some(&format!("owner={}", "a".repeat(1_025))), PARAMETERS)
                .map(drop)
                .map_err(|p| p.code()),
            Err(Code::FilterInvalid)
        );
    }

    #[test]
    fn each_filter_of_entities_has_a_hash_of_its_own() {
        let queries = [
            "",
            "kind=a",
            "namespace=a",
            "name=a",
            "prefix=a",
            "owner=a",
            "annotation=a",
            "annotation=a=",
            "workspace=ws-a",
        ];
        let hashes: Vec<_> =
            queries.iter().map(|q| Wanted::parse(Some(q), PARAMETERS).unwrap().hash("entities")).collect();
        for (at, hash) in hashes.iter().enumerate() {
            assert!(!hashes[..at].contains(hash), "{}", queries[at]);
        }
    }

    #[test]
    fn a_fragment_is_what_the_engine_writes() {
        assert_eq!(fragment("a\"b", "c\\d\n", true), r#""a\"b":"c\\d\n""#);
        assert_eq!(fragment("a", "module.x.", false), r#""a":"module.x."#);
    }
}
