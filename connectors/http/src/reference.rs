//! `GET /openapi.json` and `GET /docs`: the API's description, for programs and for people.
//!
//! Both are made once, from the table of routes, and are the same for everybody: a cache between may keep them. The page needs no
//! script, and none is allowed to run.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::conditional::public_response;
use crate::gate::Gate;
use crate::openapi::{Answer, Operation, openapi, schema_of};

const STYLE: &str = include_str!("reference.css");

pub(crate) const DOCUMENT: Operation = Operation {
    id: "readOpenapi",
    summary: "This document",
    about: "",
    query: &[],
    body: None,
    answer: Answer::Tagged(schema_of::<serde_json::Map<String, Value>>),
    problems: &[],
};

pub(crate) const PAGE: Operation = Operation {
    id: "readDocs",
    summary: "This document as a page for people",
    about: "",
    query: &[],
    body: None,
    answer: Answer::Text("text/html; charset=utf-8"),
    problems: &[],
};

/// The two texts.
pub(crate) struct Reference {
    document: Bytes,
    page: Bytes,
}

impl Reference {
    pub(crate) fn new() -> Self {
        let document = openapi();
        Self { document: format!("{document:#}\n").into(), page: page_of(&document).into() }
    }
}

pub(crate) async fn document(State(gate): State<Arc<Gate>>, headers: HeaderMap) -> Response {
    public_response(&headers, "application/json", gate.reference.document.clone())
}

pub(crate) async fn page(State(gate): State<Arc<Gate>>, headers: HeaderMap) -> Response {
    let mut response = public_response(&headers, "text/html; charset=utf-8", gate.reference.page.clone());
    let policy = format!("default-src 'none'; style-src 'sha256-{}'", STANDARD.encode(Sha256::digest(STYLE)));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn page_of(document: &Value) -> String {
    let mut html = String::from("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">");
    let info = &document["info"];
    let _ = write!(
        html,
        "<meta name=\"viewport\" content=\"width=device-width\"><title>Terrasift API</title><style>{STYLE}</style>\
         <main><h1>Terrasift API <small>{}</small></h1><p>{}</p><p><a href=\"openapi.json\">openapi.json</a></p>",
        text(&info["version"]),
        text(&info["description"]),
    );
    let operations = || {
        let paths = document["paths"].as_object().into_iter().flatten();
        paths.flat_map(|(path, methods)| {
            methods
                .as_object()
                .into_iter()
                .flatten()
                .map(move |(method, operation)| (path, method, operation))
        })
    };
    html.push_str("<nav><ul>");
    for (path, method, operation) in operations() {
        let _ = write!(
            html,
            "<li><a href=\"#{}\"><b>{}</b> <code>{}</code></a> {}</li>",
            text(&operation["operationId"]),
            method.to_uppercase(),
            escaped(path),
            text(&operation["summary"]),
        );
    }
    html.push_str("</ul></nav>");
    for (path, method, operation) in operations() {
        section(&mut html, path, method, operation);
    }
    html.push_str("<h2>Shapes</h2>");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        let _ = write!(
            html,
            "<details id=\"{0}\"><summary>{0}</summary><pre>{1}</pre></details>",
            escaped(name),
            escaped(&format!("{schema:#}")),
        );
    }
    html.push_str("</main></html>\n");
    html
}

fn section(html: &mut String, path: &str, method: &str, operation: &Value) {
    let _ = write!(
        html,
        "<section id=\"{}\"><h2><b>{}</b> <code>{}</code></h2><p>{}</p><p>{}</p>",
        text(&operation["operationId"]),
        method.to_uppercase(),
        escaped(path),
        text(&operation["summary"]),
        text(&operation["description"]),
    );
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let rows = parameters.map(|parameter| {
        format!(
            "<tr><td><code>{}</code><td>{}<td>{}<td><code>{}</code>",
            text(&parameter["name"]),
            text(&parameter["in"]),
            text(&parameter["description"]),
            escaped(&parameter["schema"].to_string()),
        )
    });
    let rows: String = rows.collect();
    if !rows.is_empty() {
        let _ = write!(html, "<table><tr><th>parameter<th>in<th>what<th>shape{rows}</table>");
    }
    html.push_str("<table><tr><th>status<th>when<th>body");
    for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
        let _ = write!(html, "<tr><td>{}<td>{}<td>", escaped(status), text(&answer["description"]));
        for (media, content) in answer["content"].as_object().into_iter().flatten() {
            let shape = content["schema"]["$ref"].as_str().and_then(|shape| shape.rsplit('/').next());
            let _ = write!(html, "<code>{}</code> ", escaped(media));
            if let Some(shape) = shape {
                let _ = write!(html, "<a href=\"#{0}\">{0}</a>", escaped(shape));
            }
        }
    }
    html.push_str("</table></section>");
}

fn text(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_document_is_what_the_routes_say() {
        let path =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/generated/openapi.json");
        #[expect(clippy::disallowed_methods, reason = "golden files are written on demand")]
        let update = std::env::var_os("UPDATE_GOLDEN").is_some();
        let document = Reference::new().document;
        if update {
            std::fs::write(&path, &document).expect("golden file is writable");
        }
        let golden = std::fs::read(&path).unwrap_or_default();
        assert!(golden == *document, "openapi.json is stale: run `make golden` and read the difference");
    }

    #[test]
    fn the_page_names_every_operation_once() {
        let (document, page) = (openapi(), page_of(&openapi()));
        let operations =
            document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap());
        let ids: Vec<_> =
            operations.map(|(_, operation)| operation["operationId"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), crate::router::route_doors().len());
        for id in &ids {
            assert_eq!(ids.iter().filter(|other| *other == id).count(), 1, "{id} twice");
            assert_eq!(page.matches(&format!("<section id=\"{id}\">")).count(), 1, "{id}");
        }
        assert!(!page.contains("<script"));
    }

    #[test]
    fn every_reference_leads_to_a_shape() {
        fn walk(value: &Value, document: &Value) {
            match value {
                Value::Object(members) => {
                    if let Some(Value::String(target)) = members.get("$ref") {
                        let pointer = target.strip_prefix('#').expect("a reference within the document");
                        assert!(document.pointer(pointer).is_some(), "{target}");
                    }
                    members.values().for_each(|member| walk(member, document));
                }
                Value::Array(items) => items.iter().for_each(|item| walk(item, document)),
                _ => {}
            }
        }
        let document = openapi();
        walk(&document, &document);
    }
}
