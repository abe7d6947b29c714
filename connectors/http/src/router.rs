//! Which route leads where, and in which order a request passes the middlewares.
//!
//! Must never add a route without a door: the table names one for each, the API's are all behind [`auth::authenticate`], and the
//! webhook checks its signature itself.

use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post};

use crate::access::{
    AUDIT_READ, CATALOG_READ, DEAD_LETTERS_READ, DEAD_LETTERS_WRITE, KEYS_ADMIN, Permission, USAGE_READ,
};
use crate::auth::ApiDoor;
use crate::config::{Doors, HttpConfig, HttpError, Routes};
use crate::gate::{Gate, observe};
use crate::openapi::{Described, Operation};
use crate::problem::{Code, Problem};
use crate::{
    admin_keys, audit, auth, dead_letters, entities, feed, operations, reference, resources, status, stream,
    timeline, usage, webhook,
};

/// The one route that may take longer.
pub(crate) const CHANGES_ROUTE: &str = "/v1/changes";

const WEBHOOK_ROUTE: &str = "/v1/webhooks/terraform-cloud/{tenant_slug}";

/// Who may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Door {
    /// Everybody: probes and metrics, which stand on an inner port.
    Open,
    /// Everybody, outside too: what the API is like, which is nobody's.
    Public,
    /// Who signs with the tenant's secret; the handler looks.
    Webhook,
    /// Who is allowed this.
    Api(Permission),
    /// Who is allowed this, in some namespaces at least: the handler shows no others.
    ApiByNamespace(Permission),
}

/// A route: method, path, door. `GET` answers `HEAD`, too.
pub type RouteDoor = (Method, &'static str, Door);

/// All routes there are.
#[must_use]
pub fn route_doors() -> Vec<RouteDoor> {
    table().into_iter().map(|row| (row.method, row.path, row.door)).collect()
}

/// All routes, with what their handlers tell about themselves.
pub(crate) fn described_routes() -> Vec<Described> {
    let described =
        |row: Row| Described { method: row.method, path: row.path, door: row.door, operation: row.operation };
    table().into_iter().map(described).collect()
}

struct Row {
    method: Method,
    path: &'static str,
    door: Door,
    handler: MethodRouter<Arc<Gate>>,
    operation: Operation,
}

fn table() -> Vec<Row> {
    let row = |method, path, door, handler, operation| Row { method, path, door, handler, operation };
    let open = |path, handler, operation| row(Method::GET, path, Door::Open, handler, operation);
    let public = |path, handler, operation| row(Method::GET, path, Door::Public, handler, operation);
    let read =
        |path, wanted, handler, operation| row(Method::GET, path, Door::Api(wanted), handler, operation);
    let write =
        |path, wanted, handler, operation| row(Method::POST, path, Door::Api(wanted), handler, operation);
    let by_namespace = Door::ApiByNamespace(CATALOG_READ);
    let shown = |path, handler, operation| row(Method::GET, path, by_namespace, handler, operation);
    let by_ref = "/v1/entities/by-ref/{kind}/{namespace}/{name}";
    vec![
        open("/healthz", get(operations::healthz), operations::HEALTHZ),
        open("/readyz", get(operations::readyz), operations::READYZ),
        open("/metrics", get(operations::metrics), operations::METRICS),
        public("/openapi.json", get(reference::document), reference::DOCUMENT),
        public("/docs", get(reference::page), reference::PAGE),
        row(Method::POST, WEBHOOK_ROUTE, Door::Webhook, post(webhook::receive), webhook::RECEIVE),
        shown(CHANGES_ROUTE, get(feed::changes), feed::CHANGES),
        shown("/v1/changes/stream", get(stream::changes), stream::CHANGES),
        shown("/v1/snapshot", get(feed::snapshot), feed::SNAPSHOT),
        shown("/v1/entities", get(entities::list), entities::LIST),
        shown(by_ref, get(entities::by_ref), entities::BY_REF),
        shown("/v1/resources", get(resources::list), resources::LIST),
        read("/v1/resource-types", CATALOG_READ, get(resources::types), resources::TYPES),
        read("/v1/workspaces", CATALOG_READ, get(status::workspaces), status::WORKSPACES),
        read("/v1/workspaces/{workspace}", CATALOG_READ, get(status::workspace), status::WORKSPACE_BY_ID),
        read("/v1/status", CATALOG_READ, get(status::tenant), status::TENANT),
        read("/v1/runs", CATALOG_READ, get(timeline::runs), timeline::RUNS),
        read("/v1/audit", AUDIT_READ, get(audit::list), audit::LIST),
        read("/v1/audit/{id}", AUDIT_READ, get(audit::by_id), audit::BY_ID),
        read("/v1/security-audit", AUDIT_READ, get(timeline::security_audit), timeline::SECURITY_AUDIT),
        read("/v1/usage", USAGE_READ, get(usage::usage), usage::USAGE),
        read("/v1/dead-letters", DEAD_LETTERS_READ, get(dead_letters::list), dead_letters::LIST),
        read("/v1/dead-letters/{id}", DEAD_LETTERS_READ, get(dead_letters::by_id), dead_letters::BY_ID),
        write(
            "/v1/dead-letters/{id}/retry",
            DEAD_LETTERS_WRITE,
            post(dead_letters::retry),
            dead_letters::RETRY,
        ),
        write(
            "/v1/dead-letters/{id}/discard",
            DEAD_LETTERS_WRITE,
            post(dead_letters::discard),
            dead_letters::DISCARD,
        ),
        read("/v1/admin/keys", KEYS_ADMIN, get(admin_keys::list), admin_keys::LIST),
        write("/v1/admin/keys", KEYS_ADMIN, post(admin_keys::issue), admin_keys::ISSUE),
        write("/v1/admin/keys/{id}/rotate", KEYS_ADMIN, post(admin_keys::rotate), admin_keys::ROTATE),
        row(
            Method::DELETE,
            "/v1/admin/keys/{id}",
            Door::Api(KEYS_ADMIN),
            delete(admin_keys::revoke),
            admin_keys::REVOKE,
        ),
    ]
}

/// Builds the routes of a process.
///
/// # Errors
/// [`HttpError`] when two tenants share a slug or two routers a registry.
pub fn router(doors: Doors, routes: Routes, config: &HttpConfig) -> Result<Router, HttpError> {
    let gate = Arc::new(Gate::new(doors, routes, config.clone())?);
    Ok(assemble(&gate, |_| true))
}

/// Builds them as two: what is for everybody outside, and probes and metrics, which then are on the second only.
///
/// # Errors
/// As [`router`].
pub fn routers_apart(
    doors: Doors,
    routes: Routes,
    config: &HttpConfig,
) -> Result<(Router, Router), HttpError> {
    let gate = Arc::new(Gate::new(doors, routes, config.clone())?);
    Ok((assemble(&gate, |door| door != Door::Open), assemble(&gate, |door| door == Door::Open)))
}

/// The routes of the doors that are wanted and that this process serves.
fn assemble(gate: &Arc<Gate>, wanted: impl Fn(Door) -> bool) -> Router {
    let mut router = Router::new();
    for Row { path, door, handler, .. } in table().into_iter().filter(|row| wanted(row.door)) {
        router = match door {
            Door::Open | Door::Public => router.route(path, handler),
            Door::Webhook if gate.routes.webhook => router.route(path, handler),
            Door::Api(wanted) | Door::ApiByNamespace(wanted) if gate.routes.api => {
                let by_namespace = matches!(door, Door::ApiByNamespace(_));
                let door = ApiDoor { gate: Arc::clone(gate), wanted, by_namespace };
                router.route(path, handler.route_layer(from_fn_with_state(door, auth::authenticate)))
            }
            Door::Webhook | Door::Api(_) | Door::ApiByNamespace(_) => router,
        };
    }
    router
        .fallback(route_not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(Arc::clone(gate), observe))
        .with_state(Arc::clone(gate))
}

async fn route_not_found() -> Response {
    Problem::new(
        Code::RouteNotFound,
        "there is no such route on this server: `/openapi.json` describes those there are",
    )
    .into_response()
}

async fn method_not_allowed() -> Response {
    Problem::new(Code::MethodNotAllowed, "the `Allow` header names the methods of this route").into_response()
}
