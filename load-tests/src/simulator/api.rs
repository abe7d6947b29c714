//! Owns the API origin's reading half: who asks, whether they may, which document they get. Every request passes the same door: token,
//! limit, faults, in that order. It must never answer a foreign organization with anything but 404.

use super::bodies::{self, Paging, errors};
use super::faults::{FaultKind, Point};
use super::world::World;
use super::{Shared, archive, configurations};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

const CONTENT_TYPE: &str = "application/vnd.api+json";

/// A JSON:API answer.
pub(crate) fn document(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, CONTENT_TYPE)], body.to_string()).into_response()
}

pub(crate) fn failure(status: StatusCode, title: &str, detail: &str) -> Response {
    document(status, &errors(status.as_u16(), title, detail))
}

pub(crate) fn not_found() -> Response {
    failure(StatusCode::NOT_FOUND, "not found", "the resource does not exist, or you may not see it")
}

/// One request behind the door.
pub(crate) struct Asked {
    pub(crate) user: String,
    query: HashMap<String, String>,
}

impl Asked {
    fn paging(&self) -> Paging {
        let number = |key: &str, default: usize| {
            self.query.get(key).and_then(|text| text.parse().ok()).filter(|it| *it > 0).unwrap_or(default)
        };
        Paging { number: number("page[number]", 1), size: number("page[size]", 20).min(100) }
    }

    fn includes_state(&self) -> bool {
        self.query
            .get("include")
            .is_some_and(|list| list.split(',').any(|it| it.trim() == "current_state_version"))
    }
}

/// Everything below `/api/v2`.
pub(crate) async fn serve(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().trim_start_matches("/api/v2/").trim_end_matches('/').to_owned();
    let segments: Vec<&str> = path.split('/').collect();
    let (user, budget) = match door(&shared, &headers, &segments) {
        Ok(passed) => passed,
        Err(refusal) => return *refusal,
    };
    let query = axum::extract::Query::<HashMap<String, String>>::try_from_uri(&uri);
    let asked = Asked { user, query: query.map(|it| it.0).unwrap_or_default() };
    let mut response = match (method.as_str(), segments.as_slice()) {
        ("GET", rest) if !rest.contains(&"notification-configurations") => read(&shared, &asked, rest),
        (method, rest) => configurations::serve(&shared, &asked, method, rest, &body).await,
    };
    for (name, value) in budget {
        response.headers_mut().insert(name, value);
    }
    response
}

type BudgetHeaders = [(&'static str, header::HeaderValue); 3];

/// Token, limit, ordered faults. Boxed, since a response is large.
fn door(
    shared: &Shared,
    headers: &HeaderMap,
    segments: &[&str],
) -> Result<(String, BudgetHeaders), Box<Response>> {
    let mut world = shared.world();
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let user = bearer.and_then(|value| value.strip_prefix("Bearer ")).and_then(|token| world.user_of(token));
    let Some(user) = user else {
        return Err(Box::new(failure(StatusCode::UNAUTHORIZED, "unauthorized", "the token is not valid")));
    };
    let verdict = world.limiter.check(&user, Instant::now());
    let text =
        |text: String| header::HeaderValue::from_str(&text).unwrap_or(header::HeaderValue::from_static("0"));
    let budget = [
        ("x-ratelimit-limit", text(shared.config.requests_per_second.to_string())),
        ("x-ratelimit-remaining", text(verdict.remaining.to_string())),
        ("x-ratelimit-reset", text(format!("{:.3}", verdict.reset.as_secs_f64()))),
    ];
    if !verdict.allowed {
        let mut refusal = failure(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many requests",
            "You have exceeded the API's rate limit.",
        );
        for (name, value) in budget {
            refusal.headers_mut().insert(name, value);
        }
        return Err(Box::new(refusal));
    }
    let target = segments.get(1).copied().unwrap_or_default();
    match world.faults.take(Point::Api, target) {
        Some(FaultKind::ApiStatus { code }) => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = failure(status, "ordered fault", "this answer was ordered by a test");
            if code == 429 {
                response.headers_mut().insert("x-ratelimit-reset", header::HeaderValue::from_static("0.200"));
            }
            Err(Box::new(response))
        }
        Some(FaultKind::ApiNotJson) => {
            let html = Body::from("<html><body>maintenance</body></html>");
            Err(Box::new(([(header::CONTENT_TYPE, "text/html")], html).into_response()))
        }
        _ => Ok((user, budget)),
    }
}

fn read(shared: &Shared, asked: &Asked, segments: &[&str]) -> Response {
    let mut world = shared.world();
    match segments {
        ["account", "details"] => account(&world, asked),
        ["organizations"] => organizations(shared, &mut world, asked),
        ["organizations", name] => match world.organization(name).filter(|it| it.spec.user == asked.user) {
            Some(found) => document(StatusCode::OK, &json!({"data": bodies::organization(found)})),
            None => not_found(),
        },
        ["organizations", name, "workspaces"] => workspaces(shared, &mut world, asked, name),
        ["organizations", name, "workspaces", workspace] => {
            let found = world.organization(name).and_then(|organization| {
                organization
                    .workspaces
                    .iter()
                    .find(|id| world.workspaces.get(*id).is_some_and(|it| it.spec.name == *workspace))
                    .cloned()
            });
            match found {
                Some(id) => workspace_document(shared, &mut world, asked, &id),
                None => not_found(),
            }
        }
        ["workspaces", id] => workspace_document(shared, &mut world, asked, id),
        ["workspaces", id, "current-state-version"] => match state_version(shared, &mut world, asked, id) {
            Some(data) => document(StatusCode::OK, &json!({"data": data})),
            None => not_found(),
        },
        ["workspaces", id, "runs"] => runs(shared, &world, asked, id),
        ["workspaces", id, "vars"] => match world.visible(&asked.user, id) {
            Some(found) => document(StatusCode::OK, &bodies::variables(found)),
            None => not_found(),
        },
        ["runs", id] => run(&world, asked, id),
        _ => not_found(),
    }
}

fn account(world: &World, asked: &Asked) -> Response {
    match world.organizations.iter().find(|it| it.spec.user == asked.user) {
        Some(found) => document(StatusCode::OK, &bodies::account(&asked.user, &found.user_id)),
        None => not_found(),
    }
}

fn organizations(shared: &Shared, world: &mut World, asked: &Asked) -> Response {
    let empty = matches!(world.faults.take(Point::List, "organizations"), Some(FaultKind::EmptyList));
    let mine: Vec<_> = world.organizations.iter().filter(|it| it.spec.user == asked.user && !empty).collect();
    let base = format!("{}/api/v2/organizations", shared.api_origin);
    let (page, links, meta) = asked.paging().cut(&mine, &base, shared.config.without_totals);
    let data: Vec<_> = page.iter().map(|it| bodies::organization(it)).collect();
    document(StatusCode::OK, &json!({"data": data, "links": links, "meta": meta}))
}

fn workspaces(shared: &Shared, world: &mut World, asked: &Asked, name: &str) -> Response {
    let Some(found) = world.organization(name).filter(|it| it.spec.user == asked.user) else {
        return not_found();
    };
    let mut ids = found.workspaces.clone();
    if matches!(world.faults.take(Point::List, name), Some(FaultKind::EmptyList)) {
        ids.clear();
    }
    let base = format!("{}/api/v2/organizations/{name}/workspaces", shared.api_origin);
    let (page, links, meta) = asked.paging().cut(&ids, &base, shared.config.without_totals);
    for id in page {
        if let Some(workspace) = world.workspaces.get_mut(id) {
            workspace.measure_states();
        }
    }
    let data: Vec<_> = page.iter().filter_map(|id| world.workspaces.get(id)).map(bodies::workspace).collect();
    let mut body = json!({"data": data, "links": links, "meta": meta});
    if asked.includes_state() {
        body["included"] = page.iter().filter_map(|id| state_version(shared, world, asked, id)).collect();
    }
    document(StatusCode::OK, &body)
}

fn workspace_document(shared: &Shared, world: &mut World, asked: &Asked, id: &str) -> Response {
    if world.visible(&asked.user, id).is_none() {
        return not_found();
    }
    let Some(workspace) = world.workspaces.get_mut(id) else { return not_found() };
    workspace.measure_states();
    let mut body = json!({"data": bodies::workspace(workspace)});
    if asked.includes_state() {
        let version = state_version(shared, world, asked, id);
        if let Some(version) = &version {
            // A stale answer is stale as a whole.
            body["data"]["relationships"]["current-state-version"]["data"]["id"] = version["id"].clone();
        }
        body["included"] = version.into_iter().collect();
    }
    document(StatusCode::OK, &body)
}

fn state_version(shared: &Shared, world: &mut World, asked: &Asked, id: &str) -> Option<Value> {
    let organization = world.visible(&asked.user, id)?.organization.clone();
    let user_id = world.organization(&organization)?.user_id.clone();
    let fault = world.faults.take(Point::StateVersion, id);
    let workspace = world.workspaces.get_mut(id)?;
    workspace.measure_states();
    let version = match fault {
        Some(FaultKind::StaleState) => workspace.stale()?,
        _ => workspace.current()?,
    };
    let url = archive::signed_url(shared, id, &version.id, fault == Some(FaultKind::ExpiredUrl));
    Some(bodies::state_version(version, id, &user_id, &url))
}

fn runs(shared: &Shared, world: &World, asked: &Asked, id: &str) -> Response {
    let Some(found) = world.visible(&asked.user, id) else { return not_found() };
    let base = format!("{}/api/v2/workspaces/{id}/runs", shared.api_origin);
    let (page, links, meta) = asked.paging().cut(&found.runs, &base, shared.config.without_totals);
    let data: Vec<_> = page.iter().map(|run| bodies::run(run, id)).collect();
    document(StatusCode::OK, &json!({"data": data, "links": links, "meta": meta}))
}

fn run(world: &World, asked: &Asked, id: &str) -> Response {
    let found = world.workspaces.values().find_map(|workspace| {
        let run = workspace.runs.iter().find(|run| run.id == id)?;
        world.visible(&asked.user, &workspace.id).map(|_| (workspace, run))
    });
    match found {
        Some((workspace, run)) => document(StatusCode::OK, &json!({"data": bodies::run(run, &workspace.id)})),
        None => not_found(),
    }
}
