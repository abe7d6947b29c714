//! The API's own description: OpenAPI 3.1, made from the table of routes and from the types of the answers.
//!
//! What a handler must tell about itself is an [`Operation`] beside it; nothing is described a second time here. Must never describe
//! what is not in the table, and never differ between two runs: it is a golden file.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use crate::access::Permission;
use crate::problem::Code;
use crate::query::{Parameter, Shape};
use crate::router::{Door, described_routes};

/// Version of the API: its routes begin with its first number.
const API_VERSION: &str = "1.0.0";
/// Media type of RFC 9457.
const PROBLEM_TYPE: &str = "application/problem+json";

/// Adds the schema of a type to a document.
pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What a route is asked for, and what it answers.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    /// Its name in generated clients.
    pub id: &'static str,
    /// In a line.
    pub summary: &'static str,
    /// What else somebody has to know who calls it; may be empty.
    pub about: &'static str,
    /// What may stand in the query string.
    pub query: &'static [Parameter],
    /// What the body of the request is, where one is wanted.
    pub body: Option<SchemaOf>,
    /// What is answered when it is done.
    pub answer: Answer,
    /// What else can happen, beyond what can happen on every route behind its door and to every parameter.
    pub problems: &'static [Code],
}

/// An answer that is no problem.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    /// 200 with JSON, or 304 when the client has it.
    Tagged(SchemaOf),
    /// 200 with JSON that is not to be kept.
    Fresh(SchemaOf),
    /// 201 with JSON that is not to be kept; asked for with an `Idempotency-Key`, it is made once.
    Created(SchemaOf),
    /// 202 with JSON.
    Accepted(SchemaOf),
    /// 200 with text of this media type.
    Text(&'static str),
    /// 200 with server-sent events whose data are of this shape.
    Events(SchemaOf),
}

/// The schema of `T`, for an [`Operation`].
pub(crate) fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// A moment in a schema.
#[derive(JsonSchema)]
#[schemars(inline, extend("format" = "date-time"))]
#[expect(dead_code, reason = "stands for a type of a crate that knows no schemas")]
pub(crate) struct Moment(String);

/// RFC 9457, as far as every problem has it.
#[derive(JsonSchema)]
#[schemars(rename = "Problem")]
#[expect(dead_code, reason = "the shape of what `problem` writes")]
struct ProblemShape {
    /// `urn:terrasift:problem:` and the code.
    r#type: String,
    /// What happened, in general.
    title: String,
    /// The status, again.
    status: u16,
    /// Stable: never renamed.
    code: String,
    /// What happened here, and how to mend it; never what was sent.
    detail: String,
    /// What is missing, where several things can be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
    /// Number of the key that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<i64>,
}

/// The whole document.
#[must_use]
pub fn openapi() -> Value {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut generator = settings.into_generator();
    let problem = generator.subschema_for::<ProblemShape>().to_value();
    let mut paths = Map::new();
    for route in described_routes() {
        let operation = operation(&mut generator, &route, &problem);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_ascii_lowercase()] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Terrasift",
            "version": API_VERSION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "What Terraform runs, as Backstage entities without secrets. A key or token is one tenant's, and shows nothing of \
                another's. Lists come in pages: pass `next_cursor` on unchanged until there is none. Every error is a problem by RFC 9457, whose \
                `code` never changes its meaning.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http", "scheme": "bearer",
                    "description": "An API key (`terrasift key issue`) or a signed token of an issuer that the configuration names",
                },
                "signature": {
                    "type": "apiKey", "in": "header", "name": "X-TFE-Notification-Signature",
                    "description": "HMAC-SHA-512 of the raw body under the token of the notification configuration, in hexadecimal",
                },
            },
            "schemas": generator.take_definitions(true),
        },
    })
}

/// A row of the table, with what its handler tells about itself.
pub(crate) struct Described {
    pub method: axum::http::Method,
    pub path: &'static str,
    pub door: Door,
    pub operation: Operation,
}

fn operation(generator: &mut SchemaGenerator, route: &Described, problem: &Value) -> Value {
    let Operation { id, summary, about, query, body, answer, problems } = route.operation;
    let mut parameters: Vec<Value> = path_parameters(route.path);
    parameters.extend(query.iter().map(query_parameter));
    if matches!(answer, Answer::Created(_)) {
        let schema = json!({"type": "string", "pattern": "^[!-~]{1,255}$"});
        let about = "Names this request: sent again with it, nothing is made a second time";
        parameters
            .push(json!({"name": "Idempotency-Key", "in": "header", "description": about, "schema": schema}));
    }
    let mut described = json!({ "operationId": id, "summary": summary, "tags": [tag(route)] });
    let mut text = about.to_owned();
    if let Door::Api(permission) | Door::ApiByNamespace(permission) = route.door {
        let narrowed = match route.door {
            Door::ApiByNamespace(_) => {
                " Who has it in some namespaces only is shown these; pages can then be short, or empty although there is more."
            }
            _ => "",
        };
        text = format!("{text}\n\nNeeds `{}`.{narrowed}", permission.name()).trim().to_owned();
        described["x-permission"] = json!(permission.name());
    }
    if !text.is_empty() {
        described["description"] = json!(text);
    }
    if !parameters.is_empty() {
        described["parameters"] = json!(parameters);
    }
    if let Some(body) = body {
        let schema = body(generator).to_value();
        described["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": schema}}});
    }
    described["security"] = match route.door {
        Door::Open | Door::Public => json!([]),
        Door::Webhook => json!([{"signature": []}]),
        Door::Api(_) | Door::ApiByNamespace(_) => json!([{"bearer": []}]),
    };
    let mut answers = answers(generator, answer);
    let mut codes: Vec<Code> = door_problems(route.door).to_vec();
    codes.extend(problems);
    for code in query.iter().flat_map(Parameter::problems) {
        if !codes.contains(code) {
            codes.push(*code);
        }
    }
    if !query.is_empty() {
        codes.extend([Code::QueryParameterUnknown, Code::QueryParameterRepeated]);
    } else if matches!(route.door, Door::Api(_) | Door::ApiByNamespace(_)) {
        codes.push(Code::QueryParameterUnknown);
    }
    for code in &codes {
        let status = code.status().as_u16().to_string();
        let of_status: Vec<_> = codes.iter().filter(|other| other.status() == code.status()).collect();
        let words: Vec<_> = of_status.iter().map(|code| format!("`{}`", code.as_str())).collect();
        answers.insert(
            status,
            json!({
                "description": words.join(", "),
                "content": {PROBLEM_TYPE: {"schema": problem}},
            }),
        );
    }
    answers.sort_keys();
    described["responses"] = Value::Object(answers);
    described
}

fn answers(generator: &mut SchemaGenerator, answer: Answer) -> Map<String, Value> {
    let (status, words, media, schema) = match answer {
        Answer::Tagged(schema) => ("200", "done", "application/json", schema(generator).to_value()),
        Answer::Fresh(schema) => {
            ("200", "done; not to be kept", "application/json", schema(generator).to_value())
        }
        Answer::Created(schema) => {
            ("201", "made; not to be kept", "application/json", schema(generator).to_value())
        }
        Answer::Accepted(schema) => ("202", "accepted", "application/json", schema(generator).to_value()),
        Answer::Events(schema) => {
            let data = json!({
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": schema(generator).to_value(),
            });
            let event = json!({
                "type": "object",
                "required": ["event", "data"],
                "properties": {"id": {"type": "string"}, "event": {"enum": ["change", "reset"]}, "data": data},
            });
            ("200", "events, each of this shape", "text/event-stream", event)
        }
        Answer::Text(media) => ("200", "done", media, json!({"type": "string"})),
    };
    let mut answers = Map::new();
    let mut done = json!({"description": words, "content": {media: {"schema": schema}}});
    if matches!(answer, Answer::Tagged(_)) {
        let tag = json!({"schema": {"type": "string"}, "description": "for `If-None-Match`"});
        done["headers"] = json!({"ETag": tag});
        answers.insert("304".to_owned(), json!({"description": "as you have it"}));
    }
    if matches!(answer, Answer::Accepted(_)) {
        let mut nothing = done.clone();
        nothing["description"] = json!("there was nothing to do");
        answers.insert("200".to_owned(), nothing);
    }
    answers.insert(status.to_owned(), done);
    answers
}

/// What can happen on every route behind a door.
fn door_problems(door: Door) -> &'static [Code] {
    match door {
        Door::Open | Door::Public => &[],
        Door::Webhook => &[
            Code::Unauthorized,
            Code::SourceNotAllowed,
            Code::RequestTimeout,
            Code::BodyTooLarge,
            Code::RateLimited,
        ],
        Door::Api(_) | Door::ApiByNamespace(_) => &[
            Code::Unauthorized,
            Code::ScopeMissing,
            Code::RequestTimeout,
            Code::BodyTooLarge,
            Code::RateLimited,
            Code::StoreUnavailable,
            Code::IssuerUnavailable,
            Code::Internal,
        ],
    }
}

fn tag(route: &Described) -> &'static str {
    match route.door {
        Door::Open | Door::Public => "operations",
        Door::Webhook => "webhooks",
        Door::Api(Permission { resource, .. }) | Door::ApiByNamespace(Permission { resource, .. }) => {
            resource.name()
        }
    }
}

fn query_parameter(parameter: &Parameter) -> Value {
    let schema = match parameter.shape {
        Shape::Text(pattern) => json!({"type": "string", "pattern": pattern}),
        Shape::Number(least, most, default) => {
            json!({"type": "integer", "minimum": least, "maximum": most, "default": default})
        }
        Shape::Word(words) => json!({"type": "string", "enum": words}),
        Shape::Time => json!({"type": "string", "format": "date-time"}),
    };
    json!({"name": parameter.name, "in": "query", "description": parameter.about, "schema": schema})
}

/// The parts of a path that are filled in.
fn path_parameters(path: &str) -> Vec<Value> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let described = |name: &str| {
        let (about, schema) = match name {
            "id" => ("Its number", json!({"type": "integer", "minimum": 1, "maximum": i64::MAX})),
            "tenant_slug" => ("The tenant's slug", json!({"type": "string", "minLength": 1})),
            "kind" => ("Kind of the entity", json!({"type": "string", "pattern": "^[A-Za-z0-9]{1,63}$"})),
            "namespace" => {
                ("Namespace of the entity", json!({"type": "string", "pattern": "^[A-Za-z0-9-]{1,63}$"}))
            }
            "workspace" => {
                ("Id of the workspace", json!({"type": "string", "pattern": "^ws-[A-Za-z0-9]{1,64}$"}))
            }
            _ => ("Name of the entity", json!({"type": "string", "pattern": "^[A-Za-z0-9._-]{1,63}$"})),
        };
        json!({"name": name, "in": "path", "required": true, "description": about, "schema": schema})
    };
    names.map(described).collect()
}
